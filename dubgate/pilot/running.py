"""Runs the pilot through every stage and takes the time of each; what comes out is no verdict and can be none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dubgate.company.folder import Company, read_company
from dubgate.delivery.manifest import Delivery, load_delivery
from dubgate.delivery.manifest_script import script_of
from dubgate.disclosing import told_of
from dubgate.errors import DubgateError
from dubgate.gate import DEFAULT_PACKS
from dubgate.judgement import Judgement
from dubgate.labels.applying import apply_label
from dubgate.labels.plan import planned
from dubgate.listening import hear
from dubgate.pilot.excerpt import stretch_of, write_excerpt
from dubgate.pilot.figures import too_few
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.packs import load_packs
from dubgate.policy.verdict import Decision
from dubgate.release import CheckRequest, judge_delivery, labels_of, open_registry, quality_request
from dubgate.spans import Span

Progress = Callable[[str, float], None]
NEVER = "INT-006"  # held because it is an internal test: nothing that anybody could mend


@dataclass(frozen=True, slots=True)
class PilotRequest:
    """A delivery, the registry, and which stretch of it goes where."""

    manifest: Path
    registry: str
    out: Path
    start_s: float | None = None
    length_s: float = 30.0
    packs: tuple[str, ...] = ()
    models: str = "auto"
    device: str = "auto"
    company: Path | None = None


@dataclass(frozen=True, slots=True)
class Pilot:
    """What was learned; it has no decision, since a pilot decides nothing.

    `blocking` and `holding` are findings that would stand against the whole dub too; `people` those that only somebody's
    decision lifts; `gaps` is what a disclosure could not say.
    """

    span: Span
    manifest: Path
    seconds: dict[str, float]
    blocking: tuple[Finding, ...]
    holding: tuple[Finding, ...]
    people: tuple[Finding, ...]
    gaps: tuple[str, ...]
    too_few: tuple[str, ...]
    notes: tuple[str, ...]
    judgement: Judgement

    @property
    def exit_code(self) -> int:
        """1 where something blocks, 3 else; never 0, which means release."""
        return 1 if self.blocking else 3


@dataclass
class Clock:
    """Wall seconds by stage, in order."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Take the time of what happens inside."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def run_pilot(request: PilotRequest, *, at: datetime, progress: Progress, clock: Clock) -> Pilot:
    """Cut, label, hear, judge and disclose.

    Raises:
        InputError: the delivery or the stretch cannot be used, or `out` is there.
        RegistryError, ModelError, ChildError: a stage could not be done.
    """
    with clock.stage("read"):
        whole, company = load_delivery(request.manifest), read_company(request.company)
        sheet = script_of(whole)
        span = stretch_of(sheet, request.start_s, request.length_s)
    with clock.stage("excerpt"):
        manifest = write_excerpt(whole, sheet, span, request.out)
        delivery = load_delivery(manifest)
    with clock.stage("label"):
        notes = _labelled(delivery)
    judgement = _judged(delivery, company, request, at, progress, clock)
    if judgement.verdict.decision is Decision.RELEASE:
        raise DubgateError("a pilot came out as a release, which it can never be", where=str(manifest))
    with clock.stage("disclose"):
        gaps = told_of(manifest, request.registry, packs=request.packs, at=at).gaps
    found = judgement.verdict.findings
    packs = load_packs(request.packs or DEFAULT_PACKS[judgement.style])
    return Pilot(
        span=span,
        manifest=manifest,
        seconds=clock.seconds,
        blocking=tuple(f for f in found if f.outcome is Outcome.BLOCK),
        holding=tuple(f for f in found if f.outcome in (Outcome.HOLD, Outcome.UNKNOWN) and f.rule != NEVER),
        people=tuple(f for f in found if f.outcome > Outcome.WARN and f.who_can_resolve is not None),
        gaps=gaps,
        too_few=too_few(judgement.sheet, judgement.measurements, packs),
        notes=notes,
        judgement=judgement,
    )


def _labelled(delivery: Delivery) -> tuple[str, ...]:
    """Write the planned label into the excerpt; why that was not done, where it was not."""
    published = delivery.dub.published
    if delivery.label is None:
        return ("no label was written: the delivery plans none",)
    language = delivery.dub.language
    text = delivery.label.text.get(language) or next(iter(delivery.label.text.values()))
    try:
        apply_label(published.path, published.path, planned(text, language, None, None, None))
    except DubgateError as error:
        return (f"the label could not be written into the excerpt: {error.what}",)
    return ()


def _judged(
    delivery: Delivery, company: Company, request: PilotRequest, at: datetime, progress: Progress, clock: Clock
) -> Judgement:
    path = delivery.manifests[0][0]
    asked = CheckRequest(path, request.registry, request.packs, request.models, request.device, request.company)
    quality = quality_request(delivery, asked)
    with clock.stage("hear"):
        heard = hear(quality, progress)
    with clock.stage("judge"):
        labels = labels_of(delivery, heard)
        with open_registry(request.registry) as registry, registry.view() as view:
            return judge_delivery(delivery, quality, heard, labels, view, at=at, company=company)
