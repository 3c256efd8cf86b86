"""What `make mutants` breaks in the consent registry, and which tests must notice: each denial, check and proof."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced, without_calls, without_guards, without_yields

NOT_SLOW = ("-k", "not postgres and not anywhere_in_the_stored and not sixty_times and not fall_over")
# Laws of thousands of cases are for the tests themselves; what they would catch, the others catch sooner.
FEW_CASES = ("-k", "not covers_a_place and not whole_window and not last_recorded_end and not wider_grant_never")
DENIALS = ("tests/consent/test_denials.py", *FEW_CASES)
APPROVALS = ("tests/consent/test_rights_and_approvals.py", "tests/consent/test_standing_approvals.py", *FEW_CASES)
IDENTIFIERS = ("tests/consent/test_identifiers.py",)
LAWS = ("tests/consent/test_denials.py", "tests/consent/test_consent_laws.py", *FEW_CASES)
SIGNATURES = (
    "tests/consent/test_signatures.py",
    "tests/consent/test_desk_gestures.py",
    "tests/consent/test_passkeys.py",
    "tests/consent/test_registry_attacks.py",
    *NOT_SLOW,
)
ADMISSION = (
    "tests/consent/test_consent_registry.py",
    "tests/consent/test_registry_attacks.py",
    "tests/consent/test_signatures.py",
    "tests/consent/test_desk_gestures.py",
    "tests/consent/test_consent_races.py",
    "tests/consent/test_passkeys.py",
    *NOT_SLOW,
)
AUDIT = (
    "tests/consent/test_audit.py",
    "tests/consent/test_registry_attacks.py",
    "-k",
    "not postgres and not sixty_times",
)
CHECKPOINTS = ("tests/consent/test_audit.py", "tests/consent/test_registry_attacks.py", *NOT_SLOW)
SEALING = ("tests/consent/test_consent_sqlite.py", "tests/consent/test_registry_attacks.py", *NOT_SLOW)
BACKUPS = ("tests/consent/test_backup.py", "tests/consent/test_erasure.py", "-k", "not postgres")
LEDGER = ("tests/consent/test_ledger.py",)
SPENDING = (
    "tests/consent/test_standing_approvals.py",
    "tests/consent/test_consent_races.py",
    "tests/consent/test_registry_attacks.py",
    *NOT_SLOW,
)

# (file, tests): every reason or problem that is yielded is left unsaid.
YIELDING = (
    ("consent/denials.py", DENIALS),
    ("consent/who_grants.py", DENIALS),
    ("consent/approvals.py", APPROVALS),
    ("consent/rights.py", APPROVALS),
    ("consent/quorum.py", APPROVALS),
    ("consent/audit.py", AUDIT),
    ("consent/signature_audit.py", AUDIT),
)
# (file, tests): every guard in the file is removed in turn.
GUARDED = (
    ("consent/denials.py", DENIALS),
    ("consent/who_grants.py", DENIALS),
    ("consent/approvals.py", APPROVALS),
    ("consent/rights.py", APPROVALS),
    ("consent/events.py", LAWS),
    ("consent/admission.py", ADMISSION),
    ("consent/impartial.py", ADMISSION),
    ("consent/metering.py", SPENDING),
    ("consent/parties.py", SIGNATURES),
    ("consent/signatures.py", SIGNATURES),
    ("consent/signature_audit.py", AUDIT),
    ("consent/checkpoint.py", CHECKPOINTS),
    ("consent/sealing.py", SEALING),
    ("consent/backup.py", BACKUPS),
    ("consent/ledger.py", LEDGER),
    ("consent/ids.py", (*IDENTIFIERS, "tests/consent/test_consent_laws.py")),
    ("consent/languages.py", (*IDENTIFIERS, "tests/consent/test_consent_laws.py")),
    ("consent/evidence.py", ADMISSION),
)
# (file, what is called, tests): every call that only checks is left out.
CALLING = (
    (
        "consent/admission.py",
        r"_once|_parties|_titles|_voices|_authority|_standing_of|_sensible|require_\w+",
        ADMISSION,
    ),
    ("consent/impartial.py", r"require_\w+|_of_\w+", ADMISSION),
    ("consent/signatures.py", r"_same_record", SIGNATURES),
    ("consent/ids.py", r"_require_check", IDENTIFIERS),
    ("consent/writing.py", r"admit|check_envelope|self\._spend|self\._forget_unpermitted", ADMISSION),
    ("consent/registry.py", r"self\._flush", ("tests/consent/test_erasure.py", "-k", "not postgres")),
)
# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("quorum: anybody's approval counts", "consent/quorum.py", "own = [h for h in approvals if h.approval.for_holder_id in claim.holder_ids]", "own = list(approvals)", ADMISSION),
    ("quorum: any kind counts", "consent/quorum.py", "if h.approval.kind is kind or (", "if True or (", APPROVALS),
    ("quorum: one holder is enough", "consent/quorum.py", "len(given) >= needed[claim.quorum]", "bool(given)", APPROVALS),
    ("quorum: anybody leads", "consent/quorum.py", "claim.lead_id in given if", "bool(given) if", APPROVALS),
    ("quorum: a refusal is outvoted", "consent/quorum.py", "or set(refused) - given:", ":", APPROVALS),
    ("quorum: a refusal after an approval is not heard", "consent/quorum.py", "or refused[holder] < when}", "or True}", APPROVALS),
    ("quorum: any sound is refused", "consent/quorum.py", "any(same_sound(s, candidate) for s in approval.sounds)", "True", APPROVALS),
    ("quorum: any language is refused", "consent/quorum.py", "return languages.overlap(approval.language, candidate.language)", "return True", LAWS),
    ("quorum: any title is refused", "consent/quorum.py", " or approval.title_id not in candidate.title_ids:", ":", LAWS),
    ("quorum: every country of the release", "consent/quorum.py", "there = _within(candidate, claim)", "there = candidate", APPROVALS),
    ("rights: a claim that was withdrawn", "consent/rights.py", "        and history.stands(at)\n", "", APPROVALS),
    ("rights: a claim on another title", "consent/rights.py", "        claim.title_id in title.title_ids\n        and claim", "        claim", APPROVALS),
    ("rights: a claim on another right", "consent/rights.py", "        and claim.right is right\n", "", APPROVALS),
    ("rights: a claim for a part of the window", "consent/rights.py", "spoken and claim.term.contains(use.window)", "spoken", APPROVALS),
    ("rights: whoever recorded it confirms it", "consent/rights.py", "e.event.by != self.claim.recorded_by and e.counts(at)", "e.counts(at)", APPROVALS),
    ("rights: an unconfirmed claim covers", "consent/rights.py", "if h.confirmed(at) and _spans(h.claim, use)]", "if _spans(h.claim, use)]", APPROVALS),
    ("rights: contested for ever", "consent/rights.py", "disputes[-1] is EventKind.CONTESTED", "disputes[0] is EventKind.CONTESTED", APPROVALS),
    ("refusals: of another voice", "consent/rights.py", "        and by_voice\n", "", APPROVALS),
    ("refusals: lifted ones stand", "consent/rights.py", "fold(history.events, known_at=at, born=history.recorded_at).alive(at)", "True", APPROVALS),
    ("refusals: the voices of a blend", "consent/lookup.py", "(voice.blend_of if voice else ())", "()", ADMISSION),
    ("refusals: the titles above", "consent/lookup.py", 'found = self._all([*(f"title:{t}" for t in use.title_ids), *(', 'found = self._all([f"title:{use.title_ids[0]}", *(', ADMISSION),
    ("stolen keys: what they opened stays open", "consent/lookup.py", 'return self.discredited_at(entry) if opens and event.target != "key" else None', "return None", ADMISSION),
    ("stolen keys: what they ended opens again", "consent/lookup.py", 'opens = event.kind in LOOSENING or event.target == "refusal"', "opens = True", ADMISSION),
    ("stolen keys: a lifted refusal stays lifted", "consent/lookup.py", ' or event.target == "refusal"', "", ADMISSION),
    ("stolen keys: permissions stay", "consent/views.py", "            and ((gone := self.discredited_at(e)) is None or at < gone)\n", "", ADMISSION),
    ("stolen keys: enrolments stay confirmed", "consent/views.py", "e.event.kind is EventKind.CONFIRMED and e.counts(at))", "e.event.kind is EventKind.CONFIRMED)", ADMISSION),
    ("stolen keys: a witness who came later", "consent/lookup.py", "if e.leaf_index < first.leaf_index)\n        return", ")\n        return", SIGNATURES),
    ("stolen keys: any entry was seen", "consent/lookup.py", "return None if entry.leaf_index < max(seen, default=0) else", "return None if list(seen) else", SIGNATURES),
    ("stolen keys: they count for ever", "consent/events.py", " and (self.discredited_at is None or known_at < self.discredited_at)", "", ADMISSION),
    ("time: what is recorded later counts", "consent/events.py", "return self.recorded_at <= known_at and (", "return (", LAWS),
    ("time: an end reaches back", "consent/events.py", "    if event.kind in TERMINAL:\n        return _insert(steps, Step(late, event.kind))", "    if event.kind in TERMINAL:\n        return _insert(steps, Step(event.effective_at, event.kind))", LAWS),
    ("time: a giving reaches behind an end", "consent/events.py", "Step(late if ended else event.effective_at, event.kind)", "Step(event.effective_at, event.kind)", LAWS),
    ("time: a resumption opens anything", "consent/events.py", "before[-1].kind is not EventKind.SUSPENDED or ", "", LAWS),
    ("metering: a spending rides on another", "consent/events.py", "settles = ref in meter and ref not in spent", "settles = ref in meter", SPENDING),
    ("metering: given back after it was spent", "consent/events.py", "event.kind is EventKind.USE_RELEASED and ref not in spent", "event.kind is EventKind.USE_RELEASED", DENIALS),
    ("metering: uses", "consent/metering.py", "if over or longer:", "if longer:", SPENDING),
    ("metering: minutes", "consent/metering.py", "if over or longer:", "if over:", SPENDING),
    ("metering: what is left already", "consent/metering.py", "fold((*view.events(key), coming), known_at=view.now)", "fold((coming,), known_at=view.now)", SPENDING),
    ("releases: refusals are not looked up", "consent/writing.py", "        denials += [d for p in planned for d in self._refused(p)]\n", "", SPENDING),
    ("releases: approvals are not looked up", "consent/writing.py", "        denials += self._unapproved(release, candidate)\n", "", SPENDING),
    ("releases: grants are not looked up", "consent/writing.py", "denials = [d for clearance in asked for d in clearance.denials]", "denials: list[Denial] = []", SPENDING),
    ("releases: an approval of another title", "consent/writing.py", "return [*denials, *(_OF_ANOTHER_TITLE for a in release.approval_ids if a not in known)]", "return denials", SPENDING),
    ("releases: any grant of the voice", "consent/writing.py", "if (use.voice_id, g.grant_id) in named]", "if named or g]", SPENDING),
    ("blends: its voices are not asked", "consent/views.py", "for source in voice.blend_of]\n", "for source in ()]\n", ADMISSION),
    ("signatures: not demanded", "consent/writing.py", "self._signatures_required and isinstance(record, SIGNED_KINDS)", "False and isinstance(record, SIGNED_KINDS)", SIGNATURES),
    ("signatures: another party's key", "consent/signatures.py", "if holder is None or not (holder.party.party_id == author[0] or _for_its_house(holder, record, author[0])):", "if holder is None:", SIGNATURES),
    ("keys: after their validity", "consent/parties.py", "if not Window(start=key.not_before, end=key.not_after).holds(at):", "if False:", SIGNATURES),
    ("keys: a role that the key lacks", "consent/parties.py", "set(roles) & set(self.key.roles) & set(self.party.roles)", "set(roles) & set(self.party.roles)", SIGNATURES),
    ("checkpoints: of any origin", "consent/audit.py", "if checkpoint.origin != origin:", "if False:", CHECKPOINTS),
    ("checkpoints: rolled back", "consent/audit.py", "elif checkpoint.size > len(walk.leaves):", "elif False:", CHECKPOINTS),
    ("checkpoints: rewritten", "consent/audit.py", "elif ledger.root(checkpoint.size, walk.node) != checkpoint.root:", "elif False:", CHECKPOINTS),
    ("audit: anybody's erasure excuses a loss", "consent/audit.py", "elif self.erased.get(index) != _holder(entry.record):", "elif index not in self.erased:", AUDIT),
    ("audit: today's keys judge the past", "consent/signature_audit.py", "self.now = entry.recorded_at", "self.now = datetime.max.replace(tzinfo=entry.recorded_at.tzinfo)", AUDIT),
    ("erasure: the key stays", "consent/store.py", "        self.connection.execute(delete(PERSON_KEY).where(PERSON_KEY.c.holder == holder))\n", "", SEALING),
    ("erasure: the content stays", "consent/store.py", "        self.connection.execute(delete(SEALED).where(SEALED.c.holder == holder))\n", "", SEALING),
    ("erasure: kept without permission", "consent/writing.py", "if PermissionKind.KEEP in kinds and kinds & {PermissionKind.MATCH, PermissionKind.PROTECT}:\n            return False", "if True:\n            return False", ADMISSION),
)  # fmt: skip


def consent_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of the registry, in a fixed order."""
    for file, tests in YIELDING:
        yield from without_yields(root, file, tests, "consent denials")
    for file, tests in GUARDED:
        yield from without_guards(root, file, tests, "consent guards")
    for file, about, tests in CALLING:
        yield from without_calls(root, file, tests, "consent checks", about)
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"consent {name}", file, tests, replaced(old, new))
