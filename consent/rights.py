"""Whose title it is, country by country, and what is refused for good: pure functions over claims and refusals.

Nobody, two holders for one right, a claim that a second operator has not confirmed, or one that is contested: each has
its own answer, and none of them is yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from consent import languages
from consent.denials import Denial, Sentence
from consent.events import RecordedEvent, fold
from consent.names import folded
from consent.regions import expand
from consent.strict import Window
from consent.terms import Use
from consent.titles import Claim, Refusal, TitleRecord
from consent.vocabulary import EventKind, Right


@dataclass(frozen=True, slots=True)
class ClaimHistory:
    """A claim, when it was recorded, and its events."""

    claim: Claim
    recorded_at: datetime
    events: tuple[RecordedEvent, ...] = ()

    def stands(self, at: datetime) -> bool:
        """Recorded, and neither withdrawn nor superseded."""
        return self.recorded_at <= at and fold(self.events, known_at=at, born=self.recorded_at).alive(at)

    def confirmed(self, at: datetime) -> bool:
        """Whether a second operator confirmed it."""
        return self.claim.confirmed_by is not None or any(
            e.event.kind is EventKind.CONFIRMED and e.event.by != self.claim.recorded_by and e.counts(at)
            for e in self.events
        )

    def contested(self, at: datetime) -> bool:
        """Whether somebody contests it and that has not been settled."""
        kinds = [e.event.kind for e in sorted(self.events, key=lambda e: e.leaf_index) if e.counts(at)]
        disputes = [k for k in kinds if k in (EventKind.CONTESTED, EventKind.SETTLED)]
        return bool(disputes) and disputes[-1] is EventKind.CONTESTED


@dataclass(frozen=True, slots=True)
class TitleRights:
    """Who must approve, as claims that together cover the release; or what stands in the way (RH-*)."""

    claims: tuple[Claim, ...]
    denials: tuple[Denial, ...]


def title_rights(
    histories: Iterable[ClaimHistory], right: Right, use: Use, at: datetime, *, title: TitleRecord
) -> TitleRights:
    """The claims on `right` that cover the use's language, territories and window, and why they may not suffice.

    A claim on what stands above covers what stands below. RH-010 is unclaimed, RH-011 two holders for one right,
    RH-012 contested, RH-013 not confirmed.
    """
    wanted = expand(use.territories, use.territories_excluded)
    touching = [h for h in histories if _touches(h, right, use, wanted, at, title)]
    covering = [h for h in touching if h.confirmed(at) and _spans(h.claim, use)]
    confirmed = [h for h in touching if h.confirmed(at)]
    reasons = (*_unclaimed(covering, wanted, touching), *_double(confirmed, wanted), *_doubtful(touching, at))
    return TitleRights(tuple(h.claim for h in covering), reasons)


def _touches(
    history: ClaimHistory, right: Right, use: Use, wanted: frozenset[str], at: datetime, title: TitleRecord
) -> bool:
    claim = history.claim
    return (
        claim.title_id in title.title_ids
        and claim.right is right
        and history.stands(at)
        and (not claim.languages or _overlapping(claim.languages, use.language))
        and bool(wanted & _reach(claim))
        and claim.term.overlaps(use.window)
    )


def _reach(claim: Claim) -> frozenset[str]:
    return expand(claim.territories, claim.territories_excluded)


def _spans(claim: Claim, use: Use) -> bool:
    spoken = not claim.languages or any(languages.covers(tag, use.language) for tag in claim.languages)
    return spoken and claim.term.contains(use.window)


def _unclaimed(
    covering: Sequence[ClaimHistory], wanted: frozenset[str], touching: Sequence[ClaimHistory]
) -> Iterator[Denial]:
    missing = sorted(wanted.difference(*(_reach(h.claim) for h in covering)))
    if not missing and wanted:
        return
    some = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
    unsure = any(set(missing) & _reach(h.claim) for h in touching if h not in covering)
    en = f"nobody is known to hold this right throughout the release window for {some or 'no territory at all'}"
    ja = f"次の地域について、公開期間を通じた権利者が登録されていません: {some}"
    yield Denial("RH-010", "claims", Sentence(en + (" (an unconfirmed or shorter claim exists)" if unsure else ""), ja))


def _double(confirmed: Sequence[ClaimHistory], wanted: frozenset[str]) -> Iterator[Denial]:
    for first, second in combinations([h.claim for h in confirmed], 2):
        shared = sorted(wanted & _reach(first) & _reach(second))
        if shared and set(first.holder_ids) != set(second.holder_ids) and first.term.overlaps(second.term):
            some = ", ".join(shared[:8])
            en = f"two claims hold this right for {some}: {first.claim_id}, {second.claim_id}"
            yield Denial(
                "RH-011", "claims", Sentence(en, f"同じ権利に複数の権利者が登録されています: {some}"), second.claim_id
            )


def _doubtful(touching: Sequence[ClaimHistory], at: datetime) -> Iterator[Denial]:
    for history in touching:
        claim_id = history.claim.claim_id
        if history.contested(at):
            text = Sentence(f"the claim {claim_id} is contested", f"権利の主張（{claim_id}）に異議が出ています")
            yield Denial("RH-012", "claims", text, claim_id)
        if not history.confirmed(at):
            en = f"no second operator has confirmed the claim {claim_id}"
            yield Denial("RH-013", "claims", Sentence(en, f"権利の主張（{claim_id}）は確認されていません"), claim_id)


@dataclass(frozen=True, slots=True)
class RefusalHistory:
    """A refusal, when it was recorded, and its events."""

    refusal: Refusal
    recorded_at: datetime
    events: tuple[RecordedEvent, ...] = ()


def refused(
    histories: Iterable[RefusalHistory], use: Use, at: datetime, *, voice_id: str | None = None
) -> tuple[Refusal, ...]:
    """The standing refusals that meet any part of the use; they win over every grant and pack."""
    return tuple(h.refusal for h in histories if _stands(h, use, at) and _meets(h.refusal, use, voice_id))


def refusal_denial(refusal: Refusal) -> Denial:
    """RH-020, in the refuser's own words."""
    words = refusal.words.get("en") or next(iter(refusal.words.values()))
    text = Sentence(
        f"refused for good by {refusal.by}: {words}", f"{refusal.by}が拒否しています: {refusal.words.get('ja', words)}"
    )
    return Denial("RH-020", "refusals", text, refusal.refusal_id)


def _stands(history: RefusalHistory, use: Use, at: datetime) -> bool:
    term = Window(start=history.refusal.not_before, end=history.refusal.not_after)
    known = history.recorded_at <= at
    return known and term.overlaps(use.window) and fold(history.events, known_at=at, born=history.recorded_at).alive(at)


def _meets(refusal: Refusal, use: Use, voice_id: str | None) -> bool:
    by_title = not refusal.title_ids or bool(set(refusal.title_ids) & set(use.title_ids))
    by_voice = not refusal.voice_ids or voice_id in refusal.voice_ids
    by_place = not refusal.territories or bool(expand(refusal.territories) & expand(use.territories))
    return (
        by_title
        and by_voice
        and by_place
        and (not refusal.characters or use.character is None or _named(use.character, refusal.characters))
        and (not refusal.techniques or use.technique in refusal.techniques)
        and (not refusal.languages or any(languages.overlap(tag, use.language) for tag in refusal.languages))
    )


def _named(character: str, characters: Sequence[str]) -> bool:
    """Whether a character is among these, however its name is written: who submits chooses how."""
    return folded(character) in {folded(c) for c in characters}


def _overlapping(tags: Sequence[str], used: str) -> bool:
    """A claim for `fr-CA` touches a dub in `fr` as well as one in `fr-CA`."""
    return any(languages.covers(tag, used) or languages.covers(used, tag) for tag in tags)
