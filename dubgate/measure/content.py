"""Whether the dub says its script: word errors, words heard, missing lines, invented words, language of each line.

Words are characters in zh, ja, th, ko and the like (wording.py). A line is missing where less than half of its words
were heard; what "heard" means is in evidence.py. Only dialogue is held to the script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from dubgate.delivery.script import Cue, CueKind, CueSheet
from dubgate.features import LanguageWindow, ProgrammeFeatures
from dubgate.measure.evidence import Evidence, LineEvidence, Step, gather, language_of
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.spans import Span, total_s
from dubgate.unmeasured import Unmeasured
from dubgate.wording import counts_characters, primary_language, spoken_words

HEARD_SHARE = 0.5  # of a line's words; fewer and the line is missing (quality-metrics C3)
SHORTEST_INVENTION_WORDS = 3  # in a row; single words are slips of the transcriber
_CHANCE_LETTERS = 3  # a lone match this short inside a difference is chance
_ALIASES = {"nb": "no", "cmn": "zh"}  # models say Norwegian and Chinese
_NO_SCRIPT = Unmeasured("no script was given; name its cue sheet")
_PROGRAMME = Subject(Scope.PROGRAMME)
_PER_LINE = ("script_words_heard", "divergent_run_words")


def measure_content(features: ProgrammeFeatures, sheet: CueSheet) -> tuple[Measurement, ...]:
    """All content metrics of the dub, lines in order of the sheet, then the programme.

    Songs, crowds, efforts and kept-original cues are left out: their words are neither looked for nor invented. Lines
    without a spoken word ("[sighs]") are left out too.
    """
    cues = [c for c in sheet.cues if c.kind is CueKind.DIALOGUE]
    languages = [_language_prob(cue, sheet, features) for cue in cues]
    reason = _why_nothing(features, sheet)
    if reason is not None:
        lines = [m for cue in cues for m in _unmeasured_line(cue, language_of(cue, sheet, features), reason)]
        return (*lines, *languages, *(Measurement(m, _PROGRAMME, reason) for m in ("missing_lines", "invented_words")))
    evidence = gather(features, sheet)
    judged = {line.cue.id: line for line in evidence.lines}
    lines = [m for cue in cues for m in _measured_line(cue, judged.get(cue.id), features, sheet, evidence)]
    return (*lines, *languages, _missing_lines(evidence), _invented_words(evidence, features))


def _why_nothing(features: ProgrammeFeatures, sheet: CueSheet) -> Unmeasured | None:
    """Why no line can be measured at all, if so: no text, or neither transcriber nor aligner."""
    if not any(c.text.strip() for c in sheet.cues if c.kind is CueKind.DIALOGUE):
        return _NO_SCRIPT
    if isinstance(features.dub.words, Unmeasured) and isinstance(features.dub.alignments, Unmeasured):
        return features.dub.words
    return None


def _error_rate(language: str | None) -> str:
    return "script_cer" if counts_characters(language) else "script_wer"


def _subject(cue: Cue) -> Subject:
    return Subject(Scope.LINE, cue.id, cue.character)


def _unmeasured_line(cue: Cue, language: str | None, reason: Unmeasured) -> list[Measurement]:
    metrics = (_error_rate(language), *_PER_LINE)
    return [Measurement(m, _subject(cue), reason, cue.span.duration_s, (cue.span,)) for m in metrics]


def _measured_line(
    cue: Cue, line: LineEvidence | None, features: ProgrammeFeatures, sheet: CueSheet, evidence: Evidence
) -> list[Measurement]:
    language = language_of(cue, sheet, features)
    if line is None:
        if not cue.text.strip():
            return _unmeasured_line(cue, language, Unmeasured("the cue has no text"))
        if not spoken_words(cue.text, language):
            return []
        return _unmeasured_line(cue, language, Unmeasured(f"the line is in {language}, which was not listened for"))
    words = features.dub.words
    rate = words if isinstance(words, Unmeasured) else _word_errors(line)
    run = words if isinstance(words, Unmeasured) else float(_longest_difference(line))
    detail = _detail(line, evidence)
    values = ((_error_rate(language), rate), ("script_words_heard", line.heard_share), ("divergent_run_words", run))
    return [Measurement(m, _subject(cue), v, cue.span.duration_s, (cue.span,), detail) for m, v in values]


def _detail(line: LineEvidence, evidence: Evidence) -> tuple[tuple[str, str | float], ...]:
    """The text as heard, and how well the script fits the sound."""
    heard = " ".join(evidence.heard[s.heard].text for s in line.steps if s.heard is not None)
    fits: tuple[tuple[str, str | float], ...] = () if line.fits_nats is None else (("fits_nats", line.fits_nats),)
    return (("heard", heard), *fits)


def _word_errors(line: LineEvidence) -> float:
    """Substitutions, deletions and insertions over the line's words; may exceed 1."""
    return sum(s.script is None or not s.script.written for s in line.steps) / len(line.words)


def _longest_difference(line: LineEvidence) -> int:
    """The longest run in which script and sound differ, in words of whichever side has more.

    A lone short word in common does not end a run: "the" meets "the" by chance. A word that the transcriber misheard
    but the sound supports does.
    """
    longest = script = heard = 0
    for step, by_chance in zip(line.steps, _chance_matches(line), strict=True):
        if step.differs:
            script += step.script is not None
            heard += step.heard is not None
            longest = max(longest, script, heard)
        elif not by_chance:
            script = heard = 0
    return longest


def _chance_matches(line: LineEvidence) -> list[bool]:
    """Which steps match by a short written word alone, between two that differ."""
    if counts_characters(line.language):
        return [False] * len(line.steps)
    differs = [False, *(s.differs for s in line.steps), False]
    short = [
        s.script is not None and s.script.placed is None and len(s.script.text) <= _CHANCE_LETTERS for s in line.steps
    ]
    return [is_short and differs[k] and differs[k + 2] for k, is_short in enumerate(short)]


def _is_missing(line: LineEvidence) -> bool:
    return line.heard_share < HEARD_SHARE


def _missing_lines(evidence: Evidence) -> Measurement:
    missing = [line.cue for line in evidence.lines if _is_missing(line)]
    spans = tuple(cue.span for cue in missing)
    detail = tuple((f"line {cue.id}", cue.text) for cue in missing)
    weight_s = sum(line.cue.span.duration_s for line in evidence.lines)
    return Measurement("missing_lines", _PROGRAMME, float(len(missing)), weight_s, spans, detail)


def _invented_words(evidence: Evidence, features: ProgrammeFeatures) -> Measurement:
    """Words in runs of three or more that no line claims; a missing line claims none of what was said in its place."""
    if isinstance(features.dub.words, Unmeasured):
        return Measurement("invented_words", _PROGRAMME, features.dub.words)
    unclaimed = set(evidence.stray)
    for line in filter(_is_missing, evidence.lines):
        unclaimed |= {s.heard for s in line.steps if s.heard is not None and _is_other(s)}
    runs = [run for run in _runs(sorted(unclaimed)) if len(run) >= SHORTEST_INVENTION_WORDS]
    spans = tuple(_around([evidence.heard[k].span for k in run]) for run in runs)
    texts = [" ".join(evidence.heard[k].text for k in run) for run in runs]
    detail = tuple((f"at {span.start_s:.2f} s", text) for span, text in zip(spans, texts, strict=True))
    weight_s = total_s(features.dub.speech)
    return Measurement("invented_words", _PROGRAMME, float(sum(map(len, runs))), weight_s, spans, detail)


def _is_other(step: Step) -> bool:
    return step.script is None or not step.script.written


def _runs(indices: Sequence[int]) -> Iterator[list[int]]:
    """Indices grouped where they follow one another."""
    run: list[int] = []
    for before, index in pairwise([-2, *indices]):
        if index != before + 1 and run:
            yield run
            run = []
        run.append(index)
    if run:
        yield run


def _around(spans: Sequence[Span]) -> Span:
    return Span(min(s.start_s for s in spans), max(s.end_s for s in spans))


def _language_prob(cue: Cue, sheet: CueSheet, features: ProgrammeFeatures) -> Measurement:
    windows, expected = features.dub.languages, language_of(cue, sheet, features)
    value: float | Unmeasured
    if isinstance(windows, Unmeasured):
        value = windows
    elif expected is None:
        value = Unmeasured("nobody said which language the line should be in")
    else:
        value = _mean_prob(cue.span, windows, expected)
    return Measurement("language_prob", _subject(cue), value, cue.span.duration_s, (cue.span,))


def _mean_prob(span: Span, windows: Sequence[LanguageWindow], language: str) -> float | Unmeasured:
    """The mean probability of the language over the windows that the line lies in, by time shared."""
    shared = [(w, w.span.overlap_s(span)) for w in windows]
    seconds = sum(s for _, s in shared)
    if seconds <= 0:
        return Unmeasured("no speech was heard here whose language could be told")
    return sum(_prob_of(w, language) * s for w, s in shared) / seconds


def _prob_of(window: LanguageWindow, language: str) -> float:
    return sum(prob for tag, prob in window.probs if _same_language(primary_language(tag), language))


def _same_language(left: str | None, right: str) -> bool:
    return left is not None and _ALIASES.get(left, left) == _ALIASES.get(right, right)
