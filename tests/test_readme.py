"""The README tells the truth: its generated tables are today's, and its commands and files exist.

`python tests/test_readme.py` writes the tables anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dubgate.cli.main import COMMANDS
from dubgate.policy.pack_report import check_table, metric_table, pack_table, rule_table
from dubgate.policy.packs import available, load_packs

ROOT = Path(__file__).resolve().parents[1]


def tables() -> dict[str, str]:
    packs = {p.name: p for name in sorted(available()) for p in load_packs([name])}
    # The rules that a delivery's place, channel or partner brings in are counted; `dubgate rules show` has each.
    own = [p for p in packs.values() if p.chosen_by is None]
    return {
        "checks": check_table(),
        "packs": pack_table(packs.values()),
        "rules": rule_table(own),
        "metrics": metric_table(),
    }


def filled(text: str) -> str:
    for name, table in tables().items():
        text = re.sub(
            rf"<!-- {name} -->\n.*?<!-- /{name} -->",
            lambda _, n=name, t=table: f"<!-- {n} -->\n{t.strip()}\n<!-- /{n} -->",
            text,
            flags=re.DOTALL,
        )
    return text


READMES = tuple(ROOT / name for name in ("README.md", *(f"{folder}/README.md" for folder in (
    "consent", "consent/web", "dubgate/certificate", "dubgate/engine", "dubgate/labels", "dubgate/service", "rules",
))))  # fmt: skip
TABLES = ROOT / "rules/README.md"


def _text(readme: Path) -> str:
    return readme.read_text(encoding="utf-8")


def test_the_tables_are_todays() -> None:
    text = _text(TABLES)
    assert text == filled(text), "run: python tests/test_readme.py"
    assert all(f"<!-- {name} -->" in text for name in tables())


def test_every_readme_is_looked_at() -> None:
    ours = (path for top in ("consent", "dubgate", "rules") for path in (ROOT / top).rglob("README.md"))
    assert {ROOT / "README.md", *ours} == set(READMES)


@pytest.mark.parametrize("readme", READMES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_named_exists(readme: Path) -> None:
    text = _text(readme)
    named = set(re.findall(r"(?<!from )dubgate ([a-z]+(?:-[a-z]+)*)", text)) - {"is", "and"}
    assert named <= set(COMMANDS), named - set(COMMANDS)


@pytest.mark.parametrize("readme", READMES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_picture_and_make_target_exists(readme: Path) -> None:
    text = _text(readme)
    makefile = _text(ROOT / "Makefile")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target.startswith("https://") or (readme.parent / target).exists(), target
    for target in re.findall(r"make ([a-z]+)", text):
        assert f"\n{target}:" in makefile, target


def test_every_part_is_found_from_the_first_page() -> None:
    linked = set(re.findall(r"\]\(([^)]+)\)", _text(ROOT / "README.md")))
    assert {str(p.relative_to(ROOT)) for p in READMES} - {"README.md"} <= linked


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_a_help_that_says_more_than_its_name(command: str) -> None:
    from click.testing import CliRunner

    from dubgate.cli.main import cli

    out = CliRunner().invoke(cli, [command, "--help"])
    if "No such command" in out.output:
        pytest.fail(f"{command} is announced and does not exist")
    assert out.exit_code == 0
    assert len(out.output.splitlines()) > 5


if __name__ == "__main__":
    TABLES.write_text(filled(_text(TABLES)), encoding="utf-8")
