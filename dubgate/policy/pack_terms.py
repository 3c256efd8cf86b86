"""The terms of packs and rules in words: whether a source was verified, dates, counsel, exemptions, what brings a pack in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from dubgate.policy.pack_parts import Said
from dubgate.policy.pack_schema import ConditionRule, Rule
from dubgate.policy.pack_sources import EVERYWHERE, ChosenBy
from dubgate.policy.packs import CORE, Pack

NOBODY = "nobody has confirmed wording or severity"


def brought_in_by(pack: Pack) -> str:
    """What of a delivery brings a pack in."""
    if pack.name == CORE or pack.chosen_by == EVERYWHERE:
        return "every delivery"
    if not isinstance(pack.chosen_by, ChosenBy):
        return "asking for it"
    by = pack.chosen_by
    kinds = {
        "territories": by.territories,
        "channels": by.channels,
        "partners": by.partners,
        "agreements": by.agreements,
    }
    return "; ".join(f"{name}: {', '.join(str(v) for v in values)}" for name, values in kinds.items() if values)


def dates_of(rule: Rule, pack: Pack) -> str:
    """When a rule is in force, as of when its source was looked at, and by when it must be again."""
    parts = [f"as of {pack.as_of_of(rule)}", f"in force {pack.effective_of(rule) or 'always'}"]
    review = pack.review_by_of(rule)
    return ", ".join([*parts, *([f"review by {review}"] if review else [])])


def counsel_of(rule: Rule, pack: Pack) -> str:
    """Who confirmed a rule's wording or severity."""
    return "; ".join(str(c) for c in pack.counsel_of(rule)) or NOBODY


def terms_of(rule: Rule, pack: Pack) -> list[tuple[str, str]]:
    """The rows of `dubgate rules show` that say where a rule comes from."""
    rows = [("status", str(pack.status_of(rule))), ("dates", dates_of(rule, pack)), ("counsel", counsel_of(rule, pack))]
    exemptions = rule.exemptions if isinstance(rule, ConditionRule) else ()
    return [*rows, *(("exempt", f"{e.id}: {e.because.en}, where {e.when}") for e in exemptions)]


def terms_data(rule: Rule, pack: Pack) -> dict[str, Any]:
    """The same as plain data."""
    effective = pack.effective_of(rule)
    exemptions = rule.exemptions if isinstance(rule, ConditionRule) else ()
    return {
        "status": str(pack.status_of(rule)),
        "as_of": pack.as_of_of(rule),
        "effective": None if effective is None else {"from": effective.start, "until": effective.until},
        "review_by": pack.review_by_of(rule),
        "counsel": [{"by": c.by, "on": c.on, "confirms": list(c.confirms)} for c in pack.counsel_of(rule)],
        "exemptions": [{"id": e.id, "when": e.when, "because": _said(e.because)} for e in exemptions],
    }


def _said(said: Said) -> dict[str, str]:
    return {"en": said.en, "ja": said.ja}


def pack_rows(packs: Iterable[Pack]) -> Iterable[tuple[str, ...]]:
    """One row a pack: what brings it in, how many rules block, hold and warn, the state of its sources, its dates."""
    for pack in packs:
        counted = Counter(str(rule.severity) for rule in pack.rules)
        severities = ", ".join(f"{counted[name]} {name}" for name in ("block", "hold", "warn") if counted[name])
        unverified = sum(str(pack.status_of(rule)) == "unverified" for rule in pack.rules)
        state = "verified" if not unverified else f"{unverified} of {len(pack.rules)} unverified"
        yield f"`{pack.name}`", pack.about, brought_in_by(pack), severities, state, pack.as_of, _review(pack)


def _review(pack: Pack) -> str:
    return min((day for rule in pack.rules if (day := pack.review_by_of(rule))), default="")
