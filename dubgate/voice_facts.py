"""What the registry says of each synthetic voice of a delivery, as facts: the grant that the release would rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from consent.terms import Grant
from consent.vocabulary import EvidenceKind, Subject, Technique, TrainingUse
from consent.voices import Voice
from dubgate.clearing import Release
from dubgate.policy.facts import Value
from dubgate.policy.speakers import Declared
from dubgate.unmeasured import Unmeasured

Row: TypeAlias = "Mapping[str, Value | Unmeasured]"

# Techniques by which a machine speaks in the voice of a person who can be told.
CLONING = frozenset(
    {Technique.VOICE_CLONE_TTS, Technique.SPEECH_TO_SPEECH, Technique.VOICE_CONVERSION, Technique.BLEND}
)
NO_END_YEARS = 9999.0  # the term of a grant without an end
_DOCUMENTS = frozenset({EvidenceKind.CONTRACT, EvidenceKind.ESIGN, EvidenceKind.COURT_ORDER})


def voice_rows(release: Release, declared: Sequence[Declared], voices: Mapping[str, Voice]) -> tuple[Row, ...]:
    """One row for each voice whose use is granted; one without a grant blocks by itself (CON-001) and has none."""
    return tuple(_rows(release, declared, voices))


def agreements(declared: Sequence[Declared]) -> tuple[str, ...]:
    """The union agreements that the grants of the voices name, each once."""
    named = (g.cba_ref for d in declared for c in d.clearances for g in c.grants if g.cba_ref is not None)
    return tuple(sorted(set(named)))


def _rows(release: Release, declared: Sequence[Declared], voices: Mapping[str, Voice]) -> Iterator[Row]:
    for entry in declared:
        for clearance in entry.clearances:
            if clearance.cleared:
                grant, voice = clearance.grants[0], voices.get(clearance.voice_id)
                yield {
                    **_making(entry, voice, grant),
                    **_terms(grant, release),
                    **_protection(grant),
                    **_models(grant, release),
                }


def _making(entry: Declared, voice: Voice | None, grant: Grant) -> Row:
    unknown = Unmeasured("the registry does not know the voice")
    from_nobody = voice is not None and voice.subject is Subject.SYNTHETIC
    return {
        "character": entry.name,
        "technique": entry.technique,
        "clone": entry.technique in CLONING and not from_nobody,
        "subject": unknown if voice is None else str(voice.subject),
        "law": _law(grant, voice),
    }


def _law(grant: Grant, voice: Voice | None) -> str:
    """Codes of places by which a law is named, in capitals."""
    lives = () if voice is None or voice.jurisdiction is None else (voice.jurisdiction,)
    return " ".join(dict.fromkeys(law.upper() for law in (*grant.applicable_law, *lives)))


def _terms(grant: Grant, release: Release) -> Row:
    title_id = None if release.title is None else release.title.title.title_id
    end = grant.not_after
    return {
        "representation": str(grant.representation),
        "agreement": grant.cba_ref or "",
        "intended_use_stated": bool(grant.intended_use.strip()),
        "for_this_title": title_id in grant.title_ids,
        "documented": any(e.kind in _DOCUMENTS for e in grant.evidence),
        "paid": grant.compensation is not None,
        "perpetual": end is None,
        "term_years": NO_END_YEARS if end is None else (end - grant.not_before).days / 365.25,
        "credited": grant.credit_text is not None,
        "notice_hours": _notice_hours(grant),
    }


def _notice_hours(grant: Grant) -> float:
    """0 where no notice is recorded: what was not told was not told in time."""
    return 0.0 if grant.notice is None else (grant.not_before - grant.notice.shown_at).total_seconds() / 3600


def _protection(grant: Grant) -> Row:
    return {
        "guardian": grant.minor is not None,
        "estate": grant.estate is not None,
        "survives_death": grant.survives_death,
        "strike_suspends": grant.revocation.strike_suspension,
        "revocable": grant.revocation.revocable,
    }


def _models(grant: Grant, release: Release) -> Row:
    title_ids = set() if release.title is None else set(release.title.title_ids)
    scopes = [asset.trained_for for asset in grant.voice_assets]
    return {
        "models_for_other_titles": any(not set(scope) <= title_ids for scope in scopes),
        "models_scope_told": bool(scopes) and all(scopes),
        "model_deleted_later": grant.model_lifecycle is not None,
        "trainable": tuple(str(t.kind) for t in grant.training if t.use is not TrainingUse.NOT_ALLOWED),
    }
