"""What every command on the registry shares: where it is, how it answers, and its errors in dubgate's tree."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dubgate.errors import DubgateError, InputError, RegistryError

if TYPE_CHECKING:
    from consent.registry import Registry

F = TypeVar("F", bound=Callable[..., Any])

WHICH = "The consent registry: an SQLite file, or a postgresql:// URL."


class _Place(click.ParamType[str]):
    """Where a registry is: a path or URL, and what to do where nobody has one yet."""

    name = "place"

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:
        return "Make one: `dubgate consent init --registry consent.db`."


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
        with errors_told():
            return command(*args, **kwargs)

    return wrapped


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
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error})", where=str(path)) from None


def write_text(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        InputError: it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(path)) from None
