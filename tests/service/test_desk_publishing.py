"""From the desk to the audience: what is signed there releases, and what is taken back there stops, at once and for certain."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desked import AT, Desked, desked, stated
from made_certificate import LATER, Place, key_of
from made_delivery import SHEET, SOUNDS, features
from made_service import Api, House

from consent.requests import Request, RequestKind, Wanted
from consent.web import accounts, sessions
from dubgate.certificate.refusals import Refused
from dubgate.features import ProgrammeFeatures
from dubgate.measure.content import measure_content
from dubgate.measure.level import measure_level
from dubgate.service.settings import Desk
from dubgate.unmeasured import Unmeasured

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "http://localhost:8080"


def at_the_mounted_desk(api: Api, party: str) -> Any:
    """Somebody signed in at the desk below the API."""
    from starlette.testclient import TestClient
    from world import Visit

    desk = next(r.app for r in api.client.app.routes if getattr(r, "path", "") == "/desk").state.desk
    account = accounts.add_account(desk, party, f"{party}@example.org")
    client = TestClient(api.client.app, base_url=f"{ORIGIN}/desk", headers={"origin": ORIGIN}, follow_redirects=False)
    client.cookies.set(sessions.COOKIE, sessions.start(desk, account.account_id, "passkey"))
    return Visit(None, client, account, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("what", ["a consent", "an approval"])
def test_a_withdrawal_in_the_desk_stops_may_publish_at_once(what: str, released_house: House, tmp_path: Path) -> None:
    house = released_house.copied(tmp_path / "released")
    desk = Desk(origin=ORIGIN, tables=str(tmp_path / "desk.db"), outbox=tmp_path / "outbox")
    with house.api(desk=desk) as api:
        assert api.ask().json()["publish"] is True
        house.clock.forward(minutes=1)
        if what == "a consent":
            grant = house.place.world_grants()[0]
            party, path, fields = grant.granted_by, f"/grants/{grant.grant_id}/withdraw", {"sure": "1"}
            page = path
        else:
            with api.state.registry.view() as view:
                [approval] = [h.approval for h in view.approvals(["last-train"])]
            page = f"/approvals/{approval.approval_id}"
            party, path, fields = approval.by, f"{page}/withdraw", {"reason": "No."}
        assert api.ask().json()["publish"] is True
        at_the_mounted_desk(api, party).send(path, page, **fields)
        answer = api.ask()
        assert answer.status_code == 403
        assert (answer.json()["publish"], answer.json()["reason"]) == (False, "consent-ended")


def approve(made: Desked, request_id: str = "rq-1") -> None:
    holder = made.visit("kestrel-desk")
    where = holder.send(f"/requests/{request_id}/approve", f"/requests/{request_id}", decision="approve")
    assert holder.sign(where).status_code == 303


def answer(made: Desked, party: str, rule: str, **said: str) -> str:
    """What the gate decides after somebody's signed answers to all that this rule leaves open."""
    visit = made.visit(party)
    for key in made.open_findings(rule):
        where = visit.send(
            "/deliveries/d-1/answer", "/deliveries/d-1", finding=key, words="Heard it all.", days="30", **said
        )
        assert visit.sign(where).status_code == 303
    last = made.gate.last("d-1")
    assert last is not None
    return last.decision


def too_loud() -> ProgrammeFeatures:
    heard = features()
    return replace(heard, dub=replace(heard.dub, levels=replace(heard.dub.levels, true_peak_dbtp=-0.2)))


def _blocking(place: Place) -> None:
    pack = place.world.folder / "house.yaml"
    pack.write_text(
        pack.read_text().replace("severity: hold", "severity: block").replace("outcome: hold", "outcome: block")
    )


@pytest.mark.parametrize("refused", [False, True], ids=["approved", "refused"])
def test_a_blocked_sound_is_waived_by_two_approvers_and_certified_and_a_refused_one_stays_blocked(
    refused: bool, house: House, tmp_path: Path
) -> None:
    _blocking(house.place)
    with desked(house.place) as made:
        made.heard = too_loud()
        assert made.decision() == "block"
        if refused:
            made.visit("kestrel-desk").send("/requests/rq-1/refuse", "/requests/rq-1", reason="Not this film.")
        else:
            approve(made)
        assert made.decision() == "block"
        assert answer(made, "creative", "HOU-PEAK", kind="waive", reason="creative intent") == "block"
        assert made.outcome("HOU-PEAK") == {"block"}
        decided = answer(made, "supervisor", "HOU-PEAK", kind="waive", reason="creative intent")
        assert made.outcome("HOU-PEAK") == {"waived"}
        assert decided == ("block" if refused else "release")
        certified = made.certified(tmp_path / "verdict")
    if refused:
        with pytest.raises(Refused):
            house.place.verified(certified.certificate)
    else:
        assert house.place.verified(certified.certificate, annex=certified.annex).n_signed == 3


def _language_rule(place: Place) -> None:
    """The shipped rule on the language of the lines, in the house's pack."""
    shipped = (ROOT / "rules" / "quality-lipsync.yaml").read_text(encoding="utf-8")
    rule = shipped[shipped.index("  - id: TXT-LANGUAGE") :]
    end = rule.find("\n  - id:", 1)
    pack = place.world.folder / "house.yaml"
    own = (
        pack.read_text(encoding="utf-8")
        .replace("schema: pack/1.0", "schema: pack/1.2")
        .replace("\nrules:", "\nstatus: verified\nrules:")
    )
    pack.write_text(own + (rule if end < 0 else rule[: end + 1]), encoding="utf-8")


def _other_bytes(heard: ProgrammeFeatures) -> ProgrammeFeatures:
    assert heard.published is not None
    return replace(heard, published=replace(heard.published, packet_sha256="7" * 64))


def test_a_dub_that_no_model_understands_is_held_attested_by_ear_and_released_and_another_byte_is_held_again(
    house: House,
) -> None:
    _language_rule(house.place)
    with desked(house.place) as made:
        made.heard = replace(features(), dub=replace(features().dub, words=Unmeasured("no model hears this language")))
        made.judge = {
            "measuring": lambda heard, sheet: (*measure_level(heard), *measure_content(heard, sheet)),
            "sheet": replace(SHEET, cues=SHEET.cues[::3]),
        }
        made.gate.judge("d-1")
        approve(made)
        assert made.decision() == "hold"
        assert made.outcome("TXT-LANGUAGE") == {"unknown"}
        assert answer(made, "ear", "TXT-LANGUAGE", kind="attest", agreed="yes") == "release"
        made.heard = _other_bytes(made.heard)
        assert made.decision() == "block"  # the approval is of another sound
        assert made.outcome("TXT-LANGUAGE") == {"unknown"}
        made.registry.add(_asked_again(made))
        approve(made, "rq-2")
        assert made.decision() == "hold"


def _asked_again(made: Desked) -> Request:
    from desked import BEFORE, asked_for

    release = asked_for(stated(made.place.world.approval(sounds=SOUNDS))).model_copy(
        update={"packets_sha256": "7" * 64}
    )
    wanted = Wanted(what=RequestKind.APPROVAL, rule="RH-001", about="programme", question="And this sound?")
    term = {"asked_at": BEFORE, "expires_at": AT}
    return Request(request_id="rq-2", to="kestrel", asked_by="polyglot", release=release, wanted=(wanted,), **term)


def verify(place: Place, folder: Path, certificate: Path, *more: object) -> int:
    """`dubgate verify` in a process of its own, a few minutes after the certificate was made."""
    trust = folder / "trust.json" if (folder / "trust.json").exists() else place.trust_file(folder)
    use = ["verify", certificate, place.file, "--territory", "DE", "--channel", "svod", "--trust", trust]
    asked = [*use, "--root", key_of(place.keys.root).public, "--seen", folder / "seen", *more]
    program = ROOT / "tests" / "certificate" / "dubgate_at.py"
    environment = os.environ | {"DUBGATE_TEST_AT": LATER.isoformat(), "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, program, *map(str, asked)], check=False, env=environment).returncode


def _bent(data: Any, change: Callable[[bytes], bytes]) -> Any:
    """The same JSON, with every envelope's payload changed."""
    if isinstance(data, dict):
        return {k: _payload(v, change) if k == "payload" else _bent(v, change) for k, v in data.items()}
    return [_bent(x, change) for x in data] if isinstance(data, list) else data


def _payload(text: str, change: Callable[[bytes], bytes]) -> str:
    return base64.b64encode(change(base64.b64decode(text))).decode()


SHOWN, CHANGED = "AI voices in 3 of 3 roles", "AI voices in 2 of 3 roles"


def test_a_release_on_an_approval_made_in_the_browser_verifies_and_no_more_after_one_character_that_was_shown_changed(
    house: House, tmp_path: Path
) -> None:
    sys.path.insert(0, str(ROOT / "tests" / "web"))
    from chromium import answering, chromium, free_port, person

    port = free_port()
    with chromium() as browser, desked(house.place, f"http://localhost:{port}") as made:
        assert made.decision() == "block"
        with answering(made.app, port), person(browser, made, "kestrel-desk") as holder:  # type: ignore[arg-type]
            holder.go("/requests/rq-1")
            assert SHOWN in holder.page.inner_text("main")
            holder.page.click("text=Go on to sign")
            holder.page.wait_for_url("**/sign/**")
            assert SHOWN in holder.page.inner_text("main")
            holder.page.click("form[data-passkey] button")
            holder.page.wait_for_url("**said=approved")
        assert made.decision() == "release"
        certified = made.certified(tmp_path / "verdict")
    place, registry = house.place, house.registry
    assert verify(place, tmp_path, certified.certificate, "--annex", certified.annex, "--registry", registry) == 0
    annex = tmp_path / "annex.json"
    bent = _bent(json.loads(certified.annex.read_bytes()), lambda said: said.replace(SHOWN.encode(), CHANGED.encode()))
    annex.write_text(json.dumps(bent), encoding="utf-8")
    assert verify(place, tmp_path, certified.certificate, "--annex", annex) == 1
    with sqlite3.connect(registry) as connection:
        connection.execute("DROP TRIGGER entry_no_update")
        said = "UPDATE entry SET body = replace(body, ?, ?) WHERE schema_name = 'consent-approval/1.0'"
        assert connection.execute(said, (SHOWN, CHANGED)).rowcount > 0
    assert verify(place, tmp_path, certified.certificate, "--registry", registry) == 1
