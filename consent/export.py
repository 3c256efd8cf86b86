"""Exports: every record as JSON, and consents as ISO/IEC TS 27560 records in DPV's JSON-LD.

Neither holds a name, a contact or a template. The DPV terms and the shape of a record (metadata, process, consent
events, the last of which is the status) follow the W3C community's guide to ISO/IEC TS 27560.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from consent.denials import GrantHistory
from consent.entries import iso
from consent.terms import Grant
from consent.views import View
from consent.vocabulary import EventKind

CONTEXT = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "dpv-pd": "https://w3id.org/dpv/pd#",
    "dpv-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dubgate": "urn:dubgate:",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}
CONFORMS_TO = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"
VOICE_PRINT = {"@id": "dubgate:VoicePrint", "skos:broader": {"@id": "dpv-pd:Biometric"}}
_STATUS = {
    EventKind.REQUESTED: "ConsentRequested",
    EventKind.DEFERRED: "ConsentRequestDeferred",
    EventKind.REFUSED: "ConsentRefused",
    EventKind.GIVEN: "ConsentGiven",
    EventKind.RENEWED: "RenewedConsentGiven",
    EventKind.RESUMED: "RenewedConsentGiven",
    EventKind.EXPIRED: "ConsentExpired",
    EventKind.SUSPENDED: "ConsentInvalidated",
    EventKind.INVALIDATED: "ConsentInvalidated",
    EventKind.SUPERSEDED: "ConsentInvalidated",
    EventKind.WITHDRAWN: "ConsentWithdrawn",
    EventKind.REVOKED: "ConsentRevoked",
}


def export_json(view: View, *, at: datetime) -> dict[str, Any]:
    """Every entry with its place in the ledger; what is sealed stays sealed."""
    entries = [
        {
            "leaf_index": e.leaf_index,
            "recorded_at": iso(e.recorded_at),
            "schema": e.schema_name,
            "record": json.loads(e.body),
            "signed": e.envelope is not None,
            "leaf_hash": e.leaf_hash,
        }
        for e in view.store.all_entries()
    ]
    return {"schema": "consent-export/1.0", "exported_at": iso(at), "entries": entries}


def export_dpv(view: View, *, at: datetime) -> dict[str, Any]:
    """Every grant as a consent record in JSON-LD."""
    voices = [v.voice_id for v in view.voices()]
    histories = [h for voice_id in voices for h in view.grants(voice_id)]
    return {"@context": CONTEXT, "dct:created": iso(at), "@graph": [dpv_record(view, h) for h in histories]}


def dpv_record(view: View, history: GrantHistory) -> dict[str, Any]:
    """One grant and its events as a TS 27560 consent record."""
    grant = history.grant
    voice = view.record_of_voice(grant.voice_id)
    record: dict[str, Any] = {
        "@id": f"dubgate:grant:{grant.grant_id}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": grant.grant_id,
        "dct:conformsTo": {"@id": CONFORMS_TO},
        "dct:hasVersion": str(grant.version),
        "dpv:hasDataSubject": {"@id": f"dubgate:party:{voice.owner_id if voice is not None else grant.granted_by}"},
        "dpv:hasDataController": {"@id": f"dubgate:party:{grant.licensee_id}"} if grant.licensee_id else None,
        "dpv:hasJurisdiction": list(grant.applicable_law) or None,
        "dpv:hasProcess": _process(grant),
        "dpv:hasNotice": _notice(grant),
        "dpv:hasConsentControl": {"@type": "dpv:WithdrawConsent", "dubgate:revocable": grant.revocation.revocable},
        "dpv:hasConsentStatus": _statuses(history),
    }
    return {key: value for key, value in record.items() if value is not None}


def _process(grant: Grant) -> dict[str, Any]:
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": {"@type": "dpv:Purpose", "dct:description": grant.intended_use},
        "dpv:hasPersonalData": [VOICE_PRINT],
        "dpv:hasLegalBasis": {"@id": "dpv:Consent"},
        "dubgate:techniques": [str(t) for t in grant.techniques],
        "dubgate:titles": list(grant.title_ids),
        "dct:language": list(grant.languages),
        "dct:spatial": list(grant.territories),
        "dubgate:territoriesExcluded": list(grant.territories_excluded),
        "dubgate:channels": [str(c) for c in grant.channels],
        "dct:temporal": {"start": iso(grant.not_before), "end": iso(grant.not_after) if grant.not_after else None},
        "dubgate:training": {str(t.kind): str(t.use) for t in grant.training},
    }


def _notice(grant: Grant) -> dict[str, Any] | None:
    notice = grant.notice
    if notice is None:
        return None
    said = {"dct:hasVersion": notice.version, "dct:language": notice.language, "dct:date": iso(notice.shown_at)}
    return {"@type": "dpv:ConsentNotice", **said, "dubgate:sha256": notice.sha256}


def _statuses(history: GrantHistory) -> list[dict[str, Any]]:
    """The consent events in ledger order; the last one is the status."""
    ordered = sorted(history.events, key=lambda e: e.leaf_index)
    return [
        {
            "@type": f"dpv:{_STATUS[e.event.kind]}",
            "dpv:isIndicatedBy": {"@id": f"dubgate:party:{e.event.by}"},
            "dpv:isIndicatedAtTime": iso(e.event.effective_at),
            "dct:dateSubmitted": iso(e.recorded_at),
        }
        | ({"dpv:hasIndicationMethod": e.event.method} if e.event.method else {})
        for e in ordered
        if e.event.kind in _STATUS
    ]
