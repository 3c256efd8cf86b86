"""A judgement made by arithmetic, for the tests of the reports: known lines, voices, faults; the same at every call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np

from dubgate.delivery.script import Cue, CueSheet, Style
from dubgate.features import (
    BackendInfo,
    Levels,
    MixCheck,
    Pitch,
    ProgrammeFeatures,
    Series,
    TrackFeatures,
    Word,
)
from dubgate.judgement import Clock, Judgement, PackRef
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.policy.verdict import Verdict
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SLOT_S, SPOKEN_S = 4.0, 2.8
SAID = (
    "I told you the harbour would be closed.",
    "Then we walk.",
    "Nobody walks to the lighthouse at night.",
    "You did, once.",
    "That was before the storm took the bridge.",
    "Give me the lantern and stay close.",
)
PEOPLE = ("Mara", "Jonas", "The Keeper")
PITCH_HZ = {"Mara": 205.0, "Jonas": 118.0, "The Keeper": 96.0}
PROGRAMME = Subject(Scope.PROGRAMME)
LATE, OTHER_VOICE, UNHEARD, LONG = 2, 4, 8, 9  # places of the lines with faults, in every twelve


def cues(n_lines: int) -> tuple[Cue, ...]:
    """One line every four seconds, three people by turns."""
    return tuple(
        Cue(
            id=str(k + 1),
            span=Span(1.0 + k * SLOT_S, 1.0 + k * SLOT_S + SPOKEN_S),
            text=SAID[k % len(SAID)],
            character=PEOPLE[k % len(PEOPLE)],
        )
        for k in range(n_lines)
    )


def lateness_s(k: int) -> float:
    """How late the k-th line of the dub starts."""
    return 0.92 if k % 12 == LATE else 0.04 * ((k * 7) % 5 - 2)


def dub_span(k: int, cue: Cue) -> Span:
    """Where the k-th line lies in the dub."""
    extra = 0.5 if k % 12 == LONG else 0.0
    start_s = cue.span.start_s + lateness_s(k)
    return Span(start_s, start_s + SPOKEN_S + extra)


def judgement(n_lines: int = 24, *, quality_only: bool = True, pitch: bool = True) -> Judgement:
    """A judgement of so many lines; of each twelve one is late, one is not heard, one has another voice, one runs on."""
    lines = cues(n_lines)
    placed = [dub_span(k, c) for k, c in enumerate(lines)]
    duration_s = 2.0 + n_lines * SLOT_S
    features = ProgrammeFeatures(
        original=_track("harbour_de.wav", "de", duration_s, [c.span for c in lines], lines, 1.0, pitch=pitch),
        dub=_track("harbour_en.wav", "en", duration_s, placed, lines, 1.06, pitch=pitch, words=True),
        mix=MixCheck(Unmeasured("no stem was given"), Unmeasured("no stem was given")),
        models=(
            BackendInfo("voice_activity", "silero-vad", "5f" * 32, embedded=True),
            BackendInfo("transcriber", "pocketsphinx", "a1" * 32, embedded=True),
            BackendInfo("speaker_encoder", "ge2e", "0c" * 32, embedded=True),
            BackendInfo("pitch", "swiftf0", "77" * 32, embedded=True),
        ),
    )
    return Judgement(
        title="The Harbour, episode 3",
        judged_at=AT,
        original_media=Path("media/harbour_de.wav"),
        dub_media=Path("media/harbour_en.wav"),
        original_stream=0,
        dub_stream=0,
        features=features,
        sheet=CueSheet("harbour_en.vtt", lines, "en", Style.LIPSYNC),
        scripted=True,
        style=Style.LIPSYNC,
        measurements=_measurements(lines, placed),
        verdict=Verdict(_findings(lines, placed), quality_only=quality_only),
        packs=(PackRef("quality-lipsync", "2026.11", "d4" * 32), PackRef("loudness-netflix", "2026.11", "e9" * 32)),
        clock=Clock(Fraction(24), start_frames=24 * 3600),
        notes=(
            "heard with the models that came inside the installed packages: ge2e, pocketsphinx, silero-vad, swiftf0",
        ),
    )


def with_findings(judged: Judgement, *findings: Finding, alone: bool = False) -> Judgement:
    """The same judgement with more findings, or with these alone."""
    kept = () if alone else judged.verdict.findings
    return replace(judged, verdict=Verdict((*kept, *findings), quality_only=judged.verdict.quality_only))


def finding(
    rule: str,
    subject: Subject,
    outcome: Outcome,
    en: str,
    ja: str,
    *,
    value: str = "",
    bound: str = "",
    spans: tuple[Span, ...] = (),
    group: Group = Group.QUALITY,
    why: str = "viewers notice",
    remedy: str = "",
) -> Finding:
    """A finding with what tests do not look at filled in."""
    return Finding(
        rule=rule, pack="quality-lipsync", group=group, subject=subject, outcome=outcome, text=Text(en, ja),
        value=value, bound=bound, why=Text(why, ""), remedy=Text(remedy, ""), source="quality-metrics", spans=spans,
    )  # fmt: skip


def _track(
    name: str,
    language: str,
    duration_s: float,
    spoken: list[Span],
    lines: tuple[Cue, ...],
    raised: float,
    *,
    pitch: bool,
    words: bool = False,
) -> TrackFeatures:
    speech = tuple(s for k, s in enumerate(spoken) if not (words and k % 12 == UNHEARD))
    heard = tuple(
        w for k, (s, c) in enumerate(zip(spoken, lines, strict=True)) if k % 12 != UNHEARD for w in _words(s, c)
    )
    return TrackFeatures(
        name=name,
        language=language,
        duration_s=duration_s,
        speech_prob=Series(0.032, np.zeros(int(duration_s / 0.032), dtype=np.float32)),
        speech=speech,
        pitch=_pitch(duration_s, spoken, lines, raised) if pitch else Unmeasured("no pitch tracker was loaded"),
        energy_db=_energy(duration_s, speech),
        words=heard if words else Unmeasured("only the dub is transcribed"),
        languages=Unmeasured("the model hears one language only"),
        levels=Levels(48_000, 2, np.zeros(0), -1.2, 0, 1),
        voices=(),
        alignments=Unmeasured("no aligner was loaded"),
        file_sha256=("ab" if words else "cd") * 32,
        packet_sha256=("12" if words else "34") * 32,
        pcm_sha256=("56" if words else "78") * 32,
    )


def _words(span: Span, cue: Cue) -> list[Word]:
    said = cue.text.lower().replace(".", "").replace(",", "").split()
    step = span.duration_s / len(said)
    return [Word(w, Span(span.start_s + k * step, span.start_s + (k + 1) * step), 0.8) for k, w in enumerate(said)]


def _energy(duration_s: float, speech: tuple[Span, ...]) -> Series:
    t = (np.arange(int(duration_s / 0.01)) + 0.5) * 0.01
    out = -72.0 + 2.0 * np.sin(t * 3.1)
    for k, span in enumerate(speech):
        inside = (t >= span.start_s) & (t < span.end_s)
        u = t[inside] - span.start_s
        syllables = np.abs(np.sin(np.pi * u * (3.6 + 0.3 * (k % 3))))
        out[inside] = -44 + 24 * syllables**0.6 - 5 * u / span.duration_s
    return Series(0.01, out.astype(np.float32))


def _pitch(duration_s: float, spoken: list[Span], lines: tuple[Cue, ...], raised: float) -> Pitch:
    t = (np.arange(int(duration_s / 0.016)) + 0.5) * 0.016
    out = np.full(len(t), np.nan)
    for k, (span, cue) in enumerate(zip(spoken, lines, strict=True)):
        inside = (t >= span.start_s) & (t < span.end_s)
        u = (t[inside] - span.start_s) / span.duration_s
        semitones = 3.0 * np.sin(2 * np.pi * u * (1 + k % 2)) - 2.5 * u
        f0 = PITCH_HZ[cue.character or ""] * raised * 2 ** (semitones / 12)
        out[inside] = np.where(np.abs(np.sin(np.pi * u * 9)) < 0.25, np.nan, f0)
    values = out.astype(np.float32)
    return Pitch(Series(0.016, values), Series(0.016, np.isfinite(values).astype(np.float32)))


def _line(cue: Cue) -> Subject:
    return Subject(Scope.LINE, cue.id, cue.character)


def _measurements(lines: tuple[Cue, ...], placed: list[Span]) -> tuple[Measurement, ...]:
    out: list[Measurement] = []
    for k, (cue, span) in enumerate(zip(lines, placed, strict=True)):
        heard = k % 12 != UNHEARD
        late: float | Unmeasured = lateness_s(k) if heard else Unmeasured("no speech starts in or near this line")
        out.append(Measurement("onset_error_s", _line(cue), late, SPOKEN_S, (span,)))
        out.append(Measurement("script_words_heard", _line(cue), 1.0 if heard else 0.0, SPOKEN_S, (cue.span,)))
        out.append(
            Measurement("one_voice_score", _line(cue), -6.0 if k % 12 == OTHER_VOICE else 4.2, SPOKEN_S, (span,))
        )
    for person in PEOPLE:
        out.append(Measurement("register_shift_st", Subject(Scope.CHARACTER, person), 1.01, 30.0))
        out.append(Measurement("range_ratio", Subject(Scope.CHARACTER, person), 0.97, 30.0))
    whole = {"speech_iou": 0.87, "global_offset_s": 0.012, "integrated_lufs": -26.8, "true_peak_dbtp": -1.2}
    out += [Measurement(name, PROGRAMME, value, 60.0) for name, value in whole.items()]
    out.append(Measurement("drift_ms_per_min", PROGRAMME, Unmeasured("the programme is too short to tell a drift")))
    return tuple(out)


def _findings(lines: tuple[Cue, ...], placed: list[Span]) -> tuple[Finding, ...]:
    out = [
        finding("TIM-OFFSET", PROGRAMME, Outcome.PASS, "The dub as a whole sits on the picture.", "吹替全体は映像に合っています。", value="0.01 s"),
        finding("TIM-DRIFT", PROGRAMME, Outcome.NOT_APPLICABLE, "The dub's running speed: the programme is too short to tell a drift", "吹替の走行速度: 短すぎます"),
        finding("LEV-PEAK", PROGRAMME, Outcome.WARN, "The loudest moment reaches -1.20 dBTP.", "最大音は-1.20 dBTPに達します。", value="-1.20 dBTP", bound="at most -2 dBTP", remedy="limit the mix"),
        finding("PRO-FLAT", Subject(Scope.CHARACTER, "Jonas"), Outcome.UNKNOWN, "Jonas: the expression could not be judged (only 14 s of speech).", "Jonas: 抑揚を判定できませんでした（発話が14秒のみ）。", value="not measured", bound="at most 0.5 share", remedy="have a creative lead listen"),
    ]  # fmt: skip
    for k, (cue, span) in enumerate(zip(lines, placed, strict=True)):
        out += _line_findings(k, cue, span)
    return tuple(out)


def _line_findings(k: int, cue: Cue, span: Span) -> list[Finding]:
    who, en, ja = _line(cue), f"Line {cue.id} ({cue.character})", f"台詞{cue.id}（{cue.character}）"
    late = lateness_s(k)
    timing = {"value": f"{late:.2f} s", "bound": "at most 0.6 s either way", "spans": (span,)}
    if k % 12 == LATE:
        onset = finding("TIM-ONSET", who, Outcome.HOLD, f"{en} starts {late:.2f} s too late.", f"{ja}の開始が{late:.2f}秒遅れています。", remedy="move the line, or fit the take to its slot", **timing)  # type: ignore[arg-type]  # fmt: skip
    else:
        onset = finding("TIM-ONSET", who, Outcome.PASS, f"{en} starts on time.", f"{ja}の開始は適正です。", **timing)  # type: ignore[arg-type]
    found = [onset]
    if k % 12 == UNHEARD:
        found.append(finding("CNT-MISSING", who, Outcome.BLOCK, f"{en} is not in the dub.", f"{ja}が吹替にありません。", value="0 %", bound="at least 50 %", spans=(cue.span,), remedy="record the line"))  # fmt: skip
    if k % 12 == OTHER_VOICE:
        found.append(finding("VOI-ONE", who, Outcome.HOLD, f"{en} sounds like somebody else.", f"{ja}は別人の声のようです。", value="-6 nat", bound="at least -2 nat", spans=(span,), remedy="listen, and record the line with the character's voice"))  # fmt: skip
    if k % 12 == LONG:
        found.append(finding("TIM-OVERRUN", who, Outcome.WARN, f"{en} runs 0.45 s past its slot.", f"{ja}が枠を0.45秒超えています。", value="0.45 s", bound="at most 0.3 s", spans=(span,), remedy="shorten the line"))  # fmt: skip
    return found
