"""The summary of a batch: CSV and Parquet for programs, one HTML page for people; all safe to open."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

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
    ":root{color-scheme:light dark;--ink:#1b1f22;--soft:#5a6268;--ground:#f5f5f1;--card:#fff;--edge:#d6d8d4;"
    "--block:#a61b1b;--hold:#8a5000;--release:#20673b}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e7e9ea;--soft:#a3abb2;--ground:#14181b;--card:#1c2024;--edge:#343a40;"
    "--block:#ff9a8f;--hold:#ffb45c;--release:#86d6a0}}"
    "*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;padding:24px 20px;max-width:1500px;color:var(--ink);"
    "background:var(--ground)}h1{font-size:1.5rem;margin:.2em 0 .1em}.counts{display:flex;flex-wrap:wrap;gap:4px 18px;margin:0 0 1rem}"
    ".counts b{font-variant-numeric:tabular-nums}a{color:inherit}p{color:var(--soft);margin:.4em 0}"
    "h2{font-size:1.05rem;margin:1.8rem 0 .5rem}h2 span{color:var(--soft);font-weight:400}"
    ".scroll{overflow-x:auto;background:var(--card);border:1px solid var(--edge);border-radius:10px}"
    "table{border-collapse:collapse;min-width:min(100%,30rem)}th,td{padding:.4rem .8rem;border-bottom:1px solid var(--edge);text-align:left;"
    "vertical-align:top}tr:last-child td{border-bottom:0}th{white-space:nowrap;color:var(--soft);font-weight:600;font-size:.85rem}"
    "td{min-width:4ch}td.n{text-align:right;font-variant-numeric:tabular-nums}td.why{min-width:26ch;overflow-wrap:anywhere}"
    ".block,.error{color:var(--block);font-weight:650}.hold{color:var(--hold);font-weight:650}.release{color:var(--release);font-weight:650}"
    "@media(max-width:640px){thead{display:none}table,tbody,tr,td{display:block}tr{padding:.5rem 0;border-bottom:1px solid var(--edge)}"
    "td,td.n{border:0;padding:.1rem .9rem;text-align:left;overflow-wrap:anywhere}td:empty{display:none}"
    "td::before{content:attr(data-of) ': ';color:var(--soft)}}"
)
_SHOWN = ("decision", "delivery", "title", "language", "vendor", "blocks", "holds", "why not judged", "series", "minutes",
          "review minutes", "rounds", "certificate")  # fmt: skip


def page_of(finished: Finished, tables: Mapping[str, Rows]) -> str:
    """One page without scripts; each delivery leads to its report."""
    counts = {k: sum(d.decision == k for d in finished.done) for k in ("release", "hold", "block", "error")}
    told = "".join(f"<span class={k}><b>{n}</b> {k}</span>" for k, n in counts.items() if n)
    notes = [*(f"listed more than once, judged once: {t}" for t in finished.listed_twice), *finished.notes]
    reports = frozenset(d.name for d in finished.done if d.facts is not None)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width, initial-scale=1'>",
        f"<title>dubgate batch</title><style>{_STYLE}</style><h1>{len(finished.done)} deliveries</h1><div class=counts>{told}</div>",
        *(f"<p>{_safe(n)}</p>" for n in notes),
        *(_table(name, _only(rows, name), reports) for name, rows in tables.items() if rows),
        "<p>Review minutes: the places that hold or block, with two seconds around each. What other episodes show only warns.</p>",
    ]
    return "\n".join(parts) + "\n"


def _only(rows: Rows, name: str) -> Rows:
    """Of deliveries the columns that people read, and no column in which nothing stands."""
    if name != DELIVERIES:
        return rows
    kept = [k for k in _SHOWN if any(row[k] not in ("", None) for row in rows)]
    return [{k: row[k] for k in kept} for row in rows]


def _table(name: str, rows: Rows, reports: frozenset[str]) -> str:
    en, ja = _HEADINGS[name]
    head = "".join(f"<th scope=col>{_safe(column)}</th>" for column in rows[0])
    body = "".join(f"<tr>{''.join(_cells(row, reports))}</tr>" for row in rows)
    told = f"<h2>{en} <span lang=ja>{ja}</span></h2>"
    return f"{told}<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cells(row: Mapping[str, Cell], reports: frozenset[str]) -> Iterable[str]:
    """Each cell says of what it is, for a screen on which a row is a card; a delivery leads to its report where it has one."""
    for column, cell in row.items():
        of = f'data-of="{_safe(column)}"'
        if column == "delivery":
            name = _safe(str(cell))
            yield (
                f'<td {of}><a href="{name}/report.html">{name}</a></td>' if cell in reports else f"<td {of}>{name}</td>"
            )
        elif column == "decision":
            yield f'<td {of} class="{_safe(str(cell))}">{_safe(str(cell))}</td>'
        elif isinstance(cell, str) or cell is None:
            why = ' class="why"' if column == "why not judged" and cell else ""
            yield f"<td {of}{why}>{_safe(cell or '')}</td>"
        else:
            yield f"<td {of} class=n>{cell:g}</td>"


def _safe(text: str) -> str:
    return html.escape(printable(text), quote=True)
