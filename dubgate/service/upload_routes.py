"""Uploads: a delivery's files in one multipart request, each looked at for what it is before it is kept."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from dubgate.delivery.formats import sniff
from dubgate.delivery.inside import stays_inside
from dubgate.errors import DubgateError, InputError
from dubgate.service.acts import record_act
from dubgate.service.bodies import Uploaded
from dubgate.service.problems import Problem, documented, request_id
from dubgate.service.sources import MANIFEST, uploads_of
from dubgate.service.state import Service, State, Submitter
from dubgate.service.tokens import Caller
from dubgate.strict_yaml import load_yaml

router = APIRouter(
    prefix="/v1", tags=["uploads"], responses=documented(400, 401, 403, 408, 409, 413, 415, 422, 429, 503)
)
CHUNK = 1 << 20
TEXTS = frozenset({".vtt", ".srt", ".csv", ".txt", ".ttml", ".dfxp", ".xml", ".m3u8", ".mpd"})
TEXT_BYTES = 16 << 20
_FAMILIES = {"audio": "sound", "video": "sound", "image": "picture", "font": "font"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                            "description": "Each file, with its path inside the delivery's folder as its file name.",
                        }
                    },
                    "required": ["file"],
                }
            }
        },
    }
}


@router.post("/uploads", status_code=201, summary="Upload a delivery's files", openapi_extra=_BODY)
async def upload(request: Request, state: Service, caller: Submitter) -> Uploaded:
    """All files of a delivery, `delivery.yaml` among them. Nothing is kept where one of them is not what it claims."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "multipart/form-data":
        raise Problem(415, "an upload is multipart/form-data")
    place = uploads_of(caller.organisation, state.settings) / f"up-{secrets.token_hex(12)}"
    try:
        kept = await _kept(request, state, place)
        await run_in_threadpool(_act, state, caller, place.name, kept, request_id(request))
    except BaseException:
        await run_in_threadpool(shutil.rmtree, place, ignore_errors=True)
        raise
    return Uploaded(upload_id=place.name, files=kept)


async def _kept(request: Request, state: State, place: Path) -> dict[str, str]:
    """Keep the files of the form.

    Raises:
        Problem: it is no form, or has too many parts, or none.
        InputError: a file is not what it claims.
    """
    most = state.settings.limits.upload_files
    try:
        async with request.form(max_files=most, max_fields=0, max_part_size=1024) as form:
            files = [v for _, v in form.multi_items() if isinstance(v, UploadFile)]
            if not files:
                raise Problem(422, "the form has no file")
            return await run_in_threadpool(_keep_all, files, place)
    except MultiPartException as error:
        raise Problem(422, error.message[:200]) from None
    except (KeyError, ValueError, UnicodeDecodeError):
        raise Problem(422, "this is no multipart form") from None


def _keep_all(files: list[UploadFile], place: Path) -> dict[str, str]:
    """Write and look at every file; the SHA-256 of each.

    Raises:
        InputError
    """
    kept: dict[str, str] = {}
    for file in files:
        name = _named(file.filename)
        if name in kept:
            raise InputError("a file is there twice", where=name)
        target = place / name
        if any(str(parent) in kept for parent in PurePosixPath(name).parents):
            raise InputError("a file lies where this one has its folder", where=name)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept[name] = _keep(file, target)
        _look(target, name, file.content_type or "")
    if MANIFEST not in kept:
        raise InputError("the upload has no delivery.yaml", remedy="Send it as the file name delivery.yaml.")
    return kept


def _named(name: str | None) -> str:
    try:
        relative = stays_inside(name or "")
    except ValueError as error:
        raise InputError(str(error), where="file name") from None
    parts = relative.split("/")
    if len(relative) > 200 or len(parts) > 4 or any(p in ("", ".") or p.startswith(".") for p in parts):
        raise InputError("a file name is a plain path of at most four parts", where="file name")
    return relative


def _keep(file: UploadFile, target: Path) -> str:
    digest = hashlib.sha256()
    try:
        with target.open("xb") as out:
            while chunk := file.file.read(CHUNK):
                digest.update(chunk)
                out.write(chunk)
    except OSError as error:
        if error.errno == 28:
            raise Problem(503, "there is no room for uploads", headers={"retry-after": "600"}) from None
        raise InputError(f"cannot be kept: {error.strerror}", where=target.name) from None
    return digest.hexdigest()


def _look(path: Path, name: str, claimed: str) -> None:
    """What a file is, told by its bytes, must be what its name and declared type say.

    Raises:
        InputError
    """
    suffix = path.suffix.lower()
    try:
        if suffix in (".yaml", ".yml"):
            load_yaml(path.read_bytes()[: TEXT_BYTES + 1], name)
            kind = "text"
        elif suffix == ".json":
            json.loads(_text(path, name))
            kind = "text"
        elif suffix in TEXTS:
            _text(path, name)
            kind = "text"
        else:
            sniff(path)
            kind = "sound"
    except (ValueError, RecursionError):
        raise InputError("this is not JSON", where=name) from None
    except DubgateError as error:
        raise InputError(error.what, where=name, remedy=error.remedy) from None
    family = claimed.split("/")[0].strip().lower()
    if _FAMILIES.get(family, kind if family != "text" else "text") != kind:
        raise InputError(f"it is declared as {claimed[:60]} and its bytes are {kind}", where=name)


def _text(path: Path, name: str) -> str:
    with path.open("rb") as file:
        data = file.read(TEXT_BYTES + 1)
    if len(data) > TEXT_BYTES or b"\x00" in data:
        raise InputError("this is no text file that is taken here", where=name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("this is not UTF-8 text", where=name) from None


def _act(state: State, caller: Caller, named: str, kept: dict[str, Any], request: str | None) -> None:
    with state.registry.write() as writer:
        record_act(
            writer,
            by=caller.party,
            verb="upload.made",
            about=named,
            token_id=caller.token_id,
            what=kept,
            request_id=request,
        )
