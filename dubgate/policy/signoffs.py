"""Sign-offs: people in the roles that a pack demands agree to the release, over this sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from consent.vocabulary import Role
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import SILENT, Finding, Group, Outcome, Text
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


ROLES = {
    Role.LOCALIZATION_SUPERVISOR: "ローカライズ監督",
    Role.CREATIVE_LEAD: "クリエイティブ責任者",
    Role.LEGAL: "法務",
    Role.PRODUCTION: "制作",
    Role.RIGHTS_HOLDER: "権利者",
    Role.DUBBING_DIRECTOR: "吹替の演出家",
    Role.REVIEWER: "確認者",
    Role.PERFORMER: "実演家",
    Role.AGENT: "代理人",
    Role.GUARDIAN: "後見人",
    Role.ESTATE: "遺産管理者",
    Role.HEIR: "相続人",
    Role.UNION: "組合",
    Role.LICENSEE: "ライセンシー",
    Role.DUBBING_VENDOR: "吹替制作会社",
    Role.TTS_VENDOR: "音声合成の提供元",
    Role.OPERATOR: "運営者",
}


def of_role(role: Role) -> Text:
    """A role by name, in English and Japanese."""
    return Text(role.replace("_", " "), ROLES[role])


def _asked(pack: Pack, role: Role, mine: Sequence[Signed]) -> Finding:
    no = [s for s in mine if s.record.answer == "refused"]
    name = of_role(role)
    if no:
        words = no[0].record.words
        en = f"The {name.en} refuses: {words or 'without words'}"
        return _finding(pack, role, Outcome.BLOCK, Text(en, f"{name.ja}が拒否しました: {words or '理由なし'}"), no)
    if mine:
        who = ", ".join(s.party for s in mine)
        said = Text(f"The {name.en} agrees ({who}).", f"{name.ja}が承認しました（{who}）。")
        return _finding(pack, role, Outcome.PASS, said, mine)
    missing = Text(f"The {name.en} has not signed off yet.", f"{name.ja}の承認がまだありません。")
    return _finding(pack, role, Outcome.HOLD, missing, ())


def _finding(pack: Pack, role: Role, outcome: Outcome, text: Text, by: Sequence[Signed]) -> Finding:
    name = of_role(role)
    return Finding(
        rule=f"SGN-{role.upper().replace('_', '-')}",
        pack=pack.name,
        group=Group.APPROVAL,
        subject=_PROGRAMME,
        outcome=outcome,
        text=text,
        why=Text(f"the pack {pack.name} demands it", f"規則パック{pack.name}が求めています"),
        remedy=SILENT
        if outcome is Outcome.PASS
        else Text(f"ask the {name.en}: dubgate request", f"{name.ja}に依頼してください（dubgate request）"),
        source=f"{pack.name} {pack.version}",
        who_can_resolve=role.replace("_", " ") if outcome is Outcome.HOLD else None,
        decided_by=tuple(f"sign-off {s.record.record_id} by {s.party}" for s in by),
    )
