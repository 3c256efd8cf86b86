"""What a label is to say, where `dubgate label apply` writes it, and what it changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from dubgate.errors import InputError
from dubgate.labels.aigc import aigc_text
from dubgate.labels.tracks import Place
from dubgate.labels.wording import is_ai_label, language_named, speak_alike, unreadable_reason

_MAX_CHARS = 200


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """The text that viewers read, its language (BCP-47), and China's JSON where it is asked for.

    `stream` is the container index of the sound, None where the language or there being one sound tells.
    """

    text: str
    language: str
    stream: int | None = None
    aigc: str | None = None

    @property
    def alpha3(self) -> str:
        """The language as containers of ISO 639-2 want it: "eng" of "en-GB"."""
        import langcodes

        return langcodes.get(self.language).to_alpha3(variant="T")


def planned(text: str, language: str, stream: int | None, producer: str | None, produce_id: str | None) -> LabelPlan:
    """A plan that would be read as a label.

    Raises:
        InputError: a text that no viewer reads as AI, too long, of no known language, or half an AIGC label.
    """
    from dubgate.languages import canonical

    if len(text) > _MAX_CHARS or unreadable_reason(text) or any(c in text for c in '"\n\r'):
        why = unreadable_reason(text) or f"it must be one line of at most {_MAX_CHARS} characters, without quotes"
        raise InputError(f"this text cannot be a label: {why}", where="--text")
    try:
        language = canonical(language)
    except ValueError as error:
        raise InputError(str(error), where="--language") from None
    if not is_ai_label(text, language):
        raise InputError(
            f"{text!r} does not tell a viewer that AI made the sound", where="--text", remedy='such as "English [AI]"'
        )
    named = language_named(text)
    if named is not None and not speak_alike(named, language):
        why = f"{text!r} names another language than {language}"
        raise InputError(why, where="--text, --language", remedy="a label that contradicts its language blocks")
    if (producer is None) != (produce_id is None):
        raise InputError("an AIGC label needs both, the producer and the number", where="--aigc-producer, --aigc-id")
    return LabelPlan(text, language, stream, aigc_text(producer, produce_id or "") if producer else None)


@dataclass(frozen=True, slots=True)
class Change:
    """What one place said before and says now; None: there was, or is, no such place."""

    place: str
    before: str | None
    after: str | None


def changes(before: Iterable[Place], after: Iterable[Place]) -> tuple[Change, ...]:
    """The difference between two readings, place by place."""
    old, new = _by_place(before), _by_place(after)
    found = []
    for place in sorted(old.keys() | new.keys()):
        gone, come = old.get(place, Counter()) - new.get(place, Counter()), new.get(place, Counter())
        come = come - old.get(place, Counter())
        left, right = sorted(gone.elements()), sorted(come.elements())
        pairs = max(len(left), len(right))
        found += [Change(place, _at(left, k), _at(right, k)) for k in range(pairs)]
    return tuple(found)


def _by_place(places: Iterable[Place]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for place in places:
        where = place.place if place.track is None else f"{place.place} of track {place.track}"
        shown = f"{place.text} ({place.language})" if place.language else place.text
        found.setdefault(where, Counter())[shown] += 1
    return found


def _at(items: list[str], k: int) -> str | None:
    return items[k] if k < len(items) else None
