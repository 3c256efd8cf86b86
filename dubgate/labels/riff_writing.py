"""Write a label into a WAV: bext, LIST/INFO and AIGC chunks made anew, every other chunk byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dubgate.labels.aigc import KEY
from dubgate.labels.bounds import read_exactly, refused
from dubgate.labels.copying import Digest, copy, digest_of
from dubgate.labels.plan import LabelPlan
from dubgate.labels.riff import TAGS, Chunk, chunks
from dubgate.labels.tag_writing import titled_tag
from dubgate.labels.unchanged import Digests
from dubgate.labels.wording import is_ai_label

_BEXT_BYTES, _DESCRIPTION_BYTES = 602, 256
_MAX_RIFF = 0xFFFFFFFF
_SOUND = (b"fmt ", b"data")


def write_wav(source: Path, target: Path, plan: LabelPlan) -> Digests:
    """The same sound with the label in `bext` Description, `INAM` and, where it is asked for, `AIGC`.

    Returns:
        The digest of the source's sound, taken of the bytes that were copied.

    Raises:
        MediaError: the WAV cannot be read, or the labelled one would outgrow RIFF.
    """
    with source.open("rb") as given, target.open("xb") as out, Digest() as sound:
        magic = given.read(4)
        found = chunks(source, given)
        out.write(magic + b"\0\0\0\0WAVE")
        new = dict(_made(source, given, found, plan))
        kept = [c for c in found if (c.name, _form(source, given, c)) not in new]
        fresh = b"".join(
            name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) & 1) for (name, _), body in new.items()
        )
        for chunk in kept:
            if chunk.name == b"data":
                out.write(fresh)
            _copy(source, given, chunk, out, sound if chunk.name in _SOUND else None)
        _close(source, out, magic)
        return (f"audio {sound.digest().hex()}",)


def sound_sha256(path: Path) -> str:
    """The digest of the content of the data chunk, and of the format that says what it means."""
    with path.open("rb") as file:
        sound = [chunk for chunk in chunks(path, file) if chunk.name in _SOUND]
    return digest_of(path, [part for c in sound for part in (c.name, (c.start, c.start + c.size))]).hex()


def _made(
    path: Path, file: BinaryIO, found: tuple[Chunk, ...], plan: LabelPlan
) -> Iterator[tuple[tuple[bytes, bytes], bytes]]:
    """The chunks that are written anew, by name and, for LIST, form."""
    bodies = {(c.name, _form(path, file, c)): c for c in found if c.name in (b"bext", b"LIST")}
    yield (b"bext", b""), _bext(_body(path, file, bodies.get((b"bext", b""))), plan.text)
    yield (b"LIST", b"INFO"), _info(_body(path, file, bodies.get((b"LIST", b"INFO"))), plan)
    for tag in (c for c in found if c.name in TAGS):
        yield (tag.name, b""), titled_tag(path, _body(path, file, tag), plan)
    if plan.aigc:
        yield (KEY.encode(), b""), plan.aigc.encode()


def _form(path: Path, file: BinaryIO, chunk: Chunk) -> bytes:
    return read_exactly(path, file, chunk.start, 4) if chunk.name == b"LIST" else b""


def _body(path: Path, file: BinaryIO, chunk: Chunk | None) -> bytes:
    return b"" if chunk is None else read_exactly(path, file, chunk.start, chunk.size)


def _bext(body: bytes, text: str) -> bytes:
    """Description with the label: what it said stays after it as far as there is room (EBU Tech 3285, 2.3)."""
    body = body.ljust(_BEXT_BYTES, b"\0")
    said = body[:_DESCRIPTION_BYTES].split(b"\0")[0]
    if not is_ai_label(said.decode("utf-8", "replace"), None):
        joined = (text.encode() + (b" | " + said if said else b""))[:_DESCRIPTION_BYTES]
        said = joined.decode("utf-8", "ignore").encode()
    return said.ljust(_DESCRIPTION_BYTES, b"\0") + body[_DESCRIPTION_BYTES:]


def _info(body: bytes, plan: LabelPlan) -> bytes:
    """INAM and ILNG first, the other items after them."""
    parts = [b"INFO"]
    for name, text in ((b"INAM", plan.text), (b"ILNG", plan.alpha3)):
        data = text.encode() + b"\0"
        parts.append(name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) & 1))
    at = 4
    while at + 8 <= len(body):
        name, size = body[at : at + 4], int.from_bytes(body[at + 4 : at + 8], "little")
        end = at + 8 + size + (size & 1)
        if name not in (b"INAM", b"ILNG"):
            parts.append(body[at:end])
        at = end
    return b"".join(parts)


def _copy(path: Path, file: BinaryIO, chunk: Chunk, out: BinaryIO, sound: Digest | None) -> None:
    """Header as it was, so that an RF64 keeps its sizes in ds64; content; padding."""
    out.write(read_exactly(path, file, chunk.start - 8, 8))
    if sound is not None:
        sound.update(chunk.name)
    copy(path, file, out, chunk.start, chunk.start + chunk.size, sound)
    out.write(b"\0" * (chunk.size & 1))


def _close(path: Path, out: BinaryIO, magic: bytes) -> None:
    """The size of the whole: in the header, or in ds64, whose first field it is."""
    size = out.tell() - 8
    if magic == b"RIFF":
        if size >= _MAX_RIFF:
            raise refused(path, "the labelled WAV would be larger than RIFF can say; convert it to RF64 first")
        out.seek(4)
        out.write(size.to_bytes(4, "little"))
        return
    out.seek(4)
    out.write(_MAX_RIFF.to_bytes(4, "little"))
    out.seek(20)
    out.write(size.to_bytes(8, "little"))
