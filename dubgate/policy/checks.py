"""The checks of consent, rights, label and integrity: in code, since no pack may switch off, soften or waive them.

A check that fails takes the outcome named here; what it says of a subject comes from who checked (consent's denials,
clearance, labels). Sources: shared reference consent-and-labels, sections 1, 2, (b) and (d).
"""

from __future__ import annotations

from dataclasses import dataclass

from dubgate.measure.measurement import Subject
from dubgate.policy.checks_ja import IN_JAPANESE
from dubgate.policy.findings import SILENT, Finding, Group, Outcome, Text, same
from dubgate.spans import Span

CHECKS_PACK = "core"


@dataclass(frozen=True, slots=True)
class Check:
    """`failed` is BLOCK, HOLD, or UNKNOWN where the question stays open; `attestable_by` roles may answer it by ear."""

    id: str
    group: Group
    failed: Outcome
    asks: str
    remedy: str
    source: str
    attestable_by: tuple[str, ...] = ()
    who_can_resolve: str | None = None

    @property
    def why(self) -> Text:
        """What it asks, for people."""
        return Text(self.asks, IN_JAPANESE.get(self.id, _NO_JAPANESE)[0])

    @property
    def to_do(self) -> Text:
        """What to do where it fails, for people."""
        return Text(self.remedy, IN_JAPANESE.get(self.id, _NO_JAPANESE)[1])


_NO_JAPANESE = ("", "")  # then the English is shown, and a test is red
_B, _H, _U = Outcome.BLOCK, Outcome.HOLD, Outcome.UNKNOWN
_C, _A, _L, _I = Group.CONSENT, Group.APPROVAL, Group.LABEL, Group.INTEGRITY
_EAR = ("performer", "agent", "reviewer")
_OWNER_EAR = (*_EAR, "guardian", "estate", "heir")
_ASK = "ask the performer or agent for a grant that covers this use, and record it: dubgate consent import"
_HOLDER = "ask the rights holder (dubgate request), who answers with dubgate approve or at the desk"

_ROWS = (
    Check("CON-000", _C, _B, "every speaker heard has an entry in the cast", "add the speaker to the cast in delivery.yaml, and the voice with its grant to the registry: dubgate consent draft", "design: evidence, not claims", _EAR),
    Check("CON-001", _C, _B, "somebody granted a use of this voice", _ASK, "Netflix talent and performance; NAVA", (), "performer"),
    Check("CON-002", _C, _B, "the grant stands now and through the release window", _ASK, "DPV consent status", (), "performer"),
    Check("CON-003", _C, _B, "the evidence of the grant stands", _ASK, "GDPR 7(1)", (), "performer"),
    Check("CON-004", _C, _B, "the performer was represented where the law asks for it", _ASK, "Cal. Labor Code 927 (AB 2602)", (), "performer"),
    Check("CON-005", _C, _B, "nobody has refused this use for good", "respect the refusal, or ask who refused to lift it", "standing refusals", (), "rights holder"),
    Check("CON-010", _C, _B, "the grant is for this title and character", _ASK, "grant scope", (), "performer"),
    Check("CON-011", _C, _B, "the grant covers the language", _ASK, "grant scope", (), "performer"),
    Check("CON-012", _C, _B, "the grant covers the territories", _ASK, "grant scope", (), "performer"),
    Check("CON-013", _C, _B, "the grant covers the channels", _ASK, "grant scope", (), "performer"),
    Check("CON-014", _C, _B, "the release window lies inside the grant's term", _ASK, "grant scope", (), "performer"),
    Check("CON-015", _C, _B, "the grant allows the technique and the kind of performance", _ASK, "grant scope", (), "performer"),
    Check("CON-016", _C, _B, "the grant's uses and minutes suffice", _ASK, "grant scope", (), "performer"),
    Check("CON-017", _C, _B, "the voice model is one that the grant names", _ASK, "Netflix model usage; Replica deletion", (), "performer"),
    Check("CON-018", _C, _B, "nothing was trained that the grant does not allow", _ASK, "VDS; CAWG training and data mining", (), "performer"),
    Check("CON-019", _C, _B, "the grant was given to who uses it", _ASK, "grant scope", (), "performer"),
    Check("CON-020", _C, _B, "a guardian stands behind a minor's grant", _ASK, "ELVIS Act; SAG-AFTRA 2026", (), "guardian"),
    Check("CON-021", _C, _B, "an estate stands behind a deceased performer's grant", _ASK, "AB 1836; NY 50-f", (), "estate"),
    Check("CON-022", _C, _B, "every voice of a blend is granted", _ASK, "blend rule", (), "performer"),
    Check("CON-023", _C, _B, "no strike suspends the grant", "wait until the suspension is lifted", "SAG-AFTRA 2026", (), "performer"),
    Check("CON-024", _C, Outcome.WARN, "the grant's term is no longer than ten years, a minor's no longer than five", "agree on a shorter term", "NO FAKES Act of 2026 (bill), licence terms"),
    Check("CON-025", _C, Outcome.WARN, "the grant says how the performer is paid", "record the reference of the payment agreed", "SAG-AFTRA; NAVA: payment", (), "performer"),
    Check("CON-030", _C, _U, "the voice may be compared with its enrolment", "ask the owner for the permission to compare (kind match), enrol the voice (dubgate enrol), or attest by ear: dubgate approve --attest CON-030", "GDPR 9; BIPA", _EAR, "performer"),
    Check("CON-031", _C, _B, "the voice heard is the one that was declared", "declare the voice that was used, or record the line again", "threat 2: declare one, use another", _EAR),
    Check("CON-032", _C, _B, "the voice heard is none that asked for protection", "use a voice whose owner consents; the owner can say \"not me\": dubgate voices not-me", "threat 2; do-not-clone list", _OWNER_EAR),
    Check("CON-033", _C, _B, "the voice heard is not cloned from the original's cast", "ask that performer for a grant (translation of own performance)", "design: the original's speakers are the first who did not consent", _EAR, "performer"),
    Check("CON-034", _C, _U, "the voice's owner or agent confirmed its enrolment", "have the owner or agent confirm the enrolment: at the desk, or dubgate enrol VOICE RECORDING --confirmed-by OWNER", "threat 2: poisoned enrolment", _EAR, "performer"),
    Check("CON-035", _C, _U, "enough of the speech could be verified", "have the rest attested by ear: dubgate approve --attest CON-035", "threat 3: clones in minor characters", _EAR, "reviewer"),
    Check("CON-040", _C, _H, "a signed statement says that people performed the human voices", "have the dubbing director sign: dubgate approve --human", "threat 5: AI declared as human", (), "dubbing director"),
    Check("RH-001", _A, _B, "the rights holder approved this release", _HOLDER, "Kadokawa and Prime Video, 2025", (), "rights holder"),
    Check("RH-002", _A, _B, "the approval is valid now, and its conditions are met", _HOLDER, "approval validity", (), "rights holder"),
    Check("RH-003", _A, _B, "what is delivered is what was approved, byte for byte", "have the delivered version approved, or deliver the approved one", "threat 1: swap after approval", (), "rights holder"),
    Check("RH-004", _A, _H, "the holder was told of this use of its standing approval and had its time to object", "tell the holder, or wait: dubgate request", "design: a standing approval notifies every use and can be objected to", (), "rights holder"),
    Check("RH-005", _A, _B, "who approved is not who submitted; of the same house only where it holds the title", _HOLDER, "threat 15: an insider approves their own dub", (), "rights holder"),
    Check("RH-006", _A, _B, "nothing is AI that the studio's signed policy keeps for people", "have a person perform it, or ask the studio to change its policy", "design: what must never be AI is the studio's to say"),
    Check("RH-010", _A, _B, "the registry knows whose title it is", "register the title and its holder, with a second operator's confirmation: dubgate consent draft, dubgate consent import", "threat 16: fake holder", (), "rights holder"),
    Check("RH-011", _A, _B, "one holder, not two, claims the right", "settle the claims", "threat 16: fake holder", (), "rights holder"),
    Check("RH-012", _A, _H, "nobody contests the claim", "settle the claim", "design: a contested title holds", (), "rights holder"),
    Check("RH-013", _A, _B, "a second operator confirmed the claim", "have another operator confirm the claim", "threat 16: fake holder", (), "operator"),
    Check("RH-020", _A, _B, "the manifest names the title that the registry knows", "register the title (dubgate consent draft, dubgate consent import), or correct title in delivery.yaml", "design: the registry says whose title it is", (), "rights holder"),
    Check("LAB-001", _L, _B, "each entry of the dub in the deliverable is labelled as AI for people", "write it: dubgate label apply FILE --out NEW --text \"English [AI]\" --language TAG; AC-3 and transport streams hold none: dubgate label sidecar", "EU AI Act 50; consent-and-labels (b)"),
    Check("LAB-002", _L, Outcome.WARN, "each entry carries the machine-readable token", "dubgate label apply: in an HLS playlist it writes CHARACTERISTICS=\"public.machine-generated\"; into a file a C2PA manifest (--c2pa-key) or the AIGC label (--aigc-producer)", "Apple HLS AVMediaCharacteristicMachineGenerated"),
    Check("LAB-009", _L, _B, "the labelled entry plays what was heard", "package the sound that was judged", "threats 1 and 7"),
    Check("LAB-010", _L, _B, "every label could be read", "write the label in plain characters, in a container that can hold one", "threats 17 and 18"),
    Check("LAB-011", _L, _B, "no label that the input carried was stripped on the way", "make the output again with a tool that keeps labels, or write the label anew: dubgate label apply", "threat 7: labels stripped in a re-wrap or a packager; EU Code of Practice 2026-06"),
    Check("INT-001", _I, _H, "every signed object in the delivery verifies", "remove it, or have it signed by a registered key over this sound", "threat 8: forged evidence"),
    Check("INT-003", _I, _H, "every model that heard is pinned by digest", "use a catalogue model, or have its digest pinned", "design: weights are pinned by digest"),
    Check("INT-004", _I, _H, "at least one rule judged the quality", "judge with a quality pack, or leave --pack out", "design: nothing judged never releases"),
    Check("INT-005", _I, _B, "every file that the production record names has the digest that it gives", "record the file that is there, or hand in the file that was recorded", "threat 8: forged evidence"),
    Check("INT-006", _I, _H, "the channels are those of an audience, not an internal test", "deliver the whole dub for the channels on which it is to be heard", "design: a pilot is never a release"),
    Check("INT-007", _I, _H, "the delivery is what was said before it was made", "deliver what was said, or take the intake again: dubgate intake", "design: evidence, not claims"),
    Check("INT-008", _I, _U, "no speech is published that was not heard: none cancelled in the mono sum, none beside the stem", "listen there to left minus right, or to the M&E alone: hand in a stem that holds the voice; where it is the dialogue's own room or widening, a reviewer says so: dubgate approve --attest INT-008", "threat 1: measure one thing, publish another", ("reviewer",), "reviewer"),
    Check("INT-009", _I, _H, "the published file plays nothing that was not handed in: no audio stream beside those that the delivery names", "deliver the dub in a file without it (as PCM or FLAC where it is TrueHD, MLP or DTS-HD); the original and the M&E are named in the manifest as streams of that file", "threat 1: measure one thing, publish another"),
    Check("INT-002", _I, _B, "stem, M&E and mix belong together", "hand in the stem that the mix was made from", "threat 1: measure one thing, publish another"),
)  # fmt: skip

CHECKS: dict[str, Check] = {c.id: c for c in _ROWS}


def said(
    check_id: str,
    subject: Subject,
    outcome: Outcome,
    en: str,
    ja: str,
    *,
    value: str | Text = "",
    bound: str | Text = "",
    spans: tuple[Span, ...] = (),
) -> Finding:
    """What a check says of a subject."""
    check = CHECKS[check_id]
    measured, wanted = (same(x) if isinstance(x, str) else x for x in (value, bound))
    return Finding(
        rule=check.id,
        pack=CHECKS_PACK,
        group=check.group,
        subject=subject,
        outcome=outcome,
        text=Text(en, ja),
        value=measured.en,
        value_ja=measured.ja,
        bound=wanted.en,
        bound_ja=wanted.ja,
        why=check.why,
        remedy=check.to_do if outcome > Outcome.PASS else SILENT,
        source=check.source,
        spans=spans,
        who_can_resolve=check.who_can_resolve if outcome > Outcome.WARN else None,
    )


def failed(check_id: str, subject: Subject, en: str, ja: str, **shown: object) -> Finding:
    """A failed check, with the outcome that it takes."""
    return said(check_id, subject, CHECKS[check_id].failed, en, ja, **shown)  # type: ignore[arg-type]


def passed(check_id: str, subject: Subject, en: str, ja: str, **shown: object) -> Finding:
    """A check that was made and passed."""
    return said(check_id, subject, Outcome.PASS, en, ja, **shown)  # type: ignore[arg-type]
