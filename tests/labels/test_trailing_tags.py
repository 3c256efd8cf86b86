"""What stands in a second tag, behind the sound or in a second text of one frame, is read: it may say the contrary."""

from __future__ import annotations

from pathlib import Path

import label_files as files
import pytest
from label_files import AIGC, LABEL

from dubgate.delivery.formats import id3_bytes
from dubgate.errors import MediaError
from dubgate.labels.applying import apply_label
from dubgate.labels.id3 import id3_places
from dubgate.labels.packages import inspect
from dubgate.labels.plan import LabelPlan
from dubgate.policy.label_checks import wording_findings
from dubgate.policy.verdict import Decision, decide

TAG = files.id3((b"TIT2", LABEL), (b"TLAN", "eng"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    made = files.made_media.make(tmp_path_factory.mktemp("mp3"), "mp3", 0.2).read_bytes()
    return made[id3_bytes(made) :]


def id3v1(title: str, comment: str = "") -> bytes:
    return b"TAG" + title.encode("latin-1").ljust(30, b"\0") + bytes(64) + comment.encode().ljust(30, b"\0") + b"\x0c"


def ape(*items: tuple[str, str], kind: int = 0, count: int | None = None) -> bytes:
    body = b"".join(
        len(text.encode()).to_bytes(4, "little") + kind.to_bytes(4, "little") + key.encode() + b"\0" + text.encode()
        for key, text in items
    )
    n = len(items) if count is None else count
    numbers = (2000, len(body) + 32, n, 0)
    return body + b"APETAGEX" + b"".join(k.to_bytes(4, "little") for k in numbers) + bytes(8)


def decided(tmp_path: Path, data: bytes) -> Decision:
    path = tmp_path / "dub.mp3"
    path.write_bytes(data)
    return decide(wording_findings(inspect(path, tmp_path, language="en", anchors=None)))


def test_tags_that_say_the_same_are_one_label(tmp_path: Path, sound: bytes) -> None:
    assert decided(tmp_path, TAG + sound) is Decision.RELEASE
    assert decided(tmp_path, TAG + sound + ape(("Title", LABEL), ("Year", "2026")) + id3v1(LABEL)) is Decision.RELEASE
    assert decided(tmp_path, TAG + sound + id3v1("", "no title")) is Decision.RELEASE
    assert decided(tmp_path, TAG + sound + ape(("Title", "x"), kind=2)) is Decision.RELEASE, "no text"


OTHER = "English, human voices"
HIDDEN = {
    "in ID3v1": (TAG, id3v1(OTHER)),
    "in APEv2": (TAG, ape(("TITLE", OTHER))),
    "in APEv2 before ID3v1": (TAG, ape(("Year", "2026"), ("Title", OTHER)) + id3v1(LABEL)),
    "in a second ID3v2 tag": (TAG + files.id3((b"TIT2", OTHER)), b""),
    "in a second text of one frame": (files.id3((b"TIT2", f"{LABEL}\0no AI"), (b"TLAN", "eng")), b""),
    "in a second text of an item": (TAG, ape(("Title", f"{LABEL}\0no AI"))),
}


@pytest.mark.parametrize("case", HIDDEN)
def test_a_name_that_says_the_contrary_is_found(case: str, tmp_path: Path, sound: bytes) -> None:
    before, behind = HIDDEN[case]
    assert decided(tmp_path, before + sound + behind) is Decision.BLOCK


def test_an_id3_tag_in_a_chunk_of_a_wav_names_its_track_too(tmp_path: Path) -> None:
    def told(*chunks: tuple[bytes, bytes]) -> Decision:
        info = (b"LIST", files.info((b"INAM", LABEL)))
        wav = files.with_chunks(files.tone(tmp_path / "t.wav"), tmp_path / "dub.wav", info, *chunks)
        return decide(wording_findings(inspect(wav, tmp_path, language="en", anchors=None)))

    for name in (b"id3 ", b"ID3 "):
        assert told((name, TAG)) is Decision.RELEASE
        assert told((name, files.id3((b"TIT2", OTHER)))) is Decision.BLOCK
        assert told((name, TAG[:-1])) is Decision.BLOCK
        assert told((name, b"no tag")) is Decision.BLOCK


def test_an_id3_tag_before_a_flac_names_the_track_that_its_comments_name(tmp_path: Path) -> None:
    made = files.made_media.make(tmp_path, "flac", 0.2)
    data = made.read_bytes()
    path = tmp_path / "dub.flac"

    def told(tag: bytes) -> Decision:
        path.write_bytes(tag + with_comment(data, f"TITLE={LABEL}"))
        return decide(wording_findings(inspect(path, tmp_path, language="en", anchors=None)))

    assert told(b"") is told(TAG) is Decision.RELEASE
    assert told(files.id3((b"TIT2", OTHER))) is Decision.BLOCK


@pytest.mark.usefixtures("here")
def test_a_label_that_is_written_is_written_into_every_tag_that_names_the_track(tmp_path: Path) -> None:
    old = files.id3((b"TIT2", "The Last Train"), (b"TPE1", "Kestrel"))
    wav = files.with_chunks(files.tone(tmp_path / "t.wav"), tmp_path / "dub.wav", (b"id3 ", old))
    flac = tmp_path / "dub.flac"
    flac.write_bytes(old + files.made_media.make(tmp_path, "flac", 0.2).read_bytes())
    for source in (wav, flac):
        out = tmp_path / f"out{source.suffix}"
        apply_label(source, out, LabelPlan(LABEL, "en"))
        labels = inspect(out, tmp_path, language="en", anchors=None)
        assert decide(wording_findings(labels)) is Decision.RELEASE
        assert "Kestrel" in [p.text for p in labels.places]


def with_comment(flac: bytes, comment: str) -> bytes:
    """The file with one block of comments, in the place of its own."""
    text = comment.encode()
    body = bytes(4) + (1).to_bytes(4, "little") + len(text).to_bytes(4, "little") + text
    size = int.from_bytes(flac[5:8], "big")
    return (
        flac[:4] + b"\0" + flac[5 : 8 + size] + b"\x04" + len(body).to_bytes(3, "big") + body + others(flac, 8 + size)
    )


def others(flac: bytes, at: int) -> bytes:
    """The blocks from here on but for comments, and the frames."""
    kept = []
    while True:
        kind, size = flac[at], int.from_bytes(flac[at + 1 : at + 4], "big")
        kept += [] if kind & 0x7F == 4 else [bytes([kind & 0x7F]) + flac[at + 1 : at + 4 + size]]
        at += 4 + size
        if kind & 0x80:
            padding = b"\x81" + (1).to_bytes(3, "big") + b"\0"
            return b"".join(kept) + padding + flac[at:]


def test_every_tag_at_the_start_is_read(tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "dub.mp3"
    path.write_bytes(TAG + files.id3((b"TIT2", OTHER)) + sound)
    assert [p.text for p in id3_places(path) if p.names_track] == [LABEL, OTHER]


def test_chinas_label_behind_the_sound_is_read_like_any_other(tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "dub.mp3"
    path.write_bytes(TAG + sound + ape(("AIGC", AIGC)))
    assert [p.token for p in id3_places(path)][-1] == "AIGC"


@pytest.mark.parametrize(
    "behind",
    [
        b"LYRICSBEGIN" + bytes(20) + b"000031LYRICS200",
        bytes(40) + b"3DI\4\0\x10\0\0\0\0",
        ape(("Title", LABEL), count=9),
        ape(("Title", LABEL), count=2_000_000),
        ape(("Title", "x" * 40)).replace((40).to_bytes(4, "little"), (90).to_bytes(4, "little"), 1),
        ape(("Title", "x" * 70_000)),
        ape(("Title", LABEL))[:-20] + b"\xff\xff\xff\x7f" + bytes(16),
    ],
)
def test_what_cannot_be_read_behind_the_sound_is_refused(behind: bytes, tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "dub.mp3"
    for last in (b"", id3v1(LABEL)):
        path.write_bytes(TAG + sound + behind + last)
        with pytest.raises(MediaError):
            id3_places(path)
