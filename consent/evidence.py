"""Evidence by the digest of its bytes: which file is which document that a record names, and which is none of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from consent.errors import RecordError
from consent.terms import Evidence


def files_of(evidence: Sequence[Evidence], paths: Iterable[Path]) -> dict[str, Path]:
    """Each piece of evidence (by its SHA-256) with the file whose bytes it is.

    Raises:
        RecordError: a file that cannot be read or is none of the evidence, or evidence that no file is.
    """
    wanted = {e.sha256: e.kind for e in evidence}
    found: dict[str, Path] = {}
    for path in paths:
        digest = _sha256(path)
        if digest not in wanted:
            what = f"its bytes are not those of any evidence of this record (SHA-256 {digest[:16]}…)"
            raise RecordError(what, where=str(path), remedy="Find the document that was signed, or record a new grant.")
        found[digest] = path
    if missing := [f"{kind} {digest[:16]}…" for digest, kind in wanted.items() if digest not in found]:
        raise RecordError(f"no file is the evidence {', '.join(missing)}")
    return found


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RecordError(f"cannot be read ({error.strerror})", where=str(path)) from None
