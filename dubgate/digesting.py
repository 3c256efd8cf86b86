"""The digests of a sound without hearing it: one decode pass in the child, for who signs something over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dubgate.errors import ChildError
from dubgate.stored import Arrays, from_stored, to_stored
from dubgate.unmeasured import Unmeasured


@dataclass(frozen=True, slots=True)
class Sound:
    """Packets always, PCM where the codec is lossless."""

    packet_sha256: str
    pcm_sha256: str | Unmeasured
    duration_s: float

    @property
    def lossless_sha256(self) -> str | None:
        """The PCM digest as a signed object carries it: none where the codec loses."""
        return None if isinstance(self.pcm_sha256, Unmeasured) else self.pcm_sha256


def digest_sound(path: Path, stream: int) -> Sound:
    """Decode one stream and digest it.

    Raises:
        MediaError: it cannot be decoded as it stands.
        ChildError: the child crashed, hung or went over a limit.
    """
    from dubgate.sandbox import Limits, run_in_child

    request = {"path": str(path.absolute()), "stream": stream}
    reply = run_in_child("digest", request, limits=Limits(), inputs=[path])
    try:
        return from_stored(Sound, reply.data, reply.arrays)
    except ValueError as error:
        raise ChildError(f"the digests came back malformed: {error}") from None


def digest_task(request: dict[str, Any], scratch: Path, progress: Callable[[str, float], None]) -> tuple[Any, Arrays]:
    """The child's entry for `digest_sound`."""
    from dubgate.delivery.audio import AudioSpool

    spool = AudioSpool(Path(request["path"]), request["stream"], scratch)
    return to_stored(Sound(spool.packet_sha256, spool.pcm_sha256, spool.duration_s))
