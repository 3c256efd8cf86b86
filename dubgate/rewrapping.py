"""Whether a file that is not the judged one holds the judged sound all the same: re-wrapped, and so refused by its own name."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from dubgate.certificate.refusals import Rewrapped
from dubgate.errors import DubgateError

MAX_STREAMS = 8


def refuse_other_bytes(file: Path, packets_sha256: str | None) -> None:
    """Look for the judged packets in another file, in the child; where nothing can be decoded here, do nothing.

    Raises:
        Rewrapped: an audio stream of the file has the packets that were judged.
    """
    if packets_sha256 is None or importlib.util.find_spec("av") is None:
        return
    if packets_sha256 in _packets_of(file):
        what = f"{file.name} holds the sound that was judged in another file: label and timeline were not read again"
        raise Rewrapped(what, where=file.name, remedy="Have this file judged: dubgate check … --certify.")


def _packets_of(file: Path) -> set[str]:
    from dubgate.delivery.media import probe_apart
    from dubgate.digesting import digest_sound

    try:
        streams = [stream.index for stream in probe_apart(file).audio][:MAX_STREAMS]
        return {digest_sound(file, stream).packet_sha256 for stream in streams}
    except DubgateError:
        return set()  # no sound file, or one that does not decode: other bytes, and nothing more can be said
