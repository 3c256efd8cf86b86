"""Cue sheets as JSON: `{"schema": "cues/1.0", "cues": [...]}`, or the list of cues alone.

A cue has `start` and `end` (seconds as a number, or a time as text) and may have `id`, `character`, `text`, `kind`,
`language`, `on_screen`, `synthesised` and `original`; the sheet may have `language`, `style` and `actors` (character to
name). `JsonSheet.model_json_schema()` is the schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dubgate.delivery.cue_times import parse_time
from dubgate.delivery.draft import MAX_CUES, Draft, SheetDraft
from dubgate.delivery.script import Cue, CueKind, CueSheet
from dubgate.errors import CueError

ModelT = TypeVar("ModelT", bound=BaseModel)
_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class JsonCue(BaseModel):
    """One cue as it is written."""

    model_config = _STRICT
    start: float | str
    end: float | str
    text: str = ""
    id: str | None = None
    character: str | None = None
    kind: str | None = None
    language: str | None = None
    on_screen: bool | None = None
    synthesised: bool | None = None
    original: str | None = None


class JsonHead(BaseModel):
    """What a sheet has beside its cues."""

    model_config = _STRICT
    format: Literal["cues/1.0"] = Field(alias="schema")
    language: str | None = None
    style: str | None = None
    actors: dict[str, str] = {}


class JsonSheet(JsonHead):
    """A cue sheet as it is written."""

    cues: list[JsonCue]


class _Reader:
    """Walks over the outermost level itself, so that each cue's line is known; the rest is the standard decoder's."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name, self.at, self.line, self.counted = text, name, 0, 1, 0
        self.decoder = json.JSONDecoder(object_pairs_hook=_unrepeated, parse_constant=_refuse_constant)
        self.cues: list[tuple[int, Any]] = []
        self.head: dict[str, Any] = {}

    def read(self) -> None:
        if self._peek() == "[":
            self.head["schema"] = "cues/1.0"
            self._cues()
        else:
            self._sheet()
        if self._peek():
            raise ValueError("more text after the end")

    def where(self) -> str:
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return f"{self.name}:{self.line}"

    def _sheet(self) -> None:
        seen: set[str] = set()
        for _ in self._members("{", "}"):
            key = self._value()
            if not isinstance(key, str):
                raise ValueError("a key must be text")
            if key in seen:
                raise ValueError(f"the key {key!r} is repeated")
            seen.add(key)
            self._expect(":")
            if key == "cues":
                self._cues()
            else:
                self.head[key] = self._value()
        if "cues" not in seen:
            raise ValueError("'cues' is missing")

    def _cues(self) -> None:
        for _ in self._members("[", "]"):
            self._peek()
            self.where()
            if len(self.cues) >= MAX_CUES:
                raise ValueError(f"more than {MAX_CUES:,} cues")
            self.cues.append((self.line, self._value()))

    def _members(self, opening: str, closing: str) -> Iterator[None]:
        """Yields where a member starts; the caller reads it before going on."""
        self._expect(opening)
        if self._peek() == closing:
            self.at += 1
            return
        while True:
            yield
            if self._peek() != ",":
                break
            self.at += 1
        self._expect(closing)

    def _value(self) -> Any:
        self._peek()
        value, self.at = self.decoder.raw_decode(self.text, self.at)
        return value

    def _peek(self) -> str:
        while self.at < len(self.text) and self.text[self.at] in " \t\n\r":
            self.at += 1
        return self.text[self.at : self.at + 1]

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise ValueError(f"{character!r} expected")
        self.at += 1


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is repeated")
    return found


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not a number")


def read_json(text: str, name: str, *, frame_rate: Fraction | None) -> SheetDraft:
    """A sheet or a list of cues.

    Raises:
        CueError: at `file:line`: not JSON, repeated or unknown keys, a value of the wrong type, a time not understood.
    """
    reader = _Reader(text, name)
    try:
        reader.read()
    except (ValueError, RecursionError) as error:
        remedy = "Name the dub's cue sheet: SRT, WebVTT, CSV, TTML, DAPT, or JSON with a list of `cues`."
        raise CueError(f"not a JSON cue sheet ({_short(error)})", where=reader.where(), remedy=remedy) from None
    head = _validated(JsonHead, reader.head, f"{name}:1")
    sheet = SheetDraft(language=head.language, style=head.style, actors=head.actors)
    for line, raw in reader.cues:
        sheet.add(_draft(raw, line, f"{name}:{line}", frame_rate), name)
    return sheet


def _short(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)[:200] or "nested too deep"


def _validated(model: type[ModelT], raw: object, where: str) -> ModelT:
    try:
        return model.model_validate(raw)
    except ValidationError as failure:
        told = [f"{'.'.join(map(str, e['loc'])) or 'cue'}: {e['msg']}" for e in failure.errors(include_url=False)]
        raise CueError("; ".join(told[:5]), where=where) from None


def _draft(raw: object, line: int, where: str, frame_rate: Fraction | None) -> Draft:
    cue = _validated(JsonCue, raw, where)
    return Draft(
        line,
        _seconds(cue.start, where, frame_rate),
        _seconds(cue.end, where, frame_rate),
        cue.text,
        id=cue.id,
        character=cue.character,
        kind=cue.kind,
        language=cue.language,
        on_screen=cue.on_screen,
        synthesised=cue.synthesised,
        original_text=cue.original,
        explicit_character=True,
    )


def _seconds(value: float | str, where: str, frame_rate: Fraction | None) -> float:
    try:
        return parse_time(value, frame_rate) if isinstance(value, str) else float(value)
    except (ValueError, OverflowError) as error:
        raise CueError(str(error), where=where) from None


def write_json(sheet: CueSheet) -> str:
    """The sheet as JSON, one cue a line, nothing lost; fields that say nothing are left out."""
    head: dict[str, Any] = {"schema": "cues/1.0", "language": sheet.language, "style": sheet.style}
    if sheet.actors:
        head["actors"] = dict(sheet.actors)
    lines = [f"  {_compact(key)}: {_compact(value)},\n" for key, value in head.items() if value is not None]
    cues = ",\n".join(f"    {_compact(_written(cue))}" for cue in sheet.cues)
    return "{\n" + "".join(lines) + f'  "cues": [\n{cues}\n  ]\n}}\n'


def _written(cue: Cue) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": cue.id,
        "start": round(cue.span.start_s, 6),
        "end": round(cue.span.end_s, 6),
        "character": cue.character,
        "text": cue.text,
        "kind": None if cue.kind is CueKind.DIALOGUE else str(cue.kind),
        "language": cue.language,
        "on_screen": cue.on_screen,
        "synthesised": cue.synthesised,
        "original": cue.original_text,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
