"""The sentences of disclosures, `disclosure-text/1.0`: one file a language, templates whose holes are known and all used.

An operator's file replaces the sentences that it gives; it can word what is on record otherwise, not leave it out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from consent.strict import Language, Line, Strict
from consent.vocabulary import Technique
from dubgate.delivery.manifest_record import CreditRole, Purpose
from dubgate.errors import InputError
from dubgate.policy.pack_sources import Day
from dubgate.strict_yaml import read_yaml, validate

_DUB = ("language", "title")
HOLES: dict[str, tuple[str, ...]] = {
    "social_made": (*_DUB, "count", "total"),
    "social_none": _DUB,
    "made": (*_DUB, "characters"),
    "made_as": ("characters", "technique"),
    "made_none": _DUB,
    **dict.fromkeys(("human", "human_claimed", "consent", "consent_missing", "credits_ai"), ("characters",)),
    **dict.fromkeys(("tools", "credits_tools"), ("tools",)),
    **dict.fromkeys(("purpose", "purpose_unconfirmed"), ("purposes",)),
    "reviewed": ("reviewers",),
    "reviewed_named": ("roles",),
    "signed": ("role", "date"),
    "signed_for": ("role", "name", "date"),
    "approved": ("holders", "date"),
    "approved_plain": ("date",),
    "label": ("labels",),
    "released": ("territories", "date"),
    "released_until": ("territories", "date", "until"),
    "credits_title": ("language",),
    "credits_person": ("role", "name"),
    "credits_character": ("role", "character", "name"),
    "as_of": ("date",),
    "status_reviewed": ("who", "date"),
    **dict.fromkeys(
        (
            *("tools_unknown", "purpose_unknown", "reviewed_none", "approved_none", "label_none", "status_machine"),
            *(f"technique.{t}" for t in Technique),
            *(f"purpose.{p}" for p in Purpose),
            *(f"role.{r}" for r in CreditRole),
            *(
                f"role.{r}"
                for r in ("rights_holder", "localization_supervisor", "creative_lead", "legal", "production")
            ),
            *("role.reviewer", "role.agent"),
        ),
        (),
    ),
}
_HOLE = re.compile(r"\{([^{}]*)\}")
Texts = dict[str, Line]


def _checked(texts: Texts) -> Texts:
    for key, template in texts.items():
        if key not in HOLES:
            raise ValueError(f"no sentence is called {key!r}")
        found = _HOLE.findall(template)
        if sorted(set(found)) != sorted(HOLES[key]) or set(_HOLE.sub("", template)) & set("{}"):
            wanted = ", ".join(f"{{{hole}}}" for hole in HOLES[key]) or "none"
            raise ValueError(f"{key} has exactly these holes, each at least once: {wanted}")
    return texts


class WordingFile(Strict):
    """A file of sentences in one language, and who has read them."""

    format: Literal["disclosure-text/1.0"] = Field(alias="schema")
    language: Language
    status: Literal["machine-written", "reviewed"]
    reviewed_by: Line | None = None
    reviewed_on: Day | None = None
    texts: Annotated[Texts, Field(min_length=1), AfterValidator(_checked)]

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        told = (self.reviewed_by is not None, self.reviewed_on is not None)
        if told != (self.status == "reviewed",) * 2:
            raise ValueError("reviewed_by and reviewed_on belong to 'status: reviewed', and only to it")
        return self


@dataclass(frozen=True, slots=True)
class Wording:
    """All sentences of a language. `sha256s` are the files that they come from; reviewed only where all of them are."""

    language: str
    texts: Mapping[str, str]
    reviewed_by: str | None
    reviewed_on: str | None
    sha256s: tuple[str, ...]

    def said(self, key: str, **values: str) -> str:
        """A sentence with its holes filled, all at once: what a value holds is never a hole."""
        return _HOLE.sub(lambda hole: values[hole[1]], self.texts[key])


def shipped() -> dict[str, Path]:
    """The languages whose sentences come with the program."""
    return {p.stem: p for p in sorted((Path(__file__).parent / "texts").glob("*.yaml"))}


def wording(language: str, own: Path | None = None) -> Wording:
    """The sentences of a language, an operator's own in place of those that its file gives.

    Raises:
        InputError: unknown language, a file that breaks the schema or is in another language, or sentences missing.
    """
    base = _base(language)
    files = [f for f in ((base and _read(base)), (own and _read(own))) if f]
    if own is not None and files[-1][0].language.split("-")[0] != language.split("-")[0]:
        raise InputError(f"its sentences are in {files[-1][0].language}, not in {language}", where=str(own))
    texts: dict[str, str] = {}
    for file, _ in files:
        texts |= file.texts
    missing = sorted(set(HOLES) - set(texts))
    if missing:
        remedy = f"known are {', '.join(shipped())}; --wording FILE brings another, whole"
        raise InputError(f"no sentences in {language} for {', '.join(missing[:5])}…", where=language, remedy=remedy)
    used = files[-1:] if own is not None and set(files[-1][0].texts) == set(HOLES) else files
    last = used[-1][0]
    read = all(f.status == "reviewed" for f, _ in used)
    who, when = (last.reviewed_by, last.reviewed_on) if read else (None, None)
    return Wording(language, texts, who, when, tuple(digest for _, digest in used))


def _base(language: str) -> Path | None:
    """The shipped file; none for Chinese in traditional characters, which the simplified sentences are not."""
    from langcodes import Language as Tag

    if Tag.get(language).maximize().script == "Hant":
        return None
    return shipped().get(language.split("-")[0])


def _read(path: Path) -> tuple[WordingFile, str]:
    document = read_yaml(path, path.name)
    return validate(WordingFile, document, InputError), document.sha256
