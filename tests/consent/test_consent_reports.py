"""Reports and exports: complete, without names where they are public, escaped for their format."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from consent_examples import DAY, NOW, VECTOR, Place, Ticking, enrolment, event, grant, open_world, refusal, use
from test_consent_races import release

from consent.errors import RecordError
from consent.export import export_dpv, export_json
from consent.registry import Registry
from consent.releases import Planned, ReleaseDecision
from consent.report import to_csv, to_html
from consent.vocabulary import EventKind
from consent.writing import Addition
from dubgate.cli.main import run

ENDING = grant(grant_id="g-soon", not_after=NOW + 40 * DAY, credit_text="Voice of A.")
ASKED = grant(grant_id="g-asked", languages=("de",))


@pytest.fixture
def registry(place: Place) -> Registry:
    extra = (
        Addition(enrolment(confirmed_by="p-ada"), vector=VECTOR),
        ENDING,
        event(EventKind.GIVEN, target_id="g-soon"),
        ASKED,
        event(EventKind.REQUESTED, target_id="g-asked"),
    )
    opened = open_world(place, None, *extra)
    with opened.write() as writer:
        writer.release(release("rel-1", label="AI dub", certificate_sha256="f" * 64), [Planned("v-ada", use())])
    opened.add(refusal(words={"en": "No <script>alert(1)</script> ever."}))
    opened.add(release("rel-2", decision=ReleaseDecision.BLOCK, label="=cmd|' /C calc'!A0", voices=()))
    return opened


def test_a_performer_sees_every_consent_use_and_what_is_pending(registry: Registry) -> None:
    data = registry.report("p-ada").data()
    assert {g["grant_id"]: g["status"] for g in data["grants"]} == {
        "g-ada": "given",
        "g-soon": "given",
        "g-asked": "never given",
    }
    assert [(u["release_id"], u["decision"], u["label"]) for u in data["uses"]] == [("rel-1", "release", "AI dub")]
    assert data["expiring_within_90_days"] == ["g-soon"]
    assert data["pending"] == ["g-asked"]
    assert data["ledger"]["root"] == registry.head().root.hex()


def test_a_rights_holder_sees_the_decisions_about_its_titles(registry: Registry) -> None:
    with registry.view() as view:
        assert view.titles_held_by("studio") == ("show",)
    data = registry.report("studio").data()
    assert data["grants"] == []
    assert [u["release_id"] for u in data["uses"]] == ["rel-1", "rel-2"]
    assert data["refusals"][0]["refusal_id"] == "r-1"


def test_nobody_sees_another_partys_voice(registry: Registry) -> None:
    assert registry.report("p-bo").data()["grants"] == []
    assert registry.report("p-bo").data()["uses"] == []
    with pytest.raises(RecordError, match="no party"):
        registry.report("p-nobody")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)


def test_the_page_is_self_contained_and_escapes_what_it_shows(registry: Registry) -> None:
    for party in ("p-ada", "studio"):
        page = to_html(registry.report(party))
        reader = Tags()
        reader.feed(page)
        assert "script" not in reader.tags
        assert not {"img", "link", "iframe"} & set(reader.tags)
        assert "http" not in page
        assert registry.head().root.hex() in page
    assert "&lt;script&gt;" in to_html(registry.report("studio"))
    assert "Ada Example" in to_html(registry.report("p-ada"))


def test_a_csv_cell_is_never_a_formula(registry: Registry) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(registry.report("studio")))))
    assert [r["release_id"] for r in rows] == ["rel-1", "rel-2"]
    assert rows[1]["label"] == "'=cmd|' /C calc'!A0"


def test_an_export_has_every_entry_and_no_name_or_template(registry: Registry) -> None:
    with registry.view() as view:
        data = export_json(view, at=NOW)
    assert len(data["entries"]) == registry.head().size
    text = json.dumps(data)
    assert "Ada Example" not in text
    assert "-0.25" not in text


def test_a_grant_is_exported_as_a_consent_record_whose_last_event_is_its_status(place: Place) -> None:
    clock = Ticking()
    with open_world(place, clock) as registry:
        clock.now += DAY
        registry.add(event(EventKind.WITHDRAWN, clock.now, method="by letter"))
        with registry.view() as view:
            (record,) = export_dpv(view, at=NOW)["@graph"]
    assert record["@type"] == "dpv:ConsentRecord"
    assert record["dct:conformsTo"]["@id"].endswith("dpv-27560#record-eu-gdpr")
    assert record["dpv:hasDataSubject"] == {"@id": "dubgate:party:p-ada"}
    assert [s["@type"] for s in record["dpv:hasConsentStatus"]] == ["dpv:ConsentGiven", "dpv:ConsentWithdrawn"]
    assert record["dpv:hasConsentStatus"][-1]["dpv:hasIndicationMethod"] == "by letter"
    assert record["dpv:hasProcess"]["dct:language"] == ["fr"]
    assert all(value is not None for value in record.values())


def test_the_commands_write_reports_exports_and_backups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_world(tmp_path).close()
    monkeypatch.setenv("DUBGATE_REGISTRY", str(tmp_path / "registry.db"))
    monkeypatch.chdir(tmp_path)
    for name in ("ada.html", "ada.json", "ada.csv"):
        assert run(["consent", "report", "p-ada", "--out", name]) == 0
        assert (tmp_path / name).stat().st_size > 20
    assert run(["consent", "report", "p-ada", "--out", "ada.pdf"]) == 2
    assert run(["consent", "export", "--as", "dpv", "--out", "c.jsonld"]) == 0
    assert json.loads((tmp_path / "c.jsonld").read_text())["@graph"]
    assert run(["consent", "export", "--out", "all.json"]) == 0
    assert run(["consent", "backup", "history.jsonl", "keys.jsonl"]) == 0
    again = ["--registry", "again.db", "--key-file", "registry.db.key"]
    assert run(["consent", "restore", "history.jsonl", "keys.jsonl", *again]) == 0
    assert run(["consent", "audit", *again]) == 0
    assert run(["consent", "export", "--out", "/nowhere/all.json"]) == 2
