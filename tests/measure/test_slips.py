"""A slip of whoever called is told in a sentence; a dub that is merely bad, or good, is told none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from content_features import programme

from dubgate.delivery.script import Cue, CueSheet
from dubgate.features import ProgrammeFeatures
from dubgate.japanese.telling import in_japanese
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.slips import slips
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

SHEET = CueSheet("de.srt", tuple(Cue(str(k), Span(k, k + 1), "Wort", None) for k in range(5)))


def made(original: dict[str, object] | None = None, dub: dict[str, object] | None = None) -> ProgrammeFeatures:
    """Two sounds of their own, German and English, of one length but for what is given."""
    features = programme()
    return replace(
        features,
        original=replace(
            features.original, **{"language": "de", "file_sha256": "a", "packet_sha256": "pa", **(original or {})}
        ),
        dub=replace(features.dub, **{"language": "en", "file_sha256": "b", "packet_sha256": "pb", **(dub or {})}),
    )


def heard(*shares: float | Unmeasured) -> tuple[Measurement, ...]:
    return tuple(Measurement("script_words_heard", Subject(Scope.LINE, str(k)), v) for k, v in enumerate(shares))


def told(
    features: ProgrammeFeatures, *shares: float | Unmeasured, streams: tuple[int, int] = (0, 0)
) -> tuple[str, ...]:
    return slips(features, SHEET, heard(*shares), streams)


def test_two_sounds_of_their_own_are_no_slip() -> None:
    assert told(made(), 0.9, 1.0, 0.8) == ()
    assert told(made(), 0.0, 0.1, 1.0, 0.9, 1.0) == ()  # two lines missing: a fault of the dub


@pytest.mark.parametrize(
    "features",
    [made(dub={"file_sha256": "a"}), made(dub={"packet_sha256": "pa"})],
    ids=["the same file", "the same packets in another file"],
)
def test_the_original_handed_in_as_the_dub_is_told(features: ProgrammeFeatures) -> None:
    assert len(told(features)) == 1
    assert told(features)[0].startswith("the dub is the original's own sound")


def test_another_stream_of_the_same_file_and_digests_that_nobody_made_are_no_slip() -> None:
    assert told(made(dub={"file_sha256": "a"}), streams=(1, 2)) == ()
    empty = {"file_sha256": "", "packet_sha256": ""}
    assert told(made(empty, empty)) == ()


def test_a_dub_in_the_originals_language_is_told() -> None:
    assert told(made(dub={"language": "de"}))[0].startswith("original and dub are both in de")
    assert told(made({"language": "pt-PT"}, {"language": "pt-BR"})) == ()
    assert told(made({"language": None}, {"language": None})) == ()


def test_the_script_of_something_else_is_told_where_most_lines_have_hardly_a_word() -> None:
    assert told(made(), 0.0, 0.1, 0.2, 0.0, 0.3)[0].startswith("hardly a word of the script")
    assert told(made(), 0.0, 0.0) == ()  # two lines say nothing about a script
    unheard = Unmeasured("not heard")
    assert told(made(), unheard, unheard, unheard) == ()
    assert slips(made(), None, heard(0.0, 0.0, 0.0), (0, 0)) == ()


@pytest.mark.parametrize("seconds", [60.0 * 24 / 25, 60.0 * 25 / 24, 60.0 * 25 / 23.976])
def test_lengths_that_a_conversion_of_the_frame_rate_makes_are_told(seconds: float) -> None:
    assert "24 and 25 pictures a second" in told(made(dub={"duration_s": seconds}))[0]


@pytest.mark.parametrize("seconds", [60.0, 59.0, 58.3, 62.0, 63.0, 30.0])
def test_other_differences_of_length_are_no_conversion(seconds: float) -> None:
    assert told(made(dub={"duration_s": seconds})) == ()


def test_short_sounds_say_nothing_about_a_conversion() -> None:
    assert told(made({"duration_s": 2.5}, {"duration_s": 2.4})) == ()


def test_every_slip_is_told_in_japanese() -> None:
    same = made({"duration_s": 62.5}, {"file_sha256": "a", "language": "de"})
    found = told(same, 0.0, 0.0, 0.0)
    assert len(found) == 4
    assert all(in_japanese(slip) != slip for slip in found)
