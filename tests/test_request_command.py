"""`dubgate request` from a delivery that only lacks a decision to its release: who is asked, and that no model runs again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from made_delivery import LABELLED, NOW, SHEET, World, features, make_world

from consent.asking import request_histories
from consent.registry import Registry
from consent.requests import RequestKind, Wanted
from dubgate.cache import purge
from dubgate.certificate.dsse import save_private_key
from dubgate.cli.main import run
from dubgate.cli.request import nobody_asked
from dubgate.delivery.manifest import load_delivery
from dubgate.features import ProgrammeFeatures
from dubgate.hearing import HearingPlan, Source, Voices
from dubgate.judgement import Clock
from dubgate.labels.tracks import Labels
from dubgate.listening import Planned
from dubgate.measure.level import measure_level
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import CHECKS, failed
from dubgate.policy.request_checks import refused_findings
from dubgate.requesting import _command

Said = Callable[..., tuple[int, Any]]


class Ears:
    """Stands where the child that runs models is started, and counts."""

    def __init__(self) -> None:
        self.tasks: list[str] = []
        self.labels = Labels((LABELLED,))
        self.now = NOW

    def __call__(self, task: str, *_: object) -> ProgrammeFeatures | Voices:
        self.tasks.append(task)
        heard = features()
        if task == "hear":
            return heard
        return Voices(heard.original.voices, heard.dub.voices)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = make_world(tmp_path_factory.mktemp("world"))
    (made.delivery.root / "evidence" / "approval.json").unlink()
    return made


@pytest.fixture
def world(made_once: World, tmp_path: Path) -> World:
    """A copy of the world whose delivery lacks nothing but the holder's approval."""
    folder = tmp_path / "world"
    shutil.copytree(made_once.folder, folder)
    delivery = load_delivery(folder / "delivery" / "delivery.yaml")
    return replace(made_once, folder=folder, registry=folder / "registry.db", delivery=delivery)


@pytest.fixture
def ears(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ears:
    """The delivery of made voices instead of decoding, and its moment instead of now; all else is as it is."""
    root, made = world.delivery.root, Ears()
    sources = [Source(str(root / f"{name}.flac"), 0, f"{name}.flac", "en") for name in ("original", "dub")]
    plan = HearingPlan(original=sources[0], dub=sources[1], sheet=SHEET)

    class Moment(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return clock()

    def clock() -> datetime:
        return made.now

    monkeypatch.setenv("DUBGATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DUBGATE_REGISTRY", str(world.registry))
    monkeypatch.setattr("dubgate.listening.plan_of", lambda request: Planned(plan, SHEET, Clock(), (0, 0)))
    monkeypatch.setattr("dubgate.listening.model_digests", lambda plan: ["a model"])
    monkeypatch.setattr("dubgate.listening.Child", lambda inputs: made)
    monkeypatch.setattr("dubgate.judging_again.labels_of", lambda delivery, heard: made.labels)
    monkeypatch.setattr("dubgate.judging_again.measure_all", lambda heard, sheet, style: measure_level(heard))
    # conditions on the label and the record are asked in a child of their own, and tested elsewhere
    monkeypatch.setattr("dubgate.policy.judge.judge_conditions", lambda packs, facts, **how: ())
    monkeypatch.setattr("dubgate.cli.request.datetime", Moment)
    monkeypatch.setattr("dubgate.cli.standing.datetime", Moment)
    monkeypatch.setitem(Registry.open.__func__.__kwdefaults__, "clock", clock)  # type: ignore[attr-defined]
    return made


@pytest.fixture
def said(world: World, ears: Ears, capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs `dubgate request` with the house's pack; answers the exit code and its JSON."""

    def call(*words: str) -> tuple[int, Any]:
        code = run(["request", *words, "--pack", str(world.folder / "house.yaml"), "--format", "json"])
        printed = capsys.readouterr()
        return code, printed.err if code == 2 else json.loads(printed.out or "null")

    return call


def manifest(world: World, more: str = "") -> str:
    path = world.delivery.root / "delivery.yaml"
    path.write_text(f"schema: delivery/1.0\nextends: series.yaml\n{more}", encoding="utf-8")
    return str(path)


def cast_of(voices: dict[str, str]) -> str:
    """A cast of cloned voices, as YAML."""
    entries = (
        f"  - {{character: {name}, technique: voice_clone_tts, voice: {voice}, vendor: Polyglot Dubs, model: cg-2024}}\n"
        for name, voice in voices.items()
    )
    return "cast:\n" + "".join(entries)


def key_file(world: World, party: str) -> str:
    path = world.folder / f"{party}.pem"
    if not path.exists():
        save_private_key(world.keys[party], path, None)
    return str(path)


def approved(world: World, *, by: str = "kestrel") -> None:
    (world.delivery.root / "evidence" / f"{by}.json").write_bytes(world.approval(by))


def test_the_holder_is_asked_once_and_its_answer_is_judged_without_a_model(
    world: World, said: Said, ears: Ears
) -> None:
    delivery = manifest(world)
    code, first = said(delivery)
    assert (code, first["decision"], first["heard_again"]) == (1, "block", True)
    assert ears.tasks == ["hear"]
    [asked] = first["opened"]
    assert (asked["to"], asked["asked_by"], asked["wanted"][0]["what"]) == ("kestrel", "polyglot", "approval")
    release = asked["release"]
    assert release["packets_sha256"] == "1" * 64
    assert {"script_sha256", "original_sha256", "label_plan_sha256", "casting_sha256", "window"} <= set(release)

    code, again = said(delivery)
    assert (code, again["opened"], again["waiting"]) == (1, [], [asked["request_id"]])
    code, listed = said("--list", "--to", "kestrel")
    assert (code, [r["request_id"] for r in listed["requests"]]) == (0, [asked["request_id"]])

    approved(world)
    code, last = said(delivery)
    assert (code, last["decision"], last["closed"]) == (0, "release", [asked["request_id"]])
    assert ears.tasks == ["hear"]  # after the first judging no model ran
    assert not again["heard_again"]
    assert not last["heard_again"]
    assert said("--list") == (0, {"requests": []})


def test_what_is_printed_says_how_to_answer(world: World, ears: Ears, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["request", manifest(world), "--pack", str(world.folder / "house.yaml")]) == 1
    told = capsys.readouterr().out
    assert "dubgate approve " in told
    assert "--as kestrel --key KEY" in told
    assert "dubgate request --refuse rq-" in told
    assert "last-train, en, svod" in told


def test_a_no_blocks_whatever_the_delivery_brings_until_it_is_lifted(world: World, said: Said, ears: Ears) -> None:
    delivery = manifest(world)
    [asked] = said(delivery)[1]["opened"]
    holder = ("--as", "kestrel", "--key", key_file(world, "kestrel"))
    assert said("--refuse", asked["request_id"], "--as", "polyglot")[0] == 2
    assert said("--refuse", asked["request_id"], *holder, "--reason", "Not this film.")[0] == 0
    approved(world)
    code, told = said(delivery)
    assert (code, told["refused"], told["opened"]) == (1, [asked["request_id"]], [])
    with Registry.open(world.registry, read_only=True) as registry, registry.view() as view:
        [history] = request_histories(view, f"request:{asked['request_id']}")
    renamed, later = history.request.release.model_copy(update={"language": "en-GB"}), NOW + timedelta(days=3650)
    assert refused_findings([history], renamed, later), "another tag makes no other sound of it"
    assert not refused_findings([history], renamed.model_copy(update={"packets_sha256": "9" * 64}), later)
    assert not refused_findings([history], renamed.model_copy(update={"title_ids": ("another",)}), later)
    assert said(delivery, "--lift", asked["request_id"], *holder)[0] == 0
    assert ears.tasks == ["hear"]


def test_nobody_is_asked_while_the_vendor_has_something_to_mend(world: World, said: Said, ears: Ears) -> None:
    ears.labels = Labels(())
    code, told = said(manifest(world))
    assert (code, told["opened"]) == (1, [])
    assert "LAB-001" in {f["rule"] for f in told["mend_first"]}


def test_a_performer_is_asked_for_the_permission_and_a_reviewer_once_it_is_declined(world: World, said: Said) -> None:
    delivery = manifest(world, cast_of({"MARA": "v-mara", "JONAS": "v-jonas-private", "OTTO": "v-otto"}))
    code, told = said(delivery)
    assert code == 1
    wanted = {(r["to"], w["what"], w["rule"]) for r in told["opened"] for w in r["wanted"]}
    assert ("p-jonas", "permission", "CON-030") in wanted
    assert ("kestrel", "approval", "RH-001") in wanted
    assert ("reviewer-a", "attestation", "CON-035") in wanted
    assert ("reviewer-a", "attestation", "CON-030") not in wanted
    [mine] = [r["request_id"] for r in told["opened"] if r["to"] == "p-jonas"]
    assert said("--refuse", mine, "--as", "p-jonas", "--reason", "No measuring.")[0] == 0
    code, told = said(delivery)
    wanted = {(r["to"], w["what"], w["rule"]) for r in told["opened"] for w in r["wanted"]}
    assert ("reviewer-a", "attestation", "CON-030") in wanted
    assert not any(to == "p-jonas" for to, _, _ in wanted)


def test_a_changed_release_is_another_question(world: World, said: Said, ears: Ears) -> None:
    [first] = said(manifest(world))[1]["opened"]
    changed = manifest(world, 'label:\n  text: {en: "English [AI dub]"}\n')
    _, told = said(changed)
    assert told["closed"] == [first["request_id"]]
    [second] = told["opened"]
    assert second["release"]["label_plan_sha256"] != first["release"]["label_plan_sha256"]
    assert ears.tasks == ["hear"]


def test_what_was_compared_for_another_cast_is_compared_anew(world: World, said: Said, ears: Ears) -> None:
    said(manifest(world))
    swapped = {"MARA": "v-jonas", "JONAS": "v-mara", "OTTO": "v-otto"}
    code, told = said(manifest(world, cast_of(swapped)))
    assert (code, told["heard_again"], ears.tasks) == (1, True, ["hear", "voices"])
    assert "CON-031" in {f["rule"] for f in told["mend_first"]}


def test_nothing_that_is_kept_holds_a_vector(world: World, said: Said, tmp_path: Path) -> None:
    said(manifest(world))
    [kept] = (tmp_path / "cache").glob("*/measured-*")
    text = kept.read_text()
    heard = features()
    for voice in heard.dub.voices:  # type: ignore[union-attr]
        assert repr(float(voice.vector[0])) not in text  # type: ignore[index]
    kept.write_text(text.replace("match_llr", "match_rll"))
    assert said(manifest(world))[1]["heard_again"]  # what is damaged counts as none


@pytest.mark.parametrize("voice", ["v-mara", "v-karl"])
def test_a_purge_erases_what_was_kept_where_a_voice_was_declared_or_looked_for(
    world: World, said: Said, ears: Ears, tmp_path: Path, voice: str
) -> None:
    said(manifest(world))
    assert list((tmp_path / "cache").glob("*/heard"))
    assert purge("v-nobody").n_entries == 0
    assert not said(manifest(world))[1]["heard_again"]
    assert purge(voice).n_entries == 1
    assert not list((tmp_path / "cache").glob("*/*"))
    assert said(manifest(world))[1]["heard_again"]
    assert ears.tasks == ["hear", "hear"]


def test_a_comparison_that_ended_in_between_is_purged_too(
    world: World, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dubgate.judging_again.measured_of", lambda *_: 1 / 0)
    assert said(manifest(world))[0] == 2
    assert list((tmp_path / "cache").glob("*/heard"))
    purge("v-karl")
    assert not list((tmp_path / "cache").glob("*/heard"))


def standing(world: World) -> None:
    """Kestrel approves one English release in advance, and waits 48 hours for its own objection."""
    who = ["last-train", "--as", "kestrel", "--key", key_file(world, "kestrel")]
    what = ["--language", "en", "--territory", "001", "--channel", "svod", "--number", "1"]
    when = ["--hours", "48", "--wait", "--until", "2027-12-02T00:00:00Z"]
    assert run(["consent", "standing", *who, *what, *when]) == 0


def test_a_standing_approval_in_the_registry_is_told_waited_for_and_objected_to(
    world: World, said: Said, ears: Ears, capsys: pytest.CaptureFixture[str]
) -> None:
    standing(world)
    capsys.readouterr()
    delivery = manifest(world)
    code, told = said(delivery)
    assert (code, told["decision"], told["opened"]) == (3, "hold", [])
    [notice] = told["told"]
    assert (notice["to"], notice["title_id"], notice["packets_sha256"]) == ("kestrel", "last-train", "1" * 64)
    assert said(delivery)[0] == 3  # it may still object
    assert said(delivery)[1]["told"] == []
    ears.now = NOW + timedelta(hours=48)
    assert said(delivery)[0] == 0
    ears.now = NOW + timedelta(hours=47)
    holder = ("--as", "kestrel", "--key", key_file(world, "kestrel"))
    assert said("--object", notice["notice_id"], *holder, "--reason", "Not this one.")[0] == 0
    assert said(delivery)[0] == 1
    assert ears.tasks == ["hear"]


def test_a_standing_approval_that_its_holder_did_not_sign_is_none(
    world: World, said: Said, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(world.folder, tmp_path / "before")
    standing(world)
    with Registry.open(world.registry) as registry, registry.view() as view:
        [record] = [h.approval for h in view.approvals(["last-train"]) if h.approval.standing is not None]
    for path in world.folder.glob("registry.db*"):
        path.unlink()
    for path in (tmp_path / "before").glob("registry.db*"):
        shutil.copy(path, world.folder)
    with Registry.open(world.registry) as registry:
        registry.add(record)
    capsys.readouterr()
    code, told = said(manifest(world))
    assert (code, told["told"], [r["to"] for r in told["opened"]]) == (1, [], ["kestrel"])


@pytest.mark.parametrize(
    "words",
    [(), ("--list", "--refuse", "rq-1"), ("--refuse", "rq-1", "--lift", "rq-1"), ("--refuse", "rq-1")],
)
def test_what_is_asked_of_the_command_is_one_thing(said: Said, words: tuple[str, ...]) -> None:
    assert said(*words)[0] == 2


def test_every_kind_of_decision_has_a_command() -> None:
    for kind in RequestKind:
        wanted = Wanted(what=kind, rule="CON-035", about="programme", question="Is it?")
        assert list(_command(wanted, "delivery.yaml", "--as x", "r.db"))


def test_what_nobody_can_be_asked_about_is_told_once_with_all_whom_it_concerns() -> None:
    refused, other = CHECKS["CON-005"], CHECKS["LAB-001"]
    found = [
        failed(refused.id, Subject(Scope.CHARACTER, who), "kestrel has refused this", "拒否")
        for who in ("MARA", "OTTO")
    ]
    said = list(nobody_asked([*found, failed(other.id, Subject(Scope.PROGRAMME), "no label", "表示なし")]))
    assert said[0] == "Nobody to ask: CON-005  MARA, OTTO: kestrel has refused this"
    assert said[1].startswith("    do: ")
    assert said[2] == "Nobody to ask: LAB-001  no label"
