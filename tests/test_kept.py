"""Kept hearing: everything but the voices comes back as it was; no vector is ever written; what is damaged counts as none."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_delivery import SHEET, dub_voices, features

from dubgate import cache, kept
from dubgate.delivery.script import CueSheet
from dubgate.hearing import HearingPlan, Source
from dubgate.kept import keep, key_of, load, without_vectors
from dubgate.stored import to_stored
from dubgate.unmeasured import Unmeasured

KEY = "a" * 64


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DUBGATE_CACHE", str(tmp_path / "heard"))
    return tmp_path / "heard"


def source(path: str = "/in/dub.flac", stream: int = 0) -> Source:
    return Source(path, stream, Path(path).name, "en")


def plan(**changes: object) -> HearingPlan:
    base = HearingPlan(original=source("/in/original.flac"), dub=source(), sheet=SHEET)
    return replace(base, **changes)  # type: ignore[arg-type]


def test_all_but_the_vectors_comes_back_as_it_was(folder: Path) -> None:
    heard = features()
    keep(KEY, heard)
    found = load(KEY)
    assert found is not None
    told, arrays = to_stored(found)
    expected, expected_arrays = to_stored(without_vectors(heard))
    assert told == expected
    assert all(np.array_equal(arrays[name], expected_arrays[name]) for name in expected_arrays)
    assert not isinstance(found.dub.voices, Unmeasured)
    assert [v.character for v in found.dub.voices] == [v.character for v in dub_voices()]
    assert all(isinstance(v.vector, Unmeasured) for v in found.dub.voices)


def test_deliveries_whose_files_are_called_alike_are_told_apart_by_their_folder(folder: Path) -> None:
    keep(KEY, features(), Path("/dubs/e1"))
    keep("b" * 64, features(), Path("/dubs/e2"))
    told = {entry.about for entry in cache.entries()}
    assert len(told) == 2
    assert {about.rpartition(" in ")[2] for about in told} == {"/dubs/e1", "/dubs/e2"}


def test_no_vector_lies_in_the_folder_in_any_form(folder: Path) -> None:
    heard = features()
    keep(KEY, heard)
    path = folder / KEY / "heard"
    written = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(written.partition(b"\n")[2])) as archive:
        unpacked = b"".join(archive.read(name) for name in archive.namelist())
    tracks = [heard.original.voices, heard.dub.voices]
    vectors = [v.vector for voices in tracks if not isinstance(voices, Unmeasured) for v in voices]
    assert len(vectors) == 18
    for vector in vectors:
        assert not isinstance(vector, Unmeasured)
        for form in (vector.tobytes(), vector.astype(np.float64).tobytes(), vector[:4].tobytes()):
            assert form not in written
            assert form not in unpacked
        assert repr(float(vector[0])).encode() not in unpacked
    # the same search finds what is kept, so it would have found a vector
    assert heard.dub.speech_prob.values[:4].tobytes() in unpacked


def test_only_its_owner_may_read_the_folder(folder: Path) -> None:
    keep(KEY, features())
    assert folder.stat().st_mode & 0o077 == 0
    assert all(p.stat().st_mode & 0o077 == 0 for p in folder.rglob("*"))


def test_nothing_kept_is_none(folder: Path) -> None:
    assert load(KEY) is None


def test_switched_off_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBGATE_CACHE", "off")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    keep(KEY, features())
    assert list(tmp_path.iterdir()) == []
    assert load(KEY) is None


def test_a_folder_that_cannot_be_written_only_costs_hearing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("DUBGATE_CACHE", str(tmp_path / "file"))
    keep(KEY, features())
    assert load(KEY) is None


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_an_entry_that_was_cut_off_counts_as_none(folder: Path, share: float) -> None:
    keep(KEY, features())
    path = folder / KEY / "heard"
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    assert load(KEY) is None


def test_flipped_bytes_never_crash_nor_change_what_was_heard(folder: Path) -> None:
    heard = without_vectors(features())
    keep(KEY, heard)
    path = folder / KEY / "heard"
    data = path.read_bytes()
    wanted = json.dumps(to_stored(heard)[0])
    rng = np.random.default_rng(5)
    for k in rng.integers(0, len(data), 150):
        bad = bytearray(data)
        bad[k] ^= 1 << int(rng.integers(0, 8))
        path.write_bytes(bytes(bad))
        found = load(KEY)
        assert found is None or json.dumps(to_stored(found)[0]) == wanted


def _foreign(data: object, **arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, data=np.frombuffer(json.dumps(data).encode(), dtype=np.uint8), **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        b"not a kept hearing",
        _foreign({}),
        _foreign([]),
        _foreign({"original": None, "dub": None, "mix": None, "models": [], "published": None}),
    ],
)
def test_a_foreign_entry_counts_as_none(folder: Path, data: bytes) -> None:
    cache.write(KEY, "heard", data)
    assert cache.read(KEY, "heard") == data
    assert load(KEY) is None


def test_an_entry_that_would_unpickle_counts_as_none(folder: Path) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, data=np.array([{"x": 1}], dtype=object), allow_pickle=True)
    cache.write(KEY, "heard", buffer.getvalue())
    assert load(KEY) is None


def test_an_entry_with_a_field_more_or_less_counts_as_none(folder: Path) -> None:
    told, arrays = to_stored(without_vectors(features()))
    for changed in ({**told, "extra": 1}, {k: v for k, v in told.items() if k != "models"}):
        cache.write(KEY, "heard", _foreign(changed, **arrays))
        assert load(KEY) is None
    cache.write(KEY, "heard", _foreign(told, **arrays))
    assert load(KEY) is not None


DIGESTS, MODELS = ["1" * 64, "2" * 64], ["3" * 64, "4" * 64]
OTHERS = [
    (plan(), ["1" * 64, "9" * 64], MODELS),
    (plan(), DIGESTS[::-1], MODELS),
    (plan(), DIGESTS, ["3" * 64, "9" * 64]),
    (plan(), DIGESTS, []),
    (plan(), [*DIGESTS, MODELS[0]], MODELS[1:]),
    (plan(dub=source(stream=1)), DIGESTS, MODELS),
    (plan(dub=replace(source(), language="fr")), DIGESTS, MODELS),
    (plan(sheet=None), DIGESTS, MODELS),
    (plan(sheet=CueSheet("script.vtt", SHEET.cues[:-1], language="en")), DIGESTS, MODELS),
    (plan(sheet=replace(SHEET, cues=(replace(SHEET.cues[0], text="other"), *SHEET.cues[1:]))), DIGESTS, MODELS),
    (plan(sheet=replace(SHEET, cues=(replace(SHEET.cues[0], character="BO"), *SHEET.cues[1:]))), DIGESTS, MODELS),
    (plan(models="embedded"), DIGESTS, MODELS),
    (plan(without=("transcriber",)), DIGESTS, MODELS),
    (plan(mix=source()), DIGESTS, MODELS),
    (plan(music_and_effects=source()), DIGESTS, MODELS),
]


def test_the_key_changes_with_bytes_streams_script_and_models() -> None:
    keys = [key_of(*case) for case in [(plan(), DIGESTS, MODELS), *OTHERS]]
    assert len(set(keys)) == len(keys)


def test_the_key_is_the_same_wherever_the_files_lie() -> None:
    moved = plan(dub=replace(source(), path="/elsewhere/dub.flac"))
    assert key_of(moved, DIGESTS, MODELS) == key_of(plan(), DIGESTS, MODELS)


def test_the_key_changes_with_the_programs_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(plan(), DIGESTS, MODELS)
    monkeypatch.setattr(kept, "__version__", "999.0")
    assert key_of(plan(), DIGESTS, MODELS) != before


def test_the_key_changes_with_the_programs_source(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(plan(), DIGESTS, MODELS)
    monkeypatch.setattr(kept, "code_sha256", lambda: "9" * 64)
    assert key_of(plan(), DIGESTS, MODELS) not in (before, "")


def test_every_field_of_a_plan_that_is_no_place_counts() -> None:
    assert {f.name for f in fields(HearingPlan)} == {
        "original", "dub", "sheet", "models", "device", "mix", "music_and_effects", "without",
    }  # fmt: skip


@settings(max_examples=30)
@given(st.lists(st.text("0123456789abcdef", min_size=4, max_size=4), max_size=4), st.integers(0, 4))
def test_digests_do_not_run_together(digests: list[str], at: int) -> None:
    left, right = digests[:at], digests[at:]
    same = left == digests and right == []
    assert (key_of(plan(), left, right) == key_of(plan(), digests, [])) is same
