"""A certificate judged again from the measurements kept with it: the packs of that day must say what they said.

What people and the registry answered then (consent, rights, labels, waivers, attestations) stands as the annex has it;
what the rule packs say is judged anew, by this program, from the same measurements.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from dubgate.certificate.annex import check_annex
from dubgate.certificate.claim import Scope
from dubgate.certificate.file import Certificate
from dubgate.certificate.measured import RESULTS, Measured, measured_of
from dubgate.certificate.refusals import AlteredAnnex
from dubgate.errors import InputError
from dubgate.judged_facts import RESULT_OF
from dubgate.judged_kept import Judged, read_judged
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.judge import judge
from dubgate.policy.packs import CORE, Pack, read_pack
from dubgate.policy.verdict import decision_of
from dubgate.policy.when import REVIEW_DUE, When

Key = tuple[str, str, str, str]  # pack, rule, scope and name of the subject


@dataclass(frozen=True, slots=True)
class Replayed:
    """What judging again gave; `changes` is empty where it is the very same."""

    decision: str
    certified_decision: str
    n_judged: int  # findings of rule packs that were judged again
    changes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether it came to the same verdict, finding by finding."""
        return not self.changes and self.decision == self.certified_decision


def replay(certificate: Certificate, folder: Path, *, packs: Sequence[Pack] | None = None) -> Replayed:
    """Judge again what lies beside a certificate: `annex.json`, `judged.json` and the packs in `packs/`.

    Args:
        packs: other packs than those of that day, to see what they would change.

    Raises:
        AlteredAnnex: what lies there is not what the certificate rests on.
        InputError: something is missing there.
    """
    annex_data, judged_data = _bytes(folder / "annex.json"), _bytes(folder / "judged.json")
    check_annex(annex_data, certificate.verdict.claim, "annex.json")
    annex = json.loads(annex_data)
    if annex.get("judged_sha256") != sha256(judged_data).hexdigest():
        raise AlteredAnnex("the measurements are not those that the annex names", where="judged.json")
    judged = read_judged(judged_data, "judged.json")
    of_that_day = packs_of_that_day(certificate, folder / "packs")
    rules = {
        (p.name, rule) for p in of_that_day for rule in (REVIEW_DUE, *(r.id for r in p.rules))
    }  # all others are the program's own checks
    then = {_key_of(item): item for item in annex["findings"] if (item["pack"], item["rule"]) in rules}
    checks = (item for item in annex["findings"] if (item["pack"], item["rule"]) not in rules)
    stands = [(item["pack"], item["rule"], _outcome(item)) for item in checks]
    again = _judged_again(judged, of_that_day if packs is None else packs, certificate.verdict.claim.scope)
    changes = tuple(_changes(then, again))
    outcomes = [*stands, *((k[0], k[1], _answered(f, then.get(k))) for k, f in again.items())]
    if packs is None:
        changes = (*changes, *_against(certificate.measured, outcomes))
    decision = decision_of([outcome for _, _, outcome in outcomes]).name.lower()
    return Replayed(decision, certificate.verdict.claim.decision, len(again), changes)


def packs_of_that_day(certificate: Certificate, folder: Path) -> tuple[Pack, ...]:
    """The rule packs that judged, by the digests that the certificate names.

    Raises:
        InputError: one is not there.
        AlteredAnnex: its bytes are others.
    """
    found = []
    for used in certificate.verdict.claim.packs:
        data = _bytes(folder / f"{used.sha256}.yaml")
        if sha256(data).hexdigest() != used.sha256:
            raise AlteredAnnex(f"the pack {used.name} is not the one that judged", where=f"{used.sha256}.yaml")
        found.append(read_pack(data, f"{used.name}.yaml", core=used.name == CORE))
    return tuple(found)


def _judged_again(judged: Judged, packs: Sequence[Pack], scope: Scope | None) -> dict[Key, Finding]:
    """As of the moment and for the window of that day: rules have days from which they are in force."""
    window = None if scope is None else (scope.window_start, scope.window_end)
    found = judge(
        judged.measurements,
        packs,
        style=judged.style,
        lines=judged.lines,
        embedded=judged.embedded,
        facts=judged.facts,
        when=When(judged.judged_at, window),
    )
    return {(f.pack, f.rule, f.subject.scope.value, f.subject.name): f for f in found}


def _key_of(item: Any) -> Key:
    subject = item["subject"]
    return (item["pack"], item["rule"], subject["scope"], subject["name"])


def _first(item: Any) -> str:
    """What the rule said before anybody answered."""
    return str(item["was"] or item["outcome"])


def _changes(then: dict[Key, Any], again: dict[Key, Finding]) -> Iterator[str]:
    """Finding by finding, in order of rules."""
    for key in sorted(then.keys() | again.keys()):
        said = _first(then[key]) if key in then else "nothing"
        says = again[key].outcome.name.lower() if key in again else "nothing"
        if said != says:
            where = f" of {key[3]}" if key[3] else ""
            yield f"{key[0]}/{key[1]}{where}: {said} then, {says} now"


def _outcome(item: Any) -> Outcome:
    return Outcome[str(item["outcome"]).upper()]


def _answered(finding: Finding, then: Any) -> Outcome:
    """What people made of a finding then stands where the rule still says what they answered to."""
    answered = then is not None and then["was"] is not None and then["was"] == finding.outcome.name.lower()
    return _outcome(then) if answered else finding.outcome


def _against(measured: Measured, outcomes: Sequence[tuple[str, str, Outcome]]) -> Iterator[str]:
    """Where the signed measurements say something else of a rule than judging again does."""
    worst: dict[str, str] = {}
    for pack, rule, outcome in outcomes:
        if outcome is not Outcome.NOT_APPLICABLE:
            name, result = f"{pack}/{rule}", RESULT_OF[outcome]
            worst[name] = max(worst.get(name, RESULTS[0]), result, key=RESULTS.index)
    now = measured_of(worst)
    for result in ("passed", "warned", "failed"):
        for rule in sorted(set(getattr(measured, result)) ^ set(getattr(now, result))):
            there = "was" if rule in getattr(measured, result) else "is now"
            yield f"{rule} {there} {result} in the signed measurements' sense"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        remedy = "Keep the folder that `dubgate check --certify` wrote as it is."
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from None
