"""China's implicit label: the JSON under the key `AIGC` (GB 45438-2025, section 6 and appendix E), exactly one in a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from dubgate.labels.tracks import Place

KEY = "AIGC"
FIELDS = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)
GENERATED = "1"
_LABELS = (GENERATED, "2", "3")  # is, may be, is suspected to be


def aigc_text(producer: str, produce_id: str) -> str:
    """The JSON that says: generated, by this producer, under this number."""
    values = dict.fromkeys(FIELDS, "") | {"Label": GENERATED, "ContentProducer": producer, "ProduceID": produce_id}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def aigc_problem(text: str) -> str | None:
    """Why the text is no valid label, or None."""
    try:
        said = _unwrapped(json.loads(text, object_pairs_hook=_no_key_twice))
    except (ValueError, RecursionError) as error:
        return f"it is no JSON: {error}"
    if not isinstance(said, dict) or not all(isinstance(v, str) for v in said.values()):
        return "it is no object of strings"
    if said.get("Label") not in _LABELS:
        return f"its Label is {said.get('Label')!r}, not one of {', '.join(_LABELS)}"
    missing = [f for f in ("ContentProducer", "ProduceID") if not said.get(f, "").strip()]
    return f"its {' and '.join(missing)} is empty" if missing else None


def says_generated(text: str) -> bool:
    """Whether a valid label says that a machine made it, not only that it might have."""
    return label_value(text) == GENERATED


def label_value(text: str) -> str:
    """The Label of a valid JSON: "1" is, "2" may be, "3" is suspected to be generated; "" where it is not valid."""
    return "" if aigc_problem(text) is not None else str(_unwrapped(json.loads(text))["Label"])


def aigc_place(place: str, text: str, track: int | None = None) -> Place:
    """What was read under the key AIGC, as a place."""
    return Place(place, text, track, None, False, "AIGC" if says_generated(text) else None)


def is_aigc(place: Place) -> bool:
    """Whether a place is one that the standard names for its label."""
    return place.place.rpartition(" ")[2].upper() == KEY


def aigc_refusals(places: Iterable[Place]) -> tuple[str, ...]:
    """What is wrong with the AIGC labels of one file: more than one, or one that cannot be read (6.1 c)."""
    found = [p for p in places if is_aigc(p)]
    reasons = [f"{p.place}: {why}" for p in found if (why := aigc_problem(p.text)) is not None]
    if len(found) > 1:
        reasons.append(f"there are {len(found)} AIGC labels ({', '.join(p.place for p in found)}); only one is allowed")
    return tuple(reasons)


def _unwrapped(said: Any) -> Any:
    """Some write {"AIGC": {…}} where the value alone belongs."""
    return said[KEY] if isinstance(said, dict) and set(said) == {KEY} else said


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
