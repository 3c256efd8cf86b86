"""Many deliveries: one that is bad stops no other, nothing is judged twice, nothing is lost, and the exit code is the worst."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import batch_tasks
import pytest
from batch_tasks import AT, SETTINGS, facts, told_state
from hypothesis import given, settings
from hypothesis import strategies as st

from dubgate.delivery.manifest import load_delivery
from dubgate.engine import batch as batch_module
from dubgate.engine.batch import Finished, run_batch
from dubgate.engine.fetching import fetched, state_of
from dubgate.engine.jobs import Answer, Failure, Job, Judges, Result, Settings
from dubgate.engine.journal import Done, Journal, Signing, open_journal
from dubgate.engine.judges import Models, judges_of, require_same, sha256_of
from dubgate.engine.listing import jobs_of
from dubgate.engine.local import LocalEngine, Task
from dubgate.engine.printing import lines_after, print_batch
from dubgate.engine.summary import csv_of, tables_of, write_summary
from dubgate.engine.tally import by_rule, by_vendor
from dubgate.errors import InputError

HERE = Path(__file__).parent


class Here:
    """An engine that answers in this process, in the order asked."""

    def __init__(self, settings: Settings) -> None:
        self.asked: list[str] = []
        self._settings = settings

    def run(self, task: Task, asked: Sequence[tuple[Job, tuple[Any, ...]]]) -> Iterator[tuple[Job, Result]]:
        for job, more in asked:
            self.asked.append(job.name)
            yield job, task(job, self._settings, *more)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _told_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No delivery is heard here: its state is its manifest's bytes, and its judgement what the manifest says."""
    monkeypatch.setattr(batch_module, "judge_one", batch_tasks.judge_one)
    monkeypatch.setattr(batch_module, "voices_again", batch_tasks.judge_one)
    monkeypatch.setattr(batch_module, "rewrite_one", lambda job, *_: Failure("not in this test"))
    monkeypatch.setattr(batch_module, "state_of", told_state)
    monkeypatch.setattr(batch_module, "ended_in", lambda *_: ())  # there is no registry
    monkeypatch.setattr(batch_module, "known_by", lambda *_: "")


def delivery(folder: Path, name: str, decision: str = "release", **more: object) -> str:
    path = folder / name / "delivery.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"decision": decision, **more}))
    return str(path)


def run(locations: Sequence[str], out: Path, engine: Any = Here, **how: Any) -> Finished:
    return run_batch(locations, out, how.pop("settings", SETTINGS), engine, now=how.pop("now", lambda: AT), **how)


def asked_of(location: str) -> int:
    path = Path(location).parent / "asked"
    return path.read_text().count("\n") if path.exists() else 0


def of_one_name(folder: Path) -> tuple[str, str]:
    """Two folders whose deliveries have one short name: some ten thousand tries find such, for whoever chooses the path."""
    seen: dict[str, str] = {}
    for k in range(1_000_000):
        path = str((folder / str(k) / "ep" / "delivery.yaml").resolve())
        short = hashlib.sha256(path.encode()).hexdigest()[:8]
        if short in seen:
            return seen[short], path
        seen[short] = path
    raise AssertionError("no two of a million are alike")


def test_two_paths_chosen_so_that_their_short_names_are_one_are_two_deliveries(tmp_path: Path) -> None:
    one, other = of_one_name(tmp_path)
    for path, decision in ((one, "block"), (other, "release")):
        delivery(Path(path).parent.parent, "ep", decision)
    finished = run([one, other], tmp_path / "out")
    assert [d.decision for d in finished.done] == ["block", "release"]
    assert finished.exit_code == 1
    assert len(list((tmp_path / "out").glob("ep-*/report.json"))) == 2


@pytest.mark.parametrize(
    ("decisions", "code"),
    [
        (["release"], 0),
        (["release", "hold"], 3),
        (["hold", "block", "release"], 1),
        (["release", "block", "error"], 2),
        (["error"], 2),
        ([], 2),
        (["release", "something else"], 2),
    ],
)
def test_the_exit_code_is_the_worst_of_all(decisions: list[str], code: int) -> None:
    done = [Done(f"d{k}", "x", "s", None if d == "error" else facts(decision=d)) for k, d in enumerate(decisions)]
    assert Finished(tuple(done), tuple(done)).exit_code == code
    assert Finished(tuple(done), tuple(done), ended=("e-1",)).exit_code == (code or 3)


def test_the_terminal_is_told_how_many_came_to_what_and_what_to_do_about_the_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = Done("d1", "/d1", "s", None, "d1/delivery.yaml:4:2: 'dub' is missing")
    done = (Done("d0", "/d0", "s", facts(decision="hold", holding=("VOI-ONE",), warning=("EUA-MARK",))), bad)
    print_batch(Finished(done, done), (Path("summary.csv"),), "")
    lines = capsys.readouterr().out.splitlines()
    assert all(line == line.rstrip() for line in lines)
    below = lines[3:]
    assert below[:3] == ["VOI-ONE holds 1", "EUA-MARK is a note in 1", "2 deliveries: 1 hold, 1 error"]
    assert "run the same command" in below[3]
    assert below[4:] == ["summary: summary.csv"]
    assert list(lines_after(Finished(done[:1], done[:1]), ""))[-1] == "1 delivery: 1 hold"


def test_one_that_cannot_be_judged_stops_no_other(tmp_path: Path) -> None:
    listed = [
        delivery(tmp_path, "a"),
        delivery(tmp_path, "b", fails="the file is damaged"),
        delivery(tmp_path, "c", "hold"),
    ]
    finished = run(listed, tmp_path / "out")
    assert [d.decision for d in finished.done] == ["release", "error", "hold"]
    assert finished.exit_code == 2
    assert finished.done[1].why == "the file is damaged"
    assert [bool(list((tmp_path / "out").glob(f"{n}-*/report.json"))) for n in "abc"] == [True, False, True]


def test_a_manifest_listed_twice_is_judged_once_and_the_summary_tells(tmp_path: Path) -> None:
    a = delivery(tmp_path, "a")
    finished = run([a, str(Path(a).parent / ".." / "a" / "delivery.yaml"), a], tmp_path / "out")
    assert asked_of(a) == 1
    assert len(finished.done) == 1
    assert len(finished.listed_twice) == 2
    write_summary(finished, tmp_path / "out")
    assert "listed more than once" in (tmp_path / "out" / "summary.html").read_text()


def test_nothing_listed_is_an_error() -> None:
    with pytest.raises(InputError):
        jobs_of([])


def test_folders_of_one_name_do_not_write_over_each_other(tmp_path: Path) -> None:
    jobs, _ = jobs_of([delivery(tmp_path / "s1", "ep"), delivery(tmp_path / "s2", "ep"), "s3://x/../../etc/d.yaml"])
    assert len({j.name for j in jobs}) == 3
    assert all("/" not in j.name and not j.name.startswith(".") for j in jobs)


def test_a_batch_that_is_started_again_judges_only_what_is_left(tmp_path: Path) -> None:
    listed = [delivery(tmp_path, n) for n in "abc"]
    run(listed[:2], tmp_path / "out")
    finished = run(listed, tmp_path / "out", now=lambda: AT + timedelta(hours=1))
    assert [asked_of(x) for x in listed] == [1, 1, 1]
    assert [d.decision for d in finished.done] == ["release"] * 3


def test_what_could_not_be_judged_is_tried_again(tmp_path: Path) -> None:
    a = delivery(tmp_path, "a", fails="the disk was full")
    assert run([a], tmp_path / "out").exit_code == 2
    assert run([a], tmp_path / "out").exit_code == 2
    assert asked_of(a) == 2


def test_a_delivery_that_changed_is_another_round(tmp_path: Path) -> None:
    a = delivery(tmp_path, "a", "block")
    run([a], tmp_path / "out")
    delivery(tmp_path, "a", "release")
    finished = run([a], tmp_path / "out")
    assert [d.decision for d in finished.done] == ["release"]
    [row] = by_vendor(finished.done, finished.rounds)
    assert (row.rounds, row.resubmissions, row.finished_minutes) == (2, 1, 10.0)
    assert row.resubmissions_per_finished_minute == pytest.approx(0.1)


def test_files_that_are_put_back_are_judged_once_more(tmp_path: Path) -> None:
    """What blocked blocks again: a release of other bytes in between says nothing of these."""
    a = delivery(tmp_path, "a", "block")
    run([a], tmp_path / "out")
    delivery(tmp_path, "a", "release")
    assert run([a], tmp_path / "out").exit_code == 0
    delivery(tmp_path, "a", "block")
    assert (run([a], tmp_path / "out").exit_code, asked_of(a)) == (1, 3)


def test_a_delivery_that_changes_while_it_is_judged_is_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = delivery(tmp_path, "a")
    states = iter(["before", "after"])
    monkeypatch.setattr(batch_module, "state_of", lambda *_: next(states))
    finished = run([a], tmp_path / "out")
    assert (finished.exit_code, finished.done[0].decision) == (2, "error")
    assert not list((tmp_path / "out").glob("*/report.json"))


def test_another_choice_of_rules_does_not_go_on_with_a_batch(tmp_path: Path) -> None:
    a = delivery(tmp_path, "a")
    run([a], tmp_path / "out")
    for changed in ({"packs": ("loudness-netflix",)}, {"registry": "other.db"}, {"models": "embedded"}, {"lang": "ja"}):
        with pytest.raises(InputError, match="other options"):
            run([a], tmp_path / "out", settings=replace(SETTINGS, **changed))


def test_a_batch_of_another_day_is_not_gone_on_with(tmp_path: Path) -> None:
    a = delivery(tmp_path, "a")
    run([a], tmp_path / "out")
    for later in (timedelta(hours=25), timedelta(hours=-1)):
        with pytest.raises(InputError, match="begun at"):
            run([a], tmp_path / "out", settings=replace(SETTINGS, at=AT + later), now=lambda later=later: AT + later)  # type: ignore[misc]


def test_a_batch_that_is_gone_on_with_judges_as_at_its_beginning(tmp_path: Path) -> None:
    seen: list[datetime] = []

    class Noted(Here):
        def __init__(self, chosen: Settings) -> None:
            seen.append(chosen.at)
            super().__init__(chosen)

    a, b = delivery(tmp_path, "a"), delivery(tmp_path, "b")
    run([a], tmp_path / "out", Noted)
    later = AT + timedelta(hours=3)
    run([a, b], tmp_path / "out", Noted, settings=replace(SETTINGS, at=later), now=lambda: later)
    assert seen == [AT, AT]


def test_two_batches_do_not_share_a_folder(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, {}, "now")
    with pytest.raises(InputError, match="another batch is running"):
        open_journal(tmp_path, {}, "now")
    journal.close()
    open_journal(tmp_path, {}, "now").close()


def written(folder: Path, n: int = 3) -> Path:
    journal = open_journal(folder, {"registry": "r"}, AT.isoformat())
    for k in range(n):
        journal.add(Done(f"d{k}", f"/d{k}", "s", facts(f"Ep {k}"), worker="w", seconds=1.5))
    journal.close()
    return folder / "journal.jsonl"


def test_a_line_that_was_cut_off_counts_as_not_written(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    ends = [k for k, byte in enumerate(whole) if byte == 10]
    for cut in (*range(ends[2] + 1, len(whole), 37), len(whole) - 1):
        path.write_bytes(whole[:cut])
        journal = open_journal(tmp_path, {"registry": "r"}, "later")
        assert [d.name for d in journal.done] == ["d0", "d1"]
        journal.add(Done("d9", "/d9", "s", None, "why"))
        journal.close()
        again = open_journal(tmp_path, {"registry": "r"}, "later")
        assert [d.name for d in again.done] == ["d0", "d1", "d9"]
        again.close()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 7))
def test_any_other_damage_to_a_journal_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, where: int, bit: int
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    path = written(folder)
    data = bytearray(path.read_bytes())
    where %= data.rindex(b"\n", 0, len(data) - 1)
    data[where] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(InputError):
        open_journal(folder, {"registry": "r"}, "later").close()


def test_a_line_taken_out_of_a_journal_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], *lines[3:]]))
    with pytest.raises(InputError, match="damaged"):
        open_journal(tmp_path, {"registry": "r"}, "later")


def test_no_voice_is_written_into_the_journal(tmp_path: Path) -> None:
    a = delivery(tmp_path, "a", voices={"MARA": [0.125, 0.25, 0.5]})
    run([a], tmp_path / "out")
    told = (tmp_path / "out" / "journal.jsonl").read_text()
    assert '"MARA"' in told
    assert "0.125" not in told


def test_where_nobody_knows_whether_it_was_released_a_person_has_to_look(tmp_path: Path) -> None:
    a = delivery(tmp_path, "a")
    [job], _ = jobs_of([a])
    journal = open_journal(tmp_path / "out", batch_module._options(SETTINGS, None), AT.isoformat())
    journal.add(Signing(job.name, batch_module.state_of(a)))
    journal.close()
    for _ in range(2):
        finished = run([a], tmp_path / "out")
        assert (finished.exit_code, asked_of(a)) == (2, 0)
        assert "ledger" in finished.done[0].why


def test_half_signed_stays_half_signed_by_whatever_rules_it_was_judged(tmp_path: Path) -> None:
    a, pack = delivery(tmp_path, "a"), tmp_path / "own.yaml"
    chosen = replace(SETTINGS, packs=(str(pack),))
    pack.write_bytes(b"one")
    [job], _ = jobs_of([a])
    journal = open_journal(tmp_path / "out", batch_module._options(chosen, None), AT.isoformat())
    journal.add(Signing(job.name, batch_module.state_of(a)))
    journal.close()
    pack.write_bytes(b"two")
    finished = run([a], tmp_path / "out", settings=chosen)
    assert (finished.exit_code, asked_of(a)) == (2, 0)


def test_signing_that_ended_once_is_half_done_where_it_began_again(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, {}, "now")
    assert not journal.half_signed("a", "s")
    journal.add(Signing("a", "s"))
    assert journal.half_signed("a", "s")
    journal.add(Done("a", "/a", "s-rules", facts(), certificate="certificate.json"))
    assert not journal.half_signed("a", "s")
    journal.add(Signing("a", "s"))  # by other rules
    assert journal.half_signed("a", "s")
    assert not journal.half_signed("b", "s")
    assert not journal.half_signed("a", "other files")
    journal.add(Done("b", "/b", "s-other", facts(), certificate="certificate.json"))
    journal.add(Done("a", "/a", "t-other", facts(), certificate="certificate.json"))
    journal.add(Done("a", "/a", "s-other", None, "refused"))
    assert journal.half_signed("a", "s")
    journal.close()


def _edited(pack: Path, company: Path) -> None:
    pack.write_bytes(b"another threshold")


def _registered(pack: Path, company: Path) -> None:
    (company / "register.yaml").write_text(REGISTER.replace("K", "J"), encoding="utf-8")


def _forbidden(pack: Path, company: Path) -> None:
    (company / "policies").mkdir()
    (company / "policies" / "none.json").write_bytes(b"{}")


REGISTER = "schema: tool-register/1.0\ncompany: K\ntools: []\n"


@pytest.mark.parametrize("change", [_edited, _registered, _forbidden])
def test_a_batch_that_is_gone_on_with_by_other_rules_judges_anew(
    change: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    a, b = delivery(tmp_path, "a"), delivery(tmp_path, "b")
    pack, company = tmp_path / "own.yaml", tmp_path / "company"
    pack.write_bytes(b"a threshold")
    company.mkdir()
    (company / "register.yaml").write_text(REGISTER, encoding="utf-8")
    chosen = replace(SETTINGS, packs=(str(pack),), company=str(company))
    for _ in range(2):
        run([a, b], tmp_path / "out", settings=chosen)
        assert (asked_of(a), asked_of(b)) == (1, 1)
    change(pack, company)
    for _ in range(2):
        finished = run([a, b], tmp_path / "out", settings=chosen)
        assert (asked_of(a), asked_of(b)) == (2, 2)
    assert len(finished.rounds) == 4


def test_packs_that_change_while_a_delivery_is_judged_judge_nothing(tmp_path: Path) -> None:
    a, pack = delivery(tmp_path, "a"), tmp_path / "own.yaml"
    pack.write_bytes(b"a threshold")
    chosen = replace(SETTINGS, packs=(str(pack),))

    class Edits(Here):
        def run(self, task: Task, asked: Sequence[tuple[Job, tuple[Any, ...]]]) -> Iterator[tuple[Job, Result]]:
            for answered in super().run(task, asked):
                pack.write_bytes(b"another")
                yield answered

    finished = run([a], tmp_path / "out", Edits, settings=chosen)
    assert finished.exit_code == 2
    assert "rule pack" in finished.done[0].why


OTHERS: dict[str, Callable[[Answer], Answer]] = {
    "packs": lambda a: replace(a, judges=replace(_judges(a), packs="0" * 64)),
    "company": lambda a: replace(a, judges=replace(_judges(a), company="0" * 64)),
    "program": lambda a: replace(a, judges=replace(_judges(a), program="0" * 64)),
    "version": lambda a: replace(a, judges=replace(_judges(a), version="0.0.9")),
    "models": lambda a: replace(a, judges=replace(_judges(a), models=("transcriber another",))),
    "version and program and packs and company and models": lambda a: replace(a, judges=None),
}


def _judges(answer: Answer) -> Judges:
    assert answer.judges is not None
    return answer.judges


@pytest.mark.parametrize("what", OTHERS)
def test_what_a_worker_judged_by_something_else_is_not_committed(what: str, tmp_path: Path) -> None:
    """A machine of the cluster with packs, a program or models of its own."""
    a, b = delivery(tmp_path, "a"), delivery(tmp_path, "b")

    class Elsewhere(Here):
        def run(self, task: Task, asked: Sequence[tuple[Job, tuple[Any, ...]]]) -> Iterator[tuple[Job, Result]]:
            for job, result in super().run(task, asked):
                assert isinstance(result, Answer)
                yield job, OTHERS[what](result) if job.location == a else result

    finished = run([a, b], tmp_path / "out", Elsewhere)
    refused, kept = sorted(finished.done, key=lambda d: d.location)
    assert (finished.exit_code, refused.facts, kept.decision) == (2, None, "release")
    assert f"judged with another {what} than" in refused.why
    assert not (tmp_path / "out" / refused.name).exists()
    assert run([a, b], tmp_path / "out").exit_code == 0  # by a worker that has the same, it is judged


def test_deliveries_of_a_round_are_heard_by_the_same_weights_whenever_it_is_gone_on_with(tmp_path: Path) -> None:
    a, b, c = (delivery(tmp_path, name) for name in "abc")
    heard = {a: "1" * 64, b: "2" * 64, c: "1" * 64}

    class Hears(Here):
        def run(self, task: Task, asked: Sequence[tuple[Job, tuple[Any, ...]]]) -> Iterator[tuple[Job, Result]]:
            for job, result in super().run(task, asked):
                assert isinstance(result, Answer)
                models = (("speaker_encoder", heard[job.location]),)
                yield job, replace(result, facts=replace(result.facts, models=models))

    assert run([a], tmp_path / "out", Hears).exit_code == 0
    finished = run([a, b, c], tmp_path / "out", Hears)
    told = {d.location: d.why for d in finished.done}
    assert (told[a], told[c]) == ("", "")
    assert "other weights heard it" in told[b]
    assert "speaker_encoder" in told[b]


def test_words_are_heard_by_the_same_weights_within_a_language() -> None:
    english, more = facts(models=(("transcriber", "1" * 64),)), facts(models=(("transcriber", "2" * 64),))
    models = Models([english])
    models.require_same(replace(more, language="fr"))
    for other in (more, replace(english, language="fr")):
        with pytest.raises(InputError, match="transcriber"):
            models.require_same(other)
    models.require_same(english)


def test_everything_that_judges_makes_another_round() -> None:
    here = judges_of(SETTINGS)
    assert here.models
    assert len(here.program) == len(here.packs) == 64
    changed: dict[str, Any] = {"models": ("a b",)} | dict.fromkeys(("version", "program", "packs", "company"), "other")
    assert set(changed) == {f.name for f in fields(Judges)}
    assert len({sha256_of(here), *(sha256_of(replace(here, **{k: v})) for k, v in changed.items())}) == 6


def test_a_program_whose_source_nobody_can_read_is_not_the_same_anywhere() -> None:
    unread = replace(judges_of(SETTINGS), program="")
    answer = Answer(facts(), {}, judges=unread)
    with pytest.raises(InputError, match="another program"):
        require_same(answer, unread)
    require_same(replace(answer, judges=judges_of(SETTINGS)), judges_of(SETTINGS))


def test_a_pack_that_cannot_be_read_begins_no_batch(tmp_path: Path) -> None:
    chosen = replace(SETTINGS, packs=(str(tmp_path / "none.yaml"),))
    with pytest.raises(InputError, match="cannot be read"):
        run([delivery(tmp_path, "a")], tmp_path / "out", settings=chosen)


def test_a_journal_of_an_earlier_program_is_read_and_its_deliveries_are_judged_anew(tmp_path: Path) -> None:
    a = delivery(tmp_path, "a")
    [job], _ = jobs_of([a])
    journal = open_journal(tmp_path / "out", batch_module._options(SETTINGS, None), AT.isoformat())
    journal.add(Done(job.name, job.location, batch_module.state_of(a), facts()))
    journal.close()
    finished = run([a], tmp_path / "out")
    assert (asked_of(a), len(finished.rounds)) == (1, 2)


def test_a_full_disk_makes_no_step_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = open_journal(tmp_path, {}, "now")
    before = journal.path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match="journal cannot be written"):
            journal.add(Done("d", "/d", "s", facts()))
    assert (journal.path.read_bytes(), journal.done) == (before, [])
    journal.close()


# -- workers that are lost, and a driver that is ---------------------------------------------------------------------


def local(workers: int) -> Any:
    return lambda chosen: LocalEngine(chosen, workers)


def test_workers_that_die_are_replaced_and_cost_only_what_kills_them_twice(tmp_path: Path) -> None:
    listed = [
        delivery(tmp_path, "a"),
        delivery(tmp_path, "b", dies=True),
        delivery(tmp_path, "c", "hold", dies_once=True),
        delivery(tmp_path, "d", breaks=True),
        delivery(tmp_path, "e"),
    ]
    finished = run(listed, tmp_path / "out", local(2))
    told = {d.name[0]: d.decision for d in finished.done}
    assert told == {"a": "release", "b": "error", "c": "hold", "d": "error", "e": "release"}
    assert (asked_of(listed[1]), asked_of(listed[2])) == (2, 2)
    assert "signal 9" in next(d.why for d in finished.done if d.name[0] == "b")


DRIVER = """
import sys
sys.path[:0] = {paths!r}
import batch_tasks
from batch_tasks import AT, SETTINGS, told_state
from dubgate.engine import batch
from dubgate.engine.local import LocalEngine
from pathlib import Path
if __name__ == "__main__":
    batch.judge_one = batch.voices_again = batch_tasks.judge_one
    batch.rewrite_one = lambda *_: batch_tasks.Failure("no")
    batch.state_of = told_state
    batch.ended_in = lambda *_: ()
    batch.known_by = lambda *_: ""
    batch.run_batch(sys.argv[2:], Path(sys.argv[1]), SETTINGS, lambda s: LocalEngine(s, 2), now=lambda: AT)
"""


def test_a_driver_that_is_killed_leaves_no_worker_and_is_gone_on_with(tmp_path: Path) -> None:
    listed = [delivery(tmp_path, f"d{k}", ("release", "hold")[k % 2], takes=0.2) for k in range(8)]
    script = tmp_path / "driver.py"
    script.write_text(DRIVER.format(paths=[str(HERE.parent), str(HERE)]))
    driver = subprocess.Popen([sys.executable, str(script), str(tmp_path / "out"), *listed])
    journal = tmp_path / "out" / "journal.jsonl"
    until = time.monotonic() + 60
    while time.monotonic() < until and (not journal.exists() or journal.read_bytes().count(b"\n") < 3):
        time.sleep(0.05)
    driver.send_signal(signal.SIGKILL)
    driver.wait(30)
    before = {d.name: d.decision for d in _done(tmp_path / "out")}
    assert 0 < len(before) < 8
    pids = {int(p) for x in listed if asked_of(x) for p in (Path(x).parent / "asked").read_text().split()}
    until = time.monotonic() + 20
    while time.monotonic() < until and any(_alive(p) for p in pids):
        time.sleep(0.05)
    assert not any(_alive(p) for p in pids)
    finished = run(listed, tmp_path / "out", local(2))
    assert [d.decision for d in finished.done] == ["release", "hold"] * 4
    assert all(asked_of(x) == 1 for x, d in zip(listed, finished.done, strict=True) if d.name in before)
    assert len(finished.rounds) == 8


def _done(folder: Path) -> list[Done]:
    from dubgate.engine.journal import _read

    steps, _ = _read(folder / "journal.jsonl")
    journal = Journal(folder / "journal.jsonl", {}, "")
    batch_module.open_journal.__globals__["_fill"](journal, steps[1:])
    return journal.done


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


# -- the summary -----------------------------------------------------------------------------------------------------


def done(name: str, decision: str, **changes: Any) -> Done:
    return Done(name, f"/in/{name}/delivery.yaml", "s", facts(name, decision, **changes))


def test_the_rules_that_block_most_come_first() -> None:
    rows = by_rule(
        [done("a", "block"), done("b", "block"), done("c", "hold"), done("d", "block", blocking=("CON-001",))]
    )
    assert [(r.rule, r.blocked, r.held) for r in rows] == [("TIM-ONSET", 2, 0), ("CON-001", 1, 0), ("VOI-ONE", 0, 1)]


def test_minutes_are_added_up_by_vendor_and_language() -> None:
    one = [done("a", "release"), done("b", "hold"), done("c", "release", vendor="Other"), Done("x", "/x", "s", None)]
    rows = {(r.vendor, r.language): r for r in by_vendor(one, one)}
    assert set(rows) == {("Polyglot", "en"), ("Other", "en"), ("unknown", "unknown")}
    mine = rows["Polyglot", "en"]
    assert (mine.deliveries, mine.released, mine.held, mine.minutes, mine.finished_minutes) == (2, 1, 1, 20.0, 10.0)
    assert mine.review_per_minute == pytest.approx(1.5 / 20)
    assert rows["unknown", "unknown"].resubmissions_per_finished_minute is None


def test_the_summary_is_safe_to_open(tmp_path: Path) -> None:
    evil = "=cmd|'/c calc'!A1 <script>alert(1)</script>\u202e"
    rows = [done(evil, "block", vendor=evil), Done("b", "/b", "s", None, why=evil)]
    finished = Finished(tuple(rows), tuple(rows), (evil,), {}, (evil,))
    files, missing = write_summary(finished, tmp_path)
    assert missing == ""
    page = (tmp_path / "summary.html").read_text()
    assert "<script>" not in page
    assert "\u202e" not in page
    for path in files:
        if path.suffix == ".csv":
            for row in csv.reader(io.StringIO(path.read_text("utf-8-sig"))):
                assert not any(cell.startswith(("=", "+", "@")) for cell in row)


def test_the_summary_leads_to_reports_that_are_there_and_shows_no_column_in_which_nothing_stands(
    tmp_path: Path,
) -> None:
    rows = (done("ep01", "release"), Done("ep02", "/b", "s", None, why="the file is gone"))
    write_summary(Finished(rows, rows), tmp_path)
    page = (tmp_path / "summary.html").read_text()
    assert 'href="ep01/report.html"' in page
    assert 'href="ep02' not in page
    assert "the file is gone" in page
    assert "<b>1</b> release" in page
    assert "<b>1</b> error" in page
    assert "<b>0</b>" not in page
    assert ">why not judged</th>" in page
    assert ">certificate</th>" not in page


def test_the_parquet_table_is_the_csv(tmp_path: Path) -> None:
    from pyarrow import parquet

    rows = [done("a", "release"), Done("b", "/b", "s", None, why="gone")]
    write_summary(Finished(tuple(rows), tuple(rows)), tmp_path)
    table = parquet.read_table(tmp_path / "summary.parquet").to_pylist()
    told = list(csv.DictReader(io.StringIO((tmp_path / "summary.csv").read_text("utf-8-sig"))))
    assert [r["decision"] for r in table] == [r["decision"] for r in told] == ["release", "error"]
    assert table[0]["minutes"] == 10.0
    assert table[1]["minutes"] is None
    assert [n.replace(" ", "_") for n in told[0]] == list(table[0])


def test_a_table_without_rows_is_empty() -> None:
    assert csv_of([]) == b"\xef\xbb\xbf"
    assert tables_of(Finished((), ()))["summary-rules.csv"] == []


# -- deliveries by URL -----------------------------------------------------------------------------------------------


@pytest.fixture
def bucket() -> Iterator[Any]:
    import fsspec

    fs = fsspec.filesystem("memory")
    yield fs
    fs.store.clear()


def test_a_delivery_by_url_is_fetched_with_all_beside_it_and_goes_again(bucket: Any) -> None:
    bucket.pipe("/dubs/ep1/delivery.yaml", b"schema: delivery/1.0")
    bucket.pipe("/dubs/ep1/sound/dub.flac", b"fLaC")
    bucket.pipe("/dubs/ep2/delivery.yaml", b"another")
    with fetched("memory://dubs/ep1/delivery.yaml") as manifest:
        assert manifest.read_bytes() == b"schema: delivery/1.0"
        assert (manifest.parent / "sound" / "dub.flac").read_bytes() == b"fLaC"
        assert sorted(p.name for p in manifest.parent.iterdir()) == ["delivery.yaml", "sound"]
    assert not manifest.exists()


def test_a_url_that_vanishes_is_an_error_of_that_delivery(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no delivery here"), fetched("memory://dubs/gone/delivery.yaml"):
        pass
    bucket.pipe("/dubs/ep1/delivery.yaml", b"x")
    monkeypatch.setattr(type(bucket), "open", lambda *_, **__: (_ for _ in ()).throw(FileNotFoundError("gone")))
    with pytest.raises(InputError, match="cannot be fetched"), fetched("memory://dubs/ep1/delivery.yaml"):
        pass


def test_no_remote_name_leaves_the_folder(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("/dubs/ep1/../../etc/passwd", "/dubs/ep1/..", "/elsewhere/x"):
        monkeypatch.setattr(type(bucket), "find", lambda *_, name=name, **__: {name: {"size": 1}})
        with pytest.raises(InputError, match="leaves"), fetched("memory://dubs/ep1/delivery.yaml"):
            pass


def test_an_unknown_kind_of_url_is_an_error() -> None:
    with pytest.raises(InputError), fetched("nonsense://x/delivery.yaml"):
        pass


def test_a_remote_file_of_another_size_is_another_state(bucket: Any) -> None:
    bucket.pipe("/dubs/ep1/delivery.yaml", b"x")
    first = state_of("memory://dubs/ep1/delivery.yaml")
    assert state_of("memory://dubs/ep1/delivery.yaml") == first
    bucket.pipe("/dubs/ep1/delivery.yaml", b"longer")
    assert state_of("memory://dubs/ep1/delivery.yaml") != first


def test_a_remote_file_of_a_store_that_tells_no_times_is_told_by_its_bytes(
    bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a plain web server; a time that whoever writes may set tells nothing."""
    name = "/dubs/ep1/delivery.yaml"
    for info in ({"size": 3}, {"size": None}, {"size": 3, "mtime": 1_000}):
        bucket.pipe(name, b"one")
        monkeypatch.setattr(type(bucket), "find", lambda *_, info=info, **__: {name: info})
        first = state_of("memory://dubs/ep1/delivery.yaml")
        assert state_of("memory://dubs/ep1/delivery.yaml") == first
        bucket.pipe(name, b"two")
        assert state_of("memory://dubs/ep1/delivery.yaml") != first


def test_a_remote_folder_is_listed_anew_each_time(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Object stores answer from what they listed before, until they are told not to."""
    held = {"/dubs/ep1/delivery.yaml": {"size": 1, "ETag": "one"}}
    listed: dict[str, Any] = {}

    def find(*_: Any, **__: Any) -> dict[str, Any]:
        listed.setdefault("now", dict(held))
        return listed["now"]  # type: ignore[no-any-return]

    monkeypatch.setattr(type(bucket), "find", find)
    monkeypatch.setattr(type(bucket), "invalidate_cache", lambda *_: listed.clear())
    first = state_of("memory://dubs/ep1/delivery.yaml")
    held["/dubs/ep1/delivery.yaml"] = {"size": 1, "ETag": "two"}
    assert state_of("memory://dubs/ep1/delivery.yaml") != first


def test_what_only_a_worker_can_read_is_never_the_same_and_never_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies on the worker's disk alone, or the URL opens with the worker's password: nobody here knows what was judged."""
    monkeypatch.setattr(batch_module, "state_of", state_of)
    a = delivery(tmp_path, "a")  # no manifest, to whoever reads it here
    for n in (1, 2):
        finished = run([a], tmp_path / "out")
        assert (finished.exit_code, asked_of(a)) == (2, n)
    assert "cannot be read here" in finished.done[0].why


def test_any_file_that_a_manifest_names_belongs_to_its_state(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    for name in ("original.flac", "dub.flac", "script.vtt", "approval.json"):
        (folder / name).write_bytes(b"x")
    manifest = folder / "delivery.yaml"
    manifest.write_text(
        "schema: delivery/1.0\noriginal: {language: de, mix: original.flac}\ndub: {language: en, mix: dub.flac}\n"
        "cues: script.vtt\ncast: [{character: A, technique: human}]\nevidence: {approvals: [approval.json]}\n"
    )
    states = [state_of(str(manifest))]
    for name in ("original.flac", "dub.flac", "script.vtt", "approval.json"):
        (folder / name).write_bytes(b"changed " + name.encode())
        states.append(state_of(str(manifest)))
    manifest.write_text(manifest.read_text() + "style: lipsync\n")
    states.append(state_of(str(manifest)))
    assert len(set(states)) == 6


def test_any_file_beside_a_package_belongs_to_its_state_but_for_what_is_written_aside(tmp_path: Path) -> None:
    """A playlist may name a segment in any folder of the delivery."""
    out = tmp_path / "d" / "out"
    for name in ("original.flac", "dub.flac", "hls/master.m3u8", "audio/one.m4s", "out/report.html"):
        (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / name).write_bytes(b"x")
    manifest = tmp_path / "d" / "delivery.yaml"
    manifest.write_text(
        "schema: delivery/1.0\nstage: package\npackage: hls/master.m3u8\noriginal: {language: de, mix: original.flac}\n"
        "dub: {language: en, mix: dub.flac}\ncast: [{character: A, technique: human}]\n"
    )
    before = state_of(str(manifest), out)
    (out / "report.html").write_bytes(b"another report")
    assert state_of(str(manifest), out) == before
    (tmp_path / "d" / "audio" / "one.m4s").write_bytes(b"another sound")
    assert state_of(str(manifest), out) != before


def test_a_state_is_of_every_file_that_a_judgement_rests_on(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    for name in ("original.flac", "dub.flac", "card.txt", "log.txt", "intake.json", "evidence/refused.json"):
        (tmp_path / name).write_bytes(b"one")
    record = {"path": "log.txt", "sha256": "a" * 64}
    told = {
        "schema": "delivery/1.0",
        "original": {"language": "de", "mix": "original.flac"},
        "dub": {"language": "en", "mix": "dub.flac"},
        "cast": [{"character": "A", "technique": "human"}],
        "production": {"purposes": ["access"], "tools": [{"name": "t", "version": "1"}], "logs": [record]},
        "credits": {"card": "card.txt"},
        "intake": {"path": "intake.json", "sha256": "a" * 64},
    }
    manifest = tmp_path / "delivery.yaml"
    manifest.write_text(json.dumps(told))
    load_delivery(manifest)
    states = [state_of(str(manifest))]
    for name in ("card.txt", "log.txt", "intake.json", "evidence/refused.json"):
        times = os.stat(tmp_path / name)
        (tmp_path / name).write_bytes(b"two")
        os.utime(tmp_path / name, ns=(times.st_atime_ns, times.st_mtime_ns))  # as who wants to hide it would
        states.append(state_of(str(manifest)))
    (tmp_path / "evidence" / "more.json").write_bytes(b"x")
    states.append(state_of(str(manifest)))
    (tmp_path / "evidence" / "refused.json").unlink()
    states.append(state_of(str(manifest)))
    assert len(set(states)) == len(states)


def test_an_answer_is_what_the_task_answers(tmp_path: Path) -> None:
    answer = batch_tasks.judge_one(Job("a", delivery(tmp_path, "a")), SETTINGS)
    assert isinstance(answer, Answer)
    assert answer.facts.decision == "release"
