"""WeSpeaker's network against pyannote's own module, and checkpoints that must not be opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="dubgate[audio] is not installed")
pytest.importorskip("pyannote.audio", reason="pyannote.audio is not installed")

import torch
from made_wespeaker import pyannote_module, write_checkpoint

from dubgate.errors import ModelError
from dubgate.speech.selftest import VOICES, utterance
from dubgate.speech.wespeaker import WeSpeaker, read_state


@pytest.fixture(scope="module")
def module() -> Any:
    return pyannote_module()


@pytest.fixture(scope="module")
def folder(module: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("wespeaker"), module)


def sounds() -> list[np.ndarray]:
    whole = [utterance(v, s) for v in VOICES for s in (1, 2)]
    return [whole[0], whole[1][:8_000], whole[2][:23_456], np.concatenate(whole), whole[3]]


def test_vectors_are_pyannotes(module: Any, folder: Path) -> None:
    for sound, ours in zip(sounds(), WeSpeaker(folder, "0" * 64).embed(sounds()), strict=True):
        with torch.inference_mode():
            theirs = module(torch.from_numpy(sound)[None, None])[0].numpy()
        assert np.abs(ours - theirs / np.linalg.norm(theirs)).max() < 1e-5


def test_safetensors_give_the_same_vectors(module: Any, folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({k: v.contiguous() for k, v in module.state_dict().items()}, tmp_path / "model.safetensors")
    for a, b in zip(WeSpeaker(folder, "").embed(sounds()), WeSpeaker(tmp_path, "").embed(sounds()), strict=True):
        assert np.array_equal(a, b)


def test_loading_imports_nothing_of_pyannote(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dubgate.speech.wespeaker import WeSpeaker\n"
        f"WeSpeaker(Path({str(folder)!r}), '')\n"
        "assert not [m for m in sys.modules if m.startswith(('pyannote', 'lightning'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_checkpoint_that_would_run_code_is_not_opened(module: Any, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"state_dict": module.state_dict(), "hyper_parameters": Evil()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="not opened"):
        WeSpeaker(tmp_path, "")
    assert not (tmp_path / "ran").exists()


def test_another_front_end_is_refused(module: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="front end"):
        WeSpeaker(write_checkpoint(tmp_path, module, num_mel_bins=64), "")


def test_another_network_is_refused(module: Any, tmp_path: Path) -> None:
    state = dict(module.state_dict())
    state.pop("resnet.layer3.2.conv1.weight")
    torch.save({"state_dict": state}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="ResNet34"):
        WeSpeaker(tmp_path, "")


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="neither"):
        WeSpeaker(tmp_path, "")
    (tmp_path / "model.safetensors").write_bytes(b"not one")
    with pytest.raises(ModelError, match="safetensors"):
        WeSpeaker(tmp_path, "")


def test_the_specifications_become_inert(folder: Path) -> None:
    assert all(isinstance(v, torch.Tensor) for v in read_state(folder / "pytorch_model.bin").values())
