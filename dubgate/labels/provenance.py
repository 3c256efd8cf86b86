"""Content credentials (C2PA): what a signed manifest in a file says of its making, believed from trusted signers only.

A manifest that is "Valid" says nothing of who signed it; only "Trusted", against our own anchors, is read. Source: C2PA
2.2, and c2pa-python 0.38.1 as it behaves (shared reference consent-and-labels, 2.4).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from dubgate.errors import MediaError
from dubgate.labels.anchors import Anchors
from dubgate.labels.bounds import read_exactly
from dubgate.labels.segments import Piece
from dubgate.labels.tracks import Manifest, Place
from dubgate.pinned import as_pinned
from dubgate.unmeasured import Unmeasured

CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1"  # extended key usage of who signs claims
_TRUST_CONFIG = f"{CLAIM_SIGNING}\n1.3.6.1.5.5.7.3.4\n"
_REMEDY = "pip install 'dubgate[c2pa]'"
_TYPES = {"wav": "audio/wav", "mov": "video/mp4", "mp3": "audio/mpeg", "flac": "audio/flac"}


def trusted_manifest(path: Path, anchors: Anchors | None) -> Manifest | Unmeasured:
    """What the active manifest says, where its signer is trusted.

    Args:
        anchors: our own certificate authorities, and whose certificates they took back.

    Returns:
        The manifest; Unmeasured where the library or the anchors are missing.

    Raises:
        MediaError: altered, moved from another file, damaged, or of a signer whom the anchors do not know, whose
            certificate expired, or was revoked.
    """
    return _trusted(path, anchors, ())


def trusted_pieces(pieces: Sequence[Piece], anchors: Anchors | None) -> Manifest | Unmeasured:
    """The same of what an entry of a package plays: one file, or an initialisation section and its fragments.

    Every fragment is held against the manifest (C2PA 2.2, A.5.6), not only the first.

    Raises:
        MediaError: as `trusted_manifest`, for any of the fragments.
    """
    from dubgate.delivery.formats import sniff

    first = pieces[0].path
    if not media_type(sniff(first)):
        return Unmeasured(f"{first.name} carries a C2PA manifest, which is verified in no packed audio of this kind")
    return _trusted(first, anchors, () if len({p.path for p in pieces}) == 1 else pieces)


def _trusted(path: Path, anchors: Anchors | None, pieces: Sequence[Piece]) -> Manifest | Unmeasured:
    try:
        import c2pa  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return Unmeasured(
            f"{path.name} carries a C2PA manifest, and the library that verifies it is missing: {_REMEDY}"
        )
    state, store = _read(c2pa, path, anchors, pieces)
    if state == "Trusted" and anchors is not None:
        return _said(path, store, anchors)
    reasons = ", ".join(sorted(set(_failures(store))))[:300]
    if state == "Valid" and anchors is None:
        return Unmeasured(
            f"{path.name} carries a C2PA manifest, and no trust anchors say whose signature counts: "
            "name a PEM file by --anchors or DUBGATE_C2PA_ANCHORS"
        )
    why = next((said for code, said in _MEANINGS.items() if code in reasons), "")
    told = f"{why}: {reasons}" if why else reasons or "no reason given"
    raise refused(path, f"its C2PA manifest is {state.lower()}, not trusted ({told})")


# C2PA 2.2, 15.2: what the codes of a refusal mean to a person, the weightiest first.
_MEANINGS = {
    "dataHash.mismatch": "the file is not the one that was signed: it was changed, or the manifest was moved here",
    "bmffHash.mismatch": "the file is not the one that was signed: it was changed, or the manifest was moved here",
    "claimSignature.mismatch": "the manifest itself was changed",
    "hashedURI.mismatch": "the manifest itself was changed",
    "signingCredential.revoked": "its signer's certificate was revoked",
    "signingCredential.expired": "its signer's certificate is expired, or not valid yet",
    "outsideValidity": "it was signed outside the time in which the certificate is valid",
    "signingCredential.untrusted": "no trust anchor knows its signer",
}


def media_type(demuxer: str) -> str:
    """The type under which c2pa reads and signs a container; "" where it does neither."""
    return _TYPES.get(demuxer, "")


def refused(path: Path, why: str) -> MediaError:
    """The error of a manifest that is not believed."""
    return MediaError(why, where=path.name, remedy="sign the finished file again, by a signer whom the anchors know")


def _read(c2pa: Any, path: Path, anchors: Anchors | None, pieces: Sequence[Piece]) -> tuple[str, dict[str, Any]]:
    """Validation state and manifest store, with `pieces` those of the first fragment that is not trusted, or of the last.

    Nothing is fetched from anywhere.
    """
    from dubgate.delivery.formats import sniff

    settings: dict[str, Any] = {"version": 1, "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
    if anchors is not None:
        settings["trust"] = {"trust_anchors": anchors.pem, "trust_config": _TRUST_CONFIG}
    kind = media_type(sniff(path))
    try:
        with (
            _opened(pieces[0] if pieces else Piece(path)) as file,
            c2pa.Context.from_dict(settings) as context,
            c2pa.Reader(kind, file, context=context) as reader,
        ):
            for piece in pieces[1:]:
                with _opened(pieces[0]) as start, _opened(piece) as fragment:
                    reader.with_fragment(kind, start, fragment)
                    said = str(reader.get_validation_state()), json.loads(reader.json())
                if said[0] != "Trusted":
                    return said
            return str(reader.get_validation_state()), json.loads(reader.json())
    except (c2pa.C2paError, ValueError, OSError) as error:
        raise refused(path, f"its C2PA manifest cannot be read: {str(error)[:200]}") from None


def _opened(piece: Piece) -> BinaryIO:
    """The bytes of a piece as a file of their own."""
    if piece.length is None:
        return open(piece.path, "rb", opener=as_pinned)
    with open(piece.path, "rb", opener=as_pinned) as file:
        return BytesIO(read_exactly(piece.path, file, piece.first, piece.length))


def _failures(store: dict[str, Any]) -> Iterator[str]:
    results = store.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
    for entry in [*results, *store.get("validation_status", [])]:
        yield str(entry.get("code", "?"))


def _said(path: Path, store: dict[str, Any], anchors: Anchors) -> Manifest:
    """Actions, digital source types, languages of translation, and the tracks that it is about."""
    active = store.get("manifests", {}).get(store.get("active_manifest"), {})
    signature = active.get("signature_info") or {}
    serial = str(signature.get("cert_serial_number", ""))
    if not serial or serial in anchors.revoked:
        what = "was revoked" if serial else "has no number"
        raise refused(path, f"its C2PA manifest is not trusted: its signer's certificate {what} ({serial})")
    actions = list(_actions(active))
    if not actions:
        raise refused(path, "its C2PA manifest tells of no action")
    said = [a.get("parameters") or {} for a in actions]
    return Manifest(
        path.name,
        ", ".join(str(signature[k]) for k in ("common_name", "issuer") if signature.get(k)),
        tuple(dict.fromkeys(str(a.get("action")) for a in actions)),
        tuple(dict.fromkeys(_last_part(a["digitalSourceType"]) for a in actions if a.get("digitalSourceType"))),
        next((str(p["sourceLanguage"]) for p in said if p.get("sourceLanguage")), None),
        next((str(p["targetLanguage"]) for p in said if p.get("targetLanguage")), None),
        tuple(dict.fromkeys(_regions(actions))),
    )


def place_of(manifest: Manifest, track_ids: tuple[str, ...]) -> tuple[Place, ...]:
    """What a manifest tells as places: of the whole file, or of each track that it names.

    Args:
        track_ids: ids of the file's streams, in order; none where the container has none.
    """
    text = ", ".join((*manifest.actions, *manifest.sources))
    token = "C2PA" if manifest.says_ai else None
    numbers = [k for k, name in enumerate(track_ids) if name in manifest.tracks] if manifest.tracks else [None]
    return tuple(Place("C2PA actions", text, n, manifest.target_language, False, token) for n in numbers)


def _last_part(address: object) -> str:
    return str(address).rpartition("/")[2]


def _regions(actions: list[dict[str, Any]]) -> Iterator[str]:
    """The tracks that actions name as changed (C2PA 2.2, 18.2)."""
    regions = [r for a in actions for c in _dicts(a.get("changes")) for r in _dicts(c.get("region"))]
    for region in regions:
        item = region.get("item") if region.get("type") == "identified" else None
        if isinstance(item, dict) and item.get("identifier") == "track_id":
            yield str(item.get("value"))


def _dicts(found: object) -> list[dict[str, Any]]:
    return [x for x in found if isinstance(x, dict)] if isinstance(found, list) else []


def _actions(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for assertion in manifest.get("assertions", []):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            yield from (a for a in assertion.get("data", {}).get("actions", []) if isinstance(a, dict))
