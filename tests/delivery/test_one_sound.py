"""A file or a package holds one sound: what some players play and dubgate would not hear is refused."""

from __future__ import annotations

import io
from pathlib import Path

import av
import made_media
import pytest

from dubgate.delivery.ac3_frames import holds_other_programmes
from dubgate.delivery.decoding import StreamDecoder
from dubgate.delivery.formats import MXF_PARTITION, sniff
from dubgate.delivery.media import sounds_of
from dubgate.delivery.mp4_edits import check_edits
from dubgate.delivery.structure import check_structure
from dubgate.delivery.ts_packets import check_packets
from dubgate.errors import MediaError

RATE_HZ = 48_000


def coded(path: Path, codec: str, seconds: float = 2.5) -> Path:
    with av.open(str(path), "w") as out:
        sound = out.add_stream(codec, rate=RATE_HZ, layout="mono")
        for packet in made_media._encoded(sound, made_media.chirp(RATE_HZ, seconds), RATE_HZ):
            out.mux(packet)
    return path


def checked(path: Path, data: bytes, demuxer: str) -> None:
    path.write_bytes(data)
    with path.open("rb") as file:
        check_structure(path, file, demuxer)


# containers


def test_a_file_that_can_be_read_as_two_formats_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for head in (
        b"\x1aE\xdf\xa3free" + bytes(40),  # Matroska to some, a box of 440 MB to others
        b"\x1aE\xdf\xa3" + bytes(40) + MXF_PARTITION,
        b"run-in" + MXF_PARTITION + bytes(40),
    ):
        path.write_bytes(head)
        with pytest.raises(MediaError, match="can be read as"):
            sniff(path)
    path.write_bytes(MXF_PARTITION + bytes(40))
    assert sniff(path) == "mxf"


def wave(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(name + len(data).to_bytes(4, "little") + data for name, data in chunks)
    return b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WAVE" + body


def test_a_wave_file_has_one_format_and_one_sound(tmp_path: Path) -> None:
    form, data = (b"fmt ", bytes(16)), (b"data", bytes(8))
    checked(tmp_path / "x", wave(form, data, (b"LIST", b"INFO")), "wav")
    for twice in ((form, form, data), (form, data, data), (form, data, form)):
        with pytest.raises(MediaError, match="stands in it twice"):
            checked(tmp_path / "x", wave(*twice), "wav")


def test_an_aiff_a_caf_a_w64_and_a_matroska_file_have_one_sound(tmp_path: Path) -> None:
    def aiff(n: int) -> bytes:
        return b"FORM\0\0\0\0AIFF" + n * (b"SSND" + (8).to_bytes(4, "big") + bytes(8))

    def caf(n: int) -> bytes:
        return b"caff\0\1\0\0" + n * (b"data" + (8).to_bytes(8, "big") + bytes(8))

    def w64(n: int) -> bytes:
        return bytes(40) + n * (b"data" + bytes(12) + (32).to_bytes(8, "little") + bytes(8))

    def matroska(n: int) -> bytes:
        return b"\x1aE\xdf\xa3\x80" + n * b"\x18\x53\x80\x67\x84abcd"

    for demuxer, made in (("aiff", aiff), ("caf", caf), ("w64", w64), ("matroska", matroska)):
        checked(tmp_path / "x", made(1), demuxer)
        with pytest.raises(MediaError, match="stands in it twice"):
            checked(tmp_path / "x", made(2), demuxer)


def test_chapters_that_put_a_film_together_anew_are_refused(tmp_path: Path) -> None:
    def element(name: str, *content: bytes) -> bytes:
        body = b"".join(content)
        return bytes.fromhex(name) + (1 << 56 | len(body)).to_bytes(8, "big") + body

    def film(*edition: bytes) -> bytes:
        chapters = element("1043a770", element("ec", b"x"), element("45b9", *edition))
        return element("1a45dfa3") + element("18538067", element("1654ae6b", b"tracks"), chapters, element("1f43b675"))

    checked(tmp_path / "x", film(element("45bc", b"\1"), element("b6", b"chapter")), "matroska")
    checked(tmp_path / "x", film(element("45dd", b"\0")), "matroska")
    for yes in (b"\1", b"\0\1"):
        with pytest.raises(MediaError, match="chapters are ordered"):
            checked(tmp_path / "x", film(element("45bc", b"\1"), element("45dd", yes)), "matroska")
    with pytest.raises(MediaError, match="cut off"):
        checked(tmp_path / "x", film()[:-1], "matroska")
    endless = film(element("45dd", b"\1")).replace(bytes.fromhex("18538067") + b"\1", bytes.fromhex("18538067ff"), 1)
    endless = endless[: endless.index(b"\x67\xff") + 2] + endless[endless.index(b"\x67\xff") + 9 :]
    with pytest.raises(MediaError, match="chapters are ordered"):  # its length is not announced
        checked(tmp_path / "x", endless, "matroska")


# MP4


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return (8 + len(body)).to_bytes(4, "big") + name + body


def movie(*rows: tuple[int, int, int], handler: bytes = b"soun", stored_s: int = 60) -> bytes:
    """An index whose clock runs in thousandths and whose track has 48,000 a second."""
    listed = b"".join(
        d.to_bytes(4, "big") + s.to_bytes(4, "big", signed=True) + r.to_bytes(4, "big") for d, s, r in rows
    )
    edits = box(b"edts", box(b"elst", bytes(4), len(rows).to_bytes(4, "big"), listed))
    header = box(b"mdhd", bytes(12), RATE_HZ.to_bytes(4, "big"), (stored_s * RATE_HZ).to_bytes(4, "big"), bytes(4))
    track = box(b"trak", edits, box(b"mdia", header, box(b"hdlr", bytes(8), handler, bytes(12))))
    return box(b"mvhd", bytes(12), (1000).to_bytes(4, "big"), bytes(80)) + track


WHOLE = 0x10000
HIDING = {
    "the middle": ((10_000, 0, WHOLE), (45_000, 15 * RATE_HZ, WHOLE)),
    "the beginning": ((50_000, 10 * RATE_HZ, WHOLE),),
    "the end": ((50_000, 0, WHOLE),),
    "nothing, and plays some twice": ((60_000, 0, WHOLE), (5_000, 0, WHOLE)),
    "another speed": ((60_000, 0, WHOLE // 2),),
}


@pytest.mark.parametrize("case", HIDING)
def test_an_edit_list_may_hide_no_sound_from_those_who_follow_it(case: str) -> None:
    with pytest.raises(MediaError, match="its edit list"):
        check_edits(Path("x"), movie(*HIDING[case]))
    check_edits(Path("x"), movie(*HIDING[case], handler=b"vide"))


def test_sound_that_is_described_in_two_ways_is_refused() -> None:
    """The same bytes are two sounds: one to who decodes them as the first says, one to who asks each sample."""

    def described(n: int, handler: bytes = b"soun") -> bytes:
        entry = box(b"sowt", bytes(28))
        table = box(b"stbl", box(b"stsd", bytes(4), n.to_bytes(4, "big"), n * entry))
        return box(b"trak", box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(12)), box(b"minf", table)))

    check_edits(Path("x"), described(1))
    check_edits(Path("x"), described(2, b"vide"))
    for n in (0, 2):
        with pytest.raises(MediaError, match=f"described in {n} ways"):
            check_edits(Path("x"), described(n))


def test_an_encoders_delay_a_late_start_and_fragments_are_ordinary_edits() -> None:
    check_edits(Path("x"), movie((59_979, 1024, WHOLE)))
    check_edits(Path("x"), movie((500, -1, WHOLE), (60_000, 0, WHOLE)))
    check_edits(Path("x"), movie((0, 1024, WHOLE), stored_s=0))
    check_edits(Path("x"), movie((0, 0, WHOLE), stored_s=0))
    check_edits(Path("x"), movie())


def test_an_mp4_has_one_index_and_its_edits_are_looked_at(tmp_path: Path) -> None:
    index = box(b"moov", movie((59_979, 1024, WHOLE)))
    checked(tmp_path / "x", index, "mov")
    with pytest.raises(MediaError, match="stands in it twice"):
        checked(tmp_path / "x", index + index, "mov")
    with pytest.raises(MediaError, match="leaves out"):
        checked(tmp_path / "x", box(b"moov", movie(*HIDING["the end"])), "mov")


def test_an_mp4_has_its_samples_in_its_index_or_in_fragments(tmp_path: Path) -> None:
    def index(name: bytes, n: int) -> bytes:
        sizes = box(name, bytes(8), n.to_bytes(4, "big"))
        return box(b"moov", box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", sizes)))))

    for name in (b"stsz", b"stz2"):
        checked(tmp_path / "x", index(name, 7), "mov")
        checked(tmp_path / "x", index(name, 0) + box(b"moof"), "mov")
        with pytest.raises(MediaError, match="in its index and in fragments"):
            checked(tmp_path / "x", index(name, 7) + box(b"moof"), "mov")


# MPEG-TS


def tables_at(data: bytes, pid: int) -> list[int]:
    return [at for at in range(0, len(data), 188) if (data[at + 1] & 0x1F) << 8 | data[at + 2] == pid]


@pytest.fixture(scope="module")
def transport(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return coded(tmp_path_factory.mktemp("ts") / "x.ts", "aac").read_bytes()


def changed(data: bytes, pid: int, was: bytes, now: bytes) -> bytes:
    """The last table of a stream says something else."""
    at = tables_at(data, pid)[-1]
    packet = data[at : at + 188]
    assert was in packet
    return data[:at] + packet.replace(was, now) + data[at + 188 :]


def test_a_map_that_goes_over_to_another_sound_on_the_way_is_refused(tmp_path: Path, transport: bytes) -> None:
    path = tmp_path / "x.ts"

    def check(data: bytes) -> None:
        check_packets(path, io.BytesIO(data), len(data))

    assert len(tables_at(transport, 4096)) > 1
    check(transport)
    for other in (
        changed(transport, 4096, b"\x0f\xe1\x00", b"\x0f\xe1\x01"),  # another stream of AAC
        changed(transport, 4096, b"\0\x02\xb0", b"\0\x42\xb0"),  # a table of another kind, which some read as the map
        changed(transport, 0, b"\xf0\x00", b"\xf0\x01"),  # the map itself lies elsewhere
    ):
        with pytest.raises(MediaError, match="name other streams"):
            check(other)
    version = changed(transport, 4096, b"\xc1\x00\x00\xe1", b"\xc3\x00\x00\xe1")
    check(version)


def test_a_map_whose_end_lies_before_the_next_one_is_read_whole(tmp_path: Path, transport: bytes) -> None:
    at = tables_at(transport, 4096)[0]
    packet = transport[at : at + 188]
    section = packet[5 : 5 + 3 + (int.from_bytes(packet[6:8], "big") & 0xFFF)]
    other = section.replace(b"\x0f\xe1\x00", b"\x0f\xe1\x01")
    begun = packet[:4] + bytes(1) + section + other[:5]
    rest = other[5:]
    first = packet[:3] + bytes([0x30, 188 - 5 - 1 - len(section) - 5]) + bytes([0]) + b"\xff" * 200
    first = first[: 188 - 1 - len(section) - 5] + begun[4:]
    second = packet[:3] + b"\x11" + bytes([len(rest)]) + rest + section + b"\xff" * 188
    data = transport[: tables_at(transport, 0)[0] + 188] + first + second[:188]
    assert len(first) == 188
    assert packet[3] & 0xF == 0
    with pytest.raises(MediaError, match="name other streams"):
        check_packets(tmp_path / "x", io.BytesIO(data), len(data))


# E-AC-3


def test_an_e_ac_3_stream_with_a_second_programme_is_refused(tmp_path: Path) -> None:
    path = coded(tmp_path / "x.eac3", "eac3", 0.3)
    data = path.read_bytes()
    first = data[: 2 * ((data[2] & 7) << 8 | data[3]) + 2]
    other, channels = (bytearray(first), bytearray(first))
    other[2] |= 1 << 3
    channels[2] |= 1 << 6 | 1 << 3
    assert not holds_other_programmes(first + first)
    assert not holds_other_programmes(first + bytes(channels))
    assert holds_other_programmes(first + bytes(other))
    assert not holds_other_programmes(b"")
    assert not holds_other_programmes(first[:5] + b"\x40" + first[6:])
    list(StreamDecoder(path, 0).blocks(1.0))
    path.write_bytes(data + bytes(other))
    with pytest.raises(MediaError, match="several programmes"):
        list(StreamDecoder(path, 0).blocks(1.0))


# streams


def test_a_sound_that_dubgate_cannot_decode_is_one_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "x.mka"
    made = made_media.chirp(RATE_HZ, 0.3)
    with av.open(str(path), "w", format="matroska") as out:
        first, second = (
            out.add_stream("aac", rate=RATE_HZ, layout="mono"),
            out.add_stream("wavpack", rate=RATE_HZ, layout="mono"),
        )
        second.metadata["language"] = "fra"
        packets = [p for stream in (first, second) for p in made_media._encoded(stream, made, RATE_HZ)]
        for packet in packets:
            out.mux(packet)
    assert sounds_of(path) == ((0, None), (1, "fr"))


# packets


def test_packets_that_say_they_are_not_to_be_played_are_refused(tmp_path: Path) -> None:
    """FFmpeg plays silence there, and whoever does not know DiscardPadding plays what is coded."""
    opus, given = made_media.make(tmp_path, "opus"), made_media.make(tmp_path, "matroska")
    with av.open(str(opus)) as file:
        said = [p.get_sidedata("skip_samples") for p in file.demux() if p.has_sidedata("skip_samples")]
    assert len(said) == 2, "an encoder's delay, and what fills the last packet"
    assert list(StreamDecoder(opus, 0).blocks(1.0))
    said[1].update(bytes(4) + (4608).to_bytes(4, "little") + bytes(2))  # a whole packet
    hiding = tmp_path / "hiding.mka"
    with av.open(str(given)) as before, av.open(str(hiding), "w") as after:
        stream = after.add_stream_from_template(before.streams.audio[0])
        for k, packet in enumerate(before.demux(before.streams.audio[0])):
            if packet.dts is not None:
                if 5 <= k < 15:
                    packet.set_sidedata(said[1])
                packet.stream = stream
                after.mux(packet)
    with pytest.raises(MediaError, match="not to be played"):
        list(StreamDecoder(hiding, 0).blocks(1.0))
