"""What a stranger sees first: commands by task, near misses, completion, and endings by signals and closed pipes."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dubgate.cli import main as cli_main
from dubgate.cli.interrupted import Stopped, served_until_asked
from dubgate.cli.progress import lines_to
from dubgate.cli.tasks import MEANT, OTHERS, TASKS, by_task, meant

ROOT = Path(__file__).resolve().parents[2]


def shown(*arguments: str) -> str:
    return CliRunner().invoke(cli_main.cli, list(arguments), prog_name="dubgate", env={"COLUMNS": "80"}).output


def process(*arguments: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "dubgate", *arguments], cwd=ROOT, text=True, **options)  # type: ignore[call-overload, no-any-return]


def test_the_first_screen_has_every_command_once_under_its_task() -> None:
    listed = [name for _, names in TASKS for name in names]
    assert sorted(listed) == sorted(cli_main.COMMANDS)
    lines = shown("--help").splitlines()
    for name, (_, _, told) in cli_main.COMMANDS.items():
        assert [line for line in lines if line.split()[:1] == [name]] == [f"  {name:<{cli_main.LONGEST}}  {told}"]


def test_the_first_screen_fits_eighty_columns() -> None:
    assert max(map(len, shown("--help").splitlines())) <= 80


def test_a_command_without_a_task_is_still_shown() -> None:
    assert by_task(["qc", "brand-new"])[-1] == (OTHERS, ["brand-new"])


@pytest.mark.parametrize(
    ("typed", "wanted"), [("chek", "check"), ("enroll", "enrol"), ("WITHDRAW", "consent withdraw")]
)
def test_who_mistypes_is_told_what_was_meant(typed: str, wanted: str) -> None:
    out = CliRunner().invoke(cli_main.cli, [typed])
    assert out.exit_code == 2
    assert f"Did you mean `dubgate {wanted}`?" in out.output


def test_what_is_like_nothing_gets_no_suggestion() -> None:
    assert meant("xyzzy", cli_main.COMMANDS) is None


def test_every_word_that_is_meant_is_a_command() -> None:
    for wanted in MEANT.values():
        first, *rest = wanted.split()
        assert first.startswith("--") or first in cli_main.COMMANDS
        if rest and not rest[0].startswith("--"):
            assert shown(first, rest[0], "--help").startswith("Usage")


@pytest.mark.parametrize("command", sorted(cli_main.COMMANDS))
def test_every_help_and_that_of_each_subcommand_shows_how_it_is_called(command: str) -> None:
    found = cli_main.LazyGroup().get_command(click.Context(cli_main.cli), command)
    members = [[command, name] for name in getattr(found, "commands", {})]
    for path in [[command], *members]:
        after_usage = shown(*path, "--help").partition("\n")[2]
        assert f"dubgate {' '.join(path)}" in after_usage, f"no example in {' '.join(path)} --help"


def test_a_shell_gets_its_completions_and_nothing_else() -> None:
    asked = {**os.environ, "_DUBGATE_COMPLETE": "bash_complete", "COMP_WORDS": "dubgate co", "COMP_CWORD": "1"}
    with process(env=asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (0, "")
    assert out.split() == ["plain,compare", "plain,consent", "plain,company"]


def test_a_reader_that_has_gone_ends_a_run_quietly_and_never_as_a_verdict() -> None:
    with process("rules", "list", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        said = running.stderr.read()
        running.wait(timeout=60)
    assert (running.returncode, said) == (128 + signal.SIGPIPE, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_disk_that_is_full_is_named_and_is_no_success() -> None:
    with open("/dev/full", "w") as full, process("rules", "list", stdout=full, stderr=subprocess.PIPE) as running:
        said = running.communicate(timeout=60)[1]
    assert running.returncode == 2
    assert "standard output: cannot be" in said
    assert "No space left" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_with_its_own_code_and_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    busy = """
import signal, tempfile, time
from dubgate.cli import main

def wait(**_):
    with tempfile.TemporaryDirectory(prefix="dubgate-"):
        print("ready", flush=True)
        time.sleep(60)

signal.signal(signal.SIGINT, signal.default_int_handler)
main.cli.main = wait
main.main()
"""
    called = {"cwd": ROOT, "text": True, "env": {**os.environ, "TMPDIR": str(tmp_path)}}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", busy], **called, **pipes) as running:  # type: ignore[call-overload]
        assert running.stdout.readline() == "ready\n"
        running.send_signal(number)
        said = running.communicate(timeout=60)[1]
    assert running.returncode == 128 + number
    assert "nothing was decided" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_batch_that_is_stopped_says_how_much_of_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, told: Callable[[str, int, int], None], **__: object) -> None:
        told("ep02: hold", 2, 6)
        raise KeyboardInterrupt

    monkeypatch.setattr("dubgate.engine.batch.run_batch", interrupted)
    monkeypatch.setattr("dubgate.release.open_registry", lambda _: contextlib.nullcontext())
    asked = ["batch", "delivery.yaml", "--registry", "consent.db", "--out", str(tmp_path), "--quiet"]
    assert cli_main.run(asked) == 128 + signal.SIGINT
    said = capsys.readouterr().err
    assert f"stopped; 2 of 6 are judged and kept in {tmp_path}" in said
    assert "nothing was decided" not in said


def test_a_signal_has_its_own_code_in_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*args: object, **kwargs: object) -> None:
        raise Stopped(signal.SIGTERM)

    monkeypatch.setattr(cli_main.cli, "main", explode)
    assert cli_main.run(["--help"]) == 143


def test_a_key_without_a_terminal_says_how_its_passphrase_is_given(tmp_path: Path) -> None:
    unset = {k: v for k, v in os.environ.items() if "PASSPHRASE" not in k}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with process("keys", "new", str(tmp_path / "k.pem"), env=unset, **pipes) as running:
        said = running.communicate(timeout=60)[1]
    assert running.returncode == 2
    assert "DUBGATE_KEY_PASSPHRASE_FILE" in said
    assert list(tmp_path.iterdir()) == []


def test_who_has_no_registry_is_told_how_to_make_one() -> None:
    out = CliRunner().invoke(cli_main.cli, ["check", "delivery.yaml"], env={"DUBGATE_REGISTRY": ""})
    assert out.exit_code == 2
    assert "dubgate consent init --registry consent.db" in out.output


def test_a_log_gets_a_line_now_and_then_and_none_of_a_short_run() -> None:
    now, log = [0.0], io.StringIO()
    told = lines_to(log, lambda: now[0])
    for seconds in range(70):
        now[0] = float(seconds)
        told("hearing the dub", seconds / 100)
    assert log.getvalue() == "dubgate: hearing the dub, 30%\ndubgate: hearing the dub, 60%\n"


def test_a_sample_that_is_not_there_is_no_success(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli_main.run(["demo", "--only", "claen", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "no sample is called claen" in said
    assert "clean" in said


def test_a_server_that_is_asked_to_end_has_ended_well_and_a_lost_reader_is_no_such_thing() -> None:
    for ending in (KeyboardInterrupt(), Stopped(signal.SIGTERM), Stopped(signal.SIGHUP)):
        with served_until_asked():
            raise ending
    with pytest.raises(Stopped), served_until_asked():
        raise Stopped(signal.SIGPIPE)
    with pytest.raises(ValueError, match="broken"), served_until_asked():
        raise ValueError("broken")
