"""One approval carries a package of several bitrates: what is its performance is signed file by file, all else is refused."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import soxr
from made_certificate import AT, LATER, Place, key_of, writing
from made_package import (
    LABEL,
    RATE_HZ,
    Sound,
    make_package,
    make_sounding_place,
    master_playlist,
    read_sound,
    rendition,
)
from swapped_folders import turned_into_a_link

from consent.certifications import Certification
from consent.events import Event
from consent.vocabulary import EventKind
from dubgate.certificate import refusals
from dubgate.certificate.package import DUB, MANIFEST, OTHER, PackageClaim
from dubgate.errors import ChangedError, InputError, MediaError
from dubgate.evidence_folder import EvidenceRequest, check_evidence, write_evidence
from dubgate.packaging import PackageCertified, PackageRequest, certify_package
from dubgate.spans import Span

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "labels"))

from label_files import run_here

SECONDS = 8.0


@pytest.fixture(scope="module")
def sound(samples: Path) -> Sound:
    return read_sound(samples / "clean" / "dub.flac", 0.0, SECONDS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, sound: Sound) -> Place:
    return make_sounding_place(tmp_path_factory.mktemp("place") / "here", sound)


@pytest.fixture(scope="module")
def certificate(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return place.certified(tmp_path_factory.mktemp("verdict")).certificate


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory, sound: Sound) -> Path:
    """The right package's folder; copied where it is spoilt."""
    return make_package(tmp_path_factory.mktemp("package") / "p", [sound] * 3).parent


@pytest.fixture(autouse=True)
def _in_this_process() -> Iterator[None]:
    with patch("dubgate.sandbox.run_in_child", run_here):
        yield


@pytest.fixture
def package(right: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(right, tmp_path / "package")) / "master.m3u8"


def packaged(
    place: Place, certificate: Path, manifest: Path, out: Path, *, at: Any = LATER, **changes: Any
) -> PackageCertified:
    request = replace(PackageRequest(certificate, place.file, manifest), **changes)
    return certify_package(request, place.trust, str(place.world.registry), place.gate(), out, clock=lambda: at)


def refused(place: Place, certificate: Path, manifest: Path, out: Path, **how: Any) -> str:
    """The reason and what it says; nothing was written."""
    with pytest.raises(refusals.Refused) as error:
        packaged(place, certificate, manifest, out, **how)
    assert not list(out.glob("*")) if out.exists() else True
    return f"{error.value.reason}: {error.value.what}"


@pytest.fixture(scope="module")
def made(place: Place, certificate: Path, right: Path, tmp_path_factory: pytest.TempPathFactory) -> PackageCertified:
    with patch("dubgate.sandbox.run_in_child", run_here):
        return packaged(place, certificate, right / "master.m3u8", tmp_path_factory.mktemp("out"))


def test_one_approval_carries_a_package_of_three_bitrates(place: Place, made: PackageCertified, right: Path) -> None:
    claim = made.claim
    assert len(claim.renditions) == 3
    assert all(r.n_windows > 28 and r.least_correlation_ppm > 950_000 for r in claim.renditions)
    assert {f.path for f in claim.files} == {p.relative_to(right).as_posix() for p in right.rglob("*") if p.is_file()}
    assert {f.role for f in claim.files} == {DUB, MANIFEST}
    for member in (right / "master.m3u8", right / "a0" / "init.mp4", right / "a2" / "s3.m4s", right):
        verified = place.verified(made.certificate, file=member, now=LATER + timedelta(minutes=1))
        assert (verified.package_id, verified.release_id) == (claim.package_id, claim.release_id)


def test_the_package_stands_in_the_ledger_before_it_is_signed(place: Place, made: PackageCertified) -> None:
    from consent.registry import Registry

    with Registry.open(place.world.registry, read_only=True) as registry, registry.view() as view:
        (entry,) = view.certifications(made.claim.release_id)
        assert isinstance(entry, Certification)
        assert (entry.kind, entry.certification_id) == ("package", made.claim.package_id)
    assert registry.audit().sound


def test_a_packages_certificate_lies_in_evidence_too(
    place: Place, made: PackageCertified, certificate: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(certificate.parent, tmp_path / "verdict"))
    shutil.copy(made.certificate, folder)
    root = key_of(place.keys.root).public
    asked = EvidenceRequest(folder / made.certificate.name, place.trust_file(tmp_path), root, with_annex=True)
    write_evidence(asked, tmp_path / "evidence", now=LATER + timedelta(minutes=1))
    assert any("judged again: release" in line for line in check_evidence(tmp_path / "evidence", place.file))


def test_a_package_in_transport_streams_is_certified_too(
    place: Place, certificate: Path, sound: Sound, tmp_path: Path
) -> None:
    manifest = make_package(tmp_path / "ts", [sound], names=[LABEL], form="ts")
    assert packaged(place, certificate, manifest, tmp_path / "out").claim.renditions[0].offset_ms < 40


def test_a_dash_presentation_is_certified_too(place: Place, certificate: Path, right: Path, tmp_path: Path) -> None:
    folder = tmp_path / "dash"
    shutil.copytree(right / "a1", folder / "a1")
    (folder / "a1" / "index.m3u8").unlink()
    n = len(list((folder / "a1").glob("s*.m4s")))
    rows = "".join(f'<SegmentURL media="a1/s{k}.m4s"/>' for k in range(n))
    manifest = folder / "manifest.mpd"
    text = f"""<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
      mediaPresentationDuration="PT{SECONDS:g}S" profiles="urn:mpeg:dash:profile:full:2011"><Period>
      <AdaptationSet id="1" contentType="audio" lang="en"><Label>{LABEL}</Label>
      <Representation id="a1" bandwidth="96000" codecs="mp4a.40.2"><SegmentList duration="2">
      <Initialization sourceURL="a1/init.mp4"/>{rows}</SegmentList></Representation></AdaptationSet></Period></MPD>"""
    manifest.write_text(text, encoding="utf-8")
    assert packaged(place, certificate, manifest, tmp_path / "out").claim.renditions[0].label == LABEL
    manifest.write_text(text.replace("<SegmentList", '<SegmentList presentationTimeOffset="9"'), encoding="utf-8")
    with pytest.raises(MediaError, match="shifted"):
        packaged(place, certificate, manifest, tmp_path / "out")
    manifest.write_text(text.replace(f"<Label>{LABEL}</Label>", "<Label>English</Label>"), encoding="utf-8")
    assert refused(place, certificate, manifest, tmp_path / "no").startswith("label-lost")


# what is another performance


def other_take(sound: Sound) -> Sound:
    """One line from 4 to 6 s spoken as in no master: the same voice and level, another course."""
    changed = sound.copy()
    changed[4 * RATE_HZ : 6 * RATE_HZ] = changed[4 * RATE_HZ : 6 * RATE_HZ][::-1]
    return changed


def added(sound: Sound) -> Sound:
    """A quiet tone behind the end, within the length that may differ."""
    tone = 0.02 * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)
    return np.concatenate([sound, tone]).astype(np.float32)[: len(sound) + RATE_HZ // 8]


SPOILT = {
    "one line of another take": (other_take, "another performance from 3.8 s"),
    "1 % faster": (lambda s: soxr.resample(s, 101 * RATE_HZ, 100 * RATE_HZ).astype(np.float32), "another performance"),
    "the end is missing": (lambda s: s[: -3 * RATE_HZ], "longer or shorter"),
    "3 s more": (lambda s: np.concatenate([s, s[: 3 * RATE_HZ]]), "longer or shorter"),
    "100 ms later": (lambda s: np.concatenate([np.zeros(RATE_HZ // 10, np.float32), s]), "starts at another time"),
    "half as loud": (lambda s: 0.5 * s, "level as a whole"),
    "a tone behind it": (added, "sound that the master does not have"),
    "one line louder": (lambda s: s * np.where(np.arange(len(s)) // RATE_HZ == 5, 2, 1).astype(np.float32), "level"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_another_performance_in_one_rendition_is_refused(
    place: Place, certificate: Path, package: Path, sound: Sound, tmp_path: Path, what: str
) -> None:
    change, said = SPOILT[what]
    shutil.rmtree(package.parent / "a1")
    rendition(package.parent / "a1", change(sound), 96_000)
    reason = refused(place, certificate, package, tmp_path / "out")
    assert reason.startswith("other-performance")
    assert said in reason
    assert "a1" in reason
    assert "a0" not in reason


def test_a_voice_between_the_channels_of_a_rendition_is_refused(
    place: Place, certificate: Path, package: Path, sound: Sound, tmp_path: Path
) -> None:
    """The mono sum is the master's in both packages."""
    between = np.zeros_like(sound)
    between[RATE_HZ : 4 * RATE_HZ] = 2 * sound[4 * RATE_HZ : 7 * RATE_HZ]

    def package_in_stereo(left: Sound, right: Sound) -> None:
        shutil.rmtree(package.parent / "a1")
        rendition(package.parent / "a1", np.stack([left, right]), 256_000)

    package_in_stereo(sound + between, sound - between)
    reason = refused(place, certificate, package, tmp_path / "out")
    assert reason.startswith("other-performance")
    assert "speech between the channels" in reason
    assert "another" not in reason
    package_in_stereo(sound, sound)
    assert packaged(place, certificate, package, tmp_path / "out")


def test_a_voice_under_the_sound_of_a_rendition_is_refused(
    place: Place, certificate: Path, package: Path, tmp_path: Path
) -> None:
    """What is found is tests/test_added_speech.py's; here, that it is asked for and counts."""
    with patch("dubgate.meter.added.added_speech", lambda *asked: (Span(1.0, 2.0),)):
        reason = refused(place, certificate, package, tmp_path / "out")
    assert reason.startswith("other-performance")
    assert "speech under its sound that the master does not have from 1.0 s to 2.0 s" in reason


def test_one_segment_of_another_take_is_refused_where_it_lies(
    place: Place, certificate: Path, package: Path, sound: Sound, tmp_path: Path
) -> None:
    rendition(tmp_path / "take", np.ascontiguousarray(sound[::-1]), 96_000)
    shutil.copy(tmp_path / "take" / "s2.m4s", package.parent / "a1" / "s2.m4s")
    reason = refused(place, certificate, package, tmp_path / "out")
    assert reason.startswith("other-performance")
    assert "another performance from 3.8 s" in reason


def edited(path: Path, old: str, new: str, *, n: int = 1) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, n), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (f'NAME="{LABEL}"', 'NAME="English"', "label-lost"),
        (f'NAME="{LABEL}"', 'NAME="English [A l]"', "label-lost"),
        (',CHARACTERISTICS="public.machine-generated"', "", "label-lost"),
        ('LANGUAGE="en"', 'LANGUAGE="de"', "label-lost"),
        ('CODECS="mp4a.40.2",AUDIO="a1"', 'CODECS="mp4a.40.2"', "label-lost"),
    ],
)
def test_a_label_lost_in_one_rendition_is_refused(
    place: Place, certificate: Path, package: Path, tmp_path: Path, old: str, new: str, reason: str
) -> None:
    edited(package, old, new)
    assert refused(place, certificate, package, tmp_path / "out").startswith(reason)


def test_a_rule_about_labels_that_the_package_breaks_refuses_it(
    place: Place, certificate: Path, package: Path, tmp_path: Path
) -> None:
    with patch("dubgate.packaging.broken_label_rules", return_value=("cn-gb-45438/CNG-AIGC: none",)):
        assert refused(place, certificate, package, tmp_path / "out") == "label-lost: cn-gb-45438/CNG-AIGC: none"


def test_a_package_without_the_dubs_language_is_incomplete(
    place: Place, certificate: Path, package: Path, tmp_path: Path
) -> None:
    edited(package, 'LANGUAGE="en"', 'LANGUAGE="ja"', n=3)
    assert refused(place, certificate, package, tmp_path / "out").startswith("package-incomplete")


def test_a_file_that_no_manifest_names_is_refused(
    place: Place, certificate: Path, package: Path, tmp_path: Path
) -> None:
    (package.parent / "unlabelled.m3u8").write_text(package.read_text(encoding="utf-8"), encoding="utf-8")
    assert "unlabelled.m3u8" in refused(place, certificate, package, tmp_path / "out")


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        ("a0/index.m3u8", "#EXT-X-ENDLIST", "", "no end"),
        ("a0/index.m3u8", "#EXT-X-MAP", '#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXT-X-MAP', "encrypted"),
        ("a0/index.m3u8", "#EXTINF:2.005333,\ns1.m4s", "#EXT-X-GAP\n#EXTINF:2.005333,\ns1.m4s", "EXT-X-GAP"),
        (
            "a0/index.m3u8",
            "#EXTINF:2.005333,\ns1",
            '#EXT-X-MAP:URI="init.mp4"\n#EXT-X-MAP:URI="s0.m4s"\n#EXTINF:2,\ns1',
            "more than one",
        ),
        ("a0/index.m3u8", "#EXTINF:2.005333", "#EXTINF:9.005333", "its playlist says"),
        ("a0/index.m3u8", "s1.m4s", "../../../etc/passwd", "outside"),
        ("master.m3u8", "#EXT-X-VERSION:7", "#EXT-X-VERSION:7\n#EXT-X-SESSION-KEY:METHOD=NONE", "EXT-X-SESSION-KEY"),
        ("master.m3u8", "#EXT-X-VERSION:7", '#EXT-X-VERSION:7\n#EXT-X-DEFINE:NAME="a",VALUE="b"', "define|DEFINE"),
        ("master.m3u8", ',URI="a1/index.m3u8"', "", "inside a variant"),
    ],
)
def test_what_plays_in_a_way_that_is_not_known_cannot_be_judged(
    place: Place, certificate: Path, package: Path, tmp_path: Path, file: str, old: str, new: str, what: str
) -> None:
    edited(package.parent / file, old, new)
    with pytest.raises(MediaError, match=what):
        packaged(place, certificate, package, tmp_path / "out")


def test_sound_in_a_variant_that_no_entry_names_is_refused(
    place: Place, certificate: Path, package: Path, sound: Sound, tmp_path: Path
) -> None:
    rendition(package.parent / "hidden", sound, 64_000)
    edited(package, 'AUDIO="a2"\na2/index.m3u8', 'AUDIO="a2"\nhidden/index.m3u8')
    with pytest.raises(MediaError, match="no audio entry names"):
        packaged(place, certificate, package, tmp_path / "out")


def test_another_language_beside_it_is_bound_and_is_not_the_dub(
    place: Place, certificate: Path, package: Path, sound: Sound, tmp_path: Path
) -> None:
    rendition(package.parent / "de", np.ascontiguousarray(sound[::-1]), 64_000)
    more = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a0",NAME="Deutsch",LANGUAGE="de",URI="de/index.m3u8"\n#EXT-X-STREAM-INF'
    edited(package, "#EXT-X-STREAM-INF", more)
    made = packaged(place, certificate, package, tmp_path / "out")
    assert {f.role for f in made.claim.files if f.path.startswith("de/")} == {OTHER}
    assert made.claim.others is not None
    [(where, language)] = made.claim.others
    assert language == "de"
    now = LATER + timedelta(minutes=1)
    with pytest.raises(refusals.NotTheDub, match=r"\(de\); nothing was judged about it"):
        place.verified(made.certificate, file=package.parent, now=now)
    with pytest.raises(refusals.OtherLanguage, match="the release is in en, not de"):
        place.verified(made.certificate, file=package.parent, now=now, language="de")
    found = place.verified(made.certificate, file=package.parent, now=now, language="en")
    assert (found.scope.language, found.not_judged) == ("en", (f"{where} (de)",))
    for how in ({}, {"language": "en"}):
        with pytest.raises(refusals.NotTheDub):
            place.verified(made.certificate, file=package.parent / "de" / "s1.m4s", now=now, **how)


# the master's certificate, and the registry


def test_another_master_than_the_certified_one_is_refused(
    place: Place, certificate: Path, package: Path, sound: Sound, tmp_path: Path
) -> None:
    from made_package import write_master

    other = write_master(tmp_path / "other.flac", 0.9 * sound)
    assert refused(place, certificate, package, tmp_path / "out", master=other).startswith("other-bytes")


def test_an_expired_or_refused_master_carries_no_package(
    place: Place, certificate: Path, package: Path, tmp_path: Path
) -> None:
    late = AT + timedelta(days=2)
    assert refused(place, certificate, package, tmp_path / "out", at=late).startswith("expired")
    failed = place.certified(tmp_path / "failed", place.world.judged(at=AT)).certificate
    assert refused(place, failed, package, tmp_path / "out").startswith("failed")


def test_a_consent_that_ended_meanwhile_stops_it_even_at_the_last_moment(
    place: Place, package: Path, tmp_path: Path
) -> None:
    own = place.copied(tmp_path / "own")
    certificate = own.certified(tmp_path / "verdict").certificate
    grant = own.world_grants()[0]
    ended = Event(
        event_id="e-ended", target="grant", target_id=grant.grant_id, kind=EventKind.WITHDRAWN, effective_at=LATER,
        by=grant.granted_by,
    )  # fmt: skip

    def withdraw(*asked: Any) -> None:
        with writing(own, LATER) as registry:
            registry.add(ended)

    with patch("dubgate.packaging.require_approved", withdraw):
        reason = refused(own, certificate, package, tmp_path / "out", at=LATER + timedelta(minutes=1))
    assert reason.startswith("consent-ended")
    assert refused(own, certificate, package, tmp_path / "out", at=LATER + timedelta(minutes=1)).startswith(
        "consent-ended"
    )
    with writing(own, LATER) as registry, registry.view() as view:
        assert view.certifications(json.loads(certificate.read_bytes()) and own_release(certificate)) == ()


def own_release(certificate: Path) -> str:
    import base64

    payload = json.loads(base64.b64decode(json.loads(certificate.read_bytes())["verdict"]["payload"]))
    return str(payload["predicate"]["urn:dubgate:release-verdict:1.0"]["release_id"])


def test_a_package_that_changes_while_it_is_heard_is_not_signed(
    place: Place, certificate: Path, package: Path, tmp_path: Path
) -> None:
    from dubgate.packaging import require_approved

    def swap(*asked: Any) -> None:
        require_approved(*asked)
        shutil.copy(package.parent / "a1" / "s3.m4s", package.parent / "a1" / "s2.m4s")

    with patch("dubgate.packaging.require_approved", swap), pytest.raises(InputError, match="changed while"):
        packaged(place, certificate, package, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_packages_folder_that_is_renamed_away_and_back_is_not_heard(
    place: Place, certificate: Path, package: Path, tmp_path: Path
) -> None:
    """The very same bytes lie in its place while the child is to open them, and nobody could tell afterwards."""
    from dubgate.packaging import hear_package
    from dubgate.sandbox.parent import run_in_child

    folder, aside, evil = package.parent, tmp_path / "aside", tmp_path / "evil"
    shutil.copytree(folder, evil)

    def swapped(*asked: Any) -> Any:
        folder.rename(aside)
        evil.rename(folder)
        try:
            with patch("dubgate.sandbox.run_in_child", run_in_child):  # a real child
                return hear_package(*asked)
        finally:
            folder.rename(evil)
            aside.rename(folder)

    with patch("dubgate.packaging.hear_package", swapped), pytest.raises(ChangedError):
        packaged(place, certificate, package, tmp_path / "out")
    assert not (tmp_path / "out" / "package-certificate.json").exists()


def test_a_folder_of_a_package_that_is_a_link_for_a_while_is_not_heard_as_the_other(
    place: Place, certificate: Path, package: Path, tmp_path: Path
) -> None:
    """Where it leads is another rendition of the package, digested and pinned; nothing is signed over what was not heard."""
    from dubgate.packaging import hear_package

    def turned(*asked: Any) -> Any:
        with turned_into_a_link(package.parent / "a0", package.parent / "a1"):
            return hear_package(*asked)

    with patch("dubgate.packaging.hear_package", turned), pytest.raises(MediaError, match="a link"):
        packaged(place, certificate, package, tmp_path / "out")
    assert not (tmp_path / "out" / "package-certificate.json").exists()


def test_a_certificate_inside_the_package_or_a_link_in_it_is_refused(
    place: Place, certificate: Path, package: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="inside the package"):
        packaged(place, certificate, package, package.parent / "out")
    (package.parent / "a1" / "more.m4s").symlink_to(place.file)
    with pytest.raises(InputError, match="a link"):
        packaged(place, certificate, package, tmp_path / "out")


# verifying


def test_one_changed_missing_or_added_file_is_refused(place: Place, made: PackageCertified, package: Path) -> None:
    def reason(file: Path) -> str:
        with pytest.raises(refusals.Refused) as error:
            place.verified(made.certificate, file=file, now=LATER + timedelta(minutes=1))
        return error.value.reason

    folder, segment = package.parent, package.parent / "a1" / "s1.m4s"
    (folder / "more.m3u8").write_text("#EXTM3U\n", encoding="utf-8")
    assert reason(folder) == "package-incomplete"
    assert reason(folder / "more.m3u8") == "other-bytes"
    (folder / "more.m3u8").unlink()
    data = bytearray(segment.read_bytes())
    data[-1] ^= 1
    segment.write_bytes(data)
    assert reason(segment) == "other-bytes"
    assert reason(folder) == "other-bytes"
    segment.unlink()
    assert reason(folder) == "package-incomplete"
    assert reason(place.file) == "other-bytes"  # the master is not what is published


def test_a_packages_certificate_is_refused_for_another_use_time_and_registry(
    place: Place, made: PackageCertified, right: Path
) -> None:
    def reason(**how: Any) -> str:
        with pytest.raises(refusals.Refused) as error:
            place.verified(made.certificate, file=right, **({"now": LATER + timedelta(minutes=1)} | how))
        return error.value.reason

    assert reason(territory="KP") == "other-territory"
    assert reason(channel="game") == "other-channel"
    assert reason(now=AT + timedelta(days=2)) == "expired"
    assert reason(now=AT + timedelta(minutes=1)) == "not-yet-valid"
    assert place.verified(
        made.certificate, file=right, now=LATER + timedelta(minutes=1), registry=str(place.world.registry)
    ).consents_asked


def signed_again(place: Place, made: PackageCertified, change: Any, signer: Any = None) -> bytes:
    """The certificate with another claim, signed anew."""
    from dubgate.certificate.dsse import sign, signer_of
    from dubgate.certificate.package import package_certificate_bytes, package_statement

    data = json.loads(made.certificate.read_bytes())
    envelope = sign(package_statement(change(made.claim)), signer or signer_of(place.keys.gate))
    return package_certificate_bytes(envelope, json.dumps(data["master"]).encode())


CHANGES: dict[str, tuple[Any, str]] = {
    "of another master's certificate": (lambda c: replace(c, certificate_id="0" * 64), "other-master"),
    "of another release": (lambda c: replace(c, release_id="rel-other"), "other-master"),
    "of another master": (lambda c: replace(c, master_sha256="0" * 64), "other-master"),
    "by another verifier": (lambda c: replace(c, verifier="urn:other"), "wrong-verifier"),
    "older than its master": (lambda c: replace(c, packaged_at=AT - timedelta(days=1)), "malformed"),
    "recorded at another time": (
        lambda c: replace(c, packaged_at=c.packaged_at + timedelta(seconds=1)),
        "ledger-proof",
    ),
    "without a ledger": (lambda c: replace(c, ledger=None), "malformed"),
    "without a rendition": (lambda c: replace(c, renditions=()), "malformed"),
    "without the dub": (lambda c: replace(c, files=tuple(replace(f, role=OTHER) for f in c.files)), "malformed"),
    "with a file twice": (lambda c: replace(c, files=(*c.files, c.files[0])), "malformed"),
    "with an unknown role": (lambda c: replace(c, files=(replace(c.files[0], role="x"), *c.files[1:])), "malformed"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_packages_certificate_that_says_something_else_is_refused(
    place: Place, made: PackageCertified, right: Path, what: str
) -> None:
    change, reason = CHANGES[what]
    with pytest.raises(refusals.Refused) as error:
        place.verified(signed_again(place, made, change), file=right, now=LATER + timedelta(minutes=1))
    assert error.value.reason == reason


def same(claim: PackageClaim) -> PackageClaim:
    return claim


def test_a_package_signed_by_nobody_listed_or_altered_afterwards_is_refused(
    place: Place, made: PackageCertified, right: Path
) -> None:
    from dubgate.certificate.dsse import new_private_key, signer_of

    def reason(data: bytes) -> str:
        with pytest.raises(refusals.Refused) as error:
            place.verified(data, file=right, now=LATER + timedelta(minutes=1))
        return error.value.reason

    now = LATER + timedelta(minutes=1)
    assert place.verified(signed_again(place, made, same), file=right, now=now)
    assert reason(signed_again(place, made, same, signer_of(new_private_key()))) == "unknown-key"
    plain = json.loads(made.certificate.read_bytes())
    for change in (
        lambda d: d["package"].update(payload=d["package"]["payload"][:-4] + "AAAA"),
        lambda d: d["package"]["signatures"][0].update(sig="A" * 86 + "=="),
        lambda d: d.update(master=d["package"]),
        lambda d: d.update(package=d["master"]["verdict"]),
        lambda d: d.update(more=1),
        lambda d: d.pop("master"),
    ):
        spoilt = json.loads(json.dumps(plain))
        change(spoilt)
        with pytest.raises(refusals.Refused):
            place.verified(json.dumps(spoilt).encode(), file=right, now=now)


def test_a_playlist_with_one_group_is_written_as_the_test_says(tmp_path: Path) -> None:
    assert "EXT-X-MEDIA" in master_playlist(tmp_path, [("a0", LABEL)]).read_text(encoding="utf-8")
