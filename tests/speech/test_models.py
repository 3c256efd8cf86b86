"""Which model hears: names, folders, pins, and that nothing is fetched unless asked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dubgate.errors import ModelError
from dubgate.speech import models
from dubgate.speech.catalogue import CARDS, KINDS, Card, Hub, Package, PinnedFile
from dubgate.speech.models import advice, chosen, digest, is_pinned, list_models, offline, pull, resolve, verify

pytest.importorskip("silero_vad", reason="dubgate[audio] is not installed")


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose model folders are empty."""
    return {"DUBGATE_MODELS": str(tmp_path / "models"), "XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.fixture
def own_card(monkeypatch: pytest.MonkeyPatch) -> Card:
    """A best pitch tracker of two small files, put before the packaged one."""
    files = (
        PinnedFile("a.onnx", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", 1),  # "a"
        PinnedFile("b/b.json", "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d", 1),  # "b"
    )
    card = Card("pitch", "tiny", Hub("somebody/tiny", "0" * 40), files, "MIT", best=True)
    monkeypatch.setattr(models, "CARDS", (card, *CARDS))
    return card


def put(folder: Path, a: str = "a", b: str = "b") -> None:
    (folder / "tiny/b").mkdir(parents=True)
    (folder / "tiny/a.onnx").write_text(a)
    (folder / "tiny/b/b.json").write_text(b)


@pytest.mark.parametrize(("kind", "name"), [("voice_activity", "silero-vad"), ("pitch", "swift-f0")])
def test_where_the_best_is_packaged_it_is_no_fallback(home: dict[str, str], kind: str, name: str) -> None:
    ref = resolve(kind, environ=home)
    assert (ref.name, ref.pinned, ref.embedded) == (name, True, False)


def test_the_embedded_encoder_serves_and_says_that_it_is_the_fallback(home: dict[str, str]) -> None:
    assert resolve("speaker_encoder", environ=home).embedded
    assert resolve("speaker_encoder", environ=home).name == "ge2e"


def test_a_model_on_this_machine_is_preferred_and_embedded_overrules_it(
    home: dict[str, str], own_card: Card, tmp_path: Path
) -> None:
    assert resolve("pitch", environ=home).name == "swift-f0"
    put(tmp_path / "models")
    found = resolve("pitch", environ=home)
    assert (found.name, found.pinned, found.embedded) == ("tiny", True, False)
    assert found.sha256 == digest(tmp_path / "models/tiny")
    assert is_pinned(found.sha256)
    assert resolve("pitch", "embedded", environ=home).name == "swift-f0"


def test_the_cache_folder_is_looked_in_too(home: dict[str, str], own_card: Card, tmp_path: Path) -> None:
    put(tmp_path / "cache/dubgate/models")
    assert resolve("pitch", environ=home).name == "tiny"


def test_altered_weights_are_refused_and_never_passed_over(
    home: dict[str, str], own_card: Card, tmp_path: Path
) -> None:
    put(tmp_path / "models", b="B")
    with pytest.raises(ModelError, match=r"b\.json.*altered"):
        resolve("pitch", environ=home)
    with pytest.raises(ModelError, match="altered"):
        verify(home)


def test_altered_packaged_weights_are_refused(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    cards = tuple(c for c in CARDS if c.kind == "pitch")
    wrong = Card("pitch", "swift-f0", cards[0].source, (PinnedFile(cards[0].files[0].path, "0" * 64, 1),), "MIT")
    monkeypatch.setattr(models, "CARDS", (wrong,))
    with pytest.raises(ModelError, match="altered"):
        resolve("pitch", environ=home)


def test_a_named_model_that_is_not_here_is_not_replaced_by_another(home: dict[str, str]) -> None:
    with pytest.raises(ModelError, match="dubgate models pull wespeaker"):
        resolve("speaker_encoder", "wespeaker", environ=home)
    assert resolve("pitch", "wespeaker", environ=home).name == "swift-f0"


def test_an_unknown_name_lists_the_known(home: dict[str, str]) -> None:
    with pytest.raises(ModelError, match="large-v3"):
        resolve("pitch", "swiftfo", environ=home)


def test_two_models_for_one_kind_are_refused() -> None:
    assert chosen("large-v3, ge2e,auto") == {"transcriber": "large-v3", "speaker_encoder": "ge2e"}
    with pytest.raises(ModelError, match="two models"):
        chosen("large-v3,small")


def test_a_model_of_ones_own_serves_unpinned(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/model.onnx").write_bytes(b"weights")
    ref = resolve("pitch", f"pitch={tmp_path / 'mine'}", environ=home)
    assert (ref.pinned, ref.embedded, ref.path) == (False, False, tmp_path / "mine")
    with pytest.raises(ModelError, match="no such file"):
        resolve("pitch", f"pitch={tmp_path / 'other'}", environ=home)


def test_ones_own_copy_of_pinned_weights_is_pinned(home: dict[str, str], tmp_path: Path) -> None:
    copy = shutil.copy(resolve("pitch", environ=home).path, tmp_path / "copy.onnx")
    assert resolve("pitch", f"pitch={copy}", environ=home).pinned


def test_a_pipeline_that_would_run_code_is_named_as_such() -> None:
    with pytest.raises(ModelError, match="runs no code from a weight file"):
        resolve("diarizer", "community-1")


def test_languages_that_no_model_hears_are_named(home: dict[str, str]) -> None:
    assert resolve("transcriber", language="en-GB", environ=home).name == "pocketsphinx"
    with pytest.raises(ModelError, match="for fr-CA"):
        resolve("transcriber", language="fr-CA", environ=home)


def test_the_advice_names_sizes_and_ends_when_everything_is_here(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "wespeaker" in advice(home)
    assert "3.5 GB" in advice(home)
    monkeypatch.setattr(models, "CARDS", tuple(c for c in CARDS if isinstance(c.source, Package)))
    assert advice(home) == ""


def test_every_card_is_pinned_and_every_kind_has_a_best_or_needs_none(home: dict[str, str]) -> None:
    for card in CARDS:
        assert card.kind in KINDS
        assert all(len(f.sha256) == 64 and f.size > 0 for f in card.files)
        assert not isinstance(card.source, Hub) or len(card.source.revision) == 40
    assert len({c.name for c in CARDS}) == len(CARDS)
    assert {c.kind for c in CARDS if c.best} == set(KINDS) - {"diarizer"}
    assert all(row.path is not None for row in list_models(home) if isinstance(row.card.source, Package))


def test_the_packaged_weights_are_the_pinned_ones(home: dict[str, str]) -> None:
    assert {ref.name for ref in verify(home)} >= {"silero-vad", "swift-f0", "ge2e", "pocketsphinx"}


def test_what_pocketsphinx_reports_is_pinned() -> None:
    pocketsphinx = pytest.importorskip("dubgate.speech.pocketsphinx")
    assert is_pinned(pocketsphinx.packaged_model().sha256())
    assert not is_pinned("0" * 64)


def test_pulling_fetches_the_pinned_commit_and_checks_it(
    home: dict[str, str], own_card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub")
    asked: list[tuple[str, str, str]] = []

    def download(repo: str, path: str, *, revision: str, local_dir: Path) -> None:
        asked.append((repo, path, revision))
        target = Path(local_dir) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("a" if path == "a.onnx" else "x")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    with pytest.raises(ModelError, match="altered"):
        pull("tiny", environ=home)
    assert asked == [("somebody/tiny", "a.onnx", "0" * 40), ("somebody/tiny", "b/b.json", "0" * 40)]


def test_pulling_without_a_network_says_so(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="could not be fetched"):
        pull("wespeaker", environ=home)
    with pytest.raises(ModelError, match="pip install"):
        pull("ge2e", environ=home)


def test_a_check_opens_no_socket_and_reports_nowhere(home: dict[str, str]) -> None:
    code = """
import socket
def refuse(*_, **__): raise AssertionError("a socket was opened")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
import os
from dubgate.speech.models import offline, resolve
offline()
assert os.environ["HF_HUB_OFFLINE"] == "1" and os.environ["PYANNOTE_METRICS_ENABLED"] == "0"
from dubgate.speech.ge2e import Ge2e
from dubgate.speech.selftest import VOICES, check_encoder, utterance
from dubgate.speech.silero import SileroVad
from dubgate.speech.swiftf0 import SwiftF0
sound = [utterance(VOICES[0], 1)]
for kind, make, method in (("voice_activity", SileroVad, "speech_prob"), ("pitch", SwiftF0, "pitch"), ("speaker_encoder", Ge2e, "embed")):
    ref = resolve(kind)
    getattr(make(ref.path, ref.sha256), method)(sound)
ref = resolve("speaker_encoder", "ge2e")
check_encoder(Ge2e(ref.path, ref.sha256))
"""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "PYANNOTE"))} | home
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0, done.stderr


def test_offline_forbids_every_library_to_fetch() -> None:
    environ: dict[str, Any] = {}
    offline(environ)
    assert environ["HF_HUB_OFFLINE"] == environ["TRANSFORMERS_OFFLINE"] == "1"
    assert environ["PYANNOTE_METRICS_ENABLED"] == "0"


def test_a_folders_digest_sees_every_name_and_byte(tmp_path: Path) -> None:
    put(tmp_path)
    first = digest(tmp_path)
    (tmp_path / "tiny/.cache").mkdir()
    (tmp_path / "tiny/.cache/note").write_text("left by the fetcher")
    assert digest(tmp_path) == first
    (tmp_path / "tiny/a.onnx").rename(tmp_path / "tiny/c.onnx")
    assert digest(tmp_path) != first
