"""The production record, the company's register and policies, the credits and the intake, as a check holds them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from made_delivery import DAY, LABELLED, NOW, ROOT, SHEET, SIGNED_AT, SOUNDS, World, decisive, make_world

from consent.parties import Party, PartyKey
from consent.registry import Registry
from consent.vocabulary import Channel, Role
from dubgate.approving import sign_off
from dubgate.certificate.dsse import new_private_key, public_of
from dubgate.company import never_ai
from dubgate.company.folder import NO_COMPANY, Company, company_sha256, read_company
from dubgate.company.never_ai import Scene, StudioPolicy, policy_findings, sign_policy, standing
from dubgate.company.register import read_register
from dubgate.delivery.manifest import Delivery, RecordedFile
from dubgate.delivery.manifest_record import (
    Credited,
    CreditRole,
    Credits,
    ProductionRecord,
    Purpose,
    RecordFile,
    Revision,
    Tool,
)
from dubgate.delivery.script import CueKind
from dubgate.delivery.unanswered import is_answer
from dubgate.delivery_facts import facts_of
from dubgate.errors import InputError
from dubgate.intake import differing
from dubgate.intake.answers import read_answers
from dubgate.intake.asking import take_in
from dubgate.intake.file import read_intake
from dubgate.judgement import Judgement
from dubgate.labels.tracks import Labels
from dubgate.policy.facts import FACTS, Facts
from dubgate.policy.findings import Outcome
from dubgate.policy.packs import available, load_packs
from dubgate.policy.record_fact_rows import FILE as FILE_FACTS
from dubgate.policy.record_fact_rows import TOOL as TOOL_FACTS
from dubgate.record_checks import card_text, file_findings
from dubgate.record_confirming import confirm_record
from dubgate.release import CheckRequest, judge_delivery, quality_request

ROLES = (Role.PRODUCTION, Role.LEGAL, Role.CREATIVE_LEAD, Role.LOCALIZATION_SUPERVISOR)
PEOPLE = {"pr": Role.PRODUCTION, "le": Role.LEGAL, "cl": Role.CREATIVE_LEAD, "ls": Role.LOCALIZATION_SUPERVISOR}
TOOL = Tool(name="Polyvoice", version="4.2", vendor="Polyglot Dubs", training_data="licensed")
REGISTER = """schema: tool-register/1.0
company: Kestrel Pictures
tools:
  - id: polyvoice
    names: [Polyvoice]
    vendor: Polyglot Dubs
    versions: ["4.*"]
    terms: {sha256: "TERMS", read_on: 2026-10-01, read_by: Legal, file: terms.txt}
    stores_inputs: false
    trains_on_inputs: false
    outputs_owned: true
    processed_in: [DE]
    review_due: 2027-04-01
"""
TERMS = b"We keep nothing and train on nothing."


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The right delivery, judged by production-record too, and people who may sign for its studio."""
    made = make_world(tmp_path_factory.mktemp("record"))
    made.keys.update({name: new_private_key() for name in (*PEOPLE, "all", "vendor-pr")})
    with Registry.open(made.registry, clock=lambda: SIGNED_AT - DAY) as registry:
        for name, house in (*((p, "kestrel") for p in PEOPLE), ("all", "kestrel"), ("vendor-pr", "polyglot")):
            registry.add(*_signer(name, house, made))
    packs = (*made.quality.packs, str(ROOT / "rules" / "production-record.yaml"))
    manifest = made.delivery.root / "delivery.yaml"
    quality = quality_request(made.delivery, CheckRequest(manifest, str(made.registry), packs=packs))
    made = replace(made, quality=quality)
    for name, text in {
        "settings.txt": "speed 1.0",
        "log.txt": "rendered 9 lines",
        "card.txt": "Ada A.\nDora  D.",
    }.items():
        (made.delivery.root / name).write_text(text, encoding="utf-8")
    return replace(made, delivery=right(made.delivery))


def _signer(name: str, house: str, made: World) -> tuple[Any, ...]:
    roles = ROLES if name in ("all", "vendor-pr") else (PEOPLE[name],)
    party = Party(party_id=name, roles=roles, person=True, organisation_id=house)
    key = PartyKey(
        key_id=f"k-{name}",
        party_id=name,
        public_hex=public_of(made.keys[name]).public_hex,
        roles=roles,
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2028, 1, 1, tzinfo=UTC),
    )
    return party, key


def right(delivery: Delivery) -> Delivery:
    """With a production record and credits that lack nothing."""
    root = delivery.root
    record = ProductionRecord(purposes=(Purpose.ACCESS,), tools=(TOOL,), used_to_train=())
    files = {n: (RecordedFile(root / f, _digest((root / f).read_bytes())),) for n, f in FILES.items()}
    people = (
        Credited(role=CreditRole.ADAPTER, name="Ada A."),
        Credited(role=CreditRole.DUBBING_DIRECTOR, name="Dora D."),
    )
    return replace(
        delivery,
        production=record,
        credits=Credits(card="card.txt", people=people),
        dub_card=root / "card.txt",
        **files,
    )


FILES = {"settings": "settings.txt", "logs": "log.txt"}


@pytest.fixture(scope="module")
def company(world: World) -> Company:
    folder = world.folder / "company"
    (folder / "policies").mkdir(parents=True)
    (folder / "terms.txt").write_bytes(TERMS)
    (folder / "register.yaml").write_text(REGISTER.replace("TERMS", _digest(TERMS)), encoding="utf-8")
    (folder / "policies" / "none.json").write_bytes(policy(world, nothing=True))
    return read_company(folder)


def policy(world: World, by: str = "kestrel", **what: Any) -> bytes:
    said = {"title_id": "last-train", "signed_at": SIGNED_AT, "expires_at": SIGNED_AT + 400 * DAY} | what
    return sign_policy(StudioPolicy(policy_id="po-1", by=by, **said), world.keys[by])


def signed(
    world: World, delivery: Delivery, people: dict[str, Role] = PEOPLE, confirming: str | None = "pr"
) -> list[bytes]:
    """Everybody's yes over the sound, and the record confirmed."""
    found = [
        sign_off(SOUNDS, role=role, agreed=True, by=name, key=world.keys[name], at=SIGNED_AT)
        for name, role in people.items()
    ]
    if confirming is not None and delivery.production is not None:
        key = world.keys[confirming]
        found.append(confirm_record(delivery, SOUNDS, role=Role.PRODUCTION, by=confirming, key=key, at=SIGNED_AT))
    return found


def judged(
    world: World,
    company: Company,
    *,
    envelopes: list[bytes] | None = None,
    sheet: Any = SHEET,
    at: datetime = NOW,
    **changes: Any,
) -> Judgement:
    delivery = replace(world.delivery, **changes)
    signs = signed(world, delivery) if envelopes is None else envelopes
    evidence = delivery.root / "evidence"
    for old in evidence.iterdir():
        old.unlink()
    for k, envelope in enumerate((world.approval(delivery=delivery), *signs)):
        (evidence / f"{k}.json").write_bytes(envelope)
    asked = partial(judge_delivery, company=company)
    with patch("made_delivery.judge_delivery", asked):
        return world.judged(delivery=delivery, sheet=sheet, at=at)


def test_a_delivery_that_lacks_nothing_is_released(world: World, company: Company) -> None:
    assert decisive(judged(world, company)) == set()


def _record(**changes: Any) -> ProductionRecord:
    return ProductionRecord(**{"purposes": (Purpose.ACCESS,), "tools": (TOOL,), "used_to_train": ()} | changes)


def _revision(before: str | None, after: str | None, day: int = 1) -> Revision:
    return Revision(
        at=datetime(2026, 11, day, tzinfo=UTC), by="p-1", what="line 4 again", previous_sha256=before, sha256=after
    )


DUB_SHA = _digest(b"dub.flac")


@pytest.mark.parametrize(
    ("record", "rules"),
    [
        (_record(purposes=(), purpose="because"), {"REC-PURPOSE", "REC-SAVING"}),
        (_record(purposes=(Purpose.COST, Purpose.SCHEDULE)), {"REC-SAVING"}),
        (_record(purpose="n/a"), {"REC-ANSWERED"}),
        (_record(used_to_train=None), {"REC-TRAINING"}),
        (_record(tools=(TOOL.model_copy(update={"training_data": "undisclosed"}),)), {"REC-TRAINED-ON"}),
        (_record(tools=(TOOL.model_copy(update={"training_data": None}),)), {"REC-TRAINED-ON"}),
        (_record(tools=(TOOL.model_copy(update={"version": "5.0"}),)), {"REC-REGISTER"}),
        (_record(tools=(TOOL.model_copy(update={"name": "Othervoice"}),)), {"REC-REGISTER"}),
        (_record(tools=(TOOL.model_copy(update={"vendor": "Somebody"}),)), {"REC-REGISTER"}),
        (_record(tools=(TOOL.model_copy(update={"registered_as": "another"}),)), {"REC-REGISTER"}),
        (_record(revisions=(_revision(None, DUB_SHA),)), {"REC-REVISIONS"}),
        (_record(revisions=(_revision("1" * 64, "2" * 64),)), {"REC-REVISIONS"}),
        (_record(revisions=(_revision("1" * 64, "2" * 64), _revision("3" * 64, DUB_SHA, 2))), {"REC-REVISIONS"}),
        (_record(revisions=(_revision("1" * 64, "2" * 64, 3), _revision("2" * 64, DUB_SHA, 2))), {"REC-REVISIONS"}),
        (_record(revisions=(_revision("1" * 64, "2" * 64), _revision("2" * 64, DUB_SHA, 2))), set()),
        (_record(revisions=(_revision("1" * 64, DUB_SHA),)), set()),
    ],
)
def test_each_gap_of_the_record_is_held_by_its_own_rule(
    world: World, company: Company, record: ProductionRecord, rules: set[str]
) -> None:
    assert decisive(judged(world, company, production=record)) == rules


def test_no_production_record_is_held_by_every_rule_that_asks_for_it(world: World, company: Company) -> None:
    found = decisive(judged(world, company, production=None, settings=(), logs=()))
    assert {"REC-PURPOSE", "REC-CONFIRMED", "REC-ANSWERED", "REC-FILES", "REC-TRAINING", "REC-REGISTER"} <= found


def test_a_recorded_file_with_other_bytes_blocks_whatever_pack_judges(world: World) -> None:
    path = world.delivery.root / "log.txt"
    changed = (RecordedFile(path, "0" * 64),)
    found = judged(world, NO_COMPANY, logs=changed)
    blocked = {f.rule for f in found.verdict.findings if f.outcome is Outcome.BLOCK}
    assert blocked == {"INT-005"}


def test_a_watermark_counts_by_its_detectors_report_and_never_by_the_vendors_word(
    world: World, company: Company
) -> None:
    path = world.delivery.root / "watermark.json"
    path.write_text('{"detector": "AudioSeal 0.2", "found": true}', encoding="utf-8")
    file = RecordFile(path="watermark.json", sha256=_digest(path.read_bytes()))
    reported = {"production": _record(watermarks=(file,)), "watermarks": (RecordedFile(path, file.sha256),)}

    def outcome(judgement: Judgement) -> Outcome:
        return next(f.outcome for f in judgement.verdict.findings if f.rule == "EUA-WATERMARK")

    assert outcome(judged(world, company, **reported)) is Outcome.PASS
    assert outcome(judged(world, company)) is Outcome.WARN
    alone = signed(world, replace(world.delivery, **reported), confirming=None)
    assert outcome(judged(world, company, envelopes=alone, **reported)) is Outcome.WARN
    changed = reported | {"watermarks": (RecordedFile(path, "0" * 64),)}
    assert outcome(judged(world, company, **changed)) is Outcome.WARN


def test_a_record_without_watermarks_is_signed_over_the_same_digest_as_before_they_were_known() -> None:
    assert "watermarks" not in _record().model_dump(mode="json")
    assert "watermarks" in ProductionRecord.model_json_schema()["properties"]


def test_a_file_that_holds_only_template_text_is_no_answer(world: World, company: Company) -> None:
    path = world.delivery.root / "prompt.txt"
    path.write_text("[describe your prompt here]", encoding="utf-8")
    found = judged(world, company, prompts=(RecordedFile(path, _digest(path.read_bytes())),))
    assert decisive(found) == {"REC-ANSWERED"}
    assert any("prompt.txt says nothing" in f.text.en for f in found.verdict.findings)


def _confirmations(world: World, by: str, **how: Any) -> list[bytes]:
    delivery = replace(world.delivery, production=how.pop("about", world.delivery.production))
    said = {"role": Role.PRODUCTION, "key": world.keys[by], "at": SIGNED_AT} | how
    return [*signed(world, world.delivery, confirming=None), confirm_record(delivery, SOUNDS, by=by, **said)]


@pytest.mark.parametrize(
    ("by", "how"),
    [
        ("vendor-pr", {}),
        ("pr", {"about": _record(purposes=(Purpose.COST,))}),
        ("pr", {"role": Role.LEGAL}),
        ("pr", {"at": NOW + DAY}),
        ("pr", {"at": SIGNED_AT, "days": 1}),
        ("reviewer-b", {"role": Role.REVIEWER}),
    ],
)
def test_a_record_is_confirmed_only_by_the_right_person_about_this_record(
    world: World, company: Company, by: str, how: dict[str, Any]
) -> None:
    assert decisive(judged(world, company, envelopes=_confirmations(world, by, **how))) == {"REC-CONFIRMED"}


def test_a_confirmation_over_other_sound_does_not_count(world: World, company: Company) -> None:
    other = replace(SOUNDS, dub=replace(SOUNDS.dub, packet_sha256="9" * 64))
    key = world.keys["pr"]
    away = confirm_record(world.delivery, other, role=Role.PRODUCTION, by="pr", key=key, at=SIGNED_AT)
    found = judged(world, company, envelopes=[*signed(world, world.delivery, confirming=None), away])
    assert decisive(found) == {"REC-CONFIRMED"}


def test_one_person_signs_in_one_role_unless_the_team_is_small(world: World, company: Company, tmp_path: Path) -> None:
    alone = [sign_off(SOUNDS, role=r, agreed=True, by="all", key=world.keys["all"], at=SIGNED_AT) for r in ROLES]
    alone += signed(world, world.delivery, people={})
    found = decisive(judged(world, company, envelopes=alone))
    assert found == {"SGN-CREATIVE-LEAD", "SGN-LEGAL", "SGN-PRODUCTION"}
    small = tmp_path / "small.yaml"
    text = (ROOT / "rules" / "production-record.yaml").read_text(encoding="utf-8")
    small.write_text(text.replace("small_team: false", "small_team: true"), encoding="utf-8")
    quality = replace(world.quality, packs=(*world.quality.packs[:-1], str(small)))
    assert decisive(judged(replace(world, quality=quality), company, envelopes=alone)) == set()


def test_the_vendors_own_people_sign_nothing_off(world: World, company: Company) -> None:
    own = [
        sign_off(SOUNDS, role=r, agreed=True, by="vendor-pr", key=world.keys["vendor-pr"], at=SIGNED_AT) for r in ROLES
    ]
    found = decisive(judged(world, company, envelopes=[*own, *signed(world, world.delivery, people={})]))
    assert found == {f"SGN-{r.upper().replace('_', '-')}" for r in ROLES}


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("review_due: 2027-04-01", "review_due: 2026-11-20", "REC-REVIEW-DUE"),
        ("trains_on_inputs: false", "trains_on_inputs: true", "REC-INPUTS"),
        ("outputs_owned: true", "outputs_owned: false", "REC-OWNED"),
        (_digest(TERMS), "1" * 64, "REC-TERMS"),
        ("file: terms.txt", "file: missing.txt", "REC-TERMS"),
        ('versions: ["4.*"]', 'versions: ["4.1"]', "REC-REGISTER"),
    ],
)
def test_each_entry_of_the_register_is_held_by_its_own_rule(
    world: World, company: Company, old: str, new: str, rule: str
) -> None:
    folder = world.folder / "company"
    path = folder / "changed.yaml"
    path.write_text((folder / "register.yaml").read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    found = decisive(judged(world, replace(company, register=read_register(path))))
    assert found == {rule}


def test_disputes_and_kept_inputs_warn(world: World, company: Company) -> None:
    folder = world.folder / "company"
    path = folder / "disputed.yaml"
    text = (folder / "register.yaml").read_text(encoding="utf-8").replace("stores_inputs: false", "stores_inputs: true")
    path.write_text(
        text + "    disputes: [{what: voices taken without asking, since: 2026-01-01, source: court}]\n",
        encoding="utf-8",
    )
    found = judged(world, replace(company, register=read_register(path)))
    assert decisive(found) == set()
    warned = {f.rule for f in found.verdict.findings if f.outcome is Outcome.WARN}
    assert {"REC-DISPUTES", "REC-STORED"} <= warned


def test_without_a_register_and_a_policy_the_questions_stay_open(world: World) -> None:
    assert decisive(judged(world, NO_COMPANY)) == {
        "REC-REGISTER",
        "REC-REVIEW-DUE",
        "REC-TERMS",
        "REC-INPUTS",
        "REC-OWNED",
        "REC-POLICY",
    }


@pytest.mark.parametrize(
    ("what", "held", "n"),
    [
        ({"characters": ("otto",)}, {"RH-006", "REC-POLICY"}, 1),
        ({"characters": ("ＯＴＴＯ",)}, {"RH-006", "REC-POLICY"}, 1),
        ({"characters": ("\u041eTT\u00d3",)}, {"RH-006", "REC-POLICY"}, 1),  # a Cyrillic letter, an accent
        ({"scenes": (Scene(start_s=0, end_s=6),)}, {"RH-006", "REC-POLICY"}, 1),
        ({"scenes": (Scene(start_s=5.5, end_s=6),)}, set(), 0),
        ({"songs": True}, set(), 0),
        ({"characters": ("NOBODY",)}, set(), 0),
        ({"characters": ("OTTO",), "title_id": "harbour"}, {"REC-POLICY"}, 0),
        ({"characters": ("OTTO",), "by": "rival"}, {"REC-POLICY"}, 0),
        ({"characters": ("OTTO",), "by": "kestrel-clerk"}, {"RH-006", "REC-POLICY"}, 1),
        ({"characters": ("OTTO",), "signed_at": NOW + DAY}, {"REC-POLICY"}, 0),
        ({"characters": ("OTTO",), "expires_at": NOW}, {"REC-POLICY"}, 0),
    ],
)
def test_what_the_studio_keeps_for_people_is_not_ai(
    world: World, company: Company, tmp_path: Path, what: dict[str, Any], held: set[str], n: int
) -> None:
    path = tmp_path / "policy.json"
    path.write_bytes(policy(world, **what))
    found = judged(world, replace(company, policies=(path,)))
    assert decisive(found) == held
    broken = [f for f in found.verdict.findings if f.rule == "RH-006" and f.outcome > Outcome.PASS]
    assert [f.outcome for f in broken] == [Outcome.BLOCK] * n


def test_a_song_and_a_line_of_nobody_in_a_kept_scene(world: World, company: Company, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_bytes(policy(world, songs=True))
    sung = replace(SHEET, cues=(replace(SHEET.cues[0], kind=CueKind.SONG), *SHEET.cues[1:]))
    assert "RH-006" in decisive(judged(world, replace(company, policies=(path,)), sheet=sung))
    path.write_bytes(policy(world, scenes=(Scene(start_s=0, end_s=6),)))
    nobody = replace(SHEET, cues=(replace(SHEET.cues[0], character=None), *SHEET.cues[1:]))
    found = judged(world, replace(company, policies=(path,)), sheet=nobody)
    assert [f.outcome for f in found.verdict.findings if f.rule == "RH-006"] == [Outcome.HOLD]
    found = judged(world, replace(company, policies=(path,)), sheet=None)
    assert [f.outcome for f in found.verdict.findings if f.rule == "RH-006"] == [Outcome.HOLD]


def test_a_policy_whose_statement_is_about_something_else_holds(world: World, company: Company, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    with patch.object(never_ai, "_sha256", return_value="0" * 64):
        path.write_bytes(policy(world, nothing=True))
    assert {"INT-001", "REC-POLICY"} <= decisive(judged(world, replace(company, policies=(path,))))


def test_no_policy_and_no_title_say_nothing(world: World) -> None:
    assert policy_findings((), world.delivery, SHEET) == ()
    untitled: Any = SimpleNamespace(title=None)
    assert standing((), untitled, untitled, NOW) == ()


@pytest.mark.parametrize("days", [0, -1])
def test_a_policy_ends_after_it_was_signed(world: World, days: int) -> None:
    with pytest.raises(ValueError, match="expires before it was signed"):
        policy(world, characters=("OTTO",), signed_at=NOW, expires_at=NOW + days * DAY)


@pytest.mark.parametrize("end_s", [5.0, 6.0])
def test_a_scene_ends_after_it_starts(end_s: float) -> None:
    with pytest.raises(ValueError, match="ends before it starts"):
        Scene(start_s=6, end_s=end_s)


def test_a_policy_that_was_changed_after_it_was_signed_holds(world: World, company: Company, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    envelope = json.loads(policy(world, nothing=True))
    envelope["payload"] = json.loads(policy(world, characters=("MARA",)))["payload"]
    path.write_text(json.dumps(envelope), encoding="utf-8")
    assert {"INT-001", "REC-POLICY"} <= decisive(judged(world, replace(company, policies=(path,))))


@pytest.mark.parametrize("what", [{}, {"nothing": True, "songs": True}])
def test_a_policy_says_one_thing(world: World, what: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="keeps"):
        policy(world, **what)


def test_the_dub_card_is_held_against_names_and_demanded_wording(world: World, company: Company) -> None:
    card = world.delivery.root / "card2.txt"
    card.write_text("Adamant A.\nDora D.", encoding="utf-8")
    assert decisive(judged(world, company, dub_card=card)) == {"REC-CREDITS"}
    assert decisive(judged(world, company, dub_card=None)) == {"REC-CREDITS"}
    warned = judged(world, company, credits=None)
    assert "REC-NAMED" in {f.rule for f in warned.verdict.findings if f.outcome is Outcome.WARN}


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.csv", "role,name\nadapter,Ada A.\n", True),
        ("a.json", '{"people": [{"name": "Ada A."}]}', True),
        ("a.txt", "Ada\n  A.", True),
        ("a.json", '{"people": [{"name": "\\u0041da A."}]}', True),
        ("a.csv", 'role,name\nadapter,"Ada\n A."\n', True),
        ("a.csv", 'role,name\nadapter,Ada" A."\n', False),
        ("a.csv", 'role,name\nadapter,"Ada" A.\n', True),
        ("a.tsv", 'adapter\t"Ada" A.\n', True),
        ("a.json", '{"people": [', False),
        ("a.txt", "Nada A.", False),
        ("a.txt", "\udcff", False),
    ],
)
def test_cards_are_read_as_text_csv_or_json(world: World, tmp_path: Path, name: str, data: str, says: bool) -> None:
    from dubgate.record_checks import missing_on_card

    path = tmp_path / name
    path.write_bytes(data.encode("utf-8", "surrogateescape"))
    delivery = replace(world.delivery, dub_card=path, credits=None)
    assert (missing_on_card(delivery, ["Ada A."]) == ()) is says
    assert isinstance(card_text(path), str)


def test_nothing_recorded_is_no_record_that_holds(world: World) -> None:
    bare = replace(world.delivery, production=None, intake=None)
    assert file_findings(bare, ()) == ()
    with pytest.raises(InputError, match="no production record"):
        confirm_record(bare, SOUNDS, role=Role.PRODUCTION, by="pr", key=world.keys["pr"], at=SIGNED_AT)


def test_an_internal_test_is_never_a_release(world: World, company: Company) -> None:
    where = world.delivery.distribution
    assert where is not None
    inside = where.model_copy(update={"channels": (Channel.INTERNAL_TEST,)})
    assert decisive(judged(world, company, distribution=inside)) == {"INT-006"}
    both = where.model_copy(update={"channels": (Channel.SVOD, Channel.INTERNAL_TEST)})
    assert decisive(judged(world, company, distribution=both)) == {"INT-006"}


@pytest.mark.parametrize(
    "text",
    ["n/a", "N. A.", "-", "…", "", "TBD", "keine Angabe", "k. A.", "sans objet", "pendiente", "該当なし", "未定", "해당 없음",
     "不适用", "xxxx", "<describe>", "{{purpose}}", "FILL IN", "[your text]", "ここに記入してください", "请在此处填写", "lorem ipsum dolor"],
)  # fmt: skip
def test_what_only_looks_like_an_answer_is_none(text: str) -> None:
    assert not is_answer(text)


@pytest.mark.parametrize(
    "text", ["for blind viewers", "聴覚障害者のため", "4.2", "10", "No subtitles exist", "盲人观众", "AI"]
)
def test_an_answer_is_one(text: str) -> None:
    assert is_answer(text)


def _intake(world: World, tmp_path: Path, old: str = "", new: str = "") -> RecordedFile:
    from dubgate.cli.intake import EXAMPLE

    path = tmp_path / "answers.yaml"
    assert old in EXAMPLE
    path.write_text(EXAMPLE.replace(old, new) if old else EXAMPLE, encoding="utf-8")
    data = take_in(read_answers(path), asked_for=(), at=NOW - 10 * DAY).data
    (world.delivery.root / "intake.json").write_bytes(data)
    return RecordedFile(world.delivery.root / "intake.json", _digest(data))


def test_a_delivery_that_is_what_was_said_passes(world: World, company: Company, tmp_path: Path) -> None:
    found = judged(world, company, intake=_intake(world, tmp_path))
    assert decisive(found) == set()
    assert "INT-007" in {f.rule for f in found.verdict.findings if f.outcome is Outcome.PASS}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("internal: last-train", "internal: harbour"),
        ("language: en", "language: fr"),
        ("original_language: de", "original_language: ja"),
        ("style: lipsync", "style: voiceover"),
        ("{character: OTTO, technique: voice_clone_tts}", "{character: OTTO, technique: human}"),
        ("  - {character: OTTO, technique: voice_clone_tts}\n", ""),
        ('["150", US]', "[DE]"),
        ("channels: [svod]", "channels: [avod]"),
        ("until: 2027-12-01", "until: 2027-06-01"),
        ("from: 2026-12-01", "from: 2026-12-05"),
        ("purposes: [access] ", "purposes: [creative_range] "),
    ],
)
def test_where_a_delivery_goes_beyond_the_intake_it_is_held(
    world: World, company: Company, tmp_path: Path, old: str, new: str
) -> None:
    found = judged(world, company, intake=_intake(world, tmp_path, old, new))
    assert decisive(found) == {"INT-007", "REC-FAVOURABLE"}
    assert decisive(judged(world, NO_COMPANY, intake=_intake(world, tmp_path, old, new))) >= {"INT-007"}


def test_what_people_perform_after_all_is_no_difference(world: World) -> None:
    said: Any = SimpleNamespace(voices=())
    for synthetic, told in ((False, 0), (True, 1)):
        cast = (SimpleNamespace(name="OTTO", synthetic=synthetic, technique="human"),)
        delivery: Any = SimpleNamespace(cast=cast)
        assert len(list(differing._voices(delivery, said))) == told


def test_an_unfavourable_intake_holds_even_where_the_file_claims_otherwise(
    world: World, company: Company, tmp_path: Path
) -> None:
    _intake(world, tmp_path, 'central_to_identity: {answer: "no"', 'central_to_identity: {answer: "yes"')
    path = world.delivery.root / "intake.json"
    plain = json.loads(path.read_bytes())
    assert plain["advice"] == "human_performance"
    path.write_text(json.dumps(plain | {"favourable": True, "advice": "ai_dub", "reasons": []}), encoding="utf-8")
    found = judged(world, company, intake=RecordedFile(path, _digest(path.read_bytes())))
    assert decisive(found) == {"INT-007", "REC-FAVOURABLE"}
    assert not differing.favourable(read_intake(path)), "whatever else finds it out"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"favourable": true', '"favourable": false'),
        ('"advice": "ai_dub"', '"advice": "guide_track"'),
        ('"in_time": true', '"in_time": false'),
        ('"needed_minutes": ', '"needed_minutes": 1'),
    ],
)
def test_an_intake_that_belies_its_own_answers_holds(
    world: World, company: Company, tmp_path: Path, old: str, new: str
) -> None:
    _intake(world, tmp_path)
    path = world.delivery.root / "intake.json"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    found = judged(world, company, intake=RecordedFile(path, _digest(path.read_bytes())))
    assert "INT-007" in decisive(found)


def test_an_intake_that_cannot_be_read_or_has_other_bytes_is_no_intake(
    world: World, company: Company, tmp_path: Path
) -> None:
    other = replace(_intake(world, tmp_path), sha256="0" * 64)
    assert decisive(judged(world, company, intake=other)) == {"INT-005"}
    path = world.delivery.root / "broken.json"
    path.write_text("{}", encoding="utf-8")
    broken = RecordedFile(path, _digest(b"{}"))
    assert decisive(judged(world, company, intake=broken)) == {"INT-007", "REC-FAVOURABLE"}


def test_a_folder_that_is_no_companys_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no company folder"):
        read_company(tmp_path / "nowhere")


def test_the_folder_of_the_environment_is_asked_where_none_is_named(
    company: Company, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_company(None) is NO_COMPANY
    monkeypatch.setenv("DUBGATE_COMPANY", str(world.folder / "company"))
    assert read_company(None) == company


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("    stores_inputs: false\n", "", "missing"),
        ("review_due: 2027-04-01", "review_due: 2026-09-01", "after the day"),
        ("review_due: 2027-04-01", "review_due: soon", "not a day"),
        ("review_due: 2027-04-01", "review_due: [2027-04-01]", "review_due"),
        (
            "tools:\n",
            "tools:\n" + REGISTER.split("tools:\n")[1].replace("TERMS", "0" * 64),
            "two tools have the id polyvoice",
        ),
        ('["4.*"]', '["*.2"]', "ends in one"),
        ("company: Kestrel", "price: 1\ncompany: Kestrel", "unknown key"),
    ],
)
def test_a_register_is_read_strictly(tmp_path: Path, old: str, new: str, what: str) -> None:
    path = tmp_path / "register.yaml"
    text = REGISTER.replace("TERMS", "0" * 64)
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=what):
        read_register(path)


def test_terms_that_lie_nowhere_here_are_those_that_were_read(tmp_path: Path) -> None:
    """They are told by digest and day alone; a file that is named and is not there is another matter."""
    path = tmp_path / "register.yaml"
    text = REGISTER.replace("TERMS", _digest(TERMS))
    path.write_text(text.replace(", file: terms.txt", ""), encoding="utf-8")
    assert read_register(path).unread == frozenset()
    path.write_text(text, encoding="utf-8")
    assert read_register(path).unread == {"polyvoice"}


def test_where_no_company_is_named_there_is_no_digest_of_one(company: Company, world: World) -> None:
    assert company_sha256(None) is None
    assert company_sha256(world.folder / "company") is not None


def test_every_fact_of_the_record_is_filled_from_a_real_delivery(
    world: World, company: Company, tmp_path: Path
) -> None:
    seen: list[Facts] = []

    def watched(*asked: Any, **more: Any) -> Facts:
        seen.append(facts_of(*asked, **more))
        return seen[-1]

    with patch("dubgate.release.facts_of", watched):
        judged(world, company, intake=_intake(world, tmp_path))
    [facts] = seen
    mine = [path for path in FACTS if path.startswith(("record.", "credits.", "policy.", "intake."))]
    inside = [f"record.tools[].{name}" for name, _ in TOOL_FACTS.fields]
    inside += [f"record.files[].{name}" for name, _ in FILE_FACTS.fields]
    assert {path for path in (*mine, *inside) if facts.reason(path) is not None} == set()
    packs = [load_packs([name])[-1] for name in available()]
    conditions = [
        c
        for pack in packs
        for rule in pack.conditions
        for c in (*rule.conditions, *(e.condition for e in rule.exemptions))
    ]
    read = {
        path
        for c in conditions
        if c is not None
        for path in c.reads
        if path.startswith(("record.", "credits.", "policy.", "intake."))
    }
    assert len(read) > 20
    assert {path for path in read if path not in (*mine, *inside) and not path.endswith("[]")} == set()
    assert facts.values["record.tools"]
    assert facts.values["record.files"]
    assert len(mine) == 20


def test_where_only_the_label_speaks_for_a_dub_the_finding_says_that_a_label_is_not_an_authorisation(
    world: World,
) -> None:
    bare = replace(world.delivery, production=None, credits=None, dub_card=None, settings=(), logs=())
    unasked = world.with_evidence("unasked", delivery=bare)

    def said(labels: Labels) -> str:
        findings = world.judged(delivery=unasked, labels=labels).verdict.findings
        return " ".join(f.text.en for f in findings if f.rule == "RH-001" and f.outcome is Outcome.BLOCK)

    assert "a label is not an authorisation" in said(Labels((LABELLED,)))
    unlabelled = said(Labels(()))
    assert unlabelled
    assert "authorisation" not in unlabelled
