"""Bands: bounds with units on a metric, as packs write them, and how a number is told to people."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from dubgate.units import Quantity, Unit, parse_quantity


def _quantity(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a number with its unit, such as '0.3 s'")
    return parse_quantity(value)


Bound = Annotated[Quantity, BeforeValidator(_quantity)]


class PackModel(BaseModel):
    """A part of a pack: frozen, no unknown key, no coercion."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True
    )


class Band(PackModel):
    """Bounds in one unit; at least one of them. The bounds themselves lie inside."""

    at_least: Bound | None = None
    at_most: Bound | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("a band needs at_least, at_most or both")
        if self.at_least and self.at_most and self.at_least.value > self.at_most.value:
            raise ValueError("nothing lies between these bounds")
        return self

    @property
    def units(self) -> frozenset[Unit]:
        """The units of its bounds."""
        return frozenset(b.unit for b in (self.at_least, self.at_most) if b is not None)

    def is_under(self, value: float) -> bool:
        """Whether a value lies below the lower bound."""
        return self.at_least is not None and not value >= self.at_least.value

    def is_over(self, value: float) -> bool:
        """Whether a value lies above the upper bound."""
        return self.at_most is not None and not value <= self.at_most.value

    def holds(self, value: float) -> bool:
        """Whether a value lies inside; NaN never does."""
        return not self.is_under(value) and not self.is_over(value)

    def __str__(self) -> str:
        parts = [f"at least {self.at_least}"] if self.at_least else []
        parts += [f"at most {self.at_most}"] if self.at_most else []
        return " and ".join(parts)

    @property
    def in_japanese(self) -> str:
        """The band as it is printed in Japanese: `0.3秒以上、2秒以下`."""
        bounds = ((self.at_least, "以上"), (self.at_most, "以下"))
        return "、".join(f"{told(b.value, b.unit, 'ja')}{words}" for b, words in bounds if b is not None)


_PERCENT = (Unit.SHARE, Unit.PROBABILITY)
_WORDS_EN = {
    Unit.SEMITONES: " semitones",
    Unit.MILLISECONDS_PER_MINUTE: " ms a minute",
    Unit.RATIO: " times",
    Unit.COUNT: "",
    Unit.WORDS: " words",
    Unit.CORRELATION: "",
}
_WORDS_JA = {
    Unit.SECONDS: "秒",
    Unit.SEMITONES: "半音",
    Unit.MILLISECONDS_PER_MINUTE: "ミリ秒／分",
    Unit.RATIO: "倍",
    Unit.COUNT: "件",
    Unit.WORDS: "語",
    Unit.CORRELATION: "",
}


def with_unit(value: float, unit: Unit) -> str:
    """A value for tables: `0.92 s`, three significant digits, whole numbers whole."""
    return f"{_number(value)} {unit}"


def told(value: float, unit: Unit, lang: str) -> str:
    """A value for sentences: `0.92 s`, `83 %`, `2.1 times`; in Japanese `0.92秒`, `83%`."""
    if unit in _PERCENT:
        percent = f"{value:.0%}" if value == 0 or abs(value) >= 0.01 else f"{value * 100:.2g}%"
        return percent if lang == "ja" else percent.replace("%", " %")
    if lang == "ja":
        return f"{_number(value)}{_WORDS_JA.get(unit, f' {unit}')}"
    if value == 1 and unit is Unit.WORDS:
        return "1 word"
    return f"{_number(value)}{_WORDS_EN.get(unit, f' {unit}')}"


def _number(value: float) -> str:
    if float(value).is_integer() or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"
