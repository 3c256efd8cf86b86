"""What `make mutants` breaks, and which tests must notice."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mutant_list_adversary import adversary_mutants
from mutant_list_api import api_mutants
from mutant_list_api2 import api2_mutants
from mutant_list_batch import batch_mutants
from mutant_list_cert import cert_mutants
from mutant_list_certificate import certificate_mutants
from mutant_list_consent import consent_mutants
from mutant_list_desk import desk_mutants
from mutant_list_desk2 import desk2_mutants
from mutant_list_desk3 import desk3_mutants
from mutant_list_doors import door_mutants
from mutant_list_ears import ears_mutants
from mutant_list_ja import ja_mutants
from mutant_list_labels import label_mutants
from mutant_list_labels2 import label2_mutants
from mutant_list_packs import pack_mutants
from mutant_list_record import record_mutants
from mutant_list_red import red_mutants
from mutant_list_red3 import red3_mutants
from mutant_list_review import review_mutants
from mutant_list_seal import seal_mutants
from mutant_list_stranger import stranger_mutants
from mutant_list_stranger2 import stranger2_mutants
from mutant_list_stranger3 import stranger3_mutants
from mutant_list_swift import swift_mutants
from mutant_list_tidy import tidy_mutants
from mutant_list_unheard import unheard_mutants
from mutate import (
    Equivalent,
    Mutant,
    replaced,
    with_checks_passed,
    with_softer_rows,
    without_equality,
    without_guards,
    without_verification,
)

SHIPPED = ("tests/policy/test_shipped_rules.py",)
JUDGING = ("tests/policy/test_judging.py", "tests/policy/test_shipped_rules.py")
PACKS = ("tests/policy/test_packs.py", "tests/policy/test_pack_terms.py")
CONDITIONS = (
    "tests/policy/test_conditions.py",
    "tests/policy/test_expressions.py",
    "tests/policy/test_pack_terms.py",
)
SIGNED = ("tests/policy/test_signed_objects.py",)
NOT_ME = ("tests/test_not_me.py", "tests/test_voices_heard.py")
GALLERY = ("tests/measure/test_voice_gallery.py",)
SPOKEN = ("tests/consent/test_spoken_phrases.py", "tests/test_spoken.py", "-k", "not flite and not postgres")
VERDICT = ("tests/policy/test_verdict.py",)
RELEASE = ("tests/test_release.py", "-k", "not 1_000 and not 10_000")
CLEARANCE = (
    "tests/policy/test_clearance.py",
    "tests/policy/test_grant_remarks.py",
    "tests/test_request_command.py",
    *RELEASE,
)
LABELS = ("tests/policy/test_label_checks.py", "tests/labels")
MIX = ("tests/policy/test_mix_checks.py",)
EVIDENCE = ("tests/policy/test_evidence.py",)
ENVELOPES = (
    "tests/certificate/test_dsse.py",
    "tests/certificate/test_passkey_envelopes.py",
    "tests/policy/test_evidence.py",
)
APPROVALS = ("tests/consent/test_rights_and_approvals.py", "tests/consent/test_denials.py")
RECORDS = (
    "tests/consent/test_signatures.py",
    "tests/consent/test_passkeys.py",
    "tests/consent/test_desk_gestures.py",
    "-k",
    "not postgres and not fall_over",
)
CHECKPOINTS = ("tests/consent/test_audit.py", "tests/consent/test_signatures.py", "-k", "not postgres")
LEDGER = ("tests/consent/test_ledger.py",)
ASKED = ("tests/consent/test_requests.py",)
STANDING = ("tests/consent/test_standing_approvals.py",)
NOTICES = ("tests/consent/test_notices.py",)
REQUESTED = ("tests/test_request_command.py",)
REMARKS = ("tests/policy/test_grant_remarks.py",)
RECORDED = ("tests/test_record_judging.py", "tests/labels/test_label_stripped.py")
WEIGHTS = ("tests/speech/test_models.py",)

# (file, tests): every finding that a check fails or leaves open says, in turn, that it passed.
CHECKING = (
    ("dubgate/policy/clearance.py", CLEARANCE),
    ("dubgate/policy/voice_checks.py", (*NOT_ME, *CLEARANCE)),
    ("dubgate/policy/label_checks.py", LABELS),
    ("dubgate/policy/mix_checks.py", MIX),
    ("dubgate/policy/model_checks.py", RELEASE),
    ("dubgate/policy/approval_checks.py", ("tests/test_clearing.py", *RELEASE)),
    ("dubgate/policy/evidence.py", EVIDENCE),
    ("dubgate/clearing.py", ("tests/test_clearing.py", *RELEASE)),
    ("dubgate/release.py", RELEASE),
)
# (file, tests): every comparison of digests, keys, parties or signers finds both sides equal.
COMPARING = (
    ("dubgate/clearing.py", ("tests/test_clearing.py", *RELEASE)),
    ("dubgate/policy/evidence.py", EVIDENCE),
    ("dubgate/policy/signed_objects.py", SIGNED),
    ("dubgate/certificate/dsse.py", ENVELOPES),
    ("dubgate/certificate/statements.py", EVIDENCE),
    ("dubgate/speech/models.py", WEIGHTS),
    ("consent/ledger.py", LEDGER),
    ("consent/signatures.py", RECORDS),
    ("consent/approvals.py", (*APPROVALS, *STANDING)),
)
ABOUT = r"root|sha256|digest|payload|_type|\bby\b|party|house|keyid|sound|rule|subject"

# (file, tests): every guard in the file is removed in turn.
GUARDED = (
    ("dubgate/policy/verdict.py", VERDICT),
    ("dubgate/policy/band_rules.py", JUDGING),
    ("dubgate/policy/judge.py", JUDGING),
    ("dubgate/policy/bands.py", ("tests/policy/test_packs.py", "tests/policy/test_judging.py")),
    ("dubgate/policy/pack_schema.py", (*PACKS, "tests/policy/test_told_in_japanese.py")),
    ("dubgate/policy/packs.py", PACKS),
    ("dubgate/policy/expressions.py", CONDITIONS),
    ("dubgate/policy/expression_types.py", CONDITIONS),
    ("dubgate/policy/facts.py", CONDITIONS),
    ("dubgate/policy/conditions.py", CONDITIONS),
    ("dubgate/policy/signed_objects.py", SIGNED),
    ("dubgate/policy/waivers.py", SIGNED),
    ("dubgate/policy/attestations.py", (*SIGNED, *NOT_ME)),
    ("dubgate/policy/signoffs.py", (*SIGNED, "tests/test_record_judging.py")),
    ("dubgate/policy/clearance.py", CLEARANCE),
    ("dubgate/policy/voice_checks.py", (*NOT_ME, *CLEARANCE)),
    ("dubgate/policy/evidence.py", EVIDENCE),
    ("dubgate/answers.py", RELEASE),
    ("dubgate/certificate/dsse.py", ENVELOPES),
    ("dubgate/certificate/statements.py", EVIDENCE),
)

# (file, tests): every call that verifies a signature is left out.
VERIFYING = (
    ("dubgate/certificate/dsse.py", ENVELOPES),
    ("consent/signatures.py", RECORDS),
    ("consent/checkpoint.py", CHECKPOINTS),
)

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("labels: any rendition is what was heard", "dubgate/labels/hls.py", "sound.sha256 in heard", "sound.sha256 is not None", LABELS),
    ("verdict: unknown passes", "dubgate/policy/verdict.py", "Outcome.UNKNOWN: Decision.HOLD", "Outcome.UNKNOWN: Decision.RELEASE", VERDICT),
    ("verdict: hold passes", "dubgate/policy/verdict.py", "Outcome.HOLD: Decision.HOLD", "Outcome.HOLD: Decision.RELEASE", VERDICT),
    ("verdict: block only holds", "dubgate/policy/verdict.py", "Outcome.BLOCK: Decision.BLOCK", "Outcome.BLOCK: Decision.HOLD", VERDICT),
    ("judging: NaN lies inside", "dubgate/policy/band_rules.py", "if np.isfinite(m.value) else _NOT_A_NUMBER", "if True else _NOT_A_NUMBER", JUDGING),
    ("judging: what is not measured passes", "dubgate/policy/rule_findings.py", "return Outcome.WARN if rule.severity is Severity.WARN else Outcome.UNKNOWN", "return Outcome.PASS", JUDGING),
    ("judging: weightless lines vanish", "dubgate/policy/band_rules.py", "full = sum(m.weight_s or average for m, _ in asked)", "full = sum(m.weight_s for m, _ in asked)", JUDGING),
    ("conditions: anything true-like is true", "dubgate/policy/conditions.py", "if value is True or value is False:", "if value is not None:", CONDITIONS),
    ("conditions: no time limit", "dubgate/policy/conditions.py", "deadline = time.monotonic() + self._limit_s", "deadline = time.monotonic() + 60", CONDITIONS),
    ("conditions: as much of a processor as they like", "dubgate/policy/condition_child.py", "        signal.setitimer(signal.ITIMER_PROF, CPU_S)\n", "", CONDITIONS),
    ("conditions: a panic ends the child", "dubgate/policy/condition_child.py", "except BaseException as error:", "except ZeroDivisionError as error:", CONDITIONS),
    ("conditions: the child may open files", "dubgate/policy/condition_child.py", "(resource.RLIMIT_NOFILE, 3),", "", CONDITIONS),
    ("conditions: the child has the parent's environment", "dubgate/policy/conditions.py", "env=_ENVIRONMENT,", "", CONDITIONS),
    ("packs: core can be left out", "dubgate/policy/packs.py", "for name in (CORE, *chosen, *extra_paths)", "for name in (*chosen, *extra_paths)", PACKS),
    ("waivers: one approver forgives a block", "dubgate/policy/waivers.py", "needed = 2 if finding.outcome is Outcome.BLOCK else 1", "needed = 1", SIGNED),
    ("waivers: one key counts twice", "dubgate/policy/waivers.py", "len({w.key_id for w in mine})", "len(mine)", SIGNED),
    ("waivers: one person counts twice", "dubgate/policy/waivers.py", "len({w.party for w in mine})", "len(mine)", SIGNED),
    ("waivers: any group", "dubgate/policy/waivers.py", "finding.group is Group.QUALITY and not reserved", "not reserved", SIGNED),
    ("waivers: reserved rules too", "dubgate/policy/waivers.py", "finding.group is Group.QUALITY and not reserved", "finding.group is Group.QUALITY", SIGNED),
    ("attestations: measured fails too", "dubgate/policy/attestations.py", "or not _is_a_question(finding):", "or False:", SIGNED),
    ("attestations: a yes overrules a no", "dubgate/policy/attestations.py", '[a for a in mine if a.record.answer == "fail"] or _enough(mine, finding, now)', "_enough(mine, finding, now)", SIGNED),
    ("attestations: two of the vendor suffice", "dubgate/policy/attestations.py", ">= 2 and outside", ">= 2", SIGNED),
    ("attestations: one reviewer suffices for consent", "dubgate/policy/attestations.py", ">= 2 and outside", ">= 1 and outside", SIGNED),
    ("attestations: any performer speaks for any voice", "dubgate/policy/attestations.py", "if a.party in own and a.roles & roles", "if a.roles & roles", SIGNED),
    ("attestations: a not-me of any voice lifts any hit", "dubgate/policy/attestations.py", "and a.record.voice_id == finding.voice_id", "", NOT_ME),
    ("attestations: who is declared speaks for who was hit", "dubgate/policy/attestations.py", "if finding.voice_id is not None:\n        voices, roles", "if False:\n        voices, roles", NOT_ME),
    ("voices: an unconfirmed enrolment blocks", "dubgate/policy/voice_checks.py", "if not hit.confirmed:", "if False:", NOT_ME),
    ("voices: a switch that is off passes", "dubgate/protected_voices.py", "return Searched(among.off)", "return Searched((), n=0)", NOT_ME),
    ("gallery: galleries do not share the rate", "dubgate/measure/voice_gallery.py", "gallery_threshold(HOLDING_RATE / parts, n)", "gallery_threshold(HOLDING_RATE, n)", GALLERY),
    ("gallery: a hopeless search finds nobody", "dubgate/measure/voice_gallery.py", "> HOLDING_RATE:", "> 2.0:", GALLERY),
    ("gallery: the plain ratio blocks", "dubgate/measure/voice_gallery.py", "parts * false_hit_rate(sure, n)", "parts * false_hit_rate(llr, n)", GALLERY),
    ("spoken: a phrase is said twice", "consent/spoken.py", 'if any(s.refused_at != "words" for s in said):', "if False:", SPOKEN),
    ("spoken: any phrase for any voice", "consent/spoken.py", "if phrase.voice_id != voice_id:", "if False:", SPOKEN),
    ("spoken: a phrase never expires", "consent/spoken.py", "if not phrase.issued_at <= at < phrase.expires_at:", "if False:", SPOKEN),
    ("spoken: a recording is replayed", "consent/spoken_door.py", 'if stale is None and _said(view, f"recording:{recording_sha256}"):', "if False:", SPOKEN),
    ("spoken: any words will do", "dubgate/spoken.py", "return rate <= MAX_WORD_ERRORS and not", "return not", SPOKEN),
    ("spoken: any voice will do", "dubgate/spoken.py", "if found.answer is not True:", "if False:", SPOKEN),
    ("attestations: nobody need listen", "dubgate/policy/attestations.py", "mine = [a for a in mine if _heard_all(a, finding, now)]", "", SIGNED),
    ("sign-offs: any role", "dubgate/policy/signoffs.py", "role in demanded and role in sign_off.roles", "role in demanded", SIGNED),
    ("sign-offs: the submitter's house", "dubgate/policy/signoffs.py", " and sign_off.house not in now.submitters", "", SIGNED),
    ("remarks: a long term is no remark", "consent/remarks.py", "grant.not_after > later(grant.not_before, years)", "False", REMARKS),
    ("remarks: an endless term is no remark", "consent/remarks.py", "if grant.not_after is None:", "if False:", REMARKS),
    ("remarks: a minor's term may be as long", "consent/remarks.py", "YEARS if grant.minor is None else YEARS_OF_A_MINOR", "YEARS", REMARKS),
    ("remarks: no pay is no remark", "consent/remarks.py", "if grant.compensation is None:", "if False:", REMARKS),
    ("remarks: a union's unpaid work only warns", "consent/remarks.py", "return tuple(_unpaid(grant)) if grant.representation is Representation.UNION_CBA else ()", "return ()", REMARKS),
    ("clearance: a denial takes its row's outcome", "dubgate/policy/clearance.py", "Outcome.BLOCK if usual is Outcome.WARN else usual,", "usual,", REMARKS),
    ("approvals: a house approves what it does not hold", "dubgate/policy/approval_checks.py", "and not _holds(holder, rights)", "and False", RELEASE),
    ("approvals: who submitted approves", "dubgate/policy/approval_checks.py", "if candidate.submitted_by == by:", "if False:", RELEASE),
    ("approvals: an unsigned standing approval counts", "dubgate/policy/approval_checks.py", "if not history.signed or history.recorded_at > at or", "if history.recorded_at > at or", REQUESTED),
    ("approvals: an objection is not heard", "consent/approvals.py", "    if objections:", "    if False:", STANDING),
    ("approvals: the time to object need not pass", "consent/approvals.py", "elif standing.waits and at < own.notice.object_until:", "elif False:", STANDING),
    ("approvals: nobody need be told", "consent/approvals.py", "        if standing.waits:", "        if False:", STANDING),
    ("approvals: a use is spent without a notice", "consent/metering.py", "len(told) >= approval.standing.max_releases", "False", STANDING),
    ("approvals: an objection may come late", "consent/asking.py", "view.now >= notice.object_until", "False", STANDING),
    ("approvals: anybody objects", "consent/asking.py", "if notice.to not in (event.by, view.house_of(event.by)):", "if False:", STANDING),
    ("requests: anybody answers", "consent/asking.py", "if who not in (event.by, view.house_of(event.by)):", "if False:", ASKED),
    ("requests: what is closed is answered", "consent/asking.py", "if event.kind is not EventKind.LIFTED and not history.waiting(view.now):", "if False:", ASKED),
    ("requests: a no is forgotten", "dubgate/policy/request_checks.py", "if no is None or not about:", "if True:", REQUESTED),
    ("requests: asked although there is something to mend", "dubgate/requesting.py", "    if mend:\n", "    if False:\n", REQUESTED),
    ("requests: asked twice", "dubgate/requesting.py", "if any(asks_the_same(h, release.candidate, wanted) for h in mine):", "if False:", REQUESTED),
    ("requests: comparisons of another cast are kept", "dubgate/judging_again.py", "heard.key, str(delivery.style), cast,", "heard.key, str(delivery.style),", REQUESTED),
    ("webhooks: any address", "consent/webhooks.py", "    if inside and not allow_private:", "    if False:", NOTICES),
    ("webhooks: addresses that carry others", "consent/webhooks.py", "if any(address in net for net in _TRANSLATED):", "if False:", NOTICES),
    ("webhooks: plain http", "consent/webhooks.py", 'if parts.scheme == "http" and not self.allow_private:', "if False:", NOTICES),
    ("webhooks: no deadline", "consent/webhooks.py", "    cut.start()\n", "", NOTICES),
    ("webhooks: the body is not signed", "consent/webhooks.py", '".encode() + body', '".encode()', NOTICES),
    ("notices: written over", "consent/notices.py", "if path.exists() and not over:", "if False:", NOTICES),
    ("notices: delivered ones are sent again", "consent/notices.py", "if waiting.delivered or target is None", "if target is None", NOTICES),
    ("notices: a key touches nothing", "consent/consequences.py", 'if word in ("claim", "key", "enrolment"):', 'if word in ("claim", "enrolment"):', NOTICES),
    ("sign-offs: missing passes", "dubgate/policy/signoffs.py", "pack, role, Outcome.HOLD, missing", "pack, role, Outcome.PASS, missing", SIGNED),
)  # fmt: skip


# Mutants that no test can tell from the program. Each row says what else makes sure of the same; a row that is about no
# mutant of today turns tests/test_mutant_list.py red.
EQUIVALENT: tuple[Equivalent, ...] = (
    Equivalent(
        "consent/denials.py",
        "_life",
        "without `if coming.end is not None and coming.end <= coming.start`",
        "a window that is over begins now and ends before now: no step lies in it, and nothing interrupts it",
    ),
    Equivalent(
        "consent/store.py",
        "_read_under",
        "without `if len(keys) == 1`",
        "one key has a statement of its own, which is faster; the one for several gives the same entries",
    ),
    Equivalent(
        "consent/writing.py",
        "foresee",
        "without `if len(events) < 2`",
        "what one event asks for is read a little earlier, and the same",
    ),
    Equivalent(
        "dubgate/certificate/opening.py",
        "verifies",
        'without `if self.keytype == "ed25519"`',
        "the library that verifies the other types verifies Ed25519 too, and answers the same",
    ),
)


def all_mutants(root: Path) -> list[Mutant]:
    """Every mutant that can be told from the program, in a fixed order."""
    return [m for m in _mutants(root) if not equivalents(m, root)]


def equivalents(mutant: Mutant, root: Path) -> list[Equivalent]:
    """The rows about this mutant."""
    rows = [e for e in EQUIVALENT if e.file == mutant.file]
    return [e for e in rows if e.is_of(mutant, (root / mutant.file).read_text(encoding="utf-8"))]


def mutants_that_are_equivalent(root: Path) -> list[tuple[Equivalent, list[Mutant]]]:
    """Each row with the mutants that it leaves out."""
    mutants = [*_mutants(root)]
    return [(e, [m for m in mutants if e in equivalents(m, root)]) for e in EQUIVALENT]


def _mutants(root: Path) -> Iterator[Mutant]:
    text = cache(lambda file: (root / file).read_text(encoding="utf-8"))
    made: dict[str, set[str]] = {}
    for mutant in _of_lists(root):
        made.setdefault(mutant.file, set()).add(mutant.change(text(mutant.file)))
        yield mutant
    yield from door_mutants(root, lambda file: made.get(file, set()))


def _of_lists(root: Path) -> Iterator[Mutant]:
    yield from pack_mutants(root)
    for file, tests in GUARDED:
        yield from without_guards(root, file, tests, "guards")
    yield from with_softer_rows(
        root, "dubgate/policy/checks.py", ("tests/policy/test_label_checks.py", *RECORDED, *CLEARANCE), "checks"
    )
    for file, tests in CHECKING:
        yield from with_checks_passed(root, file, tests, "checks")
    for file, tests in COMPARING:
        yield from without_equality(root, file, tests, "comparisons", ABOUT)
    for file, tests in VERIFYING:
        yield from without_verification(root, file, tests, "signatures")
    for name, file, old, new, tests in SINGLE:
        yield Mutant(name, file, tests, replaced(old, new))
    yield from adversary_mutants()
    yield from api_mutants(root)
    yield from api2_mutants(root)
    yield from certificate_mutants(root)
    yield from cert_mutants(root)
    yield from consent_mutants(root)
    yield from desk_mutants(root)
    yield from desk2_mutants(root)
    yield from desk3_mutants(root)
    yield from ja_mutants(root)
    yield from label_mutants(root)
    yield from label2_mutants(root)
    yield from batch_mutants()
    yield from unheard_mutants()
    yield from ears_mutants()
    yield from record_mutants(root)
    yield from red_mutants()
    yield from red3_mutants()
    yield from review_mutants(root)
    yield from seal_mutants(root)
    yield from stranger_mutants(root)
    yield from stranger2_mutants(root)
    yield from stranger3_mutants(root)
    yield from swift_mutants()
    yield from tidy_mutants()
