"""What to do about an error that does not say it itself: a file that is not there or no file, an id that the registry lacks."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

REGISTRY = "dubgate.registry"  # in click's meta: which registry this run asks
_UNKNOWN = re.compile(r"\bno (\w+) '([^']*)'(?: is registered)?\Z")  # as the registry's door and the commands word it
_KINDS = frozenset(
    {
        "party",
        "title",
        "voice",
        "grant",
        "approval",
        "permission",
        "claim",
        "refusal",
        "key",
        "enrolment",
        "request",
        "notice",
        "phrase",
    }
)
_LINE = re.compile(r"(:\d+){1,2}\Z")
_MISSING = re.compile(r"no such (file|path)|there is no registry", re.IGNORECASE)
_MOST_NAMED = 3
_MEANT = "Did you mean"


_CHANGED = "Do not publish it: take certificate and file again from whoever made them; if it stays so, tell them what it says here."
_BEYOND = "Publish it as it was released; for more, widen `distribution` in delivery.yaml, have it approved and certify again."
_NOT_LISTED = "Ask who holds the root key for the newest trust store (dubgate keys trust); until it lists the key, do not publish."
_OF_REFUSALS = {  # by the reason of a certificate's refusal, where the refusal says nothing closer
    "malformed": "Name certificate.json as `dubgate check --certify` wrote it; one that was cut short, copy again.",
    "repeated-key": _CHANGED,
    "wrong-type": _CHANGED,
    "wrong-predicate": _CHANGED,
    "unknown-key": _NOT_LISTED,
    "bad-signature": _CHANGED,
    "wrong-verifier": _NOT_LISTED,
    "key-revoked": "Do not publish what a revoked key signed: certify again with the gate's new key.",
    "key-not-valid": "Certify again with a key that is valid now (dubgate keys list).",
    "level-not-accepted": "Judge it with better models (dubgate models pull best), or accept that level: dubgate keys trust --accept-embedded.",
    "level-demanded": "Judge it with better models (dubgate models pull best) and certify again.",
    "re-wrapped": "Have this file judged: dubgate check … --certify.",
    "other-performance": "Make the package again from the approved master; what is to differ has to be approved and certified first.",
    "label-lost": "Write the label into each rendition and manifest (dubgate label check PATH shows what is read), and package again.",
    "package-incomplete": "Hand in the package as it was made: every file that its manifests name, and no other.",
    "not-the-dub": "Nothing was judged about it: publish it under rules of its own.",
    "expired": "Ask for another day: dubgate renew.",
    "ledger-rewritten": "Name the registry that it was certified with, no older copy; if it is that one: dubgate consent audit.",
    "consent-ended": "Do not publish it: after a new consent or approval, check and certify again (dubgate consent show says how they stand).",
    "standing-refusal": "Do not publish it: only who refused can lift it.",
    "pack-demanded": "Judge it with that pack (dubgate check … --pack NAME --certify), or put the one that judged in force (dubgate rules adopt).",
    "pack-retired": "Have it judged again: dubgate check … --certify.",
    "trust-expired": "Ask who holds the root key for a newer one.",
    "no-certificate": "Have it judged by this service (POST /v1/deliveries); a certificate of another gate is asked offline: dubgate verify.",
    "failed": "It was judged and not released: the report beside the certificate says why and what to do.",
    "other-bytes": "Publish the file that was judged. After a re-wrap: dubgate renew --file; of a package: dubgate certify-package.",
    "other-language": _BEYOND,
    "other-territory": _BEYOND,
    "other-channel": _BEYOND,
    "other-partner": _BEYOND,
    "outside-window": "Publish it inside the window; for another one, change `distribution` in delivery.yaml, have it approved and certify again.",
    "not-yet-valid": "Set the clock of this machine, or of the gate's, right.",
    "altered-measurements": _CHANGED,
    "altered-annex": "Name the annex.json that was written with this certificate.",
    "altered-evidence": _CHANGED,
    "unknown-ledger": _NOT_LISTED,
    "ledger-proof": _CHANGED,
    "other-master": "Name the package's certificate beside the master's that it was made from (dubgate certify-package).",
    "trust-malformed": "Name the trust store as `dubgate keys trust` signed it; one that was cut short, copy again.",
    "trust-unsigned": "Root key and trust store come from the same hands: --root is `dubgate keys export` of the key that signed it.",
    "trust-rolled-back": "Take the newest trust store from who holds the root key, who signs a newer one over it (dubgate keys trust).",
}  # fmt: skip


def of_refusal(reason: str | None) -> str | None:
    """What to do about a refusal of this reason."""
    return _OF_REFUSALS.get(reason or "")


def add_remedy(error: Any, registry: str | None) -> None:
    """Give an error of dubgate's or of the registry's own, where it has none, what the reader can do; and to one about a file
    that is not there the name that was probably meant."""
    if error.remedy is not None:
        missing = error.where is not None and _MISSING.search(error.what) and _MEANT not in error.remedy
        if missing and (near := _near_name(_path(error.where))):
            error.remedy = f"{_MEANT} {near}? {error.remedy}"
        return
    if remedy := of_refusal(getattr(error, "reason", None)):
        error.remedy = remedy
    elif (unknown := _UNKNOWN.search(error.what)) and unknown[1] in _KINDS:
        error.remedy = of_unknown(unknown[1], unknown[2], registry)
    elif error.where is not None:
        error.remedy = of_file(_path(error.where), error.what)


def _path(where: str) -> Path:
    return Path(_LINE.sub("", where))


def of_file(path: Path, what: str) -> str | None:
    """What to do about a file that could not be read or written; None where it is neither missing, empty, a folder nor forbidden."""
    said = what.lower()
    if "cannot be written" in said:
        return _unwritten(path)
    if "no such file" in said or "no such path" in said:
        return _near(path)
    if "is a directory" in said or "is a folder" in said:
        return "Name a file in it." if path.is_dir() else None
    if "not a directory" in said:
        return "Part of that path is a file: name a folder."
    if "permission denied" in said or "not permitted" in said:
        return "The user who runs this may not open it: ask its owner, or run as somebody who may."
    if "file is empty" in said:
        return "Nothing was written into it: copy or export it again."
    return None


def _unwritten(path: Path) -> str:
    if path.is_dir():
        return "It is a folder: name a file in it."
    if not path.parent.is_dir():
        return f"The folder {path.parent} is not there: make it, or name another place."
    if not os.access(path.parent, os.W_OK):
        return f"The user who runs this may not write in {path.parent}: name another place."
    return "See that the disk has room, or name another place."


def _near(path: Path) -> str:
    if not path.parent.is_dir():
        return f"The folder {path.parent} is not there: check the path and the folder that you are in."
    near = _near_name(path)
    return f"{_MEANT} {near}?" if near else "Check the name and the folder that you are in."


def _near_name(path: Path) -> str | None:
    """The file beside it whose name is nearest; None where none is near."""
    try:
        there = sorted(p.name for p in path.parent.iterdir())
    except OSError:
        return None
    near = get_close_matches(path.name, there, n=1, cutoff=0.7)
    return str(path.with_name(near[0])) if near and near[0] != path.name else None


def of_unknown(kind: str, record_id: str, registry: str | None) -> str:
    """What the registry holds instead of an id that it lacks: ids like it, and what else is called so."""
    from dubgate.cli.registry_options import plain

    ask = f"What is there: dubgate consent show --registry {plain(registry or 'REGISTRY')}"
    rows = [] if registry is None else _held(registry)
    ids = [row["key"].partition(":")[2] for row in rows if row["key"].startswith(f"{kind}:")]
    other = next((k for row in rows for k, _, i in [row["key"].partition(":")] if i == record_id and k != kind), None)
    near = get_close_matches(record_id, ids, n=_MOST_NAMED, cutoff=0.75)
    if other == "voice" and kind == "grant":
        near = [row["key"].partition(":")[2] for row in rows if row.get("voice") == record_id][:_MOST_NAMED] or near
    parts = [f"{plain(record_id)} is a {other}, not a {kind}."] if other else []
    parts += [f"{_MEANT} {' or '.join(map(plain, near))}?"] if near else []
    return " ".join([*parts, ask])


def _held(registry: str) -> list[dict[str, Any]]:
    """Every key of the registry that `consent show` lists; nothing where it cannot be opened, since this only helps."""
    from datetime import UTC, datetime

    from consent.errors import ConsentError
    from consent.overview import overview
    from dubgate.cli.registry_options import open_registry

    try:
        with open_registry(registry, None, read_only=True) as opened, opened.view() as view:
            return [row for rows in overview(view, datetime.now(UTC)).values() for row in rows]
    except (ConsentError, OSError):
        return []
