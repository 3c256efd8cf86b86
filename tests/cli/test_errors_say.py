"""Rubbish handed to a command: refused with exit code 2, by the file's name, with what to do, and nothing left behind."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from dubgate.certificate.dsse import new_private_key, public_of
from dubgate.cli.approve import say_whether_it_counts
from dubgate.cli.main import run
from dubgate.pilot.running import PilotRequest

RUBBISH = ("empty", "folder", "binary", "object", "missing")


@pytest.fixture
def rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files of each sort of rubbish, which is where the command runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DUBGATE_REGISTRY", raising=False)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "object").write_bytes(b"{}")
    (tmp_path / "dub.wav").write_bytes(b"RIFF")
    return tmp_path


def refused(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(list(arguments)) == 2
    said = capsys.readouterr().err
    assert "internal error" not in said
    assert "Errno" not in said
    return said


@pytest.mark.parametrize("name", RUBBISH)
@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("compare", "{}", "{}"), "report.json"),
        (("keys", "show", "{}"), ""),
        (("consent", "audit", "--registry", "{}"), "dubgate consent init"),
        (("desk", "--registry", "{}", "--invite", "studio", "hana@studio.example"), "dubgate consent init"),
        (("consent", "draft", "{}", "--out", "seed.yaml"), ""),
        (("serve", "--config", "{}", "--show"), ""),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_rubbish_is_refused_by_its_name(
    name: str, arguments: tuple[str, ...], remedy: str, rubbish: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(rubbish.iterdir())
    said = refused(*(a.format(name) for a in arguments), capsys=capsys)
    assert name in said
    assert remedy in said
    assert sorted(rubbish.iterdir()) == before


def test_a_manifest_that_is_none_says_what_to_name_or_make(rubbish: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (rubbish / "season.yaml").mkdir()
    (rubbish / "empty.yaml").touch()
    assert "Name the manifest in it: season.yaml/delivery.yaml" in refused(
        "rules", "explain", "season.yaml", capsys=capsys
    )
    for name in ("empty.yaml", "missing.yaml"):
        assert "Draft one: dubgate init" in refused("rules", "explain", name, capsys=capsys)


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "no token is in it"), (b"two words", "no token"), (b"\xff", "no token")]
)
def test_a_token_file_that_holds_none_is_refused_before_anything_is_asked(
    content: bytes, says: str, rubbish: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (rubbish / "token").write_bytes(content)
    use = ("--territory", "DE", "--channel", "svod", "--language", "de", "--url", "http://127.0.0.1:1")
    said = refused("may-publish", "dub.wav", *use, "--token-file", "token", capsys=capsys)
    assert says in said
    assert "dubgate tokens new" in said


def test_an_address_that_is_none_is_refused(rubbish: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (rubbish / "token").write_text("t")
    use = ("--territory", "DE", "--channel", "svod", "--language", "de", "--url", "http://localhost:x")
    assert "no URL" in refused("may-publish", "dub.wav", *use, "--token-file", "token", capsys=capsys)


def test_keys_are_listed_of_a_folder_that_is_there(rubbish: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such folder" in refused("keys", "list", "missing", capsys=capsys)
    assert run(["keys", "list", "."]) == 0
    assert "no key here has a card" in capsys.readouterr().err


def test_a_rule_is_explained_in_words_and_not_in_placeholders(capsys: pytest.CaptureFixture[str]) -> None:
    for lang in ("en", "ja"):
        assert run(["rules", "explain", "TXT-WORDS", "--lang", lang]) == 0
        assert "{" not in capsys.readouterr().out


def test_a_database_of_somebody_else_stays_as_it_is(rubbish: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(rubbish / "theirs.db") as theirs:
        theirs.execute("CREATE TABLE songs (name TEXT)")
    theirs.close()
    before = (rubbish / "theirs.db").read_bytes()
    said = refused("tokens", "list", "--registry", "theirs.db", capsys=capsys)
    assert "not a registry" in said
    assert "not a registry" in refused("consent", "import", "object", "--registry", "theirs.db", capsys=capsys)
    assert (rubbish / "theirs.db").read_bytes() == before
    assert list(rubbish.glob("theirs.db-*")) == []


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this process opens for writing fails once something is written: as a full disk does."""
    import os as system

    real = system.fdopen

    def fdopen(descriptor: int, mode: str = "r", *more: object, **named: object) -> object:
        if "w" in mode:
            system.close(descriptor)
            raise OSError(28, "No space left on device")
        return real(descriptor, mode, *more, **named)  # type: ignore[call-overload]

    monkeypatch.setattr("os.fdopen", fdopen)


def test_a_registry_that_could_not_be_made_whole_leaves_nothing(
    rubbish: Path, full_disk: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(rubbish.iterdir())
    said = refused("consent", "init", "--registry", "new.db", capsys=capsys)
    assert "new.db.key" in said
    assert "No space left" in said
    assert sorted(rubbish.iterdir()) == before
    monkeypatch.undo()
    monkeypatch.chdir(rubbish)
    assert run(["consent", "init", "--registry", "new.db"]) == 0


def test_a_registry_that_is_there_is_not_taken_away_by_a_second_init(
    rubbish: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["consent", "init", "--registry", "new.db"]) == 0
    assert "already there" in refused("consent", "init", "--registry", "new.db", capsys=capsys)
    assert run(["consent", "audit", "--registry", "new.db"]) == 0


def test_a_pilot_that_fails_leaves_no_folder_and_one_that_was_there_stays(
    rubbish: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(request: PilotRequest, **_: object) -> None:
        request.out.mkdir(exist_ok=True)
        (request.out / "half.flac").touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dubgate.pilot.running.run_pilot", full)
    said = refused("pilot", "delivery.yaml", "--registry", "c.db", "--out", "new", "--quiet", capsys=capsys)
    assert "new: cannot be written: No space left" in said
    assert not (rubbish / "new").exists()
    refused("pilot", "delivery.yaml", "--registry", "c.db", "--out", "folder", "--quiet", capsys=capsys)
    assert (rubbish / "folder").is_dir()


def test_an_empty_place_of_a_manifest_is_said_to_want_a_value(
    rubbish: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (rubbish / "d.yaml").write_text(
        "schema: delivery/1.0\noriginal: {language: , mix: dub.wav}\ndub: {language: en, mix: dub.wav}\n"
        "cast: [{character: A, voice: v, technique: }]\n"
    )
    said = refused("check", "d.yaml", "--registry", "c.db", capsys=capsys)
    assert "d.yaml:2:21: original.language: a value is needed" in said
    (rubbish / "d.yaml").write_text(
        "schema: delivery/1.0\noriginal:\n  language:  # FILL IN\n  mix: dub.wav\ndub: {language: en, mix: dub.wav}\n"
        "cast:\n  - character: A\n    voice: v\n    technique:  # FILL IN\n\n# the last comment\n"
    )
    said = refused("check", "d.yaml", "--registry", "c.db", capsys=capsys)
    assert "d.yaml:3:3: original.language" in said
    assert "d.yaml:9:5: cast.0.technique" in said
    assert "cast.0.technique: a value is needed, one of voice_clone_tts" in said


def test_who_signs_with_a_key_that_nobody_registered_is_told_that_it_does_not_count(
    rubbish: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, other = new_private_key(), new_private_key()
    (rubbish / "seed.yaml").write_text(
        "schema: consent-seed/1.0\nzone: UTC\nparties: [{party_id: studio, roles: [rights_holder], person: false}]\n"
        f"keys: [{{key_id: k, party_id: studio, public_hex: '{public_of(own).public_hex}', roles: [rights_holder], "
        "not_before: 2020-01-01, not_after: 2040-01-01}]\n"
    )
    assert (
        run(["consent", "init", "--registry", "c.db"])
        == run(["consent", "import", "seed.yaml", "--registry", "c.db"])
        == 0
    )
    capsys.readouterr()
    say_whether_it_counts("c.db", "studio", own)
    assert capsys.readouterr().err == ""
    for by, key in (("studio", other), ("somebody", own)):
        say_whether_it_counts("c.db", by, key)
        assert "does not count yet" in capsys.readouterr().err


def test_a_label_that_finds_no_room_says_where(
    rubbish: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dubgate.labels.applying.apply_label", full)
    asked = ("label", "apply", "dub.wav", "--out", "new.wav", "--text", "English [AI]", "--language", "en")
    assert "new.wav: cannot be written: No space left" in refused(*asked, capsys=capsys)


@pytest.mark.parametrize("command", [("qc", "dub.wav", "dub.wav"), ("check", "d.yaml", "--registry", "c.db")])
def test_a_place_where_no_report_can_lie_is_refused_before_anything_is_heard(
    command: tuple[str, ...], rubbish: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for heard in ("dubgate.gate.quality", "dubgate.judging_again.judge_again"):
        monkeypatch.setattr(heard, lambda *_, **__: pytest.fail("it was heard"))
    assert "--out" in refused(*command, "--out", "object/reports", capsys=capsys)
    monkeypatch.setattr("os.access", lambda _, mode: not mode & os.W_OK)
    assert "reports cannot be written here" in refused(*command, "--out", "new/reports", capsys=capsys)
    assert not (rubbish / "new").exists()


def test_a_certificate_that_is_missing_is_told_by_its_own_name(
    rubbish: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("renew", "missing", "--warn", "--registry", "c.db", "--trust", "trust.json", "--root", "0" * 64)
    said = refused(*asked, capsys=capsys)
    assert "missing" in said
    assert "annex.json" not in said
