"""Is a track's name an AI label that a viewer can read? Exact tokens, no look-alikes, nothing invisible.

Tokens: EU Code of Practice 2026-06 (capitalised "AI"), GB 45438-2025 §5.3, and the usual words of other languages; see
shared reference consent-and-labels 2.1 to 2.3.
"""

from __future__ import annotations

import re
import unicodedata

from dubgate.languages import primary, same_language

# By language: "AI" counts everywhere; these count besides.
TOKENS: dict[str, tuple[str, ...]] = {
    "de": ("KI",),
    "fr": ("IA",),
    "es": ("IA",),
    "pt": ("IA",),
    "it": ("IA",),
    "zh": ("人工智能", "AI生成"),
    "ja": ("人工知能", "AI生成", "AI音声"),
    "ko": ("인공지능", "AI 음성"),
}
# How the languages of the labels call themselves, and how English calls them.
_LANGUAGES: dict[str, tuple[str, ...]] = {
    "en": ("english",),
    "de": ("german", "deutsch"),
    "fr": ("french", "français", "francais"),
    "es": ("spanish", "español", "espanol", "castellano"),
    "pt": ("portuguese", "português", "portugues"),
    "it": ("italian", "italiano"),
    "zh": ("chinese", "mandarin", "中文", "普通话", "國語"),
    "ja": ("japanese", "日本語"),
    "ko": ("korean", "한국어"),
}
_WORD = re.compile(r"[A-Za-z]+")
# "English [no AI]" names AI and denies it, and so does "not made with AI": a few words may stand between.
_BETWEEN = (
    r"(?:(?:any|an?|the|use|used|using|made|generated|created|produced|dubbed|voiced|recorded|by|with|of|from|generative|synthetic"
    r"|jede[rn]?|jegliche|einsatz|verwendung|von|mit|durch|erzeugt|erstellt"
    r"|recours|utilisation|usage|utiliser|généré|générée|créé|fait|par|avec|à|de|une?|la|l|d"
    r"|uso|hecho|generado|generada|creado|por|con|ningun[ao]?|feito|gerado|gerada|criado|com|uma?|generato|fatto|creato|da|di|dall)"
    r"[\s'’-]+){0,4}"
)
_DENIED = re.compile(
    rf"(?:\b(?:no|not|non|never|without|free of|free from|sans|pas|aucune?|sin|ningun[ao]?|ohne|keine?|nicht|nie|senza|nessuna|sem|não|nao|nem|zero)|n['’]t)"
    rf"[\s'’-]+{_BETWEEN}(?-i:AI|IA|KI)\b"
    r"|\b(?-i:AI|IA|KI)[\s-]*(?:free|frei|less)\b"
    r"|\b(?-i:AI|IA|KI)(?:[\s-]+(?:generated|dubbed|voices?|dub|generiert))?"
    r"(?:\s*[:=]\s*(?:no|none|not|nein|keine?|non|aucune|nessuna|ninguna|false|off)\b"
    r"|\s+(?:was |is |were )?(?:not|nicht|non|no|não)\s+(?:used|verwendet|eingesetzt|utilisée?|usad[ao]|utilizad[ao]|usata|utilizzata)\b)"
    r"|(?:[非无無不未]|不含|没有|沒有|未使用|不使用|未采用|未採用|并非|並非|不是)\s*(?:使用|采用|採用|由)?\s*(?:AI|人工智能|人工知能)"
    r"|비\s*(?:AI|인공지능)"
    r"|(?:AI|人工智能|人工知能)\s*(?:音声|吹替|吹き替え|生成|合成|配音|による\w{0,8})?(?:は|を|の|で)?(?:使用|利用)?"
    r"(?:不使用|未使用|非使用|なし|無し|ではな|ではあり|でな|していな|していません|しない|しません|以外|使わ|使っていな|使っていません|[:：]\s*(?:否|无|無))"
    r"|(?:AI|인공지능)\s*(?:음성|생성|더빙)?[은는을를이가]?\s*(?:아님|아닙|아닌|없음|없는|미사용|사용\s*안|사용하지)",
    re.IGNORECASE,
)
# How a track calls itself a person's work, in the languages of the labels.
_HUMAN = re.compile(
    r"\b(?:human|humain|humaine|humano|humana|umano|umana|menschlich|menschliche)\b"
    r"|\breal (?:voice|voices|actor|actors)\b"
    r"|真人|人声|人聲|肉声|人間の?声|사람|육성",
    re.IGNORECASE,
)


def language_named(text: str) -> str | None:
    """The language that a label begins with, of the few that are known here; None for any other text."""
    start = unicodedata.normalize("NFKC", text).casefold().lstrip(" [(（")
    words = re.split(r"[\s\[\](),/（）–-]+", start, maxsplit=1)
    return next((tag for tag, names in _LANGUAGES.items() if words[0] in names), None)


def speak_alike(left: str, right: str) -> bool:
    """Whether two tags name one language, whatever the region: "eng" and "en-GB" do."""
    try:
        return same_language(left, right)
    except ValueError:  # no known language: the tags themselves must be the same
        return left.lower() == right.lower()


def unreadable_reason(text: str) -> str | None:
    """Why a label text may not be trusted to look as it reads: invisible, bidirectional or look-alike characters."""
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cf", "Cc", "Co", "Cs", "Cn"):
            return f"it contains the invisible character U+{ord(character):04X}"
    scripts = {unicodedata.name(c, "?").split()[0] for c in text if c.isalpha()}
    if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"}:
        return "it mixes Latin letters with look-alikes of another alphabet"
    return None


def is_ai_label(text: str, language: str | None) -> bool:
    """Whether the text, as a viewer reads it, says that AI made this: "English [AI beta]" does, "Al dub" does not."""
    if unreadable_reason(text) is not None or denies_ai(text):
        return False
    folded = unicodedata.normalize("NFKC", text)
    words = set(_WORD.findall(folded))
    wanted = ("AI", *TOKENS.get(_primary(language), ()))
    return any(token in words if token.isascii() and token.isalpha() else token in folded for token in wanted)


def _primary(language: str | None) -> str:
    """The primary subtag, whatever the tag's form: "de" of "deu" and of "de-AT"; "" of none, or of one that is unknown."""
    try:
        return primary(language) if language else ""
    except ValueError:
        return ""


def denies_ai(text: str) -> bool:
    """Whether the text says that no AI made it: "English [no AI]", "ohne KI"."""
    return _DENIED.search(unicodedata.normalize("NFKC", text)) is not None


def claims_people(text: str) -> bool:
    """Whether the text says that people made it: "Human", "no AI"; what names AI as well claims nothing ("human and AI")."""
    folded = unicodedata.normalize("NFKC", text)
    return denies_ai(text) or (_HUMAN.search(folded) is not None and not is_ai_label(text, None))


# Letters of other alphabets, and other signs, that look like a Latin one (Unicode TR 39, the part that labels meet).
_CONFUSABLE = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧοl1|",
    "ABESIJKMHOPCTYXaesijopcyxABEZHIKMNOPTYXoIII",
)


def skeleton(text: str) -> str:
    """What a text looks like: compatibility forms folded, invisible marks gone, look-alikes as Latin, no case.

    Two labels with one skeleton look alike to a viewer, whatever their characters.
    """
    folded = unicodedata.normalize("NFKC", text)
    seen = "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Cc", "Mn"))
    return " ".join(seen.translate(_CONFUSABLE).casefold().replace("l", "i").split())


def only_looks_like_ai(text: str) -> bool:
    """Whether it seems to say AI and does not: "English [Al]" with a small L, "[A\u200bI]" with a mark inside."""
    marked = unicodedata.normalize("NFKC", text).translate(_CONFUSABLE)
    seen = "".join(c for c in marked if unicodedata.category(c) not in ("Cf", "Cc", "Mn"))
    return "AI" in _WORD.findall(seen) and not is_ai_label(text, None)
