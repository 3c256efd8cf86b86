"""What stands inside the media of a package against what its manifest says of the same entry. Pure.

Players show the manifest's names; who downloads a rendition, or re-wraps it, reads those in its media.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dubgate.labels.tracks import Labels, Place
from dubgate.labels.wording import claims_people, denies_ai, language_named, speak_alike, unreadable_reason
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import failed, said
from dubgate.policy.findings import Finding, Outcome, Text
from dubgate.unmeasured import Unmeasured

PROGRAMME = Subject(Scope.PROGRAMME)
_WHY = Text(
    "the labels agree: with each other, with the language, with what is declared",
    "表示が、互いに、言語と、申告と一致すること",
)
_AGREE = Text("make the labels agree", "表示を一致させてください")
_AGAIN = Text(
    "label the master (dubgate label apply) and package it again, or correct the manifest",
    "マスターに表示を付けて（dubgate label apply）パッケージし直すか、マニフェストを訂正してください",
)
_OF_NO_LANGUAGE = frozenset({"und", "mis", "mul", "zxx"})
_SPOKEN = (" language", " TLAN")  # places that say what is spoken, and nothing else


def disagree(en: str, ja: str, remedy: Text = _AGREE) -> Finding:
    """Labels that contradict each other, or what is declared."""
    return replace(failed("LAB-009", PROGRAMME, en, ja), why=_WHY, remedy=remedy)


def media_findings(labels: Labels, synthetic: bool | Unmeasured) -> Iterator[Finding]:
    """Every contradiction between the media of an entry and the manifest, each once whatever entries repeat it."""
    found: dict[str, Finding] = {}
    for place in labels.places:
        if place.in_media:
            found |= {f.text.en: f for f in _of(place, labels, synthetic)}
    yield from found.values()


def _of(place: Place, labels: Labels, synthetic: bool | Unmeasured) -> Iterator[Finding]:
    yield from _language(place, labels)
    people = claims_people(place.text) if place.names_track else denies_ai(place.text)
    if synthetic is False:
        if place.token == "AIGC" or (place.names_track and place.human_readable):
            yield _machine_in_human(place)
    elif people or place.names_track:
        yield from _name(place, synthetic, people=people)


def _language(place: Place, labels: Labels) -> Iterator[Finding]:
    """The language of the media, and one that a track's name begins with, against that of the entry."""
    wanted = place.entry_language or labels.language
    spoken = place.language if place.place.endswith(_SPOKEN) else None
    named = language_named(place.text) if place.names_track and "MP4" in place.place else None
    for language in (spoken, named):
        if language and wanted and language not in _OF_NO_LANGUAGE and not speak_alike(language, wanted):
            en = f"the media of an entry in {wanted} say {language} ({place.place} “{place.text}”)"
            yield disagree(
                en,
                f"メディア内の言語{language}と項目の言語{wanted}が異なります（{place.place}「{place.text}」）",
                _AGAIN,
            )


def _name(place: Place, synthetic: bool | Unmeasured, *, people: bool) -> Iterator[Finding]:
    told, in_ja = f"{place.place} “{place.text}”", f"{place.place}「{place.text}」"
    if why := unreadable_reason(place.text):
        en = f"a name inside the media cannot be trusted: {told}: {why}"
        yield disagree(en, f"メディア内の名称は信頼できません: {in_ja}", _AGAIN)
    elif people and synthetic is True:
        en = f"the media say that people made what a machine made: {told}"
        yield disagree(en, f"メディア内の名称は人による音声だと述べています: {in_ja}", _AGAIN)
    elif people:
        en = f"the media say that people made it, which is not shown: {told}"
        ja = f"メディア内の名称は人による音声だと述べていますが、示されていません: {in_ja}"
        found = said("LAB-009", PROGRAMME, Outcome.UNKNOWN, en, ja)
        yield replace(found, why=_WHY, remedy=_AGAIN)
    elif synthetic is True and not place.human_readable:
        en = f"the media's own name does not tell that AI made it: {told}"
        found = said("LAB-009", PROGRAMME, Outcome.WARN, en, f"メディア内の名称にAI表示がありません: {in_ja}")
        yield replace(found, why=_WHY, remedy=_AGAIN)


def _machine_in_human(place: Place) -> Finding:
    en = f"the cast is declared as human, and the media say that AI made it: {place.place} “{place.text[:200]}”"
    ja = f"人の吹替と申告されていますがメディア内にAI表示があります: {place.place}「{place.text[:200]}」"
    return said("LAB-001", PROGRAMME, Outcome.HOLD, en, ja)
