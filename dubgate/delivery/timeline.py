"""Where decoded samples lie on the programme timeline: time stamps checked, gaps counted, overlaps refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from dubgate.errors import MediaError

MAX_PROGRAMME_S = 24 * 3600
MAX_LEAD_S = 0.5  # sound before the first picture: priming and interleave; more would be played and not heard here
JITTER_S = 0.001  # containers round time stamps to their own clock; on top of two of its ticks
VORBIS_JITTER_S = 0.1  # Ogg dates pages; inside one FFmpeg guesses from block lengths, and is right again at the next
_REMEDY = "export the sound again with continuous time stamps"


@dataclass(frozen=True, slots=True)
class Placement:
    """What to do with a decoded frame: silence before it, and samples to drop at its head (before second 0)."""

    silence: int
    cut: int


@dataclass(slots=True)
class Timeline:
    """Follows one stream, in samples since the programme's second 0.

    `tick_s` is the container's clock: time stamps within two ticks and a millisecond of where the samples before end
    are their continuation, so that rounding neither stretches nor tears the sound.
    """

    where: str
    rate_hz: int
    tick_s: float
    jitter_s: float = JITTER_S
    may_pause: bool = True  # False where the format has no way to say so: then a gap is a loss
    end: int = 0  # samples placed so far; the next frame starts here
    runs: list[tuple[int, int]] = field(default_factory=list)  # (start, frames placed before it) of each unbroken run
    _started: bool = False
    _frames: int = 0

    def place(self, at: int | None, n: int) -> Placement:
        """Place `n` samples stamped `at` (None: right after the last).

        Raises:
            MediaError: they overlap what came before, lie too far before second 0, or beyond 24 hours.
        """
        before = self.end
        start = self._start(at)
        cut = max(0, min(n, -start)) if not self._started else 0
        self._refuse_outside(start, n)
        silence = max(0, start - before) if start + cut > 0 else 0
        if silence and not self.may_pause:
            why = f"{silence / self.rate_hz:.3f} s of sound are missing at {before / self.rate_hz:.3f} s"
            raise MediaError(why, where=self.where, remedy=_REMEDY)
        if not self._started or silence:
            self.runs.append((max(0, start), self._frames))
        self.end = before + silence + n - cut
        self._started = self._started or cut < n
        self._frames += 1
        return Placement(silence, cut)

    def _start(self, at: int | None) -> int:
        if at is None:
            return self.end
        if not self._started:
            return at
        drift = at - self.end
        tolerance = round((2 * self.tick_s + self.jitter_s) * self.rate_hz)
        if drift < -tolerance:
            back = -drift / self.rate_hz
            why = f"its time stamps run backward by {back:.3f} s at {self.end / self.rate_hz:.3f} s"
            raise MediaError(why, where=self.where, remedy=_REMEDY)
        return at if drift > tolerance else self.end

    def _refuse_outside(self, start: int, n: int) -> None:
        if start < -MAX_LEAD_S * self.rate_hz:
            why = f"its sound starts {-start / self.rate_hz:.2f} s before the first picture"
            raise MediaError(why, where=self.where, remedy="export it so that sound and picture start together")
        if start + n > MAX_PROGRAMME_S * self.rate_hz:
            raise MediaError("its time stamps run beyond 24 hours", where=self.where, remedy=_REMEDY)
