"""Reads a Wav2Vec2ForCTC folder (config.json, model.safetensors) into torchaudio's own wav2vec 2.0.

Both name their layers alike below a few prefixes; the weight norm of the positional convolution has an old and a new
name. Every weight must find its place, and every place its weight: a leftover is an error, not a guess.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dubgate.errors import ModelError

if TYPE_CHECKING:
    import torch

_PREFIXES = (
    ("wav2vec2.feature_extractor.", "feature_extractor."),
    ("wav2vec2.feature_projection.", "encoder.feature_projection."),
    ("wav2vec2.encoder.", "encoder.transformer."),
    ("lm_head.", "aux."),
)
_WEIGHT_NORM = (
    (".conv.weight_g", ".conv.parametrizations.weight.original0"),
    (".conv.weight_v", ".conv.parametrizations.weight.original1"),
)
_UNUSED = ("wav2vec2.masked_spec_embed",)  # the mask of training
# What torchaudio's model cannot express; each must be as given, or absent.
_ONLY = {
    "hidden_act": "gelu",
    "feat_extract_activation": "gelu",
    "add_adapter": False,
    "adapter_attn_dim": None,
    "output_hidden_size": None,
}


def read_config(folder: Path) -> dict[str, Any]:
    """config.json, refused where torchaudio's model would compute something else.

    Raises:
        ModelError: not JSON, not a Wav2Vec2ForCTC, or a variant that is not supported.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError("config.json cannot be read", where=str(path)) from error
    if not isinstance(config, dict) or "Wav2Vec2ForCTC" not in config.get("architectures", ["Wav2Vec2ForCTC"]):
        raise ModelError("not a Wav2Vec2ForCTC model", where=str(path))
    for key, only in _ONLY.items():
        if config.get(key, only) != only and not (key == "output_hidden_size" and config[key] == config["hidden_size"]):
            raise ModelError(f"{key} = {config[key]!r} is not supported, only {only!r}", where=str(path))
    return config


def load(folder: Path) -> torch.nn.Module:
    """The model in evaluation mode on the CPU; its forward takes [shape=(1, n_samples)] and gives (logits, lengths).

    Raises:
        ModelError: as `read_config`, or weights that do not fit the configuration.
    """
    from safetensors.torch import load_file

    config = read_config(folder)
    path = folder / "model.safetensors"
    try:
        weights = {_renamed(name): tensor for name, tensor in load_file(path).items() if name not in _UNUSED}
        model = _build(config)
        model.load_state_dict(weights, strict=True)
    except (KeyError, RuntimeError, ValueError, OSError, TypeError) as error:
        raise ModelError(f"the weights do not fit config.json: {error}", where=str(path)) from error
    except Exception as error:  # safetensors raises its own class, which it does not export in every version
        raise ModelError(f"not a safetensors file: {error}", where=str(path)) from error
    return model.eval()


def _renamed(name: str) -> str:
    for theirs, ours in _PREFIXES:
        if name.startswith(theirs):
            name = ours + name.removeprefix(theirs)
            break
    for theirs, ours in _WEIGHT_NORM:
        name = name.replace(theirs, ours)
    return name


def _build(config: Mapping[str, Any]) -> torch.nn.Module:
    import torchaudio

    model: torch.nn.Module = torchaudio.models.wav2vec2_model(
        extractor_mode=f"{config['feat_extract_norm']}_norm",
        extractor_conv_layer_config=list(
            zip(config["conv_dim"], config["conv_kernel"], config["conv_stride"], strict=True)
        ),
        extractor_conv_bias=config["conv_bias"],
        encoder_embed_dim=config["hidden_size"],
        encoder_projection_dropout=0.0,
        encoder_pos_conv_kernel=config["num_conv_pos_embeddings"],
        encoder_pos_conv_groups=config["num_conv_pos_embedding_groups"],
        encoder_num_layers=config["num_hidden_layers"],
        encoder_num_heads=config["num_attention_heads"],
        encoder_attention_dropout=0.0,
        encoder_ff_interm_features=config["intermediate_size"],
        encoder_ff_interm_dropout=0.0,
        encoder_dropout=0.0,
        encoder_layer_norm_first=config["do_stable_layer_norm"],
        encoder_layer_drop=0.0,
        aux_num_out=config["vocab_size"],
    )
    return model
