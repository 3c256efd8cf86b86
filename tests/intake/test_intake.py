"""The producer's four questions: favourable is yes, no, yes, yes; reviewable is computed; what is unknown is unfavourable."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from dubgate.cli.intake import EXAMPLE, intake
from dubgate.cli.main import run
from dubgate.errors import InputError
from dubgate.intake.advising import advise, reviewable, working_days
from dubgate.intake.answers import Answers, Review, read_answers
from dubgate.intake.asking import Intake, take_in
from dubgate.intake.file import json_schema, read_intake

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def answers(tmp_path: Path, *changes: tuple[str, str]) -> Answers:
    text = EXAMPLE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "answers.yaml"
    path.write_text(text, encoding="utf-8")
    return read_answers(path)


def taken(tmp_path: Path, *changes: tuple[str, str]) -> Intake:
    return take_in(answers(tmp_path, *changes), asked_for=(), at=AT)


def test_yes_no_yes_yes_is_favourable(tmp_path: Path) -> None:
    found = advise(answers(tmp_path))
    assert found.favourable
    assert found.reasons == ()


@pytest.mark.parametrize(
    ("old", "new", "advice", "says"),
    [
        ('tolerant_of_variation: {answer: "yes"', 'tolerant_of_variation: {answer: "no"', "guide_track", "tolerate"),
        ('tolerant_of_variation: {answer: "yes"', "tolerant_of_variation: {answer: unknown", "guide_track", "tolerate"),
        ('central_to_identity: {answer: "no"', 'central_to_identity: {answer: "yes"', "human_performance", "central"),
        ('central_to_identity: {answer: "no"', "central_to_identity: {answer: unknown", "human_performance", "central"),
        ('disclosable: {answer: "yes"', 'disclosable: {answer: "no"', "human_performance", "disclosed"),
        ('disclosable: {answer: "yes"', "disclosable: {answer: unknown", "human_performance", "disclosed"),
        ("speech_minutes: 38.0", "speech_minutes: 900.0", "guide_track", "in time"),
        ("reviewers: 2", "reviewers: 0", "guide_track", "in time"),
        ("purposes: [access] ", "purposes: [cost, schedule] ", "guide_track", "alone"),
    ],
)
def test_each_other_answer_advises_something_else_and_says_why(
    tmp_path: Path, old: str, new: str, advice: str, says: str
) -> None:
    found = advise(answers(tmp_path, (old, new)))
    assert found.advice == advice
    assert len(found.reasons) == 1
    assert says in found.reasons[0]


def test_the_stronger_advice_wins_and_every_reason_is_told(tmp_path: Path) -> None:
    found = advise(
        answers(
            tmp_path,
            ('tolerant_of_variation: {answer: "yes"', 'tolerant_of_variation: {answer: "no"'),
            ('disclosable: {answer: "yes"', 'disclosable: {answer: "no"'),
        )
    )
    assert found.advice == "human_performance"
    assert len(found.reasons) == 2


def _review(**changes: object) -> Review:
    plain = {"speech_minutes": 60.0, "reviewers": 1, "hours_per_day": 5.0, "flags_per_minute": 1.0}
    days = {"first_day": date(2026, 11, 23), "deadline": date(2026, 11, 23)}
    return Review(**{**plain, **days, **changes})  # type: ignore[arg-type]


def test_reviewable_in_time_is_arithmetic() -> None:
    found = reviewable(_review())
    assert found.needed_minutes == 60 + 60 * 4
    assert found.at_hand_minutes == 300
    assert found.in_time
    assert not reviewable(_review(speech_minutes=60.1)).in_time
    assert reviewable(_review(flags_per_minute=None)).assumed
    assert not found.assumed


def test_weekends_are_no_working_days() -> None:
    assert working_days(date(2026, 11, 20), date(2026, 11, 23)) == 2  # a Friday to the Monday after
    assert working_days(date(2026, 11, 21), date(2026, 11, 22)) == 0


@settings(max_examples=100, deadline=None)
@given(st.floats(0.1, 1000), st.floats(0.1, 1000), st.integers(0, 20), st.integers(0, 20))
def test_more_speech_never_makes_it_reviewable_and_more_people_never_unreviewable(
    a: float, b: float, m: int, n: int
) -> None:
    less, more = sorted((a, b))
    few, many = sorted((m, n))
    assert reviewable(_review(speech_minutes=less)).in_time >= reviewable(_review(speech_minutes=more)).in_time
    assert reviewable(_review(reviewers=few)).in_time <= reviewable(_review(reviewers=many)).in_time


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("because: The dialogue is functional and nobody quotes it.", "because: n/a", "no reason"),
        ('answer: "yes", because: The label', 'answer: "perhaps", because: The label', "yes"),
        ("internal: last-train", "", "identifier"),
        ("deadline: 2026-11-27", "deadline: 2026-11-20", "before the first day"),
        ("character: JONAS", "character: MARA", "more than once"),
        ("technique: voice_clone_tts}\nplanned", "technique: magic}\nplanned", "unknown technique"),
        ("planned:", "more: 1\nplanned:", "unknown key"),
    ],
)
def test_a_questionnaire_is_read_strictly(tmp_path: Path, old: str, new: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        answers(tmp_path, (old, new))


def test_what_will_be_asked_for_names_the_rules_behind_it(tmp_path: Path) -> None:
    found = taken(tmp_path, ("{character: OTTO, technique: voice_clone_tts}", "{character: OTTO, technique: human}"))
    by_kind = {kind: [d for d in found.demands if d.kind == kind] for kind in ("consent", "approval", "label")}
    grants = [d for d in by_kind["consent"] if d.what.startswith("a grant")]
    assert ["MARA" in d.what for d in grants] == [True, False]
    assert any("performed OTTO" in d.what and "core/CON-040" in d.rules for d in by_kind["consent"])
    assert "core/RH-001" in by_kind["approval"][0].rules
    assert any("core/LAB-001" in d.rules for d in by_kind["label"])
    assert any("core/LAB-EU" in d.rules for d in found.demands)
    assert all(d.rules and d.sources for d in found.demands)


def test_the_packs_that_are_named_add_their_sign_offs(tmp_path: Path) -> None:
    found = take_in(answers(tmp_path), asked_for=("production-record",), at=AT)
    signs = [d.of for d in found.demands if d.kind == "sign_off"]
    assert {"localization supervisor", "creative lead", "legal", "production"} <= set(signs)
    assert any(d.kind == "record" and "production-record/REC-PURPOSE" in d.rules for d in found.demands)


def test_the_file_keeps_its_schema_and_is_read_back(tmp_path: Path) -> None:
    found = taken(tmp_path)
    path = tmp_path / "intake.json"
    path.write_bytes(found.data)
    jsonschema.validate(json.loads(found.data), json_schema())
    assert read_intake(path).answers == found.answers
    path.write_bytes(found.data.replace(b'"favourable": true', b'"favourable": true, "more": 1'))
    with pytest.raises(InputError, match="unknown key"):
        read_intake(path)


def test_the_command_writes_the_file_and_says_how_a_delivery_names_it(tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_text(EXAMPLE, encoding="utf-8")
    out = tmp_path / "intake.json"
    said = CliRunner().invoke(intake, ["--answers", str(tmp_path / "answers.yaml"), "--out", str(out)])
    assert said.exit_code == 0, said.output
    assert hashlib.sha256(out.read_bytes()).hexdigest() in said.output
    assert "favourable" in said.output
    again = ["intake", "--answers", str(tmp_path / "answers.yaml"), "--out", str(out)]
    assert run(again) == 2  # never over a file that is there


def test_the_exit_code_of_an_unfavourable_answer_is_3(tmp_path: Path) -> None:
    text = EXAMPLE.replace('disclosable: {answer: "yes"', 'disclosable: {answer: "no"')
    (tmp_path / "answers.yaml").write_text(text, encoding="utf-8")
    assert run(["intake", "--answers", str(tmp_path / "answers.yaml"), "--out", str(tmp_path / "intake.json")]) == 3


def test_questions_that_are_asked_go_through_the_same_door(tmp_path: Path) -> None:
    typed = [
        *("The Last Train", "last-train", "Kestrel", "de", "en", "lipsync", "access"),
        *("yes", "nobody quotes it", "no", "new voices", "yes", "agreed"),
        *("38", "2", "5", "2026-11-23", "2026-11-27", "1.5"),
        *("MARA=voice_clone_tts, OTTO=human", "DE, US", "svod", "", "2026-12-01T00:00:00Z", "open"),
    ]
    out = tmp_path / "intake.json"
    said = CliRunner().invoke(intake, ["--out", str(out)], input="\n".join(typed) + "\n")
    assert said.exception is None or isinstance(said.exception, SystemExit), said.output
    assert read_intake(out).answers.voices[1].technique == "human"


def test_a_slip_while_typing_costs_one_answer_and_not_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    typed = [
        *("The Last Train", "last-train", "Kestrel", "xx-!", "en", "lipsync", "access"),
        *("yes", "nobody quotes it", "no", "new voices", "yes", "agreed"),
        *("38", "2", "5", "2026-11-23", "2026-11-27", "a few", "1.5"),
        *("MARA=voice_clone_tts", "DE", "svod", "", "2026-12-01T00:00:00Z", "open"),
    ]
    for name in ("answers.yaml", "answers-2.yaml"):
        said = CliRunner().invoke(intake, [], input="\n".join(typed) + "\n")
        assert isinstance(said.exception, InputError)
        assert f"dubgate intake --answers {name}" in str(said.exception)
        assert "original_language" in str(said.exception)
    mended = (tmp_path / "answers.yaml").read_text().replace("xx-!", "de")
    (tmp_path / "answers.yaml").write_text(mended)
    assert read_answers(tmp_path / "answers.yaml").review.flags_per_minute == 1.5
