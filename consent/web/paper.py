"""The consent report as PDF: plain tables in English or Japanese, with the checkpoint that it can be held against."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from consent.web.catalogue import text, word
from consent.web.wording import day, days, spoken, until

FONT = "HeiseiKakuGo-W5"  # known to every reader, for Latin and Japanese alike; nothing is embedded
GREY = colors.HexColor("#55606e")


@cache
def _font() -> str:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    return FONT


def to_pdf(data: Mapping[str, Any], names: Mapping[str, str], language: str) -> bytes:
    """The pages of a report."""
    out = io.BytesIO()
    title = text("reports.title", language)
    page = SimpleDocTemplate(out, pagesize=A4, margins=18 * mm, title=title, author="dubgate", lang=language)
    page.build(list(_parts(data, names, language, title)))
    return out.getvalue()


def _style(size: float, **more: Any) -> ParagraphStyle:
    return ParagraphStyle("p", fontName=_font(), fontSize=size, leading=size * 1.45, wordWrap="CJK", **more)


def _parts(data: Mapping[str, Any], names: Mapping[str, str], language: str, title: str) -> Iterable[Flowable]:
    period = days(data["from"], data["until"], language)
    yield Paragraph(escape(title), _style(18))
    yield Paragraph(escape(f"{data['party_id']} · {period}"), _style(9, textColor=GREY))
    yield Spacer(1, 6 * mm)
    yield from _table("uses", data["uses"], _use, names, language)
    yield from _table("grants", data["grants"], _grant, names, language)
    yield from _table("approvals", data["approvals"], _approval, names, language)
    yield Paragraph(escape(text("reports.checkpoint", language)), _style(9, textColor=GREY))
    for line in data["checkpoint"].splitlines():
        yield Paragraph(escape(line), _style(8, textColor=GREY))


def _use(line: Mapping[str, Any], names: Mapping[str, str], language: str) -> list[str]:
    title = names.get(line["title_id"], line["title_id"])
    decided, decision = day(line["decided_at"], language), word("decision_of", line["decision"], language)
    return [
        decided,
        decision,
        title,
        spoken(line["language"], language),
        line["label"] or "–",
        str(line["proof"]["entry"]),
    ]


def _grant(line: Mapping[str, Any], names: Mapping[str, str], language: str) -> list[str]:
    titles = ", ".join(names.get(t, t) for t in line["titles"])
    status = word("status", line["status"], language)
    return [
        until(line["until"], language),
        status,
        titles,
        ", ".join(line["languages"]),
        line["grant_id"],
        str(line["proof"]["entry"]),
    ]


def _approval(line: Mapping[str, Any], names: Mapping[str, str], language: str) -> list[str]:
    title, decision = names.get(line["title_id"], line["title_id"]), word("decision", line["decision"], language)
    status = word("status", line["status"], language)
    return [day(line["signed_at"], language), decision, title, line["language"], status, str(line["proof"]["entry"])]


def _table(key: str, lines: Any, row: Any, names: Mapping[str, str], language: str) -> Iterable[Flowable]:
    yield Paragraph(escape(text(f"reports.{key}", language)), _style(12))
    if not lines:
        yield Paragraph(escape(text("reports.none", language)), _style(9, textColor=GREY))
        yield Spacer(1, 4 * mm)
        return
    small = _style(8)
    head = [text(f"reports.{key}.{n}", language) for n in range(1, 7)]
    cells = [[Paragraph(escape(c), small) for c in r] for r in (head, *(row(x, names, language) for x in lines))]
    widths = [26 * mm, 24 * mm, 46 * mm, 28 * mm, 34 * mm, 16 * mm]
    rules = [("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.HexColor("#d5dae1")), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    yield Table(cells, colWidths=widths, repeatRows=1, style=TableStyle([*rules, ("LEFTPADDING", (0, 0), (-1, -1), 2)]))
    yield Spacer(1, 6 * mm)
