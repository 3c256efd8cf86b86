"""The sections of a check: who was heard, what is missing, and whose move it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from checked_judgement import (
    CLEAN,
    LATE_LINE,
    UNAPPROVED,
    UNDECLARED,
    UNGRANTED,
    UNLABELLED,
    checked,
    deaf,
)
from made_judgement import judgement

from dubgate.policy.findings import Finding, Group, Outcome
from dubgate.report.json import to_json
from dubgate.report.release_sections import Step, ready_for_approval, release_sections
from dubgate.report.release_text import READY, release_text
from dubgate.report.schema import from_json
from dubgate.unmeasured import Unmeasured


def _steps(reader: str, *findings: Finding) -> tuple[Step, ...]:
    release = release_sections(checked(*findings))
    assert release is not None
    return dict(release.next)[reader]


def test_a_verdict_on_quality_only_has_no_such_sections() -> None:
    assert release_sections(judgement(3)) is None
    assert list(release_text(judgement(3), "en")) == []
    assert to_json(judgement(3))["release"] is None


def test_voices_tell_declaration_seconds_and_the_worst_of_each_check() -> None:
    release = release_sections(checked(UNDECLARED, UNGRANTED))
    assert release is not None
    mara, stranger, jonas = release.voices
    assert (mara.character, mara.declared, mara.heard_s) == ("Mara", True, 12.5)
    assert dict(mara.checks) == dict.fromkeys(("CON-000", "CON-001", "CON-031"), Outcome.PASS)
    assert (stranger.declared, stranger.heard_s) == (False, 2.0)
    assert (jonas.declared, dict(jonas.checks)) == (None, {"CON-001": Outcome.BLOCK})


def test_a_voice_that_could_not_be_heard_has_a_reason_instead_of_seconds() -> None:
    release = release_sections(deaf(checked()))
    assert release is not None
    assert release.voices[0].heard_s == Unmeasured("no encoder was loaded")


@pytest.mark.parametrize(
    ("findings", "ready"),
    [
        ((UNAPPROVED,), True),
        ((UNAPPROVED, UNGRANTED), True),
        ((), False),  # nothing is missing: it is a release
        ((UNAPPROVED, LATE_LINE), False),
        ((UNAPPROVED, replace(LATE_LINE, group=Group.QUALITY, who_can_resolve="reviewer")), False),
        ((UNAPPROVED, UNDECLARED), False),  # nobody but the vendor can declare a speaker
        ((UNAPPROVED, UNLABELLED), False),
    ],
)
def test_it_is_ready_for_approval_where_only_other_peoples_decisions_are_missing(
    findings: tuple[Finding, ...], ready: bool
) -> None:
    judged = checked(*findings)
    assert ready_for_approval(judged) is ready
    assert (READY.en in list(release_text(judged, "en"))) is ready


def test_the_vendor_is_told_every_remedy_once_with_who_decides() -> None:
    steps = _steps("vendor", UNGRANTED, UNGRANTED, UNLABELLED)
    assert [(s.rules, s.n_findings, s.who) for s in steps] == [(("CON-001",), 2, "performer"), (("LAB-001",), 1, None)]
    assert steps[0].do.en == UNGRANTED.remedy.en


def test_the_holder_is_asked_only_what_the_holder_decides_and_told_what_else_is_open() -> None:
    asked, rest = _steps("rights_holder", UNAPPROVED, LATE_LINE)
    assert asked.do.en == "decide: the rights holder has not approved this"
    assert (rest.n_findings, rest.outcome) == (1, Outcome.HOLD)
    assert _steps("rights_holder")[0].do.en == "nothing is left to decide"


def test_the_public_is_told_whether_it_may_be_shown_and_the_labels_as_read() -> None:
    assert [s.do.en for s in _steps("public")] == [
        "this dub may be shown; its label says how it was made",
        "track 2 is labelled “English [AI]”",
    ]
    assert _steps("public", UNLABELLED)[0].do.en == "this dub may not be shown"


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_text_shows_voices_and_every_group(lang: str) -> None:
    text = "\n".join(release_text(checked(UNAPPROVED), lang))
    for f in (*CLEAN, UNAPPROVED):
        if f.rule not in ("CON-031",):
            assert getattr(f.text, lang) in text
    assert ("Mara: 12 s heard, declared, 3 passed" if lang == "en" else "Mara: 発話12秒, 申告あり, 3 合格") in text


def test_the_sections_are_part_of_the_report_and_read_back() -> None:
    read = from_json(to_json(checked(UNAPPROVED)))
    assert read.release is not None
    assert read.release.ready_for_approval
    assert read.release.voices[0].heard_s == 12.5
    assert set(read.release.next) == {"vendor", "rights_holder", "public"}
