"""The dub's words: transcribed in windows of speech, and the script's lines placed in the sound; whole, or a share of them.

A window's words depend on that window alone, and a line's place on its own stretch, so shares joined in order are the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from dubgate.delivery.script import Cue, CueKind, CueSheet
from dubgate.features import BackendInfo, LanguageWindow, LineAlignment, Word
from dubgate.spans import Span, union
from dubgate.stored import Arrays, from_stored, to_stored
from dubgate.unmeasured import Unmeasured
from dubgate.voice_segments import PAD_S, pieces

if TYPE_CHECKING:
    from dubgate.delivery.audio import AudioSpool
    from dubgate.speech.protocols import Aligned, Aligner, Transcriber

ALIGN_PAD_S = 1.0  # a line may lie so far from its cue; what else is said there goes to free phones
ALIGN_AT_ONCE = 64  # lines whose sound is in memory together
LONGEST_CLIP_S = 28.0  # what one transcriber window holds
LANGUAGE_PIECE_S = 10.0  # a passage in another language is found where it lasts about so long

Progress = Callable[[str, float], None]
Words = tuple[Word, ...] | Unmeasured
Languages = tuple[LanguageWindow, ...] | Unmeasured
Alignments = tuple[LineAlignment, ...] | Unmeasured
T = TypeVar("T")


class WordEars(Protocol):
    """The models that hear words; Unmeasured where none hears the dub's language."""

    @property
    def transcriber(self) -> Transcriber | Unmeasured: ...
    @property
    def aligner(self) -> Aligner | Unmeasured: ...
    @property
    def infos(self) -> tuple[BackendInfo, ...]: ...


@dataclass(frozen=True, slots=True)
class WordsPlan:
    """One of `shares` parts of a dub's words: the file's stream, its language, the speech that was found, the script."""

    path: str
    stream: int
    language: str | None
    models: str
    device: str
    speech: tuple[Span, ...]
    sheet: CueSheet | None
    share: int
    shares: int


@dataclass(frozen=True, slots=True, eq=False)
class HeardWords:
    """What a share heard, and the models that heard it."""

    words: Words
    languages: Languages
    alignments: Alignments
    models: tuple[BackendInfo, ...]


def words_task(request: dict[str, Any], scratch: Path, progress: Progress) -> tuple[Any, Arrays]:
    """The child's entry for a share of the words."""
    from dubgate.delivery.audio import AudioSpool
    from dubgate.speech.ears import load_word_models

    plan = from_stored(WordsPlan, request, {})
    ears = load_word_models(plan.models, plan.device, language=plan.language)
    spool = AudioSpool(Path(plan.path), plan.stream, scratch)
    windows = share_of(windows_of(plan.speech, spool.duration_s), plan.share, plan.shares)
    words, languages = words_of(ears, spool, windows, plan.language, lambda stage, done: progress(stage, done / 2))
    progress("dub: alignment", 0.5)
    every = lines_to_place(plan.sheet)
    lines = None if every is None else share_of(every, plan.share, plan.shares)
    placed = alignments_of(ears, spool, lines, plan.language, lambda stage, done: progress(stage, 0.5 + done / 2))
    return to_stored(HeardWords(words, languages, placed, ears.infos))


def share_of(items: Sequence[T], share: int, shares: int) -> tuple[T, ...]:
    """A run of neighbours; all shares in order are all items."""
    return tuple(items[len(items) * share // shares : len(items) * (share + 1) // shares])


def windows_of(speech: Sequence[Span], duration_s: float) -> list[Span]:
    """Speech packed into windows of at most 28 s, cut where nobody speaks."""
    windows: list[Span] = []
    for span in union(s.padded(PAD_S) for s in speech):
        for piece in pieces(Span(span.start_s, min(span.end_s, duration_s)), LONGEST_CLIP_S):
            if windows and piece.end_s - windows[-1].start_s <= LONGEST_CLIP_S:
                windows[-1] = Span(windows[-1].start_s, piece.end_s)
            else:
                windows.append(piece)
    return windows


def lines_to_place(sheet: CueSheet | None) -> tuple[Cue, ...] | None:
    """The lines of dialogue; None where there is no script."""
    return None if sheet is None else tuple(c for c in sheet.cues if c.kind is CueKind.DIALOGUE and c.text)


def words_of(
    ears: WordEars, spool: AudioSpool, windows: Sequence[Span], language: str | None, progress: Progress
) -> tuple[Words, Languages]:
    """Words on the programme timeline, and the language of each window of speech."""
    if isinstance(ears.transcriber, Unmeasured):
        return ears.transcriber, ears.transcriber
    languages = _languages(ears.transcriber, spool, windows)
    if language is None:
        return Unmeasured("the dub's language is not known; name it with --dub-language"), languages
    words: list[Word] = []
    batch = ears.transcriber.at_once
    for k in range(0, len(windows), batch):
        chunk = windows[k : k + batch]
        heard = ears.transcriber.transcribe([spool.read(w.start_s, w.end_s) for w in chunk], language=language)
        for window, clip in zip(chunk, heard, strict=True):
            if isinstance(clip, Unmeasured):
                return clip, languages
            words += [replace(w, span=w.span.shifted(window.start_s)) for w in clip]
        progress("dub: words", min(1.0, (k + batch) / len(windows)))
    return tuple(words), languages


def _languages(transcriber: Transcriber, spool: AudioSpool, windows: Sequence[Span]) -> Languages:
    found: list[LanguageWindow] = []
    short = [piece for window in windows for piece in pieces(window, LANGUAGE_PIECE_S)]
    for k in range(0, len(short), transcriber.at_once):
        some = short[k : k + transcriber.at_once]
        told = transcriber.identify_language([spool.read(p.start_s, p.end_s) for p in some])
        for piece, probs in zip(some, told, strict=True):
            if isinstance(probs, Unmeasured):
                return probs
            found.append(LanguageWindow(piece, probs))
    return tuple(found)


def alignments_of(
    ears: WordEars,
    spool: AudioSpool,
    cues: Sequence[Cue] | None,
    language: str | None,
    progress: Progress = lambda stage, done: None,
) -> Alignments:
    """Where each line's words lie; a line that cannot be placed is left out."""
    if isinstance(ears.aligner, Unmeasured):
        return ears.aligner
    if cues is None or language is None:
        return Unmeasured(
            "no script was given; name its cue sheet" if cues is None else "the dub's language is not known"
        )
    cues = [c for c in cues if c.span.padded(ALIGN_PAD_S).start_s < spool.duration_s]  # a dub may end before its script
    spans = [Span(c.span.padded(ALIGN_PAD_S).start_s, min(c.span.end_s + ALIGN_PAD_S, spool.duration_s)) for c in cues]
    placed: list[Aligned | Unmeasured] = []
    for k in range(0, len(cues), ALIGN_AT_ONCE):
        clips = [spool.read(s.start_s, s.end_s) for s in spans[k : k + ALIGN_AT_ONCE]]
        placed += ears.aligner.align(clips, [c.text for c in cues[k : k + ALIGN_AT_ONCE]], language=language)
        progress("dub: alignment", min(1.0, (k + ALIGN_AT_ONCE) / len(cues)))
    out: list[LineAlignment] = []
    for cue, span, aligned in zip(cues, spans, placed, strict=True):
        if not isinstance(aligned, Unmeasured):
            words = tuple(replace(w, span=w.span.shifted(span.start_s)) for w in aligned.words)
            out.append(LineAlignment(cue.id, words, aligned.score))
    return tuple(out)
