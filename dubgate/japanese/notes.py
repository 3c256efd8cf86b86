"""What stands on a report beside its findings: who can answer, what decided, how it was heard; English and Japanese."""

from __future__ import annotations

_WHO = {
    "performer": "実演家",
    "agent": "代理人",
    "guardian": "後見人",
    "estate": "遺産管理者",
    "heir": "相続人",
    "union": "組合",
    "rights holder": "権利者",
    "licensee": "ライセンシー",
    "dubbing vendor": "吹替制作会社",
    "tts vendor": "音声合成の提供元",
    "dubbing director": "吹替の演出家",
    "reviewer": "確認者",
    "localization supervisor": "ローカライズ監督",
    "localization_supervisor": "ローカライズ監督",
    "creative lead": "クリエイティブ責任者",
    "creative_lead": "クリエイティブ責任者",
    "legal": "法務",
    "production": "制作",
    "operator": "運営者",
    "the owner of {0}": "{0}の持ち主",
    "(outside every line)": "（台詞の外）",
    "a voice outside every line": "台詞の外の声",
}

_BY = {
    "ruling {0} by {1}": "{1}の裁定 {0}",
    "sign-off {0} by {1}": "{1}の承認 {0}",
    "attestation {0} by {1}": "{1}の聴取回答 {0}",
    "waiver {0} by {1}": "{1}の免除 {0}",
}

_DAYS = {"from {0}": "{0}から", "until {0}": "{0}まで", "from {0}, until {1}": "{0}から{1}まで"}

_HEARD_HOW = {
    "heard with the models that came inside the installed packages: {0}": "インストールしたパッケージに同梱のモデルで聴取しました: {0}",
    "the dub is the original's own sound: nothing was dubbed, or the wrong file or stream was named": "吹替が原音そのものです。吹替されていないか、ファイルかストリームの指定が誤っています",
    "original and dub are both in {0}: are files and streams the right ones?": "原音も吹替も{0}です。ファイルとストリームの指定を確認してください",
    "hardly a word of the script is heard: is it the script of this dub, and in its language?": "台本の語がほとんど聞こえません。この吹替の、この言語の台本か確認してください",
    "the lengths of original and dub differ as a conversion between 24 and 25 pictures a second makes them": "原音と吹替の長さの差が、毎秒24コマと25コマの変換による差と一致します",
    "words were not heard: {0}": "語は聴取されていません: {0:told}",
    "voices were not compared: {0}": "声は照合されていません: {0:told}",
    "the report was made without sound (--media none)": "音声なしで作成されたレポートです（--media none）",
    "the sound could not be cut: {0}": "音声を切り出せませんでした: {0}",
}  # fmt: skip

_MADE_OF = {
    "voice_activity": "発話の検出",
    "speaker_encoder": "話者の照合",
    "lipsync": "リップシンク",
    "voiceover": "ボイスオーバー",
    "lector": "レクター",
    "dialogue": "台詞",
    "song": "歌",
    "crowd": "群衆",
    "effort": "息・叫び",
    "kept-original": "原音のまま",
}

# Why a signed statement does not say that a person performed a character.
_UNPROVED = {
    "it is for another title": "別の作品についての署名です",
    "it is for another language": "別の言語についての署名です",
    "it is for another sound": "別の音声についての署名です",
    "it does not name this character": "この人物を挙げていません",
    "it is dated later than the moment of judging": "判定より後の日付です",
    "the submitter signed it alone": "提出者だけの署名です",
}

# Where a delivery goes beyond what was said before production.
_DIFFERS = {
    "the intake is for {0}": "申告は{0}についてのものです",
    "the {0} is {1}, and {2} was said": "{0:told}は{1}ですが、申告は{2}でした",
    "language": "言語",
    "original's language": "原音の言語",
    "the style is {0}, and {1} was said": "形式は{0:told}ですが、申告は{1:told}でした",
    "the intake says of itself {0}, and its answers come to {1}": "申告には{0}とありますが、回答からは{1}です",
    "the minutes of review that the intake gives are not those that its answers come to": "申告にある確認の分数が、回答から計算した分数と異なります",
    "{0} was not among the voices, and is made by {1}": "{0}は申告の声になく、{1}で作られています",
    "{0} is made by {1}, and {2} was said": "{0}は{1}で作られていますが、申告は{2}でした",
    "the purpose {0} was not said": "目的{0}は申告されていません",
    "{0} countries were not said: {1}": "{0}か国が申告されていません: {1}",
    "channels that were not said: {0}": "申告されていない媒体: {0}",
    "partners that were not said: {0}": "申告されていない配信先: {0}",
    "the release window reaches beyond the one that was said": "公開期間が申告された期間を超えています",
}  # fmt: skip

NOTES: dict[str, str] = _WHO | _BY | _DAYS | _HEARD_HOW | _MADE_OF | _UNPROVED | _DIFFERS

__all__ = ["NOTES"]
