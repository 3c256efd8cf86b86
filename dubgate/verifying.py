"""May these bytes be published here, now? A certificate verified offline: it raises with a reason, or returns.

Light on purpose: no models, no database, no expression engine. `registry` and `policy` bring in more, and only then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dubgate.certificate.annex import check_annex
from dubgate.certificate.claim import PASSED, Claim, Scope
from dubgate.certificate.covering import require_channel, require_partner, require_places, require_window
from dubgate.certificate.file import MAX_BYTES, Certificate, open_certificate
from dubgate.certificate.opening import SigningKey, ed25519_key
from dubgate.certificate.package import MAX_BYTES as PACKAGE_BYTES
from dubgate.certificate.package import PackageCertificate, is_package_certificate, open_package
from dubgate.certificate.refusals import (
    Expired,
    LevelNotAccepted,
    NotPassed,
    OtherBytes,
    OtherLanguage,
)
from dubgate.certificate.trust import TrustStore, read_trust
from dubgate.certificate.trust_seen import remember
from dubgate.certificate.verdict import certificate_id
from dubgate.delivery.formats import file_sha256, open_regular
from dubgate.errors import InputError
from dubgate.package_files import check_member


@dataclass(frozen=True, slots=True)
class Verified:
    """A certificate that allows what was asked, and what it says."""

    certificate_id: str
    release_id: str
    verifier: str
    keyid: str
    level: str
    title_id: str
    scope: Scope
    file_sha256: str
    verified_at: datetime
    expires_at: datetime
    grant_ids: tuple[str, ...]
    packs: tuple[str, ...]
    fallback_models: tuple[str, ...]
    n_signed: int
    trust_version: int
    consents_asked: bool
    package_id: str | None = None  # where the certificate is a package's
    n_package_files: int = 0
    not_judged: tuple[str, ...] = ()  # what a package holds beside the dub


def verify(
    certificate: Path | bytes,
    file: Path,
    *,
    territory: str,
    channel: str,
    partner: str | None = None,
    trust: Path | TrustStore,
    language: str | None = None,
    root: str | SigningKey | None = None,
    annex: Path | None = None,
    registry: str | None = None,
    policy: Path | None = None,
    seen: Path | None = None,
    now: datetime | None = None,
) -> Verified:
    """Verify a certificate for a file and a use.

    Args:
        certificate: a release's, or a package's; with the latter `file` is a file of the package, or its whole folder.
        territory: a country (ISO 3166-1) or a group (UN M49, EU), all of which must be covered.
        language: what is published (BCP-47); the release must be of it. Needed for a folder that holds other languages too.
        partner: who publishes it (`netflix`), which the holder must have approved by name; needed where the release names partners.
        trust: the trust store's file, opened with `root` (the root key, hex for Ed25519), or one already opened.
        registry: a registry at hand, asked whether the consents still stand.
        policy: a publisher's demands; see dubgate.publishing.
        seen: a file that remembers the newest trust store, so that an older one is refused.
        now: the moment asked about (aware); by default this machine's.

    Raises:
        Refused: do not publish; its `reason` is machine-readable.
        InputError, MediaError, RegistryError: it could not be asked.
    """
    moment = datetime.now(UTC) if now is None else now
    store = current_trust(trust, root, seen, now=moment)
    name = certificate.name if isinstance(certificate, Path) else "certificate"
    data = _read(certificate) if isinstance(certificate, Path) else certificate
    packaged = open_package(data, store, moment, name) if is_package_certificate(data) else None
    opened = packaged.master if packaged is not None else open_certificate(data, store, moment, name)
    require_passed(opened, name)
    if packaged is None:
        same_bytes(file, opened.verdict.file_sha256, opened.verdict.claim, name)
    else:
        check_member(packaged.claim, file, name, told=language is not None)
    if language is not None:
        require_language(opened, language, name)
    require_covered(opened, territory, channel, name, partner)
    require_in_time(opened, moment, name)
    if annex is not None:
        check_annex(read_small(annex), opened.verdict.claim, annex.name)
    if policy is not None:
        _require_demanded(policy, opened, registry)
    if registry is not None:
        from dubgate.standing import check_standing

        check_standing(opened, registry, moment)
    return _verified(opened, store, registry is not None, packaged)


def _require_demanded(policy: Path, opened: Certificate, registry: str | None) -> None:
    from dubgate.publishing import check_adopted, check_demands, read_demands

    demands = read_demands(policy)
    check_demands(demands, opened.verdict)
    if demands.adopted:
        if registry is None:
            raise InputError("it demands adopted packs, and no registry is at hand", where=str(policy))
        check_adopted(opened.verdict, registry)


def current_trust(
    trust: Path | TrustStore, root: str | SigningKey | None, seen: Path | None = None, *, now: datetime | None = None
) -> TrustStore:
    """The trust store, once the root key signed it, it is current, and none newer was seen.

    Raises:
        TrustUnsigned, TrustMalformed, TrustExpired, TrustRolledBack.
    """
    store = trust if isinstance(trust, TrustStore) else read_trust(read_small(trust), root_of(root), trust.name)
    store.require_current(datetime.now(UTC) if now is None else now)
    if seen is not None:
        remember(store, root_of(root).keyid, seen)
    return store


def root_of(root: str | SigningKey | None) -> SigningKey:
    """The root key, from hex where it is Ed25519.

    Raises:
        InputError: none was named.
    """
    if root is None:
        raise InputError("no root key", remedy="Name the key that signs the trust store: --root, or root=…")
    return root if isinstance(root, SigningKey) else ed25519_key(root)


def read_small(path: Path, at_most: int = MAX_BYTES) -> bytes:
    """The bytes of a certificate, annex or trust store; one more than `at_most` where there are more.

    Raises:
        MediaError: missing, or no regular file.
    """
    with open(open_regular(path), "rb") as file:
        return file.read(at_most + 1)


def _read(path: Path) -> bytes:
    """A certificate; one of a package may be as large as its list of files."""
    data = read_small(path, PACKAGE_BYTES)
    return data if is_package_certificate(data) else data[: MAX_BYTES + 1]


def require_passed(opened: Certificate, name: str) -> None:
    """It passed, at a level that is accepted.

    Raises:
        NotPassed, LevelNotAccepted.
    """
    verdict, claim = opened.verdict, opened.verdict.claim
    if verdict.result != PASSED:
        raise NotPassed(f"the gate said {claim.decision}: {', '.join(claim.reasons[:20])}", where=name)
    if verdict.level not in opened.gate.levels:
        remedy = "Have it judged with the best models (dubgate models pull best); or accept these: dubgate keys trust --accept-embedded."
        raise LevelNotAccepted(f"{verdict.level} is not accepted from {verdict.verifier}", where=name, remedy=remedy)


def require_language(opened: Certificate, language: str, name: str) -> None:
    """It is of a dub in this very language.

    Raises:
        OtherLanguage
        InputError: there is no such language.
    """
    from dubgate.languages import canonical

    scope = opened.verdict.claim.scope
    assert scope is not None  # what passed has one: verdict._agreeing
    try:
        wanted = canonical(language)
    except ValueError as error:
        raise InputError(str(error), where="language") from None
    if scope.language != wanted:
        raise OtherLanguage(f"the release is in {scope.language}, not {wanted}", where=name)


def require_covered(opened: Certificate, territory: str, channel: str, name: str, partner: str | None = None) -> None:
    """It is for this use.

    Raises:
        OtherTerritory, OtherChannel, OtherPartner.
    """
    from dubgate.regions import expand

    scope = opened.verdict.claim.scope
    assert scope is not None  # what passed has one: verdict._agreeing
    require_places(set(expand(scope.territories)), _countries(territory), name)
    require_channel(scope.channels, channel, name)
    require_partner(scope.partners, partner, name, remedy="Name the partner: --partner NAME.")


def require_in_time(opened: Certificate, now: datetime, name: str) -> None:
    """It has not expired, and the release window is open.

    Raises:
        Expired, OutsideWindow.
    """
    claim = opened.verdict.claim
    assert claim.scope is not None  # what passed has one: verdict._agreeing
    if now >= claim.expires_at:
        remedy = "Renew it (dubgate renew), or have it judged again: dubgate check … --certify."
        raise Expired(f"it expired on {claim.expires_at.isoformat()}", where=name, remedy=remedy)
    require_window(claim.scope.window_start, claim.scope.window_end, now, name)


def _countries(territory: str) -> frozenset[str]:
    from dubgate.regions import countries

    try:
        return countries(territory)
    except ValueError as error:
        raise InputError(str(error), where="territory") from None


def same_bytes(file: Path, sha256: str, claim: Claim, name: str) -> None:
    """The file is the one that was judged.

    Raises:
        Rewrapped: the same sound in another file.
        OtherBytes: anything else.
    """
    if file_sha256(file) == sha256:
        return
    from dubgate.rewrapping import refuse_other_bytes

    refuse_other_bytes(file, claim.packets_sha256)
    raise OtherBytes(f"{file.name} is not the file that was judged", where=name)


def _verified(opened: Certificate, store: TrustStore, asked: bool, packaged: PackageCertificate | None) -> Verified:
    verdict, claim = opened.verdict, opened.verdict.claim
    assert claim.scope is not None
    assert claim.title_id is not None
    return Verified(
        certificate_id=certificate_id(opened.statement),
        release_id=claim.release_id,
        verifier=verdict.verifier,
        keyid=opened.gate.key.keyid,
        level=verdict.level,
        title_id=claim.title_id,
        scope=claim.scope,
        file_sha256=verdict.file_sha256,
        verified_at=verdict.verified_at,
        expires_at=claim.expires_at,
        grant_ids=claim.grant_ids,
        packs=tuple(f"{p.name} {p.version}" for p in claim.packs),
        fallback_models=tuple(f"{m.kind} {m.name}" for m in claim.models if m.fallback),
        n_signed=len(claim.signed),
        trust_version=store.version,
        consents_asked=asked,
        package_id=packaged.claim.package_id if packaged is not None else None,
        n_package_files=len(packaged.claim.files) if packaged is not None else 0,
        not_judged=packaged.claim.not_judged if packaged is not None else (),
    )
