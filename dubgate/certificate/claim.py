"""What a verdict claims, as one frozen value: for which use, resting on what, until when. Written and read here.

Nothing in it names, measures or describes a person: grants, packs and models stand by id or digest, voices not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dubgate.certificate.strict_fields import Fields, iso

SCHEMA = "release-verdict/1.0"
PASSED, FAILED = "PASSED", "FAILED"
LEVEL, LEVEL_EMBEDDED = "DUBGATE_RELEASE", "DUBGATE_RELEASE_EMBEDDED"
LEVELS = (LEVEL, LEVEL_EMBEDDED)


@dataclass(frozen=True, slots=True)
class PackUsed:
    """A rule pack that judged, by the digest of its bytes."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelUsed:
    """A model that heard, by the digest of its weights; `fallback` where it is the embedded one."""

    kind: str
    name: str
    sha256: str
    fallback: bool


@dataclass(frozen=True, slots=True)
class SignedUsed:
    """What a registered person signed and the gate took in: its kind (a predicate type) and its payload's digest."""

    kind: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Scope:
    """The use that was judged: countries, channels, language, window `[start, end)` (an absent end is open), partners by name."""

    territories: tuple[str, ...]
    channels: tuple[str, ...]
    language: str
    window_start: datetime
    window_end: datetime | None
    partners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """One entry of the ledger: its leaf's bytes as text, its place, and the path to the checkpoint's root."""

    leaf: str
    index: int
    path: tuple[str, ...]  # SHA-256 in hex, from the leaf upwards


@dataclass(frozen=True, slots=True)
class LedgerPart:
    """A signed checkpoint and the proofs of inclusion under it; the release's own entry comes first."""

    checkpoint: str
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """Everything that the verdict says beside the fields of SLSA's summary."""

    release_id: str
    decision: str  # release, hold or block
    title_id: str | None
    scope: Scope | None
    packets_sha256: str | None
    pcm_sha256: str | None
    packs: tuple[PackUsed, ...]
    models: tuple[ModelUsed, ...]
    grant_ids: tuple[str, ...]
    signed: tuple[SignedUsed, ...]
    reasons: tuple[str, ...]  # rules that keep it from being released
    expires_at: datetime
    annex_sha256: str | None = None
    ledger: LedgerPart | None = None
    renews: str | None = None  # the id of the certificate that this one takes over from


def claim_data(claim: Claim) -> dict[str, Any]:
    """The claim as JSON-able data; absent parts are left out."""
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "release_id": claim.release_id,
        "decision": claim.decision,
        "packs": [{"name": p.name, "version": p.version, "sha256": p.sha256} for p in claim.packs],
        "models": [{"kind": m.kind, "name": m.name, "sha256": m.sha256, "fallback": m.fallback} for m in claim.models],
        "grant_ids": list(claim.grant_ids),
        "signed": [{"kind": s.kind, "sha256": s.sha256} for s in claim.signed],
        "reasons": list(claim.reasons),
        "expires_at": iso(claim.expires_at),
    }
    for key in ("title_id", "packets_sha256", "pcm_sha256", "annex_sha256", "renews"):
        if (value := getattr(claim, key)) is not None:
            data[key] = value
    if claim.scope is not None:
        data["scope"] = _scope_data(claim.scope)
    if claim.ledger is not None:
        data["ledger"] = ledger_data(claim.ledger)
    return data


def ledger_data(part: LedgerPart) -> dict[str, Any]:
    """The ledger's part as JSON-able data."""
    proofs = [{"leaf": p.leaf, "index": p.index, "path": list(p.path)} for p in part.proofs]
    return {"checkpoint": part.checkpoint, "proofs": proofs}


def _scope_data(scope: Scope) -> dict[str, Any]:
    data: dict[str, Any] = {
        "territories": list(scope.territories),
        "channels": list(scope.channels),
        "language": scope.language,
        "window_start": iso(scope.window_start),
    }
    if scope.window_end is not None:
        data["window_end"] = iso(scope.window_end)
    if scope.partners:
        data["partners"] = list(scope.partners)
    return data


def read_claim(data: Any, name: str) -> Claim:
    """The claim of a verdict.

    Raises:
        Malformed: a field is missing, unknown or of another type.
    """
    fields = Fields(data, name, SCHEMA)
    claim = Claim(
        release_id=fields.text("release_id"),
        decision=fields.text("decision"),
        title_id=fields.text("title_id") if fields.has("title_id") else None,
        scope=_scope(fields.inner("scope")) if fields.has("scope") else None,
        packets_sha256=_digest(fields, "packets_sha256"),
        pcm_sha256=_digest(fields, "pcm_sha256"),
        packs=fields.each("packs", _pack),
        models=fields.each("models", _model),
        grant_ids=fields.texts("grant_ids"),
        signed=fields.each("signed", _signed),
        reasons=fields.texts("reasons"),
        expires_at=fields.time("expires_at"),
        annex_sha256=_digest(fields, "annex_sha256"),
        ledger=read_ledger(fields.inner("ledger")) if fields.has("ledger") else None,
        renews=_digest(fields, "renews"),
    )
    fields.done()
    return claim


def _digest(fields: Fields, key: str) -> str | None:
    return fields.sha256(key) if fields.has(key) else None


def _scope(fields: Fields) -> Scope:
    scope = Scope(
        territories=fields.texts("territories"),
        channels=fields.texts("channels"),
        language=fields.text("language"),
        window_start=fields.time("window_start"),
        window_end=fields.time("window_end") if fields.has("window_end") else None,
        partners=fields.texts("partners") if fields.has("partners") else (),
    )
    fields.done()
    return scope


def _pack(data: Any, name: str) -> PackUsed:
    fields = Fields(data, name)
    pack = PackUsed(fields.text("name"), fields.text("version"), fields.sha256("sha256"))
    fields.done()
    return pack


def _model(data: Any, name: str) -> ModelUsed:
    fields = Fields(data, name)
    model = ModelUsed(fields.text("kind"), fields.text("name"), fields.text("sha256"), fields.boolean("fallback"))
    fields.done()
    return model


def _signed(data: Any, name: str) -> SignedUsed:
    fields = Fields(data, name)
    signed = SignedUsed(fields.text("kind"), fields.sha256("sha256"))
    fields.done()
    return signed


def read_ledger(fields: Fields) -> LedgerPart:
    """The ledger's part of a signed statement."""
    part = LedgerPart(fields.text("checkpoint"), fields.each("proofs", _proof))
    fields.done()
    return part


def _proof(data: Any, name: str) -> Proof:
    fields = Fields(data, name)
    proof = Proof(fields.text("leaf"), fields.number("index"), fields.texts("path"))
    fields.done()
    return proof
