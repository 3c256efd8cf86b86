"""What a performer is asked, and what their page offers for it: their own voice only, and nothing that was not asked for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from world import OTHER_SOUND, START, Visit, World, grant, request

from consent.events import Event
from consent.requests import RequestKind, Wanted
from consent.vocabulary import EventKind
from consent.web.protocols import Finding

EXCERPT = "/deliveries/d-1/excerpt/dub?start={}&end={}"


def ask(world: World, party: str, *kinds: RequestKind, number: str = "rq-own", sound: str | None = None) -> str:
    wanted = tuple(Wanted(what=k, rule="CON-030", about="character:MARA", question="Is it so?") for k in kinds)
    made = (
        request(number, party, wanted=wanted) if sound is None else request(number, party, sound=sound, wanted=wanted)
    )
    world.registry.add(made)
    return f"/requests/{number}"


def test_whose_voice_was_hit_hears_the_place_and_says_not_me_on_the_page_of_the_request(world: World) -> None:
    berta, path = world.visit("berta"), ask(world, "berta", RequestKind.ATTESTATION)
    page = berta.get(path)
    assert "This is not my voice" in page
    assert 'name="finding" value="k-hit"' in page
    assert "/deliveries/d-1/excerpt/dub?start=2.50&amp;end=4.00" in page
    assert berta.client.get(EXCERPT.format(2.5, 4.0)).status_code == 200
    fields = {"finding": "k-hit", "kind": "attest", "days": "180", "agreed": "yes", "words": "This is not my voice."}
    berta.sign(berta.send("/deliveries/d-1/answer", path, **fields))
    assert next(f.outcome for f in world.gate.findings["d-1"] if f.key == "k-hit") == "pass"
    assert "This is not my voice" not in berta.get(path)


def test_nobody_else_is_asked_about_it_or_hears_the_place(world: World) -> None:
    """Ada is cast in the delivery, and the hit is of another's voice."""
    berta = ask(world, "berta", RequestKind.ATTESTATION)
    for party in ("ada", "hana", "op-1"):
        world.visit(party).get(berta, 404)
    hana = world.visit("hana").get("/requests/rq-1")
    assert "This is not my voice" not in hana
    about = (
        "CON-030",
        "consent",
        "unknown",
        "MARA could not be compared.",
        "MARAを照合できません。",
        "character",
        "MARA",
    )
    world.gate.findings["d-1"].append(Finding("k-cast", *about, answers=("attest",)))  # type: ignore[arg-type]
    ada, path = world.visit("ada"), ask(world, "ada", RequestKind.ATTESTATION, number="rq-ada")
    page = ada.get(path)
    assert "This is not my voice" not in page
    assert "Yes, this is my voice" in page
    hit = {"finding": "k-hit", "kind": "attest", "agreed": "yes", "words": "It is not Berta."}
    assert ada.post("/deliveries/d-1/answer", path, **hit).status_code == 404
    assert ada.send("/deliveries/d-1/answer", path, **{**hit, "finding": "k-cast"}).startswith("/sign/")


@pytest.mark.parametrize(("start", "end"), [(2.4, 4.0), (2.5, 4.2), (9.0, 10.0), (0.0, 30.0)])
def test_of_a_hit_its_owner_hears_no_more_than_the_place(world: World, start: float, end: float) -> None:
    """Where nobody asked her about the sound, its clips are not hers either."""
    berta = world.visit("berta")
    assert berta.client.get(EXCERPT.format(2.5, 4.0)).status_code == 200
    assert berta.client.get(EXCERPT.format(start, end)).status_code == 404


def offered(visit: Visit, path: str) -> tuple[bool, bool, bool]:
    """Whether a page offers a consent, the voice's page, an answer by ear."""
    page = visit.get(path)
    return f'action="{path}/grant"' in page, 'href="/voices/v-ada">Go to v-ada' in page, "/answer" in page


def test_what_is_offered_is_what_was_asked_for(world: World) -> None:
    ada = world.visit("ada")
    assert offered(ada, ask(world, "ada", RequestKind.GRANT, number="rq-g"))[:2] == (True, False)
    for k, kind in enumerate((RequestKind.ENROLMENT, RequestKind.PERMISSION)):
        assert offered(ada, ask(world, "ada", kind, number=f"rq-v{k}"))[:2] == (False, True)


def test_an_agent_is_offered_no_consent_that_only_the_voices_owner_can_sign(world: World) -> None:
    agnes = world.visit("agnes")
    assert offered(agnes, ask(world, "agnes", RequestKind.GRANT))[0] is False


def test_a_voice_that_does_not_speak_in_it_is_not_offered(world: World) -> None:
    assert offered(world.visit("berta"), ask(world, "berta", RequestKind.GRANT))[0] is False


def test_where_nobody_says_who_speaks_in_it_every_own_voice_is_offered(world: World) -> None:
    assert offered(world.visit("berta"), ask(world, "berta", RequestKind.GRANT, sound="7" * 64))[0] is True


def test_a_request_says_in_its_first_sentence_what_is_asked_and_not_always_an_approval(world: World) -> None:
    ada = world.visit("ada")
    page = ada.get(ask(world, "ada", RequestKind.ENROLMENT, RequestKind.PERMISSION))
    assert "asks you for your word whether a recording is of your voice and your permission to compare a voice" in page
    assert "asks you to let" not in page
    assert "asks you to let" in world.visit("hana").get("/requests/rq-1")
    ada.client.post("/language", data={"language": "ja", "next": "/"})
    japanese = world.visit("ada").get("/requests/rq-own")
    assert "録音があなたの声かどうかの確認および声の照合の許可です" in japanese
    assert '<span class="note"><span lang="en">Is it so?</span></span>' in japanese
    assert "登場人物 MARA" in japanese


def test_requests_about_one_title_are_told_apart(world: World) -> None:
    world.registry.add(request("rq-3", sound=OTHER_SOUND))
    page = world.visit("hana").get("/requests")
    assert "d-1 · 20 Nov 2026 12:00 UTC" in page
    assert "d-1 · 20 Nov 2026 12:00 UTC" in world.visit("hana").get("/")
    assert 'aria-label="Moon over Harbour, English, d-1"' in page


def test_until_when_to_answer_is_told_to_the_minute(world: World) -> None:
    for page in ("/", "/requests", "/requests/rq-1"):
        shown = world.visit("hana").get(page)
        assert re.search(
            r'<time datetime="[^"]+Z" data-own="your clock">(until )?\d+ \w+ \d+ \d\d:\d\d UTC</time>', shown
        )


def test_a_consent_whose_term_is_over_is_not_counted_as_standing(world: World) -> None:
    ada, begun = world.visit("ada"), datetime(2024, 1, 1, tzinfo=UTC)
    assert "1 of 1 consents stand" in ada.get("/voices")
    for name, ends, said in (
        ("g-over", START - timedelta(seconds=1), "1 of 2"),
        ("g-new", START + timedelta(days=400), "2 of 3"),
    ):
        given = Event(event_id=f"ev-{name}", target="grant", target_id=name, kind=EventKind.GIVEN, effective_at=begun, by="ada")  # fmt: skip
        world.registry.add(grant(name, not_before=begun, not_after=ends), given)
        assert f"{said} consents stand" in ada.get("/voices")
