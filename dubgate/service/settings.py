"""What the service is told by its file and environment: strict, with every secret by file, and a summary without any.

`DUBGATE_SERVICE_REGISTRY=…` overrides `registry:` and so on for every field; the values of lists and mappings are JSON.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from consent.strict import Id, Line
from dubgate.errors import InputError
from dubgate.strict_yaml import load_yaml

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PREFIX = "DUBGATE_SERVICE_"
_PASSWORD = re.compile(r"(?<=://)([^:/@]*):[^@]*@")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Root(_Strict):
    """A folder below which one organisation's deliveries may lie."""

    organisation: Id
    path: Path


class Source(_Strict):
    """A URL prefix below which one organisation's deliveries may be fetched."""

    organisation: Id
    prefix: Line

    @property
    def folder(self) -> str:
        """The prefix as a folder: `s3://dubs/a` is not above `s3://dubs/ab`."""
        return self.prefix if self.prefix.endswith("/") else f"{self.prefix}/"


def _owned(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(
            f"whose is it? Write {{organisation: ID, prefix: {value}}}, once for each that may fetch there"
        )
    return value


class Keys(_Strict):
    """With what the worker signs, and as whom: the gate's key, the ledger's, the party of the registry, the name."""

    gate: Path
    ledger: Path
    party: Id
    verifier: Line = "urn:dubgate:gate"


class Trust(_Strict):
    """The trust store that says whose certificates count, its root key (hex), and where the newest seen is remembered."""

    store: Path
    root: Annotated[str, Field(pattern=re.compile(r"^[0-9a-f]{64}\Z"))]
    seen: Path | None = None


class Limits(_Strict):
    """What one caller may use. Rates are counted in each process: with n processes n times as much is allowed."""

    requests_per_minute: Annotated[int, Field(ge=1)] = 60_000
    writes_per_minute: Annotated[int, Field(ge=1)] = 600
    unknown_per_minute: Annotated[int, Field(ge=1)] = 120  # of one address without a valid token
    body_bytes: Annotated[int, Field(ge=1024)] = 262_144
    upload_bytes: Annotated[int, Field(ge=1024)] = 4 << 30
    upload_files: Annotated[int, Field(ge=1, le=1000)] = 64
    fetched_bytes: Annotated[int, Field(ge=1024)] = 16 << 30
    header_seconds: Annotated[float, Field(gt=0)] = 10.0  # for the head of a request
    pause_seconds: Annotated[float, Field(gt=0)] = 20.0  # between two parts of a body, either way
    request_seconds: Annotated[float, Field(gt=0)] = 3600.0  # for a whole body
    streams: Annotated[int, Field(ge=1)] = 8  # event streams of one token at a time
    open_jobs: Annotated[int, Field(ge=1)] = 1000  # of one organisation
    connections: Annotated[int, Field(ge=1)] = 512


class Jobs(_Strict):
    """How workers work."""

    lease_seconds: Annotated[float, Field(gt=0)] = 60.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 4
    backoff_seconds: Annotated[float, Field(ge=0)] = 10.0
    renew_ahead_hours: Annotated[float, Field(gt=0)] = 6.0
    warn_ahead_hours: Annotated[float, Field(gt=0)] = 72.0


class Mail(_Strict):
    """A mail server; its password is in DUBGATE_SMTP_PASSWORD."""

    host: Line
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    user: Line | None = None
    starttls: bool = True


class Desk(_Strict):
    """The review desk in the browser: where people reach it, its own tables, where its messages lie and how they go.

    The secret of `webhook` is in DUBGATE_DESK_WEBHOOK_SECRET.
    """

    origin: Line
    tables: Line
    outbox: Path
    sender: Line = "desk@localhost"
    mail: Mail | None = None
    webhook: Line | None = None


class Settings(_Strict):
    """Everything; see README.md beside this file."""

    schema_: Literal["service/1.0"] = Field("service/1.0", alias="schema")
    registry: Line
    data: Path  # uploads, fetched files, logs of reads, the service's own key
    key_file: Path | None = None  # by default `service.key` in `data`; the same on every machine
    host: Line = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    roots: tuple[Root, ...] = ()
    sources: tuple[Annotated[Source, BeforeValidator(_owned)], ...] = ()
    allow_private_sources: bool = False
    allow_private_webhooks: bool = False
    packs: tuple[Line, ...] = ()
    company: Path | None = None  # the company's folder: register of tools, and what must never be AI
    models: Line = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    keys: Keys | None = None
    trust: Trust | None = None
    desk: Desk | None = None
    keep_uploads_hours: Annotated[float, Field(gt=0, le=87_600)] = 168.0  # after the last job of an upload ended
    metrics_open: bool = False  # else they need a token of the scope admin
    limits: Limits = Limits()
    jobs: Jobs = Jobs()

    @property
    def own_key_file(self) -> Path:
        """Where the service's own key lies."""
        return self.key_file or self.data / "service.key"

    def summary(self) -> dict[str, Any]:
        """What is in force, for the log: passwords in URLs and every key file's content left out."""
        return dict(redacted(self.model_dump(mode="json", by_alias=True)))


def redacted(value: Any) -> Any:
    """The same data without passwords in URLs."""
    if isinstance(value, dict):
        return {k: redacted(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(v) for v in value]
    if isinstance(value, str) and "://" in value:
        bare = _PASSWORD.sub(r"\1:***@", value)
        return bare.split("?", 1)[0] + "?***" if urlsplit(bare).query else bare
    return value


def read_settings(path: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of a YAML or TOML file, overridden by the environment; without a file, the environment's alone.

    Raises:
        InputError: everything that is wrong with them at once.
    """
    given = os.environ if environment is None else environment
    data = _from_file(path) if path is not None else {}
    data |= _from_environment(given)
    if given.get("DUBGATE_COMPANY"):
        data.setdefault("company", given["DUBGATE_COMPANY"])
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        if not data and path is None:
            what = "no settings: name their file with --config, or in DUBGATE_SERVICE_CONFIG"
            raise InputError(what, remedy="What they hold: dubgate serve --help.") from None
        problems = [_in_words(e) for e in error.errors(include_url=False)]
        where = str(path) if path is not None else f"{PREFIX}…"
        raise InputError("\n  ".join(problems), where=where, remedy="What they hold: dubgate serve --help.") from None


def _in_words(error: ErrorDetails) -> str:
    """One thing that is wrong with the settings, by the name that it has in the file."""
    *above, last = map(str, error["loc"])
    named, kind = ".".join([*above, last]), error["type"]
    if kind == "missing":
        return f"{named} is missing"
    if kind == "tuple_type":
        return f"{named} is a list, such as {named}: [...]"
    if kind != "extra_forbidden":
        return f"{named}: {error['msg'].removeprefix('Value error, ')}"
    near = get_close_matches(last, _known(above), n=1)
    return f"there is no setting {named}" + (f"; did you mean {near[0]}?" if near else "")


def _known(above: Sequence[str]) -> list[str]:
    """The names of the settings in one part of them."""
    parts: dict[str, type[BaseModel]] = {"keys": Keys, "trust": Trust, "limits": Limits, "jobs": Jobs, "desk": Desk}
    parts |= {"roots": Root, "sources": Source}
    part = parts.get(above[0]) if above else Settings
    return [] if part is None else [field.alias or name for name, field in part.model_fields.items()]


def _from_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes()
        data = tomllib.loads(text.decode()) if path.suffix == ".toml" else load_yaml(text, path.name).data
    except OSError as error:
        remedy = "What they hold: dubgate serve --help."
        raise InputError(f"the settings cannot be read: {error.strerror}", where=str(path), remedy=remedy) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"the settings cannot be read: {error}", where=str(path)) from None
    if not isinstance(data, dict):
        raise InputError(
            "settings are a mapping of keys to values",
            where=str(path),
            remedy="What they are: dubgate serve --help.",
        )
    return data


def _from_environment(given: Mapping[str, str]) -> dict[str, Any]:
    fields = {name.upper(): name for name in Settings.model_fields if name != "schema_"}
    found: dict[str, Any] = {}
    for variable, value in given.items():
        if not variable.startswith(PREFIX) or variable == f"{PREFIX}CONFIG":
            continue
        name = fields.get(variable.removeprefix(PREFIX))
        if name is None:
            raise InputError("no such setting", where=variable)
        found[name] = _value(variable, value)
    return found


def _value(variable: str, text: str) -> Any:
    if text[:1] not in ("[", "{"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise InputError("neither text nor JSON", where=variable) from None
