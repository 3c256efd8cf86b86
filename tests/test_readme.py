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


def test_the_tables_are_todays() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text == filled(text), "run: python tests/test_readme.py"


def test_every_command_named_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?<!from )dubgate ([a-z]+(?:-[a-z]+)*)", text)) - {"is", "and"}
    assert named <= set(COMMANDS), named - set(COMMANDS)


def test_the_picture_and_the_make_targets_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text):
        assert (ROOT / picture).is_file()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make ([a-z]+)", text):
        assert f"\n{target}:" in makefile


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
    readme = ROOT / "README.md"
    readme.write_text(filled(readme.read_text(encoding="utf-8")), encoding="utf-8")
