"""The sound in a report: which stretches are wanted, what is embedded, and what lies beside the page."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dubgate.delivery.script import Cue
from dubgate.errors import DubgateError
from dubgate.excerpts import AFTER_S, BEFORE_S, Cut, cut_excerpts
from dubgate.judgement import Judgement
from dubgate.policy.findings import Outcome
from dubgate.report.occurrences import dub_extents, lines_with_findings
from dubgate.spans import Span

EMBEDDED_BYTES = 20_000_000  # of sound; base64 makes four thirds of it
LONGEST_S = 30.0
BATCH_S = 3500.0  # of each track in one cut, which decodes both from their start: 224 MB at most are handed back
TRACKS = ("original", "dub")

Cutter = Callable[[Sequence[Cut]], list[list[bytes]]]
Keeper = Callable[[str, bytes], str]  # puts a file beside the report, returns its relative address

_KINDS = (
    (b"fLaC", "audio/flac", "flac"),
    (b"RIFF", "audio/wav", "wav"),
    (b"OggS", "audio/ogg", "ogg"),
    (b"ID3", "audio/mpeg", "mp3"),
    (b"\x1aE\xdf\xa3", "audio/webm", "webm"),
)


@dataclass(frozen=True, slots=True)
class Clip:
    """A line's sound in both tracks; each is a `data:` address or one relative to the report."""

    original: str
    dub: str


@dataclass(frozen=True, slots=True)
class Sounds:
    """Clips by cue id; `why_not` says why there are none, or fewer than asked for."""

    clips: dict[str, Clip] = field(default_factory=dict)
    why_not: str = ""


def window_of(cue: Cue, extent: Span | None) -> Span:
    """What is shown and played of a line: its slot and its place in the dub, with a little before and after."""
    end_s = max(cue.span.end_s, extent.end_s if extent else 0.0)
    start_s = min(cue.span.start_s, extent.start_s if extent else cue.span.start_s)
    start_s = max(0.0, start_s)
    return Span(max(0.0, start_s - BEFORE_S), min(max(end_s, start_s), start_s + LONGEST_S) + AFTER_S)


def wanted(judgement: Judgement, which: str) -> tuple[Cue, ...]:
    """The lines whose sound is wanted, worst first: `all`, `flagged` or `none`."""
    if which == "none":
        return ()
    lines = sorted(lines_with_findings(judgement), key=lambda line: -line.outcome)
    return tuple(line.cue for line in lines if which == "all" or line.outcome >= Outcome.WARN)


def cut_sounds(judgement: Judgement, which: str, keep: Keeper, *, cut: Cutter = cut_excerpts) -> Sounds:
    """Cut the wanted lines from both tracks; 20 MB are embedded, worst lines first, the rest is kept beside the page.

    Sound that cannot be cut does not cost the report: `why_not` says so on the page.
    """
    cues = wanted(judgement, which)
    if not cues:
        return Sounds(why_not="" if which != "none" else "the report was made without sound (--media none)")
    clips: dict[str, Clip] = {}
    left = EMBEDDED_BYTES
    try:
        for cue, pair in _cut(judgement, cues, cut):
            size = sum(map(len, pair))
            left -= size
            told = [
                embedded(data) if left >= 0 else keep(_name(cue, track, data), data) for track, data in pair_of(pair)
            ]
            clips[cue.id] = Clip(*told)
    except DubgateError as error:
        return Sounds(clips, f"the sound could not be cut: {error.what}")
    return Sounds(clips)


def pair_of(pair: tuple[bytes, bytes]) -> Iterator[tuple[str, bytes]]:
    """The tracks with their names."""
    return zip(TRACKS, pair, strict=True)


def _cut(judgement: Judgement, cues: Sequence[Cue], cut: Cutter) -> Iterator[tuple[Cue, tuple[bytes, bytes]]]:
    extents = dub_extents(judgement)
    windows = {c.id: window_of(c, extents.get(c.id)) for c in cues}
    for batch in _batches(cues, windows):
        spans = tuple(_cut_to(windows[c.id]) for c in batch)
        original, dub = cut(
            [
                Cut(str(Path(judgement.original_media).absolute()), judgement.original_stream, spans),
                Cut(str(Path(judgement.dub_media).absolute()), judgement.dub_stream, spans),
            ]
        )
        yield from zip(batch, zip(original, dub, strict=True), strict=True)


def _cut_to(window: Span) -> Span:
    """The span that gives the window once `cut_excerpts` has added what it adds, never before second 0."""
    end_s = window.end_s - AFTER_S
    return Span(min(window.start_s + BEFORE_S, end_s) if window.start_s > 0 else 0.0, end_s)


def _batches(cues: Sequence[Cue], windows: dict[str, Span]) -> Iterator[list[Cue]]:
    batch: list[Cue] = []
    seconds = 0.0
    for cue in cues:
        if batch and seconds + windows[cue.id].duration_s > BATCH_S:
            yield batch
            batch, seconds = [], 0.0
        batch.append(cue)
        seconds += windows[cue.id].duration_s
    if batch:
        yield batch


def embedded(data: bytes) -> str:
    """Sound as a `data:` address."""
    return f"data:{_kind(data)[0]};base64,{base64.b64encode(data).decode()}"


def _kind(data: bytes) -> tuple[str, str]:
    return next(((mime, end) for mark, mime, end in _KINDS if data.startswith(mark)), ("audio/mpeg", "mp3"))


def _name(cue: Cue, track: str, data: bytes) -> str:
    """A file name that no cue id can turn into a path."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in cue.id)[:60]
    return f"{round(cue.span.start_s * 1000):09d}-{safe}-{track}.{_kind(data)[1]}"
