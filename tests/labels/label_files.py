"""Files with labels, made on the spot: chunks, boxes, tags, manifests; and the child's tasks run in this process."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile

from dubgate.sandbox import Reply
from dubgate.sandbox.isolation import Isolation
from dubgate.sandbox_child import TASKS

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "delivery"))
made_media = importlib.import_module("made_media")

LABEL = "English [AI]"
AIGC = json.dumps(
    {
        "Label": "1",
        "ContentProducer": "Studio",
        "ProduceID": "7",
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }
)
ADM = (
    '<ebuCoreMain><audioFormatExtended><audioProgramme audioProgrammeID="APR_1001" audioProgrammeName="Dub"'
    f' audioProgrammeLanguage="en"><audioProgrammeLabel language="en">{LABEL}</audioProgrammeLabel>'
    "</audioProgramme></audioFormatExtended></ebuCoreMain>"
)
IXML = f"<BWFXML><IXML_VERSION>3.0</IXML_VERSION><NOTE>{LABEL}</NOTE></BWFXML>"
CPL = f"""<?xml version="1.0" encoding="UTF-8"?>
<CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">
  <Id>urn:uuid:0b0b0b0b-0000-4000-8000-000000000001</Id>
  <ContentTitle language="en">{LABEL}</ContentTitle>
</CompositionPlaylist>
"""
MPD = """<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">
  <Period>
    <AdaptationSet id="1" contentType="audio" lang="de"><Label>Deutsch</Label>
      <Representation id="de" bandwidth="64000"><BaseURL>de.m4a</BaseURL></Representation>
    </AdaptationSet>
    <AdaptationSet id="2" contentType="audio" lang="en">
      <Representation id="en" bandwidth="64000"><BaseURL>en.m4a</BaseURL></Representation>
    </AdaptationSet>
  </Period>
</MPD>
"""
MASTER = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",URI="de.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",URI="en.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="a"
video.m3u8
"""


def run_here(task: str, request: dict[str, Any], **given: Any) -> Reply:
    """What `run_in_child` does, without the process: JSON in, JSON out, a scratch folder that is cleared."""
    module, _, function = TASKS[task].partition(":")
    home = Path(tempfile.mkdtemp(prefix="dubgate-", dir=given.get("scratch")))
    (home / "tmp").mkdir()
    say: Callable[[str, float], None] = given.get("progress") or (lambda stage, share: None)
    try:
        data, arrays = getattr(importlib.import_module(module), function)(
            json.loads(json.dumps(request)), home / "tmp", say
        )
    finally:
        shutil.rmtree(home)
    return Reply(json.loads(json.dumps(data)), arrays, Isolation("none", "none"), 0)


def tone(path: Path, seconds: float = 0.2) -> Path:
    """A plain 16-bit WAV."""
    n = round(48_000 * seconds)
    soundfile.write(path, 0.1 * np.sin(2 * np.pi * 440 * np.arange(n) / 48_000), 48_000, subtype="PCM_16", format="WAV")
    return path


def with_chunks(source: Path, target: Path, *chunks: tuple[bytes, bytes]) -> Path:
    """A WAV with further chunks at its end."""
    data = source.read_bytes()
    for name, body in chunks:
        data += name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) & 1)
    target.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    return target


def info(*items: tuple[bytes, str]) -> bytes:
    """The content of a LIST/INFO chunk."""
    parts = [b"INFO"]
    for name, text in items:
        body = text.encode() + b"\0"
        parts.append(name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) & 1))
    return b"".join(parts)


def bext(description: str) -> bytes:
    """A bext chunk of version 0 without coding history."""
    return description.encode().ljust(256, b"\0") + bytes(346)


def box(name: bytes, *content: bytes) -> bytes:
    """An ISO BMFF box."""
    body = b"".join(content)
    return (8 + len(body)).to_bytes(4, "big") + name + body


def sound_track(handler: str = "SoundHandler", *more: bytes) -> bytes:
    """A `trak` of sound, as far as labels go."""
    hdlr = box(b"hdlr", bytes(8) + b"soun" + bytes(12) + handler.encode() + b"\0")
    return box(b"trak", box(b"mdia", box(b"mdhd", bytes(20) + (0x15C7).to_bytes(2, "big") + bytes(2)), hdlr), *more)


def mp4(*in_moov: bytes) -> bytes:
    """An MP4 that holds an index and nothing else."""
    return box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", *in_moov)


def item(name: bytes, text: str, *before: bytes) -> bytes:
    """An item of `ilst` with one UTF-8 value."""
    return box(name, *before, box(b"data", (1).to_bytes(4, "big") + bytes(4) + text.encode()))


def free_form(name: str, text: str) -> bytes:
    """iTunes' item of one's own name."""
    return item(b"----", text, box(b"mean", bytes(4) + b"com.apple.iTunes"), box(b"name", bytes(4) + name.encode()))


def movie_items(*items: bytes) -> bytes:
    """`udta/meta/ilst` of a movie."""
    return box(b"udta", box(b"meta", bytes(4) + box(b"hdlr", bytes(25)) + box(b"ilst", *items)))


def adts(text: str) -> bytes:
    """Two frames of packed audio that hold these letters, as far as headers go (13818-7, 6.2)."""
    n = 7 + len(text)
    return 2 * (bytes((0xFF, 0xF1, 0x50, 0x80 | n >> 11, n >> 3 & 0xFF, (n & 7) << 5 | 0x1F, 0xFC)) + text.encode())


def hls(folder: Path, master: str = MASTER) -> Path:
    """An HLS package of two renditions."""
    for language in ("de", "en"):
        (folder / f"{language}.aac").write_bytes(adts(language * 50))
        (folder / f"{language}.m3u8").write_text(
            f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{language}.aac\n#EXT-X-ENDLIST\n"
        )
    path = folder / "master.m3u8"
    path.write_text(master, encoding="utf-8")
    return path


def dash(folder: Path, text: str = MPD) -> Path:
    """A DASH presentation of two sounds."""
    for language in ("de", "en"):
        (folder / f"{language}.m4a").write_bytes(adts(language * 50))
    path = folder / "manifest.mpd"
    path.write_text(text, encoding="utf-8")
    return path


def copied(source: Path, target: Path, muxer: str) -> Path:
    """What a plain re-wrap does (`-c copy`): packets and the metadata that FFmpeg knows."""
    with av.open(str(source)) as given, av.open(str(target), "w", format=muxer) as out:
        out.metadata.update(given.metadata)
        copy_into(given, out)
    return target


def copy_into(given: Any, out: Any) -> None:
    """Every stream of one container into another."""
    pairs = {s.index: out.add_stream_from_template(s, opaque=True) for s in given.streams}
    for s in given.streams:
        pairs[s.index].metadata.update(s.metadata)
    for packet in given.demux():
        if packet.size:
            packet.stream = pairs[packet.stream_index]
            out.mux(packet)


def metadata_of(path: Path) -> set[str]:
    """Every text that PyAV finds in a file: a second reader."""
    with av.open(str(path)) as container:
        return {*container.metadata.values(), *(v for s in container.streams for v in s.metadata.values())}


def fragmented(path: Path, *, handler: str = "", language: str = "", **movie: str) -> Path:
    """A fragmented MP4 of AAC in one file, four fragments of a tenth of a second; `movie` are tags of the file."""
    options = {"movflags": "empty_moov+default_base_moof+frag_keyframe", "frag_duration": "100000"}
    with av.open(str(path), "w", format="mp4", options=options) as out:
        out.metadata.update(movie)
        stream = out.add_stream("aac", rate=48_000, layout="mono")
        stream.metadata.update({k: v for k, v in (("handler_name", handler), ("language", language)) if v})
        for packet in made_media._encoded(stream, made_media.chirp(48_000, 0.4), 48_000):
            out.mux(packet)
    return path


def parts_of(path: Path) -> list[bytes]:
    """The initialisation section of a fragmented MP4, and each of its fragments with the media behind it."""
    data, parts, at = path.read_bytes(), [b""], 0
    while at < len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if name == b"mfra":
            break
        if name == b"moof":
            parts.append(b"")
        parts[-1] += data[at : at + length]
        at += length
    return parts


def with_segments(folder: Path, stem: str, parts: list[bytes]) -> None:
    """These bytes as segments with their media playlist: an initialisation section first where it is one."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:4"]
    for k, data in enumerate(parts):
        (folder / f"{stem}-{k}.seg").write_bytes(data)
        if data[4:8] == b"ftyp":
            lines.append(f'#EXT-X-MAP:URI="{stem}-{k}.seg"')
        else:
            lines += ["#EXTINF:4,", f"{stem}-{k}.seg"]
    (folder / f"{stem}.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))


def segmented(folder: Path, english: list[bytes], kind: str = "hls") -> Path:
    """A labelled HLS or DASH package whose English entry plays these segments."""
    hls(folder, MASTER.replace('NAME="English"', f'NAME="{LABEL}",CHARACTERISTICS="public.machine-generated"'))
    with_segments(folder, "en", english)
    if kind == "hls":
        return folder / "master.m3u8"
    first, *others = (f"en-{k}.seg" for k in range(len(english)))
    listed = f'<Initialization sourceURL="{first}"/>' + "".join(f'<SegmentURL media="{name}"/>' for name in others)
    text = MPD.replace('lang="en">', f'lang="en"><Label>{LABEL}</Label>')
    return dash(folder, text.replace("<BaseURL>en.m4a</BaseURL>", f"<SegmentList>{listed}</SegmentList>"))


def id3(*frames: tuple[bytes, str]) -> bytes:
    """An ID3v2.4 tag with these texts; of TXXX the name stands before "="."""
    parts = []
    for name, text in frames:
        data = b"\3" + (text.replace("=", "\0", 1) if name == b"TXXX" else text).encode()
        parts.append(name + _synchsafe(len(data)) + b"\0\0" + data)
    body = b"".join(parts)
    return b"ID3\4\0\0" + _synchsafe(len(body)) + body


def _synchsafe(size: int) -> bytes:
    return bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))


def transport(path: Path, *, language: str = "", tags: Sequence[bytes] = ()) -> Path:
    """An MPEG transport stream of AAC, with timed ID3 tags where there are any."""
    with av.open(str(path), "w", format="mpegts") as out:
        sound = out.add_stream("aac", rate=48_000, layout="mono")
        if language:
            sound.metadata["language"] = language
        timed = out.add_data_stream("timed_id3") if tags else None
        packets = made_media._encoded(sound, made_media.chirp(48_000, 0.4), 48_000)
        for k, packet in enumerate(packets):
            out.mux(packet)
            if timed is not None and k < len(tags):
                tag = av.Packet(tags[k])
                tag.stream, tag.time_base, tag.pts = timed, Fraction(1, 90_000), 3000 * k
                tag.dts = tag.pts
                out.mux(tag)
    return path
