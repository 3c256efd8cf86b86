"""Labels in an HLS package, and whether its renditions play what was heard."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dubgate.errors import MediaError
from dubgate.labels.hls import read_master

SOUND = b"the sound that was heard" * 100
HEARD = frozenset({hashlib.sha256(SOUND).hexdigest()})
MASTER = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",URI="de.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English [AI]",LANGUAGE="en",CHARACTERISTICS="public.machine-generated",URI="en.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=100000,AUDIO="a"
video.m3u8
"""
MEDIA = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nen1.aac\n#EXTINF:4,\nen2.aac\n#EXT-X-ENDLIST\n"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "master.m3u8").write_text(MASTER)
    (tmp_path / "en.m3u8").write_text(MEDIA)
    (tmp_path / "de.m3u8").write_text(MEDIA.replace("en1", "de").replace("#EXTINF:4,\nen2.aac\n", ""))
    (tmp_path / "de.aac").write_bytes(b"another sound")
    (tmp_path / "en1.aac").write_bytes(SOUND[:700])
    (tmp_path / "en2.aac").write_bytes(SOUND[700:])
    return tmp_path


def test_the_dubs_rendition_is_read_and_is_what_was_heard(package: Path) -> None:
    [track] = read_master(package / "master.m3u8", package, language="en", heard_sha256=HEARD).tracks
    assert track.human_readable
    assert track.machine_readable
    assert track.is_what_was_heard is True


def test_a_labelled_rendition_that_plays_other_sound_is_not_what_was_heard(package: Path) -> None:
    (package / "en2.aac").write_bytes(SOUND[700:-1] + b"!")
    [track] = read_master(package / "master.m3u8", package, language="en", heard_sha256=HEARD).tracks
    assert track.is_what_was_heard is False


def test_a_rendition_without_a_language_counts_when_it_plays_what_was_heard(package: Path) -> None:
    (package / "master.m3u8").write_text(MASTER.replace(',LANGUAGE="en"', ""))
    [track] = read_master(package / "master.m3u8", package, language="en", heard_sha256=HEARD).tracks
    assert track.language is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("en.m3u8", "../en.m3u8", "outside"),
        ("en.m3u8", "https://example.org/en.m3u8", "outside"),
        ("en.m3u8", "master.m3u8", "itself a master"),
        ("en.m3u8", "gone.m3u8", "not there"),
        ('NAME="Deutsch",LANGUAGE="de"', 'NAME="English [AI]",LANGUAGE="en"', "twice"),
        ("#EXTM3U", "#EXT", "not an HLS"),
    ],
)
def test_a_package_that_plays_tricks_is_refused(package: Path, old: str, new: str, message: str) -> None:
    (package / "master.m3u8").write_text(MASTER.replace(old, new, 1))
    with pytest.raises(MediaError, match=message):
        read_master(package / "master.m3u8", package, language="en", heard_sha256=HEARD)


@pytest.mark.parametrize("byterange", ["5000", "10@3000", "x", "-1", "10@-4"])
def test_a_byte_range_outside_its_file_is_refused(package: Path, byterange: str) -> None:
    (package / "en.m3u8").write_text(MEDIA.replace("#EXTINF:4,\nen1", f"#EXTINF:4,\n#EXT-X-BYTERANGE:{byterange}\nen1"))
    with pytest.raises(MediaError):
        read_master(package / "master.m3u8", package, language="en", heard_sha256=HEARD)
