"""The schema of rule packs, `pack/1.2` (and those before it): strict models in which a rule that could not judge is an error.

A band rule bounds a metric; a condition rule asks something of the delivery's facts. `require` is what must hold,
`prefer` what should. A single line outside a band holds at most; `block_when` says which share or run of lines blocks.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from consent.vocabulary import Role
from dubgate.delivery.script import Style
from dubgate.measure.measurement import Scope
from dubgate.measure.metrics import METRICS, Metric
from dubgate.policy.bands import Band, PackModel
from dubgate.policy.expression_types import Condition, check_condition
from dubgate.policy.findings import Group, Severity
from dubgate.policy.pack_parts import BandCase, BlockWhen, ConditionCase, Coverage, Exemption, Instead, Said, Told
from dubgate.policy.pack_sources import ChosenBy, Counsel, Day, Effective, Status, Territories, Words
from dubgate.units import Unit

SCHEMA = "pack/1.2"
# Consent, rights, labels and integrity are judged by the program itself and by the pack that comes with it.
RESERVED = ("CON-", "RH-", "LAB-", "INT-")


class _Rule(PackModel):
    id: Annotated[str, Field(pattern=r"^[A-Z]{2,4}-[A-Z0-9]+(-[A-Z0-9]+)*$", max_length=40)]
    group: Group | None = None
    severity: Severity
    source: Words
    why: Told
    remedy: Told
    asks: Said  # what is asked, as a phrase: "the start of the lines"
    text: Said  # the sentence where it fails
    passes: Said | None = None  # the sentence where it passes
    styles: Annotated[tuple[Style, ...], Field(min_length=1)] = tuple(Style)
    attestable_by: tuple[Role, ...] = ()
    as_of: Day | None = None  # these five where they differ from the pack's
    effective: Effective | None = None
    review_by: Day | None = None
    status: Status | None = None
    counsel: tuple[Counsel, ...] | None = None


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
    """A question to the facts: where `applies` is true (or absent), `require` must be true, but for `exemptions`."""

    applies: str | None = None
    require: str
    exemptions: tuple[Exemption, ...] = ()
    tests: Annotated[tuple[ConditionCase, ...], Field(min_length=2)]

    @property
    def conditions(self) -> tuple[Condition | None, Condition]:
        """`applies` and `require`, checked."""
        return (None if self.applies is None else check_condition(self.applies)), check_condition(self.require)

    @model_validator(mode="after")
    def _judgeable(self) -> Self:
        asked = [("applies", self.applies), ("require", self.require)]
        for name, source in (*asked, *((f"exemption {e.id}", e.when) for e in self.exemptions)):
            try:
                if source is not None:
                    check_condition(source)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        reasons = (e.because for e in self.exemptions)
        if any("{" in said.en + said.ja for said in (self.text, self.passes, *reasons) if said is not None):
            raise ValueError("a condition has no value or bound to fill into its sentence")
        _check_cases([c.outcome for c in self.tests])
        _check_exemptions(self)
        return self


def _check_exemptions(rule: ConditionRule) -> None:
    known = [e.id for e in rule.exemptions]
    tested = {c.exempt for c in rule.tests if c.exempt is not None}
    if len(set(known)) < len(known):
        raise ValueError("two exemptions have one id")
    if tested - set(known):
        raise ValueError(f"a case names an exemption that is not there: {', '.join(sorted(tested - set(known)))}")
    if set(known) - tested:
        raise ValueError(f"tests: no case is exempt by {', '.join(sorted(set(known) - tested))}")
    if any(c.exempt is not None and c.outcome != "not_applicable" for c in rule.tests):
        raise ValueError("a case that is exempt comes to not_applicable")


def _check_cases(outcomes: list[str]) -> None:
    if "pass" not in outcomes or not {"warn", "hold", "block"} & set(outcomes):
        raise ValueError("tests: at least one case that passes and one that fails")


def _kind(value: Any) -> str:
    return "band" if isinstance(value, dict) and "metric" in value else "condition"


Rule = BandRule | ConditionRule
_RuleField = Annotated[
    Annotated[BandRule, Tag("band")] | Annotated[ConditionRule, Tag("condition")], Discriminator(_kind)
]


class PackFile(PackModel):
    """A pack as it stands in its file. `territories` limits it to releases that reach one of them.

    `chosen_by` is what of a delivery brings it in without anybody asking for it. `jurisdictions` (ISO 3166) are told.
    """

    schema_name: Literal["pack/1.0", "pack/1.1", "pack/1.2"] = Field(alias="schema")
    pack: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{2,60}$")]
    version: Annotated[str, Field(pattern=r"^\d{4}\.\d{1,2}(\.\d+)?$")]
    as_of: Day
    group: Group
    about: Words
    territories: Territories | None = None
    sign_offs: tuple[Role, ...] = ()
    small_team: bool = False
    jurisdictions: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")], ...] = ()
    chosen_by: ChosenBy | Literal["everywhere"] | None = None
    status: Status = Status.VERIFIED
    effective: Effective | None = None
    review_by: Day | None = None
    counsel: tuple[Counsel, ...] = ()
    rules: Annotated[tuple[_RuleField, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [rule.id for rule in self.rules]
        repeated = sorted({i for i in ids if ids.count(i) > 1})
        if repeated:
            raise ValueError(f"rules repeat the id {', '.join(repeated)}")
        return self

    @model_validator(mode="after")
    def _of_its_version(self) -> Self:
        if self.schema_name != SCHEMA and any(rule.why.ja or rule.remedy.ja for rule in self.rules):
            raise ValueError(f"why and remedy in Japanese came with {SCHEMA}")
        if self.schema_name != "pack/1.0":
            if "status" not in self.model_fields_set:
                raise ValueError("status is missing: say whether the sources were verified")
            return self
        newer = sorted(self.model_fields_set & _NEW_IN_1_1)
        newer += sorted({key for rule in self.rules for key in rule.model_fields_set & _NEW_IN_A_RULE_1_1})
        if newer:
            raise ValueError(f"{', '.join(newer)} came with pack/1.1")
        return self


_NEW_IN_1_1 = frozenset({"small_team", "jurisdictions", "chosen_by", "status", "effective", "review_by", "counsel"})
_NEW_IN_A_RULE_1_1 = frozenset({"as_of", "effective", "review_by", "status", "counsel", "exemptions"})
