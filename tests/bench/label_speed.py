"""How long labels take: a package of 500 HLS variants, tags of a two-hour MP4, C2PA of a large file, a label into 2 GB.

Run `python tests/bench/label_speed.py [--size-gb 2] [--folder DIR]`; prints a Markdown table. The files are made in a temporary
folder (DIR decides the disk) and deleted. Memory is the most that the program and its child held, each alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("labels", "delivery", "")]

from label_files import LABEL  # noqa: E402
from signers import authority, key_pem, pem  # noqa: E402

from dubgate.labels.anchors import Anchors  # noqa: E402
from dubgate.labels.applying import apply_label  # noqa: E402
from dubgate.labels.plan import LabelPlan  # noqa: E402
from dubgate.labels.reading import inspect_labels  # noqa: E402
from dubgate.labels.signing import signing_of  # noqa: E402

PLAN = LabelPlan(LABEL, "en")
GIB = 1 << 30


class Peak:
    """The most memory that any process below this one held, sampled every 20 ms."""

    def __enter__(self) -> Peak:
        self.bytes, self._on = 0, True
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._on = False
        self._thread.join()

    def _watch(self) -> None:
        while self._on:
            self.bytes = max(self.bytes, *map(_resident, (str(os.getpid()), *_children())))
            time.sleep(0.02)


def _children() -> list[str]:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


def _resident(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


@dataclass(frozen=True)
class Took:
    """Seconds on the clock, seconds of processors (this process and its children), and the most memory of one of them."""

    wall_s: float
    cpu_s: float
    peak: int

    def row(self, what: str, asked: str, beside: Took | None = None) -> tuple[str, ...]:
        def told(own: float, other: float | None) -> str:
            return f"{own:.2f} s" if not other else f"{own:.2f} s, {own / other:.1f}x"

        wall, cpu = (None, None) if beside is None else (beside.wall_s, beside.cpu_s)
        return what, told(self.wall_s, wall), told(self.cpu_s, cpu), asked, f"{self.peak / 1e6:.0f} MB"


def timed(what: Callable[[], Any]) -> Took:
    """What it took."""
    with Peak() as peak:
        start, before = time.perf_counter(), _cpu()
        what()
        return Took(time.perf_counter() - start, _cpu() - before, peak.bytes)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def package(folder: Path, n_variants: int = 500) -> Path:
    """An HLS package: so many variants, a group of sound for each ten, a rendition of 20 segments for each group."""
    lines = ["#EXTM3U"]
    for group in range(n_variants // 10):
        for language, name in (("en", LABEL), ("de", "Deutsch")):
            stem = f"{language}{group}"
            (folder / f"{stem}.aac").write_bytes(os.urandom(400_000))
            ranges = "".join(f"#EXTINF:6,\n#EXT-X-BYTERANGE:20000@{20000 * k}\n{stem}.aac\n" for k in range(20))
            (folder / f"{stem}.m3u8").write_text(
                f"#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:6\n{ranges}#EXT-X-ENDLIST\n"
            )
            token = ',CHARACTERISTICS="public.machine-generated"' if language == "en" else ""
            lines.append(
                f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="g{group}",NAME="{name}",LANGUAGE="{language}"{token},URI="{stem}.m3u8"'
            )
    for k in range(n_variants):
        lines += [
            f'#EXT-X-STREAM-INF:BANDWIDTH={100_000 + k},CODECS="avc1.4d401f,mp4a.40.2",AUDIO="g{k // 10}"',
            f"v{k}.m3u8",
        ]
    path = folder / "master.m3u8"
    path.write_text("\n".join(lines) + "\n")
    return path


def wav(path: Path, n_bytes: int) -> Path:
    """A WAV of so many bytes, of noise where the disk is to work."""
    block = np.random.default_rng(0).integers(0, 256, 1 << 20, dtype=np.uint8).tobytes()
    n_blocks = n_bytes // len(block)
    size = n_blocks * len(block)
    with path.open("wb") as file:
        fmt = b"".join(n.to_bytes(k, "little") for n, k in ((1, 2), (2, 2), (48_000, 4), (192_000, 4), (4, 2), (16, 2)))
        file.write(
            b"RIFF"
            + (size + 36).to_bytes(4, "little")
            + b"WAVEfmt \x10\0\0\0"
            + fmt
            + b"data"
            + size.to_bytes(4, "little")
        )
        for _ in range(n_blocks):
            file.write(block)
    return path


def film(path: Path, hours: float, n_bytes: int) -> Path:
    """An MP4 of AAC and pictures over so many hours: one coded frame of each, again and again, padded to a film's size."""
    import av

    with av.open(str(path), "w", format="mp4") as out:
        picture, sound = out.add_stream("mpeg4", rate=25), out.add_stream("aac", rate=48_000, layout="stereo")
        picture.width, picture.height, picture.gop_size = 640, 360, 1
        n_pictures = round(hours * 3600 * 25)
        coded, shown = _one_sound(sound), _one_picture(picture)
        shown += bytes(max(0, n_bytes // n_pictures - len(shown)))
        n_sound = 0
        for k in range(n_pictures):
            _mux(out, picture, shown, k, 25)
            while n_sound * 1024 / 48_000 <= (k + 1) / 25:
                _mux(out, sound, coded, n_sound * 1024, 48_000)
                n_sound += 1
    return path


def _mux(out: Any, stream: Any, data: bytes, at: int, rate: int) -> None:
    import av

    packet = av.Packet(data)
    packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, rate), True
    packet.pts = packet.dts = at
    packet.duration = 1 if rate == 25 else 1024
    out.mux(packet)


def _one_sound(stream: Any) -> bytes:
    """A coded frame of silence."""
    import av

    frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
    frame.sample_rate = 48_000
    return bytes([p for _ in range(4) for p in stream.encode(frame)][1])


def _one_picture(stream: Any) -> bytes:
    """A coded picture, whole in itself."""
    import av

    grey = np.full((360, 640, 3), 99, np.uint8)
    frames = [av.VideoFrame.from_ndarray(grey, format="rgb24") for _ in range(3)]
    return bytes(next(p for frame in frames for p in stream.encode(frame)))


def rows(folder: Path, size: int) -> Iterator[tuple[str, ...]]:
    """Each measurement as a row, made when it is asked for."""
    with below(folder) as at:
        master = package(at)
        read = timed(lambda: inspect_labels(master, language="en"))
        yield read.row("read: HLS, 500 variants, 100 renditions of 20 segments (40 MB)", "2 s")
    with below(folder) as at:
        path = film(at / "film.mp4", 2.0, size)
        read = timed(lambda: inspect_labels(path))
        yield read.row(f"read: tags of a two-hour MP4 ({path.stat().st_size / 1e9:.1f} GB)", "1 s")
        yield from _written(at, path)
    with below(folder) as at:
        yield from _written(at, wav(at / "dub.wav", size))
    with below(folder) as at:
        yield from _signing(at, min(size, GIB // 2))


def _written(at: Path, path: Path) -> Iterator[tuple[str, ...]]:
    """A copy, and a label."""
    copy = timed(lambda: _copied(path, at / "copy"))
    (at / "copy").unlink()
    yield copy.row(f"a copy of {path.name} ({path.stat().st_size / 1e9:.1f} GB), on the disk at its end", "-")
    label = timed(lambda: apply_label(path, at / f"out{path.suffix}", PLAN))
    yield label.row("write: a label into it, proved", "2x", copy)


def _signing(at: Path, size: int) -> Iterator[tuple[str, ...]]:
    root = authority("Bench Root")
    key, leaf = root.signer()
    (at / "key.pem").write_bytes(key_pem(key))
    (at / "chain.pem").write_text(pem(leaf) + root.pem)
    anchors, asked = Anchors(root.pem), {"source_language": "ja", "source_type": None, "passphrase": None}
    signing = signing_of(at / "key.pem", at / "chain.pem", anchors, **asked)
    path = wav(at / "dub.wav", size)
    signed = timed(lambda: apply_label(path, at / "out.wav", PLAN, signing=signing))
    yield signed.row(f"write and sign C2PA: a WAV of {size / 1e9:.1f} GB", "its own")
    once = timed(lambda: _read(at / "out.wav"))
    yield once.row("reading and hashing that WAV once", "-")
    read = timed(lambda: inspect_labels(at / "out.wav", anchors=anchors))
    yield read.row("read: its C2PA manifest, with the start of a child process", "1 read", once)


@contextmanager
def below(folder: Path) -> Iterator[Path]:
    """A folder that goes when its block ends."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="label-speed-") as name:
        yield Path(name)


def _copied(source: Path, target: Path) -> None:
    """A copy of every byte through memory, on the disk at the end, as labelling is."""
    with source.open("rb") as given, target.open("wb") as out:
        shutil.copyfileobj(given, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())


def _read(path: Path) -> None:
    import hashlib

    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size-gb", type=float, default=2.0)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    asked = parser.parse_args()
    print("| what | clock | processors | asked | most memory |\n| --- | --- | --- | --- | --- |")
    for row in rows(asked.folder, round(asked.size_gb * 1e9)):
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
