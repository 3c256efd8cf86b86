"""The words that reports share: decisions, outcomes and bounds in English and Japanese."""

from __future__ import annotations

from dubgate.policy.findings import Group, Outcome, Text
from dubgate.policy.verdict import Decision, Verdict

OUTCOMES = {
    Outcome.BLOCK: Text("block", "不可"),
    Outcome.HOLD: Text("hold", "保留"),
    Outcome.UNKNOWN: Text("not known", "判定不能"),
    Outcome.WARN: Text("note", "注意"),
    Outcome.WAIVED: Text("waived", "容認"),
    Outcome.PASS: Text("passed", "合格"),
    Outcome.NOT_APPLICABLE: Text("not asked", "対象外"),
}
GROUPS = {
    Group.QUALITY: Text("quality", "品質"),
    Group.CONSENT: Text("consent", "同意"),
    Group.LABEL: Text("AI label", "AI表示"),
    Group.APPROVAL: Text("approval", "承認"),
    Group.RECORD: Text("record", "記録"),
    Group.INTEGRITY: Text("integrity", "整合性"),
}
METRIC_GROUPS = {
    "timing": Text("timing", "タイミング"),
    "prosody": Text("expression", "抑揚"),
    "voice": Text("voices", "声"),
    "content": Text("words", "内容"),
    "level": Text("level", "音量"),
    "glitch": Text("damage", "音の傷"),
}
_RELEASE = {
    Decision.RELEASE: (
        Text("Release", "公開可"),
        Text("every check was made and passed", "すべての検査に合格しました"),
    ),
    Decision.HOLD: (
        Text("Hold", "保留"),
        Text("people have to decide, or something could not be measured", "人の判断が必要か、測れない項目があります"),
    ),
    Decision.BLOCK: (Text("Block", "公開不可"), Text("this may not be released", "このままでは公開できません")),
}
_QUALITY = {
    Decision.RELEASE: (Text("Nothing to hold", "保留事項なし"), Text("nothing was found that holds this dub", "この吹替を止める問題は見つかりませんでした")),
    Decision.HOLD: (Text("Hold", "保留"), Text("listen to what follows before going on", "先へ進む前に以下の箇所を聴いてください")),
    Decision.BLOCK: (Text("Block", "不可"), Text("the dub is broken as a whole", "吹替全体に問題があります")),
}  # fmt: skip
_ONLY_OPEN = Text(
    "nothing that could be measured is wrong; what could not be measured holds",
    "測定できた項目に問題はありません。測定できない項目があるため保留です",
)
QUALITY_ONLY = Text("quality only, not a release", "品質検査のみ（公開の判定ではありません）")


def decision_word(decision: str, *, quality_only: bool) -> Text:
    """The decision of a stored report in a word: what looked at quality alone releases nothing."""
    return (_QUALITY if quality_only else _RELEASE)[Decision[decision.upper()]][0]


def decided(verdict: Verdict) -> tuple[Text, Text]:
    """The decision as a word and as half a sentence."""
    word, sentence = (_QUALITY if verdict.quality_only else _RELEASE)[verdict.decision]
    if verdict.quality_only and {f.outcome for f in verdict.findings if f.outcome > Outcome.WARN} == {Outcome.UNKNOWN}:
        return word, _ONLY_OPEN
    return word, sentence
