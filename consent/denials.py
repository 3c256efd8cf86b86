"""Why a grant does not cover a use: every reason at once, as pure functions of terms, events and a moment.

Codes follow the design's rule list (CON-*). An empty tuple says that nothing speaks against the use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent import languages
from consent.events import ENDED_JA, RecordedEvent, State, Step, fold
from consent.regions import expand
from consent.remarks import unpaid_union_work
from consent.terms import Grant, Use
from consent.vocabulary import EventKind, Performance, Representation, TrainingUse
from consent.voices import Voice
from consent.who_grants import subject_denials


@dataclass(frozen=True, slots=True)
class Sentence:
    """One plain sentence for people, in English and Japanese."""

    en: str
    ja: str


@dataclass(frozen=True, slots=True)
class Denial:
    """One reason against a use: its code, the term concerned, and the record that it comes from, if any."""

    code: str
    field: str
    text: Sentence
    record_id: str | None = None


@dataclass(frozen=True, slots=True)
class GrantHistory:
    """A grant, when it was recorded, its events, and whether its author signed it.

    `discredited_at` is when the signing key was revoked, where no witness had seen the signature before.
    """

    grant: Grant
    recorded_at: datetime
    events: tuple[RecordedEvent, ...]
    signed: bool = False
    discredited_at: datetime | None = None

    def state(self, known_at: datetime) -> State:
        """What the events make of it, as known at a moment."""
        return fold(self.events, known_at=known_at)


def denials(history: GrantHistory, use: Use, at: datetime, *, voice: Voice) -> tuple[Denial, ...]:
    """Every reason why the grant, as known at `at`, does not cover the whole use; empty where it does."""
    found = (
        *_life(history, use, at),
        *_scope(history.grant, use),
        *_term(history.grant, use, at),
        *_metered(history.grant, history.state(at), use),
        *_making(history, use, at),
        *subject_denials(history.grant, use, voice),
        *unpaid_union_work(history.grant),
    )
    return tuple(Denial(code, field, Sentence(en, ja), history.grant.grant_id) for code, field, en, ja in found)


_Found = tuple[str, str, str, str]


def _life(history: GrantHistory, use: Use, at: datetime) -> Iterator[_Found]:
    """The giving stands now, and through all of the window that is still to come."""
    if history.recorded_at > at:
        yield "CON-002", "events", "the grant had not been recorded by then", "この時点では同意が登録されていません"
        return
    if history.discredited_at is not None and history.discredited_at <= at:
        yield "CON-003", "evidence", "the key that signed the grant was revoked", "署名に使われた鍵は失効しています"
    state = history.state(at)
    now = state.status(at)
    if now is None or not now.alive:
        yield _not_alive(now)
    coming = use.window.model_copy(update={"start": max(at, use.window.start)})
    if coming.end is not None and coming.end <= coming.start:
        return  # the window is over; the term says so
    ended = state.interruption(coming)
    if ended is not None and not (now is None or not now.alive):
        yield _ends_within(ended)


def _not_alive(step: Step | None) -> _Found:
    if step is None:
        return "CON-002", "events", "the grant was never given, or not yet", "同意はまだ与えられていません"
    if step.strike:
        return (
            "CON-023",
            "events",
            "the grant is suspended because of a strike",
            "同意はストライキのため停止されています",
        )
    day = step.at.date().isoformat()
    said = ENDED_JA.get(step.kind, "終了")
    return "CON-002", "events", f"the grant is {step.kind} since {day}", f"同意は{day}から無効です（{said}）"


def _ends_within(ended: Step | datetime) -> _Found:
    day = (ended if isinstance(ended, datetime) else ended.at).date().isoformat()
    return (
        "CON-002",
        "window",
        f"the grant does not stand through the whole release window: it stops on {day}",
        f"同意は公開期間の途中（{day}）で効力を失います",
    )


def _scope(grant: Grant, use: Use) -> Iterator[_Found]:
    if not set(grant.title_ids) & set(use.title_ids):
        yield "CON-010", "title_ids", "the grant is for another title", "同意は別の作品に対するものです"
    if grant.characters and use.character not in grant.characters:
        yield "CON-010", "characters", "the grant names other characters only", "同意は別の登場人物に限られています"
    if not any(languages.covers(tag, use.language, subtags=grant.covers_subtags) for tag in grant.languages):
        yield "CON-011", "languages", f"the grant does not cover {use.language}", f"同意は{use.language}を含みません"
    missing = sorted(
        expand(use.territories, use.territories_excluded) - expand(grant.territories, grant.territories_excluded)
    )
    if missing or not expand(use.territories, use.territories_excluded):
        some = _listed(missing) or "no territory at all"
        yield "CON-012", "territories", f"the grant does not cover {some}", f"同意は次の地域を含みません: {some}"
    if channels := sorted(set(use.channels) - set(grant.channels)):
        some = _listed(channels)
        yield "CON-013", "channels", f"the grant does not cover {some}", f"同意は次の媒体を含みません: {some}"
    if use.technique not in grant.techniques:
        yield (
            "CON-015",
            "techniques",
            f"the grant does not allow {use.technique}",
            f"同意は{use.technique}を認めていません",
        )
    if use.performance not in grant.performances:
        yield (
            "CON-015",
            "performances",
            f"the grant does not allow {use.performance}",
            f"同意は{use.performance}を認めていません",
        )
    if grant.licensee_id and use.licensee_id not in (grant.licensee_id, *grant.sublicensee_ids):
        yield "CON-019", "licensee_id", "the grant was given to somebody else", "同意は別の利用者に与えられたものです"


def _listed(codes: Sequence[str]) -> str:
    return ", ".join(codes[:8]) + (f" and {len(codes) - 8} more" if len(codes) > 8 else "")


def _term(grant: Grant, use: Use, at: datetime) -> Iterator[_Found]:
    if use.window.end is not None and use.window.end <= at:
        yield "CON-014", "window", "the release window is over", "公開期間は終了しています"
    if use.window.start < grant.not_before:
        day = grant.not_before.date().isoformat()
        yield "CON-014", "not_before", f"the grant's term starts later, on {day}", f"同意の期間は{day}からです"
    if grant.not_after is not None and (use.window.end is None or use.window.end > grant.not_after):
        day = (grant.not_after - timedelta.resolution).date().isoformat()  # the last day, since the end is not included
        yield (
            "CON-014",
            "not_after",
            f"the release window outlives the grant, whose term ends on {day}",
            f"公開期間が同意の期間（{day}まで）を超えています",
        )


def _metered(grant: Grant, state: State, use: Use) -> Iterator[_Found]:
    if grant.max_uses is not None and state.uses_spent + use.uses > grant.max_uses:
        left = max(0, grant.max_uses - state.uses_spent)
        yield "CON-016", "max_uses", f"only {left} of {grant.max_uses} uses are left", f"残りの利用回数は{left}回です"
    if grant.max_minutes is None:
        return
    if use.minutes is None:
        yield "CON-016", "max_minutes", "the grant counts minutes and the use has none", "利用分数が測定されていません"
    elif state.minutes_spent + use.minutes > grant.max_minutes:
        left_min = max(0.0, grant.max_minutes - state.minutes_spent)
        yield (
            "CON-016",
            "max_minutes",
            f"only {left_min:g} of {grant.max_minutes:g} minutes are left",
            f"残りは{left_min:g}分です",
        )


def _making(history: GrantHistory, use: Use, at: datetime) -> Iterator[_Found]:
    """How the voice was made: its description, its model, its training."""
    grant = history.grant
    californian = any(law.upper().startswith("US-CA") for law in grant.applicable_law)
    if use.performance is Performance.NEW and californian and grant.representation is Representation.NONE:
        yield (
            "CON-004",
            "representation",
            "the performer had neither counsel nor a union",
            "実演家に弁護士も組合もついていません",
        )
    if grant.voice_assets and not any(
        _same_asset(use, asset.vendor_id, asset.voice, asset.model_version) for asset in grant.voice_assets
    ):
        yield (
            "CON-017",
            "voice_assets",
            "the voice model is not one that the grant names",
            "同意にない音声モデルが使われています",
        )
    if (
        use.voice_asset is not None
        and use.voice_asset.trained_for
        and not set(use.voice_asset.trained_for) & set(use.title_ids)
    ):
        yield (
            "CON-017",
            "voice_asset",
            "the voice model was made for another title",
            "音声モデルは別の作品のために作られました",
        )
    lifecycle = grant.model_lifecycle
    if lifecycle and lifecycle.deletion_due <= at and EventKind.MODEL_DELETED not in history.state(at).happened:
        yield (
            "CON-017",
            "model_lifecycle",
            "the voice model should have been deleted by now",
            "音声モデルの削除期限が過ぎています",
        )
    allowed = {
        t.kind
        for t in grant.training
        if t.use is TrainingUse.ALLOWED or (t.use is TrainingUse.CONSTRAINED and t.constraint_info)
    }
    if trained := sorted(set(use.training) - allowed):
        some = _listed(trained)
        yield (
            "CON-018",
            "training",
            f"the grant does not allow this training: {some}",
            f"同意のない学習が行われました: {some}",
        )


def _same_asset(use: Use, vendor_id: str, voice: str, model_version: str) -> bool:
    asset = use.voice_asset
    return asset is not None and (asset.vendor_id, asset.voice, asset.model_version) == (
        vendor_id,
        voice,
        model_version,
    )
