"""A delivery by path or by URL: what lies elsewhere is fetched through fsspec into a folder that goes again."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from dubgate.delivery.manifest import Delivery, load_delivery
from dubgate.errors import InputError
from dubgate.watching import files_of

MOST_FILES = 100_000
# What a store says of a file that changes when its bytes do; a time that whoever writes may set is no such mark.
_MARKS = ("ETag", "etag", "LastModified", "last_modified", "created", "updated", "generation", "md5Hash", "CRC", "sha")
_CHUNK = 8 << 20


def is_url(location: str) -> bool:
    """Whether it names another file system, such as s3://bucket/ep01/delivery.yaml."""
    scheme, mark, _ = location.partition("://")
    return bool(mark) and len(scheme) > 1


@contextmanager
def fetched(location: str) -> Iterator[Path]:
    """The manifest as a local path, with everything beside it.

    Raises:
        InputError: it cannot be reached, its folder cannot be listed, or the disk is full.
    """
    if not is_url(location):
        yield Path(location)
        return
    with tempfile.TemporaryDirectory(prefix="dubgate-delivery-") as folder:
        yield _fetch(location, Path(folder).resolve())


def state_of(location: str, aside: Path | None = None) -> str:
    """A digest of the manifests' bytes and of the size and times of every file that a verdict can rest on.

    Another one is another delivery. What cannot be read has a state of its own each time, and is judged again: nobody
    knows that it is the same. `aside` is a folder that is none of the delivery.
    """
    try:
        told = _remote_state(location) if is_url(location) else _local_state(load_delivery(Path(location)), aside)
    except (InputError, OSError) as error:
        told = [f"unreadable: {error}", secrets.token_hex()]
    return hashlib.sha256("\n".join(told).encode(errors="surrogatepass")).hexdigest()


def _local_state(delivery: Delivery, aside: Path | None) -> list[str]:
    told = {path for path, _ in delivery.manifests}  # by their digest
    files = sorted(set(files_of(delivery, aside)) - told)
    return [*(sha for _, sha in delivery.manifests), *(_stat(p) for p in files)]


def _stat(path: Path) -> str:
    found = os.stat(path)
    return f"{path} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


def _remote_state(location: str) -> list[str]:
    fs, path = _system(location)
    found = _listed(fs, str(PurePosixPath(path).parent), location)
    return [f"{name} {_told(fs, name, info, location)}" for name, info in sorted(found.items())]


def _told(fs: Any, name: str, info: dict[str, Any], location: str) -> list[str]:
    """What tells a remote file from another; where the store says nothing that does, its bytes do."""
    told = [str(info.get(mark)) for mark in ("size", "mtime", *_MARKS)]
    if any(info.get(mark) is not None for mark in _MARKS):
        return told
    try:
        with fs.open(name, "rb") as source:
            return [*told, hashlib.file_digest(source, "sha256").hexdigest()]
    except Exception as error:
        raise InputError(f"it cannot be read: {error}", where=f"{location}: {PurePosixPath(name).name}") from error


def _system(location: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError:
        raise InputError("URLs need fsspec", where=location, remedy="pip install 'dubgate[cluster]'") from None
    try:
        fs, path = fsspec.core.url_to_fs(location)
    except Exception as error:  # file systems raise what they like
        raise InputError(f"this URL cannot be opened: {error}", where=location) from error
    return fs, path


def _listed(fs: Any, folder: str, location: str) -> dict[str, dict[str, Any]]:
    try:
        fs.invalidate_cache()  # what was listed before says nothing of now
        found = fs.find(folder, detail=True)
    except Exception as error:
        raise InputError(f"the delivery's folder cannot be listed: {error}", where=location) from error
    if not isinstance(found, dict) or not found:
        raise InputError("there is no delivery here, or its folder cannot be listed", where=location)
    if len(found) > MOST_FILES:
        raise InputError(f"the delivery's folder holds more than {MOST_FILES:,} files", where=location)
    return found


def _fetch(location: str, home: Path) -> Path:
    fs, path = _system(location)
    base = str(PurePosixPath(path).parent)
    for name in _listed(fs, base, location):
        target = _inside(home, name, base, location)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with fs.open(name, "rb") as source, target.open("xb") as file:
                while chunk := source.read(_CHUNK):
                    file.write(chunk)
        except Exception as error:  # a file that vanishes, a network that breaks, a disk that fills
            raise InputError(
                f"it cannot be fetched: {error}", where=f"{location}: {PurePosixPath(name).name}"
            ) from error
    return home / PurePosixPath(path).name


def _inside(home: Path, name: str, base: str, location: str) -> Path:
    """Where a remote name lies here: below the folder, whatever it says."""
    whole, above = PurePosixPath(name.lstrip("/")), PurePosixPath(base.lstrip("/"))
    relative = whole.relative_to(above) if whole.is_relative_to(above) else PurePosixPath("..")
    target = (home / relative).resolve()
    if ".." in relative.parts or not target.is_relative_to(home) or target == home:
        raise InputError("a file's name leaves the delivery's folder", where=location)
    return target
