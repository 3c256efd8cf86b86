"""A stream of which players choose a presentation is told: what FFmpeg decodes is then not what every player plays."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from dubgate.chosen_alone import presentations_beside
from dubgate.delivery import decoding
from dubgate.delivery.audio import AudioSpool
from dubgate.delivery.presentations import plays_otherwise

# 20 ms of silence in TrueHD of one substream, as Matroska holds it (FFmpeg's encoder).
TRUEHD = base64.b64decode(
    "GkXfo6NChoEBQveBAULygQRC84EIQoKIbWF0cm9za2FCh4EEQoWBAhhTgGcBAAAAAAADohFNm3TAv4Tz0FD3TbuLU6uEFUmpZlOsgaFNu4tTq4"
    "QWVK5rU6yBzE27jFOrhBJUw2dTrIIBG027jFOrhBxTu2tTrIIDhuwBAAAAAAAAUwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAFUmpZqa/hGybThgq17GDD0JATYCETGF2ZldBhExhdmZEiY"
    "hANAAAAAAAABZUrmvKv4QmbN6xrgEAAAAAAAA714EBc8WIAAAAAAAAAAGcgQAitZyDdW5kiIEAhohBX1RSVUVIRIOBAuGRn4ECtYhA53AAAAAA"
    "AGJkgRASVMNn17+EAw2NI3NzzmPAi2PFiAAAAAAAAAABZ8iYRaOHRU5DT0RFUkSHi0xhdmMgdHJ1ZWhkZ8iiRaOIRFVSQVRJT05Eh5QwMDowMD"
    "owMC4wMjAwMDAwMDAAAB9DtnVCCb+EoD+XTOeBAKPKgQAAgKAj/9j4cm+6AACAAbdSAAAAAIx/EQVUAAAAgIAAAIQdIBLx6gAAARAAAAAACEAA"
    "AAADLfsIAgBIgGMroEABjK6BAAQA8l+jkoEAAQCgBwAAYASRQIAgCADQi6OOgQACAEAFAChgAkAA6R2jjoEAAwCwBQBQYAJAAOkdo46BAAMAEA"
    "UAeGACQADpHaOOgQAEAEAFAKBgAkAA6R2jjoEABQCgBQDIYAJAAOkdo46BAAYAEAUA8GACQADpHaOOgQAHAGAFARhgAkAA6R2jjoEACACwBQFA"
    "YAJAAOkdo46BAAgAEAUBaGACQADpHaOOgQAJAGAFAZBgAkAA6R2jjoEACgDABQG4YAJAAOkdo46BAAsAEAUB4GACQADpHaOOgQAMAEAFAghgAk"
    "AA6R2jjoEADQDwBQIwYAJAAOkdo8qBAA2AACMCWPhyb7oAAIABt1IAAAAAjH8RBVQAAACAgAAAhB0gEvHqAoABEAAAABgIQAAAAAOh+wgCAEiA"
    "YyugQAGMroEABADkJqOSgQAOAAAHAoBgBJFAgCAIANCLo46BAA8A4AUCqGACQADpHaOOgQAQABAFAtBgAkAA6R2jjoEAEQCwBQL4YAJAAOkdo4"
    "6BABIA8AUDIGACQADpHaOOgQASABAFA0hgAkAA6R2jjoEAEwCgBQNwYAJAAOkdHFO7a5e/hNYzeM67j7OBALeK94EB8YIBd/CBCQ=="
)
SYNC = b"\xf8\x72\x6f\xba"


def unit(n_substreams: int, sync: bytes = SYNC) -> bytes:
    return bytes(4) + sync + bytes(12) + bytes([n_substreams << 4]) + bytes(20)


@pytest.mark.parametrize("codec", ["truehd", "mlp"])
def test_an_access_unit_of_several_substreams_plays_otherwise(codec: str) -> None:
    assert not plays_otherwise(codec, unit(1))
    assert not plays_otherwise(codec, unit(3, bytes(4))), "without a major sync it says nothing of them"
    assert not plays_otherwise(codec, b"")
    for n in (0, 2, 4):
        assert plays_otherwise(codec, unit(n))
    assert plays_otherwise(codec, unit(1)[:20]), "cut off before it says how many"


def core(size: int = 96, sync: bytes = b"\x7f\xfe\x80\x01") -> bytes:
    told = size - 1
    return sync + bytes([0xFC, 0x3C | told >> 12, told >> 4 & 0xFF, (told & 0xF) << 4]) + bytes(size - 8)


def test_a_dts_core_with_anything_behind_it_or_without_a_core_plays_otherwise() -> None:
    extension = b"\x64\x58\x20\x25" + bytes(40)
    assert not plays_otherwise("dca", core())
    assert not plays_otherwise("dca", core(4097))
    assert not plays_otherwise("dca", core() + bytes(3))
    assert plays_otherwise("dca", core() + extension)
    assert plays_otherwise("dca", core(4097) + extension)
    for other in (extension, core(sync=b"\xfe\x7f\x01\x80"), b""):
        assert plays_otherwise("dca", other)


def test_other_codecs_are_of_one() -> None:
    assert not plays_otherwise("eac3", unit(3))


def test_a_file_of_several_presentations_is_told_when_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.mka"
    path.write_bytes(TRUEHD)
    assert not AudioSpool(path, 0, tmp_path).plays_otherwise
    asked = []

    def first_of_them(codec: str, packet: Any) -> bool:
        asked.append(bytes(packet)[4:8] == SYNC)
        return True

    monkeypatch.setattr(decoding, "plays_otherwise", first_of_them)
    spool = AudioSpool(path, 0, tmp_path)
    assert spool.plays_otherwise
    assert asked == [True], "once is enough"
    assert presentations_beside(0, spool) == ("stream 0 in another presentation",)
    spool.plays_otherwise = False
    assert presentations_beside(0, spool) == ()
