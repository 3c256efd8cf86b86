"""CTC alignment: known answers on emissions made by hand, weights against a second implementation, folders refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from tiny_ctc import LETTERS, build_onnx, build_wav2vec2

from dubgate.errors import ModelError
from dubgate.speech.ctc import CtcAligner, PlacedText, Vocabulary, best_path, place, read_vocabulary
from dubgate.speech.wav2vec2_weights import load
from dubgate.unmeasured import Unmeasured

VOCABULARY = Vocabulary(LETTERS, blank=0)


def emission(line: str, sure: float = 0.98) -> np.ndarray:
    """Log probabilities that write `line`, one frame a character; `_` is blank."""
    columns = [0 if c == "_" else LETTERS[c.upper()] for c in line]
    probs = np.full((len(columns), len(LETTERS)), (1 - sure) / (len(LETTERS) - 1), dtype=np.float64)
    probs[np.arange(len(columns)), columns] = sure
    return np.log(probs).astype(np.float32)


def placed(line: str, *words: str) -> PlacedText:
    out = place(emission(line), words, VOCABULARY, 0.02)
    assert isinstance(out, PlacedText)
    return out


def test_words_are_placed_where_their_letters_are_written() -> None:
    out = placed("___HEL_LO_|__BRA_VE___", "hello", "brave")
    assert [(w.text, round(w.span.start_s, 2), round(w.span.end_s, 2)) for w in out.words] == [
        ("hello", 0.06, 0.18),
        ("brave", 0.26, 0.38),
    ]
    assert out.score == pytest.approx(0.0, abs=1e-5)
    assert all(w.prob == pytest.approx(1.0, abs=1e-4) for w in out.words)


def test_a_text_that_was_not_said_scores_far_below_one_that_was() -> None:
    assert placed("___HEL_LO_|__BRA_VE___", "wicked", "stump").score < -3.0


def test_speech_around_the_text_is_left_to_the_wildcard() -> None:
    out = placed("ANY_OTHER_WORDS_|_HEL_LO_|_AND_MORE_AFTER_IT", "hello")
    assert round(out.words[0].span.start_s, 2) == 0.36
    assert out.score > -0.1


def test_one_word_that_differs_is_seen_in_its_own_probability() -> None:
    out = placed("___HEL_LO_|__BRA_VE___", "hello", "prove")
    assert out.words[0].prob > 0.99
    assert out.words[1].prob < 0.5


def test_a_word_with_letters_the_model_lacks_stays_unaligned_and_spoils_nothing() -> None:
    sound = emission("HEL_LO_|_XYZZY_|_WORLD")
    sound[9:14, LETTERS["O"]] = np.log(0.05)  # "o" could be dragged through what nobody can spell
    out = place(sound, ["hello", "привет", "world"], VOCABULARY, 0.02)
    assert isinstance(out, PlacedText)
    assert [w.text for w in out.words] == ["hello", "world"]
    assert out.words[0].span.end_s == pytest.approx(0.12)
    assert out.score > -0.1


def test_a_text_longer_than_the_clip_is_unmeasured() -> None:
    assert isinstance(place(emission("HELLO"), ["hello", "world"], VOCABULARY, 0.02), Unmeasured)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text("abcdefgh", min_size=1, max_size=6), min_size=1, max_size=5), st.integers(0, 2**31))
def test_words_come_in_order_without_overlap_and_scores_are_never_above_zero(words: list[str], seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 2, (90, len(LETTERS)))
    log_probs = (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)
    out = place(log_probs, words, VOCABULARY, 0.02)
    assert isinstance(out, PlacedText)
    assert [w.text for w in out.words] == words
    assert all(a.span.end_s <= b.span.start_s + 1e-9 for a, b in zip(out.words, out.words[1:], strict=False))
    assert out.score <= 1e-6


def _best_path_nats(emission: np.ndarray, targets: list[int]) -> float:
    """CTC Viterbi, state by state."""
    labels = [0, *(x for t in targets for x in (t, 0))]
    scores = np.full(len(labels), -np.inf)
    scores[:2] = emission[0, labels[:2]]
    for frame in emission[1:]:
        skips = [s > 1 and labels[s] != 0 and labels[s] != labels[s - 2] for s in range(len(labels))]
        before = [scores, np.r_[-np.inf, scores[:-1]], np.where(skips, np.r_[-np.inf, -np.inf, scores[:-2]], -np.inf)]
        scores = np.max(before, axis=0) + frame[labels]
    return float(max(scores[-2:]))


@settings(max_examples=60, deadline=None)
@given(st.text("ABC|_", min_size=20, max_size=40), st.lists(st.sampled_from([2, 3, 4]), min_size=1, max_size=8))
@example("___HEL_LO_|__BRA_VE___", [9, 6, 13, 13, 16, 1, 3, 19, 2, 23, 6])
def test_the_path_is_the_best_one_even_where_many_are_equally_good(line: str, targets: list[int]) -> None:
    """torchaudio 2.11 goes wrong on exact ties, which wildcards and made-up emissions are full of."""
    sound = emission(line)
    columns = np.c_[sound, sound.max(1) - 0.5].astype(np.float32)
    targets = [len(LETTERS), *targets, len(LETTERS)]
    path = best_path(columns, targets, 0)
    assert columns[np.arange(len(path)), path].sum() == pytest.approx(_best_path_nats(columns, targets), abs=0.05)


def _reference(folder: Path, clip: np.ndarray) -> torch.Tensor:
    """wav2vec 2.0 from the paper's description and Hugging Face's names, with plain tensor functions."""
    config = json.loads((folder / "config.json").read_text())
    w = {k.removeprefix("wav2vec2."): v for k, v in load_file(folder / "model.safetensors").items()}
    x = torch.from_numpy(clip)[None, None]
    for k, stride in enumerate(config["conv_stride"]):
        at = f"feature_extractor.conv_layers.{k}"
        x = F.conv1d(x, w[f"{at}.conv.weight"], w.get(f"{at}.conv.bias"), stride=stride)
        if config["feat_extract_norm"] == "layer":
            x = _norm(x.transpose(1, 2), w, f"{at}.layer_norm").transpose(1, 2)
        elif k == 0:
            x = F.group_norm(x, x.shape[1], w[f"{at}.layer_norm.weight"], w[f"{at}.layer_norm.bias"])
        x = F.gelu(x)
    h = _linear(_norm(x.transpose(1, 2), w, "feature_projection.layer_norm"), w, "feature_projection.projection")
    h = h + _positions(h, w, config)
    stable = config["do_stable_layer_norm"]
    h = h if stable else _norm(h, w, "encoder.layer_norm")
    for k in range(config["num_hidden_layers"]):
        h = _layer(h, w, f"encoder.layers.{k}", config["num_attention_heads"], stable)
    h = _norm(h, w, "encoder.layer_norm") if stable else h
    return _linear(h, w, "lm_head")[0]


def _norm(x: torch.Tensor, w: dict[str, torch.Tensor], at: str) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:], w[f"{at}.weight"], w[f"{at}.bias"])


def _linear(x: torch.Tensor, w: dict[str, torch.Tensor], at: str) -> torch.Tensor:
    return F.linear(x, w[f"{at}.weight"], w[f"{at}.bias"])


def _positions(h: torch.Tensor, w: dict[str, torch.Tensor], config: dict[str, int]) -> torch.Tensor:
    at, kernel = "encoder.pos_conv_embed.conv", config["num_conv_pos_embeddings"]
    g = w.get(f"{at}.weight_g", w.get(f"{at}.parametrizations.weight.original0"))
    v = w.get(f"{at}.weight_v", w.get(f"{at}.parametrizations.weight.original1"))
    assert g is not None
    assert v is not None
    weight = g * v / v.norm(dim=(0, 1), keepdim=True)
    groups = config["num_conv_pos_embedding_groups"]
    out = F.conv1d(h.transpose(1, 2), weight, w[f"{at}.bias"], padding=kernel // 2, groups=groups)
    return F.gelu(out[..., : h.shape[1]]).transpose(1, 2)


def _layer(h: torch.Tensor, w: dict[str, torch.Tensor], at: str, heads: int, stable: bool) -> torch.Tensor:
    def attend(x: torch.Tensor) -> torch.Tensor:
        q, k, v = (_linear(x, w, f"{at}.attention.{n}_proj").unflatten(-1, (heads, -1)).transpose(1, 2) for n in "qkv")
        mixed = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, dim=-1) @ v
        return _linear(mixed.transpose(1, 2).flatten(2), w, f"{at}.attention.out_proj")

    def feed(x: torch.Tensor) -> torch.Tensor:
        inner = F.gelu(_linear(x, w, f"{at}.feed_forward.intermediate_dense"))
        return _linear(inner, w, f"{at}.feed_forward.output_dense")

    if stable:
        h = h + attend(_norm(h, w, f"{at}.layer_norm"))
        return h + feed(_norm(h, w, f"{at}.final_layer_norm"))
    h = _norm(h + attend(h), w, f"{at}.layer_norm")
    return _norm(h + feed(h), w, f"{at}.final_layer_norm")


@pytest.mark.parametrize(
    ("norm", "stable", "old_names"), [("group", False, True), ("layer", True, True), ("layer", True, False)]
)
def test_weights_in_hugging_face_layout_compute_what_the_paper_says(
    tmp_path: Path, norm: str, stable: bool, old_names: bool
) -> None:
    folder = build_wav2vec2(tmp_path / "ctc", norm=norm, stable=stable, old_names=old_names)
    clip = np.random.default_rng(0).normal(0, 1, 16000).astype(np.float32)
    with torch.inference_mode():
        logits, _ = load(folder)(torch.from_numpy(clip)[None])
        torch.testing.assert_close(logits[0], _reference(folder, clip), rtol=1e-4, atol=1e-4)


def test_an_onnx_model_is_run_on_the_standardised_clip(tmp_path: Path) -> None:
    folder, matrix = build_onnx(tmp_path / "ctc")
    clip = np.random.default_rng(1).normal(0.2, 0.1, 320 * 60).astype(np.float32)
    aligner = CtcAligner(folder, "00")
    [out] = aligner.align([clip], ["abc"], language="en")
    logits = (((clip - clip.mean()) / clip.std()).reshape(-1, 320) @ matrix).astype(np.float64)
    expected = place(
        (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32), ["abc"], VOCABULARY, 0.02
    )
    assert isinstance(out, PlacedText)
    assert isinstance(expected, PlacedText)
    assert out.score == pytest.approx(expected.score, abs=1e-3)
    assert [w.span for w in out.words] == [w.span for w in expected.words]


def _edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda f: (f / "model.safetensors").unlink(),
        lambda f: (f / "model.safetensors").write_bytes(b"not safetensors at all"),
        lambda f: (f / "vocab.json").unlink(),
        lambda f: (f / "vocab.json").write_text('{"A": 0}'),
        lambda f: (f / "vocab.json").write_text('["A"]'),
        lambda f: (f / "config.json").write_text("{"),
        lambda f: _edit(f / "config.json", architectures=["WavLMForCTC"]),
        lambda f: _edit(f / "config.json", adapter_attn_dim=16),
        lambda f: _edit(f / "config.json", hidden_act="relu"),
        lambda f: _edit(f / "config.json", num_hidden_layers=3),
        lambda f: _edit(f / "config.json", conv_kernel=[10, 8]),
    ],
)
def test_a_folder_that_is_not_what_it_claims_is_refused(tmp_path: Path, spoil: object) -> None:
    folder = build_wav2vec2(tmp_path / "ctc")
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(ModelError):
        CtcAligner(folder, "00")


def test_an_onnx_file_that_is_none_is_refused(tmp_path: Path) -> None:
    folder, _ = build_onnx(tmp_path / "ctc")
    (folder / "model.onnx").write_bytes(b"\x00not a model")
    with pytest.raises(ModelError):
        CtcAligner(folder, "00")


def test_letters_are_found_in_the_case_the_model_writes() -> None:
    assert VOCABULARY.spell("abc") == (2, 3, 4)
    assert Vocabulary({"<pad>": 0, "a": 1, "ß": 2}, 0).spell("a") == (1,)
    assert VOCABULARY.spell("naïve") is None


def test_the_blank_is_read_from_the_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text(json.dumps({"a": 0, "<blank>": 1}))
    assert read_vocabulary(tmp_path).blank == 1
