"""Laws of cue sheets: what is written is read back, nothing but CueError is ever raised, and other readers agree."""

from __future__ import annotations

import html
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dubgate.delivery.cues import (
    check_against_duration,
    sheet_from,
    write_dapt,
    write_json,
    write_srt,
    write_table,
    write_vtt,
)
from dubgate.delivery.draft import plain_text
from dubgate.delivery.script import Cue, CueKind, CueSheet, Style
from dubgate.errors import CueError
from dubgate.spans import Span

letters = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co"), exclude_characters="\ufeff")
awkward = st.text("aB:：<>&{}[]%,;'\"=-+@#é漢 .!?", max_size=12)
words = (awkward | st.text(letters, max_size=12)).map(lambda t: plain_text(t, ""))
names = words.filter(bool)
languages = st.sampled_from([None, "fr", "pt-BR", "es-419", "zh-Hant"])


def unmarked(text: str) -> bool:
    """Texts that SubRip cannot hold: its tags have no escape."""
    return "<" not in text and "{\\" not in text


@st.composite
def cue_sheets(draw: st.DrawFn, *, ids: st.SearchStrategy[str] = names) -> CueSheet:
    n = draw(st.integers(1, 5))
    unique = draw(st.lists(ids.filter(lambda i: not i.startswith("#")), min_size=n, max_size=n, unique=True))
    start_ms, cues = 0, []
    for identifier in unique:
        start_ms += draw(st.integers(0, 5_000_000))
        end_ms = start_ms + draw(st.integers(1, 100_000))
        kind = draw(st.sampled_from(list(CueKind)))
        cues.append(
            Cue(
                identifier,
                Span(start_ms / 1000, end_ms / 1000),
                draw(names if kind is CueKind.DIALOGUE else words),
                draw(st.none() | names),
                kind,
                draw(languages),
                draw(st.sampled_from([None, True, False])),
                draw(st.sampled_from([None, True, False])),
            )
        )
    style = draw(st.sampled_from([None, *Style]))
    return CueSheet("s", tuple(cues), draw(st.sampled_from([None, "de", "ja"])), style)


def back(text: str) -> CueSheet:
    return sheet_from(text.encode(), "s")


@settings(deadline=None)
@given(cue_sheets())
def test_webvtt_gives_back_what_was_written(sheet: CueSheet) -> None:
    assert back(write_vtt(sheet)) == sheet


@settings(deadline=None)
@given(cue_sheets())
def test_subrip_gives_back_what_was_written(sheet: CueSheet) -> None:
    assume(all(unmarked(c.text) and unmarked(c.character or "") and unmarked(c.id) for c in sheet.cues))
    assert back(write_srt(sheet)).cues == sheet.cues


@settings(deadline=None)
@given(cue_sheets(), st.sampled_from([",", ";", "\t"]))
def test_a_table_gives_back_what_was_written(sheet: CueSheet, delimiter: str) -> None:
    assert back(write_table(sheet, delimiter=delimiter)) == sheet


@settings(deadline=None)
@given(cue_sheets())
def test_json_gives_back_what_was_written(sheet: CueSheet) -> None:
    assert back(write_json(sheet)) == sheet


@settings(deadline=None)
@given(cue_sheets(ids=st.from_regex(r"[a-z][a-z0-9_.-]{0,8}", fullmatch=True)))
def test_dapt_gives_back_what_was_written(sheet: CueSheet) -> None:
    # A text in another primary language stays another language; without text there is no language to keep.
    assume(all(c.text for c in sheet.cues if c.language or c.synthesised is not None) and sheet.language is not None)
    assume(not any(c.text.startswith(("{", "[")) for c in sheet.cues))
    assume(not any(c.character is None and any(colon in c.text for colon in ":：") for c in sheet.cues))
    got = back(write_dapt(sheet))
    assert (got.cues, got.language) == (sheet.cues, sheet.language)


def readable(data: bytes) -> None:
    with suppress(CueError):
        check_against_duration(sheet_from(data, "s", language="de", frame_rate=25), 100.0)


starts = st.sampled_from(
    [b"", b"WEBVTT\n\n", b"1\n00:00:01,000 --> 00:00:02,000\n", b"start,end,text\n", b"[", b'{"cues":', b"<tt>",
     b'<tt xmlns="http://www.w3.org/ns/ttml"><body><div>', b"\xff\xfe", b"# style: x\nstart\tend\n"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(starts, st.binary(max_size=120) | st.text("0123:.,-> \n\"{}[]<>/=ttbodypdivNaN&;#'x\t").map(str.encode))
def test_arbitrary_bytes_are_a_sheet_or_a_cue_error_and_nothing_else(start: bytes, data: bytes) -> None:
    readable(start + data)


@settings(max_examples=300, deadline=None)
@given(cue_sheets(), st.sampled_from([write_vtt, write_srt, write_table, write_json, write_dapt]), st.data())
def test_a_sheet_with_one_byte_changed_is_a_sheet_or_a_cue_error(
    sheet: CueSheet, write: Callable[[CueSheet], str], data: st.DataObject
) -> None:
    written = bytearray(write(sheet).encode())
    at = data.draw(st.integers(0, len(written) - 1))
    written[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    readable(bytes(written))


def plain_sheet() -> CueSheet:
    texts = ["Come in & sit down.", "Größe — 漢字", "a < b > c", "Last: line"]
    return CueSheet("s", tuple(Cue(f"c{n}", Span(n + 0.001, n + 0.999), t) for n, t in enumerate(texts)))


def test_another_reader_finds_the_same_times_and_texts_in_the_webvtt_we_write() -> None:
    webvtt = pytest.importorskip("webvtt", reason="webvtt-py, the second implementation, is not installed")
    sheet = plain_sheet()
    captions = webvtt.from_string(write_vtt(sheet))
    assert [html.unescape(c.text) for c in captions] == [c.text for c in sheet.cues]
    assert [(c.start, c.end, c.identifier) for c in captions] == [
        (f"00:00:0{n}.001", f"00:00:0{n}.999", f"c{n}") for n in range(4)
    ]


def test_another_reader_finds_the_same_times_and_texts_in_the_subrip_we_write() -> None:
    pysubs2 = pytest.importorskip("pysubs2", reason="pysubs2, the second implementation, is not installed")
    sheet = CueSheet("s", tuple(c for c in plain_sheet().cues if unmarked(c.text)))
    events = pysubs2.SSAFile.from_string(write_srt(sheet), format_="srt")
    assert [(e.start / 1000, e.end / 1000) for e in events] == [(c.span.start_s, c.span.end_s) for c in sheet.cues]
    assert all(e.plaintext.endswith(c.text) for e, c in zip(events, sheet.cues, strict=True))


def test_we_find_in_a_foreign_subrip_what_another_reader_finds() -> None:
    pysubs2 = pytest.importorskip("pysubs2", reason="pysubs2, the second implementation, is not installed")
    text = "1\r\n00:00:01,250 --> 00:00:02,000\r\n<i>Guten</i>\r\nTag\r\n\r\n2\r\n00:10:03,5 --> 01:00:04,000\r\nJa\r\n"
    ours, theirs = back(text), pysubs2.SSAFile.from_string(text, format_="srt")
    assert [(c.span.start_s, c.span.end_s) for c in ours.cues] == [(e.start / 1000, e.end / 1000) for e in theirs]
    assert [c.text for c in ours.cues] == [" ".join(e.plaintext.split()) for e in theirs]
