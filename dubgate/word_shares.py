"""The dub's words heard by several children at once, where the transcriber leaves all cores but one idle.

PocketSphinx runs on one thread and holds the interpreter while it does; a child starts no processes of its own. So the
parent has everything else heard first, then a share of the words by each of as many children as there are cores.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from dubgate.errors import ChildError, ModelError
from dubgate.features import BackendInfo, ProgrammeFeatures
from dubgate.hearing import HearingPlan
from dubgate.hearing_words import HeardWords, WordsPlan
from dubgate.mixing import without_what_background_spoils
from dubgate.side_by_side import forward
from dubgate.stored import from_stored, to_stored
from dubgate.unmeasured import Unmeasured

FROM_S = 45.0  # a shorter dub is heard before another child has loaded its models
EACH_S = 20.0  # of the dub, at least, is worth a child
_WORDS = ("transcriber", "aligner")
_FIRST = 0.3  # of the progress: everything but the words

Progress = Callable[[str, float], None]
T = TypeVar("T")


class Hear(Protocol):
    """A task run in a child: its name, what it is asked, what it answers, progress, and what ends it early."""

    def __call__(
        self, task: str, request: object, answer: type[T], progress: Progress, stop: threading.Event | None
    ) -> T: ...


@dataclass(frozen=True, slots=True)
class Child:
    """Runs tasks in child processes that may read the files that are heard, and validates their answers."""

    inputs: list[Path]

    def __call__(
        self, task: str, request: object, answer: type[T], progress: Progress, stop: threading.Event | None = None
    ) -> T:
        """
        Raises:
            ChildError: it crashed, hung, was stopped, or answered what is no `answer`.
        """
        from dubgate.sandbox import Limits, run_in_child
        from dubgate.speech.models import folders

        told, _ = to_stored(request)
        models = [p for p in folders() if p.is_dir()]
        where = {"DUBGATE_MODELS": os.pathsep.join(str(p.absolute()) for p in models)}
        files = [*self.inputs, *models]
        reply = run_in_child(task, told, limits=Limits(), inputs=files, progress=progress, environment=where, stop=stop)
        try:
            return from_stored(answer, reply.data, reply.arrays)
        except ValueError as error:
            raise ChildError(f"what was heard came back malformed: {error}") from None


def hear_all(plan: HearingPlan, duration_s: float | None, hear: Hear, progress: Progress) -> ProgrammeFeatures:
    """Both tracks and the words, in one child or in several.

    Raises:
        MediaError, ModelError, ChildError: what the first child that failed raised.
    """
    shares = shares_of(plan, duration_s)
    if shares > 1:
        return hear_in_shares(plan, shares, hear, progress)
    return hear("hear", plan, ProgrammeFeatures, progress, None)


def shares_of(plan: HearingPlan, duration_s: float | None) -> int:
    """In how many shares the words are worth hearing; 1 where they are heard with everything else."""
    from dubgate.speech.device import n_threads
    from dubgate.speech.models import resolve

    if duration_s is None or duration_s < FROM_S or plan.without or plan.dub.language is None:
        return 1
    try:
        names = {resolve(kind, plan.models, language=plan.dub.language).name for kind in _WORDS}
    except ModelError:
        return 1  # hearing says why
    return min(n_threads(), int(duration_s // EACH_S)) if names == {"pocketsphinx", "pocketsphinx-aligner"} else 1


def hear_in_shares(plan: HearingPlan, shares: int, hear: Hear, progress: Progress) -> ProgrammeFeatures:
    """The same features as hearing all in one child, from several."""
    progress = forward(progress)
    without = replace(plan, without=_WORDS)
    found = hear("hear", without, ProgrammeFeatures, lambda stage, done: progress(stage, _FIRST * done), None)
    source, done = plan.dub, [0.0] * shares
    whole = WordsPlan(
        path=source.path,
        stream=source.stream,
        language=source.language,
        models=plan.models,
        device=plan.device,
        speech=found.dub.speech,
        sheet=plan.sheet,
        share=0,
        shares=shares,
    )
    asked = [replace(whole, share=k) for k in range(shares)]

    def tell(k: int) -> Progress:
        def told(stage: str, of_share: float) -> None:
            done[k] = of_share
            progress(stage, _FIRST + (1 - _FIRST) * sum(done) / shares)

        return told

    parts = _all(hear, asked, [tell(k) for k in range(shares)], threading.Event())
    progress("heard", 1.0)
    return _joined(plan, found, parts)


def _all(hear: Hear, asked: Sequence[WordsPlan], tell: Sequence[Progress], stop: threading.Event) -> list[HeardWords]:
    """Each share's answer, in order. The first that fails ends the others and is what is raised; so does an interruption."""
    first: list[BaseException] = []

    def one(plan: WordsPlan, progress: Progress) -> HeardWords:
        try:
            return hear("words", plan, HeardWords, progress, stop)
        except BaseException as error:
            first.append(error)
            stop.set()
            raise

    with ThreadPoolExecutor(len(asked)) as pool:
        # What is pinned for this thread is pinned for those that start the children too.
        running = [pool.submit(copy_context().run, partial(one, *each)) for each in zip(asked, tell, strict=True)]
        try:
            wait(running)
        finally:
            stop.set()
    if first:
        raise first[0]
    return [each.result() for each in running]


def _joined(plan: HearingPlan, found: ProgrammeFeatures, parts: Sequence[HeardWords]) -> ProgrammeFeatures:
    models = parts[0].models
    if any(p.models != models for p in parts):
        raise ChildError("two shares of the words were heard by other models")
    dub = replace(
        found.dub,
        words=_one([p.words for p in parts]),
        languages=_one([p.languages for p in parts]),
        alignments=_one([p.alignments for p in parts]),
    )
    features = replace(found, dub=dub, models=_among(found.models, models))
    return features if plan.mix is not None else without_what_background_spoils(features)


def _one(parts: Sequence[tuple[T, ...] | Unmeasured]) -> tuple[T, ...] | Unmeasured:
    """All parts in a row; where one is Unmeasured, so is the whole, as it would be if it were heard at once."""
    joined: tuple[T, ...] = ()
    for part in parts:
        if isinstance(part, Unmeasured):
            return part
        joined += part
    return joined


def _among(sounds: tuple[BackendInfo, ...], words: tuple[BackendInfo, ...]) -> tuple[BackendInfo, ...]:
    """Models in the order in which hearing at once names them: those of words stand before the diarizer, the last."""
    return (*sounds[:-1], *words, sounds[-1])
