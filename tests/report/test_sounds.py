"""Sound in a report: the right lines, cut at the right times, 20 MB in the page and the rest beside it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from made_judgement import LATE, LONG, OTHER_VOICE, UNHEARD, judgement

from dubgate.delivery.script import Cue
from dubgate.errors import MediaError
from dubgate.excerpts import AFTER_S, BEFORE_S, Cut
from dubgate.judgement import Judgement
from dubgate.report import sounds
from dubgate.report.sounds import Sounds, cut_sounds, wanted, window_of
from dubgate.report.write import write_reports
from dubgate.spans import Span


class Cutter:
    """Answers with as many bytes as it is told, and remembers what it was asked."""

    def __init__(self, size: int = 1000) -> None:
        self.size = size
        self.asked: list[Sequence[Cut]] = []

    def __call__(self, cuts: Sequence[Cut]) -> list[list[bytes]]:
        self.asked.append(cuts)
        return [[b"fLaC" + bytes([k]) * (self.size - 4) for _ in cut.spans] for k, cut in enumerate(cuts)]


def refuse(name: str, data: bytes) -> str:
    raise AssertionError(f"{name} should have been embedded")


def test_flagged_lines_come_with_sound_worst_first_and_the_others_do_not() -> None:
    made = judgement(12)
    flagged = [int(c.id) - 1 for c in wanted(made, "flagged")]
    assert flagged == [UNHEARD, LATE, OTHER_VOICE, LONG]
    assert len(wanted(made, "all")) == 12
    assert wanted(made, "none") == ()


def test_both_tracks_are_cut_at_the_same_times_so_that_they_can_be_switched() -> None:
    cut = Cutter()
    made = judgement(12)
    found = cut_sounds(made, "all", refuse, cut=cut)
    [[original, dub]] = cut.asked
    assert original.spans == dub.spans
    assert (original.path, dub.path) == (str(made.original_media.absolute()), str(made.dub_media.absolute()))
    assert set(found.clips) == {c.id for c in made.sheet.cues}
    assert all(c.original.startswith("data:audio/flac;base64,") and c.original != c.dub for c in found.clips.values())


@given(st.floats(0, 5000), st.floats(0.01, 60), st.none() | st.tuples(st.floats(0, 5000), st.floats(0.01, 60)))
def test_what_is_cut_is_what_is_shown(start_s: float, length_s: float, dub: tuple[float, float] | None) -> None:
    cue = Cue("1", Span(start_s, start_s + length_s), "")
    window = window_of(cue, Span(dub[0], dub[0] + dub[1]) if dub else None)
    asked = sounds._cut_to(window)
    assert max(0.0, asked.start_s - BEFORE_S) == pytest.approx(window.start_s, abs=1e-6)
    assert asked.end_s + AFTER_S == pytest.approx(window.end_s)
    assert window.duration_s <= sounds.LONGEST_S + BEFORE_S + AFTER_S + 1e-6


def test_twenty_megabytes_are_embedded_and_the_rest_lies_beside_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounds, "EMBEDDED_BYTES", 5_000)
    kept: dict[str, bytes] = {}

    def keep(name: str, data: bytes) -> str:
        kept[name] = data
        return f"report-sounds/{name}"

    found = cut_sounds(judgement(12), "all", keep, cut=Cutter(1000))
    inside = [key for key, clip in found.clips.items() if clip.dub.startswith("data:")]
    assert len(inside) == 2  # two lines of two tracks are 4,000 bytes
    assert str(UNHEARD + 1) in inside  # the worst line
    assert len(kept) == 2 * (12 - 2)
    beside = next(clip for clip in found.clips.values() if not clip.dub.startswith("data:"))
    assert kept[beside.dub.removeprefix("report-sounds/")].startswith(b"fLaC")


def test_no_line_of_a_stranger_names_a_path() -> None:
    made = judgement(3)
    cues = tuple(replace(c, id=f"../../{k}/\x00é") for k, c in enumerate(made.sheet.cues))
    names: list[str] = []

    def keep(name: str, data: bytes) -> str:
        names.append(name)
        return name

    cut_sounds(replace(made, sheet=replace(made.sheet, cues=cues)), "all", keep, cut=Cutter(30_000_000))
    assert len(set(names)) == 6
    assert all(Path(n).name == n and n.isascii() and n.isprintable() and not n.startswith(".") for n in names)


def test_long_programmes_are_cut_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounds, "BATCH_S", 20.0)
    cut = Cutter()
    found = cut_sounds(judgement(24), "all", refuse, cut=cut)
    assert len(cut.asked) > 3
    assert len(found.clips) == 24
    assert all(sum(s.duration_s + BEFORE_S + AFTER_S for s in cuts[0].spans) <= 20.0 for cuts in cut.asked)


def test_sound_that_cannot_be_cut_costs_no_report_and_is_said() -> None:
    def broken(cuts: Sequence[Cut]) -> list[list[bytes]]:
        raise MediaError("the file is gone", where="dub.wav")

    assert cut_sounds(judgement(12), "all", refuse, cut=broken) == Sounds(
        {}, "the sound could not be cut: the file is gone"
    )


def test_a_report_made_without_sound_says_so() -> None:
    assert "without sound" in cut_sounds(judgement(12), "none", refuse, cut=Cutter()).why_not


def test_the_real_cut_holds_what_was_in_the_file_at_that_time(tmp_path: Path) -> None:
    made = _with_clicks(tmp_path, judgement(3))
    found = cut_sounds(made, "all", refuse)
    for cue in made.sheet.cues:
        clip = found.clips[cue.id]
        samples, rate = soundfile.read(io.BytesIO(_bytes(clip.original)))
        window = window_of(cue, None)
        assert np.abs(samples).argmax() / rate == pytest.approx(cue.span.start_s - window.start_s, abs=0.002)


def _with_clicks(folder: Path, made: Judgement) -> Judgement:
    """Tracks with a click at the start of each line."""
    rate = 16_000
    sound = np.zeros(int(made.features.dub.duration_s * rate), dtype=np.float32)
    for cue in made.sheet.cues:
        sound[round(cue.span.start_s * rate)] = 0.9
    for name in ("original.wav", "dub.wav"):
        soundfile.write(folder / name, sound, rate)
    return replace(made, original_media=folder / "original.wav", dub_media=folder / "dub.wav", measurements=())


def _bytes(address: str) -> bytes:
    import base64

    return base64.b64decode(address.split(",", 1)[1])


def test_sound_beside_the_page_is_written_with_it_and_that_of_an_earlier_run_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sounds, "EMBEDDED_BYTES", 0)
    made = _with_clicks(tmp_path, judgement(3))
    folder = tmp_path / "out"
    (folder / "report-sounds").mkdir(parents=True)
    (folder / "report-sounds" / "000001000-1-dub.wav").write_bytes(b"of an earlier run")
    (folder / "report-sounds" / "notes.txt").write_text("mine")
    written = write_reports(made, folder, ["html"], media="all")
    there = {p.name for p in (folder / "report-sounds").iterdir()}
    assert [p.name for p in written] == ["report.html", "report.json"]
    assert there == {"notes.txt"} | {f"{k}-{n}-{t}.flac" for k, n in (("000001000", 1), ("000005000", 2), ("000009000", 3)) for t in ("original", "dub")}  # fmt: skip
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert all(f"report-sounds/{name}" in page for name in there - {"notes.txt"})
    assert "data:audio" not in page
