"""Every label attack of the threat model: tried with real bytes, refused or blocked with its reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import label_files as files
import pytest
from label_files import AIGC, LABEL, MASTER, MPD

from dubgate.delivery.formats import id3_bytes
from dubgate.errors import MediaError
from dubgate.labels.packages import inspect, read_manifest
from dubgate.labels.tracks import Labels
from dubgate.policy.label_checks import label_findings, wording_findings
from dubgate.policy.verdict import Decision, decide


def read(path: Path, language: str | None = None) -> Labels:
    root = path if path.is_dir() else path.parent
    return inspect(path, root, language=language, anchors=None)


def decision(path: Path, language: str | None = None) -> Decision:
    return decide(wording_findings(read(path, language)))


def reasons(path: Path) -> str:
    return " ".join(read(path).unreadable)


def labelled_wav(folder: Path, *chunks: tuple[bytes, bytes]) -> Path:
    return files.with_chunks(
        files.tone(folder / "t.wav"), folder / "dub.wav", (b"LIST", files.info((b"INAM", LABEL))), *chunks
    )


def test_a_labelled_wav_is_a_release_before_anyone_attacks_it(tmp_path: Path) -> None:
    assert decision(labelled_wav(tmp_path, (b"AIGC", AIGC.encode()))) is Decision.RELEASE


# Threat 7 and 19: the label is on one manifest, one rendition, one variant, and not on the one that is played.


def test_a_label_in_one_of_two_manifests_blocks_the_package(tmp_path: Path) -> None:
    files.hls(tmp_path, MASTER.replace('NAME="English"', f'NAME="{LABEL}"'))
    assert decision(tmp_path, "en") is Decision.RELEASE
    files.dash(tmp_path)
    assert decision(tmp_path, "en") is Decision.BLOCK


def test_a_second_group_without_the_label_blocks(tmp_path: Path) -> None:
    second = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="tv",NAME="English",LANGUAGE="en",URI="en.m3u8"\n#EXT-X-STREAM'
    labelled = MASTER.replace('NAME="English"', f'NAME="{LABEL}"').replace("#EXT-X-STREAM", second)
    assert decision(files.hls(tmp_path, labelled), "en") is Decision.BLOCK


def test_a_variant_with_sound_of_its_own_blocks(tmp_path: Path) -> None:
    labelled = MASTER.replace('NAME="English"', f'NAME="{LABEL}"')
    muxed = labelled + '#EXT-X-STREAM-INF:BANDWIDTH=90000,CODECS="avc1.4d401f,mp4a.40.2"\ntv.m3u8\n'
    assert "sound of its own" in reasons(files.hls(tmp_path, muxed))


def test_a_variant_that_names_a_group_without_entries_blocks(tmp_path: Path) -> None:
    assert "no entry" in reasons(files.hls(tmp_path, MASTER.replace('AUDIO="a"', 'AUDIO="b"')))


def test_a_dash_representation_of_pictures_with_sound_of_its_own_blocks(tmp_path: Path) -> None:
    labelled = MPD.replace('lang="en">', f'lang="en"><Label>{LABEL}</Label>')
    pictures = (
        '<AdaptationSet contentType="video" mimeType="video/mp4"><Representation id="tv" codecs="{}"/></AdaptationSet>'
    )
    silent, muxed = (
        labelled.replace("</Period>", pictures.format(c) + "</Period>") for c in ("avc1", "avc1,mp4a.40.2")
    )
    assert "sound of its own" not in reasons(files.dash(tmp_path, silent))
    assert "sound of its own" in reasons(files.dash(tmp_path, muxed))


def test_a_dash_representation_of_other_bytes_is_not_what_was_heard(tmp_path: Path) -> None:
    manifest = files.dash(tmp_path, MPD.replace('lang="en">', f'lang="en"><Label>{LABEL}</Label>'))
    heard = frozenset({hashlib.sha256((tmp_path / "en.m4a").read_bytes()).hexdigest()})
    labels = read_manifest(manifest, tmp_path, language="en", heard_sha256=heard)
    assert decide(label_findings(labels, synthetic=True)) is Decision.RELEASE
    (tmp_path / "en.m4a").write_bytes(b"another sound")
    labels = read_manifest(manifest, tmp_path, language="en", heard_sha256=heard)
    assert decide(label_findings(labels, synthetic=True)) is Decision.BLOCK


# Threat 17: parser confusion.


@pytest.mark.parametrize("name", ["dub.mp4", "dub.bin", "dub.m3u8", "dub"])
def test_the_name_of_a_file_decides_nothing(tmp_path: Path, name: str) -> None:
    path = labelled_wav(tmp_path).rename(tmp_path / name)
    assert decision(path) is Decision.RELEASE


ZIP_END = b"PK\5\6" + bytes(18)


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda data: data[:-40], "cut off"),
        (lambda data: data + ZIP_END, "ZIP"),
        (lambda data: data[:4] + (len(data) + 14).to_bytes(4, "little") + data[8:] + ZIP_END, "ZIP"),
        (lambda data: data + b"ftypisom" * 10, "bytes follow"),
        (lambda data: data[:12] + b"%PDF" + (5).to_bytes(4, "little") + b"%PDF-\0" + data[12:], "PDF"),
        (
            lambda data: (
                data[: data.index(b"LIST") + 4] + (1 << 30).to_bytes(4, "little") + data[data.index(b"LIST") + 8 :]
            ),
            "cut off",
        ),
        (lambda data: b"RF64\xff\xff\xff\xff" + data[8:], "damaged"),
    ],
)
def test_a_wav_that_is_cut_off_or_two_files_at_once_is_refused(
    tmp_path: Path, harm: Callable[[bytes], bytes], why: str
) -> None:
    path = labelled_wav(tmp_path)
    path.write_bytes(harm(path.read_bytes()))
    assert why in reasons(path)
    assert decision(path) is Decision.BLOCK


def test_an_rf64_whose_sizes_lie_is_refused(tmp_path: Path) -> None:
    path = files.made_media.make(tmp_path, "rf64", 0.2)
    data = bytearray(path.read_bytes())
    at = data.index(b"ds64") + 8
    data[at + 8 : at + 16] = (1 << 40).to_bytes(8, "little")
    path.write_bytes(data)
    assert "cut off" in reasons(path)


TWO = AIGC.replace("Studio", "Other")


def test_two_aigc_labels_are_refused_in_every_container(tmp_path: Path) -> None:
    import av

    wav = labelled_wav(tmp_path, (b"AIGC", AIGC.encode()), (b"AIGC", TWO.encode()))
    assert "twice" in reasons(wav)
    from dubgate.labels.places import media_places

    path = tmp_path / "two.mp4"
    items = files.movie_items(files.free_form("AIGC", AIGC), files.free_form("AIGC", TWO))
    path.write_bytes(files.mp4(files.sound_track(LABEL), items))
    with pytest.raises(MediaError, match="2 AIGC"):
        media_places(path)
    flac = files.made_media.make(tmp_path, "flac", 0.1)
    with av.open(str(flac)) as given, av.open(str(tmp_path / "one.flac"), "w", format="flac") as out:
        out.metadata["AIGC"] = AIGC + ";" + TWO
        files.copy_into(given, out)
    assert "JSON" in reasons(tmp_path / "one.flac")


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        AIGC.replace('"1"', '"4"'),
        AIGC.replace('"1"', "1"),
        AIGC.replace("Studio", ""),
        AIGC.replace('"7"', '" "'),
        AIGC[:-1] + ', "Label": "2"}',
        "[" * 5000,
    ],
)
def test_an_aigc_label_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    assert "AIGC" in reasons(labelled_wav(tmp_path, (b"AIGC", text.encode())))


def test_an_aigc_label_of_suspicion_is_no_declaration(tmp_path: Path) -> None:
    labels = read(labelled_wav(tmp_path, (b"AIGC", AIGC.replace('"1"', '"3"').encode())))
    assert not labels.unreadable
    assert not labels.tracks[0].machine_readable


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("<MPD", '<!DOCTYPE MPD [<!ENTITY x SYSTEM "file:///etc/hostname">]><MPD', "no XML"),
        ("<MPD", '<!DOCTYPE MPD [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><MPD', "no XML"),
        ("en.m4a", "../en.m4a", "outside"),
        ("en.m4a", "%2e%2e/en.m4a", "outside"),
        ("en.m4a", "/etc/hostname", "outside"),
        ("en.m4a", "https://example.org/en.m4a", "outside"),
        ("en.m4a", "gone.m4a", "not there"),
        ("<Period>", '<Period xlink:href="p.xml" xmlns:xlink="http://www.w3.org/1999/xlink">', "elsewhere"),
        ("<Period>", "<Location>https://example.org/m.mpd</Location><Period>", "elsewhere"),
        ("<BaseURL>en.m4a</BaseURL>", "", "no segment"),
        (
            "<BaseURL>en.m4a</BaseURL>",
            '<SegmentTemplate media="s$Number$" duration="1" timescale="9999999"/>',
            "more than",
        ),
        (
            "<BaseURL>en.m4a</BaseURL>",
            '<SegmentTemplate media="s$Time$"><SegmentTimeline><S d="1" r="99999999"/></SegmentTimeline></SegmentTemplate>',
            "more than",
        ),
        ("</MPD>", "", "no XML"),
    ],
)
def test_a_dash_manifest_that_plays_tricks_is_refused(tmp_path: Path, old: str, new: str, why: str) -> None:
    assert why in reasons(files.dash(tmp_path, MPD.replace(old, new, 1)))


def test_a_link_out_of_the_package_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"elsewhere")
    folder = tmp_path / "package"
    folder.mkdir()
    manifest = files.dash(folder)
    (folder / "en.m4a").unlink()
    (folder / "en.m4a").symlink_to(secret)
    assert "outside" in reasons(manifest)


@pytest.mark.parametrize("chunk", [(b"LIST", files.info((b"INAM", "x" * 70_000))), (b"iXML", b"<a>" * 100_000)])
def test_a_gigantic_tag_is_refused(tmp_path: Path, chunk: tuple[bytes, bytes]) -> None:
    path = files.with_chunks(files.tone(tmp_path / "t.wav"), tmp_path / "big.wav", chunk)
    assert read(path).unreadable


def test_a_gigantic_box_is_refused_before_it_is_read(tmp_path: Path) -> None:
    from dubgate.labels.boxes import mp4_places

    path = tmp_path / "big.mp4"
    with path.open("wb") as file:
        file.write(files.box(b"ftyp", b"isom\0\0\0\0") + (1 << 30).to_bytes(4, "big") + b"moov")
        file.truncate(16 + (1 << 30))  # a hole: no byte of it is on the disk
    with pytest.raises(MediaError, match="too large"):
        mp4_places(path)


# Threat 18: look-alikes, invisible marks, reversed reading.


@pytest.mark.parametrize(
    "name", ["English [Al]", "English [A\u200bI]", "English [\u0410I]", "\u202e]IA[ hsilgnE", "[A I]", "(ai)"]
)
def test_a_name_that_only_looks_like_a_label_blocks(tmp_path: Path, name: str) -> None:
    path = files.with_chunks(
        files.tone(tmp_path / "t.wav"), tmp_path / "dub.wav", (b"LIST", files.info((b"INAM", name)))
    )
    assert decision(path) is Decision.BLOCK


def test_two_renditions_that_look_alike_are_refused(tmp_path: Path) -> None:
    two = MASTER.replace('NAME="Deutsch"', 'NAME="English [AI]"').replace('NAME="English"', 'NAME="English [\u0410I]"')
    assert "look alike" in reasons(files.hls(tmp_path, two))


# Threat 5 and 6: a human claim, a signature of nobody.


def test_a_name_in_one_place_and_another_in_the_next_blocks(tmp_path: Path) -> None:
    from dubgate.labels.places import media_places
    from dubgate.labels.tracks import LabelledTrack

    path = tmp_path / "two.mp4"
    path.write_bytes(files.mp4(files.sound_track("English", files.box(b"udta", files.box(b"name", LABEL.encode())))))
    track = LabelledTrack("two.mp4: stream 0", LABEL, "en", machine_readable=False, is_what_was_heard=True)
    found = label_findings(Labels((track,), places=media_places(path)), synthetic=True)
    assert decide(found) is Decision.BLOCK
    assert any("contradict" in f.text.en for f in found)


# What one program reads in one way and another in another.


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('NAME="English"', f'NAME="{LABEL}",NAME="English"', "twice"),
        ('NAME="English"', f'NAME="English",NAME="{LABEL}"', "twice"),
        ("#EXTM3U", '#EXTM3U\n#EXT-X-DEFINE:NAME="x",VALUE="y"', "variables"),
    ],
)
def test_an_hls_entry_that_can_be_read_in_two_ways_is_refused(tmp_path: Path, old: str, new: str, why: str) -> None:
    assert why in reasons(files.hls(tmp_path, MASTER.replace(old, new, 1)))


def test_a_box_that_stands_twice_is_refused(tmp_path: Path) -> None:
    from dubgate.labels.boxes import mp4_places

    first, second = (
        files.box(b"hdlr", bytes(8) + b"soun" + bytes(12) + name.encode() + b"\0") for name in (LABEL, "English")
    )
    path = tmp_path / "two.mp4"
    path.write_bytes(files.mp4(files.box(b"trak", files.box(b"mdia", files.box(b"mdhd", bytes(24)), first, second))))
    with pytest.raises(MediaError, match="stands 2 times"):
        mp4_places(path)
    path.write_bytes(files.mp4(files.sound_track(LABEL)) + files.box(b"moov", files.sound_track("English")))
    with pytest.raises(MediaError, match="two indexes"):
        mp4_places(path)


def test_a_matroska_track_with_two_names_is_refused(tmp_path: Path) -> None:
    from dubgate.labels.ebml import matroska_places

    source = files.made_media.make(tmp_path, "matroska", 0.1)
    applied = tmp_path / "named.mkv"
    import av

    with av.open(str(source)) as given, av.open(str(applied), "w", format="matroska") as out:
        stream = out.add_stream_from_template(given.streams[0], opaque=True)
        stream.metadata["title"] = LABEL
        for packet in given.demux():
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    data = applied.read_bytes()
    name = b"\x53\x6e" + bytes((0x80 | len(LABEL),)) + LABEL.encode()
    assert data.count(name) == 1
    halves = [(n := (len(name) - 6) // 2), len(name) - 6 - n]  # two names in the bytes of one
    twice = b"".join(b"\x53\x6e" + bytes((0x80 | n,)) + b"x" * n for n in halves)
    applied.write_bytes(data.replace(name, twice))
    with pytest.raises(MediaError, match="two names"):
        matroska_places(applied)


def test_a_compressed_tag_is_refused_and_never_unpacked(tmp_path: Path) -> None:
    import zlib

    body = zlib.compress(b"\0" + b"A" * 10_000_000)
    frame = b"TIT2" + len(body).to_bytes(4, "big") + b"\0\x80" + body
    path = tmp_path / "bomb.mp3"
    size = len(frame)
    head = b"ID3\3\0\0" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    plain = files.made_media.make(tmp_path, "mp3", 0.1).read_bytes()
    path.write_bytes(head + frame + plain[id3_bytes(plain) :])
    assert "compressed or encrypted" in reasons(path)


ENTITIES = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'


def test_xml_entities_are_refused_wherever_a_label_is_xml(tmp_path: Path) -> None:
    for name, text in ((b"iXML", files.IXML), (b"axml", files.ADM)):
        wav = files.with_chunks(
            files.tone(tmp_path / "t.wav"), tmp_path / f"{name.decode()}.wav", (name, (ENTITIES + text).encode())
        )
        assert "no XML that may be read" in reasons(wav)
    cpl = tmp_path / "cpl.xml"
    cpl.write_text(files.CPL.replace("<Comp", ENTITIES + "<Comp", 1))
    assert "no XML that may be read" in reasons(cpl)


def test_a_playlist_that_plays_itself_is_not_what_was_heard(tmp_path: Path) -> None:
    master = files.hls(tmp_path, MASTER.replace('NAME="English"', f'NAME="{LABEL}"'))
    media = tmp_path / "en.m3u8"
    media.write_text(media.read_text().replace("en.aac", "en.m3u8"))
    heard = frozenset({hashlib.sha256((tmp_path / "en.aac").read_bytes()).hexdigest()})
    labels = read_manifest(master, tmp_path, language="en", heard_sha256=heard)
    assert decide(label_findings(labels, synthetic=True)) is Decision.BLOCK


def test_nothing_is_released_on_a_label_that_could_not_be_read(tmp_path: Path) -> None:
    path = labelled_wav(tmp_path, (b"AIGC", b"not json"))
    assert decision(path) is Decision.BLOCK
    for synthetic in (True, False):
        assert decide(label_findings(read(path), synthetic=synthetic)) is Decision.BLOCK
