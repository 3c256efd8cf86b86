"""Sound that lies inside pictures, where no entry can label it: told by their codecs, and where these do not tell, it holds."""

from __future__ import annotations

from pathlib import Path

import label_files as files
import pytest
from label_files import LABEL

from dubgate.labels.codecs import sounds
from dubgate.labels.packages import inspect
from dubgate.policy.label_checks import wording_findings
from dubgate.policy.verdict import Decision, decide

SAYS = {
    "avc1.4d401f": Decision.RELEASE,
    "hvc1.2.4.L153.B0, wvtt": Decision.RELEASE,
    "avc1.4d401f,mp4a.40.2": Decision.BLOCK,
    "vp09.00.10.08,OPUS": Decision.BLOCK,
    "avc1.4d401f,dtsc": Decision.BLOCK,
    "avc1.4d401f,mhm1.0x0D": Decision.BLOCK,
    "": Decision.HOLD,
    "avc1.4d401f,zzz9": Decision.HOLD,
}


def decided(manifest: Path) -> Decision:
    return decide(wording_findings(inspect(manifest, manifest.parent, language="en", anchors=None)))


@pytest.mark.parametrize("codecs", SAYS)
def test_an_hls_variant_outside_every_group_is_silent_has_sound_or_is_not_told(tmp_path: Path, codecs: str) -> None:
    named = f'NAME="{LABEL}",CHARACTERISTICS="public.machine-generated"'
    text = files.MASTER.replace('NAME="English"', named)
    said = f',CODECS="{codecs}"' if codecs else ""
    assert decided(files.hls(tmp_path, text)) is Decision.RELEASE
    assert decided(files.hls(tmp_path, f"{text}#EXT-X-STREAM-INF:BANDWIDTH=9{said}\nother.m3u8\n")) is SAYS[codecs]


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return (8 + len(body)).to_bytes(4, "big") + name + body


def index(*handlers: bytes) -> bytes:
    tracks = (box(b"trak", box(b"mdia", box(b"hdlr", bytes(8), h, bytes(12)))) for h in handlers)
    return box(b"ftyp", b"iso6") + box(b"moov", *tracks)


FRAGMENT = box(b"moof") + box(b"mdat", bytes(9))
PICTURES = {
    "pictures": (index(b"vide") + FRAGMENT, Decision.RELEASE),
    "a track of sound": (index(b"vide", b"soun") + FRAGMENT, Decision.HOLD),
    "sound in an index that comes later": (index(b"vide") + FRAGMENT + index(b"soun"), Decision.HOLD),
    "no index": (FRAGMENT, Decision.HOLD),
    "a track that says nothing": (box(b"ftyp") + box(b"moov", box(b"trak")), Decision.HOLD),
    "an unknown box": (index(b"vide") + box(b"mpvd"), Decision.HOLD),
    "a transport stream": (b"G" + bytes(187), Decision.HOLD),
    "cut off": (index(b"vide") + FRAGMENT[:-1], Decision.HOLD),
}


@pytest.mark.parametrize("case", PICTURES)
def test_other_pictures_of_an_hls_package_are_silent_or_hold(tmp_path: Path, case: str) -> None:
    """EXT-X-MEDIA TYPE=VIDEO names no codecs, so its media are asked."""
    data, wanted = PICTURES[case]
    named = f'NAME="{LABEL}",CHARACTERISTICS="public.machine-generated"'
    text = files.MASTER.replace('NAME="English"', named)
    angle = '#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="v",NAME="Angle 2",URI="angle.m3u8"\n'
    manifest = files.hls(tmp_path, text + angle)
    (tmp_path / "angle.m3u8").write_text("#EXTM3U\n#EXTINF:2,\nangle.mp4\n#EXT-X-ENDLIST\n")
    (tmp_path / "angle.mp4").write_bytes(data)
    assert decided(manifest) is wanted


@pytest.mark.parametrize("codecs", SAYS)
@pytest.mark.parametrize("on", ["AdaptationSet", "Representation"])
def test_a_dash_representation_of_pictures_is_silent_has_sound_or_is_not_told(
    tmp_path: Path, codecs: str, on: str
) -> None:
    said = f' codecs="{codecs}"' if codecs else ""
    (choice, shown) = (said, "") if on == "AdaptationSet" else ("", said)
    pictures = (
        f'<AdaptationSet id="3" contentType="video"{choice}>'
        f'<Representation id="v" bandwidth="9"{shown}><BaseURL>v.mp4</BaseURL></Representation></AdaptationSet>'
    )
    text = files.MPD.replace('lang="en">', f'lang="en"><Label>{LABEL}</Label>')
    assert decided(files.dash(tmp_path, text)) is Decision.RELEASE
    assert decided(files.dash(tmp_path, text.replace("</Period>", f"{pictures}</Period>"))) is SAYS[codecs]


@pytest.mark.parametrize(("kind", "mime"), [("text", "text/vtt"), ("image", "image/jpeg")])
def test_texts_and_stills_need_no_codecs(tmp_path: Path, kind: str, mime: str) -> None:
    text = files.MPD.replace('lang="en">', f'lang="en"><Label>{LABEL}</Label>')
    other = f'<AdaptationSet contentType="{kind}" mimeType="{mime}"><Representation id="t"/></AdaptationSet>'
    assert decided(files.dash(tmp_path, text.replace("</Period>", f"{other}</Period>"))) is Decision.RELEASE


def test_what_nobody_said_is_not_known() -> None:
    assert [sounds(c) for c in ("", " , ", "avc1", "Avc1.x", "mp4a", "avc1,", "x")] == [
        None,
        None,
        False,
        False,
        True,
        False,
        None,
    ]
