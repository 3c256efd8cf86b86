"""Rule packs: a pack that could never judge, or judge the wrong thing, does not load, and says where."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pack_texts import HEAD, band, condition, pack, text

from dubgate.errors import InputError, PackError
from dubgate.policy import packs as packs_module
from dubgate.policy.checks import CHECKS
from dubgate.policy.packs import CORE, available, load_packs, pack_folders, read_pack

WITH_CONDITION = condition("label.planned")


@pytest.mark.parametrize(
    ("data", "line", "why"),
    [
        (text(band("    metric: onset\n    require: {at_most: 1 s}\n    severity: hold\n")), 8, "no metric is called"),
        (text(band("    require: {at_most: 0.5 ms}\n    severity: hold\n")), 10, "'ms' is not a unit"),
        (text(band("    require: {at_most: 0.5 dB}\n    severity: hold\n")), 8, "a bound is in dB; here it is s"),
        (text(band("    require: {at_most: 0.5}\n    severity: hold\n")), 10, "with its unit"),
        (text(band("    require: {at_most: .inf s}\n    severity: hold\n")), 10, "unit"),
        (text(band("    require: {}\n    severity: hold\n")), 10, "at_least, at_most or both"),
        (text(band("    severity: hold\n")), 8, "require, prefer or both"),
        (text(band("    prefer: {at_most: 1 s}\n    severity: hold\n")), 8, "can only warn"),
        (text(band("    require: {at_most: 1 s, at_least: 2 s}\n    severity: hold\n")), 10, "nothing lies between"),
        (text(band("    require: {at_most: 1 s}\n    severity: block\n")), 8, "a single line holds at most"),
        (
            text(band("    of: max\n    require: {at_most: 1 s}\n    severity: block\n")),
            8,
            "a single line holds at most",
        ),
        (text(band("    require: {at_most: 1 s}\n    severity: fatal\n")), 11, "severity"),
        (text(band("    require: {at_most: 1 s}\n    severity: hold\n    wrong: 1\n")), 12, "unknown key 'wrong'"),
        (text(band("    require: {under: 1 s}\n    severity: hold\n")), 10, "unknown key 'under'"),
        (text(band("    of: share\n    require: {at_most: 1 share}\n    severity: hold\n")), 8, "belong together"),
        (
            text(band("    within: {at_most: 1 s}\n    require: {at_most: 1 s}\n    severity: hold\n")),
            8,
            "belong together",
        ),
        (
            text(band("    of: share\n    within: {at_most: 1 s}\n    require: {at_least: 1 s}\n    severity: hold\n")),
            8,
            "here it is share",
        ),
        (text(band("    of: most\n    require: {at_most: 1 s}\n    severity: hold\n")), 10, "of"),
        (
            text(band("    coverage: {at_least: 0}\n    require: {at_most: 1 s}\n    severity: hold\n")),
            10,
            "greater than 0",
        ),
        (
            text(band("    block_when: {at_least: 3}\n    require: {at_most: 1 s}\n    severity: hold\n")),
            10,
            "share or run",
        ),
        (
            text(band("    of: p90\n    block_when: {run: 3}\n    require: {at_most: 1 s}\n    severity: hold\n")),
            8,
            "of each holds",
        ),
        (text(band("    metric: iwslt_m2\n    require: {at_most: 1 share}\n    severity: hold\n")), 8, "reports only"),
        (
            text(band("    metric: [onset_error_s, script_wer]\n    require: {at_most: 1 s}\n    severity: hold\n")),
            8,
            "one unit",
        ),
        (
            text(
                band(
                    "    instead: {metric: nothing, require: {at_most: 1 s}}\n    require: {at_most: 1 s}\n    severity: hold\n"
                )
            ),
            8,
            "no metric is called 'nothing'",
        ),
        (
            text(band(tests="      - {values: [0.1], outcome: pass}\n      - {values: [0.2], outcome: pass}\n")),
            8,
            "fails",
        ),
        (
            text(band(tests="      - {values: [0.1], outcome: warn}\n      - {values: [0.9], outcome: hold}\n")),
            8,
            "passes",
        ),
        (text(band(tests="      - {values: [0.1], outcome: pass}\n")), 19, "at least 2"),
        (
            text(band(tests="      - {values: [], outcome: pass}\n      - {values: [9], outcome: hold}\n")),
            19,
            "at least 1",
        ),
        (text(band(), band()), 1, "repeat the id HOU-ONE"),
        (text(band(rule_id="lower-case")), 8, "pattern"),
        (text(band(rule_id="CON-001")), 8, "judged by the program"),
        (text(band(rule_id="CON-999")), 8, "kept for core"),
        (text(band(rule_id="LAB-EU")), 8, "kept for core"),
        (text(band(rule_id="RH-9")), 8, "kept for core"),
        (text(band(rule_id="INT-9")), 8, "kept for core"),
        (text(band().replace("{size}", "{size.__class__}")), 17, "cannot be filled in"),
        (text(band().replace("{size}", "{0}")), 17, "cannot be filled in"),
        (text(band().replace("off.", "off}.")), 17, "brace"),
        (text(condition("label.nothing")), 8, "label.nothing"),
        (text(condition("label.tracks.all(t, t.human_readable)")), 8, "size() > 0"),
        (text(condition("has(label.tracks)")), 8, "has()"),
        (text(condition("label.planned", applies="true")), 8, "applies"),
        (text(condition("label.planned").replace("It is not so.", "It is {value}.")), 8, "no value or bound"),
        (text(band()).replace(b"rules:", b"rule:"), 1, "unknown key 'rule'"),
        (HEAD.encode() + b"rules: []\n", 7, "at least 1"),
        (HEAD.encode(), 1, "'rules' is missing"),
        (text(band(), head=HEAD.replace("pack/1.0", "pack/2.0")), 1, "pack/1.0"),
        (text(band(), head=HEAD.replace('"2026.11"', "2026.11")), 3, "version"),
        (text(band(), head=HEAD.replace("2026-11-20", "2026-13-20")), 4, "month"),
        (text(band(), head=HEAD.replace("house", CORE)), 2, "the program's own"),
        (text(band(), head=HEAD + "territories: []\n"), 7, "at least 1"),
        (text(band(), head=HEAD + "territories: [UK]\n"), 7, "GB"),
        (text(band(), head=HEAD + "sign_offs: [king]\n"), 7, "sign_offs"),
        (text(band(), head=HEAD + "group: quality\n"), 7, "repeated"),
        (text(band(), head=HEAD + "extra: &a 1\n"), 7, "anchors"),
    ],
)
def test_a_pack_that_is_wrong_does_not_load_and_says_where(data: bytes, line: int, why: str) -> None:
    with pytest.raises(InputError) as refusal:
        read_pack(data, "house.yaml")
    assert why in str(refusal.value), refusal.value
    assert str(refusal.value.where).startswith(f"house.yaml:{line}:"), refusal.value


def test_everything_that_is_wrong_is_told_at_once() -> None:
    data = text(band().replace("severity: hold", "severity: fatal"), condition("label.nothing"))
    with pytest.raises(PackError) as refusal:
        read_pack(data, "house.yaml")
    assert "severity" in str(refusal.value)
    assert "label.nothing" in str(refusal.value)


def test_a_pack_is_known_by_the_digest_of_its_bytes() -> None:
    data = text(band())
    assert read_pack(data, "house.yaml").sha256 == hashlib.sha256(data).hexdigest()
    assert read_pack(data + b"# more\n", "house.yaml").sha256 != hashlib.sha256(data).hexdigest()


def test_territories_are_expanded_to_countries_and_norway_is_a_country() -> None:
    assert pack(band(), head=HEAD + "territories: [NO, EU]\n").territories is not None
    assert {"NO", "DE"} <= set(pack(band(), head=HEAD + "territories: [NO, EU]\n").territories or ())
    assert pack(band()).territories is None


@pytest.mark.parametrize("names", [[], ["loudness-netflix"], ["core"], ["core", "quality-lipsync", "core"]])
def test_core_is_always_among_the_packs_and_comes_first(names: list[str]) -> None:
    loaded = load_packs(names)
    assert loaded[0].name == CORE
    assert [p.name for p in loaded].count(CORE) == 1


def test_a_checkout_without_core_judges_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packs_module, "pack_folders", lambda: (tmp_path,))
    with pytest.raises(PackError, match="'core'"):
        load_packs(["quality-lipsync"])


def test_a_stranger_cannot_put_a_core_of_its_own_in_place(tmp_path: Path) -> None:
    path = tmp_path / "core.yaml"
    path.write_bytes(text(band(), head=HEAD.replace("house", CORE)))
    with pytest.raises(PackError, match="program's own"):
        load_packs([str(path)])
    with pytest.raises(PackError, match="program's own"):
        load_packs([], [path])


def test_packs_come_by_name_by_path_and_by_extra_path(tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_bytes(text(band()))
    by_path = load_packs(["loudness-netflix", str(tmp_path / "house.yaml")])
    by_extra = load_packs(["loudness-netflix"], [tmp_path / "house.yaml"])
    assert by_path == by_extra
    assert [p.name for p in by_path] == [CORE, "loudness-netflix", "house"]


def test_two_packs_with_one_rule_id_do_not_load_together() -> None:
    with pytest.raises(PackError, match="both have a rule LOU-PEAK"):
        load_packs(["loudness-netflix", "loudness-ebu-r128"])


def test_two_packs_of_one_name_do_not_load_together(tmp_path: Path) -> None:
    for k, rule_id in enumerate(("HOU-A", "HOU-B")):
        (tmp_path / f"{k}.yaml").write_bytes(text(band(rule_id=rule_id)))
    with pytest.raises(PackError, match="two packs are called house"):
        load_packs([str(tmp_path / "0.yaml"), str(tmp_path / "1.yaml")])


def test_an_unknown_pack_is_named_with_those_there_are() -> None:
    with pytest.raises(PackError) as refusal:
        load_packs(["quality"])
    assert "'quality'" in str(refusal.value)
    assert "quality-lipsync" in str(refusal.value)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="cannot be read"):
        load_packs([str(tmp_path / "none.yaml")])


def test_a_pack_calls_itself_what_its_file_is_called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    core = available()[CORE].read_bytes()
    (tmp_path / "core.yaml").write_bytes(core)
    (tmp_path / "other.yaml").write_bytes(text(band()))
    monkeypatch.setattr(packs_module, "pack_folders", lambda: (tmp_path,))
    with pytest.raises(PackError, match="calls itself 'house'"):
        load_packs(["other"])


def test_packs_are_found_in_a_checkout() -> None:
    assert {"core", "quality-lipsync", "quality-voiceover", "loudness-netflix", "loudness-ebu-r128"} <= set(available())
    assert all(folder.is_dir() for folder in pack_folders())


def test_no_pack_holds_an_id_that_the_program_judges_in_code() -> None:
    for name in available():
        for loaded in load_packs([name]):
            assert not {rule.id for rule in loaded.rules} & set(CHECKS)
