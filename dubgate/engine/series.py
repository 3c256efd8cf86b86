"""Episodes of one series against the earlier ones: each character's voice, register, level and declared model; pure.

What is found here warns and never decides: it depends on what else is in the batch, and a verdict must not. Whose voice it is
decides CON-031, against the enrolment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from dubgate.engine.jobs import Facts, Trait, Voices
from dubgate.engine.traits import VOICE_S
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.speech.calibration import Calibration, Relation, find
from dubgate.unmeasured import Unmeasured

PACK = "series"
REGISTER_ST = 2.5  # apart from the median of the earlier episodes
LEVEL_DB = 4.0
OTHER_VOICE_LLR = 0.0  # below it two voices are likelier than one


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """One delivery of a series; its voices live in memory only."""

    name: str
    facts: Facts
    voices: Voices = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class _Before:
    """What the earlier episodes say of one character; what drifted is not added to it."""

    declared: tuple[str, ...] | None = None
    where: str = ""
    registers: list[float] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)
    vectors: list[tuple[np.ndarray[tuple[int], np.dtype[np.float64]], float]] = field(default_factory=list)


def by_series(episodes: Sequence[Episode]) -> dict[tuple[str, str], list[Episode]]:
    """Episodes of each series and language, in the natural order of their titles."""
    found: dict[tuple[str, str], list[Episode]] = {}
    for episode in episodes:
        if episode.facts.series is not None:
            found.setdefault((episode.facts.series, episode.facts.language), []).append(episode)
    for each in found.values():
        each.sort(key=lambda e: (natural(e.facts.title), natural(e.name)))
    return {key: each for key, each in found.items() if len(each) > 1}


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts numbers by value: episode 2 before episode 10."""
    parts = re.findall(r"\d{1,15}|\D+", text)
    return tuple((0, int(p), "") if p.isdecimal() and p.isascii() else (1, 0, p) for p in parts)


def compare(episodes: Sequence[Episode]) -> dict[str, tuple[Finding, ...]]:
    """What each episode, by name, has that the earlier ones had not."""
    before: dict[str, _Before] = {}
    found: dict[str, tuple[Finding, ...]] = {}
    for episode in episodes:
        scale = find(episode.facts.encoder_sha256, Relation.SAME)
        own: list[Finding] = []
        for trait in episode.facts.traits:
            own += _compared(trait, episode, before.setdefault(trait.character, _Before()), scale)
        found[episode.name] = tuple(own)
    return found


def _compared(trait: Trait, episode: Episode, before: _Before, scale: Calibration | Unmeasured) -> list[Finding]:
    findings = [f for f in (_model(trait, before),) if f is not None]
    if findings or before.declared is None:
        before.declared, before.where = _declared(trait), episode.facts.title
    for rule, value, earlier, most, what in (
        ("SER-REGISTER", trait.register_st, before.registers, REGISTER_ST, _REGISTER),
        ("SER-LEVEL", trait.level_db, before.levels, LEVEL_DB, _LEVEL),
    ):
        drift = _drift(rule, trait, value, earlier, most, what)
        if drift is not None:
            findings.append(drift)
        elif not isinstance(value, Unmeasured):
            earlier.append(value)
    voice = _voice(trait, episode.voices.get(trait.character), before, scale)
    return [*findings, *voice]


def _declared(trait: Trait) -> tuple[str, ...]:
    return (",".join(trait.voice_ids), trait.technique, trait.vendor or "", trait.model or "")


def _model(trait: Trait, before: _Before) -> Finding | None:
    now = _declared(trait)
    if before.declared is None or now == before.declared:
        return None
    names = ("voice", "technique", "vendor", "model")
    changed = [
        f"{n} {a or 'none'} → {b or 'none'}" for n, a, b in zip(names, before.declared, now, strict=True) if a != b
    ]
    en = f"{trait.character} is declared otherwise than in {before.where}: {'; '.join(changed)}"
    ja = f"{trait.character}の音声の申告が前の回と異なります"
    return _finding("SER-MODEL", trait, en, ja, "; ".join(changed), Text("as in the earlier episodes", "前の回と同じ"))


_REGISTER = (
    "st",
    "speaks {} semitones {} than in the earlier episodes",
    ("higher", "lower"),
    "の声の高さが前の回と異なります",
)
_LEVEL = ("dB", "is {} dB {} than in the earlier episodes", ("louder", "softer"), "の音量が前の回と異なります")


def _drift(
    rule: str,
    trait: Trait,
    value: float | Unmeasured,
    earlier: Sequence[float],
    most: float,
    what: tuple[str, str, tuple[str, str], str],
) -> Finding | None:
    if isinstance(value, Unmeasured) or not earlier:
        return None
    apart = value - median(earlier)
    if abs(apart) <= most:
        return None
    unit, said, ways, ja = what
    en = f"{trait.character} {said.format(f'{abs(apart):.1f}', ways[0] if apart > 0 else ways[1])}"
    bound = Text(f"at most {most:g} {unit} either way", f"{most:g} {unit}以下（前後とも）")
    return _finding(rule, trait, en, trait.character + ja, f"{apart:+.1f} {unit}", bound)


def _voice(
    trait: Trait, heard: tuple[object, float] | None, before: _Before, scale: Calibration | Unmeasured
) -> list[Finding]:
    """Another voice than before; nothing where it may not be compared, or too little is heard of it."""
    if heard is None or trait.not_compared is not None or heard[1] < VOICE_S / 2:
        return []
    vector, seconds = np.asarray(heard[0], dtype=np.float64), heard[1]
    if before.vectors and not isinstance(scale, Unmeasured):
        total = np.sum([v * s for v, s in before.vectors], axis=0)
        cosine = float(vector @ total / max(float(np.linalg.norm(total)), 1e-12))
        llr = scale.llr(cosine, min(seconds, sum(s for _, s in before.vectors)))
        if not isinstance(llr, Unmeasured) and llr < OTHER_VOICE_LLR:
            en = f"{trait.character} is spoken by another voice than in the earlier episodes"
            ja = f"{trait.character}の声が前の回と別人のものです"
            bound = Text(f"at least {OTHER_VOICE_LLR:g} nat", f"{OTHER_VOICE_LLR:g} nat以上")
            return [_finding("SER-VOICE", trait, en, ja, f"{llr:.1f} nat", bound)]
    before.vectors.append((vector, seconds))
    return []


_WHY = {
    "SER-VOICE": (
        Text("an audience knows a character by its voice", "視聴者は、声で登場人物を覚えています"),
        Text("compare with the earlier episodes; record again, or say why", "前の回と聴き比べ、収録し直すか、理由を示してください"),
    ),
    "SER-REGISTER": (
        Text("a character keeps its pitch over a season", "登場人物の声の高さは、シーズンを通して変わりません"),
        Text("guide the part by the earlier episodes", "前の回を手本に、この役を整えてください"),
    ),
    "SER-LEVEL": (
        Text("a character keeps its level over a season", "登場人物の音量は、シーズンを通して変わりません"),
        Text("match the level of the earlier episodes", "前の回の音量に合わせてください"),
    ),
    "SER-MODEL": (
        Text("another model or version sounds otherwise, and its grant may not cover it", "モデルやバージョンが変わると音も変わり、同意の対象外になることがあります"),
        Text("keep the model of the season, or have the change agreed", "シーズンと同じモデルを使うか、変更の合意を得てください"),
    ),
}  # fmt: skip


def _finding(rule: str, trait: Trait, en: str, ja: str, value: str, bound: Text) -> Finding:
    why, remedy = _WHY[rule]
    subject = Subject(Scope.CHARACTER, trait.character)
    return Finding(
        rule,
        PACK,
        Group.QUALITY,
        subject,
        Outcome.WARN,
        Text(en, ja),
        value=value,
        bound=bound.en,
        bound_ja=bound.ja,
        why=why,
        remedy=remedy,
        source="issue of scale: episodes of one series are compared",
    )
