"""Rule packs: found by name or path, read strictly, known by the digest of their bytes; `core` is always among them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from consent.vocabulary import Role
from dubgate.errors import PackError
from dubgate.policy.checks import CHECKS, CHECKS_PACK
from dubgate.policy.findings import Group, Severity
from dubgate.policy.pack_schema import RESERVED, BandRule, ConditionRule, PackFile, Rule
from dubgate.policy.pack_sources import ChosenBy, Counsel, Effective, Status
from dubgate.regions import expand
from dubgate.strict_yaml import MAX_BYTES, Document, load_yaml, validate

CORE = CHECKS_PACK


@dataclass(frozen=True, slots=True)
class Pack:
    """A loaded pack; `sha256` is of its bytes, `territories` are countries (None: everywhere).

    `chosen_by` is "everywhere", what of a delivery chooses it, or None where only somebody's asking does.
    """

    name: str
    version: str
    as_of: str
    about: str
    group: Group
    rules: tuple[Rule, ...]
    sha256: str
    territories: tuple[str, ...] | None = None
    sign_offs: tuple[Role, ...] = ()
    small_team: bool = False
    jurisdictions: tuple[str, ...] = ()
    chosen_by: ChosenBy | Literal["everywhere"] | None = None
    status: Status = Status.VERIFIED
    effective: Effective | None = None
    review_by: str | None = None
    counsel: tuple[Counsel, ...] = ()
    data: bytes = field(default=b"", repr=False, compare=False)  # as read, for whoever judges again

    def status_of(self, rule: Rule) -> Status:
        """Whether the rule's source was verified."""
        return rule.status or self.status

    def as_of_of(self, rule: Rule) -> str:
        """The day as of which the rule's source was looked at."""
        return rule.as_of or self.as_of

    def effective_of(self, rule: Rule) -> Effective | None:
        """When the rule is in force; None for always."""
        return rule.effective or self.effective

    def review_by_of(self, rule: Rule) -> str | None:
        """The day by which somebody has to look at the rule's source again."""
        return rule.review_by or self.review_by

    def counsel_of(self, rule: Rule) -> tuple[Counsel, ...]:
        """Who confirmed the rule's wording or severity."""
        return self.counsel if rule.counsel is None else rule.counsel

    @property
    def bands(self) -> tuple[BandRule, ...]:
        """The rules that bound a metric."""
        return tuple(rule for rule in self.rules if isinstance(rule, BandRule))

    @property
    def conditions(self) -> tuple[ConditionRule, ...]:
        """The rules that ask something of the facts."""
        return tuple(rule for rule in self.rules if isinstance(rule, ConditionRule))


@lru_cache(maxsize=64)
def read_pack(data: bytes, name: str, *, core: bool = False) -> Pack:
    """A pack from its bytes; the same bytes are parsed once.

    Args:
        core: whether this is the program's own core pack, which alone may use its name and the reserved ids.

    Raises:
        PackError: everything that is wrong with it, at `file:line:column`.
    """
    document = load_yaml(data, name)
    file = validate(PackFile, document, PackError)
    if (file.pack == CORE) != core:
        remedy = "Give your pack another name; what core checks is in force without being adopted."
        raise PackError(f"the name {CORE!r} is the program's own", where=document.where(("pack",)), remedy=remedy)
    _refuse_reserved(file, document, core)
    _refuse_unverified(file, document)
    return Pack(
        name=file.pack,
        version=file.version,
        as_of=file.as_of,
        about=file.about,
        group=file.group,
        rules=file.rules,
        sha256=document.sha256,
        territories=None if file.territories is None else expand(file.territories),
        sign_offs=file.sign_offs,
        small_team=file.small_team,
        jurisdictions=file.jurisdictions,
        chosen_by=file.chosen_by,
        status=file.status,
        effective=file.effective,
        review_by=file.review_by,
        counsel=file.counsel,
        data=data,
    )


def _refuse_unverified(file: PackFile, document: Document) -> None:
    """What nobody verified warns at most; an operator's counsel may raise it by signature."""
    for k, rule in enumerate(file.rules):
        unverified = (rule.status or file.status) is Status.UNVERIFIED
        if unverified and (rule.severity is not Severity.WARN or getattr(rule, "block_when", None) is not None):
            where = document.where(("rules", k, "severity"))
            raise PackError(f"the source of {rule.id} is unverified, so it can only warn", where=where)
    if file.status is Status.UNVERIFIED and file.sign_offs:
        raise PackError("an unverified pack demands no sign-offs: they hold", where=document.where(("sign_offs",)))


def _refuse_reserved(file: PackFile, document: Document, core: bool) -> None:
    for k, rule in enumerate(file.rules):
        where = document.where(("rules", k, "id"))
        if rule.id in CHECKS:
            raise PackError(f"{rule.id} is judged by the program; no pack can replace it", where=where)
        if rule.id.startswith(RESERVED) and not core:
            raise PackError(f"ids that begin with {', '.join(RESERVED)} are kept for {CORE}", where=where)


def pack_folders() -> tuple[Path, ...]:
    """Where packs lie: rules/ of a checkout, and dubgate/rulepacks of an installed wheel."""
    here = Path(__file__).resolve()
    checkout = here.parents[2]
    folders = [here.parents[1] / "rulepacks"]
    if (checkout / "pyproject.toml").is_file():
        folders.insert(0, checkout / "rules")
    return tuple(folder for folder in folders if folder.is_dir())


def available() -> dict[str, Path]:
    """The packs that came with the program, by name."""
    return {p.stem: p for folder in reversed(pack_folders()) for p in sorted(folder.glob("*.yaml"))}


def choosable() -> tuple[Pack, ...]:
    """The packs that came with the program and that a delivery can bring in by itself.

    Raises:
        PackError: one of them cannot be read; none may be left out for that.
    """
    loaded = (read_pack(_bytes(path), path.name) for name, path in sorted(available().items()) if name != CORE)
    return tuple(pack for pack in loaded if pack.chosen_by is not None)


def load_packs(names: Sequence[str], extra_paths: Sequence[Path] = ()) -> tuple[Pack, ...]:
    """`core`, then packs by name (or by path where a name ends in .yaml), then those at `extra_paths`.

    Raises:
        PackError: unknown, unreadable, or not a pack; two packs of one name or with one rule id; `core` is missing.
    """
    chosen: list[str | Path] = [n for n in dict.fromkeys(names) if n != CORE]
    shipped = available()
    packs = tuple(_load(name, shipped) for name in (CORE, *chosen, *extra_paths))
    owners: dict[str, str] = {}
    for k, pack in enumerate(packs):
        if pack.name in [p.name for p in packs[:k]]:
            raise PackError(f"two packs are called {pack.name}")
        for rule in pack.rules:
            other = owners.setdefault(rule.id, pack.name)
            if other != pack.name:
                raise PackError(f"the packs {other} and {pack.name} both have a rule {rule.id}")
    return packs


def packs_sha256(names: Sequence[str]) -> str:
    """One digest over every pack that could judge: those that came with the program, and those named by path.

    Raises:
        PackError: one of them cannot be read.
    """
    given = (Path(n) for n in dict.fromkeys(names) if n.endswith((".yaml", ".yml")))
    told = [f"{path.name} {hashlib.sha256(_bytes(path)).hexdigest()}" for path in (*available().values(), *given)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _load(name: str | Path, shipped: Mapping[str, Path]) -> Pack:
    if isinstance(name, Path) or name.endswith((".yaml", ".yml")):
        return read_pack(_bytes(Path(name)), Path(name).name)
    path = shipped.get(name)
    if path is None:
        known = ", ".join(sorted(shipped)) or "none at all"
        raise PackError(f"no rule pack is called {name!r}", remedy=f"known are: {known}")
    pack = read_pack(_bytes(path), path.name, core=name == CORE)
    if pack.name != name:
        raise PackError(f"it calls itself {pack.name!r}", where=path.name)
    return pack


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PackError(f"cannot be read: {error.strerror}", where=str(path)) from None
