"""What stands in a second tag, behind the sound or in a second text of one frame, is read: it may say the contrary."""

from __future__ import annotations

from pathlib import Path

import label_files as files
import pytest
from label_files import AIGC, LABEL

from dubgate.delivery.formats import id3_bytes
from dubgate.errors import MediaError
from dubgate.labels.id3 import id3_places
from dubgate.labels.packages import inspect
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
