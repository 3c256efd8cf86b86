"""What `make mutants` breaks in the review desk: who sees what, what is signed, what counts once, and what the gate keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced

ABUSE, DECIDED, SIGN_IN, SIGNED = (f"tests/web/test_desk_{n}.py" for n in ("abuse", "decisions", "sign_in", "signed"))
GATE, RECORDS = "tests/web/test_desk_judge.py", "tests/consent/test_desk_records.py"
WEB = "consent/web"


def _of(file: str, *words: str) -> tuple[str, ...]:
    return (file, "-k", f"({' or '.join(words)}) and not postgresql")


OTHERS = _of(ABUSE, "others", "concerns")
FORGED = _of(ABUSE, "forged", "somebody_elses", "removed_passkey")
SITE = _of(ABUSE, "another_site", "another_sessions")
CONDITIONS = _of(RECORDS, "condition")
LISTED = _of(RECORDS, "list")
HELD = _of(GATE, "ledger")

# (what, file, old text, new text, tests)
SINGLE = (
    ("anybody's voice is one's own", f"{WEB}/scope.py", "voice is None or who.party_id not in (voice.owner_id, *voice.agent_ids)", "voice is None", OTHERS),
    ("anybody's grant is one's own", f"{WEB}/scope.py", "not found or who.party_id not in view.concerned(found[0][1])", "not found", OTHERS),
    ("anybody's title is one's own", f"{WEB}/scope.py", "title is None or not held_by(view, who) & set(title.title_ids)", "title is None", OTHERS),
    ("anybody's request is one's own", f"{WEB}/scope.py", "not found or not who.ids & {found[0].request.to, found[0].request.asked_by}", "not found", OTHERS),
    ("a claim that does not count opens a title", f"{WEB}/scope.py", "for e, c in mine if claim_counts(view, e, c, view.now)", "for e, c in mine", _of(ABUSE, "claim_that_does_not")),
    ("anybody hears everything", f"{WEB}/pages/deliveries.py", "    if not allowed(view, who, found.summary):\n        raise NotYoursError\n", "", OTHERS),
    ("anybody answers", f"{WEB}/pages/deliveries.py", "        return found.summary\n    raise NotYoursError", "        return found.summary\n    return found.summary", OTHERS),
    ("excerpts are of anything", f"{WEB}/pages/listening.py", "    if not whole and not inside:", "    if False:", _of(ABUSE, "excerpts")),
    ("excerpts are of any length", f"{WEB}/pages/listening.py", "not 0 <= start < end <= start + EXCERPT_S", "not 0 <= start < end", _of(ABUSE, "excerpts")),
    ("every operator's page is everybody's", f"{WEB}/pages/accounts.py", "    if not who.operator:", "    if False:", OTHERS),
    ("a house's reviewer answers for it", f"{WEB}/pages/requests.py", "    if not who.decides_for(scope.request_of(view, who, request_id).request.to, Role.RIGHTS_HOLDER, *PERFORMING):", "    if scope.request_of(view, who, request_id) is None:", _of(SIGNED, "reviewer_of_the_house")),
    ("another origin's form counts", f"{WEB}/visiting.py", "if origin != desk_of(request).settings.origin or", "if", SITE),
    ("a form from another site counts", f"{WEB}/visiting.py", ' or site != "same-origin"', "", SITE),
    ("a form needs no token", f"{WEB}/visiting.py", "    if not who.session.says(form.get(\"csrf\")):\n        raise RefusedFormError(\"refused.csrf\")\n", "", SITE),
    ("forms are not counted", f"{WEB}/visiting.py", 'f"form {who.account.account_id}", 120,', 'f"form {who.account.account_id}", 10**9,', _of(ABUSE, "too_many_forms")),
    ("any passkey signs for anybody", f"{WEB}/signing.py", " or key.party_id != who.party_id", "", _of(ABUSE, "somebody_elses")),
    ("a revoked passkey goes on", f"{WEB}/signing.py", "        if holder.problem:\n            raise CeremonyError(\"ceremony.ended_passkey\")\n", "", _of(ABUSE, "removed_passkey")),
    ("a statement is signed again and again", f"{WEB}/ceremonies.py", "    if row[\"used_at\"] is not None:\n        raise CeremonyError(\"ceremony.used\")\n", "", _of(ABUSE, "replayed")),
    ("a statement waits for ever", f"{WEB}/ceremonies.py", "    if row[\"expires_at\"] <= iso(desk.clock()):\n        raise CeremonyError(\"ceremony.late\")\n", "", _of(ABUSE, "ten_minutes")),
    ("another account's statement is shown", f"{WEB}/ceremonies.py", ' or row["account_id"] != account_id', "", _of(ABUSE, "somebody_elses")),
    ("what the gate shows need not be what was asked", f"{WEB}/pages/requests.py", "        if story.differs:\n            raise RecordError(text(\"decide.differs\", who.language))\n        record = approval_of(", "        record = approval_of(", _of(ABUSE, "other_bytes")),
    ("one passkey is enough", f"{WEB}/pages/requests.py", "    if not accounts.well_kept(who.desk, who.account.account_id):", "    if False:", _of(SIGN_IN, "second_way")),
    ("a double click counts twice", f"{WEB}/once.py", "    first = sessions.use_nonce(who.desk, number)\n", "    first = sessions.use_nonce(who.desk, number) or True\n", _of(ABUSE, "double_click")),
    ("a failed form may not be sent again", f"{WEB}/once.py", "            sessions.give_back_nonce(who.desk, number)\n", "            pass\n", _of(ABUSE, "may_be_sent_again")),
    ("wider territories are approved", f"{WEB}/deciding.py", "terms.territories and not expand(terms.territories) <= asked", "False", _of(ABUSE, "beyond")),
    ("a later end is approved", f"{WEB}/deciding.py", "terms.until <= release.window.start or (release.window.end is not None and terms.until > release.window.end)", "False", _of(ABUSE, "beyond")),
    ("what was shown is not signed", f"{WEB}/deciding.py", "        shown=shown,\n", "", _of(DECIDED, "everything_that_was_shown", "one_character")),
    ("a withdrawal needs no reading", f"{WEB}/pages/grants.py", 'if word == "withdraw" and not form.get("sure"):', "if False:", _of(DECIDED, "consequences_first")),
    ("a large body is read", f"{WEB}/guard.py", "int(length) > MAX_BODY_BYTES", "False", _of(ABUSE, "megabyte")),
    ("a used link works", f"{WEB}/sessions.py", "alive = LINK.c.used_at.is_(None) & (LINK.c.expires_at > iso(desk.clock()))", "alive = LINK.c.expires_at > iso(desk.clock())", _of(SIGN_IN, "once_and_only", "earlier_link")),
    ("a link never ends", f"{WEB}/sessions.py", " & (LINK.c.expires_at > iso(desk.clock()))", "", _of(SIGN_IN, "expired")),
    ("a session never ends", f"{WEB}/sessions.py", "if now >= expires or now - seen >= desk.settings.idle:", "if now - seen >= desk.settings.idle:", _of(SIGN_IN, "half_a_day")),
    ("a session may lie open", f"{WEB}/sessions.py", " or now - seen >= desk.settings.idle", "", _of(SIGN_IN, "half_a_day")),
    ("signing out ends nothing", f"{WEB}/sessions.py", ' or row["ended_at"] is not None', "", _of(SIGN_IN, "signing_out")),
    ("a link adds passkeys", f"{WEB}/pages/security.py", "    return accounts.n_passkeys(who.desk, who.account.account_id) == 0", "    return True", _of(SIGN_IN, "by_a_link_alone")),
    ("a code works again", f"{WEB}/accounts.py", " & CODE.c.used_at.is_(None)\n    return", "\n    return", _of(SIGN_IN, "recovery_code")),
    ("one agrees to one's own recovery", f"{WEB}/recovery.py", "    if account.party_id == operator.party_id:\n        raise RecordError(\"nobody agrees to the recovery of their own account\")\n", "", _of(SIGN_IN, "own_recovery")),
    ("a recovery waits for nothing", f"{WEB}/recovery.py", ' or parse_time(row["due_at"]) > now', "", _of(SIGN_IN, "recovery_needs")),
    ("a recovery revokes nothing", f"{WEB}/recovery.py", "        unkeying.remove_passkey(desk, account, row[\"credential_id\"], by=str(agreed[\"approved_by\"]), last_too=True)\n", "        pass\n", _of(SIGN_IN, "recovery_needs")),
    ("any shorter ledger is the same", f"{WEB}/pages/checkpoint.py", "    if old.size > head.size:\n        return \"shorter\"\n", "", _of(SIGN_IN, "checkpoint")),
    ("any history is the same", f"{WEB}/pages/checkpoint.py", 'return "same" if _is_beginning(registry, old, head) else "rewritten"', 'return "same"', _of(SIGN_IN, "checkpoint")),
    ("anybody closes a condition", "consent/conditions.py", "for event in said if event.by in own", "for event in said", CONDITIONS),
    ("any condition is met", "consent/conditions.py", "if c not in met", "if not met", CONDITIONS),
    ("conditions are not asked", "consent/approvals.py", "set(open_conditions(approval, history.events, at)) - set(candidate.conditions_met)", "set()", CONDITIONS),
    ("any list signs any approval", "consent/signatures.py", "    if own != [wanted]:", "    if False:", LISTED),
    ("a list may say more", "consent/signatures.py", 'set(known) != {"schema", name} or ', "", LISTED),
    ("unsigned approvals of the ledger count", "dubgate/policy/approval_checks.py", "if not history.signed or", "if", HELD),
    ("an answer is kept unread", "dubgate/service/desk_answers.py", "        _require_good(place, envelope, sound, view, at)\n", "", _of(GATE, "does_not_verify")),
    ("an answer about another sound is kept", "dubgate/service/desk_answers.py", "    if sound not in named:\n        raise CannotAnswerError(\"it is about another sound\")\n", "", _of(GATE, "does_not_verify")),
    ("whoever submitted answers", "dubgate/service/desk_judge.py", "        if kept[0].submitter == by:\n            raise CannotAnswerError(\"whoever submitted a delivery does not answer about it\")\n", "", _of(GATE, "submitter")),
    ("consent is waived", "dubgate/service/desk_answers.py", "    if not is_waivable(finding):\n        raise CannotAnswerError(\"only a failed rule of quality can be waived\")\n", "", _of(GATE, "never_waived")),
)  # fmt: skip


def desk_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of the desk, in a fixed order."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"desk: {name}", file, tests, replaced(old, new))
