"""What players read in a package otherwise than dubgate does is refused: lines, names, addresses, texts that are none."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import fromstring

import label_files as files
import pytest

from dubgate.errors import MediaError
from dubgate.labels.dash import parse_mpd
from dubgate.labels.dash_segments import representation_pieces
from dubgate.labels.hls import hls_pieces, load_playlist
from dubgate.labels.segments import inside
from dubgate.package_hearing import _is_text

LIST = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n{}#EXT-X-ENDLIST\n"


def listed(folder: Path, rows: str) -> list[str]:
    path = folder / "x.m3u8"
    path.write_bytes(LIST.format(rows).encode())
    return [p.path.name for p in hls_pieces(load_playlist(path, folder), path, folder)]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name in ("good.aac", "bad.aac", "b%61d.aac", "my film.aac"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def test_an_ordinary_list_is_read(package: Path) -> None:
    assert listed(package, "#EXTINF:4,\ngood.aac\n\n# a remark\n#EXTINF:4,\tname\nmy%20film.aac\n") == [
        "good.aac",
        "my film.aac",
    ]
    assert listed(package, "#EXTINF:4,\r\ngood.aac\r\n") == ["good.aac"]


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r", "\0"])
def test_a_line_ends_where_every_player_ends_it(package: Path, end: str) -> None:
    """Players take the title `\\u2028good.aac` and play bad.aac, which nobody compared."""
    with pytest.raises(MediaError, match="control characters"):
        listed(package, f"#EXTINF:4,{end}good.aac\nbad.aac\n")


def test_what_stands_behind_no_tag_is_refused(package: Path) -> None:
    with pytest.raises(MediaError, match="behind no tag"):
        listed(package, "#EXTINF:4,\ngood.aac\nbad.aac\n")


def test_a_name_means_what_a_server_takes_it_for(package: Path) -> None:
    assert listed(package, "#EXTINF:4,\nb%61d.aac\n") == ["bad.aac"], "and not the file that is named b%61d.aac"


@pytest.mark.parametrize("uri", ["good.aac?x", "good.aac#x", "b\tad.aac", " bad.aac", "a%2Fbad.aac", "a%5cbad.aac"])
def test_a_name_that_is_read_differently_is_refused(package: Path, uri: str) -> None:
    (package / uri.replace("/", "_")).write_bytes(b"x")
    with pytest.raises(MediaError):
        inside(package, uri, package, named_by="x")


@pytest.mark.parametrize("tag", ["#EXT-X-MAP:URI=", "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="])
def test_an_attribute_twice_is_refused_in_every_tag(package: Path, tag: str) -> None:
    with pytest.raises(MediaError, match="twice"):
        listed(package, f'{tag}"good.aac",URI="bad.aac"\n#EXTINF:4,\ngood.aac\n')


MPD = '<MPD mediaPresentationDuration="PT4S"><Period>{}<AdaptationSet>{}<Representation id="r">{}</Representation></AdaptationSet></Period></MPD>'
TEMPLATE = '<SegmentTemplate media="s$Number$.m4s" duration="2" {}/>'


def numbered(folder: Path, *levels: str) -> list[str]:
    for k in range(10):
        (folder / f"s{k}.m4s").write_bytes(b"x")
    mpd = fromstring(MPD.format(*levels))
    line = (mpd, mpd[0], mpd[0].find("AdaptationSet"), mpd[0].find("AdaptationSet/Representation"))
    return [p.path.name for p in representation_pieces(line, folder / "x.mpd", folder)]  # type: ignore[arg-type]


def test_a_template_says_at_one_level_alone_what_is_played(tmp_path: Path) -> None:
    assert numbered(tmp_path, "", TEMPLATE.format('startNumber="5"'), "") == ["s5.m4s", "s6.m4s"]
    with pytest.raises(MediaError, match="more than one level"):  # players begin with 5, which they inherit
        numbered(tmp_path, "", '<SegmentTemplate startNumber="5"/>', TEMPLATE.format(""))
    with pytest.raises(MediaError, match="in two ways"):
        numbered(tmp_path, "", "", TEMPLATE.format("") + '<SegmentList><SegmentURL media="s9.m4s"/></SegmentList>')
    with pytest.raises(MediaError, match="endNumber"):
        numbered(tmp_path, "", "", TEMPLATE.format('endNumber="1"'))


@pytest.mark.parametrize("scheme", ["urn:mpeg:dash:chaining:2016", "urn:mpeg:dash:fallback:2016"])
def test_a_presentation_that_goes_on_with_another_is_refused(tmp_path: Path, scheme: str) -> None:
    text = f'<SupplementalProperty schemeIdUri="{scheme}" value="bad.mpd"/></MPD>'
    path = files.dash(tmp_path, files.MPD.replace("</MPD>", text))
    with pytest.raises(MediaError, match="lies elsewhere"):
        parse_mpd(path)


def test_a_text_is_one_to_its_end() -> None:
    assert _is_text(b"\xef\xbb\xbfWEBVTT\n\n00:00.000 --> 00:01.000\nHall\xc3\xa5\n")
    assert _is_text(b"<tt/>")
    assert _is_text(b'<?xml version="1.0"?><tt/>')
    for data in (b"WEBVTT\nG\xff\xfb", b"WEBVTT\nG\0", b"G@", b""):
        assert not _is_text(data)
