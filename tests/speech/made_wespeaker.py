"""A random WeSpeaker checkpoint in pyannote's layout with its specifications, built on the spot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch


def pyannote_module(seed: int = 0) -> Any:
    """pyannote's own WeSpeakerResNet34 with random weights and batch statistics."""
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding.wespeaker import WeSpeakerResNet34

    torch.manual_seed(seed)
    module = WeSpeakerResNet34()
    module.specifications = Specifications(problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0)
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.uniform_(-0.1, 0.1)
            part.running_var.uniform_(0.5, 1.5)
    return module.eval()


def write_checkpoint(folder: Path, module: Any, **hyper_parameters: Any) -> Path:
    """`pytorch_model.bin` as pyannote saves it."""
    checkpoint = {"state_dict": module.state_dict(), "hyper_parameters": {**dict(module.hparams), **hyper_parameters}}
    module.on_save_checkpoint(checkpoint)
    checkpoint["pytorch-lightning_version"] = "2.5.0"
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(checkpoint, folder / "pytorch_model.bin")
    return folder
