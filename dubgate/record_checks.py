"""The production record held against the files that lie there: hashed again, chained, answered, and credited on the card."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from dubgate.delivery.formats import file_sha256
from dubgate.delivery.manifest import Delivery, RecordedFile
from dubgate.delivery.manifest_record import CreditRole, Revision
from dubgate.delivery.unanswered import is_answer
from dubgate.errors import MediaError
from dubgate.measure.measurement import Scope, Subject
from dubgate.pinned import as_pinned
from dubgate.policy.checks import failed, passed
from dubgate.policy.findings import Finding

PROGRAMME = Subject(Scope.PROGRAMME)
MUST_BE_NAMED = (CreditRole.ADAPTER, CreditRole.DUBBING_DIRECTOR)
_READ_BYTES = 65_536
_CARD_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file of the record, whether its bytes are the recorded ones, and whether it holds an answer (text files)."""

    kind: str
    path: str
    matches: bool
    answers: bool


def checked_files(delivery: Delivery) -> tuple[CheckedFile, ...]:
    """Every file that the record names, hashed again."""
    return tuple(_checked(delivery, kind, file) for kind, file in delivery.recorded)


def _checked(delivery: Delivery, kind: str, file: RecordedFile) -> CheckedFile:
    shown = str(file.path.relative_to(delivery.root))
    return CheckedFile(kind, shown, _sha256(file.path) == file.sha256, _answers(file.path))


def _sha256(path: Path) -> str | None:
    try:
        return file_sha256(path)
    except MediaError:
        return None


def _answers(path: Path) -> bool:
    """Whether a short text file says something; what is no text, or long, is not judged by its words."""
    try:
        with open(path, "rb", opener=as_pinned) as file:
            data = file.read(_READ_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError:
        return False
    except UnicodeDecodeError:
        return True
    return len(data) > _READ_BYTES or is_answer(text)


def file_findings(delivery: Delivery, files: Sequence[CheckedFile]) -> tuple[Finding, ...]:
    """INT-005 for each file, and for the intake, whose bytes are not those that the delivery names."""
    changed = [f"{f.path} ({f.kind})" for f in files if not f.matches]
    if delivery.intake is not None and _sha256(delivery.intake.path) != delivery.intake.sha256:
        changed.append(f"{delivery.intake.path.name} (intake)")
    if changed:
        return tuple(
            failed("INT-005", PROGRAMME, f"{what} has other bytes than were recorded", f"{what}は記録と異なります")
            for what in changed
        )
    if files or delivery.intake is not None:
        return (passed("INT-005", PROGRAMME, "every recorded file is as recorded", "記録されたファイルは一致します"),)
    return ()


def unanswered(delivery: Delivery, files: Sequence[CheckedFile]) -> tuple[str, ...]:
    """Where the record, or a file of it, says nothing: dotted names."""
    return (
        *(name for name, text in _answers_of(delivery) if not is_answer(text)),
        *(f.path for f in files if not f.answers),
    )


def _answers_of(delivery: Delivery) -> Iterator[tuple[str, str | None]]:
    record = delivery.production
    if record is None:
        return
    if record.purpose is not None:
        yield "production.purpose", record.purpose
    for k, tool in enumerate(record.tools):
        yield from ((f"production.tools.{k}.{field}", getattr(tool, field)) for field in ("name", "version"))
        if tool.vendor is not None:
            yield f"production.tools.{k}.vendor", tool.vendor
    yield from ((f"production.revisions.{k}.what", r.what) for k, r in enumerate(record.revisions))
    yield from ((f"production.reviewers.{k}.role", r.role) for k, r in enumerate(record.reviewers))
    people = delivery.credits.people if delivery.credits else ()
    yield from ((f"credits.people.{k}.name", p.name) for k, p in enumerate(people))


def chained(delivery: Delivery) -> bool:
    """Whether each revision names the digest before it, in order of time, and the last one the dub that lies there."""
    revisions = delivery.production.revisions if delivery.production else ()
    if not revisions:
        return True
    last = _sha256(delivery.dub.published.path)
    return all(_follows(a, b) for a, b in pairwise(revisions)) and (
        None not in (revisions[0].previous_sha256, last) and revisions[-1].sha256 == last
    )


def _follows(before: Revision, after: Revision) -> bool:
    known = before.sha256 is not None and after.previous_sha256 is not None
    return known and before.sha256 == after.previous_sha256 and before.at <= after.at


def unnamed(delivery: Delivery) -> tuple[str, ...]:
    """The roles that a card names and nobody is named in."""
    people = delivery.credits.people if delivery.credits else ()
    named = {p.role for p in people if is_answer(p.name)}
    return tuple(str(role) for role in MUST_BE_NAMED if role not in named)


def missing_on_card(delivery: Delivery, demanded: Iterable[str]) -> tuple[str, ...]:
    """What the dub card must say and does not: the wording that grants demand, and everybody whom the delivery credits."""
    people = delivery.credits.people if delivery.credits else ()
    wanted = dict.fromkeys((*demanded, *(p.name for p in people)))
    shown = "" if delivery.dub_card is None else _flat(card_text(delivery.dub_card))
    return tuple(text for text in wanted if not _stands(_flat(text), shown))


def _flat(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _stands(wanted: str, shown: str) -> bool:
    """Whether the card has this wording, whole: "Ada" does not stand in "Adamant"."""
    at = shown.find(wanted)
    while at >= 0:
        before, after = shown[at - 1 : at], shown[at + len(wanted) : at + len(wanted) + 1]
        if not (before.isalnum() and wanted[:1].isascii()) and not (after.isalnum() and wanted[-1:].isascii()):
            return True
        at = shown.find(wanted, at + 1)
    return False


def card_text(path: Path) -> str:
    """All words of a dub card (text, CSV or JSON); empty where it cannot be read, so that nothing is found on it."""
    try:
        with open(path, "rb", opener=as_pinned) as file:
            data = file.read(_CARD_BYTES + 1)
        text = data.decode("utf-8-sig") if len(data) <= _CARD_BYTES else ""
        return _words_of(text, path.suffix.lower())
    except (OSError, ValueError, RecursionError, csv.Error):
        return ""


def _words_of(text: str, suffix: str) -> str:
    if suffix == ".json":
        return "\n".join(_strings(json.loads(text)))
    if suffix in (".csv", ".tsv"):
        rows = csv.reader(io.StringIO(text), delimiter="\t" if suffix == ".tsv" else ",")
        return "\n".join(cell for row in rows for cell in row)
    return text


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
