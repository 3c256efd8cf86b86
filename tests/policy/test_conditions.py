"""Conditions evaluated in their child process: exactly true or false, or unknown; nothing in them harms the parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dubgate.policy.conditions import Evaluator, truth_of
from dubgate.policy.expression_types import check_condition
from dubgate.policy.facts import FACTS, facts_from
from dubgate.unmeasured import Unmeasured

ROOT = Path(__file__).resolve().parents[2]
TRACK = {"name": "English [AI]", "language": "en", "human_readable": True, "machine_readable": True}
TRACKS = ({**TRACK, "plays_what_was_heard": True},)


@pytest.fixture(scope="module")
def evaluator() -> Iterator[Evaluator]:
    with Evaluator() as one:
        yield one


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("delivery.synthetic", True),
        ("!delivery.synthetic", False),
        ("delivery.style == 'lipsync' && delivery.style.size() == 7", True),
        ("delivery.style in ['lector', 'voiceover']", False),
        ("label.tracks.size() > 0 && label.tracks.all(t, t.human_readable)", True),
        ("label.tracks.exists(t, t.name.endsWith('[AI]'))", True),
        ("distribution.territories.exists(t, t in regions.eu)", True),
        ("distribution.territories.exists_one(t, t == 'NO')", True),
        ("delivery.synthetic ? label.tracks.size() >= 2 : true", False),
        ("size(distribution.territories) < 2.5", True),
    ],
)
def test_a_condition_is_exactly_true_or_false(evaluator: Evaluator, source: str, answer: bool) -> None:
    facts = facts_from(
        {
            "delivery.synthetic": True,
            "delivery.style": "lipsync",
            "label.tracks": TRACKS,
            "distribution.territories": ("DE", "NO"),
        }
    )
    assert evaluator.holds(check_condition(source), facts) is answer


def test_an_unmeasured_fact_makes_the_rule_unknown_even_where_or_would_absorb_it(evaluator: Evaluator) -> None:
    condition = check_condition("delivery.synthetic || label.planned")
    facts = facts_from({"delivery.synthetic": True, "label.planned": Unmeasured("nobody read it")})
    assert evaluator.holds(condition, facts) == Unmeasured("nobody read it")


def test_a_field_unmeasured_in_one_item_makes_the_rule_unknown(evaluator: Evaluator) -> None:
    tracks = (*TRACKS, {**TRACKS[0], "name": Unmeasured("unreadable"), "human_readable": Unmeasured("unreadable")})
    facts = facts_from({"label.tracks": tracks})
    assert evaluator.holds(check_condition("label.tracks.exists(t, t.human_readable)"), facts) == Unmeasured(
        "unreadable"
    )
    assert evaluator.holds(check_condition("label.tracks.exists(t, t.machine_readable)"), facts) is True


def test_a_fact_that_nobody_gave_is_unmeasured(evaluator: Evaluator) -> None:
    answer = evaluator.holds(check_condition("delivery.synthetic"), facts_from({}))
    assert isinstance(answer, Unmeasured)
    assert FACTS["delivery.synthetic"].means in answer.reason


@pytest.mark.parametrize(
    "expression",
    [
        "1",
        "'true'",
        "null",
        "[true]",
        "nothing.here",
        "1 / 0 == 1",
        "true && 1",
        "(" * 100_000 + "true" + ")" * 100_000,
        "[" * 100_000,
        "l.all(a, l.all(b, l.all(c, l.all(d, a + b + c + d > -1))))",
        "1 + 'a' == 2",
        "l[999] == 1",
    ],
    ids=lambda e: e[:24],
)
def test_whatever_is_not_a_truth_value_is_unknown_and_the_process_lives(evaluator: Evaluator, expression: str) -> None:
    evaluator.ask("true", {})  # started
    answer = evaluator.ask(expression, {"l": list(range(300))})
    assert isinstance(answer, Unmeasured), answer
    assert evaluator.ask("true", {}) is True


def test_a_panic_of_the_evaluator_is_an_answer_and_costs_no_child() -> None:
    with Evaluator() as evaluator:
        assert evaluator.ask("true", {}) is True
        child = evaluator._child
        panicked = evaluator.ask("(" * 100_000 + "true" + ")" * 100_000, {})
        assert isinstance(panicked, Unmeasured)
        assert "Panic" in panicked.reason
        assert evaluator._child is child


@pytest.mark.parametrize(
    "reply",
    [b"", b"x", b"null", b"[]", b"[1]", b"true", b'{"value": 1}', b'{"value": "true"}', b'{"value": null}', b"{}"],
)
def test_only_true_and_false_themselves_are_answers(reply: bytes) -> None:
    assert isinstance(truth_of(reply), Unmeasured)
    assert truth_of(b'{"value": true}') is True
    assert truth_of(b'{"value": false}') is False


def test_a_dead_child_is_unknown_and_replaced() -> None:
    with Evaluator() as evaluator:
        assert evaluator.ask("true", {}) is True
        child = evaluator._child
        assert child is not None
        os.kill(child.pid, 9)
        child.wait()
        assert isinstance(evaluator.ask("true", {}), Unmeasured)
        assert evaluator.ask("true", {}) is True


ENDLESS = "l.all(a, l.all(b, l.all(c, l.all(d, a + b + c + d > -1))))"


def test_a_child_that_dies_while_it_evaluates_is_unknown_at_once() -> None:
    with Evaluator() as evaluator:
        evaluator.ask("true", {})
        child = evaluator._child
        assert child is not None
        threading.Timer(0.2, child.kill).start()
        answer = evaluator.ask(ENDLESS, {"l": list(range(300))})
    assert answer == Unmeasured("the condition's evaluator died")


@pytest.mark.timeout(100)
def test_what_takes_too_much_of_a_processor_is_stopped_however_long_is_waited() -> None:
    with Evaluator(limit_s=1_000.0) as evaluator:
        assert evaluator.ask(ENDLESS, {"l": list(range(300))}) == Unmeasured(
            "the condition took too long and was stopped"
        )
        assert evaluator.ask("true", {}) is True


@pytest.mark.timeout(30)
@pytest.mark.parametrize("padding", [0, 1_000_000], ids=["that has the question", "that does not even read it"])
def test_a_child_that_stands_still_is_given_up_as_too_slow(padding: int) -> None:
    with Evaluator(limit_s=0.5) as evaluator:
        evaluator.ask("true", {})
        assert evaluator._child is not None
        os.kill(evaluator._child.pid, signal.SIGSTOP)
        answer = evaluator.ask("true", {"padding": "x" * padding})
    assert answer == Unmeasured("the condition took too long and was stopped")


def test_an_evaluator_that_was_never_asked_is_closed_without_ado() -> None:
    with Evaluator() as evaluator:
        pass
    evaluator.close()


def test_a_parent_that_is_killed_takes_its_child_along(tmp_path: Path) -> None:
    script = (
        "import time; from dubgate.policy.conditions import Evaluator\n"
        "e = Evaluator(); e.ask('true', {}); print(e._child.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    for _ in range(50):
        if not Path(f"/proc/{pid}").exists() or "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return
        time.sleep(0.1)
    pytest.fail("the child outlives its parent")


def test_the_child_sees_no_environment_and_opens_no_file() -> None:
    with Evaluator() as evaluator:
        evaluator.ask("true", {})
        assert evaluator._child is not None
        pid = evaluator._child.pid
        with open(f"/proc/{pid}/environ", "rb") as file:
            names = {entry.partition(b"=")[0] for entry in file.read().split(b"\0") if entry}
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            limits = file.read()
    assert names <= {b"PATH", b"LANG", b"LC_CTYPE"}
    assert "Max open files            3 " in limits
    assert "Max file size             0 " in limits


def test_a_closed_evaluator_leaves_no_child() -> None:
    evaluator = Evaluator()
    evaluator.ask("true", {})
    assert evaluator._child is not None
    pid = evaluator._child.pid
    evaluator.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"delivery.nothing": True}, "not a fact"),
        ({"regions.eu": ("XX",)}, "not a fact"),
        ({"delivery.synthetic": "yes"}, "must be bool"),
        ({"delivery.synthetic": 1}, "must be bool"),
        ({"delivery.style": True}, "must be text"),
        ({"distribution.territories": ["DE"]}, "must be a tuple"),
        ({"distribution.territories": (1,)}, "must be text"),
        ({"label.tracks": ({"name": "x"},)}, "exactly the fields"),
        ({"label.tracks": ({**TRACKS[0], "more": True},)}, "exactly the fields"),
        ({"label.tracks": ({**TRACKS[0], "human_readable": "yes"},)}, "must be bool"),
    ],
)
def test_facts_are_complete_and_typed(values: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        facts_from(values)  # type: ignore[arg-type]
