"""Every text of the desk in both languages, every key that is used; and the table of abuse cases is the tests'."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from consent import vocabulary
from consent.approvals import Approval
from consent.events import Event, TargetKind
from consent.requests import RequestKind, RequestStatus
from consent.terms import Grant
from consent.titles import Refusal
from consent.voices import Enrolment, Permission
from consent.web.catalogue import catalogue, preferred, text, word
from consent.web.statement_fields import MEMBERS, fields_of
from consent.web.wording import days, since, span, until
from dubgate.policy.signed_objects import Attestation, SignOff, Waiver

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "consent" / "web"
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def places(said: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(said) if name}


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_a_text_stands_in_both_languages_with_the_same_values(key: str) -> None:
    en, ja = catalogue()[key]
    assert en.strip()
    assert ja.strip()
    assert places(en) == places(ja)
    assert not JAPANESE.search(en)
    assert JAPANESE.search(ja)


def used() -> set[str]:
    found: set[str] = set()
    for path in WEB.glob("templates/*.html"):
        found |= set(re.findall(r"\bt\('([a-z0-9_.]+)'[,)]", path.read_text(encoding="utf-8")))
    for path in WEB.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        found |= set(re.findall(r'\btext\(\s*"([a-z0-9_.]+)"', source))
        found |= {f"said.{k}" for k in re.findall(r'said="([a-z_]+)"', source)}
        found |= set(re.findall(r'(?:CeremonyError|RefusedFormError)\("([a-z_.]+)"', source))
        found |= {f"story.{k}" for k in re.findall(r'_t\(\s*"story\.([a-z_]+)"', source)}
        found |= {f"{k}.subject" for k in re.findall(r'tell\([^)]*"(mail\.[a-z_]+)"', source)}
    return found


def test_every_key_that_is_used_is_there() -> None:
    assert used() - set(catalogue()) == set()


def test_every_value_of_a_closed_list_has_a_name() -> None:
    lists = {
        "channel": vocabulary.Channel,
        "technique": vocabulary.Technique,
        "permission": vocabulary.PermissionKind,
        "decision": vocabulary.ApprovalDecision,
        "request": RequestKind,
        "status": RequestStatus,
        "capacity": vocabulary.Capacity,
        "representation": vocabulary.Representation,
        "performance": vocabulary.Performance,
        "limit": vocabulary.ContentLimit,
        "training_use": vocabulary.TrainingUse,
        "basis": vocabulary.PayBasis,
        "effect": vocabulary.RevocationEffect,
        "legal_basis": vocabulary.LegalBasis,
        "role": vocabulary.Role,
        "kind": [*vocabulary.EvidenceKind, *vocabulary.TrainingKind, *vocabulary.EventKind],
        "target": get_args(TargetKind),
    }
    missing = [f"{group}.{v}" for group, kind in lists.items() for v in kind if f"{group}.{v}" not in catalogue()]
    assert missing == []
    assert word("channel", "svod", "ja") == "定額配信"
    assert word("channel", "no_such", "en") == "no such"


def members(model: type[BaseModel]) -> set[str]:
    """Every member that a statement of this record can have, at any depth."""
    found = set(model.model_fields)
    for field in model.model_fields.values():
        inside = [field.annotation]
        while inside:
            kind = inside.pop()
            inside += get_args(kind)
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found |= members(kind)
    return found


def test_every_member_of_what_is_signed_or_shown_word_for_word_has_a_name() -> None:
    signed = (Grant, Approval, Event, Refusal, Permission, Enrolment, Waiver, Attestation, SignOff)
    found = {name for record in signed for name in members(record)}
    assert len(found) > 100
    assert sorted(name for name in found if f"member.{name}" not in catalogue()) == []


def test_what_stands_inside_a_member_is_told_by_name_too() -> None:
    terms = {"revocable": True, "effect": "takedown", "notice_days": 14}
    [(_, said)] = fields_of({"predicate": {"revocation": terms, "capacity": "agent_poa"}}, "ja")
    assert said == [
        ("撤回の効果", "撤回の可否: はい; 効果: すべて取り下げる (takedown); 予告日数: 14"),
        ("同意者の立場", "委任を受けた代理人 (agent_poa)"),
    ]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("ja", "ja"), ("ja-JP,en;q=0.5", "ja"), ("fr, ja;q=0.3", "ja"), ("de", "en"), ("en-GB,ja", "en")],
)
def test_a_browsers_language_chooses_the_texts(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


def test_values_are_put_in() -> None:
    assert text("pages.of", "en", first=1, last=2, total=3) == "1–2 of 3"


TRIED = (
    *(
        f"web/test_desk_{n}.py"
        for n in (
            "abuse",
            "sign_in",
            "browser",
            "roles",
            "inviting",
            "signed",
            "tables",
            "taken",
            "own_voice",
            "unkeying",
            "passkey_doors",
        )
    ),
    "consent/test_desk_gestures.py",
    "service/test_desk_publishing.py",
)
WHOLE = {
    "web/test_desk_abuse.py": {"test_sound_is_served_by_range"},
    "web/test_desk_inviting.py": set[str](),
    "web/test_desk_passkey_doors.py": set[str](),
}


def named_in(name: str) -> set[str]:
    return set(re.findall(r"^def (test_\w+)", (ROOT / "tests" / name).read_text(encoding="utf-8"), re.M))


def test_the_table_of_abuse_cases_names_every_test_and_each_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "tests/web/ABUSE.md").read_text(encoding="utf-8")))
    assert named - {test for name in TRIED for test in named_in(name)} == set()
    for name, beside in WHOLE.items():
        assert named_in(name) - named == beside


def test_a_term_of_days_elsewhere_is_told_with_the_time_at_which_it_begins_and_ends() -> None:
    berlin = ("2025-12-31T23:00:00Z", "2027-12-31T23:00:00Z")
    assert since(berlin[0], "en") == "31 Dec 2025 23:00 UTC"
    assert until(berlin[1], "en") == "31 Dec 2027 23:00 UTC"
    assert span(*berlin, "ja") == "2025年12月31日 23:00 UTC – 2027年12月31日 23:00 UTC"


def test_a_term_of_whole_days_is_told_by_its_first_and_last() -> None:
    whole = ("2026-12-01T00:00:00Z", "2027-06-01T00:00:00Z")
    assert since(whole[0], "en") == "1 Dec 2026 (UTC)"
    assert until(whole[1], "en") == "31 May 2027 (UTC)"
    assert span(*whole, "en") == days(*whole, "en") == "1 Dec 2026 – 31 May 2027 (UTC)"
    assert until(None, "en") == "no end"


def test_a_period_that_somebody_looks_at_is_told_in_days() -> None:
    assert days("2026-08-31T11:11:00Z", "2026-11-29T11:11:00Z", "en") == "31 Aug 2026 – 29 Nov 2026 (UTC)"


def test_what_was_shown_and_the_members_that_say_it_again_stand_apart() -> None:
    [(_, said)] = fields_of({"predicate": {"shown": [{"what": "Title", "said": "Moon"}], "kind": "casting"}}, "en")
    assert [name for name, _ in said].index(MEMBERS) == 1
    [(_, alone)] = fields_of({"predicate": {"kind": "casting"}}, "en")
    assert MEMBERS not in [name for name, _ in alone]
