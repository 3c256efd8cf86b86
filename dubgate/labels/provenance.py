"""Content credentials (C2PA): what a signed manifest in a file says of its making, believed from trusted signers only.

A manifest that is "Valid" says nothing of who signed it; only "Trusted", against our own anchors, is read. Source: C2PA
2.2, and c2pa-python 0.38.1 as it behaves (shared reference consent-and-labels, 2.4).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dubgate.errors import MediaError
from dubgate.labels.tracks import Place
from dubgate.unmeasured import Unmeasured

CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1"  # extended key usage of who signs claims
_TRUST_CONFIG = f"{CLAIM_SIGNING}\n1.3.6.1.5.5.7.3.4\n"
_AI_SOURCES = frozenset(
    {"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic", "algorithmicMedia"}
)
_REMEDY = "pip install 'dubgate[c2pa]'"
_TYPES = {"wav": "audio/wav", "mov": "video/mp4", "mp3": "audio/mpeg", "flac": "audio/flac"}


def manifest_place(path: Path, anchors: str | None) -> Place | Unmeasured:
    """What the active manifest says, where its signer is trusted.

    Args:
        anchors: PEM of our own certificate authorities.

    Returns:
        A place with the token where AI is declared; Unmeasured where the library or the anchors are missing.

    Raises:
        MediaError: altered, moved from another file, damaged, or of a signer whom the anchors do not know.
    """
    try:
        import c2pa  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return Unmeasured(
            f"{path.name} carries a C2PA manifest, and the library that verifies it is missing: {_REMEDY}"
        )
    state, store = _read(c2pa, path, anchors)
    if state == "Trusted" and anchors is not None:
        return _said(path, store)
    reasons = ", ".join(sorted(set(_failures(store))))[:300]
    if state == "Valid" and anchors is None:
        return Unmeasured(
            f"{path.name} carries a C2PA manifest, and no trust anchors say whose signature counts: "
            "name a PEM file by --anchors or DUBGATE_C2PA_ANCHORS"
        )
    raise refused(path, f"its C2PA manifest is {state.lower()}, not trusted ({reasons or 'no reason given'})")


def refused(path: Path, why: str) -> MediaError:
    """The error of a manifest that is not believed."""
    return MediaError(why, where=path.name, remedy="sign the finished file again, by a signer whom the anchors know")


def _read(c2pa: Any, path: Path, anchors: str | None) -> tuple[str, dict[str, Any]]:
    """Validation state and manifest store; nothing is fetched from anywhere."""
    from dubgate.delivery.formats import sniff

    settings: dict[str, Any] = {"version": 1, "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
    if anchors is not None:
        settings["trust"] = {"trust_anchors": anchors, "trust_config": _TRUST_CONFIG}
    try:
        with (
            path.open("rb") as file,
            c2pa.Context.from_dict(settings) as context,
            c2pa.Reader(_TYPES.get(sniff(path), ""), file, context=context) as reader,
        ):
            store = json.loads(reader.json())
            return str(reader.get_validation_state()), store
    except (c2pa.C2paError, ValueError, OSError) as error:
        raise refused(path, f"its C2PA manifest cannot be read: {str(error)[:200]}") from None


def _failures(store: dict[str, Any]) -> Iterator[str]:
    results = store.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
    for entry in [*results, *store.get("validation_status", [])]:
        yield str(entry.get("code", "?"))


def _said(path: Path, store: dict[str, Any]) -> Place:
    """Digital source types, actions and the language of translation."""
    active = store.get("manifests", {}).get(store.get("active_manifest"), {})
    actions = list(_actions(active))
    sources = [str(a["digitalSourceType"]).rpartition("/")[2] for a in actions if a.get("digitalSourceType")]
    if not actions:
        raise refused(path, "its C2PA manifest tells of no action")
    language = next(
        (str(p["targetLanguage"]) for a in actions if (p := a.get("parameters") or {}).get("targetLanguage")), None
    )
    text = ", ".join([*dict.fromkeys(str(a.get("action")) for a in actions), *dict.fromkeys(sources)])
    says_ai = any(source in _AI_SOURCES for source in sources)
    return Place("C2PA actions", text, None, language, False, "C2PA" if says_ai else None)


def _actions(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for assertion in manifest.get("assertions", []):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            yield from (a for a in assertion.get("data", {}).get("actions", []) if isinstance(a, dict))
