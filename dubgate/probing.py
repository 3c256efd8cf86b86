"""Looks at what is live: fetches it, reads its labels, and holds its bytes against the certificates that allow them.

A stripped label, bytes that no certificate knows, or a certificate that no longer stands raise an alert; what cannot be
looked at is an error and never a pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from dubgate.certificate.claim import PASSED
from dubgate.certificate.file import Certificate, open_certificate
from dubgate.certificate.package import OTHER, PackageCertificate, is_package_certificate, open_package
from dubgate.certificate.refusals import Refused
from dubgate.certificate.trust import TrustStore
from dubgate.certificate.verdict import certificate_id
from dubgate.delivery.formats import file_sha256
from dubgate.errors import InputError, MediaError
from dubgate.fetching import Fetcher
from dubgate.labels.packages import kind_of
from dubgate.labels.reading import inspect_labels
from dubgate.labels.segments import Piece, leads_out
from dubgate.policy.findings import Outcome
from dubgate.policy.label_checks import wording_findings

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is live and should not be as it is."""

    kind: str  # "bytes", "label", "certificate", "missing"
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Known:
    """The certificates at hand: their digests, and what was wrong with those that do not count."""

    certificates: tuple[tuple[str, Certificate, PackageCertificate | None], ...]
    alerts: tuple[Alert, ...]

    @property
    def sha256s(self) -> frozenset[str]:
        """Digests of whole files that are certified: masters as they are, and the dub's files of packages."""
        masters = {c.verdict.file_sha256 for _, c, _ in self.certificates}
        files = {f.sha256 for _, _, p in self.certificates if p is not None for f in p.claim.files if f.role != OTHER}
        return frozenset(masters | files)


@dataclass(frozen=True, slots=True)
class Probed:
    """What a look gave: how many files were fetched, and every alert."""

    url: str
    at: datetime
    n_files: int
    alerts: tuple[Alert, ...]
    known: Known


def known_from(paths: Sequence[Path], trust: TrustStore, at: datetime, registry: str | None) -> Known:
    """The certificates of these files, each verified; one that is refused is an alert and counts for nothing.

    An expired one still says which bytes were certified: what is live is not taken down for that.
    """
    good: list[tuple[str, Certificate, PackageCertificate | None]] = []
    bad: list[Alert] = []
    for path in paths:
        data = path.read_bytes()
        try:
            package = open_package(data, trust, at, path.name) if is_package_certificate(data) else None
            opened = package.master if package is not None else open_certificate(data, trust, at, path.name)
            if opened.verdict.result != PASSED:
                bad.append(Alert("certificate", path.name, "the gate did not pass it"))
                continue
            if registry is not None:
                from dubgate.standing import check_standing

                check_standing(opened, registry, at)
        except Refused as refused:
            bad.append(Alert("certificate", path.name, f"{refused.reason}: {refused.what}"))
            continue
        good.append((path.name, opened, package))
    return Known(tuple(good), tuple(bad))


def probe(
    url: str, folder: Path, fetcher: Fetcher, known: Known, *, language: str | None, at: datetime, progress: Progress
) -> Probed:
    """Fetch what is live at `url` into `folder`, and judge it against the certificates.

    Raises:
        InputError: it cannot be looked at: not allowed, not there, or more than the limits.
    """
    progress("fetching", 0.0)
    top = _placed(folder, PurePosixPath(unquote(urlsplit(url).path)).name or "live")
    fetcher.fetch(url, top)
    alerts, fetched = list(known.alerts), [top]
    if kind_of(top) in ("hls", "dash"):
        fetched += _fetched(url, top, fetcher, alerts, progress)
    progress("reading labels", 0.9)
    alerts += _unlabelled(top, language)
    alerts += _unknown(top, fetched, known, folder)
    return Probed(url, at, len(fetched), tuple(alerts), known)


def _fetched(url: str, top: Path, fetcher: Fetcher, alerts: list[Alert], progress: Progress) -> Iterator[Path]:
    """Every file that the manifest's sound names, under the manifest's own folder; a hole is an alert."""
    root, waiting, seen = top.parent, [(top, url)], {top}
    while waiting:
        manifest, base = waiting.pop()
        names = list(dict.fromkeys(_named(manifest)))
        for k, name in enumerate(names):
            target = _below(root, manifest.parent, name)
            if target is None:
                alerts.append(Alert("bytes", manifest.name, f"it names something outside its folder: {name!r}"))
                continue
            if target in seen:
                continue
            seen.add(target)
            progress(f"fetching {target.name}"[:26], 0.9 * (k + 1) / len(names))
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                fetcher.fetch(urljoin(base, name), target)
            except InputError as error:
                if "answered" not in error.what:
                    raise
                alerts.append(Alert("missing", manifest.name, f"{name!r}: {error.what}"))
                continue
            if kind_of(target) == "hls":
                waiting.append((target, urljoin(base, name)))
            yield target


def _below(root: Path, folder: Path, name: str) -> Path | None:
    """Where a name of a manifest lies, inside the package; None where it leads out."""
    plain = unquote(name)
    if leads_out(plain):
        return None
    target = Path(*_normal((folder / plain).parts))
    return target if target != root and target.is_relative_to(root) else None


def _normal(parts: Sequence[str]) -> list[str]:
    out: list[str] = []
    for part in parts:
        if part == "..":
            out.pop()
        elif part != ".":
            out.append(part)
    return out


def _named(manifest: Path) -> Iterator[str]:
    """What the sound of an HLS playlist or a DASH manifest plays, as it is written there."""
    if kind_of(manifest) == "dash":
        from dubgate.labels.dash import entries_of, parse_mpd
        from dubgate.labels.dash_segments import addresses_of

        for entry in entries_of(parse_mpd(manifest), manifest):
            yield from addresses_of(entry.line, manifest)
        return
    from dubgate.labels.hls import load_playlist

    playlist: Any = load_playlist(manifest, manifest.parent)
    yield from (m.uri for m in playlist.media if m.type == "AUDIO" and m.uri)
    for segment in playlist.segments:
        if segment.init_section is not None:
            yield segment.init_section.uri
        yield segment.uri


def _unlabelled(top: Path, language: str | None) -> Iterator[Alert]:
    """What the labels that are live fail to say; taken as a dub that AI made."""
    for finding in wording_findings(inspect_labels(top, language=language)):
        if finding.outcome in (Outcome.BLOCK, Outcome.HOLD, Outcome.UNKNOWN):
            yield Alert("label", finding.rule, finding.text.en)


def _unknown(top: Path, fetched: Sequence[Path], known: Known, folder: Path) -> Iterator[Alert]:
    """Files of the dub that no certificate knows. A rendition may be a certified master cut into segments."""
    sha256s = known.sha256s
    digests = {path: file_sha256(path) for path in fetched}
    packaged = any(p is not None for _, _, p in known.certificates)
    whole = {} if packaged or kind_of(top) == "media" else _renditions(top)
    certified = {path for paths, sha256 in whole.items() if sha256 in sha256s for path in paths}
    for path, sha256 in digests.items():
        if sha256 in sha256s or path in certified or (whole and kind_of(path) != "media"):
            continue
        yield Alert("bytes", path.relative_to(folder).as_posix(), f"no certificate knows these bytes (sha256 {sha256})")
    if whole and not certified:
        yield Alert("bytes", top.name, "no rendition of it plays a certified sound")


def _renditions(top: Path) -> dict[tuple[Path, ...], str]:
    """The digest of what each entry plays, by its files; empty where that cannot be read, which then is no excuse."""
    from dubgate.labels.segments import sha256_of

    try:
        return {
            tuple(dict.fromkeys(piece.path for piece in pieces)): sha256_of(pieces)
            for pieces in _pieces(top, top.parent)
        }
    except MediaError:
        return {}


def _pieces(top: Path, root: Path) -> Iterator[tuple[Piece, ...]]:
    if kind_of(top) == "dash":
        from dubgate.labels.dash import entries_of, parse_mpd
        from dubgate.labels.dash_segments import representation_pieces

        for entry in entries_of(parse_mpd(top), top):
            yield tuple(representation_pieces(entry.line, top, root))
        return
    from dubgate.labels.hls import hls_pieces, load_playlist, playlist_in

    for entry in load_playlist(top, root).media:
        if entry.type == "AUDIO" and entry.uri:
            path = playlist_in(top, entry.uri, root)
            yield tuple(hls_pieces(load_playlist(path, root), path, root))


def _placed(folder: Path, name: str) -> Path:
    """A name of the live file's own that is no path."""
    return folder / (name if name not in (".", "..") and "/" not in name and "\0" not in name else "live")


def notice_of(probed: Probed) -> dict[str, Any]:
    """What the outbox tells: where, why, and which releases it concerns."""
    reasons = "; ".join(f"{a.kind} {a.where}: {a.what}" for a in probed.alerts)
    releases = [_release(opened) for _, opened, _ in probed.known.certificates]
    return {
        "schema": "live-alert/1.0",
        "target": f"what is live at {probed.url.split('?')[0]}",
        "reason": reasons[:4000],
        "effect": "stop_distribution",
        "effective_at": probed.at.isoformat(),
        "issued_at": probed.at.isoformat(),
        "certificates": [r["certificate_sha256"] for r in releases],
        "releases": releases,
        "fallbacks": [{"kind": "certified_package", "text": "The files that were certified, published again."}],
    }


def event_id_of(probed: Probed) -> str:
    """The same for the same alerts at the same place, so that one trouble is told once."""
    told = "\n".join([probed.url, *sorted(f"{a.kind} {a.where} {a.what}" for a in probed.alerts)])
    return f"live-{hashlib.sha256(told.encode()).hexdigest()[:40]}"


def _release(opened: Certificate) -> dict[str, Any]:
    claim = opened.verdict.claim
    scope = claim.scope
    return {
        "release_id": claim.release_id,
        "title_id": claim.title_id,
        "language": scope.language if scope is not None else "",
        "territories": list(scope.territories) if scope is not None else [],
        "channels": list(scope.channels) if scope is not None else [],
        "packets_sha256": claim.packets_sha256,
        "certificate_sha256": certificate_id(opened.statement),
    }
