"""`dubgate enrol` of a recording that is enrolled already: its owner's word is recorded, and nothing is heard again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from consent.registry import Registry
from dubgate.cli.main import run


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DUBGATE_REGISTRY", "consent.db")
    monkeypatch.setattr("dubgate.enrolling.hear_recording", lambda *_, **__: pytest.fail("it was heard"))
    (tmp_path / "ada.wav").write_bytes(b"a recording")
    digest = hashlib.sha256(b"a recording").hexdigest()
    (tmp_path / "seed.yaml").write_text(f"""\
schema: consent-seed/1.0
zone: UTC
parties:
  - {{party_id: p-ada, roles: [performer], person: true}}
  - {{party_id: op-1, roles: [operator], person: true}}
voices:
  - {{voice_id: v-ada, subject: living, owner_id: p-ada}}
  - {{voice_id: v-eve, subject: living, owner_id: p-ada}}
permissions:
  - {{permission_id: pm-match, voice_id: v-ada, kind: match, given_by: p-ada, legal_basis: gdpr_9_2_a, not_before: 2020-01-01, not_after: 2040-01-01}}
  - {{permission_id: pm, voice_id: v-ada, kind: keep, given_by: p-ada, legal_basis: gdpr_9_2_a, not_before: 2020-01-01, not_after: 2040-01-01}}
enrolments:
  - {{enrolment_id: en-{digest[:20]}, voice_id: v-ada, encoder_sha256: {"ab" * 32}, dimension: 4, speech_s: 12.0, audio_sha256: {digest},
      supplied_by: op-1, n_segments: 3, vector: [1.0, 0.0, 0.0, 0.0]}}
""")
    assert run(["consent", "init"]) == run(["consent", "import", "seed.yaml"]) == 0
    return tmp_path


def confirmed(place: Path) -> bool:
    with Registry.open(place / "consent.db", read_only=True) as registry, registry.view() as view:
        [voice] = view.enrolments("v-ada", view.now)
        return voice.confirmed


def test_the_owner_confirms_it_without_its_being_heard_again(place: Path) -> None:
    assert not confirmed(place)
    assert run(["enrol", "v-ada", "ada.wav", "--supplied-by", "op-1", "--confirmed-by", "p-ada"]) == 0
    assert confirmed(place)


@pytest.mark.parametrize(
    ("voice", "more", "says"),
    [
        ("v-ada", (), "--confirmed-by"),
        ("v-ada", ("--confirmed-by", "op-1"), "Can confirm it: p-ada"),
        ("v-eve", ("--confirmed-by", "p-ada"), "another voice"),
        ("v-nobody", (), "knows no voice"),
    ],
)
def test_what_cannot_be_said_of_it_is_refused_before_anything_is_heard(
    voice: str, more: tuple[str, ...], says: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["enrol", voice, "ada.wav", "--supplied-by", "op-1", *more]) == 2
    assert says in capsys.readouterr().err
    assert not confirmed(place)
