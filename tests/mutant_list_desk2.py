"""What `make mutants` breaks of what the desk signs, of second accounts, and of the desk's own tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced

SIGNED, INVITING, TABLES = (f"tests/web/test_desk_{n}.py" for n in ("signed", "inviting", "tables"))
GESTURES, PUBLISHED = "tests/consent/test_desk_gestures.py", "tests/service/test_desk_publishing.py"
WEB = "consent/web"


def _of(file: str, *words: str) -> tuple[str, ...]:
    return (file, "-k", f"({' or '.join(words)}) and not postgresql")


HOUSE = _of(GESTURES, "in_the_name", "alone", "nothing_for_its_house")
GESTURE = _of(GESTURES, "exactly", "whole")
UNSIGNED = _of(SIGNED, "whatever_is_said", "without_a_passkey")
SECOND = _of(INVITING, "second", "agree")

# (what, file, old text, new text, tests)
SINGLE = (
    ("anybody signs for a house", "consent/signatures.py", "of_titles and holder.party.house_id == house_id and not", "of_titles and not", HOUSE),
    ("any role signs for its house", "consent/signatures.py", " and not holder.refusal(Role.RIGHTS_HOLDER)", "", HOUSE),
    ("a person says anything for their house", "consent/signatures.py", "return of_titles and holder.party", "return holder.party", HOUSE),
    ("a gesture signs what it does not list", "consent/signatures.py", "    if listed.count(wanted) != 1:", "    if False:", GESTURE),
    ("a gesture may list a record twice", "consent/signatures.py", "listed.count(wanted) != 1", "listed.count(wanted) < 1", GESTURE),
    ("a gesture may say more", "consent/signatures.py", 'set(known) != {"schema", name} or ', "", GESTURE),
    ("any schema of a gesture", "consent/signatures.py", ' and known.get("schema") == schema', "", GESTURE),
    ("what was signed for the house is not counted", "consent/lookup.py", "(*own, *(said if house_id != key.party_id else ()))", "own", _of(GESTURES, "counter")),
    ("what the registry wants signed is recorded unsigned", f"{WEB}/acting.py", "view.store.wants_signatures() and not _needs_none(act)", "False", UNSIGNED),
    ("a suspension wants a passkey", f"{WEB}/acting.py", " and not _needs_none(act)", "", _of(SIGNED, "suspension")),
    ("whoever has no passkey goes on", f"{WEB}/acting.py", "    if not has_passkey(who):\n        raise PasskeyNeededError\n", "", _of(SIGNED, "without_a_passkey")),
    ("what was shown is not in what is signed", f"{WEB}/acting.py", '"shown": tuple(shown) or None, ', "", _of(SIGNED, "whatever_is_said")),
    ("a suspension of an agent is anybody's", f"{WEB}/acting.py", "    if author is None or not who.decides_for(author[0], Role.RIGHTS_HOLDER):\n        raise NotYoursError\n", "", ("tests/web/test_desk_acting.py",)),
    ("anybody's request is answered at the last moment", f"{WEB}/acting.py", "        if not who.decides_for(asked, Role.RIGHTS_HOLDER, *PERFORMING):\n            raise NotYoursError\n", "", ("tests/web/test_desk_acting.py",)),
    ("what the registry refuses is signed first", f"{WEB}/acting.py", "            admit(view, said)\n", "            pass\n", _of(SIGNED, "would_not_take")),
    ("a removed passkey signs in", f"{WEB}/acting.py", "        _forget_passkey(who, event.target_id)\n", "        pass\n", _of(SIGNED, "removed_by_a_signature")),
    ("a recovery revokes in the owner's name", f"{WEB}/recovery.py", ", by=str(agreed[\"approved_by\"]), last_too=True)", ", last_too=True)", _of(SIGNED, "recovery")),
    ("an operator's mail makes accounts", f"{WEB}/pages/accounts.py", '    if who.session.level != "passkey":', "    if False:", _of(INVITING, "without_their_passkey")),
    ("every invitation goes out at once", f"{WEB}/inviting.py", "    if _needs_second(desk, party):", "    if False:", SECOND),
    ("one operator makes another", f"{WEB}/inviting.py", "Role.OPERATOR in party.roles or ", "", _of(INVITING, "no_second_operator")),
    ("an account that ended does not count", f"{WEB}/accounts.py", "query = select(ACCOUNT).where(ACCOUNT.c.party_id == party_id)", "query = select(ACCOUNT).where(ACCOUNT.c.party_id == party_id, ACCOUNT.c.ended_at.is_(None))", _of(INVITING, "ending_an_account")),
    ("who asked agrees", f"{WEB}/inviting.py", 'operator.party_id in (row["asked_by"], row["party_id"])', 'operator.party_id == row["party_id"]', SECOND),
    ("who is invited agrees", f"{WEB}/inviting.py", 'operator.party_id in (row["asked_by"], row["party_id"])', 'operator.party_id == row["asked_by"]', _of(INVITING, "whoever_it_is_for")),
    ("nobody needs to agree", f"{WEB}/inviting.py", 'row["agreed_by"] is None or row["due_at"] is None or parse_time(row["due_at"]) > now', 'row["due_at"] is not None and parse_time(row["due_at"]) > now', _of(INVITING, "no_second_account")),
    ("an invitation waits for nothing", f"{WEB}/inviting.py", ' or parse_time(row["due_at"]) > now', "", SECOND),
    ("anybody stops an invitation", f"{WEB}/inviting.py", "        living &= INVITATION.c.party_id == party_id\n    return desk.tables.run", "        pass\n    return desk.tables.run", _of(INVITING, "its_party_stops")),
    ("nobody is told of another account", f"{WEB}/inviting.py", "        if account.email != email:", "        if False:", SECOND),
    ("the registered address is not told", f"{WEB}/inviting.py", "        known.setdefault(registered.email, registered)\n", "        pass\n", _of(INVITING, "registered_address")),
    ("an address may have two accounts", f"{WEB}/accounts.py", "        if connection.execute(select(ACCOUNT.c.email).where(ACCOUNT.c.email == account.email)).first() is not None:\n            raise RecordError(_TAKEN)\n", "", _of(INVITING, "has_or_had")),
    ("tables that fail break the page", f"{WEB}/rows.py", "    except DBAPIError as error:\n        what = f\"the desk's tables do not answer", "    except ZeroDivisionError as error:\n        what = f\"the desk's tables do not answer", _of(TABLES, "do_not_answer")),
    ("two first accounts at once", f"{WEB}/accounts.py", "if first and connection", "if False and connection", _of(TABLES, "first_accounts")),
    ("a person's name is signed", f"{WEB}/scope.py", "party is None or party.person", "party is None", ("tests/web/test_desk_decisions.py", "-k", "no_person")),
    ("names of the credits are signed", "dubgate/disclosure/writing.py", "for person in told.people if person.name in worded", "for person in told.people", ("tests/disclosure", "-k", "decision")),
    ("somebody else's statements are taken home", f"{WEB}/pages/taken.py", " or not scope.may_take(who, entry.record)", "", _of(SIGNED, "taken_home")),
    ("a house's words about a voice are taken home", f"{WEB}/scope.py", "(of_titles and author[0] in who.ids)", "author[0] in who.ids", _of(SIGNED, "take_home")),
    ("the disclosure speaks of the approval that is asked for", "dubgate/disclosure/writing.py", "*writer.shortly(())", "*writer.social()", ("tests/web/test_desk_judge.py", "-k", "disclosure")),
    ("no disclosure is shown", "dubgate/service/desk_judge.py", "cast, casting, disclosure, clips", "cast, casting, {}, clips", ("tests/web/test_desk_judge.py", "-k", "disclosure")),
)  # fmt: skip


def desk2_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of these, in a fixed order."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"desk: {name}", file, tests, replaced(old, new))
