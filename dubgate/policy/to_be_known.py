"""What makes a question answerable that stays open: the thing to hand in for its reason, by name of option and key."""

from __future__ import annotations

import re

from dubgate.policy.findings import Text

_EAR = Text(
    "or somebody who listened answers for the delivery: dubgate approve delivery.yaml --attest RULE",
    "または、聴いた人が納品について回答してください: dubgate approve delivery.yaml --attest RULE",
)
_USUAL = Text("hand in what the reason names", "理由に挙げたものを提出してください")

# What a reason begins with -> what to do about it. The first that fits is taken.
_BY_REASON: tuple[tuple[re.Pattern[str], Text], ...] = tuple(
    (re.compile(pattern), Text(en, ja))
    for pattern, en, ja in (
        (
            "no script was given",
            "name the dub's cue sheet: dubgate qc ORIGINAL DUB SCRIPT, or `cues:` in delivery.yaml",
            "吹替のキューシートを指定してください: dubgate qc ORIGINAL DUB SCRIPT、または delivery.yaml の `cues:`",
        ),
        (
            "no (transcriber|speaker_encoder|aligner)|no language identifier|the embedded (transcriber|aligner) hears English only",
            "fetch the models that hear this language, once: dubgate models pull best (its sizes: dubgate models list)",
            "この言語を聴取できるモデルを一度取得してください: dubgate models pull best（容量: dubgate models list）",
        ),
        (
            "the dub's language is not known",
            "say which it is: --dub-language de, or `language: de` under `dub:` in delivery.yaml",
            "言語を指定してください: --dub-language de、または delivery.yaml の `dub:` の下の `language: de`",
        ),
        (
            "speech stands only",
            "hand in the dialogue stem with its music and effects: --stem FILE --me FILE, or `stem:` and `me:` under `dub:` in delivery.yaml",
            "ダイアログステムとM&Eを提出してください: --stem FILE --me FILE、または delivery.yaml の `dub:` の下の `stem:` と `me:`",
        ),
        (
            "no line names its character",
            "name who speaks in the script: `MARA: text` in SRT, `<v MARA>` in WebVTT, a column `character` in CSV",
            "台本に話者を書いてください: SRTは `MARA: 台詞`、WebVTTは `<v MARA>`、CSVは列 `character`",
        ),
        (
            "no speech (starts|was heard) in",
            "listen there: record the line if it is missing, or mark it in the script as kept original",
            "その箇所を聴き、台詞がなければ収録するか、原音のままと台本に記してください",
        ),
        (
            "the dub's speech does not follow the original's",
            "check that this dub belongs to this original, and lies on its timeline",
            "この吹替がこの原音のもので、同じタイムラインに乗っているか確認してください",
        ),
        (
            "(the dub has less than|no speech was heard in the dub|nothing was heard)",
            "check that this is the dub, the whole of it, and the right stream",
            "これが吹替の全体で、正しいストリームか確認してください",
        ),
    )
)  # fmt: skip


def to_be_known(reason: str, *, by_ear: bool) -> Text:
    """What to do about a question that stays open for this reason.

    Args:
        by_ear: whether somebody who listened may answer instead.
    """
    found = next((text for begins, text in _BY_REASON if begins.match(reason)), _USUAL)
    return Text(f"{found.en}; {_EAR.en}", f"{found.ja}。{_EAR.ja}") if by_ear else found
