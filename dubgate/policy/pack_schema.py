"""The schema of rule packs, `pack/1.0`: strict models in which a rule that could never judge is an error.

A band rule bounds a metric; a condition rule asks something of the delivery's facts. `require` is what must hold,
`prefer` what should. A single line outside a band holds at most; `block_when` says which share or run of lines blocks.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from consent.vocabulary import Role
from dubgate.delivery.script import Style
from dubgate.measure.measurement import Scope
from dubgate.measure.metrics import METRICS, Metric
from dubgate.policy.bands import Band, PackModel
from dubgate.policy.expression_types import Condition, check_condition
from dubgate.policy.findings import Group, Severity
from dubgate.regions import expand
from dubgate.units import Unit

SCHEMA = "pack/1.0"
PLACEHOLDERS = ("value", "size", "bound", "line", "character")
# Consent, rights, labels and integrity are judged by the program itself and by the pack that comes with it.
RESERVED = ("CON-", "RH-", "LAB-", "INT-")

_HOLE = re.compile(r"\{([^{}]*)\}")


def _only_known_holes(text: str) -> str:
    for name in _HOLE.findall(text):
        if name not in PLACEHOLDERS:
            raise ValueError(f"{{{name}}} cannot be filled in; known are {', '.join(PLACEHOLDERS)}")
    if set(_HOLE.sub("", text)) & set("{}"):
        raise ValueError("a brace that opens or closes nothing")
    return text


Words = Annotated[str, Field(min_length=1, max_length=2000)]
Template = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_only_known_holes)]
Outcomes = Literal["pass", "warn", "hold", "block", "unknown", "not_applicable"]


class Said(PackModel):
    """A plain sentence without metric names, in both languages; holes such as `{value}` are filled in."""

    en: Template
    ja: Template


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
    """A test of a condition rule: facts by path (null is Unmeasured, and so is what is left out)."""

    facts: dict[str, Any]
    outcome: Outcomes


class _Rule(PackModel):
    id: Annotated[str, Field(pattern=r"^[A-Z]{2,4}-[A-Z0-9]+(-[A-Z0-9]+)*$", max_length=40)]
    group: Group | None = None
    severity: Severity
    source: Words
    why: Words
    remedy: Words
    asks: Said  # what is asked, as a phrase: "the start of the lines"
    text: Said  # the sentence where it fails
    passes: Said | None = None  # the sentence where it passes
    styles: Annotated[tuple[Style, ...], Field(min_length=1)] = tuple(Style)
    attestable_by: tuple[Role, ...] = ()


class BandRule(_Rule):
    """A band on a metric: for each subject, or for an aggregate over the programme.

    `magnitude` takes values without their sign. `of: share` bounds the share of subjects that lie inside `within`.
    `not_asked_where` lists reasons for being Unmeasured that mean the rule does not concern this delivery.
    """

    metric: str | Annotated[tuple[str, ...], Field(min_length=1)]
    of: Literal["each", "mean", "median", "p10", "p90", "min", "max", "share"] = "each"
    magnitude: bool = False
    within: Band | None = None
    coverage: Coverage = Coverage()
    require: Band | None = None
    prefer: Band | None = None
    below: Said | None = None  # the sentence where the value is under the lower bound, or negative
    block_when: BlockWhen | None = None
    not_asked_where: tuple[Words, ...] = ()
    report_only_with_embedded: tuple[str, ...] = ()
    instead: Instead | None = None
    tests: Annotated[tuple[BandCase, ...], Field(min_length=2)]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics that answer the question, one or the other per subject."""
        return (self.metric,) if isinstance(self.metric, str) else self.metric

    @property
    def measures(self) -> Metric:
        """The row of the (first) metric."""
        return METRICS[self.metrics[0]]

    @property
    def unit(self) -> Unit:
        """The unit of what `require` and `prefer` bound."""
        return Unit.SHARE if self.of == "share" else self.measures.unit

    @model_validator(mode="after")
    def _judgeable(self) -> Self:
        for name in (*self.metrics, *([self.instead.metric] if self.instead else [])):
            if name not in METRICS:
                raise ValueError(f"no metric is called {name!r}")
            if METRICS[name].report_only:
                raise ValueError(f"{name} is for reports only")
        if len({(METRICS[m].unit, METRICS[m].scope) for m in self.metrics}) > 1:
            raise ValueError("metrics that answer one question have one unit and one scope")
        self._check_units()
        self._check_severity()
        _check_cases([c.outcome for c in self.tests])
        return self

    def _check_units(self) -> None:
        if (self.of == "share") != (self.within is not None):
            raise ValueError("'of: share' and 'within' belong together")
        bounded = [(self.unit, self.require), (self.unit, self.prefer), (self.measures.unit, self.within)]
        if self.instead is not None:
            bounded.append((METRICS[self.instead.metric].unit, self.instead.require))
        for unit, band in bounded:
            if band is not None and band.units != {unit}:
                raise ValueError(f"a bound is in {', '.join(band.units - {unit})}; here it is {unit}")

    def _check_severity(self) -> None:
        if self.require is None and self.prefer is None:
            raise ValueError("a rule needs require, prefer or both")
        if self.require is None and self.severity is not Severity.WARN:
            raise ValueError("a rule without require can only warn")
        single = self.measures.scope is Scope.LINE and self.of in ("each", "min", "max")
        if single and self.severity is Severity.BLOCK:
            raise ValueError("a single line holds at most; say with block_when what blocks")
        if self.block_when is not None and (self.of != "each" or self.severity is not Severity.HOLD):
            raise ValueError("block_when counts the subjects that a rule of each holds")


class ConditionRule(_Rule):
    """A question to the facts: where `applies` is true (or absent), `require` must be true."""

    applies: str | None = None
    require: str
    tests: Annotated[tuple[ConditionCase, ...], Field(min_length=2)]

    @property
    def conditions(self) -> tuple[Condition | None, Condition]:
        """`applies` and `require`, checked."""
        return (None if self.applies is None else check_condition(self.applies)), check_condition(self.require)

    @model_validator(mode="after")
    def _judgeable(self) -> Self:
        for name, source in (("applies", self.applies), ("require", self.require)):
            try:
                if source is not None:
                    check_condition(source)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        if any("{" in said.en + said.ja for said in (self.text, self.passes) if said is not None):
            raise ValueError("a condition has no value or bound to fill into its sentence")
        _check_cases([c.outcome for c in self.tests])
        return self


def _check_cases(outcomes: list[str]) -> None:
    if "pass" not in outcomes or not {"warn", "hold", "block"} & set(outcomes):
        raise ValueError("tests: at least one case that passes and one that fails")


def _kind(value: Any) -> str:
    return "band" if isinstance(value, dict) and "metric" in value else "condition"


Rule = BandRule | ConditionRule
_RuleField = Annotated[
    Annotated[BandRule, Tag("band")] | Annotated[ConditionRule, Tag("condition")], Discriminator(_kind)
]


def _known_territories(codes: tuple[str, ...]) -> tuple[str, ...]:
    expand(codes)
    return codes


def calendar_day(text: str) -> str:
    """The text, if it is a day of the calendar (YYYY-MM-DD); raises ValueError else."""
    date.fromisoformat(text)
    return text


class PackFile(PackModel):
    """A pack as it stands in its file. `territories` limits it to releases that reach one of them."""

    schema_name: Literal["pack/1.0"] = Field(alias="schema")
    pack: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{2,60}$")]
    version: Annotated[str, Field(pattern=r"^\d{4}\.\d{1,2}(\.\d+)?$")]
    as_of: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(calendar_day)]
    group: Group
    about: Words
    territories: Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_known_territories)] | None = None
    sign_offs: tuple[Role, ...] = ()
    rules: Annotated[tuple[_RuleField, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [rule.id for rule in self.rules]
        repeated = sorted({i for i in ids if ids.count(i) > 1})
        if repeated:
            raise ValueError(f"rules repeat the id {', '.join(repeated)}")
        return self
