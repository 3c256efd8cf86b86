"""Content measures on made-up hearing whose answer is known."""

from __future__ import annotations

from collections.abc import Callable

import jiwer
import numpy as np
import pytest
from content_features import measured_content, programme, script, song, spoken
from growth import LINEAR, growth
from hypothesis import given, settings
from hypothesis import strategies as st

from dubgate.delivery.script import Cue, CueSheet
from dubgate.features import LanguageWindow, LineAlignment, Word
from dubgate.measure.metrics import METRICS
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured, measured

LINES = ("the ship leaves at dawn without us", "nobody saw him after the storm", "put the gun down")


def said(*texts: str, late_s: float = 0.0) -> list[Word]:
    """One text for each line of 5 s, from 0.3 s on."""
    return [w for k, text in enumerate(texts) for w in spoken(text, 5.0 * k + 0.3 + late_s)]


def fitting(cue_id: str, text: str, start_s: float, score: float = -1.0, prob: float = 0.8) -> LineAlignment:
    return LineAlignment(cue_id, tuple(spoken(text, start_s, prob=prob)), score)


def value(found: dict, metric: str, line: str = "") -> float:
    return measured(found[metric, line].value)


def test_a_dub_that_says_its_script_has_no_errors() -> None:
    found = measured_content(programme(said(*LINES)), script(*LINES))
    for line in "123":
        assert value(found, "script_wer", line) == 0
        assert value(found, "script_words_heard", line) == 1
        assert value(found, "divergent_run_words", line) == 0
    assert value(found, "missing_lines") == 0
    assert value(found, "invented_words") == 0


def test_every_metric_is_in_the_table_with_its_scope() -> None:
    found = measured_content(programme(said(*LINES)), script(*LINES))
    for (metric, _), measurement in found.items():
        assert METRICS[metric].scope is measurement.subject.scope


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["a1", "b2", "c3", "d4"]), min_size=1, max_size=9))
def test_word_errors_of_a_line_are_jiwers(heard: list[str]) -> None:
    text = "a1 b2 c3 d4 a1 b2"
    words = spoken(" ".join(heard), 0.2)
    found = measured_content(programme(words, language="de"), script(text, language="de"))
    assert value(found, "script_wer", "1") == pytest.approx(jiwer.wer(text, " ".join(heard)))


def test_character_languages_get_a_character_error_rate() -> None:
    words = [Word("今日", Span(0.5, 1.0), 0.9), Word("は雨です。", Span(1.0, 2.0), 0.9)]
    found = measured_content(programme(words, language="ja"), script("今日は晴れです", language="ja"))
    assert value(found, "script_cer", "1") == pytest.approx(jiwer.cer("今日は晴れです", "今日は雨です"))
    assert ("script_wer", "1") not in found


def test_a_line_that_nobody_says_is_missing_and_named() -> None:
    found = measured_content(programme(said(LINES[0], "", LINES[2])), script(*LINES))
    assert value(found, "missing_lines") == 1
    assert found["missing_lines", ""].detail == (("line 2", LINES[1]),)
    assert found["missing_lines", ""].spans == (Span(5.0, 9.5),)
    assert value(found, "script_words_heard", "2") == 0


def test_a_sentence_in_place_of_a_line_is_a_missing_line_and_an_invention() -> None:
    other = "buy now and save money today"
    found = measured_content(programme(said(LINES[0], other, LINES[2])), script(*LINES))
    assert value(found, "missing_lines") == 1
    assert value(found, "invented_words") == 6
    assert found["invented_words", ""].detail[0][1] == other


def test_a_sentence_between_the_lines_is_an_invention() -> None:
    words = [*said(LINES[0]), *spoken("follow us on every channel", 12.0), *spoken(LINES[1], 20.3)]
    sheet = CueSheet("s", (Cue("1", Span(0, 5), LINES[0]), Cue("2", Span(20, 25), LINES[1])), "en")
    found = measured_content(programme(words), sheet)
    assert value(found, "invented_words") == 5
    assert value(found, "missing_lines") == 0
    assert found["invented_words", ""].spans[0].start_s == pytest.approx(12.0)


def test_slips_of_the_transcriber_are_no_invention() -> None:
    words = [*said(LINES[0]), *spoken("uhm the", 8.0)]
    found = measured_content(programme(words), script(LINES[0]))
    assert value(found, "invented_words") == 0


def test_words_of_a_song_are_neither_looked_for_nor_invented() -> None:
    words = [*said(LINES[0]), *spoken("la la love me tender love", 5.2)]
    sheet = CueSheet("s", (*script(LINES[0]).cues, song("2", 5.0, 9.0, "love me sweet")), "en")
    found = measured_content(programme(words), sheet)
    assert value(found, "invented_words") == 0
    assert value(found, "missing_lines") == 0
    assert not [key for key in found if key[1] == "2"]


def test_a_misheard_line_whose_text_fits_the_sound_is_heard() -> None:
    words = said("a chip leaf said on with out bus", *LINES[1:])
    fits = [fitting("1", LINES[0], 0.3), fitting("2", LINES[1], 5.3), fitting("3", LINES[2], 10.3)]
    found = measured_content(programme(words, fits), script(*LINES))
    assert value(found, "script_wer", "1") > 0.8
    assert value(found, "script_words_heard", "1") == 1
    assert value(found, "divergent_run_words", "1") == 0
    assert value(found, "missing_lines") == 0
    assert value(found, "invented_words") == 0


def test_a_text_that_does_not_fit_the_sound_supports_nothing() -> None:
    words = said("a chip leaf said on with out bus")
    found = measured_content(programme(words, [fitting("1", LINES[0], 0.3, score=-6.0)]), script(LINES[0]))
    assert value(found, "missing_lines") == 1
    assert value(found, "divergent_run_words", "1") >= 7


def test_in_a_line_that_fits_a_word_that_does_not_is_unheard() -> None:
    text = "take the second road on the left"
    aligned = [Word(w.text, w.span, 1e-4 if w.text == "second" else 0.8) for w in spoken(text, 0.3)]
    words = spoken("take the first road on the left", 0.3)
    found = measured_content(programme(words, [LineAlignment("1", tuple(aligned), -1.5)]), script(text))
    assert value(found, "script_words_heard", "1") == pytest.approx(6 / 7)
    assert value(found, "divergent_run_words", "1") == 1


def test_a_stretch_of_garbage_inside_a_line_is_a_divergent_run() -> None:
    text = "we have less than ten minutes left before the storm reaches the coast and the city"
    heard = "we have less flim flam bloop wug snark gribble zorp quux coast and the city"
    found = measured_content(programme(spoken(heard, 0.1, word_s=0.25)), script(text))
    assert value(found, "divergent_run_words", "1") == 9  # than … the


def test_a_short_word_in_common_by_chance_does_not_end_a_run() -> None:
    text = "nobody leaves this room until the judge says anything"
    found = measured_content(programme(spoken("green apples grow under a the roof every summer", 0.1)), script(text))
    assert value(found, "divergent_run_words", "1") == 8


def test_babble_put_into_a_line_is_a_divergent_run_even_if_every_word_of_it_is_there() -> None:
    text = "keep your voice down they can hear us"
    heard = "keep your voice down blah bleh bloo blip blop blap blub blurb they can hear us"
    found = measured_content(programme(spoken(heard, 0.1, word_s=0.3)), script(text))
    assert value(found, "script_words_heard", "1") == 1
    assert value(found, "divergent_run_words", "1") == 8


def test_a_dub_that_is_late_or_drifts_misses_no_line() -> None:
    rng = np.random.default_rng(3)
    texts = [" ".join(f"w{rng.integers(400)}" for _ in range(7)) for _ in range(40)]
    for offset_s, slope in ((2.0, 0.0), (0.0, 0.0427), (-1.0, -0.041)):
        words = [Word(w.text, w.span.shifted(offset_s + slope * w.span.start_s + 2.0), w.prob) for w in said(*texts)]
        sheet = CueSheet("s", tuple(Cue(c.id, c.span.shifted(2.0), c.text) for c in script(*texts).cues), "en")
        found = measured_content(programme(words), sheet)
        assert value(found, "missing_lines") == 0
        assert value(found, "invented_words") == 0


def test_lines_that_say_each_others_text_are_missing() -> None:
    texts = ("where were you last night michael", "the doctor said it was nothing serious")
    sheet = CueSheet("s", (Cue("1", Span(0, 5), texts[0]), Cue("2", Span(30, 35), texts[1])), "en")
    words = [*spoken(texts[1], 0.3), *spoken(texts[0], 30.3)]
    assert value(measured_content(programme(words), sheet), "missing_lines") == 2


def test_without_a_script_everything_is_unmeasured_and_says_so() -> None:
    sheet = CueSheet("s", (Cue("1", Span(0, 5), ""), Cue("2", Span(6, 9), "")), "en")
    found = measured_content(programme(said(*LINES)), sheet)
    for metric, line in (
        ("script_wer", "1"),
        ("divergent_run_words", "2"),
        ("missing_lines", ""),
        ("invented_words", ""),
    ):
        assert found[metric, line].value == Unmeasured("no script was given; name its cue sheet")


def test_where_nothing_was_heard_at_all_the_reason_is_kept() -> None:
    deaf = Unmeasured("the embedded transcriber hears English only, not de")
    found = measured_content(programme(deaf, deaf, deaf), script(*LINES, language="de"))
    assert {m.value for m in found.values()} == {deaf}


def test_an_aligner_alone_still_tells_missing_lines() -> None:
    deaf = Unmeasured("no transcriber")
    fits = [fitting("1", LINES[0], 0.3), fitting("2", LINES[1], 5.3, score=-7.0), fitting("3", LINES[2], 10.3)]
    found = measured_content(programme(deaf, fits), script(*LINES))
    assert value(found, "missing_lines") == 1
    assert found["script_wer", "1"].value == deaf
    assert found["invented_words", ""].value == deaf


def test_a_line_in_a_language_that_was_not_listened_for_is_unmeasured() -> None:
    cues = (*script(LINES[0]).cues, Cue("2", Span(5, 9), "guten abend meine damen", language="de"))
    words = [*said(LINES[0]), *spoken("good a bend mine dam men", 5.5)]
    found = measured_content(programme(words), CueSheet("s", cues, "en"))
    assert isinstance(found["script_wer", "2"].value, Unmeasured)
    assert value(found, "missing_lines") == 0
    assert value(found, "invented_words") == 0


def test_a_line_without_a_spoken_word_is_left_out() -> None:
    found = measured_content(programme(said(LINES[0])), script(LINES[0], "[sighs]"))
    assert ("script_wer", "2") not in found
    assert value(found, "missing_lines") == 0


def test_numbers_match_however_they_are_written() -> None:
    found = measured_content(
        programme(spoken("the 42 men of 1945", 0.3)), script("the forty-two men of nineteen forty-five")
    )
    assert value(found, "script_wer", "1") == 0


def test_the_language_of_a_line_is_the_mean_over_the_windows_it_lies_in() -> None:
    windows = [
        LanguageWindow(Span(0, 2), (("en", 0.9), ("de", 0.1))),
        LanguageWindow(Span(2, 4.5), (("de", 0.8), ("en", 0.2))),
    ]
    found = measured_content(programme(said(*LINES[:2]), languages=windows), script(*LINES[:2]))
    assert value(found, "language_prob", "1") == pytest.approx((0.9 * 2 + 0.2 * 2.5) / 4.5)
    assert isinstance(found["language_prob", "2"].value, Unmeasured)


def test_a_language_is_known_by_its_other_names() -> None:
    windows = [LanguageWindow(Span(0, 5), (("no", 0.9), ("zh", 0.1)))]
    for tag, prob in (("nb-NO", 0.9), ("cmn-Hans", 0.1), ("sv", 0.0)):
        found = measured_content(programme(said(LINES[0]), languages=windows), script(LINES[0], language=tag))
        assert value(found, "language_prob", "1") == pytest.approx(prob)


def test_content_is_measured_in_time_in_proportion() -> None:
    def measuring(n: int) -> Callable[[], object]:
        rng = np.random.default_rng(0)
        texts = [" ".join("".join(rng.choice(list("aeioulnst"), 4)) for _ in range(8)) for _ in range(n)]
        features = programme(said(*texts), [fitting(str(k + 1), t, 5.0 * k + 0.3) for k, t in enumerate(texts)])
        sheet = script(*texts)
        assert value(measured_content(features, sheet), "missing_lines") == 0
        return lambda: measured_content(features, sheet)

    assert growth(measuring, 500, turns=3) < LINEAR
