"""Sign-offs: people in the roles that a pack demands agree to the release, over this sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from consent.vocabulary import Role
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.policy.packs import Pack
from dubgate.policy.signed_objects import Circumstances, SignOff, VerifiedStatement, refused, sorted_out

Signed = VerifiedStatement[SignOff]

_PROGRAMME = Subject(Scope.PROGRAMME)


def sign_off_findings(packs: Sequence[Pack], sign_offs: Iterable[Signed], now: Circumstances) -> tuple[Finding, ...]:
    """For each role that a pack demands: agreed, refused (blocks) or missing (holds); and what has no effect.

    A refusal by anybody in the role decides. Who is of the submitter's house signs nothing off. One person agrees in
    one role, unless the pack says that the team is small.
    """
    good, bad = sorted_out(sign_offs, now)
    demanded = [(pack, role) for pack in packs for role in pack.sign_offs]
    counted = [s for s in good if _counts(s, {role for _, role in demanded}, now)]
    idle = [s for s in good if s not in counted]
    why = "no pack demands it, its signer may not sign in this role, or is of the house that submitted"
    asked = (_asked(pack, role, _of_another(pack, role, counted)) for pack, role in demanded)
    return (*asked, *bad, *(refused(s, why) for s in idle))


def _of_another(pack: Pack, role: Role, counted: Sequence[Signed]) -> list[Signed]:
    """The sign-offs in a role; where the team is not small, without a yes of who agreed in a role named before it."""
    mine = [s for s in counted if s.record.role is role]
    if pack.small_team:
        return mine
    before = pack.sign_offs[: pack.sign_offs.index(role)]
    said = {s.party for s in counted if s.record.role in before and s.record.answer == "agreed"}
    return [s for s in mine if s.record.answer == "refused" or s.party not in said]


def _counts(sign_off: Signed, demanded: set[Role], now: Circumstances) -> bool:
    role = sign_off.record.role
    return role in demanded and role in sign_off.roles and sign_off.house not in now.submitters | now.vendor_houses


def _asked(pack: Pack, role: Role, mine: Sequence[Signed]) -> Finding:
    no = [s for s in mine if s.record.answer == "refused"]
    name = role.replace("_", " ")
    if no:
        words = no[0].record.words or "without words"
        en, ja = f"The {name} refuses: {words}", f"{name}が拒否しました: {words}"
        return _finding(pack, role, Outcome.BLOCK, Text(en, ja), no)
    if mine:
        who = ", ".join(s.party for s in mine)
        return _finding(
            pack, role, Outcome.PASS, Text(f"The {name} agrees ({who}).", f"{name}が承認しました（{who}）。"), mine
        )
    return _finding(
        pack, role, Outcome.HOLD, Text(f"The {name} has not signed off yet.", f"{name}の承認がまだありません。"), ()
    )


def _finding(pack: Pack, role: Role, outcome: Outcome, text: Text, by: Sequence[Signed]) -> Finding:
    return Finding(
        rule=f"SGN-{role.upper().replace('_', '-')}",
        pack=pack.name,
        group=Group.APPROVAL,
        subject=_PROGRAMME,
        outcome=outcome,
        text=text,
        why=f"the pack {pack.name} demands it",
        remedy="" if outcome is Outcome.PASS else f"ask the {role.replace('_', ' ')}: dubgate request",
        source=f"{pack.name} {pack.version}",
        who_can_resolve=role.replace("_", " ") if outcome is Outcome.HOLD else None,
        decided_by=tuple(f"sign-off {s.record.record_id} by {s.party}" for s in by),
    )
