"""What a report counts and hands on: the chosen period goes into every file, and nothing old is missing from it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from test_desk_decisions import approvals
from world import START, World

from consent.releases import Release, ReleaseDecision, VoiceUse
from consent.strict import Window
from consent.vocabulary import Channel, Technique
from consent.web import reporting

CELL = '<td data-label="Language">French</td>'


def release(number: str, **changes: Any) -> Release:
    said: dict[str, Any] = {
        "release_id": number,
        "decision": ReleaseDecision.RELEASE,
        "title_id": "moon",
        "language": "en",
        "territories": ("DE",),
        "channels": (Channel.SVOD,),
        "window": Window(start=START, end=START + timedelta(days=30)),
        "packets_sha256": "a" * 64,
        "voices": (VoiceUse(voice_id="v-ada", grant_id="g-ada", technique=Technique.VOICE_CLONE_TTS),),
        "label": "English [AI]",
        "recorded_by": "op-1",
        "decided_at": START,
    }
    return Release(**{**said, **changes})


def stat(page: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page.split('<dl class="stat">')[1].split("</dl>")[0]))


def test_the_chosen_period_stands_in_the_form_and_in_every_file_that_is_downloaded(world: World) -> None:
    world.registry.add(release("r-early"))
    world.later(days=40)
    world.registry.add(release("r-late", decided_at=world.now[0]))
    ada = world.visit("ada")
    page = ada.get("/reports?since=2026-11-01&until=2026-11-30")
    assert 'value="2026-11-30"' in page
    assert stat(page)["Uses"] == "1"
    [link] = re.findall(r'href="(/reports/report\.json[^"]*)"', page)
    told = json.loads(ada.get(link.replace("&amp;", "&")))
    assert [u["release_id"] for u in told["uses"]] == ["r-early"]
    everything = json.loads(ada.get("/reports/report.json?since=2026-11-01"))
    assert [u["release_id"] for u in everything["uses"]] == ["r-late", "r-early"]


def test_without_a_first_day_a_report_goes_back_from_its_last_one(world: World) -> None:
    world.registry.add(release("r-early"))
    world.later(days=300)
    assert stat(world.visit("ada").get("/reports?until=2026-11-30"))["Uses"] == "1"
    assert stat(world.visit("ada").get("/reports"))["Uses"] == "0"


def test_what_was_read_once_is_counted_again_as_it_stands_now(world: World) -> None:
    """The glance at a decision is kept; whether it is still in its window is not."""
    world.registry.add(release("r-1"), release("r-2", decision=ReleaseDecision.BLOCK))
    ada = world.visit("ada")
    assert (stat(ada.get("/reports"))["Uses"], stat(ada.get("/reports"))["Live now"]) == ("2", "1")
    world.registry.add(release("r-3"))
    assert (stat(ada.get("/reports"))["Uses"], stat(ada.get("/reports"))["Live now"]) == ("3", "2")
    world.later(days=31)
    assert stat(world.visit("ada").get("/reports"))["Live now"] == "0"


def test_a_page_is_read_and_counted_from_where_it_begins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "A_PAGE", 2)
    world.registry.add(*(release(f"r-{k}", language="fr" if k == 0 else "en") for k in range(5)))
    ada = world.visit("ada")
    last = ada.get("/reports?start=4")
    assert stat(last)["Uses"] == "5"
    assert last.split("</h2>")[-2].count("<tr>") <= 2
    assert CELL in last
    assert CELL not in ada.get("/reports")


def test_an_old_approval_is_not_hidden_behind_newer_ones(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "A_PAGE", 1)
    hana = world.visit("hana")
    hana.sign(hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve"))
    [first] = approvals(world)
    world.later(days=12)
    hana = world.visit("hana")
    hana.sign(hana.send("/requests/rq-2/approve", "/requests/rq-2", decision="approve"))
    page = hana.get("/reports?since=2026-11-01&until=2026-11-30")
    assert f"/approvals/{first.approval_id}" in page
    assert page.count('href="/approvals/') == 1


def test_every_consent_is_counted_and_not_only_those_that_are_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from world import grant

    world.registry.add(grant("g-more"))
    monkeypatch.setattr(reporting, "A_PAGE", 1)
    page = world.visit("ada").get("/reports")
    assert stat(page)["Consents"] == "2"
    assert page.count('href="/grants/') == 1
