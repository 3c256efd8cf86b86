"""Cue sheets made of lines: SubRip and WebVTT, what a text says of its own cue, encodings and limits."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from growth import LINEAR, growth

from dubgate.delivery.cues import check_against_duration, read_cues, sheet_from, write_srt, write_vtt
from dubgate.delivery.draft import MAX_CUES, MAX_TEXT
from dubgate.delivery.script import Cue, CueKind, CueSheet, Style
from dubgate.errors import CueError
from dubgate.spans import Span

SRT = "1\n00:00:01,000 --> 00:00:02,500\n{}\n"


def srt(*texts: str) -> str:
    return "\n".join(f"{n}\n00:00:{n:02},000 --> 00:00:{n:02},900\n{text}\n" for n, text in enumerate(texts, 1))


def read(text: str, **options: object) -> CueSheet:
    return sheet_from(text.encode(), "s", **options)  # type: ignore[arg-type]


def refused(text: str | bytes, **options: object) -> CueError:
    with pytest.raises(CueError) as caught:
        sheet_from(text if isinstance(text, bytes) else text.encode(), "s", **options)  # type: ignore[arg-type]
    return caught.value


# --- SubRip


def test_subrip_gives_ids_times_and_one_line_of_text() -> None:
    sheet = read(SRT.format("<i>Come\nin</i>, {\\an8}please.") + "\n2\n00:01:02,5 --> 01:00:00,000 X1:10 X2:20\nNow.\n")
    assert sheet.cues == (
        Cue("1", Span(1.0, 2.5), "Come in, please."),
        Cue("2", Span(62.5, 3600.0), "Now."),
    )


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("1\n00:00:03,000 --> 00:00:02,000\nx\n", 1, "ends before it starts"),
        ("1\n00:00:02,000 --> 00:00:02,000\nx\n", 1, "no duration"),
        ("1\n-00:00:03,000 --> 00:00:02,000\nx\n", 2, "negative"),
        ("1\n00:00:03,000 --> -00:00:02,000\nx\n", 2, "negative"),
        ("1\n00:75:03,000 --> 01:00:02,000\nx\n", 2, "above 59"),
        ("1\n00:00:01,000 --> 00:00:02,000\nx\n\n1\n00:00:03,000 --> 00:00:04,000\ny\n", 5, "repeated"),
        ("1\n00:00:05,000 --> 00:00:06,000\nx\n\n2\n00:00:03,000 --> 00:00:04,000\ny\n", 5, "backward"),
        ("1\n00:00:01,000 --> 00:00:02,000\n\n", 1, "without text"),
        ("1\n00:00:01,000 --> 00:00:02,000\nx\n\ny\n", 5, "number"),
        ("1\n00:00:01,000 -> 00:00:02,000 -->\nx\n", 2, "times"),
        ("1\n00:00:NaN --> 00:00:02,000\nx\n", 2, "times"),
        ("1\n00:00:01,000 --> 00:00:02,000\n{kind: opera} x\n", 1, "unknown kind"),
        ("1\n00:00:01,000 --> 00:00:02,000\n{lang: xx} x\n", 1, "unknown language"),
        ("1\n00:00:01,000 --> 00:00:02,000\n{colour: red} x\n", 1, "unknown attribute"),
        ("1\n00:00:01,000 --> 00:00:02,000\n{on_screen: maybe} x\n", 1, "yes nor no"),
        ("1\n00:00:01,000 --> 00:00:02,000\nx\x07y\n", 1, "control"),
        ("1\n00:00:01,000 --> 00:00:02,000\n" + "x" * (MAX_TEXT + 1) + "\n", 1, "characters"),
        ("1\n00:00:01,000 --> 00:00:02,000\n" + "x" * 30_000 + "\n", 3, "a line of"),
    ],
)
def test_a_broken_subrip_is_refused_at_its_line(text: str, line: int, word: str) -> None:
    error = refused(text)
    assert error.where == f"s:{line}"
    assert word in error.what


# --- WebVTT

VTT = """WEBVTT - made by hand
Kind: captions

NOTE language: de

NOTE
This is not a cue --> really

NOTE style: lector

STYLE
::cue { color: lime }

REGION
id:fred

first
00:01.000 --> 00:02.000 align:start line:0
<v.loud Frau Müller>Guten <c.yellow>Tag</c> &amp; <i>hallo</i>!</v>

00:02.000 --> 00:03.000 kind:song character:Der%20Chor on_screen:no
La la

00:03.500 --> 01:00:04.000 lang:fr synthesised:yes
<lang fr>Bonjour</lang>

00:04.000 --> 00:05.000
<ruby>漢<rt>kan</rt></ruby>字 <00:04.500>jetzt
"""


def test_webvtt_is_read_with_voices_settings_notes_and_tags() -> None:
    sheet = read(VTT)
    assert (sheet.language, sheet.style) == ("de", Style.LECTOR)
    assert sheet.cues == (
        Cue("first", Span(1.0, 2.0), "Guten Tag & hallo!", "Frau Müller"),
        Cue("#2", Span(2.0, 3.0), "La la", "Der Chor", CueKind.SONG, on_screen=False),
        Cue("#3", Span(3.5, 3604.0), "Bonjour", language="fr", synthesised=True),
        Cue("#4", Span(4.0, 5.0), "漢字 jetzt"),
    )


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi <v Bob>Hello\n", 3, "two characters"),
        ("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n00:01.000 --> 00:02.000\nx\n", 2, "segment"),
        ("WEBVTT\n00:01.000 --> 00:02.000\nx\n", 2, "blank line"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000garbage\nx\n", 3, "not a cue setting"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000 colour:red\nx\n", 3, "unknown attribute"),
        ("WEBVTT\n\n00:01,000 --> 00:02,000\nx\n", 3, "needs its times"),
        ("WEBVTT\n\nid only\n", 3, "needs its times"),
        ("WEBVTT\n\nNOTE language: klingonese\n\n00:01.000 --> 00:02.000\nx\n", 1, "unknown language"),
        ("WEBVTT\n\nNOTE style: opera\n\n00:01.000 --> 00:02.000\nx\n", 1, "unknown style"),
        ("WEBVTT\n", 1, "no cue"),
    ],
)
def test_a_broken_webvtt_is_refused_at_its_line(text: str, line: int, word: str) -> None:
    error = refused(text)
    assert error.where == f"s:{line}"
    assert word in error.what


def test_a_note_after_the_first_cue_says_nothing_of_the_sheet() -> None:
    sheet = read("WEBVTT\n\n00:01.000 --> 00:02.000\nx\n\nNOTE language: de\n\n00:02.000 --> 00:03.000\ny\n")
    assert (sheet.language, len(sheet.cues)) == (None, 2)


def test_a_cue_made_of_endless_tags_and_a_name_without_end_are_refused() -> None:
    tags = "<b></b>\n" * 3_000
    assert "a cue of more than 20,000" in refused(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{tags}x\n").what
    assert "more than 100 characters" in refused(f"WEBVTT\n\n00:01.000 --> 00:02.000\n<v {'A' * 101}>x\n").what
    assert "more than 100 characters" in refused(f"WEBVTT\n\n{'a' * 101}\n00:01.000 --> 00:02.000\nx\n").what


def test_two_characters_may_speak_at_once() -> None:
    sheet = read("WEBVTT\n\n00:01.000 --> 00:03.000\n<v Ann>Hi\n\n00:01.500 --> 00:02.000\n<v Bob>Hello\n")
    assert [c.character for c in sheet.cues] == ["Ann", "Bob"]


# --- who speaks


def test_names_in_capitals_are_characters_where_the_sheet_writes_names_so() -> None:
    sheet = read(srt("ANN: Come in.", "MRS. O'NEIL: Thank you: really.", "And sit down."))
    assert [(c.character, c.text) for c in sheet.cues] == [
        ("ANN", "Come in."),
        ("MRS. O'NEIL", "Thank you: really."),
        (None, "And sit down."),
    ]


def test_a_long_run_of_capitals_is_a_sentence_and_no_name() -> None:
    assert read(srt("DO NOT GO IN THERE: run!", "STOP")).characters == ()


@pytest.mark.parametrize("text", ["PS: I love you.", "Remember: never run.", "It is 10:30 now.", "He said: no."])
def test_a_colon_in_ordinary_text_makes_no_character(text: str) -> None:
    sheet = read(srt("Come in.", text, "Sit down."))
    assert sheet.cues[1].text == text
    assert sheet.characters == ()


def test_names_in_any_letters_count_when_every_line_has_one_and_they_recur() -> None:
    every = read(srt("Ann: Come in.", "Bob: Thanks.", "Ann: Sit.", "Bob: I will."))
    assert every.characters == ("Ann", "Bob")
    japanese = read(srt("太郎：こんにちは", "花子：やあ", "太郎：元気？", "花子：うん"))
    assert japanese.characters == ("太郎", "花子")
    once_each = read(srt("First: open it.", "Then: look.", "Last: close it."))
    assert once_each.characters == ()


def test_a_known_name_is_a_character_wherever_a_line_starts_with_it() -> None:
    sheet = read(srt("Come in.", "Ann: Thanks.", "Bob: No."), characters=("Ann",))
    assert [(c.character, c.text) for c in sheet.cues][1:] == [("Ann", "Thanks."), (None, "Bob: No.")]


def test_a_character_named_by_a_voice_span_is_known_in_the_rest_of_the_sheet() -> None:
    sheet = read("WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Note: hi\n\n00:02.000 --> 00:03.000\nAnn: Yes\n")
    assert [(c.character, c.text) for c in sheet.cues] == [("Ann", "Note: hi"), ("Ann", "Yes")]


def test_marks_at_the_start_of_a_text_say_its_kind_character_and_language() -> None:
    sheet = read(
        srt("[song] La la", "{kind: crowd, character: The Mob, lang: fr} Oui", "[laughs] Ha", "{kind: effort}")
    )
    assert [(c.kind, c.character, c.language, c.text) for c in sheet.cues] == [
        (CueKind.SONG, None, None, "La la"),
        (CueKind.CROWD, "The Mob", "fr", "Oui"),
        (CueKind.DIALOGUE, None, None, "[laughs] Ha"),
        (CueKind.EFFORT, None, None, ""),
    ]


# --- the sheet as a whole


def test_the_language_asked_for_is_the_sheets_where_it_says_none_and_must_agree_where_it_does() -> None:
    assert read(SRT.format("x"), language="de").language == "de"
    assert read(VTT, language="de-AT").language == "de"
    assert "the dub in fr" in refused(VTT, language="fr").what


def test_an_unknown_language_asked_for_is_refused() -> None:
    assert "is not a language tag" in refused(SRT.format("x"), language="klingonese").what
    assert "of a known language" in refused(SRT.format("x"), language="xx").what


def test_the_first_frame_may_show_another_time_than_zero() -> None:
    text = "1\n10:00:01,000 --> 10:00:02,000\nx\n"
    assert read(text, start_s=36_000.0).cues[0].span == Span(1.0, 2.0)
    assert "before the programme" in refused(text, start_s=36_002.0).what
    assert "not a finite number" in refused(text, start_s=float("nan")).what


def test_a_sheet_that_goes_on_after_the_end_is_refused_with_the_cues_named() -> None:
    sheet = read(srt("a", "b", "c"))
    check_against_duration(sheet, 3.6)  # the last cue ends 0.3 s later
    with pytest.raises(CueError, match=r"3 \(3\.000 to 3\.900 s\)"):
        check_against_duration(sheet, 3.3)
    with pytest.raises(CueError, match=r"2 .*3 "):
        check_against_duration(sheet, 2.0)
    with pytest.raises(CueError):
        check_against_duration(sheet, float("nan"))


# --- bytes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_utf_8_and_utf_16_are_read_with_any_line_ends(encoding: str, ends: str) -> None:
    text = srt("ANN: Größe — 漢字", "ANN: zwei").replace("\n", ends)
    assert [c.text for c in sheet_from(text.encode(encoding), "s").cues] == ["Größe — 漢字", "zwei"]


def test_other_encodings_are_refused_and_the_likely_one_is_named() -> None:
    error = refused(srt("x", "Größe").encode("cp1252"))
    assert "Windows-1252" in error.what
    assert error.where == "s:7"
    assert "UTF-8" in str(error.remedy)
    assert "UTF-32" in refused(srt("x").encode("utf-32")).what
    assert "byte order mark" in refused(srt("x").encode("utf-16-le")).what
    assert "damaged UTF-16" in refused(b"\xff\xfe\x00\xd8\x00\x00").what


@pytest.mark.parametrize(
    ("data", "word"),
    [(b"", "empty"), (b" \n\n", "empty"), (b"RIFF\x24\x00\x00\x00WAVEfmt ", "text"), (b"file 'a.wav'\n", "not a cue"),
     (b"Hello, world\n", "not a cue"), (b"<html></html>", "not TTML"), (b"\x89PNG\r\n\x1a\n", "not UTF-8")],
)  # fmt: skip
def test_what_is_no_cue_sheet_is_refused(data: bytes, word: str) -> None:
    assert word in refused(data).what


def test_the_size_is_looked_at_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.srt"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    tracemalloc.start()
    with pytest.raises(CueError, match="a cue sheet of 50,000,000 bytes"):
        read_cues(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_folder_a_missing_file_and_a_pipe_are_refused_and_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "absent.srt", tmp_path / "pipe"):
        with pytest.raises(CueError, match=path.name):
            read_cues(path)


def test_more_cues_than_any_programme_has_are_refused() -> None:
    lines = "".join(f"{n}\n00:00:01,000 --> 00:00:02,000\nx\n\n" for n in range(MAX_CUES + 1))
    assert "200,000" in refused(lines).what


@pytest.mark.parametrize("write", [write_srt, write_vtt])
def test_reading_cues_takes_time_in_proportion(write: Callable[[CueSheet], str]) -> None:
    def reading(n: int) -> Callable[[], object]:
        cues = (Cue(f"L{k}", Span(k, k + 0.9), f"Line {k}: a <b> & c", "ANN" if k % 2 else "BOB") for k in range(n))
        data = write(CueSheet("s", tuple(cues))).encode()
        assert len(sheet_from(data, "s").cues) == n
        return lambda: sheet_from(data, "s")

    assert growth(reading, 2_500) < LINEAR
