"""`dubgate rules` through a real process: what it prints, and exit codes 0, 1 and 2."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from dubgate.cli.main import run
from dubgate.errors import PackError
from dubgate.measure.metrics import METRICS
from dubgate.policy.checks import CHECKS
from dubgate.policy.pack_report import check_table, metric_table, rule_evidence, rule_table
from dubgate.policy.packs import available, load_packs
from dubgate.report.explained_rule import check_explained, rule_explained

ROOT = Path(__file__).resolve().parents[2]
PACK = """schema: pack/1.0
pack: house
version: "2026.11"
as_of: "2026-11-20"
group: quality
about: "A pack for tests."
rules:
  - id: HOU-ONE
    metric: snr_db
    require: {at_least: 10 dB}
    severity: hold
    source: "a test"
    why: "because"
    remedy: "mend it"
    asks: {en: "Noise", ja: "雑音"}
    text: {en: "It is noisy.", ja: "雑音があります。"}
    tests:
      - {values: [40], outcome: pass}
      - {values: [8], outcome: hold}
"""


def rules(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dubgate", "rules", *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )


def test_list_names_every_rule_and_every_built_in_check() -> None:
    done = rules("list")
    assert done.returncode == 0
    for name in available():
        assert all(rule.id in done.stdout for rule in load_packs([name])[-1].rules)
    assert all(check in done.stdout for check in CHECKS)


def test_list_as_data() -> None:
    done = rules("list", "quality-lipsync", "--format", "json")
    [pack] = json.loads(done.stdout)
    assert pack["pack"] == "quality-lipsync"
    assert pack["sha256"] == load_packs(["quality-lipsync"])[-1].sha256
    assert {rule["id"] for rule in pack["rules"]} >= {"TIM-ONSET", "VOI-ONE"}


def test_show_prints_bounds_sentences_source_and_false_alarms() -> None:
    done = rules("show", "TIM-ONSET")
    assert done.returncode == 0
    for part in ("onset_error_s", "at most 0.6 s", "block where", "開始が", "false alarms", "quality-metrics T4"):
        assert part in done.stdout


def test_show_knows_the_built_in_checks() -> None:
    done = rules("show", "CON-031")
    assert "no pack can switch it off" in done.stdout
    assert CHECKS["CON-031"].asks in done.stdout


def test_explain_speaks_to_the_people_who_made_the_dub() -> None:
    assert "label every entry" in rules("explain", "LAB-EU").stdout
    assert "EU" in rules("explain", "LAB-EU", "--lang", "ja").stdout
    assert CHECKS["RH-001"].remedy in rules("explain", "RH-001").stdout


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["rules", "explain", *arguments]) == 0
    return capsys.readouterr().out


def test_explain_says_when_a_rule_fails_and_who_can_do_what_about_it(capsys: pytest.CaptureFixture[str]) -> None:
    said = explained(capsys, "TIM-ONSET")
    for line in (
        "in: quality-lipsync ",
        "says: Line 12 starts N s too late.",
        "must be: at most 0.6 s either way",
        "else: hold; block where 25% fail or 6 in a row fail",
        "dubgate approve delivery.yaml --attest TIM-ONSET",
        "dubgate approve delivery.yaml --waive TIM-ONSET",
        "all of it: dubgate rules show TIM-ONSET",
    ):
        assert line in said
    assert "must be: at least 65 %" in explained(capsys, "TIM-IOU")
    assert "--waive" not in explained(capsys, "LAB-EU")  # a label is no quality
    assert "no waiver touches it" in explained(capsys, "CON-031")


def test_a_rule_is_found_in_whatever_case_it_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(capsys, "con-031") == explained(capsys, "CON-031")
    assert explained(capsys, "tim-onset") == explained(capsys, "TIM-ONSET")
    assert run(["rules", "show", "tim-onset"]) == 0


def test_a_rule_that_is_nearly_right_is_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("show", "explain"):
        assert run(["rules", verb, "CON31"]) == 2
        assert "Did you mean CON-031" in capsys.readouterr().err


def test_every_rule_and_check_can_be_explained_in_both_languages() -> None:
    for name in available():
        pack = load_packs([name])[-1]
        for rule, lang in product(pack.rules, ("en", "ja")):
            assert "{" not in rule_explained(rule, [pack], lang), rule.id
    for check, lang in product(CHECKS.values(), ("en", "ja")):
        assert check_explained(check, lang).startswith(check.id)


@pytest.mark.parametrize("verb", ["show", "explain"])
def test_an_unknown_rule_is_an_error(verb: str) -> None:
    done = rules(verb, "TIM-NOTHING")
    assert done.returncode == 2
    assert "TIM-NOTHING" in done.stderr


def test_lint_tells_what_is_wrong_at_file_line_and_column(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(PACK, encoding="utf-8")
    bad.write_text(PACK.replace("10 dB", "10 s"), encoding="utf-8")
    assert rules("lint", str(good)).returncode == 0
    done = rules("lint", str(bad))
    assert done.returncode == 2
    assert "bad.yaml:8:5" in done.stderr
    assert "a bound is in s; here it is dB" in done.stderr


def test_list_and_show_say_where_a_rule_comes_from() -> None:
    listed = rules("list", "eu-ai-act").stdout
    assert "brought in by territories: EU" in listed
    assert "EUA-WORD" in listed
    assert next(line for line in listed.splitlines() if "EUA-WORD" in line).endswith("(source unverified)")
    shown = rules("show", "EUA-SIGNED").stdout
    for part in (
        "unverified",
        "in force from 2026-12-02",
        "review by 2027-05-28",
        "nobody has confirmed",
        "standard-editing",
    ):
        assert part in shown
    [data] = json.loads(rules("list", "eu-ai-act", "--format", "json").stdout)
    marked = next(rule for rule in data["rules"] if rule["id"] == "EUA-MARK")
    assert (marked["status"], marked["effective"]) == ("verified", {"from": "2026-08-02", "until": None})
    assert data["brought_in_by"] == "territories: EU"


def test_explain_says_which_packs_judge_a_delivery_and_why(tmp_path: Path) -> None:
    for name in ("original.flac", "dub.flac", "script.vtt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "series.yaml").write_bytes((ROOT / "samples/series.yaml").read_bytes())
    manifest = tmp_path / "delivery.yaml"
    manifest.write_text(
        "schema: delivery/1.0\nextends: series.yaml\ndistribution:\n  territories: [CN]\n  partners: [netflix]\n",
        encoding="utf-8",
    )
    done = rules("explain", str(manifest))
    assert done.returncode == 0
    judging, others = done.stdout.split("These do not:")
    for part in ("partners: netflix", "territories: CN", "sign-off by: legal", "CNG-AIGC", "quality-lipsync"):
        assert part in judging
    assert "no registry was asked" in judging
    assert "eu-ai-act" in others
    data = json.loads(rules("explain", str(manifest), "--format", "json").stdout)
    assert {row["pack"] for row in data["packs"] if row["applies"]} >= {"core", "cn-gb-45438", "partner-netflix"}
    assert "規則パック" in rules("explain", str(manifest), "--lang", "ja").stdout
    missing = rules("explain", str(tmp_path / "nothing.yaml"))
    assert missing.returncode == 2


def test_the_rules_own_tests_run_and_a_wrong_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "house.yaml"
    path.write_text(PACK, encoding="utf-8")
    assert rules("test", str(path)).returncode == 0
    path.write_text(PACK.replace("values: [8]", "values: [12]"), encoding="utf-8")
    done = rules("test", str(path))
    assert done.returncode == 1
    assert "HOU-ONE: case 2 gives pass, not hold" in done.stdout


def test_without_names_all_packs_are_tested() -> None:
    done = rules("test")
    assert done.returncode == 0
    assert all(f"{name}: " in done.stdout for name in available())
    netflix = next(line for line in done.stdout.splitlines() if line.startswith("partner-netflix"))
    assert all(word in netflix for word in (" pass", " fail", " exempt", " not concerned", " open"))


def test_the_tables_have_every_metric_rule_and_check() -> None:
    packs = [load_packs([name])[-1] for name in sorted(available()) if name != "core"]
    metrics, written, checks = metric_table(), rule_table(packs), check_table()
    assert all(f"`{name}`" in metrics for name in METRICS)
    assert all(f"`{rule.id}`" in written for pack in packs for rule in pack.rules)
    assert all(f"`{check}`" in checks for check in CHECKS)
    for table in (metrics, written, checks):
        assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1


def test_evidence_is_shown_where_it_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_text(
        json.dumps({"TIM-ONSET": {"false_alarms_per_500_lines": 0.5, "lines": 2000, "as_of": "2026-11-20"}}), "utf-8"
    )
    evidence = rule_evidence(path)
    assert str(evidence["TIM-ONSET"]) == "0.5 in 500 lines (over 2,000 clean lines, 2026-11-20)"
    table = rule_table([load_packs(["quality-lipsync"])[-1]], evidence)
    assert any(line.startswith("| `TIM-ONSET`") and line.endswith("| 0.5 |") for line in table.splitlines())
    assert any(line.startswith("| `TIM-IOU`") and line.endswith("| not measured |") for line in table.splitlines())


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"A": 1}', '{"A": {"lines": 1}}', '{"A": {"false_alarms_per_500_lines": "x"}}']
)
def test_evidence_that_is_none_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "evidence.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PackError, match="false alarms"):
        rule_evidence(path)
