"""What the listening page asks of the gate: lines with their findings, curves of F0 and level, sound files, excerpts."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from consent.web.protocols import Curves, Line, Lines, SoundFile, Which
from dubgate.delivery.manifest import Delivery, Source
from dubgate.delivery.timecode import timecode_at
from dubgate.errors import DubgateError
from dubgate.excerpts import AFTER_S, BEFORE_S, Cut, cut_excerpts
from dubgate.features import Series, TrackFeatures
from dubgate.pinned import Place, pinned
from dubgate.report.occurrences import LineFindings, lines_with_findings
from dubgate.service.desk_findings import key_of
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

if TYPE_CHECKING:
    from dubgate.judgement import Judgement

POINTS = 240  # of a curve: the picture is 640 wide
PLAYABLE = {".flac": "audio/flac", ".wav": "audio/wav", ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".mp4": "video/mp4"}
KEPT_EXCERPTS = 64
_QUIET = -120


class Heard:
    """The Protocol `Listening` over kept judgements; `kept_judgement` is what gives them."""

    _excerpts: OrderedDict[tuple[object, ...], bytes] | None = None
    _cutting = threading.Lock()

    def kept_judgement(self, delivery_id: str) -> tuple[Delivery, Judgement] | None:
        """The delivery and its last judgement, features included."""
        raise NotImplementedError

    def place_judged(self, delivery_id: str, path: Path) -> Place | None:
        """Which file lay at the path of a sound when it was judged; None where nobody knows."""
        raise NotImplementedError

    def lines(self, delivery_id: str, *, start: int, count: int, flagged_first: bool = True) -> Lines:
        """A stretch of the lines, flagged ones first or in the programme's order."""
        kept = self.kept_judgement(delivery_id)
        if kept is None:
            return Lines((), 0, 0)
        judgement = kept[1]
        every = list(lines_with_findings(judgement))
        flagged = sum(x.outcome.name in _FLAGGED for x in every)
        if flagged_first:
            every.sort(key=lambda x: (-x.outcome if x.outcome.name in _FLAGGED else 0, x.cue.span.start_s))
        part = every[start : start + count]
        return Lines(tuple(_line(x, judgement) for x in part), len(every), flagged)

    def curves(self, delivery_id: str, start_s: float, end_s: float) -> Curves | None:
        """F0 and level of a stretch."""
        kept = self.kept_judgement(delivery_id)
        if kept is None:
            return None
        tracks: dict[Which, TrackFeatures] = {"original": kept[1].features.original, "dub": kept[1].features.dub}
        span = Span(start_s, end_s)
        f0 = {w: _f0(t, span) for w, t in tracks.items()}
        return Curves(start_s, end_s, f0, {w: _level(t.energy_db, span) for w, t in tracks.items()})

    def sound(self, delivery_id: str, which: Which) -> SoundFile | None:
        """The file as it was handed in, where a browser plays its kind."""
        kept = self.kept_judgement(delivery_id)
        source = _source(kept[0], which) if kept is not None else None
        media_type = PLAYABLE.get(source.path.suffix.lower()) if source is not None else None
        return SoundFile(source.path, media_type) if source is not None and media_type is not None else None

    def excerpt(self, delivery_id: str, which: Which, start_s: float, end_s: float) -> bytes | None:
        """A stretch as FLAC of the file that was judged, cut in the child, no longer than was asked for; the last are remembered."""
        kept = self.kept_judgement(delivery_id)
        source = _source(kept[0], which) if kept is not None else None
        place = self.place_judged(delivery_id, source.path) if source is not None else None
        if kept is None or source is None or place is None:
            return None
        stream = kept[1].original_stream if which == "original" else kept[1].dub_stream
        key = (source.path, place, stream, round(start_s, 2), round(end_s, 2))
        with Heard._cutting:
            known = self._excerpts if self._excerpts is not None else OrderedDict()
            self._excerpts = known
            if key not in known:
                inner = Span(start_s + BEFORE_S, max(start_s + BEFORE_S + 0.1, end_s - AFTER_S))
                try:
                    with pinned({str(source.path.absolute()): place}):
                        known[key] = cut_excerpts([Cut(str(source.path.absolute()), stream, (inner,))])[0][0]
                except DubgateError:
                    return None
            while len(known) > KEPT_EXCERPTS:
                known.popitem(last=False)
            return known[key]


_FLAGGED = frozenset({"BLOCK", "HOLD", "UNKNOWN", "WARN"})


def _line(line: LineFindings, judgement: Judgement) -> Line:
    cue = line.cue
    failed = [f for f in (*line.own, *line.touching) if f.outcome.name in _FLAGGED]
    return Line(
        line_id=cue.id,
        start_s=cue.span.start_s,
        end_s=cue.span.end_s,
        character=cue.character or "",
        text=cue.text,
        original_text=cue.original_text or "",
        outcome=line.outcome.name.lower(),  # type: ignore[arg-type]
        finding_keys=tuple(dict.fromkeys(key_of(f) for f in failed)),
        timecode=str(timecode_at(cue.span.start_s, judgement.clock)),
    )


def _source(delivery: Delivery, which: Which) -> Source:
    return delivery.dub.published if which == "dub" else delivery.original.clearest


def _f0(track: TrackFeatures, span: Span) -> tuple[float | None, ...]:
    if isinstance(track.pitch, Unmeasured):
        return ()
    values = track.pitch.f0_hz.within(span)
    step = max(1, len(values) // POINTS)
    return tuple(float(v) if np.isfinite(v) else None for v in values[::step])


def _level(series: Series, span: Span) -> tuple[float, ...]:
    values = np.nan_to_num(series.within(span), nan=float(_QUIET))
    pool = max(1, len(values) // POINTS)
    n = len(values) // pool * pool
    return tuple(float(v) for v in values[:n].reshape(-1, pool).max(axis=1)) if n else ()
