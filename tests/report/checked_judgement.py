"""A judgement of a check, made by hand: voices, consents, approvals and labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from made_judgement import PROGRAMME, judgement

from dubgate.features import VoiceSegment
from dubgate.judgement import Judgement
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import failed, passed
from dubgate.policy.findings import Finding, Outcome, Text
from dubgate.policy.verdict import Verdict
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

MARA, JONAS = Subject(Scope.CHARACTER, "Mara"), Subject(Scope.CHARACTER, "Jonas")
STRANGER = Subject(Scope.CHARACTER, "(outside every line)")

CLEAN: tuple[Finding, ...] = (
    passed("CON-000", MARA, "Mara is in the cast", "Maraは配役表にあります"),
    passed("CON-001", MARA, "the use of voice-7 for Mara is granted", "同意されています", value="grant-1"),
    passed("CON-031", MARA, "Mara is the voice that was declared", "申告された声です", value="9.1 nat"),
    passed("LAB-001", PROGRAMME, "track 2 is labelled “English [AI]”", "AI表示があります: English [AI]"),
    passed("INT-002", PROGRAMME, "stem and mix belong together", "ステムはミックスと一致します"),
    passed("RH-010", PROGRAMME, "the registry knows whose title it is", "権利者は登録されています"),
)
UNAPPROVED = failed("RH-001", PROGRAMME, "the rights holder has not approved this", "権利者の承認がありません")
UNGRANTED = failed("CON-001", JONAS, "no grant covers voice-9", "同意がありません")
UNDECLARED = failed(
    "CON-000", STRANGER, "a voice is not in the cast", "配役表にない声が聞こえます", spans=(Span(3, 5),)
)
UNLABELLED = failed(
    "LAB-001", PROGRAMME, "track 3 has no name, which does not tell that AI made it", "AI表示がありません"
)
LATE_LINE = replace(
    UNAPPROVED,
    rule="TIM-ONSET",
    who_can_resolve=None,
    outcome=Outcome.HOLD,
    remedy=Text("move the line", "台詞を動かしてください"),
)


def checked(*findings: Finding) -> Judgement:
    """A check with these findings besides those that passed; Mara is heard for 12.5 s, a stranger for 2 s."""
    made = judgement(3, quality_only=False)
    dub = replace(made.features.dub, voices=(_voice("Mara", 8.0), _voice("Mara", 4.5), _voice(None, 2.0)))
    return replace(
        made,
        features=replace(made.features, dub=dub),
        verdict=Verdict((*CLEAN, *findings), quality_only=False),
    )


def deaf(judged: Judgement) -> Judgement:
    """The same, where nobody could hear the voices."""
    dub = replace(judged.features.dub, voices=Unmeasured("no encoder was loaded"))
    return replace(judged, features=replace(judged.features, dub=dub))


def _voice(character: str | None, speech_s: float) -> VoiceSegment:
    return VoiceSegment(Span(0, speech_s), speech_s, None, character, np.array([1.0], dtype=np.float32))
