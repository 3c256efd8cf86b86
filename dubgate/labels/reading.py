"""Read the label back from what is delivered: the container's own places at the master stage, the manifests in a package.

Runs in the child process (`labels_task`); `read_labels` and `inspect_labels` are the parent's calls.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dubgate.errors import ChildError, InputError, MediaError
from dubgate.labels.anchors import Anchors, read_anchors
from dubgate.labels.tracks import Labels
from dubgate.stored import Arrays, from_stored, to_stored

if TYPE_CHECKING:
    from dubgate.sandbox import Limits

_SLOWEST_BYTES_S = 20_000_000
_MOST_HELD_BYTES = 4 << 30  # a RIFF is no larger
_MAX_FILES = 200_000


def read_labels(
    *, published: Path, stream: int, language: str, published_sha256: str, package: Path | None, root: Path
) -> Labels:
    """Every label of the dub: in the package where there is one, else in the published file itself.

    Args:
        published: the file that is published, `stream` its container index, `published_sha256` its digest.
        root: the delivery's folder, outside which nothing is read.
    """
    request = {
        "published": str(published.absolute()),
        "stream": stream,
        "language": language,
        "published_sha256": published_sha256,
        "package": None if package is None else str(package.absolute()),
        "root": str(root.absolute()),
        "anchors": _stored(read_anchors(None)),
    }
    return _asked(request, [published] if package is None else [root, published])


def inspect_labels(path: Path, *, language: str | None = None, anchors: Anchors | None = None) -> Labels:
    """Every label of a media file, a manifest with what it names, or every manifest of a folder; nothing is heard.

    Args:
        language: only entries of this language (BCP-47, primary subtag compared).
        anchors: the authorities that C2PA signers are trusted by; None: those that the environment names.

    Raises:
        InputError: there is nothing at `path`.
    """
    if not path.exists():
        raise InputError("no such file or folder", where=str(path))
    root = path if path.is_dir() else path.parent
    request = {
        "inspect": str(path.absolute()),
        "language": language,
        "root": str(root.absolute()),
        "anchors": _stored(anchors or read_anchors(None)),
    }
    return _asked(request, [path if _is_media(path) else root])


def _stored(anchors: Anchors | None) -> dict[str, Any] | None:
    return None if anchors is None else anchors.stored()


def _is_media(path: Path) -> bool:
    from dubgate.labels.packages import kind_of

    return path.is_file() and kind_of(path) == "media"


def _asked(request: dict[str, Any], inputs: list[Path]) -> Labels:
    from dubgate.sandbox import run_in_child

    reply = run_in_child("labels", request, limits=_limits(inputs), inputs=inputs)
    try:
        return from_stored(Labels, reply.data, reply.arrays)
    except ValueError as error:
        raise ChildError(f"the labels came back malformed: {error}") from None


def _limits(inputs: list[Path]) -> Limits:
    """A minute and a GiB, and for what is large: time to hash it once, and room for c2pa-rs to hold one WAV whole."""
    from dubgate.sandbox import PROBE_LIMITS

    largest, total = 0, 0
    for path in inputs:
        for size in _sizes(path) if path.is_dir() else [path.stat().st_size]:
            largest, total = max(largest, size), total + size
    seconds = total / _SLOWEST_BYTES_S
    held = min(largest, _MOST_HELD_BYTES)
    return replace(
        PROBE_LIMITS,
        wall_s=PROBE_LIMITS.wall_s + seconds,
        cpu_s=PROBE_LIMITS.cpu_s + round(seconds),
        memory_bytes=PROBE_LIMITS.memory_bytes + held,
        address_space_bytes=(PROBE_LIMITS.address_space_bytes or 0) + 2 * held,
    )


def _sizes(folder: Path) -> Iterator[int]:
    """Of the files below a folder, as far as they are looked at."""
    found = (Path(root) / name for root, _, names in os.walk(folder) for name in names)
    for path in islice(found, _MAX_FILES):
        with contextlib.suppress(OSError):
            yield path.lstat().st_size


def labels_task(request: dict[str, Any], scratch: Path, progress: Callable[[str, float], None]) -> tuple[Any, Arrays]:
    """The child's entry for `read_labels`, `inspect_labels` and the writers of `applying`."""
    if "apply" in request:
        from dubgate.labels.remuxing import remux_task

        return remux_task(request, scratch, progress)
    if "sign" in request:
        from dubgate.labels.manifest_signing import sign_task

        return sign_task(request, scratch, progress)
    if "packets" in request:
        from dubgate.labels.packets import packets_task

        return packets_task(request)
    if "inspect" in request:
        return to_stored(_inspected(request))
    published = _of_published(request)
    if request["package"] is None:
        return to_stored(published)
    return to_stored(replace(_of_package(request), master=published))


def _inspected(request: dict[str, Any]) -> Labels:
    from dubgate.labels.packages import inspect

    path, root = Path(request["inspect"]), Path(request["root"])
    return inspect(path, root, language=request["language"], anchors=Anchors.from_stored(request["anchors"]))


def _of_package(request: dict[str, Any]) -> Labels:
    from dubgate.labels.packages import read_manifest

    try:
        return read_manifest(
            Path(request["package"]),
            Path(request["root"]),
            language=request["language"],
            heard_sha256=frozenset({request["published_sha256"]}),
            anchors=Anchors.from_stored(request.get("anchors")),
        )
    except MediaError as error:
        return Labels((), (str(error),))


def _of_published(request: dict[str, Any]) -> Labels:
    from dubgate.labels.containers import read_file

    path, language = Path(request["published"]), request["language"]
    anchors = Anchors.from_stored(request.get("anchors"))
    return read_file(path, language=language, stream=request["stream"], heard=True, anchors=anchors)
