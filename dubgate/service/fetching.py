"""Fetching a delivery from a URL that the settings allow: over https to public addresses alone, else through fsspec.

A host is resolved once, each of its addresses is looked at, and the packets go to the one that was checked; redirects are
not followed. Everything is bounded in number and size, and lands below one folder under names that cannot leave it.
"""

from __future__ import annotations

import http.client
import shutil
import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from consent.errors import RecordError
from consent.webhooks import Resolve, checked_address
from dubgate.delivery.inside import stays_inside
from dubgate.delivery.manifest_paths import paths_named
from dubgate.errors import DubgateError, InputError
from dubgate.service.settings import Settings
from dubgate.service.sources import MANIFEST, SourceRefusedError
from dubgate.strict_yaml import load_yaml

Progress = Callable[[str, float], None]
TIMEOUT_S, CHUNK = 30.0, 1 << 20
MANIFEST_BYTES = 1_000_000
WEB = ("http", "https")
NEVER = ("file", "local", "zip", "tar", "ssh", "sftp", "ftp", "smb", "dask", "git", "github", "jupyter", "libarchive")


class FetchError(DubgateError):
    """A delivery could not be fetched now; trying again may help."""


def check_url(url: str, organisation: str, settings: Settings) -> str:
    """The URL of a delivery.yaml below one of the organisation's own prefixes.

    Where prefixes lie inside each other the longest says whose it is.

    Raises:
        SourceRefusedError
    """
    parts = urlsplit(url)
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url and len(url) <= 1000
    bare = not (parts.query or parts.fragment or parts.username or parts.password)
    inside = ".." not in unquote(parts.path).split("/") and "//" not in parts.path and "%" not in parts.path
    allowed = organisation in _owners(url, settings)
    scheme_ok = bool(parts.scheme) and parts.scheme.split("+")[0] not in NEVER and "::" not in url
    named = parts.path.endswith((".yaml", ".yml"))
    if not (plain and bare and inside and allowed and scheme_ok and named):
        remedy = (
            "Name a delivery.yaml below one of the prefixes that the service's settings list for your organisation."
        )
        raise SourceRefusedError("no URL from which this service fetches deliveries", where="url", remedy=remedy)
    if parts.scheme == "http" and not settings.allow_private_sources:
        raise SourceRefusedError("deliveries are fetched over https only", where="url")
    return url


def _owners(url: str, settings: Settings) -> frozenset[str]:
    """Whose deliveries lie at a URL."""
    above = [s for s in settings.sources if url.startswith(s.folder)]
    longest = max((len(s.folder) for s in above), default=0)
    return frozenset(s.organisation for s in above if len(s.folder) == longest)


def fetch(
    url: str,
    organisation: str,
    settings: Settings,
    folder: Path,
    progress: Progress,
    *,
    resolve: Resolve | None = None,
) -> Path:
    """Fetch a delivery into a folder; its manifest there. What an earlier attempt left is fetched anew.

    Raises:
        SourceRefusedError: not a URL from which this service fetches, or a host inside.
        InputError: it is too large, or names what cannot be fetched.
        FetchError: it could not be fetched now.
    """
    check_url(url, organisation, settings)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    budget = _Budget(settings.limits.fetched_bytes, settings.limits.upload_files)
    base, _, name = url.rpartition("/")
    if urlsplit(url).scheme in WEB:
        _from_web(base, name, folder, organisation, settings, budget, progress, resolve or _resolved)
    else:
        own = partial(_is_own, base, organisation, settings)
        _from_store(base, name, folder, budget, progress, own)
    return folder / MANIFEST


class _Budget:
    """How much may still be fetched."""

    def __init__(self, n_bytes: int, n_files: int) -> None:
        self.bytes, self.files = n_bytes, n_files

    def file(self) -> None:
        self.files -= 1
        if self.files < 0:
            raise InputError("the delivery has too many files to be fetched")

    def take(self, n: int) -> None:
        self.bytes -= n
        if self.bytes < 0:
            raise InputError("the delivery is too large to be fetched")


def _from_web(
    base: str,
    name: str,
    folder: Path,
    organisation: str,
    settings: Settings,
    budget: _Budget,
    progress: Progress,
    resolve: Resolve,
) -> None:
    """The manifest, and then every file that it, or what it inherits, names."""
    waiting, done = [name], set[str]()
    while waiting:
        relative = waiting.pop()
        if relative in done:
            continue
        done.add(relative)
        progress(f"fetching {relative}", 0.0)
        target = folder / _placed(relative, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        budget.file()
        limit = MANIFEST_BYTES if relative.endswith((".yaml", ".yml")) else budget.bytes
        url = f"{base}/{quote(relative)}"
        if not _is_own(base, organisation, settings, relative):
            raise SourceRefusedError("the delivery names a file that is another organisation's", where=relative[:100])
        _download(url, target, limit, budget, allow_private=settings.allow_private_sources, resolve=resolve)
        if relative.endswith((".yaml", ".yml")):
            waiting += named_in(target.read_bytes(), relative)


def _placed(relative: str, name: str) -> str:
    """Where a file of the delivery is kept: the manifest that was submitted is the only one that becomes `delivery.yaml`.

    Raises:
        InputError: another file of that name would take its place, or it leaves the folder.
    """
    if relative == name:
        return MANIFEST
    if _inside(relative) == MANIFEST:
        raise InputError(f"beside {name} lies another {MANIFEST}", where="url", remedy=f"Submit it as {MANIFEST}.")
    return relative


def _inside(relative: str) -> str:
    try:
        return stays_inside(relative)
    except ValueError as error:
        raise InputError(str(error), where=relative[:100]) from None


def named_in(manifest: bytes, name: str) -> list[str]:
    """Every file that a manifest names, as far as it is one; whether it is right is judged later.

    Raises:
        InputError: it is no strict YAML, or a path in it leaves the folder.
    """
    return [_inside(path) for path in paths_named(load_yaml(manifest, name).data)]


def _download(url: str, target: Path, limit: int, budget: _Budget, *, allow_private: bool, resolve: Resolve) -> None:
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    try:
        address = checked_address(host, resolve(host, port), allow_private=allow_private)
    except RecordError as error:
        raise SourceRefusedError(error.what, where="url") from None
    except OSError as error:
        raise FetchError(f"{host} is not found: {error}") from None
    try:
        with socket.create_connection((address, port), timeout=TIMEOUT_S) as plain:
            secure = parts.scheme == "https"
            sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
            connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
            connection.sock = sock
            connection.request("GET", parts.path, headers={"user-agent": "dubgate", "accept-encoding": "identity"})
            _take(connection.getresponse(), url, target, limit, budget)
    except (OSError, http.client.HTTPException) as error:
        raise FetchError(f"{parts.path} cannot be fetched: {type(error).__name__}") from None


def _take(response: http.client.HTTPResponse, url: str, target: Path, limit: int, budget: _Budget) -> None:
    name = urlsplit(url).path
    if response.status >= 500:
        raise FetchError(f"{name}: the server answered {response.status}")
    if response.status != 200:
        raise InputError(f"the server answered {response.status}", where=name)
    got = 0
    with target.open("wb") as file:
        while chunk := response.read(CHUNK):
            got += len(chunk)
            budget.take(len(chunk))
            if got > limit:
                raise InputError("the file is larger than is fetched", where=name)
            file.write(chunk)
    if response.length:  # it promised more than it sent
        raise FetchError(f"{name} ended early")


def _is_own(base: str, organisation: str, settings: Settings, relative: str) -> bool:
    return organisation in _owners(f"{base}/{relative}", settings)


def _from_store(
    base: str, name: str, folder: Path, budget: _Budget, progress: Progress, own: Callable[[str], bool]
) -> None:
    """Every object below the manifest's folder, through fsspec, but what is another organisation's."""
    import fsspec

    try:
        fs, root = fsspec.core.url_to_fs(base)
        found = fs.find(root, maxdepth=4, detail=True)
        for path, about in sorted(found.items()):
            relative = _inside(path.removeprefix(root.rstrip("/") + "/"))
            if not own(relative):
                continue
            progress(f"fetching {relative}", 0.0)
            budget.file()
            target = folder / _placed(relative, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(fs, path, target, budget, int(about.get("size") or 0))
    except DubgateError:
        raise
    except ImportError as error:
        raise InputError(f"this service cannot read such URLs: {error}", where="url") from None
    except Exception as error:  # noqa: BLE001 - stores raise what they like
        raise FetchError(f"the store cannot be read: {type(error).__name__}") from None
    if not (folder / MANIFEST).is_file():
        raise InputError("there is no such delivery.yaml in the store", where="url")


def _copy(fs: Any, path: str, target: Path, budget: _Budget, size: int) -> None:
    if size > budget.bytes:
        raise InputError("the delivery is too large to be fetched")
    with fs.open(path, "rb") as source, target.open("wb") as file:
        while chunk := source.read(CHUNK):
            budget.take(len(chunk))
            file.write(chunk)


def _resolved(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))
