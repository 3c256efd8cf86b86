"""Which model hears for each kind: short names, local folders, digests checked before anything is loaded.

Nothing here fetches, except `pull`, and that only when a person asks. Light: no model library is imported.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from dubgate.errors import ModelError
from dubgate.speech.catalogue import CARDS, KINDS, REPORTED_ELSEWHERE, Card, Hub, Package

AUTO, EMBEDDED = "auto", "embedded"
# Of kinds whose best model is not a single checkpoint, or cannot be loaded safely.
_WITHOUT_CARD = {
    "community-1": "pyannote's community-1 pipeline names classes to import in a YAML file and unpickles whole "
    "objects; dubgate runs no code from a weight file, so it cannot be used. Its speaker encoder can: 'wespeaker'",
}


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model found on this machine, its digest computed from the bytes.

    `path` is a file or folder. `sha256` is of the one file, or over names, sizes and bytes of all in a folder. `pinned`
    says that every byte is the one the catalogue names; `embedded` that this is the fallback inside a package.
    """

    kind: str
    name: str
    path: Path
    sha256: str
    pinned: bool
    embedded: bool
    version: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of `dubgate models list`."""

    card: Card
    path: Path | None  # None: not on this machine

    @property
    def where(self) -> str:
        if isinstance(self.card.source, Package):
            return "installed package" if self.path is not None else "package not installed"
        return str(self.path or "not fetched")


def offline(environ: dict[str, str] | os._Environ[str] = os.environ) -> None:
    """Forbid every library to fetch or to report home; called before any of them is imported."""
    environ["HF_HUB_OFFLINE"] = environ["TRANSFORMERS_OFFLINE"] = "1"
    environ["HF_HUB_DISABLE_TELEMETRY"] = environ["DO_NOT_TRACK"] = "1"
    environ["PYANNOTE_METRICS_ENABLED"] = "0"


def folders(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Where fetched models live, first match wins: DUBGATE_MODELS (path-separated), then the user's cache."""
    given = [Path(p).expanduser() for p in environ.get("DUBGATE_MODELS", "").split(os.pathsep) if p]
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (*given, cache / "dubgate" / "models")


def resolve(
    kind: str, choice: str = AUTO, *, language: str | None = None, environ: Mapping[str, str] = os.environ
) -> ModelRef:
    """The model of `kind` for `--models auto|embedded|NAME[,NAME…]`; names of other kinds leave this one on auto.

    A name is one of the catalogue's, or `kind=folder` for a model of one's own.

    Args:
        kind: one of KINDS; "diarizer" has no checkpoint and always raises.
        choice: as given to `--models`.
        language: BCP-47; models that do not hear it are passed over.

    Raises:
        ModelError: an unknown name, nothing on this machine that serves, or bytes that differ from the pinned ones.
    """
    wanted = chosen(choice)
    if kind in wanted:
        return _of_ones_own(kind, wanted[kind], environ)
    for card in _candidates(kind, choice, language):
        path = locate(card, environ)
        if path is not None:
            return _checked(card, path)
    raise ModelError(
        f"no {kind.replace('_', ' ')} is on this machine" + (f" for {language}" if language else ""),
        remedy=advice(environ) or "pip install 'dubgate[audio]'",
    )


def chosen(choice: str) -> dict[str, str]:
    """Kind to catalogue name or folder, for the kinds that `choice` names.

    Raises:
        ModelError: a name that is no model's, or two for one kind.
    """
    found: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in choice.split(","))):
        if part in (AUTO, EMBEDDED):
            continue
        kind, _, folder = part.partition("=")
        name = folder if folder and kind in KINDS else part
        kind = kind if folder and kind in KINDS else card_named(part).kind
        if kind in found:
            raise ModelError(f"two models for one kind: {found[kind]} and {name}", where="--models")
        found[kind] = name
    return found


def card_named(name: str) -> Card:
    """The catalogue's card.

    Raises:
        ModelError: no such name; the message lists those there are.
    """
    if name in _WITHOUT_CARD:
        raise ModelError(_WITHOUT_CARD[name], where=f"--models {name}")
    for card in CARDS:
        if card.name == name:
            return card
    raise ModelError(
        f"no model is called {name!r}",
        where="--models",
        remedy=f"known are {', '.join(c.name for c in CARDS)}; a folder of your own is KIND=FOLDER",
    )


def locate(card: Card, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The card's file or folder on this machine, complete but not yet checked; None where it is not."""
    if isinstance(card.source, Package):
        try:
            files = [Path(str(distribution(card.source.distribution).locate_file(f.path))) for f in card.files]
        except PackageNotFoundError:
            return None
        return Path(os.path.commonpath(files)) if all(f.is_file() for f in files) else None
    for folder in folders(environ):
        if all((folder / card.name / f.path).is_file() for f in card.files):
            return folder / card.name
    return None


def list_models(environ: Mapping[str, str] = os.environ) -> tuple[Listed, ...]:
    """Every model of the catalogue, and where it is."""
    return tuple(Listed(card, locate(card, environ)) for card in CARDS)


def verify(environ: Mapping[str, str] = os.environ) -> tuple[ModelRef, ...]:
    """Check every model on this machine against its pins.

    Raises:
        ModelError: the first whose bytes differ.
    """
    return tuple(_checked(row.card, row.path) for row in list_models(environ) if row.path is not None)


def is_pinned(sha256: str) -> bool:
    """Whether a digest from a report is one that the catalogue names. Packs decide on others by digest."""
    return sha256 in REPORTED_ELSEWHERE or sha256 in {_pinned_digest(card) for card in CARDS}


def advice(environ: Mapping[str, str] = os.environ) -> str:
    """One line: what `dubgate models pull best` would add; empty where nothing."""
    missing = [row.card for row in list_models(environ) if row.card.best and row.path is None]
    if not missing:
        return ""
    size = sum(card.size for card in missing)
    terms = "; ".join(f"{c.name}: {c.terms}" for c in missing if c.terms) or "no terms to accept"
    names = ", ".join(card.name for card in missing)
    return f"`dubgate models pull best` would add {names} ({size / 1e9:.1f} GB; {terms})"


def pull(name: str, folder: Path | None = None, environ: Mapping[str, str] = os.environ) -> tuple[ModelRef, ...]:
    """Fetch a model by name, or every best one for "best", at its pinned commit, and check it. Needs a network.

    Raises:
        ModelError: unknown name, nothing to fetch, no connection, or bytes that differ from the pinned ones.
    """
    target = folder or folders(environ)[0]
    cards = [c for c in CARDS if c.best and isinstance(c.source, Hub)] if name == "best" else [card_named(name)]
    return tuple(_fetched(card, target / card.name) for card in cards)


def _fetched(card: Card, folder: Path) -> ModelRef:
    if isinstance(card.source, Package):
        raise ModelError(f"{card.name} comes inside a package", remedy=f"pip install {card.source.distribution}")
    import huggingface_hub

    for file in card.files:
        try:
            huggingface_hub.hf_hub_download(
                card.source.repository, file.path, revision=card.source.revision, local_dir=folder
            )
        except (OSError, ValueError, huggingface_hub.errors.HfHubHTTPError) as error:
            raise ModelError(
                f"{card.source.repository} could not be fetched: {type(error).__name__}",
                where=card.name,
                remedy=card.terms or "check the connection, and that HF_HUB_OFFLINE is not set",
            ) from error
    return _checked(card, folder)


def _candidates(kind: str, choice: str, language: str | None) -> list[Card]:
    """Cards that may serve, preferred first."""
    spoken = None if language is None else language.split("-")[0].lower()
    cards = [c for c in CARDS if c.kind == kind and (c.languages is None or spoken is None or spoken in c.languages)]
    if EMBEDDED in (part.strip() for part in choice.split(",")):
        return [c for c in cards if isinstance(c.source, Package)]
    return cards


def _of_ones_own(kind: str, name: str, environ: Mapping[str, str]) -> ModelRef:
    """The model that was asked for by name or folder; nothing else will do."""
    if any(card.name == name for card in CARDS):
        card = card_named(name)
        path = locate(card, environ)
        if path is None:
            raise ModelError(f"{name} is not on this machine", remedy=f"dubgate models pull {name}")
        return _checked(card, path)
    path = Path(name).expanduser()
    if not path.exists():
        raise ModelError("no such file or folder", where=f"{kind}={name}")
    sha256 = digest(path)
    return ModelRef(kind, path.name, path, sha256, pinned=is_pinned(sha256), embedded=False)


def _checked(card: Card, path: Path) -> ModelRef:
    """The card's bytes, each file against its pin."""
    version = ""
    if isinstance(card.source, Package):
        found_in = distribution(card.source.distribution)
        version = found_in.version
        found = {f.path: Path(str(found_in.locate_file(f.path))) for f in card.files}
    else:
        version = card.source.revision[:12]
        found = {f.path: path / f.path for f in card.files}
    for file in card.files:
        actual = digest(found[file.path])
        if actual != file.sha256:
            raise ModelError(
                f"the weights of {card.name} were altered: {actual[:16]}… instead of {file.sha256[:16]}…",
                where=str(found[file.path]),
                remedy="install the package again"
                if isinstance(card.source, Package)
                else f"dubgate models pull {card.name}",
            )
    return ModelRef(card.kind, card.name, path, _pinned_digest(card), True, card.embedded, version)


def _pinned_digest(card: Card) -> str:
    """What `digest` gives of exactly the card's files."""
    if isinstance(card.source, Package) and len(card.files) == 1:
        return card.files[0].sha256
    whole = hashlib.sha256()
    for file in sorted(card.files, key=lambda f: f.path):
        whole.update(f"{file.path}\0{file.size}\0{file.sha256}\n".encode())
    return whole.hexdigest()


def digest(path: Path) -> str:
    """SHA-256 of a file, or of the sorted list of names, sizes and digests of a folder's files."""
    if path.is_file():
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    whole = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file() and not _is_fetchers(p, path)):
        whole.update(f"{file.relative_to(path).as_posix()}\0{file.stat().st_size}\0{digest(file)}\n".encode())
    return whole.hexdigest()


def _is_fetchers(file: Path, folder: Path) -> bool:
    """Bookkeeping that huggingface_hub leaves beside what it fetched."""
    return any(part.startswith(".") for part in file.relative_to(folder).parts)
