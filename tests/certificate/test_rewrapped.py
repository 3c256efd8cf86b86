"""The judged sound in another file is refused by its own name; files and digests are real."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import av
import pytest
from made_vectors import NOW, TRUST, Made

from dubgate import verify
from dubgate.certificate import refusals
from dubgate.digesting import digest_sound


def remuxed(source: Path, out: Path) -> Path:
    """The same packets in another container."""
    with av.open(str(source)) as before, av.open(str(out), "w") as after:
        stream = after.add_stream_from_template(before.streams.audio[0])
        for packet in before.demux(before.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                after.mux(packet)
    return out


@pytest.fixture(scope="module")
def certificate(samples: Path) -> bytes:
    dub = samples / "clean" / "dub.flac"
    made = Made().with_claim(packets_sha256=digest_sound(dub, 0).packet_sha256)
    return replace(made, file_sha256=hashlib.sha256(dub.read_bytes()).hexdigest()).data()


def reason(certificate: bytes, file: Path) -> str:
    with pytest.raises(refusals.OtherBytes) as refused:
        verify(certificate, file, territory="DE", channel="svod", trust=TRUST, now=NOW)
    return refused.value.reason


def test_a_rewrapped_file_is_refused_with_its_own_reason(certificate: bytes, samples: Path, tmp_path: Path) -> None:
    dub = samples / "clean" / "dub.flac"
    assert verify(certificate, dub, territory="DE", channel="svod", trust=TRUST, now=NOW)
    again = remuxed(dub, tmp_path / "dub.mka")
    assert reason(certificate, again) == "re-wrapped"
    with patch("dubgate.rewrapping.importlib.util.find_spec", lambda _: None):
        assert reason(certificate, again) == "other-bytes"  # without PyAV nobody can tell


def test_another_sound_is_other_bytes(certificate: bytes, samples: Path) -> None:
    assert reason(certificate, samples / "clean" / "original.flac") == "other-bytes"
