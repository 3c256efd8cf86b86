"""Builds a Whisper folder in CTranslate2's format with random ears and a known answer, through the converter's own API.

The decoder's weights are zero but for its positions and its output layer, so that position p always says the p-th
token of `says`; encoder and cross-attention are random, so that language and word times depend on the sound.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ctranslate2.specs import WhisperSpec
from faster_whisper.tokenizer import _LANGUAGE_CODES
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

LANGUAGES = _LANGUAGE_CODES[:99]  # all but Cantonese, which came with large-v3
_TEXT_TOKENS = 50257
_WIDTH, _HEADS, _POSITIONS = 64, 2, 448
_PROMPT = 4  # startoftranscript, language, transcribe, notimestamps


def build(folder: Path, says: str, *, n_mels: int = 80, multilingual: bool = True) -> Path:
    """Write model.bin, config.json, vocabulary.json and tokenizer.json; returns the folder."""
    folder.mkdir(parents=True)
    tokenizer, names = _tokenizer(multilingual)
    tokenizer.save(str(folder / "tokenizer.json"))
    rng = np.random.default_rng(7)
    spec = WhisperSpec(1, _HEADS, 1, _HEADS)
    _fill(spec.encoder, rng, 0.3)
    _fill(spec.decoder, rng, 0.0)
    _convolutions(spec.encoder, rng, n_mels)
    spec.encoder.position_encodings.encodings = rng.normal(0, 0.3, (1500, _WIDTH)).astype(np.float32)
    answer = [*tokenizer.encode(says, add_special_tokens=False).ids, names.index("<|endoftext|>")]
    _script(spec.decoder, rng, answer, len(names), prompt=_PROMPT if multilingual else 2)
    if multilingual:
        spec.decoder.projection.weight[names.index("<|de|>"), 0] = 0.5  # position 0 names the language: German
    spec.register_vocabulary(names)
    spec.config.lang_ids = [k for k, name in enumerate(names) if name[:2] == "<|" and name[2:-2] in LANGUAGES]
    spec.config.alignment_heads = [(0, 0), (0, 1)]
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.validate()
    spec.save(str(folder))
    return folder


def _tokenizer(multilingual: bool) -> tuple[Tokenizer, list[str]]:
    """Bytes as tokens, then Whisper's special tokens in its order."""
    space = "\u0120"  # a space in the byte-level alphabet
    # Merged so that Whisper's list of symbols to suppress does not start with the space itself.
    merges = [(space, "-"), (space, "'"), (space, "\u00e2")]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet()) + ["".join(pair) for pair in merges]
    alphabet += [f"spare{k}" for k in range(_TEXT_TOKENS - 1 - len(alphabet))]
    alphabet += [""] if multilingual else []  # how CTranslate2 tells the multilingual vocabulary
    tokenizer = Tokenizer(models.BPE(vocab={c: k for k, c in enumerate(alphabet)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    special = ["endoftext", "startoftranscript", *(LANGUAGES if multilingual else ()), *tasks]
    names = [f"<|{name}|>" for name in special] + [f"<|{k * 0.02:.2f}|>" for k in range(1501)]
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    return tokenizer, alphabet + names


def _fill(spec: object, rng: np.random.Generator, scale: float) -> None:
    """Give every weight of a spec that has none its shape: random, or zero where `scale` is 0."""
    for value in vars(spec).values():
        for part in value if isinstance(value, list) else [value]:
            if hasattr(part, "gamma"):
                part.gamma, part.beta = np.ones(_WIDTH, np.float32), np.zeros(_WIDTH, np.float32)
            elif type(part).__name__ == "LinearSpec":
                part.weight = np.zeros((_WIDTH, _WIDTH), np.float32)
            elif type(part).__name__.endswith("Spec"):
                _fill(part, rng, scale)
    if type(spec).__name__ == "MultiHeadAttentionSpec":
        _attention(spec, rng, scale)


def _attention(spec: object, rng: np.random.Generator, scale: float) -> None:
    """Fused shapes: 3 or 1+2 times the width, then the output, which is zero: it reads without changing anything."""
    fused = (3, 1) if len(spec.linear) == 2 else (1, 2, 1)  # type: ignore[attr-defined]
    for linear, times in zip(spec.linear, fused, strict=True):  # type: ignore[attr-defined]
        linear.weight = rng.normal(0, 1.0 / np.sqrt(_WIDTH), (_WIDTH * times, _WIDTH)).astype(np.float32)
        linear.bias = np.zeros(_WIDTH * times, np.float32)
    spec.linear[-1].weight *= np.float32(scale)  # type: ignore[attr-defined]


def _convolutions(encoder: object, rng: np.random.Generator, n_mels: int) -> None:
    for conv, n_in in ((encoder.conv1, n_mels), (encoder.conv2, _WIDTH)):  # type: ignore[attr-defined]
        conv.weight = rng.normal(0, 0.2, (_WIDTH, n_in, 3)).astype(np.float32)
        conv.bias = np.zeros(_WIDTH, np.float32)


def _script(decoder: object, rng: np.random.Generator, answer: list[int], n_tokens: int, prompt: int) -> None:
    """Position p is one-hot, and the output layer turns it into the token of `answer` that belongs there."""
    positions = np.zeros((_POSITIONS, _WIDTH), np.float32)
    positions[:_WIDTH] = 8.0 * np.eye(_WIDTH, dtype=np.float32)
    output = np.zeros((n_tokens, _WIDTH), np.float32)
    for k, token in enumerate(answer):
        output[token, prompt - 1 + k] += 4.0
    decoder.position_encodings.encodings = positions  # type: ignore[attr-defined]
    decoder.embeddings.weight = np.zeros((n_tokens, _WIDTH), np.float32)  # type: ignore[attr-defined]
    decoder.projection.weight = output  # type: ignore[attr-defined]
