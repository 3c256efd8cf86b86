"""Labels in a DASH presentation: Label, Role and properties of every audio representation, and what it plays.

ISO/IEC 23009-1. DASH has no value of its own for "made by a machine": the property below carries Apple's HLS token under
a scheme of dubgate's own; a player that does not know it ignores a SupplementalProperty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree.ElementTree import Element

from dubgate.errors import MediaError
from dubgate.labels.anchors import Anchors
from dubgate.labels.bounds import local_name, parse_xml
from dubgate.labels.codecs import AUDIO, sounds
from dubgate.labels.dash_segments import representation_pieces
from dubgate.labels.hls import MACHINE_GENERATED
from dubgate.labels.played import Played, played
from dubgate.labels.tracks import LabelledTrack, Labels, Place
from dubgate.labels.wording import speak_alike
from dubgate.pinned import read_pinned

MACHINE_SCHEME = "urn:dubgate:dash:characteristics:2026"
ROLE_SCHEME = "urn:mpeg:dash:role:2011"
NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
_PROPERTIES = ("SupplementalProperty", "EssentialProperty")
_MAX_ENTRIES = 5_000


@dataclass(frozen=True, slots=True)
class _Entry:
    """One audio representation: the elements from the presentation down to itself, and its number among all."""

    line: tuple[Element, ...]  # MPD, Period, AdaptationSet, Representation
    number: int

    @property
    def choice(self) -> Element:
        return self.line[2]

    @property
    def representation(self) -> Element:
        return self.line[3]


def read_mpd(
    manifest: Path,
    root: Path,
    *,
    language: str | None = None,
    heard_sha256: frozenset[str] | None = None,
    anchors: Anchors | None = None,
) -> Labels:
    """The labels of each audio representation: all, or those in `language` and those that play what was heard.

    Args:
        heard_sha256: digests of what was heard; a representation is that where its initialisation and segments, in
            order, are those bytes. None: nothing was heard, nothing is compared.
        anchors: the authorities of C2PA signers.

    Raises:
        MediaError: malformed, remote, or with segments outside `root` or missing.
    """
    mpd = parse_mpd(manifest)
    read = [_read(e, manifest, root, heard_sha256, anchors) for e in entries_of(mpd, manifest)]
    kept = [t for t in read if language is None or speak_alike(t[0].language or "", language) or t[0].is_what_was_heard]
    open_ = (*(why for _, _, sound in kept for why in sound.unmeasured), *_untold(mpd, manifest))
    unmeasured = tuple(dict.fromkeys(open_))
    places = tuple(p for _, places, _ in kept for p in places)
    manifests = tuple(dict.fromkeys(m for _, _, sound in kept for m in sound.manifests))
    tracks = tuple(track for track, _, _ in kept)
    return Labels(tracks, tuple(_muxed(mpd, manifest)), unmeasured, places, language, manifests)


def parse_mpd(manifest: Path) -> Element:
    """The root of a presentation that stands for itself.

    Raises:
        MediaError: no MPD, no audio, or parts that lie elsewhere (xlink, Location, patches, another presentation that
            players go on with).
    """
    mpd = parse_xml(manifest, "the manifest", read_pinned(manifest))
    if local_name(mpd) != "MPD":
        raise MediaError(f"its root is {local_name(mpd)!r}, not MPD", where=manifest.name)
    elsewhere = {"Location", "PatchLocation", "ImportedMPD"}
    for element in mpd.iter():
        linked = any(key.endswith("}href") for key in element.attrib)
        scheme = element.get("schemeIdUri", "")
        linked = linked or scheme.startswith(("urn:mpeg:dash:chaining:", "urn:mpeg:dash:fallback:"))
        if linked or local_name(element) in elsewhere:
            raise MediaError(f"a part of it lies elsewhere ({local_name(element)})", where=manifest.name)
    return mpd


def entries_of(mpd: Element, manifest: Path) -> list[_Entry]:
    """Every audio representation of every period."""
    found = [
        (mpd, period, choice, representation)
        for period in children(mpd, "Period")
        for choice in children(period, "AdaptationSet")
        for representation in children(choice, "Representation")
        if is_audio(choice, representation)
    ]
    if len(found) > _MAX_ENTRIES:
        raise MediaError(f"it lists {len(found)} audio representations", where=manifest.name)
    return [_Entry(line, k) for k, line in enumerate(found)]


def is_audio(*elements: Element) -> bool:
    """By content type, MIME type or codec of the set or the representation."""
    said = [e.get(key, "") for e in elements for key in ("contentType", "mimeType")]
    codecs = "".join(e.get("codecs", "") for e in elements).lower()
    return any(s.split("/")[0] == "audio" for s in said) or codecs.startswith(AUDIO)


def _muxed(mpd: Element, manifest: Path) -> Iterator[str]:
    """Representations of pictures that carry sound of their own, which no entry can label."""
    for shown in _with_sound(mpd, wanted=True):
        yield f"{manifest.name}: Representation {shown.get('id', '?')!r} has sound of its own, which no entry labels"


def _untold(mpd: Element, manifest: Path) -> Iterator[str]:
    """Representations that say nothing that is known of what is coded in them: they may have sound of their own."""
    for shown in _with_sound(mpd, wanted=None):
        yield (
            f"{manifest.name} does not tell whether Representation {shown.get('id', '?')!r} has sound of its own: "
            "write its codecs"
        )


def _with_sound(mpd: Element, *, wanted: bool | None) -> Iterator[Element]:
    """Representations that are no audio of their own, by whether they sound; texts and stills do not."""
    for choice in (c for period in children(mpd, "Period") for c in children(period, "AdaptationSet")):
        for shown in children(choice, "Representation"):
            said = {e.get(key, "").split("/")[0] for e in (choice, shown) for key in ("contentType", "mimeType")}
            coded = sounds(",".join(filter(None, (e.get("codecs") for e in (choice, shown)))))
            silent = coded is None and said & {"text", "image"}
            if coded is wanted and not silent and not is_audio(choice, shown):
                yield shown


def children(element: Element, name: str) -> list[Element]:
    """Its children of this name, in any namespace."""
    return [e for e in element if local_name(e) == name]


def _read(
    entry: _Entry, manifest: Path, root: Path, heard: frozenset[str] | None, anchors: Anchors | None
) -> tuple[LabelledTrack, tuple[Place, ...], Played]:
    language = entry.representation.get("lang") or entry.choice.get("lang")
    places = tuple(_places(entry, language))
    names = [p.text for p in places if p.names_track]
    sound = played(representation_pieces(entry.line, manifest, root), anchors)
    where = f"{manifest.name}: AdaptationSet {entry.choice.get('id', '?')}, Representation "
    track = LabelledTrack(
        where=where + repr(entry.representation.get("id", str(entry.number))),
        name=names[0] if names else None,
        language=language,
        machine_readable=any(p.token for p in places),
        is_what_was_heard=None if heard is None else sound.sha256 in heard,
    )
    sound = replace(sound, manifests=sound.signed_in(entry.number))
    return track, (*places, *sound.of_entry("DASH", entry.number, language)), sound


def _places(entry: _Entry, language: str | None) -> Iterator[Place]:
    """Labels of the representation first: they are nearer than those of the set (5.3.10)."""
    for level in (entry.representation, entry.choice):
        for element in children(level, "Label"):
            text = (element.text or "").strip()
            yield Place("DASH Label", text, entry.number, element.get("lang") or language, True)
        for element in children(level, "Role"):
            yield Place("DASH Role", element.get("value", ""), entry.number, language)
        for name in _PROPERTIES:
            for element in children(level, name):
                said = element.get("schemeIdUri") == MACHINE_SCHEME and element.get("value") == MACHINE_GENERATED
                text = f"{element.get('schemeIdUri', '')} {element.get('value', '')}".strip()
                yield Place(f"DASH {name}", text, entry.number, language, False, "DASH" if said else None)
