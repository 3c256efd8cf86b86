"""Cue sheets with named fields: CSV, TSV and JSON, and the ways in which they write times."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dubgate.delivery.cue_json import JsonSheet
from dubgate.delivery.cue_times import exact_rate, parse_time, smpte_s
from dubgate.delivery.cues import sheet_from, write_table
from dubgate.delivery.script import Cue, CueKind, CueSheet, Style
from dubgate.errors import CueError
from dubgate.spans import Span


def read(text: str, **options: object) -> CueSheet:
    return sheet_from(text.encode(), "s", **options)  # type: ignore[arg-type]


def refused(text: str, **options: object) -> CueError:
    with pytest.raises(CueError) as caught:
        read(text, **options)
    return caught.value


# --- times


@pytest.mark.parametrize(
    ("text", "rate", "seconds"),
    [
        ("12.5", None, 12.5),
        ("0", None, 0.0),
        ("01:02:03,004", None, 3723.004),
        ("02:03.5", None, 123.5),
        ("01:00:00", None, 3600.0),
        ("00:00:01:12", "25", 1.48),
        ("01:00:00:00", "23.976", 3603.6),
        ("00:01:00;02", "29.97", 60.06),
        ("00:10:00;00", "29.97", 599.9994),
        ("01:00:00;00", "29.97", 3599.9964),
        ("01:00:00;00", "59.94", 3599.9964),
    ],
)
def test_times_are_read_to_the_frame(text: str, rate: str | None, seconds: float) -> None:
    assert parse_time(text, exact_rate(rate) if rate else None) == pytest.approx(seconds, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "rate", "word"),
    [
        ("-1", None, "negative"),
        ("−1", None, "negative"),
        ("nan", None, "not a time"),
        ("inf", None, "not a time"),
        ("1e3", None, "not a time"),
        ("", None, "not a time"),
        ("00:60:00.0", None, "above 59"),
        ("00:00:60.0", None, "above 59"),
        ("00:00:01:12", None, "frame rate is not known"),
        ("00:00:01:25", "25", "does not exist"),
        ("00:01:00;00", "29.97", "does not exist in drop-frame"),
        ("00:01:00;00", "25", "no drop-frame"),
        ("00:01:00;00", "30", "no drop-frame"),
        ("00:01:00;00", "23.976", "no drop-frame"),
    ],
)
def test_what_is_no_time_is_refused(text: str, rate: str | None, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        parse_time(text, exact_rate(rate) if rate else None)


def test_drop_frame_labels_count_every_real_frame_of_an_hour_once() -> None:
    rate, count = Fraction(30_000, 1001), 0
    for label_s in range(3600):
        for frame in range(30):
            if frame < 2 and label_s % 60 == 0 and (label_s // 60) % 10:
                continue
            assert round(smpte_s(label_s, frame, rate, drop=True) * float(rate)) == count
            count += 1
    assert count == 107_892


@pytest.mark.parametrize(
    ("given", "meant"),
    [(23.976, Fraction(24_000, 1001)), (23.98, Fraction(24_000, 1001)), (29.97, Fraction(30_000, 1001)),
     ("59.94", Fraction(60_000, 1001)), (24, Fraction(24)), (25.0, Fraction(25)),
     ("30000/1001", Fraction(30_000, 1001)),
     (12.5, Fraction(25, 2))],
)  # fmt: skip
def test_a_rounded_frame_rate_is_the_exact_one_that_is_meant(given: float | str, meant: Fraction) -> None:
    assert exact_rate(given) == meant


@pytest.mark.parametrize("rate", [0, -25, float("nan"), float("inf"), "fast", 1e9])
def test_what_is_no_frame_rate_is_refused(rate: float | str) -> None:
    with pytest.raises(ValueError):
        exact_rate(rate)
    assert "frame rate" in refused("start,end,text\n1,2,x\n", frame_rate=rate).what


# --- tables

CSV = """# language: de
# style: voiceover
id,start,end,character,text,kind,language,on_screen,original,note
a,1.0,2.5,Ann,"Komm ""rein"",
bitte",dialogue,,yes,Come in,first take
b,"00:00:03,000",00:00:04.5,,,effort,,no,,
c,00:05,00:06,Bob,WARNING: halt,,fr,,,
"""


def test_a_table_is_read_by_its_column_names() -> None:
    assert read(CSV) == CueSheet(
        "s",
        (
            Cue("a", Span(1.0, 2.5), 'Komm "rein", bitte', "Ann", on_screen=True, original_text="Come in"),
            Cue("b", Span(3.0, 4.5), "", kind=CueKind.EFFORT, on_screen=False),
            Cue("c", Span(5.0, 6.0), "WARNING: halt", "Bob", language="fr"),
        ),
        "de",
        Style.VOICEOVER,
    )


@pytest.mark.parametrize("delimiter", ["\t", ";", ","])
def test_tabs_semicolons_and_commas_part_the_cells(delimiter: str) -> None:
    assert read(f"Start{delimiter}END{delimiter}text\n1{delimiter}2{delimiter}x\n").cues == (
        Cue("#1", Span(1, 2), "x"),
    )


def test_timecode_in_a_table_needs_a_frame_rate() -> None:
    text = "start,end,text\n00:00:01:00,00:00:02:12,x\n"
    assert read(text, frame_rate=25).cues[0].span == Span(1.0, 2.48)
    assert "frame rate is not known" in refused(text).what


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("start,end,text,colour\n1,2,x,red\n", 1, "unknown column 'colour'"),
        ("start,end,text,text\n1,2,x,y\n", 1, "twice"),
        ("start,end,text\n1,2,x\n3,4\n", 3, "2 cells"),
        ("start,end,text\n1,2,x,y\n", 2, "4 cells"),
        ("start,end,text\n2,1,x\n", 2, "ends before"),
        ("start,end,text\n-1,1,x\n", 2, "negative"),
        ("start,end,text\nNaN,1,x\n", 2, "not a time"),
        ('start,end,text\n1,2,"a\nb\nc"\n\n2,3,"x\n', 6, "damaged"),
        ("id,start,end,text\na,1,2,x\na,3,4,y\n", 3, "repeated"),
        ("start,end,text\n5,6,x\n3,4,y\n", 3, "backward"),
        ("start,end,text,kind\n1,2,x,opera\n", 2, "unknown kind"),
        ("start,end,text,language\n1,2,x,xx\n", 2, "unknown language"),
        ("start,end,text,on_screen\n1,2,x,perhaps\n", 2, "yes nor no"),
        ("start,end,text\n", 1, "no cue"),
        ("# style: opera\nstart,end,text\n1,2,x\n", 1, "unknown style"),
    ],
)
def test_a_broken_table_is_refused_at_its_line(text: str, line: int, word: str) -> None:
    error = refused(text)
    assert error.where == f"s:{line}"
    assert word in error.what


def test_a_cell_that_a_spreadsheet_would_run_is_written_quoted_and_read_back() -> None:
    sheet = CueSheet("s", (Cue("1", Span(1, 2), '=cmd|"/c calc"!A1', "@Ann"), Cue("2", Span(2, 3), "'- no", "B")))
    written = write_table(sheet)
    assert not any(cell.lstrip('"').startswith(("=", "@")) for cell in written.replace("\n", ",").split(","))
    assert read(written).cues == sheet.cues


# --- JSON


def test_json_is_read_as_a_sheet_or_as_a_list() -> None:
    cue = '{"id": "a", "start": 1, "end": "00:00:02,500", "text": "Come in", "character": "Ann", "on_screen": false}'
    expected = Cue("a", Span(1.0, 2.5), "Come in", "Ann", on_screen=False)
    assert read(f"[{cue}]").cues == (expected,)
    sheet = read(
        '{"schema": "cues/1.0", "language": "de", "style": "lector", "actors": {"Ann": "A. Actor"},\n'
        f' "cues": [{cue}, {{"start": 3, "end": 4, "kind": "song"}}]}}'
    )
    assert sheet.cues == (expected, Cue("#2", Span(3.0, 4.0), "", kind=CueKind.SONG))
    assert (sheet.language, sheet.style, sheet.actors) == ("de", Style.LECTOR, (("Ann", "A. Actor"),))


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ('[\n{"start": 1, "end": 2, "text": "x"},\n{"start": 1, "end": 2, "colour": "red"}\n]', 3, "colour"),
        ('[\n{"start": 1, "end": 2, "text": "x", "text": "y"}]', 2, "repeated"),
        ('{"schema": "cues/1.0", "cues": [], "cues": []}', 1, "repeated"),
        ('{"schema": "cues/1.0", "cues": []}', 1, "no cue"),
        ('{"schema": "cues/2.0", "cues": [{"start": 1, "end": 2, "text": "x"}]}', 1, "cues/1.0"),
        ('{"cues": [{"start": 1, "end": 2, "text": "x"}]}', 1, "schema"),
        ('{"schema": "cues/1.0"}', 1, "'cues' is missing"),
        ('{"schema": "cues/1.0", "title": 1, "cues": [{"start": 1, "end": 2, "text": "x"}]}', 1, "title"),
        ('[{"start": NaN, "end": 2, "text": "x"}]', 1, "NaN"),
        ('[{"start": 1, "end": Infinity, "text": "x"}]', 1, "Infinity"),
        ('[{"start": 1, "end": 1e999, "text": "x"}]', 1, "end"),
        ('[{"start": 1, "end": 1' + "0" * 400 + ', "text": "x"}]', 1, ""),
        ('[{"start": true, "end": 2, "text": "x"}]', 1, "start"),
        ('[{"start": "1", "end": 2, "text": 5}]', 1, "text"),
        ('[{"start": 1, "end": 2, "text": "\\ud800"}]', 1, "control"),
        ('[{"start": 1, "end": 2, "text": "a\\u0000b"}]', 1, "control"),
        ('[{"start": 1, "end": 2, "text": "x"},\n]', 2, "not a JSON"),
        ('[{"start": 1, "end": 2, "text": "x"}]\n x', 2, "after the end"),
        ("[" * 100_000, 1, "not a JSON"),
        ("[" + '{"a":' * 100_000, 1, "not a JSON"),
        ("[1]", 1, "cue"),
        ("[" + "1," * 200_001 + "1]", 1, "more than 200,000 cues"),
        ("{1: 2}", 1, "a key must be text"),
        ("{{}: 2}", 1, "a key must be text"),
        ("{", 1, "not a JSON"),
    ],
)
def test_a_broken_json_sheet_is_refused_at_its_line(text: str, line: int, word: str) -> None:
    error = refused(text)
    assert error.where == f"s:{line}"
    assert word in error.what


def test_the_json_schema_names_every_field_of_a_cue() -> None:
    schema = JsonSheet.model_json_schema(by_alias=True)
    assert schema["properties"]["schema"]["const"] == "cues/1.0"
    assert set(schema["$defs"]["JsonCue"]["properties"]) == {
        "id", "start", "end", "character", "text", "kind", "language", "on_screen", "synthesised", "original",
    }  # fmt: skip
