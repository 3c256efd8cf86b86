"""Which figures of a pilot are too few to mean anything: said by the same bounds that the measurements go by. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dubgate.delivery.script import CueKind, CueSheet
from dubgate.measure.flatness import LEAST_LINES, LEAST_SPEECH_S
from dubgate.measure.measurement import Measurement, Scope
from dubgate.policy.packs import Pack
from dubgate.protected_voices import POOLED_S
from dubgate.unmeasured import Unmeasured

LEAST_TO_MATCH_S = 5.0  # net speech for one question about one voice
LEAST_FOR_TENTHS = 10  # under ten values the tenth percentile is the smallest one


def too_few(sheet: CueSheet | None, measured: Sequence[Measurement], packs: Sequence[Pack]) -> tuple[str, ...]:
    """Sentences, each with its number."""
    return (*_lines(sheet), *_voices(sheet), *_rules(measured, packs))


def _lines(sheet: CueSheet | None) -> Iterator[str]:
    lines = [c for c in sheet.cues if c.kind is CueKind.DIALOGUE] if sheet is not None else []
    if not lines:
        yield "no line of dialogue: nothing is said about lines"
        return
    share = min(1.0, 3 / len(lines))
    yield (
        f"{len(lines)} lines: even where none fails, up to {share:.0%} of the lines of the whole dub may "
        "(three over the number of lines, at 95 %)"
    )


def _voices(sheet: CueSheet | None) -> Iterator[str]:
    for name in sheet.characters if sheet is not None else ():
        cues = [c for c in sheet.cues if c.character == name] if sheet is not None else []
        spoken_s = sum(c.span.duration_s for c in cues)
        if spoken_s < LEAST_TO_MATCH_S:
            yield f"{name} speaks {spoken_s:.1f} s: under {LEAST_TO_MATCH_S:g} s no voice can be matched"
        elif spoken_s < POOLED_S:
            yield f"{name} speaks {spoken_s:.1f} s: under {POOLED_S:g} s nobody else's voice can be looked for"
        if len(cues) < LEAST_LINES and spoken_s < LEAST_SPEECH_S:
            yield f"{name} has {len(cues)} lines: life in a voice takes {LEAST_LINES} lines or {LEAST_SPEECH_S:g} s"


def _rules(measured: Sequence[Measurement], packs: Sequence[Pack]) -> Iterator[str]:
    for pack in packs:
        for rule in pack.bands:
            values = [m for m in measured if m.metric in rule.metrics and not isinstance(m.value, Unmeasured)]
            n = len(values)
            if not n:
                yield f"{rule.id}: nothing was measured for it"
            elif rule.of in ("p10", "p90", "share") and n < LEAST_FOR_TENTHS:
                yield f"{rule.id}: {rule.of} over {n} values, where {LEAST_FOR_TENTHS} are the least that it means anything of"
            elif rule.block_when is not None and n < rule.block_when.at_least and rule.measures.scope is Scope.LINE:
                yield f"{rule.id}: {n} values, and it blocks only from {rule.block_when.at_least} on"
