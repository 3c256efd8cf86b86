"""INT-002, INT-003, INT-008: what was judged is what is published, and all of it, and known models heard it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from made_delivery import NOT_HEARD, features

from dubgate.features import MixCheck
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.mix_checks import mix_findings, stream_findings
from dubgate.policy.model_checks import model_findings
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured


def outcome(
    residual: float | Unmeasured, differs: tuple[Span, ...] | Unmeasured = (), *, has_stem: bool = True
) -> Outcome:
    heard = replace(features(), mix=MixCheck(residual, NOT_HEARD, differs))
    found, _ = mix_findings(heard, has_stem=has_stem)
    assert found.rule == "INT-002"
    return found.outcome


def of_what_is_published(**changes: Any) -> Finding:
    heard = features()
    assert heard.published is not None
    published = replace(heard.published, **changes) if changes else None
    _, found = mix_findings(replace(heard, published=published), has_stem=True)
    assert found.rule == "INT-008"
    return found


@pytest.mark.parametrize(
    ("residual", "expected"),
    [
        (-60.0, Outcome.PASS),
        (-30.0, Outcome.PASS),
        (-29.9, Outcome.BLOCK),
        (0.0, Outcome.BLOCK),
        (float("nan"), Outcome.BLOCK),
        (Unmeasured("no music and effects"), Outcome.UNKNOWN),
    ],
)
def test_a_stem_must_be_the_one_in_the_mix(residual: float | Unmeasured, expected: Outcome) -> None:
    assert outcome(residual) is expected


def test_a_mix_may_not_hold_something_else_even_for_a_moment() -> None:
    """Over two hours, a line of dialogue lies 35 dB below the whole."""
    assert outcome(-60.0, (Span(3, 3.5),)) is Outcome.BLOCK
    assert outcome(-60.0, Unmeasured("not looked at")) is Outcome.UNKNOWN


MOMENT = (Span(3.0, 4.5),)


@pytest.mark.parametrize("where", ["cancelled", "in_effects"])
def test_speech_that_no_model_heard_is_an_open_question_with_its_places(where: str) -> None:
    found = of_what_is_published(**{where: MOMENT})
    assert (found.outcome, found.spans, found.value) == (Outcome.UNKNOWN, MOMENT, "1.5 s")
    assert of_what_is_published(**{where: Unmeasured("nobody listened")}).outcome is Outcome.UNKNOWN


def test_where_all_was_heard_that_passes_and_where_nothing_tells_it_does_not() -> None:
    assert of_what_is_published(cancelled=(), in_effects=()).outcome is Outcome.PASS
    assert of_what_is_published().outcome is Outcome.UNKNOWN
    both = of_what_is_published(cancelled=MOMENT, in_effects=(Span(7.0, 8.0),))
    assert (both.value, both.spans) == ("2.5 s", (*MOMENT, Span(7.0, 8.0)))


@pytest.mark.parametrize("beside", [("stream 2 (en)",), ("stream 1 (fr)", "stream 2 (no language)"), NOT_HEARD])
def test_another_sound_in_the_published_file_holds_and_is_named(beside: tuple[str, ...] | Unmeasured) -> None:
    published = replace(features().published, beside=beside)  # type: ignore[type-var]
    [found] = stream_findings(replace(features(), published=published))
    assert (found.rule, found.outcome) == ("INT-009", Outcome.HOLD)
    assert isinstance(beside, Unmeasured) or all(name in found.text.en and name in found.text.ja for name in beside)


def test_a_file_that_plays_nothing_else_passes_and_one_of_which_nothing_is_known_does_not() -> None:
    assert [f.outcome for f in stream_findings(features())] == [Outcome.PASS]
    assert [f.outcome for f in stream_findings(replace(features(), published=None))] == [Outcome.HOLD]


def test_without_a_stem_the_published_sound_itself_was_heard() -> None:
    assert outcome(NOT_HEARD, has_stem=False) is Outcome.NOT_APPLICABLE


def test_models_must_be_pinned_every_one_and_there_must_be_some() -> None:
    [model] = features().models
    loose = replace(model, pinned=False)
    for models, expected in [((model,), Outcome.PASS), ((model, loose), Outcome.HOLD), ((), Outcome.HOLD)]:
        [found] = model_findings(models)
        assert (found.rule, found.outcome) == ("INT-003", expected)
