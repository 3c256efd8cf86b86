"""Every packet of an MPEG transport stream, checked for the counter that shows a loss (ISO/IEC 13818-1, 2.4.3.3), and its tables.

FFmpeg marks only some losses: where a whole access unit is gone, it plays on as if nothing had been said there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from dubgate.errors import MediaError

_REMEDY = "copy or export it again"
_PACKETS_AT_ONCE = 16_384
_NULL_PID = 0x1FFF

Counts = NDArray[Any]


def check_packets(path: Path, file: BinaryIO, size: int) -> None:
    """Walk all packets.

    Raises:
        MediaError: cut off within a packet, out of step, marked as damaged, with a packet missing, or with tables that change on the way.
    """
    file.seek(0)
    head = file.read(1)
    stride, at = (188, 0) if head == b"\x47" else (192, 4)
    if size % stride:
        raise MediaError("the transport stream ends inside a packet", where=str(path), remedy=_REMEDY)
    last = np.full(_NULL_PID + 1, -1, dtype=np.int64)
    file.seek(0)
    maps = _Maps(path)
    while data := file.read(stride * _PACKETS_AT_ONCE):
        whole = np.frombuffer(data, dtype=np.uint8).reshape(-1, stride)[:, at : at + 188]
        packets = whole[:, :8].astype(np.int64)
        if (packets[:, 0] != 0x47).any() or (packets[:, 1] & 0x80).any():
            raise MediaError("damaged: a packet of the transport stream is none", where=str(path), remedy=_REMEDY)
        _check_counters(path, packets, last)
        maps.push(whole, ((packets[:, 1] & 0x1F) << 8) | packets[:, 2])


class _Maps:
    """The tables that name programs and their streams, which must say the same from the first packet to the last.

    Where a later table names another sound, some players go over to it and FFmpeg plays on, or the reverse.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._said: dict[int, bytes] = {}
        self._of_programs: set[int] = set()
        self._waiting: dict[int, bytes] = {}

    def push(self, packets: Counts, pids: Counts) -> None:
        """Packets [shape=(n, 188)], and the stream of each."""
        asked = np.isin(pids, [0, *self._of_programs]) if self._of_programs else np.ones(len(pids), dtype=np.bool_)
        for k in np.flatnonzero(asked).tolist():
            pid = int(pids[k])
            if pid == 0 or pid in self._of_programs:
                self._packet(pid, packets[k].tobytes())

    def _packet(self, pid: int, packet: bytes) -> None:
        start = 5 + packet[4] if packet[3] & 0x20 else 4
        if not packet[3] & 0x10 or start >= len(packet):
            return
        if packet[1] & 0x40:
            at = start + 1 + packet[start]
            if pid in self._waiting:
                self._waiting[pid] += packet[start + 1 : at]
                self._sections(pid)
            self._waiting[pid] = packet[at:]
        elif pid in self._waiting:
            self._waiting[pid] += packet[start:]
        self._sections(pid)

    def _sections(self, pid: int) -> None:
        """Whole sections of a table's packets, one behind the other; 0xFF fills the rest."""
        waiting = self._waiting.get(pid, b"")
        while len(waiting) >= 3 and waiting[0] != 0xFF:
            length = 3 + (int.from_bytes(waiting[1:3], "big") & 0xFFF)
            if len(waiting) < length:
                break
            self._section(pid, waiting[:length])
            waiting = waiting[length:]
        self._waiting[pid] = waiting

    def _section(self, pid: int, section: bytes) -> None:
        # The number of the version and the checksum may differ where each segment was written anew.
        said = section[:1] + section[3:5] + section[6:-4]
        if self._said.setdefault(pid, said) != said:
            what = "its tables name other streams on the way, to which some players go over"
            raise MediaError(what, where=str(self._path), remedy="multiplex it again with one map throughout")
        if pid == 0:
            self._of_programs |= set(_maps_of(section))


def _maps_of(section: bytes) -> list[int]:
    rows = (section[at : at + 4] for at in range(8, len(section) - 7, 4))
    return [int.from_bytes(row[2:], "big") & 0x1FFF for row in rows if row[:2] != b"\0\0"]


def _check_counters(path: Path, packets: Counts, last: Counts) -> None:
    """Counters of these packets [shape=(n, 8), their first bytes] go on from `last` [shape=(8192,)], per PID."""
    pids = ((packets[:, 1] & 0x1F) << 8) | packets[:, 2]
    with_payload = (packets[:, 3] & 0x10 != 0) & (pids != _NULL_PID)
    announced = (packets[:, 3] & 0x20 != 0) & (packets[:, 4] > 0) & (packets[:, 5] & 0x80 != 0)
    for pid in np.unique(pids[with_payload]).tolist():
        own = with_payload & (pids == pid)
        counters = packets[own, 3] & 0xF
        before = np.concatenate([[last[pid] if last[pid] >= 0 else (counters[0] - 1) % 16], counters[:-1]])
        goes_on = ((counters - before) % 16 <= 1) | announced[own]  # a packet may be sent twice
        if not goes_on.all():
            raise MediaError(f"damaged: packets of stream {pid:#x} are missing", where=str(path), remedy=_REMEDY)
        last[pid] = counters[-1]
