"""Templates of CSV imports: for each kind of record the header, one example row, and comments on every column."""

from __future__ import annotations

import csv
import io

from consent.bulk_fields import columns

LIST_SIGN = "|"
_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

EXAMPLES: dict[str, dict[str, str]] = {
    "parties": {
        "party_id": "p-ada",
        "roles": "performer",
        "person": "true",
        "identifiers": "isni:0000000121032683",
        "name": "Ada Example",
        "contact": "ada@example.org",
    },
    "keys": {
        "key_id": "k-ada-1",
        "party_id": "p-ada",
        "public_hex": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "roles": "performer",
        "not_before": "2026-01-01",
        "not_after": "2027-12-31",
    },
    "titles": {
        "title_id": "show-101",
        "level": "episode",
        "name": "Show 1.01",
        "parent_id": "show",
        "identifiers": "eidr:10.5240/7791-8534-2C23-9030-8610-5",
        "approvals": "casting|final_sound",
    },
    "claims": {
        "claim_id": "c-show",
        "title_id": "show",
        "holder_ids": "studio",
        "right": "ai_dub",
        "languages": "fr|de",
        "territories": "001",
        "not_before": "2026-01-01",
        "not_after": "2035-12-31",
        "quorum": "all",
        "recorded_by": "operator-1",
        "confirmed_by": "operator-2",
        "evidence.1.kind": "contract",
        "evidence.1.sha256": _DIGEST,
        "evidence.1.media_type": "application/pdf",
    },
    "voices": {
        "voice_id": "v-ada",
        "subject": "living",
        "owner_id": "p-ada",
        "agent_ids": "agency",
        "jurisdiction": "DE",
        "name": "Ada Example",
    },
    "permissions": {
        "permission_id": "pm-ada-match",
        "voice_id": "v-ada",
        "kind": "match",
        "given_by": "p-ada",
        "legal_basis": "gdpr_9_2_a",
        "not_before": "2026-01-01",
        "not_after": "2027-12-31",
        "evidence.1.kind": "esign",
        "evidence.1.sha256": _DIGEST,
    },
    "enrolments": {
        "enrolment_id": "en-ada",
        "voice_id": "v-ada",
        "encoder_sha256": _DIGEST,
        "dimension": "3",
        "speech_s": "31.5",
        "audio_sha256": _DIGEST,
        "supplied_by": "p-ada",
        "confirmed_by": "p-ada",
        "vector": "0.5|-1|0.25",
    },
    "grants": {
        "grant_id": "g-ada",
        "version": "1",
        "voice_id": "v-ada",
        "granted_by": "p-ada",
        "capacity": "self",
        "representation": "legal_counsel",
        "licensee_id": "studio",
        "title_ids": "show",
        "characters": "MARTA|MARTA (older)",
        "intended_use": "An AI dub of the series Show into French and German from the performer's own recordings.",
        "techniques": "voice_clone_tts",
        "performances": "new_performance|translation_of_own_performance",
        "languages": "fr|de",
        "covers_subtags": "true",
        "territories": "150",
        "territories_excluded": "RU|BY",
        "channels": "svod|avod",
        "not_before": "2026-01-01",
        "not_after": "2026-12-31",
        "max_uses": "10",
        "max_minutes": "600",
        "content_limits": "no_political|no_adult",
        "training.1.kind": "model_for_this_title",
        "training.1.use": "allowed",
        "voice_assets.1.vendor_id": "vendor",
        "voice_assets.1.voice": "ada-7",
        "voice_assets.1.model_version": "2026-01",
        "voice_assets.1.trained_for": "show",
        "model_lifecycle.deletion_due": "2027-03-31",
        "label_text.en": "Voices made with AI, with the performer's consent.",
        "credit_text": "Voice of MARTA: Ada Example",
        "compensation.ref": "invoice 2026/118",
        "compensation.basis": "per_minute",
        "compensation.amount": "95.50",
        "compensation.currency": "EUR",
        "revocation.notice_days": "30",
        "revocation.effect": "stop_distribution",
        "notice.version": "3",
        "notice.language": "en",
        "notice.sha256": _DIGEST,
        "notice.shown_at": "2025-12-18T15:30:00+01:00",
        "evidence.1.kind": "contract",
        "evidence.1.sha256": _DIGEST,
        "evidence.1.media_type": "application/pdf",
        "applicable_law": "DE",
    },
    "approvals": {
        "approval_id": "a-show-101-fr",
        "kind": "final_sound",
        "decision": "approve",
        "by": "studio",
        "for_holder_id": "studio",
        "title_id": "show-101",
        "language": "fr",
        "territories": "150",
        "channels": "svod",
        "window.start": "2026-12-01",
        "window.end": "2027-11-30",
        "sounds.1.packets_sha256": _DIGEST,
        "label_plan_sha256": _DIGEST,
        "script_sha256": _DIGEST,
        "original_sha256": _DIGEST,
        "signed_at": "2026-11-20T10:00:00+01:00",
        "expires_at": "2027-11-30",
    },
    "refusals": {
        "refusal_id": "r-ada",
        "by": "p-ada",
        "voice_ids": "v-ada",
        "techniques": "voice_conversion",
        "not_before": "2026-01-01",
        "words.en": "My voice is not converted into another performer's part.",
    },
    "events": {
        "event_id": "e-ada-given",
        "target": "grant",
        "target_id": "g-ada",
        "kind": "given",
        "effective_at": "2026-01-01",
        "by": "p-ada",
        "method": "signed on paper",
    },
}

_NOTES = (
    "UTF-8. A line that starts with # is a comment; delete the example row. Columns may be left out or reordered.",
    f"Lists are separated by {LIST_SIGN} (a sign that belongs to a text is written \\{LIST_SIGN}). Further parts of a",
    "list are numbered: evidence.2.kind, evidence.2.sha256. Other languages are columns: label_text.ja, words.de.",
    "Days are 2026-12-31 or 31 December 2026, read in the zone given with --zone; a last day is included.",
    "Times are 2026-12-31T18:00:00+01:00. An empty cell is a field left out.",
)


def template(section: str) -> str:
    """The CSV template of a section (`grants`, `parties` …): comments, the header, one example row."""
    out, shown = io.StringIO(), columns(section)
    for note in (f"{section}: dubgate consent import {section}.csv --zone Europe/Berlin --dry-run", *_NOTES):
        out.write(f"# {note}\n")
    for column in shown:
        out.write(f"#   {column.name}: {column.told}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["record", *(c.name for c in shown)])
    writer.writerow([section, *(EXAMPLES[section].get(c.name, "") for c in shown)])
    return out.getvalue()
