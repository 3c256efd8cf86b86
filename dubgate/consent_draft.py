"""The first draft of what the registry has to know for a delivery: whose title, whose voices, what each performer agreed to.

The delivery says which title and voices it is about; who holds the title, who owns a voice and what was agreed, it cannot
say: that is left open, to be written from the contracts by whoever keeps the registry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from consent.seed import SCHEMA
from consent.views import View
from dubgate.delivery.manifest import Delivery

TERM_DAYS = 730  # of permissions, and of grants for a window that has no end

_HEAD = f"""\
# A draft of what the registry has to know. Write what says FILL IN, from the contracts: what was agreed, not what this
# delivery would need. Nothing counts before it is imported: dubgate consent import FILE --dry-run, then without.
schema: {SCHEMA}
zone: UTC  # days are meant here, such as Europe/Berlin; a last day is included
"""
_PILOT = "  # with internal_test, where a pilot was agreed as well"
_DIGEST = "evidence: [{kind: contract, sha256: }]  # FILL IN: sha256sum contract.pdf"


@dataclass(frozen=True, slots=True)
class Known:
    """What a registry has already: parties, the owners of voices, and its id of the delivery's title."""

    parties: frozenset[str] = frozenset()
    owners: Mapping[str, str] = field(default_factory=dict)
    title_id: str | None = None

    def owner(self, voice: str) -> str:
        """Whose voice it is; of one that is not known an id to begin with."""
        return self.owners.get(voice) or f"p-{voice.removeprefix('v-')}"[:64]


def known_to(view: View, delivery: Delivery) -> Known:
    """What this registry has of what a draft names."""
    named = delivery.title.identifiers if delivery.title else ()
    titles = [t for t in map(view.title, named) if t is not None]
    voices = {v: view.voice(v, view.now) for v in _voice_ids(delivery)}
    owners = {voice: found.owner_id for voice, found in voices.items() if found is not None}
    parties = {p for p in _rows(delivery, Known(owners=owners)) if view.store.entries(f"party:{p}")}
    return Known(frozenset(parties), owners, titles[0].title.title_id if titles else None)


def draft_seed(delivery: Delivery, today: date, known: Known | None = None) -> str:
    """The draft's text, as a seed that `dubgate consent import` reads once it is filled in.

    Args:
        known: what the registry has already; it is left out.
    """
    known = known or Known()
    title = known.title_id or _title_id(delivery)
    blocks = (
        ("parties", _parties(delivery, known)),
        ("keys", _keys(today, known)),
        ("titles", _titles(delivery, known)),
        ("claims", _claims(delivery, today, known)),
        ("voices", _voices(delivery, known)),
        ("permissions", _permissions(delivery, today, known)),
        ("grants", _grants(delivery, title, known, today)),
        ("events", _given(delivery, title, known, today)),
    )
    listed = ((name, list(rows)) for name, rows in blocks)
    return _HEAD + "".join(f"{name}:\n" + "".join(f"  - {row}\n" for row in rows) for name, rows in listed if rows)


def _parties(delivery: Delivery, known: Known) -> Iterator[str]:
    rows = _rows(delivery, known)
    if known.title_id is not None:
        del rows["holder"]
    yield from (row for party, row in rows.items() if party not in known.parties)


def _rows(delivery: Delivery, known: Known) -> dict[str, str]:
    """Everybody that a draft names, by id."""
    vendor = delivery.submitter or "vendor"
    rows = {
        "holder": "{party_id: holder, roles: [rights_holder], person: false, name: }  # FILL IN: whose title it is",
        vendor: f"{{party_id: {vendor}, roles: [dubbing_vendor], person: false}}",
        "op-1": "{party_id: op-1, roles: [operator], person: true}  # who keeps this registry",
        "op-2": "{party_id: op-2, roles: [operator], person: true}  # somebody else: confirms whose title it is",
    }
    for voice in _voice_ids(delivery):
        owner = f"{{party_id: {known.owner(voice)}, roles: [performer], person: true, name: }}"
        rows[known.owner(voice)] = f"{owner}  # FILL IN: who speaks {voice}; names lie sealed"
    return rows


def _keys(today: date, known: Known) -> Iterator[str]:
    if known.title_id is None:
        yield (
            "key_id: k-holder\n    party_id: holder\n"
            "    public_hex:  # FILL IN: what `dubgate keys new holder.pem` prints, on the holder's machine\n"
            f"    roles: [rights_holder]\n    not_before: {today}\n    not_after: {today + timedelta(days=TERM_DAYS)}"
        )


def _titles(delivery: Delivery, known: Known) -> Iterator[str]:
    title = delivery.title
    if known.title_id is not None:
        return
    if title is None:
        yield "{title_id: title, level: feature, name: , identifiers: ['internal:']}  # FILL IN: as delivery.yaml will name it"
    else:
        level = "level: feature  # or series, season, episode, trailer …"
        name, identifiers = _quoted(title.name), json.dumps(list(title.identifiers), ensure_ascii=False)
        yield f"title_id: {_title_id(delivery)}\n    {level}\n    name: {name}\n    identifiers: {identifiers}"


def _claims(delivery: Delivery, today: date, known: Known) -> Iterator[str]:
    if known.title_id is None:
        claim = _title_id(delivery)
        yield (
            f"claim_id: c-{claim}\n    title_id: {claim}\n    holder_ids: [holder]\n    right: ai_dub\n"
            f'    territories: ["001"]  # where the holder has the right to an AI dub; 001 is the world\n'
            f"    not_before: {today}\n    recorded_by: op-1\n    confirmed_by: op-2\n    {_DIGEST}"
        )


def _voices(delivery: Delivery, known: Known) -> Iterator[str]:
    new = [v for v in _voice_ids(delivery) if v not in known.owners]
    yield from (f"{{voice_id: {v}, subject: living, owner_id: {known.owner(v)}}}" for v in new)


def _permissions(delivery: Delivery, today: date, known: Known) -> Iterator[str]:
    """To be compared, and to be kept for that: without both a voice is attested by ear."""
    last = max(today + timedelta(days=TERM_DAYS), _last(delivery) or today)
    for voice in _voice_ids(delivery):
        for kind in ("match", "keep"):
            if voice not in known.owners:
                yield (
                    f"{{permission_id: {_id('pm', kind, voice)}, voice_id: {voice}, kind: {kind}, given_by: {known.owner(voice)}, "
                    f"legal_basis: gdpr_9_2_a, not_before: {today}, not_after: {last}}}"
                )


def _grants(delivery: Delivery, title: str, known: Known, today: date) -> Iterator[str]:
    where = delivery.distribution
    territories = json.dumps(list(where.territories)) if where else ' # FILL IN: ["001"], [DE, AT] …'
    channels = json.dumps([str(c) for c in where.channels]) if where else " # FILL IN: [svod] …"
    last = _last(delivery)
    for voice, techniques in _voice_ids(delivery).items():
        ends = (
            f"not_after: {last}"
            if last
            else f"not_after: {today + timedelta(days=TERM_DAYS)}  # or none, with perpetual_ack: true"
        )
        yield (
            f"grant_id: {_id('g', voice, title)}\n    voice_id: {voice}\n    granted_by: {known.owner(voice)}\n"
            f"    licensee_id: {delivery.submitter or 'vendor'}\n    title_ids: [{title}]\n"
            "    intended_use:  # FILL IN: in a sentence of 40 characters or more, as the performer read it\n"
            f"    techniques: [{', '.join(techniques)}]\n    performances: [new_performance]\n"
            f"    languages: [{delivery.dub.language}]\n    territories: {territories}\n"
            f"    channels: {channels}{_PILOT if where else ''}\n"
            f"    not_before: {today}\n    {ends}\n    {_DIGEST}"
        )  # fmt: skip


def _given(delivery: Delivery, title: str, known: Known, today: date) -> Iterator[str]:
    for voice in _voice_ids(delivery):
        grant = _id("g", voice, title)
        yield f"{{event_id: {_id('e', grant)}, target: grant, target_id: {grant}, kind: given, effective_at: {today}, by: {known.owner(voice)}}}"


def _voice_ids(delivery: Delivery) -> dict[str, tuple[str, ...]]:
    """The voices of the cast that a machine makes, each with how."""
    out: dict[str, tuple[str, ...]] = {}
    for entry in delivery.cast:
        for voice in entry.voice_ids if entry.synthetic else ():
            out[voice] = tuple(dict.fromkeys((*out.get(voice, ()), str(entry.technique))))
    return out


def _id(*parts: str) -> str:
    """As long as the registry takes it."""
    return "-".join(parts)[:64]


def _title_id(delivery: Delivery) -> str:
    title = delivery.title
    words = (title.internal or title.name) if title else "title"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:48] or "title"


def _last(delivery: Delivery) -> date | None:
    """The last day of the release window; None where it is open or not said."""
    until: datetime | None = delivery.distribution.window.end if delivery.distribution else None
    return None if until is None else until.date()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
