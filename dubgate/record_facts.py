"""The facts of the production record, the credits, the studio's policy and the intake, filled from what was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from dubgate.company.register import Register, overdue
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.manifest_record import Tool
from dubgate.policy.facts import Value
from dubgate.record_checks import CheckedFile, chained, missing_on_card, unanswered, unnamed
from dubgate.unmeasured import Unmeasured

Fill: TypeAlias = "Value | Unmeasured"
NOT_LOOKED = Unmeasured("nobody looked at the files of the record")
NO_REGISTER = Unmeasured("no register of tools was given (--company)")
NOT_REGISTERED = Unmeasured("the tool is not in the company's register")


@dataclass(frozen=True, slots=True)
class Looked:
    """What was hashed, verified and asked about the record of one delivery.

    `credit_texts` is the wording that the covering grants demand; `intake` says whether the answers were favourable and
    where the delivery differs, None where no intake is named, Unmeasured where it cannot be read.
    """

    at: datetime
    files: tuple[CheckedFile, ...]
    register: Register | None
    confirmed: bool
    roles: tuple[str, ...]
    credit_texts: tuple[str, ...]
    policy_given: bool
    violations: tuple[str, ...]
    intake: tuple[bool, tuple[str, ...]] | Unmeasured | None


def record_values(delivery: Delivery, looked: Looked | None = None) -> dict[str, Fill]:
    """Every fact of the record's rows; what was not looked at is Unmeasured."""
    return {**_declared(delivery, looked), **(_unlooked() if looked is None else _looked(delivery, looked))}


def _declared(delivery: Delivery, looked: Looked | None) -> dict[str, Fill]:
    record = delivery.production
    return {
        "record.present": record is not None,
        "record.tools": () if record is None else tuple(_tool(t, looked) for t in record.tools),
        "record.training_stated": record is not None and record.used_to_train is not None,
        "record.used_to_train": () if record is None else tuple(str(k) for k in record.used_to_train or ()),
        "record.reviewers": () if record is None else tuple(r.party for r in record.reviewers),
        "record.purposes": () if record is None else tuple(str(p) for p in record.purposes),
        "record.revisions": 0 if record is None else len(record.revisions),
        "credits.card_present": delivery.dub_card is not None,
        "credits.unnamed": unnamed(delivery),
        "intake.given": delivery.intake is not None,
    }


def _unlooked() -> dict[str, Fill]:
    paths = (
        *("record.purpose_confirmed", "record.unanswered", "record.files", "record.revisions_chained"),
        *("record.approved_by_roles", "credits.missing", "policy.given", "policy.violations"),
        *("intake.favourable", "intake.differences"),
    )
    return dict.fromkeys(paths, NOT_LOOKED)


def _looked(delivery: Delivery, looked: Looked) -> dict[str, Fill]:
    intake = Unmeasured("the delivery names no intake") if looked.intake is None else looked.intake
    return {
        "record.purpose_confirmed": looked.confirmed,
        "record.unanswered": unanswered(delivery, looked.files),
        "record.files": tuple({"kind": f.kind, "path": f.path, "matches": f.matches} for f in looked.files),
        "record.revisions_chained": chained(delivery),
        "record.approved_by_roles": looked.roles,
        "credits.missing": missing_on_card(delivery, looked.credit_texts),
        "policy.given": looked.policy_given,
        "policy.violations": looked.violations,
        "intake.favourable": intake if isinstance(intake, Unmeasured) else intake[0],
        "intake.differences": intake if isinstance(intake, Unmeasured) else intake[1],
    }


def _tool(tool: Tool, looked: Looked | None) -> Mapping[str, Fill]:
    said: dict[str, Fill] = {
        "name": tool.name,
        "version": tool.version,
        "vendor": tool.vendor or "",
        "training_data": tool.training_data or "",
    }
    return {**said, **_registered(tool, looked)}


def _registered(tool: Tool, looked: Looked | None) -> dict[str, Fill]:
    """What the register says of a tool; of one that is not in it only that it is not."""
    asked = ("review_overdue", "terms_read", "stores_inputs", "trains_on_inputs", "outputs_owned", "places", "disputed")
    register = None if looked is None else looked.register
    if looked is None or register is None:
        return dict.fromkeys(("registered", *asked), NO_REGISTER)
    entry = register.entry(tool)
    if entry is None:
        return {"registered": False, **dict.fromkeys(asked, NOT_REGISTERED)}
    return {
        "registered": True,
        "review_overdue": overdue(entry, looked.at),
        "terms_read": register.terms_read(entry),
        "stores_inputs": entry.stores_inputs,
        "trains_on_inputs": entry.trains_on_inputs,
        "outputs_owned": entry.outputs_owned,
        "places": entry.processed_in,
        "disputed": any(not d.settled for d in entry.disputes),
    }
