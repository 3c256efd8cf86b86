"""What the review desk asks of the gate: deliveries with their verdicts, judged again from stored measurements.

Verdicts are remembered with what they rest on (manifest, evidence, size of the ledger); one that has gone stale is judged
anew in the background, and an answer at once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from consent.views import View
from consent.web.protocols import Answer, CannotAnswerError, Casting, Dossier, Judged, SoundFile, Summary, Which
from dubgate.approved_parts import plan_bytes
from dubgate.clearing import asset_of, release_of
from dubgate.delivery.manifest import Delivery, load_delivery
from dubgate.delivery.manifest_schema import CastEntry
from dubgate.errors import DubgateError
from dubgate.gate import packs_of
from dubgate.judgement import Judgement
from dubgate.judging_again import judge_again
from dubgate.listening import asked_of, heard_before
from dubgate.pinned import Place, pinned
from dubgate.policy.attestations import attestable_rules
from dubgate.release import CheckRequest, open_registry, quality_request
from dubgate.service.desk_answers import draft_of, keep_envelope
from dubgate.service.desk_clips import clips_of
from dubgate.service.desk_disclosure import disclosures_of
from dubgate.service.desk_findings import because_of, judged_of, key_of, rules_of
from dubgate.service.desk_listening import Heard
from dubgate.service.desk_sounds import Places, places_of, sounds_of

AT_ONCE = 20  # deliveries that nobody judged here yet are judged behind the page, so many for each look at the list
KEPT = 12  # judgements in memory: a two-hour programme is some 40 MB


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A verdict for people, and what it rests on."""

    judged: Judged
    rests_on: tuple[object, ...]
    duration_s: float
    sound: str
    disclosure: Mapping[str, str]


class DeskDeliveries(Heard):
    """Both of the desk's Protocols over folders of deliveries.

    Args:
        manifests: the deliveries' `delivery.yaml` by id, the newest first; asked anew each time.
        registry: where the consent registry lies.
    """

    def __init__(
        self,
        manifests: Callable[[], Mapping[str, Path]],
        registry: str,
        *,
        models: str = "auto",
        device: str = "auto",
        packs: Sequence[str] = (),
        company: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._manifests, self._registry, self._clock = manifests, registry, clock
        self._how = (tuple(packs), models, device, company)
        self._verdicts: dict[str, _Verdict] = {}
        self._judgements: OrderedDict[str, tuple[Delivery, Judgement]] = OrderedDict()
        self._places: dict[str, Places] = {}
        self._summaries: dict[str, tuple[tuple[object, ...], Summary]] = {}
        self._lock, self._judging = threading.Lock(), threading.Lock()
        self._behind, self._asked = ThreadPoolExecutor(1, thread_name_prefix="desk-judge"), set[str]()

    def deliveries(self) -> Sequence[Summary]:
        """Every delivery, the newest first; nothing is judged for it."""
        found = [s for i, path in self._manifests().items() if (s := self._summary(i, path)) is not None]
        for unjudged in [s.delivery_id for s in found if s.decision == "unjudged"][:AT_ONCE]:
            self.judge_later(unjudged)
        return [replace(s, predecessor_id=_predecessor(s, found[k + 1 :])) for k, s in enumerate(found)]

    def _summary(self, delivery_id: str, path: Path) -> Summary | None:
        """What the manifest says, with the last verdict; None where it cannot be read."""
        verdict, marks = self._verdicts.get(delivery_id), _marks(path)
        kept = self._summaries.get(delivery_id)
        if kept is None or kept[0] != (marks, verdict):
            try:
                delivery = load_delivery(path)
            except DubgateError:
                return None
            with open_registry(self._registry) as registry, registry.view() as view:
                kept = ((marks, verdict), _summary_of(delivery_id, delivery, verdict, view))
            self._summaries[delivery_id] = kept
        return kept[1]

    def dossier(self, delivery_id: str) -> Dossier | None:
        """What a party is shown before it decides; the bytes are those that an approval names by digest."""
        path = self._manifests().get(delivery_id)
        summary = next((s for s in self.deliveries() if s.delivery_id == delivery_id), None)
        if path is None or summary is None:
            return None
        delivery = load_delivery(path)
        label = delivery.label
        told = None if label is None else " / ".join(dict.fromkeys(label.text.values()))
        cast = tuple(_casting(delivery, entry) for entry in delivery.cast)
        kept = self._judgements.get(delivery_id)
        clips = clips_of(kept[1]) if kept is not None else ()
        plan = None if label is None else plan_bytes(label)
        casting = plan_bytes(delivery.cast)
        verdict = self._verdicts.get(delivery_id)
        disclosure = verdict.disclosure if verdict is not None else {}
        return Dossier(summary, delivery.original.language, told, plan, cast, casting, disclosure, clips)

    def of_sound(self, packets_sha256: str) -> str | None:
        """The newest delivery of this very sound that was judged."""
        known = (i for i in self._manifests() if (v := self._verdicts.get(i)) is not None and v.sound == packets_sha256)
        return next(known, None)

    def last(self, delivery_id: str) -> Judged | None:
        """The last verdict; one that has gone stale is judged anew behind it."""
        path, verdict = self._manifests().get(delivery_id), self._verdicts.get(delivery_id)
        if path is not None and verdict is not None and verdict.rests_on != self._rests_on(path):
            self.judge_later(delivery_id)
        return None if verdict is None else verdict.judged

    def judge_later(self, delivery_id: str) -> None:
        """Judge in the background what was heard before, once, however often it is asked; nothing is heard for it."""
        with self._lock:
            if delivery_id in self._asked:
                return
            self._asked.add(delivery_id)
        self._behind.submit(self._judged_behind, delivery_id)

    def _judged_behind(self, delivery_id: str) -> None:
        try:
            path = self._path(delivery_id)
            quality = quality_request(load_delivery(path), self._request(path))
            verdict = self._verdicts.get(delivery_id)
            fresh = verdict is not None and verdict.rests_on == self._rests_on(path)
            if not fresh and heard_before(asked_of(quality)) is not None:
                self.judge(delivery_id)
        except (DubgateError, CannotAnswerError):
            return  # the page goes on showing the last verdict, with its time
        finally:
            with self._lock:
                self._asked.discard(delivery_id)

    def judge(self, delivery_id: str) -> Judged:
        """Judge now, from stored measurements where nothing that they rest on has changed.

        Raises:
            CannotAnswerError: there is no such delivery, or it cannot be judged.
        """
        path = self._path(delivery_id)
        with self._judging:
            rests_on, at = self._rests_on(path), self._clock()
            request = self._request(path)
            try:
                delivery = load_delivery(path)
                places = places_of(delivery)
                with pinned({str(p): place for p, place in zip(sounds_of(delivery), places, strict=True) if place}):
                    found = judge_again(request, at=at, progress=lambda what, share: None)
                quality = quality_request(found.delivery, request)
                rules = attestable_rules(packs_of(quality, found.judgement.style))
                with open_registry(self._registry) as registry, registry.view() as view:
                    disclosure = disclosures_of(found.delivery, found.judgement, quality, view, at)
            except DubgateError as error:
                raise CannotAnswerError(str(error)) from None
            judged = judged_of(found.judgement, rules, heard_again=found.heard_again)
            published, duration = found.judgement.features.published, found.judgement.features.dub.duration_s
            sound = published.packet_sha256 if published is not None else ""
            self._verdicts[delivery_id] = _Verdict(judged, rests_on, duration, sound, disclosure)
            self._keep(delivery_id, found.delivery, found.judgement, places)
        return judged

    def _keep(self, delivery_id: str, delivery: Delivery, judgement: Judgement, places: Places) -> None:
        self._judgements[delivery_id], self._places[delivery_id] = (delivery, judgement), places
        self._judgements.move_to_end(delivery_id)
        while len(self._judgements) > KEPT:
            self._judgements.popitem(last=False)

    def sound(self, delivery_id: str, which: Which) -> SoundFile | None:
        """The file that was judged; None once another lies in its place, since people sign over what was judged."""
        return super().sound(delivery_id, which) if self._lies_as_judged(delivery_id) else None

    def excerpt(self, delivery_id: str, which: Which, start_s: float, end_s: float) -> bytes | None:
        """A stretch of what was judged."""
        return super().excerpt(delivery_id, which, start_s, end_s) if self._lies_as_judged(delivery_id) else None

    def _lies_as_judged(self, delivery_id: str) -> bool:
        kept = self.kept_judgement(delivery_id)
        return kept is not None and self._places.get(delivery_id) == places_of(kept[0])

    def place_judged(self, delivery_id: str, path: Path) -> Place | None:
        """Which file lay at the path of a sound when it was judged."""
        kept = self._judgements.get(delivery_id)
        places = dict(zip(sounds_of(kept[0]), self._places[delivery_id], strict=True)) if kept is not None else {}
        return places.get(path)

    def kept_judgement(self, delivery_id: str) -> tuple[Delivery, Judgement] | None:
        """The judgement with its features, judged again where it is no longer in memory."""
        if delivery_id not in self._judgements and delivery_id in self._verdicts:
            self.judge(delivery_id)
        return self._judgements.get(delivery_id)

    def draft(self, delivery_id: str, answer: Answer, *, by: str, at: datetime) -> bytes:
        """The statement that `by` signs for an answer.

        Raises:
            CannotAnswerError: it could have no effect.
        """
        kept = self.kept_judgement(delivery_id)
        found = next((f for f in kept[1].verdict.findings if key_of(f) == answer.finding_key), None) if kept else None
        if kept is None or found is None:
            raise CannotAnswerError("there is no such finding any more: the delivery was judged again")
        if kept[0].submitter == by:
            raise CannotAnswerError("whoever submitted a delivery does not answer about it")
        return draft_of(kept[1], found, answer, by=by, at=at)

    def record(self, delivery_id: str, envelope: str) -> Judged:
        """Keep what was signed with the delivery, and judge again at once.

        Raises:
            CannotAnswerError: it does not verify, or is about another sound.
        """
        path, verdict = self._path(delivery_id), self._verdicts.get(delivery_id)
        if verdict is None:
            raise CannotAnswerError("the delivery was not judged yet")
        with open_registry(self._registry) as registry, registry.view() as view:
            keep_envelope(load_delivery(path), envelope.encode(), verdict.sound, view, self._clock())
        return self.judge(delivery_id)

    def _request(self, path: Path) -> CheckRequest:
        return CheckRequest(path, self._registry, *self._how)

    def _path(self, delivery_id: str) -> Path:
        path = self._manifests().get(delivery_id)
        if path is None:
            raise CannotAnswerError("there is no such delivery any more")
        return path

    def _rests_on(self, path: Path) -> tuple[object, ...]:
        with open_registry(self._registry) as registry:
            return (_marks(path), registry.head().size)


def _marks(path: Path) -> tuple[object, ...]:
    """Which files the manifest and the signed objects beside it are, and when they last changed, which nobody sets."""
    folder = path.parent / "evidence"
    files = [path, *(sorted(folder.glob("*.json")) if folder.is_dir() else ())]
    found = ((f.name, f.stat()) for f in files if f.is_file())
    return tuple((name, s.st_ino, s.st_size, s.st_ctime_ns) for name, s in found)


def _summary_of(delivery_id: str, delivery: Delivery, verdict: _Verdict | None, view: View) -> Summary:
    release, _ = release_of(delivery, view)
    title = release.title.title if release is not None and release.title is not None else None
    name = title.name if title is not None else (delivery.title.name if delivery.title else "")
    judged = verdict.judged if verdict is not None else None
    rules = {o: rules_of(judged, o) for o in ("block", "hold", "unknown")}
    return Summary(
        delivery_id=delivery_id,
        title_id=title.title_id if title is not None else "",
        title=name,
        language=delivery.dub.language,
        submitted_by=delivery.submitter or "",
        packets_sha256=verdict.sound if verdict is not None else "",
        duration_s=verdict.duration_s if verdict is not None else 0.0,
        decision=judged.decision if judged is not None else "unjudged",
        judged_at=judged.judged_at if judged is not None else None,
        holding=tuple(sorted({*rules["hold"], *rules["unknown"]})),
        blocking=rules["block"],
        because=because_of(judged),
    )


def _predecessor(summary: Summary, older: Sequence[Summary]) -> str | None:
    """The delivery that this one replaces: the last one before it of the same title, language and vendor."""
    if not summary.title_id:
        return None
    same = (summary.title_id, summary.language, summary.submitted_by)
    return next((s.delivery_id for s in older if (s.title_id, s.language, s.submitted_by) == same), None)


def _casting(delivery: Delivery, entry: CastEntry) -> Casting:
    models = tuple(asset_of(delivery.submitter, entry, voice_id) for voice_id in entry.voice_ids)
    return Casting(entry.name, str(entry.technique), entry.voice_ids, models)
