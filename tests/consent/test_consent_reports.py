"""Reports and exports: complete, without names where they are public, escaped for their format."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from consent_examples import (
    DAY,
    NOW,
    VECTOR,
    Place,
    Ticking,
    approval,
    claim,
    enrolment,
    event,
    grant,
    open_world,
    permission,
    refusal,
    use,
)
from test_consent_races import release

from consent import ledger
from consent.checkpoint import read_body
from consent.errors import RecordError
from consent.export import export_dpv, export_json
from consent.registry import Registry
from consent.releases import Planned, ReleaseDecision, VoiceUse
from consent.report import to_csv, to_html
from consent.vocabulary import EventKind, PermissionKind, Technique
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


WORLD_LINES = ("grants", "uses", "approvals", "claims", "refusals", "history")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a busy registry, made once: a dub with two performers' voices, an approval that ends soon, claims that do not count, a recording.

    Tests work on a copy of its files.
    """
    folder = tmp_path_factory.mktemp("busy")
    bo = VoiceUse(voice_id="v-bo", grant_id="g-bo", character="JO", technique=Technique.VOICE_CLONE_TTS)
    ada = VoiceUse(voice_id="v-ada", grant_id="g-ada", character="MARTA", technique=Technique.VOICE_CLONE_TTS)
    extra = (
        Addition(enrolment(), vector=VECTOR),
        ENDING,
        event(EventKind.GIVEN, target_id="g-soon"),
        grant(grant_id="g-over", not_after=NOW - DAY),
        event(EventKind.GIVEN, target_id="g-over"),
        grant(grant_id="g-gone", not_after=NOW + 10 * DAY),
        event(EventKind.GIVEN, target_id="g-gone"),
        event(EventKind.WITHDRAWN, NOW - DAY, target_id="g-gone", reason="no more"),
        grant(grant_id="g-bo", voice_id="v-bo", granted_by="p-bo"),
        event(EventKind.GIVEN, target_id="g-bo", by="p-bo"),
        permission(PermissionKind.PROTECT, not_after=NOW + 20 * DAY),
        approval(expires_at=NOW + 60 * DAY),
        claim(claim_id="c-rival", holder_ids=("rival",), confirmed_by=None),
        claim(claim_id="c-soon", title_id="show-101", not_after=NOW + 5 * DAY),
        release("rel-1", label="AI dub", voices=(ada, bo), approval_ids=("a-1",)),
        release("rel-2", decision=ReleaseDecision.HOLD, reasons=("CON-001: no grant",), voices=(), language="de"),
    )
    open_world(folder, None, *extra).close()
    return folder


@pytest.fixture
def busy(made: Path, tmp_path: Path) -> Iterator[Registry]:
    for name in ("registry.db", "registry.db.key"):
        shutil.copy(made / name, tmp_path / name)
    with Place.sqlite(tmp_path).open() as opened:
        yield opened


def proofs(data: Any) -> Iterator[dict[str, Any]]:
    """Every proof in a report, wherever it stands."""
    if isinstance(data, dict):
        if "inclusion" in data:
            yield data
        for value in data.values():
            yield from proofs(value)
    elif isinstance(data, list):
        for value in data:
            yield from proofs(value)


@pytest.mark.parametrize("party", ["p-ada", "studio", "agency"])
def test_every_line_of_a_report_is_proved_against_its_checkpoint(busy: Registry, party: str) -> None:
    data = json.loads(json.dumps(busy.report(party).data()))
    head = read_body(data["ledger"]["checkpoint"])
    assert head == busy.head()
    found = list(proofs(data))
    assert len(found) >= sum(len(data[name]) for name in WORLD_LINES) > 5
    for proof in found:
        leaf, path = ledger.leaf_hash(proof["leaf"].encode()), [bytes.fromhex(h) for h in proof["inclusion"]]
        assert leaf.hex() == proof["leaf_hash"]
        assert ledger.verify_inclusion(leaf, proof["entry"], head.size, path, head.root)
        assert not ledger.verify_inclusion(leaf, proof["entry"] + 1, head.size, path, head.root)
    assert all("proof" in line for name in WORLD_LINES[:-1] for line in data[name])


def test_a_proof_carries_commitments_and_shows_nothing_of_the_record(busy: Registry) -> None:
    for proof in proofs(busy.report("p-ada").data()):
        leaf = json.loads(proof["leaf"])
        assert set(leaf) <= {"schema", "index", "recorded_at", "record", "commitment", "sealed", "envelope"}


def test_what_ends_within_ninety_days_is_told_soonest_first_and_nothing_that_ended(busy: Registry) -> None:
    expiring = busy.report("p-ada").data()["expiring"]
    assert [(e["kind"], e["id"]) for e in expiring] == [("permission", "pm-protect-v-ada"), ("grant", "g-soon")]
    of_studio = busy.report("studio").data()["expiring"]
    assert [(e["kind"], e["id"]) for e in of_studio] == [("claim", "c-soon"), ("approval", "a-1")]
    edge = busy.report("studio", at=NOW + 5 * DAY).data()["expiring"]
    assert [e["id"] for e in edge] == ["a-1"]


def test_what_waits_for_somebody_is_told_with_since_when(busy: Registry) -> None:
    (waiting,) = busy.report("p-ada").data()["awaiting"]
    assert (waiting["kind"], waiting["id"], waiting["since"][:10]) == ("enrolment", "en-ada", "2026-11-20")
    busy.add(event(EventKind.CONFIRMED, NOW, target="enrolment", target_id="en-ada", by="agency"))
    assert busy.report("p-ada").data()["awaiting"] == []
    busy.add(event(EventKind.CONTESTED, NOW, target="claim", target_id="c-show", by="rival"))
    assert [(w["id"], w["what"]) for w in busy.report("studio").data()["awaiting"]] == [("c-show", "contested")]


def test_a_claim_that_nobody_confirmed_opens_no_decisions(busy: Registry) -> None:
    data = busy.report("rival").data()
    assert [(c["claim_id"], c["status"]) for c in data["claims"]] == [("c-rival", "unconfirmed")]
    assert data["uses"] == data["approvals"] == []
    assert {line["id"] for line in data["history"]} == {"rival", "c-rival"}
    busy.add(event(EventKind.CONFIRMED, NOW, target="claim", target_id="c-rival", by="op-2"))
    assert [u["release_id"] for u in busy.report("rival").data()["uses"]] == ["rel-1", "rel-2"]


def test_of_a_shared_dub_each_performer_sees_their_own_part(busy: Registry) -> None:
    for party, voice_id in (("p-ada", "v-ada"), ("p-bo", "v-bo")):
        (use_,) = busy.report(party).data()["uses"]
        assert [v["voice_id"] for v in use_["voices"]] == [voice_id]
        assert "g-bo" not in json.dumps(busy.report("p-ada").data())
    studio = busy.report("studio").data()
    assert all(u["voices"] == [] for u in studio["uses"])
    assert not {"g-ada", "g-bo", "v-ada"} & {line["id"] for line in studio["history"]}


def test_statuses_and_numbers_are_those_of_the_moment(busy: Registry) -> None:
    data = busy.report("p-ada").data()
    status = {g["grant_id"]: g["status"] for g in data["grants"]}
    assert status == {"g-ada": "given", "g-soon": "given", "g-over": "term over", "g-gone": "withdrawn"}
    gone = next(g for g in data["grants"] if g["grant_id"] == "g-gone")
    assert [(e["kind"], e["reason"]) for e in gone["events"]] == [("given", None), ("withdrawn", "no more")]
    summary = busy.report("studio").data()["summary"]
    assert summary == {
        "decisions": {"hold": 1, "release": 1},
        "live": 1,
        "languages": ["fr-FR"],
        "territories": ["BE", "FR"],
        "channels": ["svod"],
        "labels": ["AI dub"],
        "without_label": 0,
    }
    (voice,) = data["voices"]
    assert {p["kind"]: p["status"] for p in voice["permissions"]} == dict.fromkeys(
        ("match", "keep", "protect"), "standing"
    )
    assert [(e["confirmed"], e["template"]) for e in voice["enrolments"]] == [(False, "kept, encrypted")]
    busy.erase("voice:v-ada", by="p-ada", reason="asked")
    assert busy.report("p-ada").data()["voices"][0]["enrolments"][0]["template"] == "erased"


def test_the_page_prints_and_has_headings_in_both_languages(busy: Registry) -> None:
    page = to_html(busy.report("p-ada"))
    for words in ("@media print", "break-inside: avoid", "@page", "同意", "利用と判定", "90日以内に終了"):
        assert words in page
    assert "term over" in page
    assert f"entry {busy.report('p-ada').data()['grants'][0]['proof']['entry']} · " in page
    assert busy.head().body().splitlines()[2].replace("+", "&#43;") in page.replace("+", "&#43;")


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@x", " =1", "\n=1", "\t=1"])
def test_no_label_makes_a_formula_of_a_cell(busy: Registry, label: str) -> None:
    busy.add(release("rel-3", label=label + " x", voices=()))
    rows = list(csv.DictReader(io.StringIO(to_csv(busy.report("studio")))))
    assert rows[-1]["label"].startswith("'")
    assert rows[0]["ledger_entry"] == str(busy.report("studio").data()["uses"][0]["proof"]["entry"])
    assert (rows[0]["live"], rows[1]["reasons"]) == ("true", "CON-001: no grant")


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
