"""The register of tools and vendors, `tool-register/1.0`: read once per company, with what was read and when to read again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from consent.strict import Id, Line, Sha256, Strict, Text
from dubgate.delivery.inside import resolve_inside
from dubgate.delivery.manifest_fields import RelativePath, Territory, without_repeats
from dubgate.delivery.manifest_record import Tool
from dubgate.errors import InputError
from dubgate.pinned import read_pinned
from dubgate.strict_yaml import read_yaml, validate

SCHEMA = "tool-register/1.0"


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a day such as 2026-11-20") from None


def _version(pattern: str) -> str:
    if "*" in pattern.removesuffix("*"):
        raise ValueError("a version is written out, or ends in one *, such as 4.*")
    return pattern


Day = Annotated[date, BeforeValidator(_day)]
Version = Annotated[Line, AfterValidator(_version)]


class Terms(Strict):
    """The terms of use as somebody of the company read them: by digest of the bytes, and on which day."""

    sha256: Sha256
    read_on: Day
    read_by: Line
    file: RelativePath | None = None  # beside the register; hashed again at every check


class Dispute(Strict):
    """A dispute about a tool that the company knows of."""

    what: Text
    since: Day
    source: Line
    settled: bool = False


class RegisteredTool(Strict):
    """One tool of one vendor, and what its terms say; what nobody knows is not written as `false`."""

    id: Id
    names: Annotated[tuple[Line, ...], Field(min_length=1, max_length=50), AfterValidator(without_repeats)]
    vendor: Line
    versions: Annotated[tuple[Version, ...], Field(min_length=1, max_length=200), AfterValidator(without_repeats)]
    terms: Terms
    stores_inputs: bool
    trains_on_inputs: bool
    outputs_owned: bool
    processed_in: Annotated[tuple[Territory, ...], Field(min_length=1), AfterValidator(without_repeats)]
    disputes: tuple[Dispute, ...] = ()
    review_due: Day

    @model_validator(mode="after")
    def _reviewed_in_order(self) -> Self:
        if self.review_due <= self.terms.read_on:
            raise ValueError("the next review is due after the day on which the terms were read")
        return self

    def is_it(self, tool: Tool) -> bool:
        """Whether a production record means this tool: the name, the vendor where it is told, a version that was read."""
        named = _folded(tool.name) in {_folded(n) for n in self.names}
        sold = tool.vendor is None or _folded(tool.vendor) == _folded(self.vendor)
        return named and sold and any(_is_version(tool.version, pattern) for pattern in self.versions)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _is_version(version: str, pattern: str) -> bool:
    return version.startswith(pattern[:-1]) if pattern.endswith("*") else version == pattern


class RegisterFile(Strict):
    """register.yaml as it stands in the company's folder."""

    format: Literal["tool-register/1.0"] = Field(alias="schema")
    company: Line
    tools: Annotated[tuple[RegisteredTool, ...], Field(max_length=5000)]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [t.id for t in self.tools]
        if repeated := sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f"two tools have the id {', '.join(repeated)}")
        return self


@dataclass(frozen=True, slots=True)
class Register:
    """The register as it was read; `unread` are tools whose terms lie there with other bytes than those that were read."""

    company: str
    tools: tuple[RegisteredTool, ...]
    unread: frozenset[str]
    sha256: str

    def entry(self, tool: Tool) -> RegisteredTool | None:
        """The one entry that a tool of a production record is; None where there is none, or more than one fits."""
        fitting = [t for t in self.tools if t.is_it(tool) and tool.registered_as in (None, t.id)]
        return fitting[0] if len(fitting) == 1 else None

    def terms_read(self, tool: RegisteredTool) -> bool:
        """Whether the terms that were read are the terms that lie there."""
        return tool.id not in self.unread


def overdue(tool: RegisteredTool, at: datetime) -> bool:
    """Whether the day of the next review has come."""
    return at.astimezone(UTC).date() >= tool.review_due


def read_register(path: Path) -> Register:
    """A register, with the terms that lie beside it hashed again.

    Raises:
        InputError: at `file:line:column`, all that is wrong with it.
    """
    document = read_yaml(path, path.name)
    file = validate(RegisterFile, document, InputError)
    unread = frozenset(t.id for t in file.tools if not _terms_match(t.terms, path.parent))
    return Register(file.company, file.tools, unread, document.sha256)


def _terms_match(terms: Terms, folder: Path) -> bool:
    if terms.file is None:
        return True
    try:
        found = resolve_inside(folder.resolve(), terms.file)
        return hashlib.sha256(read_pinned(found)).hexdigest() == terms.sha256
    except (OSError, ValueError):
        return False


def json_schema() -> dict[str, Any]:
    """The JSON Schema of register.yaml for editors (draft 2020-12)."""
    schema = RegisterFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": SCHEMA}
