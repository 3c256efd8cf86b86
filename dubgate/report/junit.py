"""The verdict as JUnit XML: one test case per rule and subject, so that a build server shows what failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dubgate.delivery.timecode import timecode_at
from dubgate.judgement import Judgement
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import Finding, Outcome
from dubgate.report.printable import printable

_ELEMENT = {
    Outcome.BLOCK: "failure",
    Outcome.HOLD: "failure",
    Outcome.UNKNOWN: "error",
    Outcome.NOT_APPLICABLE: "skipped",
}
_Case = tuple[str, str, Subject]


def junit_xml(judgement: Judgement) -> bytes:
    """The report as a JUnit file, UTF-8.

    Hold and block are failures, unknown is an error, not applicable is skipped; warnings and waivers pass and are told
    in `system-out`. Findings of one rule about one subject are one case, with the outcome of the worst.
    """
    cases: dict[_Case, list[Finding]] = {}
    for finding in judgement.verdict.findings:
        cases.setdefault((finding.pack, finding.rule, finding.subject), []).append(finding)
    root = Element("testsuites", name=printable(judgement.title))
    for pack in dict.fromkeys(key[0] for key in cases):
        _suite(root, pack, [found for key, found in cases.items() if key[0] == pack], judgement)
    _count(root, [max(f.outcome for f in found) for found in cases.values()])
    indent(root)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def _suite(root: Element, pack: str, cases: Sequence[Sequence[Finding]], judgement: Judgement) -> None:
    suite = SubElement(
        root, "testsuite", name=printable(pack), timestamp=judgement.judged_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    _count(suite, [max(f.outcome for f in found) for found in cases])
    for found in cases:
        _case(suite, sorted(found, key=lambda f: -f.outcome), judgement)


def _count(element: Element, outcomes: Iterable[Outcome]) -> None:
    kinds = [_ELEMENT.get(o, "") for o in outcomes]
    element.set("tests", str(len(kinds)))
    for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(kinds.count(kind)))


def _case(suite: Element, found: Sequence[Finding], judgement: Judgement) -> None:
    worst = found[0]
    name = f"{worst.rule} {subject_name(worst.subject)}"
    case = SubElement(suite, "testcase", classname=printable(f"{worst.pack}.{worst.rule}"), name=printable(name))
    told = "\n".join(_told(f, judgement) for f in found)
    element = _ELEMENT.get(worst.outcome)
    if element is not None:
        kind = worst.outcome.name.lower()
        SubElement(case, element, type=kind, message=printable(worst.text.en)).text = told
    elif worst.outcome in (Outcome.WARN, Outcome.WAIVED):
        SubElement(case, "system-out").text = f"{worst.outcome.name.lower()}: {told}"


def subject_name(subject: Subject) -> str:
    """`line 12 (ANNA)`, `character ANNA` or `programme`."""
    if subject.scope is Scope.PROGRAMME:
        return "programme"
    of = f" ({subject.character})" if subject.character else ""
    return f"{subject.scope.value} {subject.name}{of}"


def _told(finding: Finding, judgement: Judgement) -> str:
    when = ", ".join(str(timecode_at(s.start_s, judgement.clock)) for s in finding.spans)
    measured = f"{finding.value}, wanted {finding.bound}" if finding.value and finding.bound else finding.value
    return " | ".join(printable(part) for part in (finding.text.en, measured, when, finding.remedy.en) if part)
