"""A delivery of a batch is judged as `check` judges it; its voices come back only where permitted, and its reports may be written again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from made_delivery import DAY, LABELLED, NOW, SHEET, World, features, make_world

from consent.consequences import record_ending
from consent.events import Event
from consent.registry import Registry
from consent.vocabulary import EventKind
from consent.voices import Permission
from dubgate.cache import purge
from dubgate.certificate.dsse import new_private_key, signer_of
from dubgate.certifying import Gate
from dubgate.cli.main import run
from dubgate.engine import judging
from dubgate.engine.batch import Finished, run_batch
from dubgate.engine.jobs import Answer, Failure, Job, Result, Settings
from dubgate.engine.journal import Signing, open_journal
from dubgate.engine.judges import judges_of
from dubgate.engine.local import Task
from dubgate.engine.series import PACK
from dubgate.engine.since import ended_since, known_by, voices_named
from dubgate.errors import InputError
from dubgate.features import ProgrammeFeatures
from dubgate.hearing import HearingPlan, Source, Voices
from dubgate.judgement import Clock
from dubgate.judging_again import judge_again
from dubgate.labels.tracks import Labels
from dubgate.listening import Planned
from dubgate.measure.level import measure_level
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.policy.verdict import Decision
from dubgate.release import CheckRequest, open_registry

DRIFTED = Finding("SER-VOICE", PACK, Group.QUALITY, Subject(Scope.CHARACTER, "MARA"), Outcome.WARN, Text("other", "別"))


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def world(made_once: World, tmp_path: Path) -> World:
    folder = tmp_path / "world"
    shutil.copytree(made_once.folder, folder)
    return replace(made_once, folder=folder, registry=folder / "registry.db")


@pytest.fixture
def asked(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks asked of the sandbox, which answers what was made up; all else is as it is."""
    tasks: list[str] = []

    def plan(request: Any) -> Planned:
        root = Path(request.dub.path).parent
        sources = [Source(str(root / f"{name}.flac"), 0, f"{name}.flac", "en") for name in ("original", "dub")]
        return Planned(HearingPlan(original=sources[0], dub=sources[1], sheet=SHEET), SHEET, Clock(), (0, 0))

    def ears(task: str, *_: object) -> ProgrammeFeatures | Voices:
        tasks.append(task)
        heard = features()
        if task == "hear":
            return heard
        return Voices(heard.original.voices, heard.dub.voices)  # type: ignore[arg-type]

    monkeypatch.setenv("DUBGATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("dubgate.listening.plan_of", plan)
    monkeypatch.setattr("dubgate.listening.model_digests", lambda plan: ["a model"])
    monkeypatch.setattr("dubgate.listening.Child", lambda inputs: ears)
    monkeypatch.setattr("dubgate.judging_again.labels_of", lambda delivery, heard: Labels((LABELLED,)))
    monkeypatch.setattr("dubgate.judging_again.measure_all", lambda heard, sheet, style: measure_level(heard))
    monkeypatch.setattr("dubgate.policy.judge.judge_conditions", lambda packs, facts, **how: ())
    monkeypatch.setitem(Registry.open.__func__.__kwdefaults__, "clock", lambda: NOW)  # type: ignore[attr-defined]
    return tasks


def settings_of(world: World, **changes: Any) -> Settings:
    base = Settings(
        str(world.registry), NOW, packs=(str(world.folder / "house.yaml"),), formats=("json",), media="none"
    )
    return replace(base, **changes)


def job_of(world: World, name: str = "delivery") -> Job:
    return Job(name, str(world.folder / name / "delivery.yaml"))


def answer(result: Result) -> Answer:
    assert isinstance(result, Answer), result
    return result


def test_a_delivery_is_judged_and_its_facts_are_those_of_its_report(world: World, asked: list[str]) -> None:
    found = answer(judging.judge_one(job_of(world), settings_of(world)))
    report = json.loads(found.files["report.json"])
    assert (found.facts.decision, report["decision"]) == ("release", "release")
    assert found.facts.submission == "internal:last-train en"
    assert (found.facts.vendor, found.facts.language, found.facts.minutes) == ("polyglot", "en", 1.0)
    assert (found.facts.blocking, found.facts.holding, found.facts.review_minutes) == ((), (), 0.0)
    assert found.judgement is None
    assert asked == ["hear"]


def test_only_permitted_voices_come_back_and_none_is_in_facts_or_files(world: World, asked: list[str]) -> None:
    found = answer(judging.judge_one(job_of(world), settings_of(world)))
    assert set(found.voices) == {t.character for t in found.facts.traits if t.not_compared is None}
    for vector, _ in found.voices.values():
        assert repr(float(vector[0])) not in found.files["report.json"].decode()
        assert repr(float(vector[0])) not in repr(found)


def test_judged_again_it_hears_the_voices_only_and_says_the_same(world: World, asked: list[str]) -> None:
    first = answer(judging.judge_one(job_of(world), settings_of(world)))
    again = answer(judging.judge_one(job_of(world), settings_of(world)))
    voices = answer(judging.voices_again(job_of(world), settings_of(world)))
    assert first.facts == again.facts == voices.facts
    assert asked == ["hear", "voices", "voices"]
    assert voices.voices.keys() == first.voices.keys()


def test_wherever_it_is_judged_its_report_is_the_same(world: World, asked: list[str], tmp_path: Path) -> None:
    shutil.copytree(world.folder / "delivery", world.folder / "elsewhere")
    one = answer(judging.judge_one(job_of(world), settings_of(world)))
    two = answer(judging.judge_one(job_of(world, "elsewhere"), settings_of(world)))
    assert one.facts.report_sha256 == two.facts.report_sha256
    later = answer(judging.judge_one(job_of(world), settings_of(world, at=NOW + timedelta(hours=1))))
    assert later.facts.report_sha256 != one.facts.report_sha256


def test_what_its_series_shows_enters_the_report_and_decides_nothing(world: World, asked: list[str]) -> None:
    first = answer(judging.judge_one(job_of(world), settings_of(world)))
    told = answer(judging.rewrite_one(job_of(world), settings_of(world), (DRIFTED,), first.facts.report_sha256))
    report = json.loads(told.files["report.json"])
    assert report["decision"] == "release"
    [finding] = [f for f in report["findings"] if f["rule"] == "SER-VOICE"]
    assert (finding["outcome"], finding["text"]["en"]) == ("warn", "other")


def test_reports_are_not_written_again_where_another_judgement_comes_out(world: World, asked: list[str]) -> None:
    result = judging.rewrite_one(job_of(world), settings_of(world), (DRIFTED,), "0" * 64)
    assert isinstance(result, Failure)
    assert "changed since" in result.why


def test_whatever_breaks_in_one_delivery_is_its_answer(
    world: World, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(judging.judge_one(Job("x", "/nowhere/delivery.yaml"), settings_of(world)), Failure)
    for error, lost in ((RuntimeError("a bug"), False), (MemoryError(), True)):
        breaks = Mock(side_effect=error)
        monkeypatch.setattr("dubgate.listening.Child", lambda inputs, breaks=breaks: breaks)
        result = judging.judge_one(job_of(world), settings_of(world))
        assert isinstance(result, Failure)
        assert result.lost is lost


def test_a_file_that_changes_while_it_is_heard_is_not_judged_and_nothing_is_kept(
    world: World, asked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    job = job_of(world)

    def swaps(*_: object) -> ProgrammeFeatures:
        (Path(job.location).parent / "dub.flac").write_bytes(b"another dub")
        return features()

    monkeypatch.setattr("dubgate.listening.Child", lambda inputs: swaps)
    result = judging.judge_one(job, settings_of(world))
    assert isinstance(result, Failure)
    assert "changed while" in result.why
    assert not list((tmp_path / "cache").glob("*/heard"))


# -- certificates are committed once, by the parent -------------------------------------------------------------------


class Here:
    """An engine that answers in this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def run(self, task: Task, asked: Sequence[tuple[Job, tuple[Any, ...]]]) -> Iterator[tuple[Job, Result]]:
        for job, more in asked:
            yield job, task(job, self._settings, *more)

    def close(self) -> None:
        pass


@pytest.fixture
def gate(world: World) -> Gate:
    return Gate("urn:gate", "op-1", signer_of(new_private_key()), new_private_key(), (NOW + 30 * DAY,))


Batch = Callable[..., Finished]


@pytest.fixture
def certified(world: World, asked: list[str], gate: Gate, tmp_path: Path) -> Batch:
    """Runs a batch that signs."""

    def call(*locations: str, out: str = "out") -> Finished:
        chosen = settings_of(world, signed=True)
        where = locations or (job_of(world).location,)
        return run_batch(where, tmp_path / out, chosen, Here, gate=gate, now=lambda: NOW)

    return call


def releases(world: World) -> int:
    with Registry.open(world.registry, read_only=True) as registry, registry.view() as view:
        from consent.releases import Release

        return len(list(view.store.of_kind(Release)))


def test_a_batch_signs_each_release_once_however_often_it_is_started(
    world: World, certified: Batch, tmp_path: Path
) -> None:
    for _ in range(3):
        finished = certified()
        assert (finished.exit_code, releases(world)) == (0, 1)
    [path] = (tmp_path / "out").glob("*/certificate.json")
    assert finished.done[0].certificate == path.name


def test_what_was_released_is_no_release_once_something_ended(world: World, asked: list[str], tmp_path: Path) -> None:
    """Started again an hour later, after somebody withdrew: the exit code is read now."""

    def again(later: timedelta) -> Finished:
        chosen = settings_of(world)
        return run_batch((job_of(world).location,), tmp_path / "out", chosen, Here, now=lambda: NOW + later)

    assert again(timedelta(0)).exit_code == 0
    with Registry.open(world.registry, clock=lambda: NOW + timedelta(minutes=30)) as registry:
        with registry.view() as view:
            [grant] = [h.grant for h in view.grants("v-mara") if "last-train" in h.grant.title_ids]
        record_ending(registry, f"grant:{grant.grant_id}", EventKind.WITHDRAWN, by=grant.granted_by)
    finished = again(timedelta(hours=1))
    assert finished.exit_code == 3
    assert "something ended in the registry" in finished.notes[-1]
    assert len(finished.ended) == 1
    with open_registry(str(world.registry)) as registry, registry.view() as view:
        assert ended_since(view, NOW + timedelta(minutes=30)) == ()
        assert len(ended_since(view, NOW - timedelta(days=4000))) >= 1
        assert len(ended_since(view, NOW, frozenset({"v-mara"}))) == 1
        assert ended_since(view, NOW, frozenset({"v-otto"})) == ()
    assert voices_named([job_of(world).location]) >= {"v-mara"}
    assert voices_named([job_of(world).location, "s3://dubs/ep01/delivery.yaml"]) is None
    assert voices_named([str(tmp_path / "nothing.yaml")]) is None


def test_what_another_registry_answered_is_no_answer_of_the_one_that_lies_there_now(
    world: World, asked: list[str], tmp_path: Path
) -> None:
    """A trial's registry, or an older copy, in whose place the real one was put while the batch waited to go on."""

    def again() -> Finished:
        chosen = settings_of(world)
        return run_batch((job_of(world).location,), tmp_path / "out", chosen, Here, now=lambda: NOW)

    assert (again().exit_code, again().exit_code) == (0, 0)
    for file in world.folder.glob("registry.db*"):
        file.unlink()
    with Registry.open(world.registry, create=True, clock=lambda: NOW - timedelta(days=30)):
        pass
    finished = again()
    assert (finished.exit_code, len(finished.rounds)) == (1, 2)


def test_a_voice_that_is_protected_since_was_looked_for_in_no_release(world: World, asked: list[str]) -> None:
    said = {"permission_id": "pm-new", "voice_id": "v-otto-new", "kind": "protect", "given_by": "p-otto"}
    term = {"not_before": NOW.isoformat(), "not_after": (NOW + timedelta(days=90)).isoformat()}
    with Registry.open(world.registry, clock=lambda: NOW + timedelta(minutes=30)) as registry:
        registry.add(Permission.model_validate_json(json.dumps(said | term | {"legal_basis": "gdpr_9_2_a"})))
        with registry.view() as view:
            assert ended_since(view, NOW) == ("v-otto-new",)
            assert ended_since(view, NOW + timedelta(minutes=30)) == ()


def test_a_claim_to_the_title_since_ends_what_was_released_without_its_holder(world: World, asked: list[str]) -> None:
    with Registry.open(world.registry, clock=lambda: NOW + timedelta(minutes=30)) as registry:
        with registry.view() as view:
            title = view.title("last-train")
            assert title is not None
            held = view.claims(title)[0].claim
        registry.add(held.model_copy(update={"claim_id": "c-later", "recorded_by": "op-1", "confirmed_by": None}))
        with registry.view() as view:
            assert ended_since(view, NOW) == ("c-later",)
    with Registry.open(world.registry, clock=lambda: NOW + timedelta(minutes=40)) as registry:
        counts = {"event_id": "e-later", "target": "claim", "target_id": "c-later", "kind": "confirmed", "by": "op-2"}
        registry.add(Event.model_validate_json(json.dumps(counts | {"effective_at": NOW.isoformat()})))
        with registry.view() as view:
            assert len(ended_since(view, NOW + timedelta(minutes=35))) == 1


def test_a_check_looks_at_the_registry_once_it_has_heard(world: World, asked: list[str]) -> None:
    """Hearing takes hours, and what was withdrawn meanwhile is no release any more."""
    request = CheckRequest(Path(job_of(world).location), str(world.registry), (str(world.folder / "house.yaml"),))
    with Registry.open(world.registry, clock=lambda: NOW + timedelta(minutes=30)) as registry:
        with registry.view() as view:
            [grant] = [h.grant for h in view.grants("v-mara") if "last-train" in h.grant.title_ids]
        record_ending(registry, f"grant:{grant.grant_id}", EventKind.WITHDRAWN, by=grant.granted_by)

    def judged(**how: Any) -> tuple[Decision, datetime]:
        found = judge_again(request, at=NOW, progress=lambda *_: None, **how).judgement
        return found.verdict.decision, found.judged_at

    assert judged(clock=lambda: NOW + timedelta(hours=1)) == (Decision.BLOCK, NOW + timedelta(hours=1))
    assert judged() == (Decision.RELEASE, NOW), "as it was known then"
    last = NOW + timedelta(minutes=30)
    assert judged(clock=lambda: NOW) == (Decision.BLOCK, last), "a clock that was set back unsays nothing"
    purge()
    assert judged(clock=lambda: NOW) == (Decision.BLOCK, last)


def test_a_batch_that_ends_while_it_signs_never_signs_twice(
    world: World, certified: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dubgate.certifying import certify

    def crashes(*arguments: Any, **more: Any) -> None:
        certify(*arguments, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("dubgate.engine.batch.certify", crashes)
        with pytest.raises(KeyboardInterrupt):
            certified()
    assert releases(world) == 1
    finished = certified()
    assert (finished.exit_code, releases(world)) == (2, 1)
    assert "ledger" in finished.done[0].why


def test_a_judgement_that_is_not_the_one_reported_is_not_signed(
    world: World, certified: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = judging.judge_one

    def swapped(job: Job, settings: Settings) -> Result:
        found = answer(genuine(job, settings))
        return replace(found, facts=replace(found.facts, decision="hold"))

    monkeypatch.setattr("dubgate.engine.batch.judge_one", swapped)
    finished = certified()
    assert (finished.exit_code, releases(world)) == (2, 0)


def test_a_worker_that_judged_other_bytes_than_lay_here_is_not_believed(
    world: World, certified: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = judging.judge_one
    told: list[tuple[tuple[str, str], ...]] = []

    def elsewhere(job: Job, settings: Settings) -> Result:
        found = answer(genuine(job, settings))
        told.append(found.rests_on)
        return replace(found, rests_on=tuple((n, "0" * 64 if n == "dub.flac" else s) for n, s in found.rests_on))

    monkeypatch.setattr("dubgate.engine.batch.judge_one", elsewhere)
    finished = certified()
    assert "dub.flac" in dict(told[0])
    assert (finished.exit_code, releases(world)) == (2, 0)
    assert "other bytes" in finished.done[0].why


def test_what_another_machine_heard_is_what_lies_here_or_it_is_nothing(
    world: World, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker of a cluster reads the same path on a disk of its own; nothing is signed, and the exit code counts."""
    genuine, theirs = judging.judge_one, replace(world, folder=tmp_path / "theirs")
    shutil.copytree(world.folder, theirs.folder)

    def there(job: Job, settings: Settings) -> Result:
        return genuine(job_of(theirs), settings)

    def judged(name: str, **changes: Any) -> Finished:
        chosen = settings_of(world, **changes)
        return run_batch((job_of(world).location,), tmp_path / name, chosen, Here, now=lambda: NOW)

    monkeypatch.setattr("dubgate.engine.batch.judge_one", there)
    assert judged("same", elsewhere=True).exit_code == 0
    with (theirs.folder / "delivery" / "script.vtt").open("a") as script:
        script.write("\n")
    finished = judged("other", elsewhere=True)
    assert finished.exit_code == 2
    assert "other bytes" in finished.done[0].why


def test_what_another_machine_fetched_is_what_lies_there_for_this_one(
    world: World, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same URL, by a store of another name or other credentials."""
    import fsspec

    fsspec.filesystem("memory").put(str(world.folder / "delivery"), "/dubs/own", recursive=True)

    def judged(name: str) -> Finished:
        url = "memory://dubs/own/delivery.yaml"
        return run_batch((url,), tmp_path / name, settings_of(world), Here, now=lambda: NOW)

    assert judged("same").exit_code == 0
    monkeypatch.setattr(judging, "state_of", lambda location: "of another store")
    finished = judged("other")
    assert finished.exit_code == 2
    assert "other bytes" in finished.done[0].why


def test_a_worker_asks_the_batchs_own_registry(world: World, asked: list[str]) -> None:
    """An older copy lies at the same path of its disk: what was withdrawn since is not in it."""
    known = known_by(str(world.registry), NOW)
    assert answer(judging.judge_one(job_of(world), settings_of(world, known=known)))
    older = judging.judge_one(job_of(world), settings_of(world, known=known_by(str(world.registry), NOW - 4000 * DAY)))
    assert isinstance(older, Failure)
    assert "an older copy" in older.why


def test_a_worker_whose_delivery_changed_while_it_judged_answers_nothing_that_could_be_signed(
    world: World, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it was heard, and before anybody signs."""
    genuine = judging.judge_again

    def changes(request: Any, **how: Any) -> Any:
        found = genuine(request, **how)
        script = Path(request.manifest).parent / "script.vtt"
        script.write_bytes(script.read_bytes())
        return found

    monkeypatch.setattr(judging, "judge_again", changes)
    result = judging.judge_one(job_of(world), settings_of(world, signed=True))
    assert isinstance(result, Failure)
    assert "script.vtt" in result.why
    assert isinstance(judging.judge_one(job_of(world), settings_of(world)), Answer)


def test_a_worker_that_judged_another_manifest_answers_nothing_that_could_be_signed(
    world: World, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = judging.judge_again

    def other(request: Any, **how: Any) -> Any:
        found = genuine(request, **how)
        return replace(found, delivery=replace(found.delivery, cast=found.delivery.cast[1:]))

    monkeypatch.setattr(judging, "judge_again", other)
    result = judging.judge_one(job_of(world), settings_of(world, signed=True))
    assert isinstance(result, Failure)
    assert "another manifest" in result.why


def test_a_worker_whose_packs_change_while_it_judges_answers_nothing(
    world: World, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, pack = judging.judge_again, world.folder / "house.yaml"

    def changes(request: Any, **how: Any) -> Any:
        found = genuine(request, **how)
        pack.write_text(pack.read_text() + "# another")
        return found

    before = judging.judge_one(job_of(world), settings_of(world))
    assert answer(before).judges == judges_of(settings_of(world))
    assert answer(before).facts.models
    monkeypatch.setattr(judging, "judge_again", changes)
    result = judging.judge_one(job_of(world), settings_of(world))
    assert isinstance(result, Failure)
    assert "a rule pack" in result.why


def test_a_delivery_by_url_is_not_signed(world: World, certified: Batch) -> None:
    finished = certified("memory://dubs/ep1/delivery.yaml")
    assert finished.exit_code == 2
    assert "not signed" in finished.done[0].why


def test_what_entered_the_journal_before_signing_is_the_intent(world: World, certified: Batch, tmp_path: Path) -> None:
    certified()
    from dubgate.engine import batch as module

    options = module._options(settings_of(world, signed=True), Gate("urn:gate", "op-1", None, None))
    journal = open_journal(tmp_path / "out", options, "later")
    assert journal.signing == [Signing(journal.done[0].name, journal.done[0].state.rsplit("-", 1)[0])]
    journal.close()


# -- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("engine", "elsewhere"), [("ray", True), ("local", False)])
def test_a_clusters_workers_may_have_other_disks(
    engine: str, elsewhere: bool, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Settings] = []

    def looked(locations: Any, out: Any, settings: Settings, *_: Any, **__: Any) -> None:
        asked.append(settings)
        raise InputError("nothing is judged here")

    monkeypatch.setattr("dubgate.engine.batch.run_batch", looked)
    words = ["--registry", str(world.registry), "--out", str(tmp_path / "out"), "--engine", engine]
    assert run(["batch", job_of(world).location, *words]) == 2
    assert [s.elsewhere for s in asked] == [elsewhere]


def test_the_command_ends_with_2_where_nothing_could_be_judged(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "ep1" / "delivery.yaml"
    bad.parent.mkdir()
    bad.write_text("schema: delivery/1.0\n")
    words = ["--registry", str(world.registry), "--out", str(tmp_path / "out"), "--quiet"]
    assert run(["batch", str(bad), str(tmp_path / "gone.yaml"), *words]) == 2
    assert "error" in capsys.readouterr().out
    assert (tmp_path / "out" / "summary.html").exists()
    assert run(["batch", str(bad), "--registry", str(tmp_path / "none.db"), "--out", str(tmp_path / "out2")]) == 2
    assert not (tmp_path / "out2").exists()
    assert run(["batch", *words]) == 2
    assert run(["batch", str(bad), *words, "--certify"]) == 2
