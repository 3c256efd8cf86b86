"""The draft of a seed: it says of a delivery what the delivery says, leaves open what only contracts say, and then imports."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consent.errors import RecordError
from consent.registry import Registry
from consent.seed import import_seed
from dubgate.cli.main import run
from dubgate.consent_draft import draft_seed, known_to
from dubgate.delivery.manifest import Delivery, load_delivery

TODAY = datetime(2026, 11, 28, tzinfo=UTC).date()
MANIFEST = """\
schema: delivery/1.0
title: {name: "The Last: Train", internal: LT-01}
original: {language: de, mix: o.wav}
dub: {language: en, mix: d.wav}
submitter: polyglot
cast:
  - {character: MARA, voice: v-mara, technique: voice_clone_tts}
  - {character: JONAS, voice: v-jonas, technique: speech_to_speech}
  - {character: EXTRA, voice: v-mara, technique: speech_to_speech}
  - {character: OTTO, technique: human}
distribution: {territories: [DE, "150"], channels: [svod], window: {from: 2026-12-01T00:00:00Z, until: 2027-12-01T00:00:00Z}}
"""


@pytest.fixture
def delivery(tmp_path: Path) -> Delivery:
    for name in ("o.wav", "d.wav"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "delivery.yaml").write_text(MANIFEST)
    return load_delivery(tmp_path / "delivery.yaml")


def filled(text: str) -> str:
    text = text.replace("name: }", "name: Somebody}").replace("sha256: }", "sha256: " + "c0" * 32 + "}")
    text = re.sub(r"public_hex:  #", "public_hex: " + "ab" * 32 + "  #", text)
    return re.sub(
        r"intended_use:  #", "intended_use: An AI dub into English of the named film, from own recordings.  #", text
    )


def test_a_draft_is_refused_line_by_line_until_it_is_filled_in_and_then_holds_everything(
    delivery: Delivery, tmp_path: Path
) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(draft_seed(delivery, TODAY))
    with Registry.open(str(tmp_path / "consent.db"), create=True) as registry:
        with pytest.raises(RecordError) as caught:
            import_seed(registry, seed)
        open_places = [n for n, line in enumerate(seed.read_text().splitlines(), 1) if "# FILL IN" in line]
        assert str(caught.value).count("seed.yaml:") <= len(open_places)
        assert "public_hex" in str(caught.value)

        seed.write_text(filled(seed.read_text()))
        counts = import_seed(registry, seed).counts
        assert counts == {
            "parties": 6, "keys": 1, "titles": 1, "claims": 1, "voices": 2, "permissions": 4, "grants": 2, "events": 2,
        }  # fmt: skip
        with registry.view() as view:
            grant = view.grants("v-mara")[0].grant
    assert grant.techniques == ("voice_clone_tts", "speech_to_speech")
    assert (grant.languages, grant.territories, grant.channels) == (("en",), ("DE", "150"), ("svod",))
    assert grant.title_ids == ("lt-01",)


def test_what_the_registry_knows_is_left_out_and_called_by_its_own_names(delivery: Delivery, tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(
        filled(draft_seed(delivery, TODAY)).replace("p-mara", "mara-singer").replace("title_id: lt-01", "title_id: train")
        .replace("title_ids: [lt-01]", "title_ids: [train]")
    )  # fmt: skip
    with Registry.open(str(tmp_path / "consent.db"), create=True) as registry:
        import_seed(registry, seed)
        with registry.view() as view:
            again = draft_seed(delivery, TODAY, known_to(view, delivery))
    assert set(re.findall(r"^(\w+):\n", again, re.MULTILINE)) == {"grants", "events"}
    assert "granted_by: mara-singer" in again
    assert "title_ids: [train]" in again


def test_a_delivery_that_says_little_leaves_more_open(tmp_path: Path) -> None:
    for name in ("o.wav", "d.wav"):
        (tmp_path / name).write_bytes(b"x")
    short = "\n".join(
        line for line in MANIFEST.splitlines() if line.split(":")[0] not in ("title", "submitter", "distribution")
    )
    (tmp_path / "delivery.yaml").write_text(short)
    more = draft_seed(load_delivery(tmp_path / "delivery.yaml"), TODAY)
    assert "territories:  # FILL IN" in more
    assert "identifiers: ['internal:']}  # FILL IN" in more


def test_the_command_writes_once_and_says_what_comes_next(
    delivery: Delivery, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DUBGATE_REGISTRY", raising=False)
    asked = ["consent", "draft", str(tmp_path / "delivery.yaml"), "--out", str(tmp_path / "seed.yaml")]
    assert run(asked) == 0
    said = capsys.readouterr().out
    assert "dubgate consent import" in said
    assert f"{(tmp_path / 'seed.yaml').read_text().count('# FILL IN')} places" in said
    assert run(asked) == 2
    assert "already there" in capsys.readouterr().err
