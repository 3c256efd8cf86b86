"""The commands disclose and company through the command line: what they print, their exit codes, their refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner
from made_delivery import World, make_world

from dubgate.certificate.dsse import save_private_key
from dubgate.cli.company import REGISTER, company
from dubgate.cli.disclose import disclose
from dubgate.cli.main import run
from dubgate.company.folder import read_company
from dubgate.disclosure.told import Part, Person, Told
from dubgate.disclosure.words import shipped, wording

TOLD = Told(
    title="The Last Train", language="en", original_language="de", style="lipsync", parts=(Part("MARA", "human"),),
    tools=(), purposes=(), purpose_confirmed=False, used_to_train=None, reviews=(), named_reviewers=(), approvals=(),
    not_approved=(), labels=(), unlabelled=(), people=(Person("adapter", "A"), Person("dubbing_director", "D")),
    territories=(), channels=(), window=None, packets_sha256="1" * 64, manifest_sha256="2" * 64,
    as_of=datetime(2026, 11, 20, tzinfo=UTC),
)  # fmt: skip


def disclosed(told: Told, *more: str) -> tuple[int, str]:
    with patch("dubgate.disclosing.told_of", lambda *_, **__: told):
        found = CliRunner().invoke(disclose, ["delivery.yaml", "--registry", "r.db", *more], standalone_mode=False)
    return found.return_value, found.output


def test_a_disclosure_without_gaps_ends_with_0_and_one_with_gaps_with_3() -> None:
    code, text = disclosed(TOLD, "--tier", "social", "--tier", "press", "--lang", "en", "--lang", "ja")
    assert code == 0
    assert "== press, ja" in text
    code, text = disclosed(replace(TOLD, people=()), "--lang", "de")
    assert code == 3
    assert "not for publication" in text


def test_a_disclosure_as_json_is_written_to_a_file(tmp_path: Path) -> None:
    code, _ = disclosed(TOLD, "--format", "json", "--out", str(tmp_path / "d.json"))
    assert code == 0
    assert '"schema": "disclosure/1.0"' in (tmp_path / "d.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments",
    [
        ["disclose"],
        ["disclose", "x.yaml", "--registry", "r.db", "--lang", "en", "--lang", "de", "--wording", "w.yaml"],
        ["disclose", "--write-wording", "xx"],
        ["disclose", "no-such.yaml", "--registry", "r.db"],
    ],
)
def test_what_cannot_be_disclosed_is_2(arguments: list[str]) -> None:
    assert run(arguments) == 2


def test_a_wording_that_is_printed_can_be_handed_in_again(tmp_path: Path) -> None:
    text = CliRunner().invoke(disclose, ["--write-wording", "de"]).output
    own = tmp_path / "own.yaml"
    own.write_text(text, encoding="utf-8")
    assert wording("de", own).texts == wording("de").texts
    assert text == shipped()["de"].read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("commands"))


def test_a_companys_folder_is_made_filled_and_checked(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "company"
    assert run(["company", "init", str(folder)]) == 0
    assert run(["company", "init", str(folder)]) == 2  # never over a register
    key = tmp_path / "kestrel.pem"
    save_private_key(world.keys["kestrel"], key, None)
    asked = ["company", "policy", "--title", "last-train", "--as", "kestrel", "--key", str(key), "--character", "OTTO"]
    out = folder / "policies" / "one.json"
    assert run([*asked, "--scene", "1.5-20", "--songs", "--out", str(out)]) == 0
    assert run([*asked, "--out", str(out)]) == 2  # never over a policy
    assert run([*asked, "--nothing", "--out", str(folder / "policies" / "two.json")]) == 2  # it says two things
    assert run([*asked, "--scene", "x", "--out", str(folder / "policies" / "two.json")]) == 2
    assert len(read_company(folder).policies) == 1
    found = CliRunner().invoke(company, ["check", str(folder)], standalone_mode=False)
    assert found.return_value == 0
    assert "1 policies" in found.output


def test_an_overdue_review_or_changed_terms_end_with_3(tmp_path: Path) -> None:
    path = tmp_path / "register.yaml"
    path.write_text(REGISTER.replace("2027-04-01", "2026-10-02"), encoding="utf-8")
    found = CliRunner().invoke(company, ["check", str(tmp_path)], standalone_mode=False)
    assert (found.return_value, "overdue" in found.output) == (3, True)
    path.write_text(REGISTER.replace("read_by: Legal", "read_by: Legal, file: gone.pdf"), encoding="utf-8")
    found = CliRunner().invoke(company, ["check", str(tmp_path)], standalone_mode=False)
    assert (found.return_value, "not those that were read" in found.output) == (3, True)


def test_the_schema_of_the_register_is_printed() -> None:
    assert '"title": "tool-register/1.0"' in CliRunner().invoke(company, ["schema"]).output
