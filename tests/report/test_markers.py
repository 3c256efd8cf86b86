"""Marker files: each read back by its own format's rules gives the places that were found."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from fractions import Fraction

import pytest
from made_judgement import PROGRAMME, finding, judgement, with_findings

from dubgate.delivery.timecode import Clock, frame_of, parse_timecode, seconds_of
from dubgate.judgement import Judgement
from dubgate.policy.findings import Outcome
from dubgate.report.markers import MOST_EVENTS, markers
from dubgate.spans import Span

EVENT = re.compile(r"(\d{3})  (\S{2,8}) +(\S+) +C +" + r" ".join([r"(\d\d:\d\d:\d\d[:;]\d\d)"] * 4))


def _placed(judged: Judgement) -> list[tuple[float, float]]:
    spans = [s for f in judged.verdict.findings if f.outcome > Outcome.WAIVED for s in f.spans]
    return sorted((round(s.start_s, 3), round(s.end_s, 3)) for s in spans)


def _events(edl: bytes, clock: Clock) -> list[tuple[float, float]]:
    found = [EVENT.fullmatch(line) for line in edl.decode().split("\r\n")]
    return [tuple(seconds_of(parse_timecode(m[k], clock), clock) for k in (4, 5)) for m in found if m]  # type: ignore[misc]


def test_audacity_labels_are_two_times_and_a_text() -> None:
    judged = judgement(24)
    rows = [line.split("\t") for line in markers(judged)["audacity.txt"].decode().splitlines()]
    assert {len(row) for row in rows} == {3}
    assert [(round(float(a), 3), round(float(b), 3)) for a, b, _ in rows] == _placed(judged)


def test_reaper_regions_have_a_number_a_name_and_three_times() -> None:
    judged = judgement(24)
    rows = list(csv.DictReader(io.StringIO(markers(judged)["reaper.csv"].decode())))
    seconds = [tuple(_seconds(row[name]) for name in ("Start", "End")) for row in rows]
    assert seconds == _placed(judged)
    assert [row["#"] for row in rows] == [f"R{k + 1}" for k in range(len(rows))]
    assert all(_seconds(r["Length"]) == pytest.approx(_seconds(r["End"]) - _seconds(r["Start"])) for r in rows)
    assert all(re.fullmatch("[0-9A-F]{6}", row["Color"]) for row in rows)


def _seconds(text: str) -> float:
    hours, minutes, seconds = text.split(":")
    return round(3600 * int(hours) + 60 * int(minutes) + float(seconds), 3)


def test_pro_tools_locations_agree_with_their_sample_counts() -> None:
    judged = judgement(24)
    header, *rows = [line.split("\t") for line in markers(judged)["protools.txt"].decode().splitlines()]
    assert header == ["#", "LOCATION", "TIME REFERENCE", "UNITS", "NAME", "COMMENTS"]
    assert [round(int(row[2]) / 48_000, 3) for row in rows] == [a for a, _ in _placed(judged)]
    for row in rows:
        at = seconds_of(parse_timecode(row[1], judged.clock), judged.clock)
        assert 0 <= int(row[2]) / 48_000 - at + 1e-4 < 1 / 24 + 2e-4


@pytest.mark.parametrize(
    "clock",
    [Clock(Fraction(25)), Clock(Fraction(24), start_frames=86_400), Clock(Fraction(30_000, 1001), True, 107_892)],
)
def test_an_edit_list_has_an_event_and_a_comment_for_each_place(clock: Clock) -> None:
    judged = replace(judgement(24), clock=clock)
    edl = markers(judged)["markers.edl"]
    lines = edl.decode().split("\r\n")
    assert lines[1] == ("FCM: DROP FRAME" if clock.drop_frame else "FCM: NON-DROP FRAME")
    events = _events(edl, clock)
    frame = float(1 / clock.frame_rate)
    assert len(events) == len(_placed(judged))
    for (a, b), (start, end) in zip(events, _placed(judged), strict=True):
        assert -0.002 <= start - a < frame + 0.002
        assert -0.002 <= end - b < frame + 0.002
    assert sum(line.startswith("* LOC: ") for line in lines) == len(events)
    assert sum(line.startswith("* COMMENT: ") for line in lines) == len(events)


def test_a_place_of_no_length_is_one_frame_in_an_edit_list() -> None:
    click = finding("R-1", PROGRAMME, Outcome.HOLD, "x", "x", spans=(Span(59.99, 59.99),))
    judged = replace(with_findings(judgement(2), click, alone=True), clock=Clock(Fraction(30_000, 1001), True))
    found = [EVENT.fullmatch(line) for line in markers(judged)["markers.edl"].decode().split("\r\n")]
    ((first, last),) = [
        tuple(frame_of(parse_timecode(m[k], judged.clock), judged.clock) for k in (4, 5)) for m in found if m
    ]
    assert last == first + 1


def test_more_events_than_a_list_can_number_go_into_several_lists() -> None:
    spans = tuple(Span(k * 0.1, k * 0.1 + 0.05) for k in range(MOST_EVENTS + 5))
    judged = with_findings(judgement(60), finding("R-1", PROGRAMME, Outcome.HOLD, "x", "x", spans=spans), alone=True)
    made = markers(judged)
    assert [len(_events(made[f"markers-{k}.edl"], judged.clock)) for k in (1, 2)] == [MOST_EVENTS, 5]


def test_a_text_cannot_add_a_row_to_any_file() -> None:
    evil = "a\tb\r\n002  AX       V     C        \x1b[31m\u202e"
    judged = with_findings(
        judgement(2), finding("R-1", PROGRAMME, Outcome.HOLD, evil, evil, spans=(Span(1, 2),)), alone=True
    )
    made = markers(judged)
    assert len(made["audacity.txt"].decode().splitlines()) == 1
    assert {len(line.split("\t")) for line in made["protools.txt"].decode().splitlines()} == {6}
    assert len(_events(made["markers.edl"], judged.clock)) == 1
    assert not any(set(data.decode()) & set("\x1b\u202e") for data in made.values())


def test_what_has_no_place_is_in_no_marker_file() -> None:
    judged = with_findings(judgement(2), finding("R-1", PROGRAMME, Outcome.BLOCK, "x", "x"), alone=True)
    assert markers(judged)["audacity.txt"] == b""
