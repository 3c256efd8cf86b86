"""The facts of the production record, filled from what the delivery brings."""

from __future__ import annotations

from collections.abc import Mapping

from dubgate.delivery.manifest import Delivery
from dubgate.delivery.manifest_schema import Tool
from dubgate.policy.facts import Value
from dubgate.unmeasured import Unmeasured


def record_values(delivery: Delivery) -> dict[str, Value | Unmeasured]:
    """Every fact of the record's rows."""
    record = delivery.production
    return {
        "record.present": record is not None,
        "record.tools": () if record is None else tuple(_tool(t) for t in record.tools),
        "record.training_stated": record is not None and record.used_to_train is not None,
        "record.used_to_train": () if record is None else tuple(str(k) for k in record.used_to_train or ()),
        "record.reviewers": () if record is None else tuple(r.party for r in record.reviewers),
    }


def _tool(tool: Tool) -> Mapping[str, Value | Unmeasured]:
    return {
        "name": tool.name,
        "version": tool.version,
        "vendor": tool.vendor or "",
        "training_data": tool.training_data or "",
    }
