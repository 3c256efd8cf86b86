"""A company's folder: register.yaml, and policies/*.json; handed to a check by who runs the gate, never by the vendor."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dubgate.company.register import Register, read_register
from dubgate.delivery.digests import seen
from dubgate.delivery.inside import resolve_inside
from dubgate.errors import InputError
from dubgate.pinned import pins


@dataclass(frozen=True, slots=True)
class Company:
    """What lies in the folder; without a folder there is no register, which a rule that asks for one cannot pass."""

    register: Register | None = None
    policies: tuple[Path, ...] = ()


NO_COMPANY = Company()


def read_company(folder: Path | None) -> Company:
    """What the folder holds; where none is named, the one of DUBGATE_COMPANY.

    Raises:
        InputError: it was named and is not there, holds neither of the two, or its register cannot be read.
        ChangedError: a policy that is pinned is not there.
    """
    folder = company_folder(folder)
    if folder is None:
        return NO_COMPANY
    register, policies = folder / "register.yaml", folder / "policies"
    found = tuple(sorted(p for p in policies.glob("*.json") if p.is_file())) if policies.is_dir() else ()
    pins().require_listed(policies, found)
    pins().require_there(register)
    if not register.is_file() and not found:
        remedy = "it holds register.yaml, policies/*.json, or both"
        raise InputError("no company folder", where=str(folder), remedy=remedy)
    return Company(read_register(register) if register.is_file() else None, found)


def company_folder(folder: Path | None) -> Path | None:
    """The folder that is asked, links followed: the one that is named, else that of DUBGATE_COMPANY."""
    named = os.environ.get("DUBGATE_COMPANY")
    chosen = folder if folder is not None else Path(named) if named else None
    return None if chosen is None else chosen.resolve()


def company_files(folder: Path) -> tuple[Path, ...]:
    """Every file that a check reads of it: register, policies, and the terms that lie beside the register.

    Raises:
        InputError: there is no such folder, or its register cannot be read.
    """
    company = read_company(folder)
    named = [folder / "register.yaml", *company.policies]
    for tool in company.register.tools if company.register is not None else ():
        with suppress(ValueError):  # what leaves the folder is not read
            named += [resolve_inside(folder, tool.terms.file)] if tool.terms.file else []
    return tuple(dict.fromkeys(p for p in named if p.is_file()))


def company_sha256(folder: Path | None) -> str | None:
    """One digest over all that a check reads of the company's folder; None where there is none.

    Raises:
        InputError: as company_files.
    """
    found = company_folder(folder)
    if found is None:
        return None
    return digest_of((os.path.relpath(p, found), seen(p).sha256) for p in company_files(found))


def digest_of(files: Iterable[tuple[str, str]]) -> str:
    """One digest over files that are told by name and digest."""
    return hashlib.sha256("\n".join(sorted(f"{sha256}  {name}" for name, sha256 in files)).encode()).hexdigest()
