"""The first draft of a delivery.yaml: what the media say is filled in, what a person must say is left open.

Which file is which is guessed from names (`original`, `dub`, `stem`, `me` and what people write for them) and else from
the order: the first is the original, the next the dub. Each guess says so in the draft.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from consent.vocabulary import Channel
from dubgate.delivery.manifest_fields import HUMAN
from dubgate.delivery.manifest_record import Purpose
from dubgate.delivery.manifest_schema import SCHEMA
from dubgate.errors import InputError


class AudioLike(Protocol):
    """What is needed of an audio stream."""

    @property
    def index(self) -> int: ...
    @property
    def language(self) -> str | None: ...
    @property
    def n_channels(self) -> int: ...
    @property
    def duration_s(self) -> float | None: ...


class MediaLike(Protocol):
    """What is needed of a probed file."""

    @property
    def audio(self) -> Sequence[AudioLike]: ...


@dataclass(frozen=True, slots=True)
class _Found:
    """One audio stream of one file, and what its name says."""

    path: str
    stream: AudioLike
    alone: bool  # the only audio stream of its file
    words: frozenset[str]

    @property
    def part(self) -> str:
        return "me" if self.words & _ME else "stem" if self.words & _STEM else "mix"

    @property
    def side(self) -> str | None:
        return "original" if self.words & _ORIGINAL else "dub" if self.words & _DUB else None


_ME = frozenset({"me", "mande", "mne", "music", "effects", "musicandeffects"})
_STEM = frozenset({"stem", "dialogue", "dialog", "dx", "dia", "vocals", "voices", "speech"})
_ORIGINAL = frozenset({"original", "orig", "ov", "source", "src"})
_DUB = frozenset({"dub", "dubbed", "dubbing", "target", "synchro", "synchron"})
_HEAD = f"""\
# The draft of a delivery. Lines with "FILL IN:" need a value; take the "# " away from the blocks below as you fill them.
schema: {SCHEMA}
"""
_TAIL = f"""\

# -- what a release needs: without it `dubgate check` blocks, and says what is missing --
# title:
#   name: The Lighthouse
#   internal: LH-S01E02                 # as the registry knows it; or eidr: 10.5240/…, isan: …
# submitter: studio-north               # your id in the registry
# distribution:
#   territories: [FR, BE]               # countries (ISO 3166-1), UN M49 regions (001, 150, 419) or EU
#   channels: [svod]                    # {", ".join(Channel)}
#   window: {{from: 2026-12-01T00:00:00+01:00, until: open}}   # open needs consents that are open, too
# label:
#   text: {{fr: "Voix générées par intelligence artificielle"}}   # what the audience reads, in the dub's language
#   machine_token: public.machine-generated

# -- what changes how it is judged, and what packs, partners or your own house ask for --
# style: lipsync                        # lipsync, voiceover or lector
# production:
#   purposes: [access]                  # {", ".join(Purpose)}
#   tools:
#     - {{name: SpeakWell, version: "4.2", vendor: SpeakWell GmbH, training_data: licensed}}
#   used_to_train: []                   # what the recordings trained; [] for nothing
# credits:
#   people:
#     - {{role: adapter, name: Ada Adapter}}
#     - {{role: dubbing_director, name: Dora Director}}
# evidence:                             # not needed for what `dubgate approve` writes into evidence/
#   approvals: [evidence/approval.json]
#   human_performance: []
"""


def init_from(
    media: Sequence[tuple[str, MediaLike]], *, cues: str | None = None, characters: Sequence[str] = ()
) -> str:
    """The draft's text.

    Args:
        media: the files in the order given, each as its path from the delivery's folder and what probing found.
        cues: the cue sheet's path, where there is one.
        characters: its characters, for the cast.

    Raises:
        InputError: no file with sound, or nothing that can be the dub.
    """
    streams = [found for path, info in media for found in _streams(path, info)]
    original, dub = _sides(streams)
    if not original or not dub:
        remedy = "Name both, or a file that holds both as audio streams."
        raise InputError("an original and a dub are needed", where="FILES", remedy=remedy)
    text = _HEAD + _track("original", original) + _track("dub", dub)
    text += "".join(f"# not used: {_file(f)}  # {_described(f)}\n" for f in streams if f not in (*original, *dub))
    if cues is not None:
        text += f"cues: {_quoted(cues)}\n"
    return text + _cast(characters) + _TAIL


def _streams(path: str, info: MediaLike) -> Iterator[_Found]:
    words = frozenset(re.split(r"[^a-z0-9]+", re.sub(r"m\s*&\s*e", "me", path.rsplit("/", 1)[-1].lower())))
    for stream in info.audio:
        yield _Found(path, stream, len(info.audio) == 1, words)


def _sides(streams: Sequence[_Found]) -> tuple[list[_Found], list[_Found]]:
    """The original's and the dub's streams: by the words of a file's name, else by order, one stream for each part."""
    original = [f for f in streams if f.side == "original" and f.alone]
    dub = [f for f in streams if f.side == "dub" and f.alone]
    for found in [f for f in streams if f not in original and f not in dub]:
        if not original or (found.part != "mix" and _is_free(original, found) and not dub):
            original.append(found)
        elif _is_free(dub, found):
            dub.append(found)
    return original, dub


def _is_free(side: Sequence[_Found], found: _Found) -> bool:
    return found.part not in {f.part for f in side}


def _track(name: str, side: Sequence[_Found]) -> str:
    language = next((f.stream.language for f in side if f.stream.language), None)
    said = f"language: {language}" if language else "language:  # FILL IN: what is spoken (BCP 47), such as de or pt-BR"
    lines = [f"{name}:", f"  {said}"]
    for found in sorted(side, key=lambda f: ("mix", "stem", "me").index(f.part)):
        guess = "" if found.side == name else "  # guessed from the order of the files"
        lines.append(f"  {found.part}: {_file(found)}{guess}  # {_described(found)}")
    return "\n".join(lines) + "\n"


def _file(found: _Found) -> str:
    path = _quoted(found.path)
    return path if found.alone else f"{{path: {path}, stream: {found.stream.index}}}"


def _described(found: _Found) -> str:
    stream = found.stream
    length = "length not stated" if stream.duration_s is None else f"{stream.duration_s:.3f} s"
    return f"{stream.language or 'language not stated'}, {stream.n_channels} ch, {length}"


def _quoted(text: str) -> str:
    return (
        text
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9_/-]*\.[A-Za-z0-9]{1,5}", text)
        else json.dumps(text, ensure_ascii=False)
    )


def _cast(characters: Sequence[str]) -> str:
    entry = (
        "    voice:  # FILL IN: the voice's id in the registry\n    technique:  # FILL IN: voice_clone_tts, … or {}\n"
    )
    names = [f"  - character: {json.dumps(c, ensure_ascii=False)}\n{entry.format(HUMAN)}" for c in characters]
    if names:
        return "cast:\n" + "".join(names)
    example = f"  # - {{character: ANN, voice: voice-of-ann, technique: voice_clone_tts}}   # or technique: {HUMAN}\n"
    return f"cast:  # FILL IN: every character that speaks\n{example}"
