"""Every reason for which something could not be measured has its Japanese, with the numbers and names of the English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from consent.vocabulary import Role
from dubgate.delivery.script import CueKind, Style
from dubgate.japanese.facts import FACTS as FACT_WORDS
from dubgate.japanese.notes import NOTES
from dubgate.japanese.reasons import REASONS
from dubgate.japanese.telling import in_japanese
from dubgate.measure.lines import Why
from dubgate.policy.checks import CHECKS
from dubgate.policy.facts import FACTS
from dubgate.policy.packs import CORE, available, read_pack

ROOT = Path(__file__).resolve().parents[1]
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_HOLE = re.compile(r"\{(\d)(:told)?\}")

# Where the sentence is not written at the place: what it can be, or nothing where it is a reason that was told before.
ELSEWHERE: dict[str, tuple[str, ...]] = {
    "dubgate/judged_kept.py: str(plain['unmeasured'])": (),
    "dubgate/stored.py: reason": (),
    "dubgate/policy/pack_cases.py: reason.strip()": (),  # a rule's own case, in its own words
    "dubgate/measure/rate.py: why.value": tuple(why.value for why in Why),
    "dubgate/policy/conditions.py: reason": (),
    "dubgate/measure/voice.py: reason": (),
    "dubgate/label_facts.py: labels.unmeasured[0]": ("{0} more of its segments cannot be told to hold none",),
    # an error of a file that cannot be read, in the words of whoever raised it; and `explain`, which reads none
    "dubgate/label_facts.py: labels.unreadable[0]": ("labels are read back when the delivery is checked",),
    "dubgate/measure/timing.py: Why.RUNS_ON.value": tuple(why.value for why in Why),
    "dubgate/measure/timing.py: dub.start_s.value": tuple(why.value for why in Why),
    "dubgate/measure/timing.py: _why_no_end(dub)": (
        "the speech runs on into the next line, so that this line's end cannot be told",
    ),
    "dubgate/measure/voice_gallery.py: '; '.join(gaps)": (
        "{0} templates hold no voice",
        "the calibration of this speaker encoder cannot carry a search among {0} voices",
    ),
    "dubgate/protected_voices.py: '; '.join(gaps)": (
        "{0} protected voices are enrolled for another speaker encoder only",
    ),
    "dubgate/mixing.py: missing": ("no M&E was given beside the stem", "no stem was given beside the mix"),
    "dubgate/policy/conditions.py: _reason(error, self.close())": (
        "the condition took too long and was stopped",
        "the condition's evaluator died",
    ),
    "dubgate/record_judging.py: en": ("the intake that the delivery names cannot be read: {0}",),
    "dubgate/speech/ears.py: error.what": ("no {0} is on this machine", "no {0} is on this machine for {1}"),
    "dubgate/speech/pocketsphinx.py: ONLY_ENGLISH.format('transcriber', language)": (
        "the embedded {0} hears English only, not {1}",
    ),
    "dubgate/speech/sphinx_aligner.py: ONLY_ENGLISH.format('aligner', language)": (
        "the embedded {0} hears English only, not {1}",
    ),
}


def _template(node: ast.expr) -> str | None:
    """A sentence with its holes numbered in the order in which they stand; None where it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    out, n = "", 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            out += str(part.value)
        else:
            out, n = f"{out}{{{n}}}", n + 1
    return out


def _written(node: ast.expr) -> Iterator[ast.expr]:
    """The branches of what is handed over."""
    if isinstance(node, ast.IfExp):
        yield from _written(node.body)
        yield from _written(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _written(value)
    else:
        yield node


def _reasons(source: str, where: str) -> Iterator[tuple[str, str | None]]:
    """Each reason that a module makes: where, and its template; None where it is not written there."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("Unmeasured"):
            given = [*call.args, *(k.value for k in call.keywords)]
            for node in (n for arg in given for n in _written(arg)):
                yield f"{where}: {ast.unparse(node)}", _template(node)


def _of_the_program() -> list[tuple[str, str | None]]:
    paths = sorted((ROOT / "dubgate").rglob("*.py"))
    return [one for p in paths for one in _reasons(p.read_text(encoding="utf-8"), str(p.relative_to(ROOT)))]


# A reason of which a part is written elsewhere.
INSIDE = {
    "{0}, under {1} s": "the character's other lines hold {0} s of one voice, under {1} s",
}
_NOT_SHOWN = {""}  # of a line that has its end, and of what is refused a moment later


def test_every_reason_that_the_program_can_give_has_japanese() -> None:
    found = _of_the_program()
    assert len(found) > 160
    written = {template for _, template in found if template is not None} - _NOT_SHOWN
    written = {INSIDE.get(template, template) for template in written}
    assert sorted(written - set(REASONS)) == []


def test_a_reason_that_is_written_elsewhere_is_known_and_has_japanese_too() -> None:
    elsewhere = {where for where, template in _of_the_program() if template is None}
    assert elsewhere == set(ELSEWHERE)
    assert sorted({t for can_be in ELSEWHERE.values() for t in can_be} - set(REASONS)) == []


def test_every_way_in_which_a_delivery_goes_beyond_what_was_said_has_japanese() -> None:
    source = (ROOT / "dubgate" / "intake" / "differing.py").read_text(encoding="utf-8")
    told = [n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Yield) and n.value is not None]
    templates = {template for node in told if (template := _template(node)) is not None}
    assert len(templates) == len(told) > 10
    assert sorted(templates - set(NOTES) - set(REASONS)) == []
    assert in_japanese("the original's language is fr, and de was said") == "原音の言語はfrですが、申告はdeでした"


def test_a_new_reason_without_japanese_is_found() -> None:
    source = 'x = Unmeasured(f"the {name} fell asleep after {s:.0f} s")\ny = Unmeasured("a" if z else told)\n'
    assert [template for _, template in _reasons(source, "x.py")] == ["the {0} fell asleep after {1} s", "a", None]


def test_every_fact_has_a_meaning_in_japanese() -> None:
    assert set(FACT_WORDS) == {fact.means for fact in FACTS.values()}
    fact = FACTS["label.planned"]
    assert in_japanese(f"nobody said: {fact.means}") == f"情報がありません: {FACT_WORDS[fact.means]}"


@pytest.mark.parametrize("table", [REASONS, FACT_WORDS, NOTES], ids=["reasons", "facts", "notes"])
def test_what_is_told_is_japanese_and_carries_every_number_and_name(table: dict[str, str]) -> None:
    for english, japanese in table.items():
        assert _JAPANESE.search(japanese), english
        holes = [k for k, _ in _HOLE.findall(english)]
        assert holes == [str(k) for k in range(len(holes))], english
        assert sorted({k for k, _ in _HOLE.findall(japanese)}) == holes, english
        plain = _HOLE.sub("", japanese)
        lost = [n for n in re.findall(r"-?\d[\d.]*|--[a-z-]+|DUBGATE_\w+", _HOLE.sub("", english)) if n not in plain]
        assert not lost, (english, lost)


def test_no_reason_is_taken_for_another() -> None:
    """Filled with made-up names, each comes back as its own Japanese, whatever other templates would fit."""
    for english, japanese in (REASONS | FACT_WORDS | NOTES).items():
        filled = (_HOLE.sub(r"xy\1zz", said) for said in (english, japanese))
        assert in_japanese(next(filled)) == next(filled), english


def test_what_stands_in_a_hole_is_told_in_japanese_where_it_is_words() -> None:
    assert in_japanese("the original has less than 2 s of speech or fewer than 3 phrases") == (
        "原音の発話が2秒未満か、フレーズが3個未満です"
    )
    assert in_japanese("seg_0003.m4s from byte 1,024 cannot be told to hold none, since it is of no format whose labels are read: package it as fragmented MP4") == (
        "seg_0003.m4s from byte 1,024に表示がないとは言い切れません（表示を読み取れる形式ではありません）。フラグメント化したMP4でパッケージしてください"
    )  # fmt: skip
    assert (
        in_japanese("the embedded transcriber hears English only, not ja")
        == "同梱の文字起こしは英語だけに対応し、jaには対応しません"
    )


def test_reasons_that_stand_beside_each_other_are_told_one_after_the_other() -> None:
    both = "2 protected voices are enrolled for another speaker encoder only; 1 templates hold no voice"
    assert (
        in_japanese(both)
        == "保護された声2件は、別の照合モデルでしか登録されていません。1件の登録データに声がありません"
    )
    unproved = "human.json: it is for another title, the submitter signed it alone"
    assert in_japanese(unproved) == "human.json: 別の作品についての署名です、提出者だけの署名です"


def test_what_has_no_japanese_stays_as_it_was_said() -> None:
    for said in ("a reason of a pack from outside", "", "no speech was heard; and something else", "Ada; Bo"):
        assert in_japanese(said) == said


def test_who_answers_and_how_a_dub_sits_is_told_in_japanese() -> None:
    asked = {c.who_can_resolve for c in CHECKS.values()} - {None}
    packs = [read_pack(path.read_bytes(), path.name, core=name == CORE) for name, path in available().items()]
    asked |= {str(rule.attestable_by[0]) for pack in packs for rule in pack.rules if rule.attestable_by}
    roles = {role.replace("_", " ") for role in Role}
    styles = {style.value for style in Style} | {kind.value for kind in CueKind}
    assert sorted(word for word in asked | roles | styles if word is not None and word not in NOTES) == []
