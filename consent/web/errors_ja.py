"""The registry's errors, and a gate's, as the desk tells them in Japanese; whoever raises them has the English.

`{0}` carries an id over; `{0:told}` is told in Japanese. Written by a machine from the English.
"""

from __future__ import annotations

from consent.sentences import Sentences
from consent.web.catalogue import catalogue

_KNOWN = {
    "no party {0} is registered": "{0}という当事者は登録されていません",
    "no title {0} is registered": "{0}という作品は登録されていません",
    "no voice {0} is registered": "{0}という声は登録されていません",
    "no grant {0} is registered": "{0}という同意は登録されていません",
    "no approval {0} is registered": "{0}という承認は登録されていません",
    "no {0} {1} is registered": "{1}は登録されていません（{0}）",
    "an event of this id is already recorded": "この番号の出来事はすでに記録されています",
    "a record of this id is already there": "この番号の記録はすでにあります",
    "another title already has the identifier {0}": "識別子{0}は別の作品に登録されています",
    "{0} is not the version before this one": "{0}はこの一つ前の版ではありません",
    "this public key is already registered, and a key has one owner": "この公開鍵はすでに登録されています。鍵の持ち主は一人です",
    "this passkey's credential is already registered": "このパスキーはすでに登録されています",
    "this registry wants its author's signature": "この登録簿には作成者の署名が必要です",
    "such a record is not signed": "この種の記録には署名しません",
    "the passkey's counter says a number twice: it may have been copied": "パスキーのカウンターが同じ数を示しました。複製されたおそれがあります",
    "something else was signed: {0}": "別の内容に署名されています: {0}",
    "something else was signed: it is not one of the records": "別の内容に署名されています。記録のどれでもありません",
}  # fmt: skip

_WHO_MAY = {
    "{0} does not have the role {1}": "{0}には役割「{1:told}」がありません",
    "{0} is not a rights holder": "{0}は権利者ではありません",
    "{0} is not the owner of the voice {1}": "{0}は声{1}の持ち主ではありません",
    "{0} is not an agent of the voice {1}": "{0}は声{1}の代理人ではありません",
    "{0} grants as {1} without the role {2}": "{0}は役割「{2:told}」がないまま、{1:told}として同意しています",
    "{0} does not speak for the voice {1}": "{0}は声{1}について答えられません",
    "{0} does not act for {1}": "{0}は{1}を代表していません",
    "{0} may not record {1} for {2} {3}": "{0}は{3}（{2}）に「{1:told}」を記録できません",
    "{0} is not a second operator, who alone can confirm a claim or settle a contest": "{0}は二人目の運営者ではありません。主張の確認と争いの解決は、二人目の運営者だけができます",
    "only {0} can lift this refusal, and an operator declare it invalid": "この拒否を取り下げられるのは{0}だけで、無効にできるのは運営者です",
    "only {0} may say this": "これを言えるのは{0}だけです",
    "only {0} may object to this use": "この利用に異議を述べられるのは{0}だけです",
    "{0} said this no: only they, or who decides for {1}, may lift it": "{0}が断りました。取り下げられるのは、本人か{1}の決定者だけです",
    "a claim is confirmed by somebody other than who recorded it": "主張を確認するのは、記録した人とは別の人です",
    "whoever submitted a delivery does not answer about it": "納品した人は、その納品に回答できません",
    "a second operator agrees, neither who asked nor who is invited": "同意するのは、申請者でも招待される人でもない、二人目の運営者です",
    "nobody agrees to the recovery of their own account": "自分のアカウントの復旧には同意できません",
    "somebody has agreed already": "すでに別の人が同意しています",
}  # fmt: skip

_NO_LONGER = {
    "the request is {0}, no longer open": "依頼の状態は「{0:told}」で、もう回答を待っていません",
    "the request has already expired": "依頼の期限が過ぎています",
    "a request is not {0}": "依頼に「{0:told}」は記録できません",
    "a notice of use is not {0}": "利用の通知に「{0:told}」は記録できません",
    "only a refusal can be lifted": "取り下げられるのは拒否だけです",
    "the time to object ended on {0}": "異議を述べる期限は{0}に終わりました",
    "the holder has {0} hours to object, from now on": "権利者には、今から{0}時間の異議の期間が必要です",
    "the notice goes to {0}, for whom the approval was given": "通知の宛先は、承認の主である{0}です",
    "the holder was already told of this use": "この利用はすでに権利者に通知されています",
    "the standing approval's number of uses is used up": "包括承認の回数を使い切りました",
    "the grant has not so many uses or minutes left": "同意に残っている回数または分数が足りません",
    "{0} is no standing approval of this registry": "{0}という包括承認はこの登録簿にありません",
    "the approval has already expired": "承認の期限が過ぎています",
    "only a suspension can be resumed": "再開できるのは停止中のものだけです",
    "only what stands can be suspended": "停止できるのは有効なものだけです",
    "only a grant is given or renewed; record a new one of the others": "与える・更新するのは同意だけです。ほかは新しく記録してください",
    "the grant says that it cannot be withdrawn": "撤回できないと定めた同意です",
    "a single holder needs no quorum of several": "権利者が一人の場合、複数の定足数は不要です",
    "an erasure is recorded by erasing": "消去は、消去することで記録されます",
    "what the witness saw is not the beginning of this ledger": "証人が見たものは、この台帳の始まりではありません",
    "there is no such finding any more: the delivery was judged again": "その指摘はもうありません。納品が判定し直されました",
    "there is no such delivery any more": "その納品はもうありません",
    "the delivery was not judged yet": "納品はまだ判定されていません",
    "the request is about another sound now": "依頼の対象が別の音声になりました",
    "no such passkey": "そのパスキーはありません",
    "no such invitation is under way": "その招待は進行していません",
    "no such recovery is under way": "その復旧は進行していません",
}  # fmt: skip

_VOICES_AND_SOUND = {
    "the voice {0} has not permitted that a template is kept for matching or protection": "声{0}には、照合や保護のための登録データの保存が許可されていません",
    "the voice {0} already has the enrolment {1} for this encoder": "声{0}には、この照合モデルの登録{1}がすでにあります",
    "there is no standing enrolment {0} to supersede": "置き換えるべき有効な登録{0}がありません",
    "an enrolment comes with a vector of its dimension": "登録には、その次元の声のデータが必要です",
    "only an enrolment carries a vector": "声のデータを持つのは登録だけです",
    "only parties and voices have names": "名前を持つのは当事者と声だけです",
    "a planned voice is cleared by none of the grants that the release names": "公開が挙げる同意では、予定された声を使えません",
    "a release under the standing approval {0} says what is delivered": "包括承認{0}による公開では、納品の内容を示してください",
    "what is said to be delivered is not the sound of the release": "納品とされた音声が、公開の音声と異なります",
    "the delivery's sound has no digest": "納品の音声にダイジェストがありません",
    "only a failed rule of quality can be waived": "免除できるのは、品質の規則の不合格だけです",
    "no role signs this off": "これを承認する役割はありません",
    "larger than 4 MB": "4 MBを超えています",
    "no gate asks for such a statement": "この種の署名は求められていません",
    "it is about another sound": "別の音声についてのものです",
}  # fmt: skip

_FORMS = {
    "not an e-mail address": "メールアドレスではありません",
    "this address already has an account, or had one": "このアドレスにはアカウントがあるか、以前ありました",
    "this party has or had an account": "この当事者にはアカウントがあるか、以前ありました",
    "this is the only passkey; add another one first": "これが唯一のパスキーです。先に別のパスキーを追加してください",
    "recovery codes stand beside a passkey; make that first": "復旧コードはパスキーと併用します。先にパスキーを作成してください",
    "the request lacks the digest of script, original or label plan": "依頼に、台本・原音・表示計画のいずれかのダイジェストがありません",
    "these territories go beyond what was asked for": "依頼された地域を超えています",
    "this day lies outside the period that was asked for": "依頼された期間の外の日です",
    "{0} is not a country (ISO 3166-1), a UN M49 region or EU": "{0}は国（ISO 3166-1）、国連M49の地域、EUのいずれでもありません",
    "Invalid isoformat string: {0}": "日付ではありません: {0}",
    "no such record is signed here": "その記録にはここで署名しません",
    "the approval has no such condition": "承認にその条件はありません",
    "choose a permission and its term": "許可とその期間を選んでください",
    "the outbox cannot be written ({0})": "送信箱に書き込めません（{0}）",
}  # fmt: skip

ERRORS: dict[str, str] = _KNOWN | _WHO_MAY | _NO_LONGER | _VOICES_AND_SOUND | _FORMS


def _words() -> dict[str, str]:
    """What a state, a role or a capacity is called, by the word that errors print."""
    groups = ("capacity.", "role.", "status.")
    return {key.partition(".")[2]: ja for key, (_, ja) in catalogue().items() if key.startswith(groups)}


error_in_japanese = Sentences(_words() | ERRORS)

__all__ = ["ERRORS", "error_in_japanese"]
