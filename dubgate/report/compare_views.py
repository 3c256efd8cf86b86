"""A comparison of two reports for people: plain text, and one HTML page without script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dubgate.policy.findings import Outcome, Text
from dubgate.report.compare import ChangedLine, Comparison, Moved
from dubgate.report.phrases import OUTCOMES, decision_word
from dubgate.report.printable import printable
from dubgate.report.schema import StoredReport

MOST_SHOWN = 40
_SECTIONS = {
    "fresh": Text("New", "新しい指摘"),
    "still_open": Text("Still open", "未解決"),
    "unjudged": Text("No longer judged (not a fix)", "判定対象外になった指摘（修正ではありません）"),
    "fixed": Text("Fixed", "解決済み"),
}
_UNASKED = Text("Changed though nobody asked", "指摘がないのに変わった台詞")
_ASKED = Text("Changed as asked", "指摘を受けて変わった台詞")
_NO_FINDING = Text("these lines had no finding before", "前回は指摘のなかった台詞です")
_NONE = Text("none", "なし")


def comparison_text(comparison: Comparison, *, lang: str = "en") -> str:
    """Plain text without colour; what is new and what changed unasked come before what was fixed."""
    return "\n".join(_text(comparison, lang)) + "\n"


def _text(c: Comparison, lang: str) -> Iterator[str]:
    was, now = (getattr(worded(report), lang).lower() for report in (c.old, c.new))
    yield f"{printable(c.old.title)}: {was} → {now}"
    for note in c.notes:
        yield f"  {printable(note)}"
    yield from _findings(getattr(_SECTIONS["fresh"], lang), c.fresh, lang)
    yield from _lines(getattr(_UNASKED, lang), c.unasked, lang)
    for name in ("still_open", "unjudged", "fixed"):
        yield from _findings(getattr(_SECTIONS[name], lang), getattr(c, name), lang)
    yield from _lines(getattr(_ASKED, lang), c.asked, lang)
    yield from _script(c)


def _findings(title: str, moved: Sequence[Moved], lang: str) -> Iterator[str]:
    yield f"{title}: {len(moved) or getattr(_NONE, lang)}"
    for m in moved[:MOST_SHOWN]:
        yield f"  {told(m, lang)}: {when(m)}{printable(getattr(m.finding.text, lang))} [{printable(m.finding.rule)}]"
    if len(moved) > MOST_SHOWN:
        yield f"  + {len(moved) - MOST_SHOWN}"


def _lines(title: str, changed: Sequence[ChangedLine], lang: str) -> Iterator[str]:
    yield f"{title}: {len(changed) or getattr(_NONE, lang)}"
    for x in changed[:MOST_SHOWN]:
        who = f" ({printable(x.line.character)})" if x.line.character else ""
        yield f"  {x.line.start_timecode} {printable(x.line.id)}{who}: {printable('; '.join(x.how))}"
    if len(changed) > MOST_SHOWN:
        yield f"  + {len(changed) - MOST_SHOWN}"


def _script(c: Comparison) -> Iterator[str]:
    for name, ids in (("rewritten", c.rewritten), ("added", c.added), ("removed", c.removed)):
        if ids:
            more = f" + {len(ids) - MOST_SHOWN}" if len(ids) > MOST_SHOWN else ""
            yield f"Script, {name}: {printable(', '.join(ids[:MOST_SHOWN]))}{more}"


def worded(report: StoredReport) -> Text:
    """The decision of a report in the word that it has itself."""
    return decision_word(report.decision, quality_only=report.quality_only)


def told(moved: Moved, lang: str) -> str:
    """`hold → passed`, or one word where it did not move; in the words of the reports."""
    was, now = (getattr(OUTCOMES[Outcome[x.upper()]], lang) if x else "–" for x in (moved.was, moved.now))
    return was if was == now else f"{was} → {now}"


def when(moved: Moved) -> str:
    """The timecode of the first place with a space, or nothing."""
    return f"{moved.finding.spans[0].start_timecode} " if moved.finding.spans else ""


def comparison_html(comparison: Comparison, *, lang: str = "en") -> str:
    """The page as text: nothing is fetched, and nothing runs but the switch of language."""
    from dubgate.report.html import page

    c = comparison
    counts = (
        ("hold", _SECTIONS["fresh"], len(c.fresh)),
        ("warn", _UNASKED, len(c.unasked)),
        ("unknown", _SECTIONS["still_open"], len(c.still_open)),
        ("pass", _SECTIONS["fixed"], len(c.fixed)),
    )
    return page(
        "compare.html.j2",
        ("compare.js",),
        lang=lang,
        c=c,
        when=when,
        worded=worded,
        counts=counts,
        titles={**_SECTIONS, "unasked": _UNASKED, "asked": _ASKED},
        hints={"unasked": _NO_FINDING},
    )
