"""Why a rule asks and what to do about it, in Japanese: every rule and check that came with the program, and nothing made up."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from pack_texts import HEAD, band, condition, text

from consent.vocabulary import Role
from dubgate.errors import PackError
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.bands import Band
from dubgate.policy.checks import CHECKS, failed, passed
from dubgate.policy.checks_ja import IN_JAPANESE
from dubgate.policy.findings import SILENT, Outcome, Text
from dubgate.policy.pack_schema import Rule
from dubgate.policy.packs import CORE, Pack, available, read_pack
from dubgate.policy.rule_findings import finding, unknown
from dubgate.policy.signoffs import of_role
from dubgate.unmeasured import Unmeasured

ROOT = Path(__file__).resolve().parents[2]
PROGRAMME = Subject(Scope.PROGRAMME)
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
# What a reader types, or looks up: it must stand in both languages letter by letter.
_VERBATIM = re.compile(
    r"`[^`]+`|dubgate (?:label [a-z]+|request|approve|intake|company policy|rules show)(?: --[a-z-]+)*|[a-z]+_[a-z0-9_]+|\b[a-z]+\.yaml\b|\d+"
)


def _shipped() -> list[tuple[Pack, Rule]]:
    packs = (read_pack(path.read_bytes(), path.name, core=name == CORE) for name, path in available().items())
    return [(pack, rule) for pack in packs for rule in pack.rules]


def _told(words: Text) -> str:
    """What is wrong with a text in two languages; empty where nothing is."""
    if not _JAPANESE.search(words.ja) or words.ja == words.en:
        return f"no Japanese for: {words.en}"
    lost = [part for part in _VERBATIM.findall(words.en) if part.strip("`") not in words.ja]
    return f"{lost} of “{words.en}” is not in “{words.ja}”" if lost else ""


def test_every_rule_that_came_with_the_program_says_why_and_what_to_do_in_japanese() -> None:
    texts = [(rule.id, words) for _, rule in _shipped() for words in (rule.why.told, rule.remedy.told)]
    assert len(texts) > 250
    assert [f"{rule}: {wrong}" for rule, words in texts if (wrong := _told(words))] == []


def test_every_check_says_what_it_asks_and_what_to_do_in_japanese() -> None:
    assert set(IN_JAPANESE) == set(CHECKS)
    texts = [(c.id, words) for c in CHECKS.values() for words in (c.why, c.to_do)]
    assert [f"{check}: {wrong}" for check, words in texts if (wrong := _told(words))] == []


def test_two_rules_that_say_the_same_in_english_say_the_same_in_japanese() -> None:
    said: dict[str, set[str]] = {}
    for _, rule in _shipped():
        for words in (rule.why.told, rule.remedy.told):
            said.setdefault(words.en, set()).add(words.ja)
    assert {en: ja for en, ja in said.items() if len(ja) > 1} == {}


def test_every_role_has_a_name_in_japanese() -> None:
    assert [role for role in Role if _told(Text(role.replace("_", " "), of_role(role).ja))] == []


def _literals(path: Path) -> list[tuple[int, ast.expr, ast.expr]]:
    """Each text in two languages that a module writes down."""
    calls = (n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call))
    named = (n for n in calls if isinstance(n.func, ast.Name) and n.func.id in ("Text", "Sentence"))
    return [(n.lineno, *n.args) for n in named if len(n.args) == 2]  # type: ignore[misc]


def test_no_module_that_judges_leaves_a_japanese_text_empty() -> None:
    modules = sorted((ROOT / "dubgate").rglob("*.py"))
    found = [(path, *one) for path in modules for one in _literals(path)]
    assert len(found) > 100
    empty = [
        f"{path.relative_to(ROOT)}:{line}"
        for path, line, en, ja in found
        if isinstance(ja, ast.Constant) and not ja.value and not (isinstance(en, ast.Constant) and not en.value)
    ]
    assert empty == []


def test_a_finding_tells_the_rules_own_japanese() -> None:
    for pack, rule in _shipped():
        said = finding(rule, pack, PROGRAMME, Outcome.HOLD, SILENT)
        assert (said.why.ja, said.remedy.ja) == (rule.why.ja, rule.remedy.ja)
    late = failed("LAB-001", PROGRAMME, "no label", "表示なし")
    assert (late.why.ja, late.remedy.ja) == IN_JAPANESE["LAB-001"]
    assert passed("LAB-001", PROGRAMME, "a label", "表示あり").remedy == SILENT


def test_an_open_question_tells_its_reason_in_japanese_with_its_numbers() -> None:
    [(pack, rule), *_] = _shipped()
    open_ = unknown(rule, pack, PROGRAMME, Unmeasured("fewer than 8 lines have a melody in both tracks"))
    assert open_.text.en.endswith("could not be judged (fewer than 8 lines have a melody in both tracks).")
    assert open_.text.ja.endswith("を判定できませんでした（両方の音声に抑揚のある台詞が8行未満です）。")
    of_a_house = unknown(rule, pack, PROGRAMME, Unmeasured("a reason of a house"))
    assert of_a_house.text.ja.endswith("（a reason of a house）。")


def test_a_pack_from_outside_may_write_in_english_only_and_is_shown_in_english() -> None:
    pack = read_pack(text(band()), "house.yaml")
    [rule] = pack.rules
    said = finding(rule, pack, PROGRAMME, Outcome.HOLD, SILENT)
    assert (said.why, said.remedy) == (Text("because", ""), Text("mend it", ""))
    assert (said.why.within("en"), said.why.within("ja")) == ("because", "because")
    assert Text("because", "なぜなら").within("ja") == "なぜなら"


NEW = HEAD.replace("pack/1.0", "pack/1.2") + "status: verified\n"
BOTH = '{en: "because", ja: "なぜなら"}'


def _house(head: str, why: str) -> Pack:
    return read_pack(text(condition("label.planned").replace('why: "because"', f"why: {why}"), head=head), "house.yaml")


def test_a_pack_from_outside_may_write_in_both() -> None:
    assert _house(NEW, BOTH).rules[0].why.told == Text("because", "なぜなら")
    assert _house(NEW, "because").rules[0].why.told == Text("because", "")


@pytest.mark.parametrize(
    ("head", "why", "refused"),
    [
        (HEAD, BOTH, "pack/1.2"),
        (NEW.replace("pack/1.2", "pack/1.1"), BOTH, "pack/1.2"),
        (NEW, '{en: "because"}', "ja"),
        (NEW, '{ja: "なぜなら"}', "en"),
        (NEW, '{en: "because", ja: ""}', "at least 1"),
        (NEW, '{en: "because", ja: "なぜなら", de: "weil"}', "unknown key 'de'"),
        (NEW, "[because]", "why"),
    ],
)
def test_a_reason_in_half_a_language_or_in_an_older_pack_does_not_load(head: str, why: str, refused: str) -> None:
    with pytest.raises(PackError, match=refused):
        _house(head, why)


def test_a_bound_is_printed_in_japanese_from_the_same_numbers() -> None:
    band = Band.model_validate({"at_least": "0.3 s", "at_most": "2 s"})
    assert (str(band), band.in_japanese) == ("at least 0.3 s and at most 2 s", "0.3秒以上、2秒以下")
    assert Band.model_validate({"at_most": "0.5 share"}).in_japanese == "50%以下"
