"""Rule packs: YAML data, read strictly; a pack that could never judge, or judge the wrong thing, does not load.

A rule is a band on a metric. `require` is what must hold, `prefer` what should; a single line outside `require` takes
the rule's severity, which for a line rule is `hold` at most: a block takes a share of lines or a run of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dubgate.delivery.script import Style
from dubgate.errors import PackError
from dubgate.measure.measurement import Scope
from dubgate.measure.metrics import METRICS, Metric
from dubgate.policy.findings import Severity
from dubgate.strict_yaml import load_yaml, validate
from dubgate.units import Quantity, parse_quantity

SCHEMA = "pack/1.0"
MAX_PACK_BYTES = 1_000_000


def _quantity(value: Any) -> Any:
    if isinstance(value, Quantity):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a number with its unit, such as '0.3 s'")
    return parse_quantity(value)


def _by_name(kind: Any) -> BeforeValidator:
    def read(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        try:
            return kind(value)
        except ValueError:
            raise ValueError(f"{value!r} is none of {', '.join(kind)}") from None

    return BeforeValidator(read)


Bound = Annotated[Quantity, BeforeValidator(_quantity)]
Word = Annotated[str, Field(min_length=1, max_length=2000)]


class _Model(BaseModel):
    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True
    )


class Band(_Model):
    """Bounds in the metric's unit; at least one. `magnitude` takes the value without its sign."""

    at_least: Bound | None = None
    at_most: Bound | None = None
    magnitude: bool = False

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("a band needs at_least, at_most or both")
        if self.at_least and self.at_most and self.at_least.value > self.at_most.value:
            raise ValueError("nothing lies between these bounds")
        return self

    def holds(self, value: float) -> bool:
        """Whether a value in the metric's unit lies inside; the bounds themselves do."""
        value = abs(value) if self.magnitude else value
        low = self.at_least is None or value >= self.at_least.value
        return low and (self.at_most is None or value <= self.at_most.value)

    def __str__(self) -> str:
        parts = [f"at least {self.at_least}"] if self.at_least else []
        parts += [f"at most {self.at_most}"] if self.at_most else []
        return " and ".join(parts)


class Wording(_Model):
    """What is said when the rule fails, in plain words; `{line}`, `{character}` and `{value}` are filled in."""

    en: Word
    ja: Word


class BlockWhen(_Model):
    """When single failures become a block: a share of the measured lines, or a run of neighbours."""

    share: Annotated[float, Field(gt=0, le=1)] | None = None
    run: Annotated[int, Field(ge=2)] | None = None
    at_least: Annotated[int, Field(ge=2)] = 3  # failures, however short the programme

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.share is None and self.run is None:
            raise ValueError("block_when needs share or run")
        return self


class Case(_Model):
    """A test of the rule: values of one programme's subjects and the worst outcome they lead to."""

    values: Annotated[tuple[float | Literal["unmeasured"], ...], Field(min_length=1), BeforeValidator(tuple)]
    outcome: Literal["pass", "warn", "hold", "block", "unknown"]


class Rule(_Model):
    """A band on a metric, for each subject or for an aggregate over the programme."""

    id: Annotated[str, Field(pattern=r"^[A-Z]{2,4}-[A-Z0-9-]{2,40}$")]
    metric: str
    of: Literal["each", "mean", "median", "p10", "p90", "min", "max"] = "each"
    coverage_at_least: Annotated[float, Field(ge=0, le=1)] = 0.9
    require: Band | None = None
    prefer: Band | None = None
    severity: Annotated[Severity, _by_name(Severity)]
    unmeasured: Literal["unknown", "not_applicable"] = "unknown"
    block_when: BlockWhen | None = None
    styles: Annotated[tuple[Annotated[Style, _by_name(Style)], ...], BeforeValidator(tuple)] = tuple(Style)
    text: Wording
    why: Word
    remedy: Word
    source: Word
    attestable_by: Annotated[tuple[Word, ...], BeforeValidator(tuple)] = ()
    tests: Annotated[tuple[Case, ...], Field(min_length=2), BeforeValidator(tuple)]

    @property
    def measures(self) -> Metric:
        return METRICS[self.metric]

    @model_validator(mode="after")
    def _judgeable(self) -> Self:
        metric = METRICS.get(self.metric)
        if metric is None:
            raise ValueError(f"no metric is called {self.metric!r}")
        if metric.report_only:
            raise ValueError(f"{self.metric} is for reports only")
        if self.require is None and self.prefer is None:
            raise ValueError("a rule needs require, prefer or both")
        if self.require is None and self.severity is not Severity.WARN:
            raise ValueError("a rule without require can only warn")
        for band in (self.require, self.prefer):
            for bound in (band.at_least, band.at_most) if band else ():
                if bound is not None and bound.unit is not metric.unit:
                    raise ValueError(f"{self.metric} is measured in {metric.unit}, not in {bound.unit}")
        if metric.scope is Scope.LINE and self.of == "each" and self.severity is Severity.BLOCK:
            raise ValueError("a single line holds at most; say with block_when what blocks")
        outcomes = {case.outcome for case in self.tests}
        if "pass" not in outcomes or not outcomes & {"warn", "hold", "block"}:
            raise ValueError("tests: at least one case that passes and one that fails")
        return self


class _PackFile(_Model):
    schema_name: Literal["pack/1.0"] = Field(alias="schema")
    pack: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{2,60}$")]
    version: Annotated[str, Field(pattern=r"^\d{4}\.\d{1,2}(\.\d+)?$")]
    as_of: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    about: Word
    rules: Annotated[tuple[Rule, ...], Field(min_length=1), BeforeValidator(tuple)]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [rule.id for rule in self.rules]
        repeated = sorted({i for i in ids if ids.count(i) > 1})
        if repeated:
            raise ValueError(f"rules repeat the id {', '.join(repeated)}")
        return self


@dataclass(frozen=True, slots=True)
class Pack:
    """A loaded pack; `sha256` is of its bytes."""

    name: str
    version: str
    as_of: str
    about: str
    rules: tuple[Rule, ...]
    sha256: str


def read_pack(data: bytes, name: str) -> Pack:
    """A pack from its bytes.

    Raises:
        PackError: everything that is wrong with it, at `file:line:column`.
    """
    document = load_yaml(data, name)
    file = validate(_PackFile, document, PackError)
    return Pack(file.pack, file.version, file.as_of, file.about, file.rules, hashlib.sha256(data).hexdigest())


def pack_folders() -> tuple[Path, ...]:
    """Where packs lie: rules/ of a checkout, and dubgate/rulepacks of an installed wheel."""
    here = Path(__file__).resolve()
    return tuple(p for p in (here.parents[2] / "rules", here.parents[1] / "rulepacks") if p.is_dir())


def available() -> dict[str, Path]:
    """The packs that came with the program, by name."""
    return {p.stem: p for folder in reversed(pack_folders()) for p in sorted(folder.glob("*.yaml"))}


def load_packs(names: Sequence[str]) -> tuple[Pack, ...]:
    """Packs by name, or by path where the name ends in .yaml.

    Raises:
        PackError: unknown, unreadable, or not a pack; two packs with one rule id; no pack at all.
    """
    if not names:
        raise PackError("no rule pack was named, so nothing could be judged")
    packs = tuple(_load(name) for name in dict.fromkeys(names))
    owners: dict[str, str] = {}
    for pack in packs:
        for rule in pack.rules:
            other = owners.setdefault(rule.id, pack.name)
            if other != pack.name:
                raise PackError(f"the packs {other} and {pack.name} both have a rule {rule.id}")
    return packs


def _load(name: str) -> Pack:
    known = available()
    path = Path(name) if name.endswith((".yaml", ".yml")) else known.get(name)
    if path is None:
        raise PackError(f"no rule pack is called {name!r}", remedy=f"known are: {', '.join(sorted(known))}")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PACK_BYTES + 1)
    except OSError as error:
        raise PackError(f"cannot be read: {error.strerror}", where=str(path)) from None
    return read_pack(data, path.name)
