"""The parts of a delivery that an approval names by digest beside its sound: script, label plan, casting."""

from __future__ import annotations

import hashlib
from typing import Any

from dubgate.delivery.manifest import Delivery
from dubgate.pinned import read_pinned

NO_LABEL_SHA256 = hashlib.sha256(b"no label planned").hexdigest()  # what an approval of an unlabelled dub names


def plan_bytes(value: Any) -> bytes:
    """A part of the manifest (a model, or a tuple of models) as canonical JSON (RFC 8785): what people are shown and sign."""
    import rfc8785

    plain = [v.model_dump(mode="json") for v in value] if isinstance(value, tuple) else value.model_dump(mode="json")
    return rfc8785.dumps(plain)


def plan_sha256(value: Any) -> str:
    """Digest of a part of the manifest (label plan, casting, production record); what an approval signs."""
    return hashlib.sha256(plan_bytes(value)).hexdigest()


def label_plan_sha256_of(delivery: Delivery) -> str:
    """The digest of the label that is planned; of a fixed text where none is."""
    return plan_sha256(delivery.label) if delivery.label else NO_LABEL_SHA256


def script_sha256_of(delivery: Delivery) -> str | None:
    """The digest of the script as it lies there; None where the delivery has none."""
    return None if delivery.cues is None else hashlib.sha256(read_pinned(delivery.cues)).hexdigest()
