"""Where a delivery lies: a path below its organisation's own folders, an upload, or a URL that was fetched; never elsewhere."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dubgate.errors import InputError
from dubgate.service.settings import Settings

UPLOAD_ID = re.compile(r"up-[0-9a-f]{24}\Z")
MANIFEST = "delivery.yaml"


class SourceRefusedError(InputError):
    """A place that this caller's deliveries may not lie in; says nothing about what is there."""


def manifest_of(request: dict[str, Any], organisation: str, settings: Settings) -> Path:
    """The manifest of a job's delivery, looked up anew each time: links may have changed since it was submitted.

    Raises:
        SourceRefusedError: not a place for this organisation's deliveries.
    """
    if "path" in request:
        return allowed_path(str(request["path"]), organisation, settings)
    if "upload" in request:
        return uploaded(str(request["upload"]), organisation, settings)
    raise SourceRefusedError("the job names no delivery that lies here")


def source_of(request: dict[str, Any]) -> dict[str, str]:
    """Where the delivery of a job lies, and nothing else of its request."""
    return {k: str(request[k]) for k in ("path", "upload", "url") if k in request}


def source_sha256(organisation: str, request: dict[str, Any]) -> str:
    """The same for every job of the same delivery."""
    told = json.dumps([organisation, source_of(request)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def allowed_path(given: str, organisation: str, settings: Settings) -> Path:
    """An existing delivery.yaml below one of the organisation's folders, links followed.

    Where folders of several organisations lie inside each other, the innermost says whose it is.

    Raises:
        SourceRefusedError: with one text for everything that is wrong, so that nobody can look around with it.
    """
    refused = SourceRefusedError(
        "no delivery there that this organisation may submit",
        where="path",
        remedy="Name the delivery.yaml by its absolute path below one of your organisation's folders.",
    )
    if not given.startswith("/") or any(ord(c) < 32 or ord(c) == 127 for c in given) or len(given) > 1000:
        raise refused
    try:
        path = Path(given).resolve(strict=True)
        owners = _owners(path, settings)
    except (OSError, RuntimeError, ValueError):
        raise refused from None
    if ".." in Path(given).parts or organisation not in owners:
        raise refused
    if not path.is_file() or path.suffix not in (".yaml", ".yml"):
        raise refused
    return path


def require_own_files(files: Iterable[Path], organisation: str, settings: Settings) -> None:
    """What a delivery below one of an organisation's folders is made of is theirs too: folders of others may lie below it.

    Raises:
        SourceRefusedError
    """
    for folder in sorted({file.parent.resolve() for file in files}):
        if organisation not in _owners(folder, settings):
            what = "the delivery names a file in a folder that this organisation may not submit from"
            raise SourceRefusedError(what, where="path")


def _owners(path: Path, settings: Settings) -> frozenset[str]:
    """Whose deliveries lie at a place; a folder that is not there is nobody's."""
    found = [(r.path.resolve(), r.organisation) for r in settings.roots]
    above = [(len(root.parts), organisation) for root, organisation in found if path.is_relative_to(root)]
    innermost = max((depth for depth, _ in above), default=0)
    return frozenset(organisation for depth, organisation in above if depth == innermost)


def uploads_of(organisation: str, settings: Settings) -> Path:
    """The folder of an organisation's uploads."""
    return settings.data / "uploads" / organisation


def uploaded(upload_id: str, organisation: str, settings: Settings) -> Path:
    """The manifest of an upload of this organisation.

    Raises:
        SourceRefusedError: there is none of this id.
    """
    place = uploads_of(organisation, settings) / upload_id / MANIFEST
    if not UPLOAD_ID.fullmatch(upload_id) or not place.is_file() or place.is_symlink():
        raise SourceRefusedError("no such upload of a delivery with its delivery.yaml", where="upload")
    return place
