"""A company's folder: register.yaml, and policies/*.json; handed to a check by who runs the gate, never by the vendor."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dubgate.company.register import Register, read_register
from dubgate.errors import InputError


@dataclass(frozen=True, slots=True)
class Company:
    """What lies in the folder; without a folder there is no register, which a rule that asks for one cannot pass."""

    register: Register | None = None
    policies: tuple[Path, ...] = ()


NO_COMPANY = Company()


def read_company(folder: Path | None) -> Company:
    """What the folder holds; where none is named, the one of DUBGATE_COMPANY, so that a service and a cluster ask it too.

    Raises:
        InputError: it was named and is not there, holds neither of the two, or its register cannot be read.
    """
    named = os.environ.get("DUBGATE_COMPANY")
    if folder is None and named:
        folder = Path(named)
    if folder is None:
        return NO_COMPANY
    register, policies = folder / "register.yaml", folder / "policies"
    found = tuple(sorted(p for p in policies.glob("*.json") if p.is_file())) if policies.is_dir() else ()
    if not register.is_file() and not found:
        remedy = "it holds register.yaml, policies/*.json, or both"
        raise InputError("no company folder", where=str(folder), remedy=remedy)
    return Company(read_register(register) if register.is_file() else None, found)
