"""TTML and DAPT: characters, actors, languages, nested and framed times, and hostile XML."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from growth import LINEAR, growth

from dubgate.delivery import ttml_tree
from dubgate.delivery.cues import sheet_from, write_dapt
from dubgate.delivery.script import Cue, CueKind, CueSheet
from dubgate.errors import CueError
from dubgate.spans import Span

ROOT = (
    '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata"'
    ' xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xmlns:tta="http://www.w3.org/ns/ttml#audio"'
    ' xmlns:tts="http://www.w3.org/ns/ttml#styling" xmlns:daptm="http://www.w3.org/ns/ttml/profile/dapt#metadata"'
)
DAPT = ' xml:lang="en" daptm:langSrc="fr" daptm:scriptRepresents="audio.dialogue" daptm:scriptType="preRecording"'
AGENTS = """<head><metadata>
<ttm:agent type="person" xml:id="a1"><ttm:name type="full">Omar S.</ttm:name></ttm:agent>
<ttm:agent type="character" xml:id="c1"><ttm:name type="full">Assane D.</ttm:name>
  <ttm:name type="alias">ASSANE</ttm:name><ttm:actor agent="a1"/></ttm:agent>
<ttm:agent type="character" xml:id="c2"><ttm:name type="alias">CLAIRE</ttm:name></ttm:agent>
</metadata></head>"""


def tt(body: str, attributes: str = DAPT, head: str = AGENTS) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ROOT}{attributes}>{head}<body>{body}</body></tt>'


def read(text: str, language: str | None = None) -> CueSheet:
    return sheet_from(text.encode(), "s", language=language)


def refused(text: str, language: str | None = None) -> CueError:
    with pytest.raises(CueError) as caught:
        read(text, language)
    return caught.value


def test_an_event_gives_the_dubs_text_beside_the_originals() -> None:
    sheet = read(
        tt("""
        <div begin="10s" end="13s" xml:id="d1" ttm:agent="c1" daptm:onScreen="ON_OFF">
          <ttm:desc daptm:descType="scene">high mountain valley</ttm:desc>
          <p xml:lang="fr"><span>Et c'est grâce à ça.</span></p>
          <p xml:lang="en"><span begin="0s" tta:speak="normal">And thanks</span><span> to<br/>that.</span></p>
        </div>
        <div begin="14s" dur="2s" xml:id="d2" ttm:agent="c2" daptm:onScreen="OFF"><p>Well.</p></div>""")
    )
    assert sheet.cues == (
        Cue(
            "d1",
            Span(10, 13),
            "And thanks to that.",
            "ASSANE",
            CueKind.DIALOGUE,
            None,
            True,
            True,
            "Et c'est grâce à ça.",
        ),
        Cue("d2", Span(14, 16), "Well.", "CLAIRE", on_screen=False),
    )
    assert sheet.language == "en"
    assert sheet.actors == (("ASSANE", "Omar S."),)


def test_the_dubs_language_chooses_among_several() -> None:
    body = '<div begin="1s" end="2s"><p xml:lang="fr">Oui</p><p xml:lang="de">Ja</p><p xml:lang="en-GB">Yes</p></div>'
    assert read(tt(body)).cues[0].text == "Yes"
    german = read(tt(body), "de")
    assert (german.cues[0].text, german.cues[0].original_text, german.language) == ("Ja", "Oui", "de")
    assert "no text in es" in refused(tt(body), "es").what


def test_a_line_in_another_language_keeps_it_and_a_transcript_alone_is_refused() -> None:
    spanish = read(tt('<div begin="1s" end="2s"><p xml:lang="es">Claro</p></div>'))
    assert (spanish.cues[0].text, spanish.cues[0].language) == ("Claro", "es")
    assert "no text in en, only in fr" in refused(tt('<div begin="1s" end="2s"><p xml:lang="fr">Oui</p></div>')).what


def test_times_are_counted_from_the_enclosing_element_and_end_with_it() -> None:
    sheet = read(
        tt('<div begin="00:10:00" end="00:11:30"><div begin="00:01:00" end="00:01:10" xml:id="d2"><p>a</p></div>'
           '<div begin="00:01:20" dur="30s"><p>b</p></div></div>')
    )  # fmt: skip
    assert [c.span for c in sheet.cues] == [Span(660, 670), Span(680, 690)]


@pytest.mark.parametrize(
    ("parameters", "begin", "seconds"),
    [
        ("", "1.5h", 5400.0),
        ("", "90m", 5400.0),
        ("", "1500ms", 1.5),
        ("", "00:00:01.250", 1.25),
        ('ttp:frameRate="25"', "00:00:01:05", 1.2),
        ('ttp:frameRate="25"', "30f", 1.2),
        ('ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"', "24f", 1.001),
        ('ttp:frameRate="24" ttp:frameRateMultiplier="1000:1001"', "48f", 2.002),
        ('ttp:tickRate="10000000"', "12500000t", 1.25),
        ('ttp:frameRate="25"', "50t", 2.0),
        ('ttp:timeBase="smpte" ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"', "01:00:00:00", 3603.6),
        ('ttp:timeBase="smpte" ttp:dropMode="dropNTSC" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"',
         "00:01:00:02", 60.06),
    ],
)  # fmt: skip
def test_every_way_of_writing_a_time_is_understood(parameters: str, begin: str, seconds: float) -> None:
    sheet = read(tt(f'<div><p begin="{begin}" dur="1s">x</p></div>', f"{DAPT} {parameters}"))
    assert sheet.cues[0].span.start_s == pytest.approx(seconds, abs=1e-9)


def test_plain_ttml_has_a_cue_for_each_timed_paragraph_or_for_its_timed_spans() -> None:
    sheet = read(
        tt('<div><p xml:id="p1" begin="1s" end="2s">ANN: a<br/>b</p><p xml:id="p2"><span begin="3s" end="4s">c</span>'
           '<span begin="5s" end="6s">d</span></p></div>', ' xml:lang="de"', "")
    )  # fmt: skip
    assert sheet.cues == (Cue("p1", Span(1, 2), "a b", "ANN"), Cue("p2", Span(3, 6), "cd"))


def test_events_need_not_be_in_order_but_cues_are() -> None:
    sheet = read(tt('<div begin="5s" end="6s"><p>b</p></div><div begin="1s" end="2s"><p>a</p></div>'))
    assert [c.text for c in sheet.cues] == ["a", "b"]


def test_kinds_come_from_represents_or_from_marks_and_what_nobody_voices_is_no_cue() -> None:
    sheet = read(
        tt('<div begin="1s" end="2s" daptm:represents="audio.dialogue.x-song"><p>la</p></div>'
           '<div begin="2s" end="3s"><p>[crowd] hey</p></div>'
           '<div begin="3s" end="4s" daptm:represents="visual.text"><p>EXIT</p></div>'
           '<div begin="4s" end="5s" daptm:represents="audio.nonDialogueSounds"><p>a door</p></div>'
           '<div begin="5s" end="6s" daptm:represents="audio.nonDialogueSounds" ttm:agent="c1"><p>gasps</p></div>'
           '<div begin="6s" end="7s" ttm:agent="c1 c2"><p>Together</p></div>')
    )  # fmt: skip
    assert [(c.kind, c.character, c.text) for c in sheet.cues] == [
        (CueKind.SONG, None, "la"),
        (CueKind.CROWD, None, "hey"),
        (CueKind.EFFORT, "ASSANE", "gasps"),
        (CueKind.CROWD, "ASSANE & CLAIRE", "Together"),
    ]


def test_the_reading_aid_of_ruby_is_not_spoken_twice() -> None:
    body = '<div begin="1s" end="2s"><p><span tts:ruby="container"><span tts:ruby="base">漢字</span>'
    body += '<span tts:ruby="text">かんじ</span></span>だ</p></div>'
    assert read(tt(body), "en").cues[0].text == "漢字だ"


@pytest.mark.parametrize(
    ("body", "attributes", "word"),
    [
        ('<div begin="1s"><p>x</p></div>', DAPT, "without begin and end"),
        ("<div><p>x</p></div>", DAPT, "without begin and end"),
        ('<div begin="3s" end="2s"><p>x</p></div>', DAPT, "ends before"),
        ('<div begin="-3s" end="2s"><p>x</p></div>', DAPT, "negative"),
        ('<div begin="NaNs" end="2s"><p>x</p></div>', DAPT, "not a time expression"),
        ('<div begin="00:00:01:25" end="2s"><p>x</p></div>', DAPT + ' ttp:frameRate="25"', "does not exist"),
        ('<div begin="1s" end="2s" ttm:agent="nobody"><p>x</p></div>', DAPT, "'nobody'"),
        ('<div begin="1s" end="2s" daptm:onScreen="MAYBE"><p>x</p></div>', DAPT, "onScreen"),
        ('<div begin="1s" end="2s" xml:lang="xx"><p>x</p></div>', DAPT, "unknown language"),
        ('<div begin="1s" end="2s"/>', DAPT, "without text"),
        ('<div timeContainer="seq" begin="1s" end="2s"><p>x</p></div>', DAPT, "sequential"),
        ('<div begin="1s" end="2s"><p>x</p></div>', ' xml:lang="en" daptm:scriptType="draft"', "scriptType"),
        ('<div begin="1s" end="2s"><p>x</p></div>', DAPT + ' ttp:timeBase="clock"', "not programme times"),
        ('<div begin="1s" end="2s"><p>x</p></div>', DAPT + ' ttp:frameRate="0"', "not a positive number"),
        ('<div begin="1s" end="2s"><p>x</p></div>', DAPT + ' ttp:frameRateMultiplier="1000"', "not a positive number"),
        ('<div begin="1s" end="2s" xml:id="a"><p>x</p></div><div begin="3s" end="4s" xml:id="a"><p>y</p></div>', DAPT,
         "repeated"),
        ('<div begin="1s" end="2s"><p xml:lang="de">x</p><p xml:lang="fr">y</p></div>', "", "several languages"),
        ("", DAPT, "no cue"),
        ("<div>", DAPT, "not well-formed"),
        ("<div>" * 100 + "</div>" * 100, DAPT, "nested too deep"),
        ("<div a='&x;'/>", DAPT, "not well-formed"),
    ],
)  # fmt: skip
def test_a_broken_document_is_refused_at_its_line(body: str, attributes: str, word: str) -> None:
    error = refused(tt(body, attributes))
    assert str(error.where).startswith("s:")
    assert word in error.what


def test_the_line_of_an_error_is_the_elements_own() -> None:
    body = '\n\n<div begin="1s" end="2s"><p>x</p></div>\n<div\n begin="3s" end="2s"><p>y</p></div>'
    assert refused(tt(body)).where == f"s:{tt(body).split('<div' + chr(10))[0].count(chr(10)) + 1}"


@pytest.mark.parametrize(
    "prologue",
    [
        '<!DOCTYPE tt [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>',
        '<!DOCTYPE tt SYSTEM "http://example.org/tt.dtd">',
        '<!DOCTYPE tt [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
        "<!DOCTYPE tt>",
    ],
)
def test_a_dtd_or_an_entity_is_refused(prologue: str) -> None:
    text = f'<?xml version="1.0"?>\n{prologue}\n{ROOT}{DAPT}><body><div begin="1s" end="2s"><p>x</p></div></body></tt>'
    assert "DTD" in refused(text).what


def test_a_document_of_endless_elements_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ttml_tree, "MAX_ELEMENTS", 100)
    assert "too many elements" in refused(tt("<p/>" * 100)).what


def test_an_encoding_other_than_utf_is_refused() -> None:
    text = tt('<div begin="1s" end="2s"><p>x</p></div>').replace("UTF-8", "ISO-8859-1")
    assert "ISO-8859-1" in refused(text).what


def test_a_document_in_utf_16_is_read() -> None:
    text = tt('<div begin="1s" end="2s"><p>Größe</p></div>').replace("UTF-8", "UTF-16")
    assert sheet_from(text.encode("utf-16"), "s").cues[0].text == "Größe"


def test_originals_and_actors_are_written_and_read_back() -> None:
    cue = Cue("d1", Span(1, 2), "Ja & nein", "ANN", CueKind.SONG, None, True, True, "Yes <and> no")
    sheet = CueSheet("s", (cue,), "de", None, (("ANN", 'A. "Actor"'),))
    assert read(write_dapt(sheet, original_language="en")) == sheet


def test_reading_events_takes_time_in_proportion() -> None:
    def reading(n: int) -> Callable[[], object]:
        cues = tuple(Cue(f"e{k}", Span(k, k + 0.9), f"Line {k}", "ANN" if k % 2 else "BOB") for k in range(n))
        text = write_dapt(CueSheet("s", cues, "en"))
        assert len(read(text).cues) == n
        return lambda: read(text)

    assert growth(reading, 2_500, turns=3) < LINEAR
