"""What judges on a machine: the program, the packs, the company's folder, the models at hand; the same on every machine of a batch.

A worker tells what it has, and the parent commits nothing that was judged by something else than its round.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from dubgate import __version__
from dubgate.company.folder import company_sha256
from dubgate.engine.jobs import Answer, Facts, Judges, Settings
from dubgate.errors import InputError
from dubgate.features import BackendInfo
from dubgate.policy.packs import packs_sha256
from dubgate.program import WHOLE, code_sha256

_SPOKEN = frozenset(("transcriber", "aligner"))  # which of these serves depends on the language


def judges_of(settings: Settings) -> Judges:
    """What judges here, as it lies there now.

    Raises:
        InputError: a pack or the company's folder cannot be read.
    """
    return Judges(
        version=__version__,
        program=code_sha256(WHOLE) or "",
        packs=packs_sha256(settings.packs),
        company=company_sha256(None if settings.company is None else Path(settings.company)) or "",
        models=_at_hand(),
    )


def _at_hand() -> tuple[str, ...]:
    """The models on this machine by name; which of them heard, by digest, stands in what they heard."""
    from dubgate.speech.models import list_models

    return tuple(sorted(f"{row.card.kind} {row.card.name}" for row in list_models() if row.path is not None))


def sha256_of(judges: Judges) -> str:
    """One digest over all of it: rounds that were judged by others are others."""
    told = [str(getattr(judges, field.name)) for field in fields(judges)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def judged_by(settings: Settings) -> str:
    """What judges here, by digest.

    Raises:
        InputError: a part of it cannot be read.
    """
    return sha256_of(judges_of(settings))


def asked_by(settings: Settings) -> str:
    """A digest of what judges and of what the registry knew: a copy of it, or another in its place, knew something else."""
    return hashlib.sha256(f"{settings.judged_by}\n{settings.known}".encode()).hexdigest()


def require_same(answer: Answer, here: Judges) -> None:
    """What a worker answered was judged by what judges here.

    Raises:
        InputError: it was not, or it does not say.
    """
    theirs = answer.judges
    names = [f.name for f in fields(here) if theirs is None or getattr(theirs, f.name) != getattr(here, f.name)]
    if not here.program:  # a program whose source nobody can read is not known to be the same
        names = list(dict.fromkeys([*names, "program"]))
    if not names:
        return
    who = answer.worker or "a worker"
    what = f"{who} judged with another {' and '.join(names)} than this machine has"
    raise InputError(
        what, remedy="bring every machine of the batch to the same version, packs, company folder and models"
    )


def models_in(heard: Iterable[BackendInfo]) -> tuple[tuple[str, str], ...]:
    """Kind and digest of the weights that heard."""
    return tuple(sorted((m.kind, m.weights_sha256) for m in heard if m.weights_sha256))


class Models:
    """The weights that heard a round so far: of each kind one, and where the language decides, one a language."""

    def __init__(self, facts: Iterable[Facts]) -> None:
        self._known: dict[tuple[str, str], str] = {}
        for each in facts:
            self._known |= self._of(each)

    def require_same(self, facts: Facts) -> None:
        """The same weights heard this delivery as the others of the round; then they are noted.

        Raises:
            InputError
        """
        found = self._of(facts)
        if other := sorted(key[0] for key, sha256 in found.items() if self._known.get(key, sha256) != sha256):
            what = f"other weights heard it than the deliveries before it: {', '.join(other)}"
            raise InputError(what, remedy="install the same models on every machine of the batch")
        self._known |= found

    @staticmethod
    def _of(facts: Facts) -> dict[tuple[str, str], str]:
        return {(kind, facts.language if kind in _SPOKEN else ""): sha256 for kind, sha256 in facts.models}
