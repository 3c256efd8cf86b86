"""Read the label back from what is delivered: the container's own names at the master stage, the playlists in a package.

Runs in the child process (`labels_task`); `read_labels` is the parent's call.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dubgate.errors import ChildError, MediaError
from dubgate.labels.tracks import LabelledTrack, Labels
from dubgate.stored import Arrays, from_stored, to_stored


def read_labels(
    *, published: Path, stream: int, language: str, published_sha256: str, package: Path | None, root: Path
) -> Labels:
    """Every label of the dub: in the package where there is one, else in the published file itself.

    Args:
        published: the file that is published, `stream` its container index, `published_sha256` its digest.
        root: the delivery's folder, outside which nothing is read.
    """
    from dubgate.sandbox import PROBE_LIMITS, run_in_child

    request = {
        "published": str(published.absolute()),
        "stream": stream,
        "language": language,
        "published_sha256": published_sha256,
        "package": None if package is None else str(package.absolute()),
        "root": str(root.absolute()),
    }
    inputs = [published] if package is None else [root]
    reply = run_in_child("labels", request, limits=PROBE_LIMITS, inputs=inputs)
    try:
        return from_stored(Labels, reply.data, reply.arrays)
    except ValueError as error:
        raise ChildError(f"the labels came back malformed: {error}") from None


def labels_task(request: dict[str, Any], scratch: Path, progress: Callable[[str, float], None]) -> tuple[Any, Arrays]:
    """The child's entry for `read_labels`."""
    if request["package"] is None:
        return to_stored(_of_file(Path(request["published"]), request["stream"], request["language"]))
    return to_stored(_of_package(request))


def _of_package(request: dict[str, Any]) -> Labels:
    from dubgate.labels.hls import read_master

    try:
        return read_master(
            Path(request["package"]),
            Path(request["root"]),
            language=request["language"],
            heard_sha256=frozenset({request["published_sha256"]}),
        )
    except MediaError as error:
        return Labels((), (str(error),))


def _of_file(path: Path, stream_index: int, language: str) -> Labels:
    """The name of the dub's stream, or of a file that holds one stream only."""
    from dubgate.delivery.media import probe, select_stream

    info = probe(path)
    stream = select_stream(info, index=stream_index)
    tags = {key.lower(): value for key, value in info.tags}
    name = stream.title or (tags.get("title") if len(info.audio) == 1 else None)
    where = f"{path.name}: stream {stream_index}"
    return Labels((LabelledTrack(where, name, stream.language or tags.get("language") or language, False, True),))
