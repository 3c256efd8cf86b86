"""Write a label into an HLS master playlist or a DASH manifest: the entries of one language, every other line as it was."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from dubgate.errors import MediaError
from dubgate.labels.dash import MACHINE_SCHEME, NAMESPACE, ROLE_SCHEME, children, entries_of, parse_mpd
from dubgate.labels.hls import MACHINE_GENERATED
from dubgate.labels.plan import LabelPlan
from dubgate.labels.wording import speak_alike

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')


def labelled_master(text: str, plan: LabelPlan, *, where: str) -> str:
    """The playlist with the label as NAME and Apple's token in CHARACTERISTICS of each entry in the plan's language.

    Raises:
        MediaError: no entry is in that language, or two of one group would have one name.
    """
    lines, n_written = text.splitlines(keepends=True), 0
    for k, line in enumerate(lines):
        if line.startswith("#EXT-X-MEDIA:"):
            attributes = dict(_ATTRIBUTE.findall(line.rstrip("\r\n").partition(":")[2]))
            if attributes.get("TYPE") == "AUDIO" and speak_alike(
                attributes.get("LANGUAGE", "").strip('"'), plan.language
            ):
                ending = line[len(line.rstrip("\r\n")) :]
                lines[k] = "#EXT-X-MEDIA:" + ",".join(f"{a}={v}" for a, v in _labelled(attributes, plan)) + ending
                n_written += 1
    if not n_written:
        raise MediaError(f"no audio entry is marked as {plan.language}", where=where)
    return "".join(lines)


def _labelled(attributes: dict[str, str], plan: LabelPlan) -> list[tuple[str, str]]:
    said = [c for c in attributes.get("CHARACTERISTICS", "").strip('"').split(",") if c]
    tokens = said if MACHINE_GENERATED in said else [*said, MACHINE_GENERATED]
    new = {"NAME": f'"{plan.text}"', "CHARACTERISTICS": f'"{",".join(tokens)}"'}
    return list({**attributes, **new}.items())


def labelled_mpd(manifest: Path, plan: LabelPlan) -> bytes:
    """The presentation with Label, Role "dub" and dubgate's property in each audio set of the plan's language.

    Raises:
        MediaError: the manifest cannot be read, or no audio set is in that language.
    """
    mpd = parse_mpd(manifest)
    choices = {id(e.choice): e.choice for e in entries_of(mpd, manifest)}
    chosen = [c for c in choices.values() if speak_alike(c.get("lang", ""), plan.language)]
    if not chosen:
        raise MediaError(f"no audio AdaptationSet is marked as {plan.language}", where=manifest.name)
    for choice in chosen:
        _label_set(choice, plan)
    for prefix, uri in _namespaces(manifest):
        ElementTree.register_namespace(prefix, uri)
    ElementTree.register_namespace("", NAMESPACE)
    return bytes(ElementTree.tostring(mpd, encoding="utf-8", xml_declaration=True)) + b"\n"


# What comes before these in an AdaptationSet, by the schema's order (23009-1, 5.3.3.3).
_BEFORE_PROPERTY = frozenset(
    {"FramePacking", "AudioChannelConfiguration", "ContentProtection", "OutputProtection", "EssentialProperty"}
)
_BEFORE_LABEL = _BEFORE_PROPERTY | {
    *("SupplementalProperty", "InbandEventStream", "Switching", "RandomAccess", "GroupLabel"),
}
_BEFORE_ROLE = _BEFORE_LABEL | {
    "Label",
    "ProducerReferenceTime",
    "ContentPopularityRate",
    "ContentSteering",
    "Accessibility",
}


def _label_set(choice: ElementTree.Element, plan: LabelPlan) -> None:
    for representation in children(choice, "Representation"):
        for old in children(representation, "Label"):  # it is nearer than the set's, and would win
            representation.remove(old)
    for old in children(choice, "Label"):
        choice.remove(old)
    tag = "{" + NAMESPACE + "}"
    if not any(e.get("schemeIdUri") == MACHINE_SCHEME for e in children(choice, "SupplementalProperty")):
        fields = {"schemeIdUri": MACHINE_SCHEME, "value": MACHINE_GENERATED}
        _insert(choice, ElementTree.Element(f"{tag}SupplementalProperty", fields), _BEFORE_PROPERTY)
    label = ElementTree.Element(f"{tag}Label", {"lang": plan.language})
    label.text = plan.text
    _insert(choice, label, _BEFORE_LABEL)
    if not any(e.get("schemeIdUri") == ROLE_SCHEME and e.get("value") == "dub" for e in children(choice, "Role")):
        _insert(choice, ElementTree.Element(f"{tag}Role", {"schemeIdUri": ROLE_SCHEME, "value": "dub"}), _BEFORE_ROLE)


def _insert(parent: ElementTree.Element, new: ElementTree.Element, before: frozenset[str]) -> None:
    """After the last child that the schema wants before it."""
    places = [k for k, e in enumerate(parent) if e.tag.rpartition("}")[2] in before]
    new.tail = parent.text
    parent.insert(places[-1] + 1 if places else 0, new)


def _namespaces(manifest: Path) -> list[tuple[str, str]]:
    head = manifest.read_bytes()[:65_536].decode("utf-8", "replace")
    found = re.findall(r'xmlns:([A-Za-z_][\w.-]*)="([^"]+)"', head)
    return [(prefix, uri) for prefix, uri in found if not re.fullmatch(r"ns\d+|xml", prefix)]
