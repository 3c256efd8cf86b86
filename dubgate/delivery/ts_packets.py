"""Every packet of an MPEG transport stream, checked for the counter that shows a loss (ISO/IEC 13818-1, 2.4.3.3).

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
        MediaError: cut off within a packet, out of step, marked as damaged, or with a packet missing.
    """
    file.seek(0)
    head = file.read(1)
    stride, at = (188, 0) if head == b"\x47" else (192, 4)
    if size % stride:
        raise MediaError("the transport stream ends inside a packet", where=str(path), remedy=_REMEDY)
    last = np.full(_NULL_PID + 1, -1, dtype=np.int64)
    file.seek(0)
    while data := file.read(stride * _PACKETS_AT_ONCE):
        packets = np.frombuffer(data, dtype=np.uint8).reshape(-1, stride)[:, at : at + 8].astype(np.int64)
        if (packets[:, 0] != 0x47).any() or (packets[:, 1] & 0x80).any():
            raise MediaError("damaged: a packet of the transport stream is none", where=str(path), remedy=_REMEDY)
        _check_counters(path, packets, last)


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
