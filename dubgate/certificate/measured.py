"""The measurements as an in-toto Statement: which rules passed, warned and failed (`test-result`), rule by rule.

Rules stand by pack and id with the worst that came of them; lines, characters and scores stay in the private annex.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consent.dsse import STATEMENT_TYPE
from dubgate.certificate.claim import ModelUsed, PackUsed
from dubgate.certificate.opening import Statement
from dubgate.certificate.refusals import Malformed
from dubgate.certificate.strict_fields import Fields
from dubgate.certificate.verdict import TEST_RESULT

RESULTS = ("PASSED", "WARNED", "FAILED")


@dataclass(frozen=True, slots=True)
class Measured:
    """Rules as `pack/RULE`, in alphabetical order."""

    passed: tuple[str, ...]
    warned: tuple[str, ...]
    failed: tuple[str, ...]

    @property
    def result(self) -> str:
        """The worst of them."""
        return "FAILED" if self.failed else "WARNED" if self.warned else "PASSED"


def measured_of(worst: Mapping[str, str]) -> Measured:
    """From the worst result (one of RESULTS) of each rule."""
    by_result = {result: tuple(sorted(r for r, found in worst.items() if found == result)) for result in RESULTS}
    return Measured(by_result["PASSED"], by_result["WARNED"], by_result["FAILED"])


def measured_statement(
    measured: Measured, file_sha256: str, packs: Sequence[PackUsed], models: Sequence[ModelUsed]
) -> dict[str, Any]:
    """The statement to sign."""
    used = [(f"urn:dubgate:pack:{p.name}:{p.version}", p.sha256) for p in packs]
    used += [(f"urn:dubgate:model:{m.kind}:{m.name}", m.sha256) for m in models]
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "dub", "digest": {"sha256": file_sha256}}],
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": measured.result,
            "configuration": [{"uri": uri, "digest": {"sha256": sha256}} for uri, sha256 in used],
            "passedTests": list(measured.passed),
            "warnedTests": list(measured.warned),
            "failedTests": list(measured.failed),
        },
    }


def read_measured(statement: Statement, name: str) -> Measured:
    """The measurements of a statement whose signature was verified.

    Raises:
        Malformed
    """
    fields = Fields(statement.predicate, name)
    result, _ = fields.text("result"), fields.take("configuration")
    measured = Measured(fields.texts("passedTests"), fields.texts("warnedTests"), fields.texts("failedTests"))
    fields.done()
    if measured.result != result:
        raise Malformed("its result is not that of its tests", where=name)
    return measured
