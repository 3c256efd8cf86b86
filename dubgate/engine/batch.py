"""A batch: many deliveries judged by an engine, and each committed once, here: reports, certificate, a line in the journal."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from dubgate.certifying import CERTIFICATE, Certified, Gate, certify, clear_place
from dubgate.engine.fetching import is_url, state_of
from dubgate.engine.jobs import Answer, Failure, Job, Result, Settings, Voices
from dubgate.engine.journal import Done, Journal, Signing, open_journal
from dubgate.engine.judges import Models, asked_by, judged_by, judges_of, require_same, sha256_of
from dubgate.engine.judging import judge_one, rewrite_one, voices_again
from dubgate.engine.listing import jobs_of
from dubgate.engine.local import Asked, Task
from dubgate.engine.series import Episode, by_series, compare
from dubgate.engine.since import ended_in, known_by, told_of
from dubgate.errors import DubgateError, InputError
from dubgate.judgement import Judgement
from dubgate.policy.findings import Finding
from dubgate.report.write import place_reports
from dubgate.watching import Watched, watch

FRESH = timedelta(hours=24)  # how long a batch may be gone on with: all of it is judged as at one moment


class Engine(Protocol):
    """Whoever hears."""

    def run(self, task: Task, asked: Sequence[Asked]) -> Iterator[tuple[Job, Result]]: ...
    def close(self) -> None: ...


MakeEngine = Callable[[Settings], Engine]
Told = Callable[[str, int, int], None]  # what ended, how many are done, of how many


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a batch: the last round of each delivery, what was listed twice, what a series shows."""

    done: tuple[Done, ...]
    rounds: tuple[Done, ...]  # every round, the earlier ones too
    listed_twice: tuple[str, ...] = ()
    series: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()  # in the registry since the batch was begun

    @property
    def exit_code(self) -> int:
        """The worst of all: 2 where one could not be judged, else 1, 3, 0. Nothing judged, or before an end, is no release."""
        rank = {"error": 2, "block": 1, "hold": 3, "release": 3 if self.ended else 0}
        codes = {rank.get(d.decision, 2) for d in self.done}
        return next((c for c in (2, 1, 3, 0) if c in codes), 2)


def run_batch(
    locations: Sequence[str],
    out: Path,
    settings: Settings,
    make_engine: MakeEngine,
    *,
    gate: Gate | None = None,
    told: Told = lambda *_: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Finished:
    """Judge every delivery that the folder's journal does not have yet, and compare the episodes of each series.

    Raises:
        InputError: nothing is listed, the folder or its journal cannot be used, or it is a batch of another day.
        RegistryError: the registry is not there.
    """
    jobs, twice = jobs_of(locations)
    with closing(open_journal(out, _options(settings, gate), settings.at.isoformat())) as journal:
        began = datetime.fromisoformat(journal.started_at)
        if not settings.fixed_at and not timedelta(0) <= now() - began <= FRESH:
            what = f"this batch was begun at {journal.started_at}, and consents may have changed since"
            raise InputError(what, where=str(out), remedy="choose another --out")
        known = known_by(settings.registry, began)
        settings = replace(settings, at=began, aside=str(out.absolute()), judged_by=judged_by(settings), known=known)
        with closing(make_engine(settings)) as engine:
            voices = _judge(jobs, out, settings, engine, journal, gate, told)
            last = _last(jobs, journal)
            notes: list[str] = []
            found = _series(jobs, last, voices, engine, notes, settings)
            notes += _rewritten(jobs, last, found, engine, out, settings)
        released = [d.location for d in last.values() if d.decision == "release"]
        ended = () if settings.fixed_at else ended_in(settings.registry, began, released)
        notes += told_of(ended, began)
        return Finished(tuple(last.values()), tuple(journal.done), twice, found, tuple(notes), ended)


def _options(settings: Settings, gate: Gate | None) -> dict[str, Any]:
    """What must stay the same when a batch is gone on with."""
    return {
        "registry": settings.registry,
        "at": settings.at.isoformat() if settings.fixed_at else None,
        "packs": list(settings.packs),
        **({} if settings.company is None else {"company": settings.company}),
        "models": settings.models,
        "device": settings.device,
        "formats": sorted(settings.formats),
        "media": settings.media,
        "lang": settings.lang,
        "signed_by": None if gate is None else [gate.verifier, gate.party],
    }


def _round(state: str, settings: Settings) -> str:
    return f"{state}-{asked_by(settings)}"


def _judge(
    jobs: Sequence[Job],
    out: Path,
    settings: Settings,
    engine: Engine,
    journal: Journal,
    gate: Gate | None,
    told: Told,
) -> dict[str, Voices]:
    """Judge what is not judged yet; each is committed before the next answer is taken. The voices are for memory only."""
    states = {j.name: state_of(j.location, out) for j in jobs}
    open_ = [j for j in jobs if journal.standing(j.name, _round(states[j.name], settings)) is None]
    ended, voices = len(jobs) - len(open_), {}
    told("judged before", ended, len(jobs))
    asked: list[Asked] = []
    watched: dict[str, Watched] = {}
    models = Models(d.facts for d in journal.done if d.facts is not None and d.state.endswith(f"-{asked_by(settings)}"))
    for job in open_:
        refused = _unsure(job, states[job.name], journal, out) or _watch(job, settings, gate, out, watched)
        if refused is None:
            asked.append((job, ()))
        else:
            journal.add(Done(job.name, job.location, _round(states[job.name], settings), None, refused))
            ended += 1
    for job, result in engine.run(judge_one, asked):
        step = _commit(job, states[job.name], result, out, settings, journal, gate, watched.get(job.name), models)
        if isinstance(result, Answer) and step.facts is not None:
            voices[job.name] = result.voices
        ended += 1
        told(f"{job.name}: {step.decision}", ended, len(jobs))
    return voices


def _unsure(job: Job, state: str, journal: Journal, out: Path) -> str | None:
    """Nothing is released twice: where nobody knows how signing ended, a person has to look."""
    if not journal.half_signed(job.name, state):
        return None
    kept = out / job.name / CERTIFICATE
    return (
        "the batch was interrupted while this release entered the ledger: look there (dubgate consent audit), then judge it by "
        f"itself with dubgate check --certify{'' if not kept.exists() else f'; {kept} lies there'}"
    )


def _watch(job: Job, settings: Settings, gate: Gate | None, out: Path, watched: dict[str, Watched]) -> str | None:
    """With a signature to come, or who hears elsewhere, the parent itself digests what is judged; why it cannot, or None."""
    if gate is None and (is_url(job.location) or not settings.elsewhere):
        return None
    if is_url(job.location):
        return "a delivery by URL is not signed by a batch: the gate signs only bytes that lie where it can hash them"
    try:
        if gate is not None:
            clear_place(out / job.name)
        company = None if settings.company is None else Path(settings.company)
        watched[job.name] = watch(Path(job.location), company=company, aside=out)
    except DubgateError as error:
        return str(error)
    return None


def _commit(
    job: Job,
    state: str,
    result: Result,
    out: Path,
    settings: Settings,
    journal: Journal,
    gate: Gate | None,
    watched: Watched | None,
    models: Models,
) -> Done:
    """Reports first, then the certificate, then the line that makes it stand; a crash in between judges it again."""
    step = Done(job.name, job.location, _round(state, settings), None, getattr(result, "why", ""))
    if isinstance(result, Answer):
        told = {"facts": result.facts, "worker": result.worker, "seconds": round(result.seconds, 3)}
        try:
            _require_fit(job, state, result, settings, models, watched)
            place_reports(result.files, out / job.name)
            if gate is not None and watched is not None:
                journal.add(Signing(job.name, state))
                told["certificate"] = str(_signed(result, watched, settings, gate, out / job.name).certificate.name)
            step = replace(step, why="", **told)  # type: ignore[arg-type]
        except DubgateError as error:
            step = replace(step, why=str(error))
    journal.add(step)
    return step


def _require_fit(
    job: Job, state: str, result: Answer, settings: Settings, models: Models, watched: Watched | None
) -> None:
    """What was judged is what lies here, by what judges here: a worker has packs, a program and models of its own.

    Raises:
        InputError
    """
    if state_of(job.location, None if settings.aside is None else Path(settings.aside)) != state:
        raise InputError("the delivery changed while it was judged, or cannot be read here", where=job.location)
    others = watched is not None and result.rests_on != watched.rests_on
    if others or (is_url(job.location) and result.state != state):
        raise InputError("the worker judged other bytes than lay here before", where=job.location)
    here = judges_of(settings)
    if sha256_of(here) != settings.judged_by:
        what = "a rule pack, the company's folder, a model or the program changed while it was judged"
        raise InputError(what, where=job.location)
    require_same(result, here)
    models.require_same(result.facts)


def _signed(result: Answer, watched: Watched, settings: Settings, gate: Gate, folder: Path) -> Certified:
    judgement = pickle.loads(result.judgement or b"")
    if not isinstance(judgement, Judgement) or judgement.verdict.decision.name.lower() != result.facts.decision:
        raise InputError("the worker's judgement is not the one that it reported", where=str(watched.manifest))
    return certify(judgement, watched, settings.registry, gate, folder)


def _last(jobs: Sequence[Job], journal: Journal) -> dict[str, Done]:
    """The newest round of each delivery that was asked for."""
    newest = {d.name: d for d in journal.done}
    return {j.name: newest[j.name] for j in jobs if j.name in newest}


def _series(
    jobs: Sequence[Job],
    last: dict[str, Done],
    voices: dict[str, Voices],
    engine: Engine,
    notes: list[str],
    settings: Settings,
) -> dict[str, tuple[Finding, ...]]:
    """What the episodes of each series show; voices of episodes that an earlier run judged are heard again."""
    episodes = [Episode(d.name, d.facts) for d in last.values() if d.facts is not None]
    grouped = by_series(episodes)
    wanted = {e.name for each in grouped.values() for e in each if any(t.not_compared is None for t in e.facts.traits)}
    by_name = {j.name: j for j in jobs}
    for job, result in engine.run(voices_again, [(by_name[n], ()) for n in sorted(wanted - set(voices))]):
        if (why := _unfit(result, settings)) is None and isinstance(result, Answer):
            voices[job.name] = result.voices
        else:
            notes.append(f"{job.name}: its voices were not compared with other episodes: {why}")
    found: dict[str, tuple[Finding, ...]] = {}
    for each in grouped.values():
        found |= compare([replace(e, voices=voices.get(e.name, {})) for e in each])
    return {name: findings for name, findings in found.items() if findings}


def _rewritten(
    jobs: Sequence[Job],
    last: dict[str, Done],
    found: dict[str, tuple[Finding, ...]],
    engine: Engine,
    out: Path,
    settings: Settings,
) -> list[str]:
    """Put what a series shows into each episode's report, where the same judgement comes out again."""
    notes = []
    facts = {d.name: d.facts for d in last.values() if d.facts is not None}
    asked: list[Asked] = [
        (j, (found[j.name], facts[j.name].report_sha256)) for j in jobs if j.name in found and j.name in facts
    ]
    for job, result in engine.run(rewrite_one, asked):
        if (why := _unfit(result, settings)) is None and isinstance(result, Answer):
            place_reports(result.files, out / job.name)
        else:
            notes.append(f"{job.name}: what its series shows is in the summary only: {why}")
    return notes


def _unfit(result: Result, settings: Settings) -> str | None:
    """Why an answer that decides nothing is left out."""
    if isinstance(result, Failure):
        return result.why
    try:
        require_same(result, judges_of(settings))
    except DubgateError as error:
        return str(error)
    return None
