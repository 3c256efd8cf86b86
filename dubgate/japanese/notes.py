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

NOTES: dict[str, str] = _WHO | _BY | _DAYS | _HEARD_HOW | _MADE_OF | _UNPROVED

__all__ = ["NOTES"]
