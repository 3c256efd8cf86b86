"""What a package plays is listed whole, and refused where anything in it plays in a way that is not known here."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubgate.errors import MediaError
from dubgate.labels.renditions import Rendition, package_of, stated_as_long

MASTER = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English [AI]",LANGUAGE="en",URI="en/index.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="English [AI]",LANGUAGE="en",URI="en/index.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",LANGUAGE="en",URI="text/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1000000,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="a"
video/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2",AUDIO="a"
en/index.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1000,URI="video/index.m3u8"
"""
MEDIA = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MAP:URI="init.mp4"
#EXTINF:2.0,
s0.m4s
#EXTINF:1.5,
s1.m4s
#EXT-X-ENDLIST
"""
MPD = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S">
<Period><AdaptationSet contentType="audio" lang="en"><SegmentList><Initialization sourceURL="en/init.mp4"/>
<SegmentURL media="en/s0.m4s"/><SegmentURL media="en/s1.m4s"/></SegmentList><Representation id="en" bandwidth="1"/>
</AdaptationSet><AdaptationSet contentType="video"><Representation id="v" bandwidth="1"><BaseURL>video/s0.m4s</BaseURL>
</Representation></AdaptationSet></Period></MPD>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("en", "video", "text"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.m3u8").write_text(MEDIA, encoding="utf-8")
        for part in ("init.mp4", "s0.m4s", "s1.m4s"):
            (tmp_path / name / part).write_bytes(f"{name} {part}".encode())
    (tmp_path / "master.m3u8").write_text(MASTER, encoding="utf-8")
    (tmp_path / "manifest.mpd").write_text(MPD, encoding="utf-8")
    return tmp_path


def names(rendition: Rendition) -> list[str]:
    return [f"{p.parent.name}/{p.name}" for p in rendition.files]


def test_every_audio_entry_and_everything_else_is_listed(folder: Path) -> None:
    package = package_of(folder / "master.m3u8", folder)
    assert [names(r) for r in package.audio] == [["en/index.m3u8", "en/init.mp4", "en/s0.m4s", "en/s1.m4s"]] * 2
    assert ["in group 'a'" in package.audio[0].where, package.audio[0].stated_s] == [True, 3.5]
    assert sorted(names(r)[0] for r in package.others) == ["text/index.m3u8", "video/index.m3u8"]
    dash = package_of(folder / "manifest.mpd", folder)
    assert [names(r) for r in dash.audio] == [["en/init.mp4", "en/s0.m4s", "en/s1.m4s"]]
    assert [names(r) for r in dash.others] == [["video/s0.m4s"]]


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        ("master.m3u8", "#EXTM3U\n", '#EXTM3U\n#EXT-X-CONTENT-STEERING:SERVER-URI="x"\n', "EXT-X-CONTENT-STEERING"),
        ("master.m3u8", "#EXTM3U\n", "#EXTM3U\n#EXT-X-START:TIME-OFFSET=9\n", "EXT-X-START"),
        ("master.m3u8", ',URI="en/index.m3u8"\n#EXT-X-MEDIA:TYPE=SUB', "\n#EXT-X-MEDIA:TYPE=SUB", "inside a variant"),
        ("master.m3u8", MASTER, MEDIA, "name the master"),
        ("en/index.m3u8", "#EXT-X-ENDLIST\n", "", "no end"),
        ("en/index.m3u8", "#EXTINF:1.5", "#EXT-X-DISCONTINUITY\n#EXTINF:1.5", "EXT-X-DISCONTINUITY"),
        ("en/index.m3u8", "#EXTINF:1.5", '#EXT-X-DATERANGE:ID="ad",X-ASSET-URI="x"\n#EXTINF:1.5', "EXT-X-DATERANGE"),
        ("en/index.m3u8", "#EXTINF:1.5", '#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:1.5', "before encryption"),
        ("en/index.m3u8", "#EXTINF:1.5", '#EXT-X-MAP:URI="s0.m4s"\n#EXTINF:1.5', "more than one"),
        ("en/index.m3u8", "s1.m4s", "../../elsewhere.m4s", "outside"),
        ("en/index.m3u8", "s1.m4s", "s9.m4s", "not there"),
        ("video/index.m3u8", "#EXT-X-ENDLIST\n", "", "no end"),
        ("manifest.mpd", 'type="static"', 'type="dynamic"', "static"),
        ("manifest.mpd", "<Period>", '<Period start="PT1S">', "static"),
        ("manifest.mpd", "</Period>", "</Period><Period/>", "one period"),
        ("manifest.mpd", "<SegmentList>", '<ContentProtection schemeIdUri="x"/><SegmentList>', "ContentProtection"),
        ("manifest.mpd", "<SegmentList>", '<EventStream schemeIdUri="x"/><SegmentList>', "EventStream"),
        ("manifest.mpd", "<SegmentList>", '<SegmentList presentationTimeOffset="90">', "shifted"),
        ("manifest.mpd", "<SegmentList>", '<SegmentList eptDelta="90">', "shifted"),
        ("manifest.mpd", "en/s1.m4s", "en/s9.m4s", "not there"),
    ],
)
def test_what_may_play_otherwise_is_refused(folder: Path, file: str, old: str, new: str, what: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    manifest = folder / ("manifest.mpd" if file.endswith(".mpd") else "master.m3u8")
    with pytest.raises(MediaError, match=what):
        package_of(manifest, folder)


def test_what_is_no_manifest_is_refused(folder: Path) -> None:
    with pytest.raises(MediaError, match="no HLS master"):
        package_of(folder / "en" / "s0.m4s", folder)


def test_a_playlist_states_its_length_to_half_a_second() -> None:
    stated = Rendition("a", None, (), 10.0)
    assert stated_as_long(stated, 10.4)
    assert not stated_as_long(stated, 10.6)
    assert not stated_as_long(stated, 9.4)
    assert stated_as_long(Rendition("a", None, (), None), 99.0)
