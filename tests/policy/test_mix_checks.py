"""INT-002 and INT-003: the sound that was judged is the one that is published, and known models heard it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_delivery import NOT_HEARD, features

from dubgate.features import MixCheck
from dubgate.policy.findings import Outcome
from dubgate.policy.mix_checks import mix_findings
from dubgate.policy.model_checks import model_findings
from dubgate.unmeasured import Unmeasured


def outcome(residual: float | Unmeasured, *, has_stem: bool = True) -> Outcome:
    heard = replace(features(), mix=MixCheck(residual, NOT_HEARD))
    [found] = mix_findings(heard, has_stem=has_stem)
    assert found.rule == "INT-002"
    return found.outcome


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


def test_without_a_stem_the_published_sound_itself_was_heard() -> None:
    assert outcome(NOT_HEARD, has_stem=False) is Outcome.NOT_APPLICABLE


def test_models_must_be_pinned_every_one_and_there_must_be_some() -> None:
    [model] = features().models
    loose = replace(model, pinned=False)
    for models, expected in [((model,), Outcome.PASS), ((model, loose), Outcome.HOLD), ((), Outcome.HOLD)]:
        [found] = model_findings(models)
        assert (found.rule, found.outcome) == ("INT-003", expected)
