"""Builds CTC folders on the spot: a random Wav2Vec2ForCTC in Hugging Face's layout, and an ONNX file byte by byte.

Neither goes through the code under test: names are written out from the published layout, and the ONNX file is encoded
as protobuf by hand, since the onnx package is not a dependency.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

LETTERS = {"<pad>": 0, "|": 1, **{c: k + 2 for k, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ'")}}
_WIDTH, _FEED_FORWARD, _LAYERS = 16, 24, 2
_CONVOLUTIONS = ((8, 10, 10), (8, 8, 8), (8, 4, 4))  # width, kernel, stride: 320 samples a frame
_POSITIONS = 16


def build_wav2vec2(folder: Path, *, norm: str = "group", stable: bool = False, old_names: bool = True) -> Path:
    """config.json, model.safetensors, vocab.json. `norm` and `stable` are the two shapes in the wild: group and False
    (base models), layer and True (large ones)."""
    folder.mkdir(parents=True)
    config = {
        "architectures": ["Wav2Vec2ForCTC"],
        "feat_extract_norm": norm,
        "conv_dim": [c[0] for c in _CONVOLUTIONS],
        "conv_kernel": [c[1] for c in _CONVOLUTIONS],
        "conv_stride": [c[2] for c in _CONVOLUTIONS],
        "conv_bias": norm == "layer",
        "hidden_size": _WIDTH,
        "num_conv_pos_embeddings": _POSITIONS,
        "num_conv_pos_embedding_groups": 2,
        "num_hidden_layers": _LAYERS,
        "num_attention_heads": 2,
        "intermediate_size": _FEED_FORWARD,
        "do_stable_layer_norm": stable,
        "vocab_size": len(LETTERS),
        "hidden_act": "gelu",
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.json").write_text(json.dumps(LETTERS))
    save_file(_weights(norm, old_names), folder / "model.safetensors")
    return folder


def _weights(norm: str, old_names: bool) -> dict[str, torch.Tensor]:
    shapes: dict[str, tuple[int, ...]] = {"masked_spec_embed": (_WIDTH,)}
    n_in = 1
    for k, (width, kernel, _) in enumerate(_CONVOLUTIONS):
        at = f"feature_extractor.conv_layers.{k}"
        shapes[f"{at}.conv.weight"] = (width, n_in, kernel)
        if norm == "layer":
            shapes[f"{at}.conv.bias"] = (width,)
        if norm == "layer" or k == 0:
            shapes |= _norm(f"{at}.layer_norm", width)
        n_in = width
    shapes |= _norm("feature_projection.layer_norm", n_in) | _linear("feature_projection.projection", n_in, _WIDTH)
    shapes |= _norm("encoder.layer_norm", _WIDTH)
    g, v = (
        ("weight_g", "weight_v")
        if old_names
        else ("parametrizations.weight.original0",) * 1 + ("parametrizations.weight.original1",)
    )
    shapes[f"encoder.pos_conv_embed.conv.{g}"] = (1, 1, _POSITIONS)
    shapes[f"encoder.pos_conv_embed.conv.{v}"] = (_WIDTH, _WIDTH // 2, _POSITIONS)
    shapes["encoder.pos_conv_embed.conv.bias"] = (_WIDTH,)
    for k in range(_LAYERS):
        at = f"encoder.layers.{k}"
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= _linear(f"{at}.attention.{name}", _WIDTH, _WIDTH)
        shapes |= _linear(f"{at}.feed_forward.intermediate_dense", _WIDTH, _FEED_FORWARD)
        shapes |= _linear(f"{at}.feed_forward.output_dense", _FEED_FORWARD, _WIDTH)
        shapes |= _norm(f"{at}.layer_norm", _WIDTH) | _norm(f"{at}.final_layer_norm", _WIDTH)
    names = {f"wav2vec2.{name}": shape for name, shape in shapes.items()} | _linear("lm_head", _WIDTH, len(LETTERS))
    generator = torch.Generator().manual_seed(3)
    return {name: 0.5 * torch.randn(shape, generator=generator) for name, shape in names.items()}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _linear(name: str, n_in: int, n_out: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (n_out, n_in), f"{name}.bias": (n_out,)}


def build_onnx(folder: Path) -> tuple[Path, np.ndarray]:
    """A model.onnx that multiplies each 320 samples by a matrix; returns the folder and the matrix [shape=(320, n)]."""
    folder.mkdir(parents=True)
    matrix = np.random.default_rng(5).normal(0, 0.3, (320, len(LETTERS))).astype(np.float32)
    (folder / "vocab.json").write_text(json.dumps(LETTERS))
    nodes = [
        _node("Reshape", ["input_values", "shape"], ["frames"]),
        _node("MatMul", ["frames", "matrix"], ["logits"]),
    ]
    constants = [_tensor("shape", 7, np.array([1, -1, 320], dtype="<i8")), _tensor("matrix", 1, matrix)]
    graph = b"".join([*(_field(1, n) for n in nodes), _field(2, b"tiny"), *(_field(5, c) for c in constants)])
    graph += _field(11, _value("input_values", ("1", "n"))) + _field(12, _value("logits", ("1", "t", "v")))
    opset = _field(8, _varint(2, 13))
    (folder / "model.onnx").write_bytes(_varint(1, 8) + _field(7, graph) + opset)
    return folder, matrix


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _varint(tag: int, value: int) -> bytes:
    return _number(tag << 3) + _number(value)


def _field(tag: int, payload: bytes) -> bytes:
    return _number(tag << 3 | 2) + _number(len(payload)) + payload


def _node(op: str, inputs: list[str], outputs: list[str]) -> bytes:
    names = b"".join(_field(1, i.encode()) for i in inputs) + b"".join(_field(2, o.encode()) for o in outputs)
    return names + _field(4, op.encode())


def _tensor(name: str, kind: int, values: np.ndarray) -> bytes:
    dims = b"".join(_varint(1, n) for n in values.shape)
    return dims + _varint(2, kind) + _field(8, name.encode()) + _field(9, values.tobytes())


def _value(name: str, dims: tuple[str, ...]) -> bytes:
    shape = b"".join(_field(1, _field(2, d.encode())) for d in dims)
    return _field(1, name.encode()) + _field(2, _field(1, _varint(1, 1) + _field(2, shape)))
