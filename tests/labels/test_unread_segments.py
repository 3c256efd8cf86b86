"""What cannot be told to be a segment without labels is unmeasured: it holds, and nobody takes silence for an answer."""

from __future__ import annotations

from pathlib import Path

import label_files as files
import pytest
from label_files import LABEL, made_media

from dubgate.labels import played as segments
from dubgate.labels.packages import inspect
from dubgate.labels.tracks import Labels
from dubgate.policy.label_checks import wording_findings
from dubgate.policy.verdict import Decision, decide

SOUND = files.adts("sound" * 10)
TAG = files.id3((b"TIT2", "Human"))
PACKET = b"\x47\x1f\xff\x10" + b"\xff" * 184  # a stuffing packet of a transport stream


def read(folder: Path, *parts: bytes) -> Labels:
    return inspect(files.segmented(folder, list(parts)), folder, language="en", anchors=None)


def decided(labels: Labels) -> Decision:
    return decide(wording_findings(labels))


@pytest.mark.parametrize(
    "data",
    [
        b"what is this" * 40,
        b"",
        b"\0\0\0\x10kdat" + bytes(8),  # a box that begins no segment
        b"\x1aE\xdf\xa3" + bytes(100),  # a Matroska that is none
        b"\x1f\x43\xb6\x75" + bytes(100),  # a cluster of a WebM: its labels stand elsewhere
        TAG[:10] + bytes(20) + b"fLaC" + bytes(60),  # FLAC behind a tag has labels of its own
        b"\0\0\0\0" + PACKET + b"\0\0\0\0" + PACKET,  # packets of 192 bytes
        PACKET * 3,  # a transport stream without a map
    ],
)
def test_a_segment_of_no_known_form_holds(tmp_path: Path, data: bytes) -> None:
    labels = read(tmp_path, SOUND, data)
    assert labels.unmeasured or labels.unreadable
    assert decided(labels) >= Decision.HOLD


def test_packed_sound_and_tags_before_it_are_released(tmp_path: Path) -> None:
    assert decided(read(tmp_path, SOUND, SOUND)) is Decision.RELEASE
    assert decided(read(tmp_path, files.id3((b"TIT2", LABEL)) + SOUND)) is Decision.RELEASE
    assert decided(read(tmp_path, files.id3((b"TIT2", LABEL)), SOUND)) is Decision.RELEASE  # a tag by itself


@pytest.mark.parametrize("form", ["mp3", "ac3", "eac3", "aac"])
def test_packed_sound_of_every_form_is_told_from_what_is_none(tmp_path: Path, form: str) -> None:
    assert decided(read(tmp_path, made_media.make(tmp_path, form, 0.2).read_bytes())) is Decision.RELEASE


@pytest.mark.parametrize("at", [0, segments._BLOCK - len(SOUND) - 4])
def test_a_tag_inside_the_sound_holds(tmp_path: Path, at: int) -> None:
    labels = read(tmp_path, SOUND + bytes(at) + TAG + SOUND)
    assert "inside its sound" in labels.unmeasured[0]
    assert decided(labels) is Decision.HOLD


@pytest.mark.parametrize("form", ["flac", "wav", "matroska", "ogg"])
def test_a_whole_file_of_another_container_is_read_as_that(tmp_path: Path, form: str) -> None:
    data = made_media.make(tmp_path, form, 0.2).read_bytes()
    assert decided(read(tmp_path, data)) is Decision.RELEASE
    media = tmp_path / "en.m3u8"
    media.write_text(media.read_text().replace("#EXTINF:4,", f"#EXTINF:4,\n#EXT-X-BYTERANGE:{len(data)}@0"))
    assert decided(inspect(tmp_path / "master.m3u8", tmp_path, language="en", anchors=None)) is Decision.HOLD


def test_what_such_a_file_says_is_held_against_its_entry(tmp_path: Path) -> None:
    wav = files.with_chunks(
        files.tone(tmp_path / "t.wav"), tmp_path / "x.wav", (b"LIST", files.info((b"INAM", "Human")))
    )
    labels = read(tmp_path, wav.read_bytes())
    assert "Human" in {p.text for p in labels.places if p.in_media}
    assert decided(labels) is Decision.BLOCK


def test_ten_thousand_segments_are_not_told_one_by_one(tmp_path: Path) -> None:
    labels = read(tmp_path, *[b"what is this" * 9] * 8)
    assert len(labels.unmeasured) == 4
    assert "5 more of its segments" in labels.unmeasured[-1]


@pytest.mark.parametrize("data", [b"what is this" * 40, PACKET * 3])
def test_the_reason_names_the_segment_and_says_what_to_do(tmp_path: Path, data: bytes) -> None:
    [found] = [f for f in wording_findings(read(tmp_path, data)) if f.rule == "LAB-010"]
    assert "en-0.seg" in found.text.en
    assert "package it" in found.remedy.en
