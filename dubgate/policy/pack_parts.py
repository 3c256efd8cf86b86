"""The parts of a rule as packs write them: sentences, coverage, what blocks, exemptions, and a rule's own tests."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from dubgate.delivery.script import Style
from dubgate.policy.bands import Band, PackModel
from dubgate.policy.expression_types import Condition, check_condition
from dubgate.policy.findings import Text
from dubgate.policy.pack_sources import Words

PLACEHOLDERS = ("value", "size", "bound", "line", "character")

_HOLE = re.compile(r"\{([^{}]*)\}")


def _only_known_holes(text: str) -> str:
    for name in _HOLE.findall(text):
        if name not in PLACEHOLDERS:
            raise ValueError(f"{{{name}}} cannot be filled in; known are {', '.join(PLACEHOLDERS)}")
    if set(_HOLE.sub("", text)) & set("{}"):
        raise ValueError("a brace that opens or closes nothing")
    return text


Template = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_only_known_holes)]
Outcomes = Literal["pass", "warn", "hold", "block", "unknown", "not_applicable"]


class Said(PackModel):
    """A plain sentence without metric names, in both languages; holes such as `{value}` are filled in."""

    en: Template
    ja: Template


class Reason(PackModel):
    """Why a rule asks, or what to do where it fails; `ja` is None where the pack writes in English only."""

    en: Words
    ja: Words | None

    @property
    def told(self) -> Text:
        """Both languages, for a finding."""
        return Text(self.en, self.ja or "")


def _one_sentence_is_english(value: Any) -> Any:
    return {"en": value, "ja": None} if isinstance(value, str) else value


Told = Annotated[Reason, BeforeValidator(_one_sentence_is_english)]


class Coverage(PackModel):
    """The share of speech seconds that a rule must rest on."""

    at_least: Annotated[float, Field(gt=0, le=1)] = 0.9


class BlockWhen(PackModel):
    """When single failures become a block: a share of what was judged, or a run of neighbours, and `at_least` so many."""

    share: Annotated[float, Field(gt=0, le=1)] | None = None
    run: Annotated[int, Field(ge=2)] | None = None
    at_least: Annotated[int, Field(ge=2)] = 3

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.share is None and self.run is None:
            raise ValueError("block_when needs share or run")
        return self


class Instead(PackModel):
    """Where the metric is Unmeasured, another one that answers the same question if it lies inside; else unknown."""

    metric: str
    require: Band


class BandCase(PackModel):
    """A test of a band rule: one programme's values, `unmeasured` or `unmeasured: why` among them, and the worst
    outcome."""

    values: Annotated[tuple[float | str, ...], Field(min_length=1)]
    instead: tuple[float | str, ...] = ()
    seconds: tuple[float, ...] = ()
    embedded: tuple[str, ...] = ()
    style: Style | None = None
    outcome: Outcomes


class ConditionCase(PackModel):
    """A test of a condition rule: facts by path (null is Unmeasured, and so is what is left out).

    `exempt` names the exemption that must make it not applicable.
    """

    facts: dict[str, Any]
    outcome: Outcomes
    exempt: str | None = None


class Exemption(PackModel):
    """Where a rule does not apply although its question would: a condition, and the reason that is told.

    It has to be shown: one whose facts are not known exempts nobody.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,60}$")]
    when: str
    because: Said

    @property
    def condition(self) -> Condition:
        """`when`, checked."""
        return check_condition(self.when)
