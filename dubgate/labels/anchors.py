"""Whose C2PA signatures count: our own certificate authorities, and whose certificates they took back (RFC 5280)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dubgate.errors import InputError

ANCHORS_VARIABLE = "DUBGATE_C2PA_ANCHORS"
REVOKED_VARIABLE = "DUBGATE_C2PA_REVOKED"
_MAX_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Anchors:
    """PEM of the authorities, and the numbers (decimal) of the certificates that were revoked."""

    pem: str
    revoked: frozenset[str] = frozenset()

    def stored(self) -> dict[str, Any]:
        """As plain data, for the child process."""
        return {"pem": self.pem, "revoked": sorted(self.revoked)}

    @classmethod
    def from_stored(cls, told: dict[str, Any] | None) -> Anchors | None:
        """Back from `stored`."""
        return None if told is None else cls(told["pem"], frozenset(told["revoked"]))


def read_anchors(path: Path | None, revoked: Path | None = None, *, at: datetime | None = None) -> Anchors | None:
    """The authorities of these files, else of those that the environment names; None where neither names any.

    Args:
        path: PEM certificates.
        revoked: PEM revocation lists, each signed by one of the authorities, or by one that these signed and that lies
            in the same file.

    Raises:
        InputError: named and not to be read; a list that no authority signed, or that is out of date.
    """
    named, listed = path or _named(ANCHORS_VARIABLE), revoked or _named(REVOKED_VARIABLE)
    if named is None:
        if listed is not None:
            raise InputError("a revocation list without the authorities that signed it", where=str(listed))
        return None
    text = _read(named)
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise InputError("no PEM certificate is in it", where=str(named))
    return Anchors(text, frozenset() if listed is None else _revoked(text, named, listed, at or datetime.now(UTC)))


def _named(variable: str) -> Path | None:
    found = os.environ.get(variable)
    return Path(found) if found else None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read this as PEM: {error}", where=str(path)) from None


def _revoked(anchors_pem: str, anchors: Path, path: Path, at: datetime) -> frozenset[str]:
    from cryptography import x509

    text = _read(path)
    marker = "-----BEGIN X509 CRL-----"
    try:
        known = list(x509.load_pem_x509_certificates(anchors_pem.encode()))
        if "-----BEGIN CERTIFICATE-----" in text:
            known += [c for c in x509.load_pem_x509_certificates(text.encode()) if any(_issued(c, a) for a in known)]
        lists = [x509.load_pem_x509_crl((marker + part).encode()) for part in text.split(marker)[1:]]
    except ValueError as error:
        raise InputError(f"cannot read certificates or revocation lists: {error}", where=f"{anchors}, {path}") from None
    if not lists:
        raise InputError("no PEM revocation list (X509 CRL) is in it", where=str(path))
    for found in lists:
        if not any(_signed(found, authority) for authority in known):
            raise InputError("none of the trust anchors signed this revocation list", where=str(path))
        if found.next_update_utc is None or found.next_update_utc <= at:
            raise InputError("the revocation list is out of date", where=str(path), remedy="fetch today's list")
    return frozenset(str(entry.serial_number) for found in lists for entry in found)


def _issued(certificate: Any, authority: Any) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _signed(found: Any, authority: Any) -> bool:
    try:
        return found.issuer == authority.subject and bool(found.is_signature_valid(authority.public_key()))
    except (ValueError, TypeError):
        return False
