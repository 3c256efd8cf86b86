"""What a second of sound costs each network at least: multiplications and additions, counted from their shapes, two operations a pair."""

from __future__ import annotations

import numpy as np

SILERO_LSTM = 2 * (4 * 128 * (128 + 128)) / 0.032
GE2E_LSTM = 2 * (4 * 256 * (40 + 256) + 2 * 4 * 256 * (256 + 256)) / 0.010


def swiftf0_per_s() -> float:
    """SwiftF0's convolutions and products, counted by torch."""
    from torch.utils.flop_counter import FlopCounterMode

    from dubgate.speech.models import resolve
    from dubgate.speech.swiftf0_network import Network

    network = Network(resolve("pitch", "embedded").path, 65.0, 400.0, device="cpu")
    with FlopCounterMode(display=False) as counter:
        network([np.zeros(160_000, dtype=np.float32)])
    return float(counter.get_total_flops()) / 10.0
