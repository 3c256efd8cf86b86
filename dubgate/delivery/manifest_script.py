"""The script that a delivery names, read as its manifest says."""

from __future__ import annotations

from dubgate.delivery.cues import read_cues
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.script import CueSheet


def script_of(delivery: Delivery) -> CueSheet | None:
    """The cue sheet of a delivery, on the programme timeline; None where it has none.

    Raises:
        InputError: the script cannot be used as it stands.
    """
    if delivery.cues is None:
        return None
    code = delivery.timecode
    rate, start_s = (code.frame_rate, code.start_s) if code is not None else (None, 0.0)
    names = [entry.name for entry in delivery.cast]
    return read_cues(delivery.cues, language=delivery.dub.language, frame_rate=rate, start_s=start_s, characters=names)
