"""A certificate is renewed only while everything it rests on stands, and a re-wrapped file only once it was read again."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from made_certificate import AT, Place, key_of, make_place, writing
from made_delivery import NOW
from made_package import LABEL, make_package, make_sounding_place, read_sound

from consent.approvals import Candidate
from consent.certifications import Adoption
from consent.events import Event
from consent.registry import Registry
from consent.releases import Release, ReleaseDecision, VoiceUse
from consent.requests import Request, RequestKind, Wanted
from consent.strict import Window
from consent.terms import Grant
from consent.titles import Refusal
from consent.vocabulary import Channel, EventKind, Technique
from dubgate.certificate import refusals
from dubgate.certificate.dsse import sign, signer_of
from dubgate.certificate.file import open_certificate
from dubgate.certificate.opening import SigningKey
from dubgate.certificate.statements import statement
from dubgate.cli.main import run
from dubgate.errors import ChangedError, InputError, RegistryError
from dubgate.renewal_ends import SignedPart
from dubgate.renewing import Renewed, renew, renewal_warnings, require_renewable
from dubgate.renewing import _signed as signed_by_renewing
from dubgate.standing import release_certified, what_ended

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "labels"))

from label_files import run_here

HOUR = timedelta(hours=1)
SOON = AT + 20 * HOUR


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = make_place(tmp_path_factory.mktemp("place"))
    return replace(made, right=made.judged())


@pytest.fixture
def place(first: Place, tmp_path: Path) -> Place:
    """A place of one's own, since renewing writes."""
    return first.copied(tmp_path / "place")


@pytest.fixture
def certificate(place: Place, tmp_path: Path) -> Path:
    return place.certified(tmp_path / "verdict").certificate


def renewed(place: Place, certificate: Path | bytes, *, at: datetime = SOON, **how: Any) -> Renewed:
    data = certificate.read_bytes() if isinstance(certificate, Path) else certificate
    annex = how.pop("annex", None) or place.world.folder.parent.joinpath("verdict", "annex.json").read_bytes()
    gate = replace(place.gate(), ends_at=how.pop("ends_at", ()))
    if isinstance(certificate, Path):
        how.setdefault("packs", certificate.parent / "packs")
    return renew(data, annex, place.trust, str(place.world.registry), gate, clock=lambda: at, **how)


def reason(place: Place, certificate: Path | bytes, **how: Any) -> str:
    with pytest.raises(refusals.Refused) as error:
        renewed(place, certificate, **how)
    return f"{error.value.reason}: {error.value.what}"


def event(kind: EventKind, target: str, target_id: str, by: str, at: datetime, **more: Any) -> Event:
    return Event(
        event_id=f"e-{kind}-{target_id}", target=target, target_id=target_id, kind=kind, effective_at=at, by=by, **more
    )


def add(place: Place, record: Any, at: datetime = AT + HOUR) -> None:
    with writing(place, at) as registry:
        registry.add(record)


def grant_of(place: Place) -> Grant:
    return place.world_grants()[0]


def test_a_renewed_certificate_verifies_beyond_the_old_ones_end(place: Place, certificate: Path) -> None:
    made = renewed(place, certificate)
    late = AT + 30 * HOUR
    with pytest.raises(refusals.Expired):
        place.verified(certificate, now=late)
    verified = place.verified(made.certificate, now=late, registry=str(place.world.registry))
    assert made.expires_at == verified.expires_at == SOON + 24 * HOUR
    assert verified.release_id == place.verified(certificate, now=AT + HOUR).release_id
    with Registry.open(place.world.registry, read_only=True) as registry:
        assert registry.audit().sound


def test_a_renewed_certificate_is_renewed_again_and_so_is_an_expired_one(place: Place, certificate: Path) -> None:
    again = renewed(place, renewed(place, certificate).certificate, at=AT + 40 * HOUR)
    third = renewed(place, again.certificate, at=AT + 100 * HOUR)
    assert place.verified(third.certificate, now=AT + 110 * HOUR, registry=str(place.world.registry))


def test_a_ledger_entry_that_renews_another_release_is_refused(place: Place, certificate: Path) -> None:
    opened = open_certificate(renewed(place, certificate).certificate, place.trust, SOON, "renewed")
    other = replace(opened, verdict=replace(opened.verdict, claim=replace(opened.verdict.claim, release_id="r-other")))
    with Registry.open(place.world.registry, read_only=True) as registry, registry.view() as view:
        origin = registry.head().origin
        assert release_certified(opened, view, origin).release_id == opened.verdict.claim.release_id
        with pytest.raises(refusals.LedgerRewritten, match="renews another release"):
            release_certified(other, view, origin)


def test_an_approval_that_the_registry_finds_no_more_is_a_history_rewritten(place: Place, certificate: Path) -> None:
    opened = open_certificate(certificate.read_bytes(), place.trust, SOON, "first")
    with Registry.open(place.world.registry, read_only=True) as registry, registry.view() as view:
        release = release_certified(opened, view, registry.head().origin)
        assert what_ended(release, view, SOON) == ()
        more = release.model_copy(update={"approval_ids": (*release.approval_ids, "a-none")})
        with pytest.raises(refusals.LedgerRewritten, match="no approval a-none"):
            what_ended(more, view, SOON)


@pytest.mark.parametrize(("sound", "said"), [("this", True), ("another", False)])
def test_an_objection_is_to_the_sound_that_the_holder_was_told_of(
    place: Place, certificate: Path, sound: str, said: bool
) -> None:
    opened = open_certificate(certificate.read_bytes(), place.trust, SOON, "first")
    with Registry.open(place.world.registry, read_only=True) as registry, registry.view() as view:
        release = release_certified(opened, view, registry.head().origin)
        histories = view.approvals(view.title(release.title_id).title_ids)
        sha256 = release.packets_sha256 if sound == "this" else "9" * 64
        used = SimpleNamespace(notice=SimpleNamespace(packets_sha256=sha256), objection=lambda at: at)
        with patch.object(type(view), "approvals", lambda *_: [replace(h, uses=(used,)) for h in histories]):
            assert any("objected" in end for end in what_ended(release, view, SOON)) is said


def test_a_renewal_ends_with_the_first_of_what_it_rests_on(place: Place, certificate: Path) -> None:
    assert renewed(place, certificate, ends_at=(SOON + 3 * HOUR,)).expires_at == SOON + 3 * HOUR


def test_renewing_spends_no_use_and_tells_nobody(place: Place, certificate: Path) -> None:
    def counted() -> tuple[int, int]:
        with Registry.open(place.world.registry, read_only=True) as registry, registry.view() as view:
            grant = next(
                h for h in view.grants(grant_of(place).voice_id) if h.grant.grant_id == grant_of(place).grant_id
            )
            return len(grant.events), view.store.size()

    before = counted()
    renewed(place, certificate)
    assert counted() == (before[0], before[1] + 1)


def judged_again(place: Place, decision: str, release_id: str, **changes: Any) -> None:
    """What `check --certify` enters in the ledger when it judges the same sound once more."""
    with Registry.open(place.world.registry, read_only=True) as registry, registry.view() as view:
        [first, *_] = [r for e in view.store.of_kind(Release) if isinstance(r := e.record, Release)]
    said = {"release_id": release_id, "decision": ReleaseDecision(decision), "approval_ids": (), "voices": ()}
    add(place, first.model_copy(update=said | {"certificate_sha256": None} | changes), SOON)


def test_what_the_gate_said_no_to_since_is_not_renewed(place: Place, certificate: Path) -> None:
    """Judged again by a rule of today, or with evidence that is not there any more, it held or was blocked."""
    judged_again(place, "block", "r-other-sound", packets_sha256="9" * 64)
    judged_again(place, "release", "r-yes")
    assert renewed(place, certificate).certificate
    judged_again(place, "hold", "r-no")
    assert reason(place, certificate).startswith("failed: the gate judged this sound again since (r-no)")
    judged_again(place, "release", "r-after")
    assert "(r-no)" in reason(place, certificate), "only a yes after it counts: that one has its own certificate"


def test_a_no_to_this_sound_ends_its_earlier_yes_whatever_use_it_is_about(place: Place, certificate: Path) -> None:
    """The delivery says for which use it is judged; what was found in the sound is there in every use."""
    registry = str(place.world.registry)
    assert place.verified(certificate, now=SOON, registry=registry)
    elsewhere = {"territories": ("JP",), "channels": (Channel.THEATRICAL,), "language": "en-GB"}
    judged_again(place, "block", "r-no", window=Window(start=NOW + timedelta(days=3650)), **elsewhere)
    with pytest.raises(refusals.NotPassed, match=r"judged this sound again since \(r-no\) and said block"):
        place.verified(certificate, now=SOON, registry=registry)
    assert reason(place, certificate).startswith("failed: ")
    assert place.verified(certificate, now=SOON), "offline nobody is asked"


def test_a_no_to_another_use_alone_ends_nothing_that_is_asked_anew(place: Place, certificate: Path) -> None:
    """A house asks for one more country, which nobody has granted: what was released elsewhere goes on."""
    registry = str(place.world.registry)
    with Registry.open(registry, read_only=True) as opened, opened.view() as view:
        [first] = [r for e in view.store.of_kind(Release) if isinstance(r := e.record, Release)]
    judged_again(place, "block", "r-use", reasons=("CON-012", "RH-004"), territories=("DE", "JP"), voices=first.voices)
    assert place.verified(certificate, now=SOON, registry=registry)
    assert renewed(place, certificate).certificate


@pytest.mark.parametrize(
    "changes",
    [
        {"reasons": ("CON-012", "CON-031")},
        {"reasons": ("CON-012", "RH-001")},
        {"reasons": ()},
        {"reasons": ("CON-012",), "voices": (VoiceUse(voice_id="v-karl", technique=Technique.VOICE_CLONE_TTS),)},
    ],
    ids=[
        "also of the sound",
        "perhaps of a holder who refused it",
        "of nothing that is told",
        "of a voice that was not cleared",
    ],
)
def test_a_no_of_more_than_a_use_ends_a_release(place: Place, certificate: Path, changes: dict[str, Any]) -> None:
    judged_again(place, "block", "r-no", **changes)
    assert "(r-no) and said block" in reason(place, certificate)


def test_who_is_asked_about_a_sound_that_was_released_and_refuses_ends_it_until_they_lift_it(
    place: Place, certificate: Path
) -> None:
    registry = str(place.world.registry)
    with Registry.open(registry, read_only=True) as opened, opened.view() as view:
        [first] = [r for e in view.store.of_kind(Release) if isinstance(r := e.record, Release)]
        [approval] = [
            h.approval for h in view.approvals([first.title_id]) if h.approval.approval_id in first.approval_ids
        ]
    use = {"language": first.language, "territories": ("JP",), "channels": first.channels, "window": first.window}
    about = Candidate(title_ids=(first.title_id,), packets_sha256=first.packets_sha256, **use)
    wanted = (Wanted(what=RequestKind.APPROVAL, rule="RH-001", about="programme", question="Do you approve it?"),)
    asked = {"request_id": "rq-jp", "to": approval.by, "asked_by": "polyglot", "release": about, "wanted": wanted}
    add(place, Request(**asked, asked_at=AT + HOUR, expires_at=AT + 99 * HOUR))
    assert place.verified(certificate, now=SOON, registry=registry)
    add(place, event(EventKind.REFUSED, "request", "rq-jp", approval.by, AT + HOUR))
    with pytest.raises(refusals.ConsentEnded, match=r"RH-001: .* was asked \(rq-jp\) and refused"):
        place.verified(certificate, now=SOON, registry=registry)
    add(place, event(EventKind.LIFTED, "request", "rq-jp", approval.by, AT + HOUR))
    assert place.verified(certificate, now=SOON, registry=registry)


def ended_grant(place: Place) -> None:
    grant = grant_of(place)
    add(place, event(EventKind.WITHDRAWN, "grant", grant.grant_id, grant.granted_by, AT + HOUR))


def suspended_grant(place: Place) -> None:
    grant = grant_of(place)
    add(place, event(EventKind.SUSPENDED, "grant", grant.grant_id, grant.granted_by, AT + HOUR))


def refused_title(place: Place) -> None:
    words = {"en": "No AI dub."}
    add(place, Refusal(refusal_id="r-late", by="kestrel", title_ids=("last-train",), not_before=NOW, words=words))


def approval_taken_back(place: Place, at: datetime = AT + HOUR) -> None:
    with Registry.open(place.world.registry, read_only=True) as registry, registry.view() as view:
        approval = next(h.approval for h in view.approvals(("last-train",)) if h.approval.by == "kestrel")
    add(place, event(EventKind.WITHDRAWN, "approval", approval.approval_id, "kestrel", at))


def key_revoked(place: Place) -> None:
    add(place, event(EventKind.REVOKED, "key", "k-kestrel", "kestrel", AT + HOUR))


def key_revoked_by_an_operator(place: Place) -> None:
    add(place, event(EventKind.REVOKED, "key", "k-kestrel", "op-1", AT + HOUR))


def claim_ended(place: Place) -> None:
    with Registry.open(place.world.registry, read_only=True) as registry, registry.view() as view:
        title = view.title("last-train")
        assert title is not None
        claims = [h.claim for h in view.claims(title)]
    for claim in claims:
        add(place, event(EventKind.WITHDRAWN, "claim", claim.claim_id, claim.holder_ids[0], AT + HOUR))


def other_pack(place: Place) -> None:
    adopt(place, "b" * 64)


def adopt(place: Place, sha256: str, **changes: Any) -> None:
    fields = {"adoption_id": "ad-1", "kind": "adopted", "pack": "house", "version": "2027.01", "sha256": sha256}
    said = Adoption(**{**fields, "by": "qc-lead", "reason": "new", **changes})
    envelope = sign(statement("urn:dubgate:adoption:1.0", said, ()), signer_of(place.world.keys["qc-lead"])).decode()
    from consent.writing import Addition

    add(place, Addition(said, envelope=envelope))


ENDED = {
    ended_grant: "consent-ended",
    suspended_grant: "consent-ended",
    refused_title: "standing-refusal",
    approval_taken_back: "consent-ended",
    key_revoked: "consent-ended",
    key_revoked_by_an_operator: "consent-ended",
    claim_ended: "consent-ended: RH-010",
    other_pack: "pack-retired",
}


@pytest.mark.parametrize("end", ENDED, ids=lambda f: f.__name__)
def test_what_was_withdrawn_refused_revoked_or_changed_is_never_renewed(
    place: Place, certificate: Path, end: Any
) -> None:
    end(place)
    with Registry.open(place.world.registry, read_only=True) as registry:
        before = registry.head()
    assert reason(place, certificate).startswith(ENDED[end])
    with Registry.open(place.world.registry, read_only=True) as registry:
        assert registry.head() == before


def test_a_pack_that_was_in_force_and_was_retired_renews_nothing(place: Place, certificate: Path) -> None:
    sha256 = next(p.sha256 for p in place.judged().packs if p.name == "house")
    adopt(place, sha256)
    adopt(place, sha256, kind="retired", adoption_id="ad-2")
    assert reason(place, certificate).startswith("pack-retired: the pack house is not in force any more")


def test_the_pack_in_force_that_judged_is_renewed(place: Place, certificate: Path) -> None:
    adopt(place, next(p.sha256 for p in place.judged().packs if p.name == "house"))
    assert renewed(place, certificate)


def test_a_withdrawal_in_the_last_moment_is_seen_in_the_transaction(place: Place, certificate: Path) -> None:
    def withdraw(*asked: Any) -> str:
        ended_grant(place)
        return place.verified(certificate, now=AT + HOUR).file_sha256

    with patch("dubgate.renewing._file_read_again", withdraw):
        assert reason(place, certificate).startswith("consent-ended")


def test_a_failed_verdict_another_annex_or_a_foreign_certificate_is_not_renewed(
    place: Place, certificate: Path, tmp_path: Path
) -> None:
    failed = place.certified(tmp_path / "failed", place.world.judged(at=AT + timedelta(days=600)))
    annex = failed.annex.read_bytes()
    assert reason(place, failed.certificate, annex=annex).startswith("failed")
    assert reason(place, certificate, annex=annex).startswith("altered-annex")
    data = json.loads(certificate.read_bytes())
    data["verdict"]["signatures"][0]["sig"] = "A" * 86 + "=="
    assert reason(place, json.dumps(data).encode()).startswith("bad-signature")


def test_a_registry_that_is_not_the_one_is_refused(place: Place, certificate: Path, tmp_path: Path) -> None:
    other = make_place_at(tmp_path / "other")
    gate = place.gate()
    annex = certificate.with_name("annex.json").read_bytes()
    with pytest.raises(refusals.LedgerRewritten):
        renew(certificate.read_bytes(), annex, place.trust, str(other), gate, clock=lambda: SOON)


def make_place_at(folder: Path) -> Path:
    folder.mkdir()
    with Registry.open(folder / "registry.db", create=True):
        return folder / "registry.db"


# what is to come


def warned(place: Place, certificate: Path, **how: Any) -> list[str]:
    annex = certificate.with_name("annex.json").read_bytes()
    said = {"clock": lambda: SOON} | how
    found = renewal_warnings(certificate.read_bytes(), annex, place.trust, str(place.world.registry), **said)
    return [end.what for end in found]


def test_a_warning_comes_72_hours_before_what_would_stop_a_renewal(place: Place, certificate: Path) -> None:
    assert warned(place, certificate) == []
    annex = certificate.with_name("annex.json").read_bytes()
    asked = (certificate.read_bytes(), annex, place.trust, str(place.world.registry))
    first = renewal_warnings(*asked, clock=lambda: SOON, ahead=timedelta(days=4000))[0]
    ahead = first.at - SOON
    assert renewal_warnings(*asked, clock=lambda: SOON, ahead=ahead)[0] == first
    assert renewal_warnings(*asked, clock=lambda: SOON, ahead=ahead - HOUR) == ()
    everything = warned(place, certificate, ahead=timedelta(days=4000))
    assert any(w.startswith("the grant") for w in everything)
    assert any(w.startswith("the approval") for w in everything)
    assert any("k-kestrel" in w for w in everything)


def test_an_announced_ending_is_warned_of(place: Place, certificate: Path) -> None:
    approval_taken_back(place, SOON + 50 * HOUR)
    (what,) = warned(place, certificate)
    assert what.startswith("announced: RH-002")
    assert warned(place, certificate, ahead=49 * HOUR) == []
    assert renewed(place, certificate).warnings


def test_a_warning_for_what_cannot_be_renewed_is_a_refusal(place: Place, certificate: Path) -> None:
    ended_grant(place)
    with pytest.raises(refusals.ConsentEnded):
        warned(place, certificate)


# another file, and packages


@pytest.fixture(scope="module")
def sounding(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    sound = read_sound(samples / "clean" / "dub.flac", 0.0, 3.0)
    return make_sounding_place(tmp_path_factory.mktemp("sounding") / "place", sound)


@pytest.fixture(scope="module")
def sounding_certificate(sounding: Place) -> Path:
    return sounding.certified(sounding.world.folder.parent / "verdict").certificate


@pytest.fixture
def _here() -> Iterator[None]:
    with patch("dubgate.sandbox.run_in_child", run_here):
        yield


def wrapped(source: Path, out: Path, name: str | None, *, n: int = 1, late: int = 0) -> Path:
    """The same packets in Matroska, with a track name."""
    import av

    with av.open(str(source)) as before, av.open(str(out), "w") as after:
        streams = [after.add_stream_from_template(before.streams.audio[0]) for _ in range(n)]
        for stream in streams:
            if name is not None:
                stream.metadata["title"] = name
            stream.metadata["language"] = "eng"
        for packet in before.demux(before.streams.audio[0]):
            if packet.dts is not None:
                packet.pts, packet.dts = packet.pts + late, packet.dts + late
                for stream in streams:
                    packet.stream = stream
                    after.mux(packet)
    return out


@pytest.mark.usefixtures("_here")
def test_a_rewrapped_file_is_refused_until_label_and_timeline_were_read_again(
    sounding: Place, sounding_certificate: Path, tmp_path: Path
) -> None:
    file = wrapped(sounding.file, tmp_path / "dub.mka", LABEL)
    with pytest.raises(refusals.Rewrapped):
        sounding.verified(sounding_certificate, file=file)
    made = renewed(sounding, sounding_certificate, file=file)
    assert sounding.verified(made.certificate, file=file, now=SOON + HOUR)
    with pytest.raises(refusals.OtherBytes):
        sounding.verified(made.certificate, now=SOON + HOUR)


@pytest.mark.usefixtures("_here")
def test_a_rewrapped_file_that_lost_its_label_or_its_place_in_time_is_not_renewed(
    sounding: Place, sounding_certificate: Path, tmp_path: Path
) -> None:
    def said(file: Path) -> str:
        return reason(sounding, sounding_certificate, file=file)

    assert said(wrapped(sounding.file, tmp_path / "bare.mka", None)).startswith("label-lost")
    assert said(wrapped(sounding.file, tmp_path / "plain.mka", "English")).startswith("label-lost")
    with patch("dubgate.renewing.broken_label_rules", return_value=()):  # the checks see it, whatever rules judged
        assert said(wrapped(sounding.file, tmp_path / "plain.mka", "English")).startswith("label-lost")
    assert said(wrapped(sounding.file, tmp_path / "late.mka", LABEL, late=4800)).startswith("other-bytes")
    two = wrapped(sounding.file, tmp_path / "two.mka", LABEL, n=2)
    assert said(two).startswith("other-bytes: it has 2 audio streams")
    first, second, rest = two.read_bytes().split(b"A_FLAC")
    two.write_bytes(first + b"A_FLAC" + second + b"A_NONE" + rest)  # which some player knows
    assert said(two).startswith("other-bytes: it has 2 audio streams")
    other = tmp_path / "other.flac"
    other.write_bytes(sounding.file.read_bytes()[:-1] + b"\0")
    with pytest.raises((refusals.OtherBytes, InputError)):
        renewed(sounding, sounding_certificate, file=other)


@pytest.mark.usefixtures("_here")
def test_a_file_that_changes_while_it_is_read_again_is_not_renewed(
    sounding: Place, sounding_certificate: Path, tmp_path: Path
) -> None:
    file = wrapped(sounding.file, tmp_path / "dub.mka", LABEL)

    def changing(*_: object) -> None:
        file.write_bytes(file.read_bytes() + b"\0")

    with patch("dubgate.renewing._require_label", changing):
        assert reason(sounding, sounding_certificate, file=file).startswith("other-bytes: the file changed")


@pytest.mark.usefixtures("_here")
def test_a_folder_that_is_renamed_away_and_back_while_a_file_is_read_again_renews_nothing(
    sounding: Place, sounding_certificate: Path, tmp_path: Path
) -> None:
    """Its twin has the label, and nobody could tell afterwards that it was the twin's."""
    from dubgate.errors import ChangedError
    from dubgate.renewing import _require_label

    folder, evil, aside = tmp_path / "in", tmp_path / "evil", tmp_path / "aside"
    folder.mkdir()
    evil.mkdir()
    file = wrapped(sounding.file, folder / "dub.mka", None)
    wrapped(sounding.file, evil / "dub.mka", LABEL)

    def swapped(*asked: Any) -> None:
        folder.rename(aside)
        evil.rename(folder)
        try:
            _require_label(*asked)
        finally:
            folder.rename(evil)
            aside.rename(folder)

    with patch("dubgate.renewing._require_label", swapped), pytest.raises(ChangedError):
        renewed(sounding, sounding_certificate, file=file)


@pytest.mark.usefixtures("_here")
def test_a_rewrapped_file_in_a_folder_that_is_renamed_away_and_back_is_not_renewed(
    sounding: Place, sounding_certificate: Path, tmp_path: Path
) -> None:
    """Another file is read than was digested, and nobody could tell afterwards."""
    from dubgate.renewing import _stream_of

    (tmp_path / "at").mkdir()
    file, evil = wrapped(sounding.file, tmp_path / "at" / "dub.mka", LABEL), tmp_path / "evil"
    shutil.copytree(file.parent, evil)

    def swapped(*asked: Any) -> Any:
        file.parent.rename(tmp_path / "aside")
        evil.rename(file.parent)
        try:
            return _stream_of(*asked)
        finally:
            file.parent.rename(evil)
            (tmp_path / "aside").rename(file.parent)

    with patch("dubgate.renewing._stream_of", swapped), pytest.raises(ChangedError):
        renewed(sounding, sounding_certificate, file=file)


def test_the_judged_file_itself_need_not_be_read_again(place: Place, certificate: Path) -> None:
    with patch("dubgate.renewing._stream_of", side_effect=AssertionError("read again")):
        assert renewed(place, certificate, file=place.file)


def test_what_was_signed_and_has_ended_is_not_renewable_at_all(place: Place, certificate: Path) -> None:
    opened = open_certificate(certificate.read_bytes(), place.trust, SOON, "certificate")
    ended = SignedPart("urn:dubgate:approval:1.0", (), SOON)
    with Registry.open(str(place.world.registry), read_only=True) as held:
        origin = held.head().origin
        with held.view() as view:
            assert require_renewable(opened, (), view, origin, SOON)
            with pytest.raises(refusals.ConsentEnded, match="a signed approval"):
                require_renewable(opened, (ended,), view, origin, SOON)


@pytest.mark.usefixtures("_here")
def test_a_packages_certificate_is_renewed_with_its_masters(
    sounding: Place, sounding_certificate: Path, samples: Path, tmp_path: Path
) -> None:
    from dubgate.packaging import PackageRequest, certify_package

    sound = read_sound(samples / "clean" / "dub.flac", 0.0, 3.0)
    manifest = make_package(tmp_path / "p", [sound], names=[LABEL])
    request = PackageRequest(sounding_certificate, sounding.file, manifest)
    registry = str(sounding.world.registry)
    first = certify_package(request, sounding.trust, registry, sounding.gate(), tmp_path, clock=lambda: SOON)
    with pytest.raises(refusals.Expired):
        sounding.verified(first.certificate, file=manifest, now=AT + 30 * HOUR)
    made = renewed(sounding, first.certificate, at=SOON + HOUR)
    for file in (manifest, manifest.parent):
        verified = sounding.verified(made.certificate, file=file, now=AT + 30 * HOUR, registry=registry)
        assert verified.package_id is not None
    own, sign_first = sounding.copied(tmp_path / "own"), signed_by_renewing

    def withdraw(*asked: Any) -> bytes:
        grant = grant_of(own)
        add(own, event(EventKind.WITHDRAWN, "grant", grant.grant_id, grant.granted_by, SOON), SOON + HOUR)
        return sign_first(*asked)

    with patch("dubgate.renewing._signed", withdraw), pytest.raises(refusals.ConsentEnded):
        renewed(own, first.certificate, at=SOON + HOUR, annex=sounding_certificate.with_name("annex.json").read_bytes())


def test_root_keys_and_signers_are_what_the_tests_say(place: Place) -> None:
    assert isinstance(place.trust.gates[0].key, SigningKey)


# faults


def test_a_clock_set_back_or_a_registry_that_is_gone_renews_nothing(place: Place, certificate: Path) -> None:
    add(
        place,
        Refusal(refusal_id="r-later", by="rival", title_ids=("last-train",), not_before=NOW, words={"en": "No."}),
        SOON,
    )
    with pytest.raises((RegistryError, refusals.Refused)):
        renewed(place, certificate, at=AT + HOUR)
    place.world.registry.unlink()
    with pytest.raises(RegistryError):
        renewed(place, certificate)


def test_a_full_disk_leaves_the_old_certificate_whole(
    place: Place, certificate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = certificate.read_bytes()
    made = Renewed(b"new", SOON, ())
    keys = ["--trust", str(place.trust_file(tmp_path)), "--root", key_of(place.keys.root).public]
    asked = ["renew", str(certificate), "--registry", str(place.world.registry), *keys, "--as", "op-1"]
    asked += ["--key", "k", "--ledger-key", "k", "--seen", str(tmp_path / "seen.json")]
    with (
        patch("dubgate.cli.renew.signing_gate"),
        patch("dubgate.renewing.renew", return_value=made),
        patch("dubgate.verifying.datetime", Standing),
        patch("dubgate.certifying.os.fsync", side_effect=OSError(28, "No space left on device")),
    ):
        assert run(asked) == 2
    assert "No space left" in capsys.readouterr().err
    assert certificate.read_bytes() == before
    assert [p for p in certificate.parent.iterdir() if "partial" in p.name] == []


class Standing(datetime):
    """A clock that stands at SOON."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return SOON


def test_the_command_renews_warns_and_refuses(
    place: Place, certificate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = ["--trust", str(place.trust_file(tmp_path)), "--root", key_of(place.keys.root).public]
    asked = ["renew", str(certificate), "--registry", str(place.world.registry), *keys]
    asked += ["--seen", str(tmp_path / "seen.json"), "--format", "json"]
    signing = ["--as", "op-1", "--key", "k", "--ledger-key", "k", "--out", str(tmp_path / "new.json")]
    with (
        patch("dubgate.cli.renew.signing_gate", lambda *a: place.gate()),
        patch("dubgate.renewing.datetime", Standing),
        patch("dubgate.verifying.datetime", Standing),
        patch("dubgate.renewing.renew.__kwdefaults__", {"file": None, "clock": lambda: SOON}),
        patch("dubgate.renewing.renewal_warnings.__kwdefaults__", {"ahead": HOUR, "clock": lambda: SOON}),
    ):
        assert run([*asked, "--warn"]) == 0
        assert json.loads(capsys.readouterr().out) == {"warnings": []}
        assert run([*asked, "--warn", "--hours", "8760"]) == 3
        assert run([*asked]) == 2
        capsys.readouterr()
        assert run([*asked, *signing]) == 0
        assert json.loads(capsys.readouterr().out)["certificate"].endswith("new.json")
        grant = grant_of(place)
        add(place, event(EventKind.WITHDRAWN, "grant", grant.grant_id, grant.granted_by, SOON), SOON)
        assert run([*asked, *signing]) == 1
        assert json.loads(capsys.readouterr().out)["reason"] == "consent-ended"
    assert place.verified((tmp_path / "new.json").read_bytes(), now=SOON + HOUR)


def test_a_renewal_that_proves_another_release_does_not_stand(place: Place, certificate: Path, tmp_path: Path) -> None:
    other = place.certified(tmp_path / "other", at=AT + HOUR).verdict.claim.ledger
    assert other is not None
    with patch("dubgate.renewing._resting_on", lambda opened: (other.proofs[0].index,)):
        made = renewed(place, certificate)
    assert place.verified(made.certificate, now=SOON + HOUR)
    with pytest.raises(refusals.LedgerRewritten, match="renews another release"):
        place.verified(made.certificate, now=SOON + HOUR, registry=str(place.world.registry))
