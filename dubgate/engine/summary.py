"""The summary of a batch: CSV and Parquet for programs, one HTML page for people; all safe to open."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dubgate.engine.batch import Finished
from dubgate.engine.journal import Done
from dubgate.engine.tally import by_rule, by_vendor
from dubgate.errors import InputError
from dubgate.policy.findings import Finding
from dubgate.report.issues import safe_cell
from dubgate.report.printable import printable
from dubgate.report.write import write_together

Cell = str | int | float | None
Rows = list[dict[str, Cell]]
PAGE, DELIVERIES, RULES, VENDORS, SERIES = (
    "summary.html",
    "summary.csv",
    "summary-rules.csv",
    "summary-vendors.csv",
    "summary-series.csv",
)
PARQUET = "summary.parquet"


def write_summary(finished: Finished, out: Path) -> tuple[tuple[Path, ...], str]:
    """Write the summary beside the journal; the files, and what could not be written and why.

    Raises:
        InputError: the folder cannot be written to.
    """
    tables = tables_of(finished)
    files = {name: csv_of(rows) for name, rows in tables.items()}
    files[PAGE] = page_of(finished, tables).encode()
    missing = ""
    try:
        files[PARQUET] = parquet_of(tables[DELIVERIES])
    except ImportError:
        missing = f"{PARQUET} was not written: it needs pyarrow (pip install 'dubgate[cluster]')"
    try:
        return tuple(write_together({out / name: data for name, data in files.items()})), missing
    except OSError as error:
        raise InputError(f"the summary cannot be written: {error.strerror}", where=str(out)) from error


def tables_of(finished: Finished) -> dict[str, Rows]:
    """The tables by file name."""
    return {
        DELIVERIES: [_delivery(d, finished) for d in finished.done],
        RULES: [
            {"rule": t.rule, "blocked": t.blocked, "held": t.held, "warned": t.warned} for t in by_rule(finished.done)
        ],
        VENDORS: [
            {
                "vendor": t.vendor,
                "language": t.language,
                "deliveries": t.deliveries,
                "released": t.released,
                "held": t.held,
                "blocked": t.blocked,
                "not judged": t.not_judged,
                "minutes": round(t.minutes, 3),
                "review minutes": round(t.review_minutes, 3),
                "review per minute": _rounded(t.review_per_minute),
                "finished minutes": round(t.finished_minutes, 3),
                "rounds": t.rounds,
                "re-submissions": t.resubmissions,
                "rounds per finished minute": _rounded(t.rounds_per_finished_minute),
                "re-submissions per finished minute": _rounded(t.resubmissions_per_finished_minute),
            }
            for t in by_vendor(finished.done, finished.rounds)
        ],
        SERIES: [_shown(d, f) for d in finished.done for f in finished.series.get(d.name, ())],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _delivery(done: Done, finished: Finished) -> dict[str, Cell]:
    facts, series = done.facts, finished.series.get(done.name, ())
    return {
        "delivery": done.name,
        "manifest": done.location,
        "decision": done.decision,
        "title": facts.title if facts else "",
        "language": facts.language if facts else "",
        "vendor": facts.vendor if facts else "",
        "blocks": " ".join(facts.blocking) if facts else "",
        "holds": " ".join(facts.holding) if facts else "",
        "warns": " ".join(facts.warning) if facts else "",
        "series": " ".join(sorted({f.rule for f in series})),
        "minutes": round(facts.minutes, 3) if facts else None,
        "review minutes": round(facts.review_minutes, 3) if facts else None,
        "rounds": sum(1 for d in finished.rounds if d.name == done.name and d.facts is not None),
        "why not judged": done.why,
        "certificate": done.certificate,
        "report sha256": facts.report_sha256 if facts else "",
        "worker": done.worker,
        "seconds": done.seconds,
    }


def _shown(done: Done, finding: Finding) -> dict[str, Cell]:
    return {
        "delivery": done.name,
        "title": done.facts.title if done.facts else "",
        "rule": finding.rule,
        "character": finding.subject.name,
        "sentence en": finding.text.en,
        "sentence ja": finding.text.ja,
        "value": finding.value,
        "bound": finding.bound,
    }


def csv_of(rows: Rows) -> bytes:
    """UTF-8 with a byte order mark; no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if rows:
        writer.writerow(rows[0])
    writer.writerows(
        [["" if c is None else safe_cell(c) if isinstance(c, str) else c for c in r.values()] for r in rows]
    )
    return out.getvalue().encode("utf-8-sig")


def parquet_of(rows: Rows) -> bytes:
    """One row for each delivery, columns named as in the CSV with underscores.

    Raises:
        ImportError: pyarrow is not installed.
    """
    import pyarrow
    from pyarrow import parquet

    numbers = {"minutes": pyarrow.float64(), "review minutes": pyarrow.float64(), "seconds": pyarrow.float64()}
    kinds = {name: numbers.get(name, pyarrow.int64() if name == "rounds" else pyarrow.string()) for name in rows[0]}
    columns = {
        name.replace(" ", "_"): pyarrow.array(
            [printable(c) if isinstance(c, str) else c for c in _column(rows, name)], kind
        )
        for name, kind in kinds.items()
    }
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


def _column(rows: Rows, name: str) -> list[Cell]:
    return [row[name] for row in rows]


_HEADINGS = {
    DELIVERIES: ("Deliveries", "納品"),
    RULES: ("Rules that block most", "最も多く差し止めた規則"),
    VENDORS: ("By vendor and language", "制作会社・言語別"),
    SERIES: ("Against earlier episodes", "前の回との比較"),
}
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:2rem;color:#1b1b1b;background:#fff}"
    "table{border-collapse:collapse;margin:.6rem 0 1.8rem}th,td{padding:.3rem .7rem;border:1px solid #c9c9c9;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}th{background:#f2f2f2}td.n{text-align:right}caption{text-align:left;font-weight:600}"
    ".block,.error{background:#fbe3e3}.hold{background:#fff4d6}.release{background:#e5f4e5}"
)
_SHOWN = ("delivery", "title", "language", "vendor", "decision", "blocks", "holds", "series", "minutes", "review minutes",
          "rounds", "why not judged", "certificate")  # fmt: skip


def page_of(finished: Finished, tables: Mapping[str, Rows]) -> str:
    """One page without scripts; each delivery leads to its report."""
    counts = {k: sum(d.decision == k for d in finished.done) for k in ("release", "hold", "block", "error")}
    told = ", ".join(f"{n} {k}" for k, n in counts.items())
    notes = [*(f"listed more than once, judged once: {t}" for t in finished.listed_twice), *finished.notes]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>dubgate batch</title><style>{_STYLE}</style><h1>{len(finished.done)} deliveries: {told}</h1>",
        *(f"<p>{_safe(n)}</p>" for n in notes),
        *(_table(name, _only(rows, name)) for name, rows in tables.items() if rows),
        "<p>Review minutes: the places that hold or block, with two seconds around each. What other episodes show only warns.</p>",
    ]
    return "\n".join(parts) + "\n"


def _only(rows: Rows, name: str) -> Rows:
    return [{k: row[k] for k in _SHOWN} for row in rows] if name == DELIVERIES else rows


def _table(name: str, rows: Rows) -> str:
    en, ja = _HEADINGS[name]
    head = "".join(f"<th scope=col>{_safe(column)}</th>" for column in rows[0])
    body = "".join(f"<tr>{''.join(_cells(row))}</tr>" for row in rows)
    return f"<table><caption>{en} <span lang=ja>{ja}</span></caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(row: Mapping[str, Cell]) -> Iterable[str]:
    for column, cell in row.items():
        if column == "delivery":
            name = _safe(str(cell))
            yield f'<td><a href="{name}/report.html">{name}</a></td>'
        elif column == "decision":
            yield f'<td class="{_safe(str(cell))}">{_safe(str(cell))}</td>'
        elif isinstance(cell, str) or cell is None:
            yield f"<td>{_safe(cell or '')}</td>"
        else:
            yield f"<td class=n>{cell:g}</td>"


def _safe(text: str) -> str:
    return html.escape(printable(text), quote=True)


def print_batch(finished: Finished, files: Sequence[Path], missing: str) -> None:
    """The table of deliveries and the rules that block most, for a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    styles = {"release": "green", "hold": "yellow", "block": "red", "error": "red"}
    table = Table("delivery", "title", "decision", "because of", "minutes", "review", box=None, pad_edge=False)
    for d in finished.done:
        table.add_row(Text(d.name), *_told(d, styles, finished.series.get(d.name, ())))
    console = Console(highlight=False, width=None if _terminal() else 160)
    console.print(table)
    for rule in by_rule(finished.done)[:5]:
        console.print(f"{rule.rule}: blocks {rule.blocked}, holds {rule.held}, warns of {rule.warned}", markup=False)
    for note in (
        *(f"listed more than once, judged once: {t}" for t in finished.listed_twice),
        *finished.notes,
        missing,
    ):
        if note:
            console.print(Text(printable(note)), soft_wrap=True)
    for path in files:
        console.print(f"summary: {path}", markup=False, soft_wrap=True)


def _told(done: Done, styles: Mapping[str, str], series: Sequence[Finding]) -> tuple[Any, ...]:
    from rich.text import Text

    facts = done.facts
    decision = Text(done.decision, styles.get(done.decision, "red"))
    if facts is None:
        return Text(""), decision, Text(printable(done.why)), "", ""
    because = [*(facts.blocking or facts.holding), *sorted({f.rule for f in series})]
    minutes = (f"{facts.minutes:.1f}", f"{facts.review_minutes:.1f}")
    return Text(printable(facts.title)), decision, Text(", ".join(because)), *minutes


def _terminal() -> bool:
    import sys

    return sys.stdout.isatty()
