"""A request in plain words: three sentences for somebody who never heard of dubgate, and every field that is decided on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from consent.approvals import Candidate
from consent.requests import Request, RequestKind
from consent.shown import Shown
from consent.terms import Use, VoiceAsset
from consent.views import View
from consent.vocabulary import Technique
from consent.web.catalogue import text, word
from consent.web.protocols import Casting, Dossier, Judge
from consent.web.scope import told_name
from consent.web.wording import length, places, places_short, since, span, spoken, until

TECHNIQUES = frozenset(str(t) for t in Technique)
HUMAN = "human"


@dataclass(frozen=True, slots=True)
class Voiced:
    """A character, who voices it, how it is made, and with which consent; `covered` where a grant covers this use."""

    character: str
    technique: str
    voices: str
    consent: str
    covered: bool


@dataclass(frozen=True, slots=True)
class Story:
    """What a party is told about a request before it decides."""

    title: str
    sentences: tuple[str, ...]
    voiced: tuple[Voiced, ...]
    dossier: Dossier | None
    label: str
    fields: tuple[Shown, ...]
    differs: tuple[str, ...]  # what the gate shows and the request does not name: nothing can be approved then


def dossier_of(judge: Judge | None, request: Request) -> Dossier | None:
    """What the gate knows of the sound that a request is about."""
    delivery_id = judge.of_sound(request.release.packets_sha256) if judge is not None else None
    return judge.dossier(delivery_id) if judge is not None and delivery_id is not None else None


def story_of(view: View, request: Request, dossier: Dossier | None, language: str) -> Story:
    """The story of a request, as the registry and the gate tell it now."""
    release = request.release
    title = view.title(release.title_ids[0])
    name = title.title.name if title is not None else release.title_ids[0]
    voiced = tuple(_voiced(view, release, c, language) for c in (dossier.cast if dossier else ()))
    label = _label(dossier, language)
    told = _Telling(view, request, name, voiced, label, language)
    return Story(
        name, told.sentences(dossier), voiced, dossier, label, tuple(told.fields(dossier)), _differs(release, dossier)
    )


def _differs(release: Candidate, dossier: Dossier | None) -> tuple[str, ...]:
    """Which of the gate's texts are not those that the request names by digest."""
    if dossier is None:
        return ()
    found = []
    if dossier.summary.packets_sha256 != release.packets_sha256:
        found.append("sound")
    if dossier.label_plan is not None and _sha256(dossier.label_plan) != release.label_plan_sha256:
        found.append("label")
    if _sha256(dossier.casting) != release.casting_sha256:
        found.append("casting")
    return tuple(found)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _label(dossier: Dossier | None, language: str) -> str:
    if dossier is None:
        return text("story.label_unknown", language)
    return dossier.label or text("story.label_none", language)


def _voiced(view: View, release: Candidate, casting: Casting, language: str) -> Voiced:
    named = ", ".join(casting.voice_ids) or text("story.no_voice", language)
    how = word("technique", casting.technique, language)
    if casting.technique == HUMAN:
        return Voiced(casting.character, how, named, text("story.human", language), covered=True)
    models = casting.models or (None,) * len(casting.voice_ids)
    asked = ((voice, _use(release, casting, model)) for voice, model in zip(casting.voice_ids, models, strict=True))
    cleared = [view.clear(voice, use, view.now) for voice, use in asked if use is not None]
    grants = [g.grant_id for c in cleared for g in c.grants]
    if cleared and all(c.cleared for c in cleared):
        said = text("story.granted", language, grants=", ".join(dict.fromkeys(grants)))
        return Voiced(casting.character, how, named, said, covered=True)
    reasons = [d.text.ja if language == "ja" else d.text.en for c in cleared for d in c.denials]
    said = "; ".join(dict.fromkeys(reasons)) or text("story.no_grant", language)
    return Voiced(casting.character, how, named, said, covered=False)


def _use(release: Candidate, casting: Casting, model: VoiceAsset | None) -> Use | None:
    if casting.technique not in TECHNIQUES:
        return None
    return Use(
        title_ids=release.title_ids,
        character=casting.character,
        language=release.language,
        territories=release.territories,
        territories_excluded=release.territories_excluded,
        channels=release.channels,
        window=release.window,
        technique=Technique(casting.technique),
        licensee_id=release.submitted_by,
        minutes=0.0,
        voice_asset=model,
    )


@dataclass(frozen=True, slots=True)
class _Telling:
    view: View
    request: Request
    title: str
    voiced: tuple[Voiced, ...]
    label: str
    language: str

    def _t(self, key: str, **values: object) -> str:
        return text(key, self.language, **values)

    def sentences(self, dossier: Dossier | None) -> tuple[str, ...]:
        """Who asks for what; whose voices with which consent; what the audience is told, and what was checked."""
        release, who = self.request.release, told_name(self.view, self.request.asked_by)
        needs = list(dict.fromkeys(self._t(f"need.{w.what}") for w in self.request.wanted))
        approves = any(w.what is RequestKind.APPROVAL for w in self.request.wanted) or not needs
        what = self._t(
            "story.asks" if approves else "story.needs",
            **({} if approves else {"needs": self._t("base.and").join(needs)}),
            who=who,
            title=self.title,
            spoken=spoken(release.language, self.language),
            channels=self._channels(),
            places=places_short(release.territories, release.territories_excluded, self.language),
            start=since(release.window.start, self.language),
            end=until(release.window.end, self.language),
        )
        return (what, self._voices(), self._told(dossier))

    def _voices(self) -> str:
        n, covered = len(self.voiced), sum(v.covered for v in self.voiced)
        if not n:
            return self._t("story.voices_unknown")
        if n == 1:
            return self._t("story.voice_one") if covered else self._t("story.voice_none")
        if not covered:
            return self._t("story.voices_none", n=n)
        return self._t("story.voices_all" if covered == n else "story.voices_some", n=n, covered=covered)

    def _told(self, dossier: Dossier | None) -> str:
        if dossier is None:
            return self._t("story.told_unknown")
        key = "story.told" if dossier.label else "story.told_nothing"
        return self._t(key, label=self.label)

    def _channels(self) -> str:
        return self._joined(word("channel", c, self.language) for c in self.request.release.channels)

    def _joined(self, parts: Iterator[str]) -> str:
        return ("、" if self.language == "ja" else ", ").join(parts)

    def fields(self, dossier: Dossier | None) -> Iterator[Shown]:
        """Every field, as it is shown and as it is signed."""
        release, add = self.request.release, self._field
        yield add("title", f"{self.title} ({release.title_ids[0]})")
        yield add("language", f"{spoken(release.language, self.language)} ({release.language})")
        yield add("territories", places(release.territories, release.territories_excluded, self.language))
        yield add("channels", self._channels())
        yield add("window", span(release.window.start, release.window.end, self.language))
        if release.partners is not None:
            yield add("partners", ", ".join(release.partners))
        yield add("label", self.label)
        for language, words in self._disclosures(dossier):
            yield add("disclosure", f"[{language}] {words}")
        for v in self.voiced:
            yield add("voice", f"{v.character}: {v.voices}; {v.technique}; {v.consent}")
        for clip in dossier.clips if dossier else ():
            yield add("clip", f"{length(clip.start_s)}–{length(clip.end_s)} {clip.character}: {clip.text}")
        yield add("style", word("style", release.style, self.language) if release.style else "–")
        yield add("submitter", told_name(self.view, self.request.asked_by))
        for field in ("packets_sha256", "script_sha256", "original_sha256", "label_plan_sha256", "casting_sha256"):
            yield add(field, getattr(release, field) or "–")

    def _disclosures(self, dossier: Dossier | None) -> Iterator[tuple[str, str]]:
        """The disclosure in the reader's language, and as the dub's audience reads it; that there is none, where so."""
        known = dossier.disclosure if dossier is not None else {}
        spoken_ = self.request.release.language.split("-")[0]
        chosen = [tag for tag in dict.fromkeys((self.language, spoken_)) if tag in known] or sorted(known)
        if not chosen:
            yield self.language, self._t("story.no_disclosure")
        yield from ((tag, known[tag]) for tag in chosen)

    def _field(self, what: str, said: str) -> Shown:
        return Shown(what=self._t(f"field.{what}"), said=said or "–")


def approves_sound(request: Request) -> bool:
    """Whether a request asks for the approval of a sound."""
    return any(w.what is RequestKind.APPROVAL for w in request.wanted)


Clock = Callable[[], datetime]
