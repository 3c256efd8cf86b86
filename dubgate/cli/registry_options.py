"""What every command on the registry shares: where it is, how it answers, and its errors in dubgate's tree."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dubgate.cli.remedies import REGISTRY
from dubgate.errors import DubgateError, InputError, RegistryError

if TYPE_CHECKING:
    from consent.registry import Registry

F = TypeVar("F", bound=Callable[..., Any])

_KEY_FILE = re.compile(rb"[0-9a-f]{64}\s*")  # a registry's own key, as consent.sealing keeps it
_AS_SAID = "Say it as the registry does: dubgate consent show --registry REGISTRY shows the ids."
WHICH = "The consent registry: an SQLite file, or a postgresql:// URL."


class _Place(click.ParamType[str]):
    """Where a registry is: a path or URL, and what to do where nobody has one yet."""

    name = "place"

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        return "Make one: `dubgate consent init --registry consent.db`."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if ctx is not None:
            ctx.meta[REGISTRY] = str(value)  # an error that names an unknown id is told what is there
        return str(value)


class _Id(click.ParamType[str]):
    """An id of the registry, refused by its option where it can be none."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from consent.strict import ID, ID_MEANS

        if not ID.fullmatch(str(value)):
            self.fail(f"{value!r} is no id: {ID_MEANS}", param, ctx)
        return str(value)


ID = _Id()


def registry_option(told: str = WHICH, *, name: str = "registry") -> Callable[[F], F]:
    """`--registry`, needed; without one the reader is told how to make it."""
    return click.option(
        "--registry",
        name,
        envvar="DUBGATE_REGISTRY",
        show_envvar=True,
        required=True,
        type=_Place(),
        metavar="PATH|URL",
        help=told,
    )


def registry_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--registry`, `--key-file` and `--format`, and the registry's errors as dubgate's."""

    @registry_option(name="location")
    @click.option(
        "--key-file",
        type=click.Path(path_type=Path),
        envvar="DUBGATE_REGISTRY_KEY",
        show_envvar=True,
        help="The key that names and templates are sealed under; by default beside the SQLite file.",
    )
    @click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with errors_told(), _words_told():
            return command(*args, **kwargs)

    return wrapped


@contextmanager
def _words_told() -> Iterator[None]:
    """Words of the command line that make no record of the registry, named by their field."""
    from pydantic import ValidationError

    from consent.strict import problems

    try:
        yield
    except ValidationError as error:
        raise InputError(problems(error, "").what, remedy=_AS_SAID) from error


@contextmanager
def errors_told() -> Iterator[None]:
    """The registry's errors in dubgate's tree, which the outermost handler turns into exit code 2."""
    from consent.errors import ConsentError, StoreError

    try:
        yield
    except ConsentError as error:
        kind: type[DubgateError] = RegistryError if isinstance(error, StoreError) else InputError
        raise kind(error.what, where=error.where, remedy=error.remedy) from error


def open_registry(
    location: str,
    key_file: Path | None,
    *,
    create: bool = False,
    read_only: bool = False,
    signatures_required: bool = False,
) -> Registry:
    """Open or make a registry."""
    from consent.registry import Registry

    if key_file is not None and not create and not key_file.exists():  # without one, names and templates stay sealed
        remedy = "Leave --key-file out where the key lies beside the registry."
        raise InputError("no such file", where=str(key_file), remedy=remedy)
    return Registry.open(
        location, key_file=key_file, create=create, read_only=read_only, signatures_required=signatures_required
    )


def say(form: str, data: dict[str, Any], text: str) -> None:
    """Answer in the form that was asked for."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) if form == "json" else text)


def plain(value: object) -> str:
    """A value on one line of a terminal: nothing in it can move the cursor or turn the text around."""
    return "".join(c if c.isprintable() else "?" for c in str(value))


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except UnicodeDecodeError:
        raise InputError("not a text in UTF-8", where=str(path), remedy="Is it the file that you mean?") from None


def write_text(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        InputError: it cannot be written, or a registry or a key is there.
    """
    if _precious(path):
        raise InputError("a registry or a key is there", where=str(path), remedy="Name a new file.")
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(path)) from None


def _precious(path: Path) -> bool:
    """Whether a registry or a secret key is there, which no report or checkpoint is meant to replace."""
    try:
        with path.open("rb") as file:
            head = file.read(80)
    except OSError:
        return False
    return head.startswith(b"SQLite format 3") or b"PRIVATE KEY" in head or bool(_KEY_FILE.fullmatch(head))
