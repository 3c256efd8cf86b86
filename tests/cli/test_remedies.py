"""What people are told to do: about files that are not there, ids that the registry lacks, ports that are taken; and what no
command replaces."""

from __future__ import annotations

import json
import logging
import shutil
import socket
from pathlib import Path

import pytest

from dubgate.certificate import refusals
from dubgate.certificate.refusals import Malformed
from dubgate.cli import remedies
from dubgate.cli.consent import last_day
from dubgate.cli.main import run
from dubgate.cli.ports import listen, port_of
from dubgate.cli.remedies import add_remedy
from dubgate.errors import InputError
from dubgate.service.logs import JsonLines

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the samples' registry in it."""
    folder = tmp_path_factory.mktemp("registry")
    assert run(["consent", "init", "--registry", str(folder / "consent.db")]) == 0
    assert run(["consent", "import", str(SAMPLES / "seed.yaml"), "--registry", str(folder / "consent.db")]) == 0
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same registry, in the folder in which the command runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DUBGATE_REGISTRY", "consent.db")
    for path in made.iterdir():
        shutil.copy(path, tmp_path)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "delivery.yaml").touch()
    return tmp_path


def refused(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert run(line.split()) == 2
    said = capsys.readouterr().err
    assert "internal error" not in said
    assert "\n  " in said or "Usage:" in said
    return said


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("consent withdraw g-mra --by p-mara", "Did you mean g-mara?"),
        ("consent withdraw v-jonas --by p-jonas", "v-jonas is a voice, not a grant. Did you mean g-jonas"),
        ("consent withdraw g-mara --by p-marra", "Did you mean p-mara"),
        ("consent withdraw nothing-like-it --by p-mara", "grant:nothing-like-it: no grant 'nothing-like-it' is registered"),
        ("consent withdraw nothing-like-it --by p-mara", "dubgate consent show --registry consent.db"),
        ("consent impact g-mra", "Did you mean g-mara?"),
        ("consent withdraw G-Mara --by p-mara", "small letters and digits"),
        ("consent withdraw film:x --by p-mara", "A grant by its id alone"),
        ("voices show v-marra", "Did you mean v-mara"),
        ("consent report p-marra --out r.html", "Did you mean p-mara"),
        ("consent phrase P-Mara --by p-mara", "small letters and digits"),
        ("request --refuse RQ --as kestrel --reason no", "Invalid value for '--refuse'"),
        ("consent report p-mara --out r.html --key-file nokey", "Leave --key-file out"),
    ],
)  # fmt: skip
def test_an_id_that_the_registry_lacks_is_told_with_what_it_holds(
    line: str, told: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told in refused(line, capsys)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("intake --answers emty", "Did you mean empty?"),
        ("intake --answers no/such/answers.yaml", "The folder no/such is not there"),
        ("check delivry.yaml --registry consent.db", "Did you mean delivery.yaml? Draft one"),
        ("consent audit --registry consnt.db", "consent.db? Make one"),
        ("tokens revoke 123456 --by op-1", "dubgate tokens list"),
        ("intake --answers folder", "Name a file"),
        ("intake --answers empty", "copy or export it again"),
        ("keys show missing.pem", "Check the name and the folder"),
        ("keys new no/such/key.pem --no-passphrase", "The folder no/such is not there"),
        ("consent checkpoint --out no/such/file", "The folder no/such is not there: make it"),
        ("consent checkpoint --out folder", "It is a folder"),
        ("consent audit --checkpoint empty --verifier-key nope", "FILE.vkey"),
        ("consent import consent.db.key --dry-run", "dubgate consent draft"),
        ("consent restore empty empty --registry again.db", "dubgate consent backup"),
        ("rules lint missing.yaml", ""),
        ("label check missing.mov", ""),
        ("init --out d.yaml missing.mov dub.wav", ""),
        ("may-publish missing.mov --territory DE --channel svod --language de --url https://x.example --token-file empty", ""),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_or_written_is_told_with_what_to_do(
    line: str, told: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told in refused(line, capsys)


def test_the_last_day_of_a_consent_is_told_and_not_the_midnight_after_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["consent", "show"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if "grant:g-mara " in line]
    assert line.endswith("until 2027-12-31")  # a last day in Berlin, which is over at 23:00 UTC


def test_a_term_that_ends_with_may_ends_on_its_last_day() -> None:
    assert last_day("2027-06-01T00:00:00Z") == "2027-05-31"
    assert last_day("2027-05-31T22:00:00Z") == "2027-05-31"


@pytest.mark.parametrize(
    "line",
    [
        "consent backup consent.db keys.jsonl",
        "consent backup history.jsonl consent.db.key",
        "consent checkpoint --out consent.db",
        "consent checkpoint --out consent.db.key",
    ],
)
def test_no_backup_or_checkpoint_replaces_a_registry_or_its_key(
    line: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {path.name: path.read_bytes() for path in here.glob("consent.db*") if not path.name.endswith("-shm")}
    assert "Name a new file" in refused(line, capsys)
    assert {name: (here / name).read_bytes() for name in kept} == kept


def test_a_backup_is_written_again_over_an_older_one(here: Path) -> None:
    for _ in range(2):
        assert run(["consent", "backup", "history.jsonl", "keys.jsonl"]) == 0


def test_a_file_that_is_no_certificate_is_not_called_one_of_a_newer_program() -> None:
    error = Malformed("not JSON", where="report.json")
    add_remedy(error, None)
    assert "certificate.json" in str(error.remedy)


def test_the_name_that_was_meant_is_told_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "film_de.wav").write_bytes(b"x")
    assert refused("qc film_dd.wav film_en.wav", capsys).count("Did you mean") == 1


def test_a_remedy_that_an_error_has_stays() -> None:
    error = InputError("no such file", where="x", remedy="Ask Ada.")
    add_remedy(error, None)
    assert error.remedy == "Ask Ada."


def test_a_port_that_is_taken_is_told_before_anything_is_made(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        said = refused(f"serve --demo --port {taken}", capsys)
        assert "another program listens there" in said
        assert "--port N" in said
        assert "another program" in refused(f"desk --registry consent.db --port {taken}", capsys)
    assert not (here / "out").exists()


def test_port_0_takes_one_that_is_free_and_says_which() -> None:
    with listen("127.0.0.1", 0) as one, listen("127.0.0.1", 0) as two:
        assert 0 < port_of(one) != port_of(two) > 0


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(InputError, match="no address of this machine"):
        listen("192.0.2.1", 0)


def test_every_refusal_of_a_certificate_says_what_to_do() -> None:
    for kind in vars(refusals).values():
        if isinstance(kind, type) and issubclass(kind, refusals.Refused) and kind is not refusals.Refused:
            error = kind("what")
            add_remedy(error, None)
            assert error.remedy, kind.reason


def test_a_warning_about_files_that_are_missing_names_them_in_the_log() -> None:
    record = logging.makeLogRecord({"msg": "files are not here", "missing": ["gate.pem"], "address": "127.0.0.1:8080"})
    told = json.loads(JsonLines().format(record))
    assert told["missing"] == ["gate.pem"]
    assert told["address"] == "127.0.0.1:8080"


def test_who_names_a_voice_is_told_its_grants_whatever_they_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"key": "voice:v-ada"},
        {"key": "grant:contract-7", "voice": "v-ada"},
        {"key": "grant:contract-8", "voice": "v-ben"},
    ]
    monkeypatch.setattr(remedies, "_held", lambda registry: rows)
    assert "v-ada is a voice, not a grant. Did you mean contract-7?" in remedies.of_unknown(
        "grant", "v-ada", "consent.db"
    )
