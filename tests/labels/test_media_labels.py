"""Labels inside the segments of a package: read from real bytes, and held against what the manifest says of the entry."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from unittest.mock import patch

import label_files as files
import pytest
from label_files import AIGC, LABEL
from signers import authority, sign

from dubgate.delivery.digests import seen
from dubgate.errors import ChangedError
from dubgate.label_facts import label_values
from dubgate.labels.anchors import Anchors
from dubgate.labels.dash import parse_mpd
from dubgate.labels.packages import inspect
from dubgate.labels.played import _whole
from dubgate.labels.segments import Piece, sha256_of
from dubgate.labels.tracks import Labels
from dubgate.pinned import pinned
from dubgate.policy.findings import Outcome
from dubgate.policy.label_checks import label_findings, wording_findings
from dubgate.policy.verdict import Decision, decide
from dubgate.unmeasured import Unmeasured

KINDS = ("hls", "dash")


def read(manifest: Path, anchors: Anchors | None = None) -> Labels:
    return inspect(manifest, manifest.parent, language="en", anchors=anchors)


def packaged(folder: Path, kind: str = "hls", **said: str) -> Path:
    """A package whose English entry is fragmented MP4 that says this of itself."""
    return files.segmented(folder, files.parts_of(files.fragmented(folder / "one.mp4", **said)), kind)


def told(labels: Labels, outcome: Outcome) -> list[str]:
    return [f.text.en for f in wording_findings(labels) if f.outcome is outcome and f.rule != "LAB-002"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_initialisation_section_says_is_read(tmp_path: Path, kind: str) -> None:
    labels = read(
        packaged(tmp_path, kind, handler=LABEL, language="eng", title="The Last Train", comment="made with AI")
    )
    standard = kind.upper()
    found = {p.place: p.text for p in labels.places if p.in_media}
    assert found[f"{standard} media MP4 hdlr"] == LABEL
    assert found[f"{standard} media language"] == "eng"
    assert found[f"{standard} media MP4 movie ilst ©nam"] == "The Last Train"
    assert {p.track for p in labels.places if p.in_media} == {1}
    assert decide(wording_findings(labels)) is Decision.RELEASE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"handler": "Human"}, "people made what a machine made"),
        ({"handler": "English (human voices)"}, "people made what a machine made"),
        ({"handler": "English [no AI]"}, "people made what a machine made"),
        ({"handler": LABEL, "comment": "no AI was used"}, "people made what a machine made"),
        ({"handler": "Deutsch [AI]"}, "say de"),
        ({"handler": LABEL, "language": "deu"}, "say deu"),
        ({"handler": "English [\u0410I]"}, "cannot be trusted"),
    ],
)
def test_media_that_contradict_their_manifest_block(tmp_path: Path, kind: str, said: dict[str, str], why: str) -> None:
    labels = read(packaged(tmp_path, kind, **said))
    assert decide(wording_findings(labels)) is Decision.BLOCK
    assert [text for text in told(labels, Outcome.BLOCK) if why in text]
    assert any("package it again" in f.remedy.en for f in wording_findings(labels))


@pytest.mark.parametrize("said", [{}, {"language": "eng"}, {"handler": LABEL}, {"handler": "Human and AI voices"}])
def test_media_that_say_nothing_or_the_same_are_released_without_a_word(tmp_path: Path, said: dict[str, str]) -> None:
    labels = read(packaged(tmp_path, **said))
    assert decide(wording_findings(labels)) is Decision.RELEASE
    assert told(labels, Outcome.WARN) == []


def test_a_name_in_the_media_that_says_nothing_of_ai_warns(tmp_path: Path) -> None:
    labels = read(packaged(tmp_path, handler="Dialogue"))
    assert decide(wording_findings(labels)) is Decision.RELEASE
    [text] = told(labels, Outcome.WARN)
    assert "does not tell that AI made it" in text


def test_ai_inside_the_media_of_a_dub_declared_as_human_holds(tmp_path: Path) -> None:
    manifest = packaged(tmp_path, handler=LABEL)
    manifest.write_text(manifest.read_text().replace(LABEL, "English").replace("public.machine-generated", "x"))
    found = label_findings(read(manifest), synthetic=False)
    assert {f.rule for f in found if f.outcome is Outcome.HOLD} == {"LAB-001"}
    assert any("the media say that AI made it" in f.text.en for f in found)


def test_where_nobody_knows_who_made_it_media_that_claim_people_stay_unknown(tmp_path: Path) -> None:
    found = label_findings(read(packaged(tmp_path, handler="Human")), synthetic=Unmeasured("nobody said"))
    [claim] = [f for f in found if "people made it, which is not shown" in f.text.en]
    assert claim.outcome is Outcome.UNKNOWN


# Packed audio: a tag before each segment.

SOUND = files.adts("sound" * 10)


def packed(folder: Path, *tags: bytes) -> Labels:
    return read(files.segmented(folder, [tag + SOUND for tag in tags]))


def test_the_tag_of_every_packed_segment_is_read(tmp_path: Path) -> None:
    same = files.id3((b"TIT2", LABEL), (b"TXXX", f"AIGC={AIGC}"))
    labels = packed(tmp_path, same, same, same)
    found = {p.place: p.text for p in labels.places if p.in_media}
    assert found == {"HLS media ID3 TIT2": LABEL, "HLS media ID3 TXXX AIGC": AIGC}
    assert decide(wording_findings(labels)) is Decision.RELEASE
    assert decide(wording_findings(packed(tmp_path, same, files.id3((b"TIT2", "Human"))))) is Decision.BLOCK
    assert decide(wording_findings(packed(tmp_path, same, files.id3((b"TLAN", "deu"))))) is Decision.BLOCK


def test_two_labels_of_china_in_one_entry_are_refused(tmp_path: Path) -> None:
    one, other = (files.id3((b"TXXX", f"AIGC={text}")) for text in (AIGC, AIGC.replace("Studio", "Other")))
    assert "2 AIGC labels" in packed(tmp_path, one, other).unreadable[0]
    assert "2 AIGC labels" in packed(tmp_path, files.id3(*[(b"TXXX", f"AIGC={AIGC}")] * 2)).unreadable[0]


def test_a_second_tag_and_one_that_reaches_beyond_its_segment_are_seen(tmp_path: Path) -> None:
    priv = files.id3((b"TENC", "packager"))
    labels = packed(tmp_path, priv + files.id3((b"TIT2", "Human")))
    assert decide(wording_findings(labels)) is Decision.BLOCK
    long = files.id3((b"TIT2", LABEL))
    master = files.segmented(tmp_path, [long + SOUND])
    media = tmp_path / "en.m3u8"
    media.write_text(media.read_text().replace("#EXTINF:4,", "#EXTINF:4,\n#EXT-X-BYTERANGE:20@0"))
    assert "beyond its segment" in read(master).unreadable[0]


# Transport streams: languages in their map, timed tags.


def streamed(folder: Path, *, language: str = "", tags: tuple[bytes, ...] = ()) -> Labels:
    data = files.transport(folder / "one.ts", language=language, tags=tags).read_bytes()
    return read(files.segmented(folder, [data, data]))


def test_the_language_that_a_transport_stream_names_is_held_against_the_entrys(tmp_path: Path) -> None:
    assert {p.text for p in streamed(tmp_path, language="eng").places if p.in_media} == {"eng"}
    assert decide(wording_findings(streamed(tmp_path, language="eng"))) is Decision.RELEASE
    assert decide(wording_findings(streamed(tmp_path, language="deu"))) is Decision.BLOCK
    assert not [p for p in streamed(tmp_path).places if p.in_media]


def test_timed_tags_of_a_transport_stream_are_read_to_its_last(tmp_path: Path) -> None:
    quiet, label = files.id3((b"TENC", "packager" * 60)), files.id3((b"TXXX", f"AIGC={AIGC}"))
    labels = streamed(tmp_path, language="eng", tags=(quiet, label))
    assert {p.place for p in labels.places if p.token == "AIGC"} == {"HLS media ID3 TXXX AIGC"}
    assert decide(wording_findings(labels)) is Decision.RELEASE
    for tags in ((files.id3((b"TIT2", "Human")),), (quiet, quiet, files.id3((b"TIT2", "Human")))):
        assert decide(wording_findings(streamed(tmp_path, language="eng", tags=tags))) is Decision.BLOCK


def test_a_timed_tag_that_is_cut_off_or_gigantic_blocks(tmp_path: Path) -> None:
    whole = files.id3((b"TIT2", "English [AI]"), (b"TENC", "x" * 400))
    assert "cut off" in streamed(tmp_path, tags=(whole[:-80],)).unreadable[0]
    more = whole[:9] + bytes((whole[9] + 20,)) + whole[10:]  # announces twenty bytes that are not there
    assert whole[9] < 100
    assert "cut off: a timed ID3 tag" in streamed(tmp_path, tags=(more,)).unreadable[0]
    with patch("dubgate.labels.transport._MAX_TAG_BYTES", 100):  # which no sound between the tags is held to
        assert not streamed(tmp_path, tags=(files.id3((b"TIT2", LABEL)),)).unreadable
    huge = files.id3((b"TIT2", "x" * 60_000))
    with patch("dubgate.labels.transport._MAX_TAG_BYTES", 50_000):
        assert "longer than labels" in streamed(tmp_path, tags=(huge,)).unreadable[0]


def packet(pid: int, payload: bytes, *, starts: bool) -> bytes:
    """A packet of a transport stream, stuffed to its length."""
    head = bytes((0x47, (0x40 if starts else 0) | pid >> 8, pid & 0xFF))
    room = 184 - len(payload)
    stuffing = bytes((max(room, 1) - 1,)) + (b"\0" + b"\xff" * (room - 2) if room > 1 else b"")
    return head + (b"\x10" if not room else b"\x30" + stuffing) + payload


def section(table: int, body: bytes) -> bytes:
    """A table with the byte that points to it, its length and a place for its checksum."""
    return b"\0" + bytes((table,)) + (0xB000 | len(body) + 9).to_bytes(2, "big") + bytes(5) + body + bytes(4)


def test_a_map_cut_into_packets_or_joined_in_the_middle_is_read(tmp_path: Path) -> None:
    streams = [b"\x0f" + (0xE000 | 0x101 + k).to_bytes(2, "big") + b"\xf0\x06\x0a\x04deu\0" for k in range(20)]
    table = section(2, b"\xe1\x01\xf0\x00" + b"".join(streams))
    assert 184 < len(table) < 368
    listed = packet(0, section(0, b"\x00\x01\xe1\x00"), starts=True)
    whole = packet(256, table[:184], starts=True) + packet(256, table[184:], starts=False)
    sound = packet(257, b"\0\0\1\xc0" + bytes(100), starts=True)
    for data in (listed + whole + sound, packet(256, table[184:], starts=False) + listed + sound + whole):
        labels = read(files.segmented(tmp_path, [data]))
        assert {p.text for p in labels.places if p.place == "HLS media TS language"} == {"deu"}
    for data in (listed + whole[:188] + sound, packet(0, b"\xff" * 184, starts=True) + sound):  # no map, no language
        assert not [p for p in read(files.segmented(tmp_path, [data])).places if p.in_media]


# Fragments, events, and damage.


@pytest.mark.parametrize("version", [0, 1])
def test_labels_of_fragments_and_events_are_read(tmp_path: Path, version: int) -> None:
    init, *fragments = files.parts_of(files.fragmented(tmp_path / "one.mp4"))
    texts, times = b"https://aomedia.org/emsg/ID3\0\0", bytes(16)
    tag = files.id3((b"TIT2", "Human"))
    body = bytes((version, 0, 0, 0)) + (texts + times + tag if version == 0 else bytes(20) + texts + tag)
    event = files.box(b"emsg", body)
    labels = read(files.segmented(tmp_path, [init, event + fragments[0], *fragments[1:]]))
    assert "HLS media ID3 TIT2" in {p.place for p in labels.places}
    assert decide(wording_findings(labels)) is Decision.BLOCK
    data = files.box(b"udta", files.box(b"name", b"made without AI"))
    moof = files.box(b"moof", files.box(b"mfhd", bytes(8)), files.box(b"traf", data))
    labels = read(files.segmented(tmp_path, [init, fragments[0], moof + files.box(b"mdat", b"x")]))
    assert decide(wording_findings(labels)) is Decision.BLOCK


def test_media_that_are_damaged_block_with_the_reason(tmp_path: Path) -> None:
    init, *fragments = files.parts_of(files.fragmented(tmp_path / "one.mp4"))
    for parts in ([init[:-9], *fragments], [init, fragments[0][:-9]], [init + files.box(b"moov", b"xx"), *fragments]):
        labels = read(files.segmented(tmp_path, parts))
        assert labels.unreadable
        assert decide(wording_findings(labels)) is Decision.BLOCK


def test_a_gigantic_box_in_a_segment_is_refused_before_it_is_read(tmp_path: Path) -> None:
    master = files.segmented(tmp_path, [files.box(b"ftyp", b"isom\0\0\0\0") + (1 << 30).to_bytes(4, "big") + b"moov"])
    with (tmp_path / "en-0.seg").open("r+b") as file:
        file.truncate(16 + (1 << 30))  # a hole: no byte of it is on the disk
    (tmp_path / "en.m3u8").write_text("#EXTM3U\n#EXTINF:4,\nen-0.seg\n#EXT-X-ENDLIST\n")
    with patch("dubgate.labels.played.sha256_of", lambda pieces: "0" * 64):  # which would read it
        assert "holds 1,073,741,816 bytes" in read(master).unreadable[0]


def test_an_entry_that_plays_ranges_of_one_file_is_read_range_by_range(tmp_path: Path) -> None:
    whole = files.fragmented(tmp_path / "en.mp4", handler="Human")
    init, *fragments = files.parts_of(whole)
    master = files.segmented(tmp_path, [init, *fragments])
    at, lines = len(init), ["#EXTM3U", f'#EXT-X-MAP:URI="en.mp4",BYTERANGE="{len(init)}@0"']
    for part in fragments:
        lines += ["#EXTINF:4,", f"#EXT-X-BYTERANGE:{len(part)}@{at}", "en.mp4"]
        at += len(part)
    (tmp_path / "en.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST"]))
    assert decide(wording_findings(read(master))) is Decision.BLOCK


# Facts and C2PA.


def test_chinas_label_counts_once_and_only_where_every_entry_of_the_dub_has_it(tmp_path: Path) -> None:
    tag = files.id3((b"TXXX", f"AIGC={AIGC}"))
    master = files.segmented(tmp_path, [tag + SOUND] * 2)
    values = label_values(read(master))
    assert (values["label.aigc_count"], values["label.aigc_complete"]) == (1, True)
    second = f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="{LABEL}",LANGUAGE="en",URI="tv.m3u8"\n#EXT-X-STREAM'
    master.write_text(master.read_text().replace("#EXT-X-STREAM", second))
    files.with_segments(tmp_path, "tv", [SOUND])
    assert label_values(read(master))["label.aigc_complete"] is False
    files.with_segments(tmp_path, "tv", [tag + SOUND])
    values = label_values(read(master))
    assert (values["label.aigc_count"], values["label.aigc_complete"]) == (1, True)


@pytest.mark.parametrize("kind", KINDS)
def test_content_credentials_in_fragmented_mp4_are_verified(tmp_path: Path, kind: str) -> None:
    root = authority("Media Root")
    whole = files.fragmented(tmp_path / "plain.mp4", handler=LABEL)
    if kind == "hls":
        manifest = files.segmented(tmp_path, [SOUND])
        (tmp_path / "en.m3u8").write_text("#EXTM3U\n#EXTINF:4,\nen.m4a\n#EXT-X-ENDLIST\n")
    else:
        manifest = files.dash(tmp_path, files.MPD.replace('lang="en">', f'lang="en"><Label>{LABEL}</Label>'))
        (tmp_path / "en.m4a").unlink()
    sign(whole, tmp_path / "en.m4a", root)
    labels = read(manifest, Anchors(root.pem))
    assert not labels.unreadable
    assert [(m.says_ai, m.entry) for m in labels.manifests] == [(True, 1)]
    assert label_values(labels)["label.c2pa_says_ai"] is True
    assert decide(wording_findings(labels)) is Decision.RELEASE
    assert decide(wording_findings(read(manifest))) is Decision.HOLD  # nobody said whose signature counts
    data = bytearray((tmp_path / "en.m4a").read_bytes())
    data[data.index(b"mdat") + 10] ^= 1
    (tmp_path / "en.m4a").write_bytes(data)
    assert decide(wording_findings(read(manifest, Anchors(root.pem)))) is Decision.BLOCK


def test_credentials_of_a_whole_file_are_none_of_its_parts(tmp_path: Path) -> None:
    root = authority("Media Root")
    whole = files.fragmented(tmp_path / "plain.mp4", handler=LABEL)
    sign(whole, tmp_path / "signed.mp4", root)
    manifest = files.segmented(tmp_path, files.parts_of(tmp_path / "signed.mp4"))
    labels = read(manifest, Anchors(root.pem))
    assert "C2PA manifest" in labels.unreadable[0]
    assert decide(wording_findings(labels)) is Decision.BLOCK


class Library:
    """Stands in for c2pa, which signs no fragments from Python: it trusts every fragment but those that say so."""

    class C2paError(Exception):
        pass

    class Context:
        @staticmethod
        def from_dict(settings: dict[str, object]) -> Library.Context:
            return Library.Context()

        def __enter__(self) -> Library.Context:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    class Reader(Context):
        def __init__(self, kind: str, file: BinaryIO, *, context: object) -> None:
            self.state, self.asked = "Invalid", 0  # of the initialisation section alone

        def with_fragment(self, kind: str, start: BinaryIO, fragment: BinaryIO) -> None:
            assert start.read()[4:8] == b"ftyp"
            self.state, self.asked = "Invalid" if b"moved" in fragment.read() else "Trusted", self.asked + 1

        def get_validation_state(self) -> str:
            return self.state

        def json(self) -> str:
            action = {"action": "c2pa.created", "digitalSourceType": "x/trainedAlgorithmicMedia"}
            told = {"label": "c2pa.actions.v2", "data": {"actions": [action]}}
            signed = {"cert_serial_number": "7", "common_name": f"asked {self.asked} times"}
            return json.dumps(
                {"active_manifest": "m", "manifests": {"m": {"assertions": [told], "signature_info": signed}}}
            )


def test_every_fragment_is_held_against_the_credentials_of_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", Library)  # type: ignore[arg-type]
    init, *fragments = files.parts_of(files.fragmented(tmp_path / "one.mp4"))
    init += files.box(b"uuid", bytes.fromhex("d8fec3d61b0e483c92975828877ec481"), b"manifest")
    labels = read(files.segmented(tmp_path, [init, *fragments]), Anchors("PEM"))
    assert [m.signer for m in labels.manifests] == [f"asked {len(fragments)} times"]
    assert len(fragments) > 2
    moved = [init, *fragments[:-1], fragments[-1] + files.box(b"free", b"moved")]
    assert decide(wording_findings(read(files.segmented(tmp_path, moved), Anchors("PEM")))) is Decision.BLOCK
    moved = [init, fragments[0] + files.box(b"free", b"moved"), *fragments[1:]]
    assert decide(wording_findings(read(files.segmented(tmp_path, moved), Anchors("PEM")))) is Decision.BLOCK


@pytest.mark.parametrize("kind", KINDS)
def test_each_file_of_a_package_is_asked_what_it_is_once_it_is_open(tmp_path: Path, kind: str) -> None:
    """Between a look at a path and its opening another folder may lie there: what counts is the file that was opened."""
    folder, evil, aside = tmp_path / "at", tmp_path / "evil", tmp_path / "aside"
    folder.mkdir()
    manifest = packaged(folder, kind, handler=LABEL)
    shutil.copytree(folder, evil)
    before = {path.name: seen(path) for path in folder.iterdir()}
    folder.rename(aside)
    evil.rename(folder)
    refused = set()
    for name, found in before.items():
        with pinned({found.path: found.place}):
            try:
                read(manifest)
            except ChangedError:
                refused.add(name)
    segments = {name for name in before if name.startswith("en-")}
    assert refused >= {manifest.name, *segments} | ({"en.m3u8"} if kind == "hls" else set())
    assert len(segments) >= 4


READERS: dict[str, Callable[[Path], object]] = {
    "what it says": lambda path: tuple(_whole(Piece(path))),
    "what it plays": lambda path: sha256_of([Piece(path)]),
    "what it presents": parse_mpd,
}


@pytest.mark.parametrize("what", READERS)
def test_each_reader_of_its_own_reads_the_file_that_was_digested(tmp_path: Path, what: str) -> None:
    """Digested for one thing, and then opened once more for another."""
    path = files.dash(tmp_path) if "presents" in what else files.fragmented(tmp_path / "en.mp4", handler=LABEL)
    found = seen(path)
    with pinned({found.path: found.place}):
        READERS[what](path)
        shutil.copy(path, tmp_path / "other")
        (tmp_path / "other").rename(path)
        with pytest.raises(ChangedError):
            READERS[what](path)


def test_credentials_in_packed_audio_that_nobody_verifies_there_are_not_measured_and_accuse_nobody(
    tmp_path: Path,
) -> None:
    tag = files.id3((b"GEOB", "application/c2pa\0\0\0a manifest"))
    labels = read(files.segmented(tmp_path, [tag + SOUND, SOUND]), Anchors(authority("Media Root").pem))
    assert labels.unreadable == ()
    assert any("verified in no packed audio of this kind" in why for why in labels.unmeasured)
    assert decide(wording_findings(labels)) is Decision.HOLD
