"""A question that stays open names what makes it answerable, by option and key; every reason that it knows can occur."""

from __future__ import annotations

import re

import pytest

from dubgate.japanese.reasons import REASONS
from dubgate.policy import to_be_known as module
from dubgate.policy.to_be_known import to_be_known


@pytest.mark.parametrize(
    ("reason", "names"),
    [
        ("no script was given; name its cue sheet", "dubgate qc ORIGINAL DUB SCRIPT"),
        ("no transcriber is on this machine for de", "dubgate models pull best"),
        ("the embedded transcriber hears English only and cannot tell languages apart", "dubgate models pull best"),
        ("the dub's language is not known; name it with --dub-language", "`language: de` under `dub:`"),
        ("speech stands only 8 dB above the background of the mix (under 15 dB); hand in the dialogue stem", "--stem FILE --me FILE"),
        ("no line names its character", "`<v MARA>`"),
        ("no speech starts in or near this line", "mark it in the script as kept original"),
        ("no speech was heard in this line", "record the line"),
        ("the dub's speech does not follow the original's at any speed", "belongs to this original"),
        ("the dub has less than 3 s of speech or fewer than 3 phrases", "the whole of it"),
        ("the moon is in the way", "hand in what the reason names"),
    ],
)  # fmt: skip
def test_a_reason_names_what_helps(reason: str, names: str) -> None:
    helps = to_be_known(reason, by_ear=False)
    assert names in helps.en
    assert "approve" not in helps.en + helps.ja
    by_ear = to_be_known(reason, by_ear=True)
    assert by_ear.en.startswith(helps.en)
    assert "dubgate approve delivery.yaml --attest RULE" in by_ear.en
    assert "dubgate approve delivery.yaml --attest RULE" in by_ear.ja


def test_every_reason_that_it_knows_is_one_that_can_be_given() -> None:
    can_be = [re.sub(r"\{\d(:told)?\}", "transcriber", reason) for reason in REASONS]
    for pattern, _ in module._BY_REASON:
        assert any(pattern.match(reason) for reason in can_be), pattern.pattern
