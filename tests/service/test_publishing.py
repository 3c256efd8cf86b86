"""may-publish: yes for the one right use of the one right file, and for everything else a no with its own reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from made_certificate import LATER, VALID, key_of, with_gate
from made_service import Api, House, settings_of
from sqlalchemy import delete, func, select, text, update
from test_jobs_survive import queued
from test_races import give_again, withdraw

from consent.registry import Registry
from consent.releases import ReleaseDecision
from consent.titles import Refusal
from dubgate import standing
from dubgate.certificate.claim import LEVEL
from dubgate.certificate.dsse import new_private_key, signer_of
from dubgate.certificate.keys import trust_store_bytes
from dubgate.certificate.refusals import OutsideWindow
from dubgate.certificate.trust import TrustStore, Validity
from dubgate.service import publishing
from dubgate.service.database import changing
from dubgate.service.tables import CERTIFICATE, STANDING
from dubgate.service.trusting import TrustFile


@pytest.fixture
def api(released_house: House, tmp_path: Path) -> Iterator[Api]:
    """The service of a house whose delivery was released a moment ago."""
    with released_house.copied(tmp_path / "released").api() as opened:
        yield opened


def refused(api: Api, reason: str, **use: Any) -> dict[str, Any]:
    """The answer, which is a refusal for this reason."""
    answer = api.ask(**use)
    assert answer.status_code == 403, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["publish"], body["reason"]) == (False, reason), body
    return body


def test_the_right_use_may_be_published_and_the_answer_says_for_what_and_until_when(api: Api) -> None:
    answer = api.ask()
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["publish"] is True
    assert body["expires_at"] == "2026-12-03T12:00:00.000000Z"
    assert "DE" in body["territories"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("reason", "use"),
    [
        ("no-certificate", {"digest": "0" * 64}),
        ("other-territory", {"territory": "JP"}),
        ("other-territory", {"territory": "001"}),
        ("other-channel", {"channel": "avod"}),
        ("other-partner", {"partner": "netflix"}),
        ("other-partner", {"partner": "x-ours"}),
        ("other-language", {"language": "fr"}),
        ("other-language", {"language": "en-GB"}),
    ],
)
def test_another_use_is_refused_with_its_own_reason(reason: str, use: dict[str, str], api: Api) -> None:
    body = refused(api, reason, **use)
    if reason == "no-certificate":
        assert body.get("largest_scope") is None
    else:
        assert "DE" in body["largest_scope"]["territories"]
        assert body["largest_scope"]["channels"] == ["svod"]


@pytest.mark.parametrize("lacking", ["digest", "territory", "channel", "language", "at"])
def test_a_question_without_its_use_is_incomplete(lacking: str, api: Api) -> None:
    answer = api.client.get("/v1/may-publish", params={}, headers=api.pipeline)
    assert answer.json()["missing"] == ["digest", "territory", "channel", "language", "at"]
    asked = {"digest": "0" * 64, "territory": "DE", "channel": "svod", "language": "en", "at": "now", lacking: ""}
    answer = api.client.get("/v1/may-publish", params=asked, headers=api.pipeline)
    assert answer.status_code == 422
    assert answer.json()["reason"] == "incomplete-use"
    assert answer.json()["missing"] == [lacking]


@pytest.mark.parametrize(
    "use",
    [
        {"digest": "0" * 63}, {"digest": "A" * 64}, {"territory": "XX"}, {"territory": "de"}, {"channel": "SVOD"},
        {"language": "und"}, {"language": "x" * 99}, {"at": "yesterday"}, {"at": "2026-12-02T12:00:00"},
        {"at": "2026-12-02T11:00:00Z"}, {"at": "2026-12-04T12:00:01Z"}, {"at": "9999-99-99T00:00:00Z"}, {"more": "1"},
        {"partner": ""}, {"partner": "netflicks"}, {"partner": "X-OURS"},
    ],
)  # fmt: skip
def test_a_malformed_question_is_no_yes(use: dict[str, str], api: Api) -> None:
    answer = api.ask(**use)
    assert answer.status_code in (403, 422), answer.text
    assert (answer.json()["publish"], answer.json()["reason"]) == (False, "malformed")


def test_a_repeated_parameter_is_malformed(api: Api) -> None:
    params = [("digest", api.house.digest()), ("territory", "DE"), ("territory", "JP"), ("channel", "svod"), ("language", "en"), ("at", "now")]  # fmt: skip
    assert api.client.get("/v1/may-publish", params=params, headers=api.pipeline).status_code == 422


def test_a_partner_whom_the_holder_approved_by_name_may_publish_and_no_other(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = publishing.read_facts
    monkeypatch.setattr(publishing, "read_facts", lambda text: replace(read(text), partners=frozenset({"netflix"})))
    answer = api.ask(partner="netflix")
    assert answer.status_code == 200
    assert answer.json()["partners"] == ["netflix"]
    assert refused(api, "other-partner", partner="prime_video")["largest_scope"]["partners"] == ["netflix"]
    assert "not said who publishes" in str(refused(api, "other-partner"))


def test_a_row_of_before_partners_is_read_as_naming_none() -> None:
    from dubgate.service.certificates import Facts, read_facts

    told = dict.fromkeys(Facts.__slots__) | {"territories": ["DE"], "channels": ["svod"], "reasons": []}
    told.pop("partners")
    assert read_facts(json.dumps(told)).partners == frozenset()
    named = replace(read_facts(json.dumps(told)), partners=frozenset({"netflix"}))
    assert read_facts(named.text()).partners == {"netflix"}


def test_the_partners_of_a_certificates_scope_are_what_is_compared() -> None:
    from made_vectors import CLAIM, NOW, TRUST, Made

    from dubgate.certificate.file import open_certificate
    from dubgate.service.certificates import facts_of

    assert CLAIM.scope is not None
    document = Made().with_claim(scope=replace(CLAIM.scope, partners=("netflix",))).data()
    facts = facts_of(open_certificate(document, TRUST, NOW, "c"), document, TRUST, "polyglot", "job-1")
    assert facts.partners == {"netflix"}


# Time


def test_what_expired_is_not_published_and_nothing_is_told_to_be_taken_down(api: Api) -> None:
    api.house.clock.forward(hours=24)
    refused(api, "expired")
    assert api.client.get("/v1/messages", headers=api.vendor).json()["items"] == []


def test_a_moment_after_the_expiry_is_refused_though_now_would_do(api: Api) -> None:
    api.house.clock.forward(hours=1)
    assert api.ask(at="2026-12-03T11:59:00Z").status_code == 200
    refused(api, "expired", at="2026-12-03T12:00:00Z")


def test_a_certificate_that_is_dated_later_than_now_is_refused(api: Api) -> None:
    api.house.clock.forward(minutes=-1)
    refused(api, "not-yet-valid")


def test_what_is_planned_to_end_ends_at_that_moment_and_is_no_longer_for_what_comes_after(api: Api) -> None:
    from consent.consequences import record_ending
    from consent.vocabulary import EventKind

    grant = api.house.place.world_grants()[0]
    end = api.house.clock() + timedelta(minutes=30)
    with Registry.open(api.house.registry, clock=api.house.clock) as registry:
        record_ending(registry, f"grant:{grant.grant_id}", EventKind.WITHDRAWN, by=grant.granted_by, effective_at=end)
    refused(api, "consent-ended")  # the window that is still to come is not covered any more


# Consents


def test_after_a_withdrawal_it_is_refused_at_once_and_after_a_new_giving_it_may_be_published_again(api: Api) -> None:
    for _ in range(3):
        assert api.ask().status_code == 200
        withdraw(api.house)
        body = refused(api, "consent-ended")
        assert "CON-002" in body["detail"]
        assert body.get("largest_scope") is None
        give_again(api.house)


def test_a_standing_refusal_stops_it_at_once(api: Api) -> None:
    assert api.ask().status_code == 200
    refusal = {
        "refusal_id": "r-now", "by": "kestrel", "title_ids": ["last-train"], "words": {"en": "Not this one."},
        "not_before": "2026-11-15T09:00:00Z",
    }  # fmt: skip
    with Registry.open(api.house.registry, clock=api.house.clock) as registry:
        registry.add(Refusal.model_validate_json(json.dumps(refusal)))
    assert "CON-005" in refused(api, "standing-refusal")["detail"]


def test_a_key_that_signed_the_approval_and_is_revoked_stops_it(api: Api) -> None:
    from consent.consequences import record_ending
    from consent.vocabulary import EventKind

    assert api.ask().status_code == 200
    with Registry.open(api.house.registry, clock=api.house.clock) as registry:
        record_ending(registry, "key:k-kestrel", EventKind.REVOKED, by="kestrel")
    assert "RH-002" in refused(api, "consent-ended")["detail"]


def test_an_unrelated_entry_asks_nothing_anew(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from consent.parties import Party
    from consent.vocabulary import Role

    assert api.ask().status_code == 200
    with Registry.open(api.house.registry, clock=api.house.clock) as registry:
        registry.add(Party(party_id="newcomer", roles=(Role.REVIEWER,), person=True))
    monkeypatch.setattr(publishing, "ask_whole", lambda *a: pytest.fail("asked whole"))
    assert api.ask().status_code == 200


def test_whatever_was_remembered_it_is_asked_whole_again_after_an_hour(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    whole = publishing.ask_whole
    monkeypatch.setattr(publishing, "ask_whole", lambda *a: (asked.append(a), whole(*a))[1])
    assert api.ask().status_code == 200
    assert asked == []
    api.house.clock.forward(hours=1)
    assert api.ask().status_code == 200
    assert len(asked) == 1


# The index is believed under its seal only

TAMPERING: dict[str, Callable[[dict[str, Any]], Any]] = {
    "territories": lambda facts: facts | {"territories": [*facts["territories"], "JP"]},
    "expires_at": lambda facts: facts | {"expires_at": "2099-01-01T00:00:00.000000Z"},
    "channels": lambda facts: facts | {"channels": ["avod", "svod"]},
    "language": lambda facts: facts | {"language": "fr"},
}


def _tampered(api: Api, **columns: Any) -> None:
    with changing(api.state.engine) as connection:
        for action in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER service_certificate_no_{action}"))
        connection.execute(update(CERTIFICATE).values(**columns))


def _facts(api: Api) -> dict[str, Any]:
    with api.state.engine.connect() as connection:
        return dict(json.loads(connection.execute(text("SELECT facts FROM service_certificate")).scalar_one()))


@pytest.mark.parametrize(
    ("field", "use"),
    [("territories", {"territory": "JP"}), ("channels", {"channel": "avod"}), ("language", {"language": "fr"})],
)
def test_a_row_that_was_widened_in_the_database_widens_nothing(field: str, use: dict[str, str], api: Api) -> None:
    _tampered(api, facts=json.dumps(TAMPERING[field](_facts(api))))
    refused(
        api, {"territories": "other-territory", "channels": "other-channel", "language": "other-language"}[field], **use
    )
    assert api.ask().status_code == 200  # by its document, verified whole


def test_a_row_whose_expiry_was_moved_still_expires(api: Api) -> None:
    _tampered(api, facts=json.dumps(TAMPERING["expires_at"](_facts(api))))
    api.house.clock.forward(hours=24)
    refused(api, "expired")


def test_a_row_that_was_pointed_at_other_bytes_is_refused(api: Api) -> None:
    other = "1" * 64
    _tampered(api, file_sha256=other, facts=json.dumps(_facts(api) | {"file_sha256": other}))
    refused(api, "malformed", digest=other)


def test_a_row_under_a_seal_that_was_moved_to_other_bytes_is_refused(api: Api) -> None:
    """The column that is searched is not under the seal; the digest in the facts is."""
    other = "1" * 64
    _tampered(api, file_sha256=other)
    refused(api, "malformed", digest=other)


def test_a_document_that_was_altered_is_refused_where_the_seal_does_not_hold(api: Api) -> None:
    document = api.client.get(f"/v1/certificates/{_facts(api)['certificate_id']}", headers=api.vendor).json()
    document["verdict"]["signatures"][0]["sig"] = "AAAA" + document["verdict"]["signatures"][0]["sig"][4:]
    _tampered(api, seal="0" * 64, document=json.dumps(document).encode())
    refused(api, "bad-signature")


def test_a_standing_that_nobody_sealed_is_asked_anew(api: Api) -> None:
    withdraw(api.house)
    with changing(api.state.engine) as connection:
        size = connection.execute(text("SELECT max(leaf_index) + 1 FROM entry")).scalar_one()
        connection.execute(update(STANDING).values(asked_size=size, until="2099-01-01T00:00:00.000000Z"))
    refused(api, "consent-ended")


def test_a_row_that_names_no_document_or_anothers_is_damaged(api: Api) -> None:
    _tampered(api, facts=json.dumps(_facts(api) | {"certificate_id": "0" * 64}))
    refused(api, "malformed")
    with changing(api.state.engine) as connection:  # the document lies under another name than its own
        connection.execute(update(CERTIFICATE).values(certificate_id="0" * 64))
    refused(api, "malformed")


def test_a_document_under_another_name_than_its_own_gives_no_facts(api: Api) -> None:
    other = "0" * 64
    _tampered(api, certificate_id=other, facts=json.dumps(_facts(api) | {"certificate_id": other}), seal="0" * 64)
    asked = api.state.publishing
    assert asked.trust is not None
    now = api.house.clock()
    [row] = asked._found(api.house.digest(), frozenset({"polyglot"}))
    with pytest.raises(publishing.Malformed, match="another certificate than its document"):
        asked._verified(row, asked.trust.store(now), now)


@pytest.mark.parametrize("at", [-1, 0, 1, None])
def test_a_release_is_published_in_its_window_only(at: int | None, api: Api) -> None:
    facts = publishing.read_facts(json.dumps(_facts(api)))
    assert facts.window_start is not None
    bounded = replace(facts, window_end=facts.window_start + timedelta(days=1))
    inside = publishing.Use(frozenset({"DE"}), "svod", str(facts.language), bounded.window_start)
    publishing._require_covers(bounded, inside)
    outside = {
        -1: (bounded, facts.window_start - timedelta(seconds=1)),
        0: (bounded, bounded.window_end),
        1: (bounded, facts.window_start + timedelta(days=2)),
        None: (replace(bounded, window_start=None), facts.window_start),
    }
    of, moment = outside[at]
    with pytest.raises(OutsideWindow):
        publishing._require_covers(of, replace(inside, at=moment))


def test_a_lost_standing_is_made_again(api: Api) -> None:
    with changing(api.state.engine) as connection:
        connection.execute(delete(STANDING))
    assert api.ask().status_code == 200
    withdraw(api.house)
    refused(api, "consent-ended")


# Trust


def _trusting(api: Api, store: TrustStore, root: Any = None) -> None:
    place = api.house.place
    path = api.house.folder / "trust.json"
    path.write_bytes(trust_store_bytes(store, signer_of(root or place.keys.root)))
    api.state.publishing.trust = TrustFile(api.house.settings.trust, api.house.folder / "seen.json")  # type: ignore[arg-type]


GATES: dict[str, Callable[[TrustStore], TrustStore]] = {
    "unknown-key": lambda s: with_gate(s, key=key_of(new_private_key())),
    "key-revoked": lambda s: with_gate(
        s, validity=Validity(VALID.not_before, VALID.not_after, LATER - timedelta(minutes=6))
    ),
    "key-not-valid": lambda s: with_gate(s, validity=Validity(VALID.not_before, LATER - timedelta(minutes=6))),
    "wrong-verifier": lambda s: with_gate(s, verifier="urn:somebody:else"),
    "level-not-accepted": lambda s: with_gate(s, levels=(LEVEL,)),
    "unknown-ledger": lambda s: replace(s, ledgers=()),
    "trust-expired": lambda s: replace(s, expires_at=LATER - timedelta(minutes=6)),
}


@pytest.mark.parametrize("reason", GATES)
def test_what_the_trust_store_does_not_trust_is_refused(reason: str, api: Api) -> None:
    _trusting(api, GATES[reason](api.house.place.trust))
    refused(api, reason)


@pytest.mark.parametrize("reason", ["key-not-valid", "key-revoked", "trust-expired"])
def test_what_is_not_trusted_any_more_at_the_moment_asked_for_is_refused_though_now_it_is(
    reason: str, api: Api
) -> None:
    now = api.house.clock()
    soon, later = now + timedelta(hours=1), (now + timedelta(hours=2)).isoformat()
    told = {
        "key-not-valid": lambda s: with_gate(s, validity=Validity(VALID.not_before, soon)),
        "key-revoked": lambda s: with_gate(s, validity=Validity(VALID.not_before, VALID.not_after, soon)),
        "trust-expired": lambda s: replace(s, expires_at=soon),
    }
    _trusting(api, told[reason](api.house.place.trust))
    assert api.ask().status_code == 200
    refused(api, reason, at=later)


def test_a_trust_store_that_is_dated_later_is_refused_though_by_the_moment_asked_for_it_is_not(api: Api) -> None:
    soon, later = api.house.clock() + timedelta(hours=1), (api.house.clock() + timedelta(hours=2)).isoformat()
    _trusting(api, replace(api.house.place.trust, issued_at=soon))
    refused(api, "trust-expired", at=later)


def test_another_key_of_the_same_ledger_does_not_stand_for_the_one_that_signed(api: Api) -> None:
    store = api.house.place.trust
    other = replace(store.ledgers[0], public=key_of(new_private_key()).public)
    _trusting(api, replace(store, ledgers=(other,)))
    refused(api, "unknown-ledger")


def test_a_trust_store_that_somebody_else_signed_is_refused(api: Api) -> None:
    _trusting(api, api.house.place.trust, root=new_private_key())
    refused(api, "trust-unsigned")


def test_an_older_trust_store_that_was_put_back_is_refused(api: Api) -> None:
    _trusting(api, replace(api.house.place.trust, version=2))
    assert api.ask().status_code == 200
    _trusting(api, api.house.place.trust)
    refused(api, "trust-rolled-back")


def test_a_newer_trust_store_is_taken_without_a_restart(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from dubgate.service import trusting

    monkeypatch.setattr(trusting, "LOOK_AGAIN_S", -1.0)
    assert api.ask().status_code == 200
    store = replace(GATES["key-revoked"](api.house.place.trust), version=2)
    (api.house.folder / "trust.json").write_bytes(trust_store_bytes(store, signer_of(api.house.place.keys.root)))
    refused(api, "key-revoked")


def test_without_a_trust_store_nobody_is_believed(house: House) -> None:
    house.settings = house.settings.model_copy(update={"trust": None})
    with house.api() as api:
        api.released()
        refused(api, "no-trust-store")


# Several decisions about the same bytes


THE_NO = CERTIFICATE.c.result == "FAILED"


def facts_of_the_no(api: Api) -> dict[str, Any]:
    """What the index keeps of the one certificate that says no."""
    with changing(api.state.engine) as connection:
        facts: dict[str, Any] = json.loads(connection.execute(select(CERTIFICATE.c.facts).where(THE_NO)).scalar_one())
    return facts


def write_the_no(api: Api, facts: str, seal: str) -> None:
    """Write other facts of it over what the index keeps."""
    with changing(api.state.engine) as connection:
        connection.execute(text("DROP TRIGGER IF EXISTS service_certificate_no_update"))
        connection.execute(update(CERTIFICATE).where(THE_NO).values(facts=facts, seal=seal))


def test_a_later_no_about_the_same_bytes_rules(api: Api) -> None:
    queued(api.house)
    assert api.house.worker(judgement=api.house.blocked()).step()
    assert "CON-031" in refused(api, "failed")["detail"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"reasons": ["CON-012"]}, 200),
        ({"reasons": ["CON-012", "CON-031"]}, 403),
        ({"reasons": ["CON-012", "RH-001"]}, 403),
        ({"reasons": ["CON-012"], "title_id": "another"}, 403),
        ({"reasons": ["CON-012"], "ledger_origin": "another"}, 403),
    ],
    ids=[
        "of a use alone",
        "of the sound too",
        "perhaps of a holder who refused it",
        "as another title",
        "in another registry",
    ],
)
def test_a_later_no_of_a_use_alone_is_passed_by(
    changes: dict[str, Any], status: int, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it ends is told by the ledger, which is left out here."""
    monkeypatch.setattr(standing, "_noes_since", lambda *_: ())
    queued(api.house)
    assert api.house.worker(judgement=api.house.blocked()).step()
    facts = facts_of_the_no(api)
    assert facts["ledger_origin"] == api.state.registry.head().origin
    said = json.dumps(facts | changes, sort_keys=True)
    write_the_no(api, said, api.state.own.seal(said.encode()))
    assert api.ask().status_code == status


@pytest.mark.parametrize("reason", ["unknown-key", "malformed"])
def test_a_later_no_rules_whoever_signed_it_and_what_cannot_be_read_may_be_one(
    reason: str, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate whose new key is not listed yet said no; or the newest row was spoilt. No ledger has that no: it names no title."""
    monkeypatch.setattr(standing, "_noes_since", lambda *_: ())
    queued(api.house)
    assert api.house.worker(judgement=api.house.blocked()).step()
    spoilt = json.dumps(facts_of_the_no(api) | {"keyid": "0" * 64}, sort_keys=True) if reason == "unknown-key" else "{}"
    write_the_no(api, spoilt, api.state.own.seal(spoilt.encode()) if reason == "unknown-key" else "0" * 64)
    refused(api, reason)


def test_a_later_no_that_only_the_ledger_has_rules_at_once(api: Api) -> None:
    """Another gate of this registry said it, or it was about the same sound in another file."""
    assert api.ask().status_code == 200
    with Registry.open(api.house.registry, clock=api.house.clock) as registry:
        with registry.view() as view:
            [release] = view.releases("title:last-train")
        said = {"release_id": "r-no", "decision": ReleaseDecision.HOLD, "certificate_sha256": None, "voices": ()}
        registry.add(release.model_copy(update=said))
    assert "(r-no) and said hold" in refused(api, "failed")["detail"]


def test_a_later_yes_about_the_same_bytes_rules(api: Api) -> None:
    queued(api.house)
    assert api.house.worker(judgement=api.house.blocked()).step()
    api.house.clock.forward(minutes=1)
    api.released()
    assert api.ask().status_code == 200


def test_a_later_yes_for_another_use_does_not_answer_the_no_before_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "_noes_since", lambda *_: ())
    queued(api.house)
    assert api.house.worker(judgement=api.house.blocked()).step()
    api.house.clock.forward(minutes=1)
    api.released()
    with changing(api.state.engine) as connection:
        newest = CERTIFICATE.c.recorded_at == select(func.max(CERTIFICATE.c.recorded_at)).scalar_subquery()
        facts = json.loads(connection.execute(select(CERTIFICATE.c.facts).where(newest)).scalar_one())
        elsewhere = json.dumps(facts | {"territories": ["JP"]}, sort_keys=True)
        values = {"facts": elsewhere, "seal": api.state.own.seal(elsewhere.encode())}
        connection.execute(text("DROP TRIGGER IF EXISTS service_certificate_no_update"))
        connection.execute(update(CERTIFICATE).where(newest).values(**values))
    refused(api, "other-territory")


def test_a_database_that_is_gone_gives_no_answer(api: Api) -> None:
    assert api.ask().status_code == 200
    api.state.engine.dispose()
    for suffix in ("", "-wal", "-shm"):
        path = api.house.place.world.registry.with_name("registry.db" + suffix)
        if path.exists():
            path.rename(path.with_suffix(".gone" + suffix))
    answer = api.ask()
    assert answer.status_code == 503
    assert "publish" not in answer.json()
    assert answer.headers["retry-after"]


def test_the_settings_of_the_test_house_are_the_ones_in_force(house: House) -> None:
    assert settings_of(house.place, house.folder) == house.settings
