"""The files that a DASH representation plays: base URL, segment list or segment template (ISO/IEC 23009-1, 5.3.9)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from dubgate.errors import MediaError
from dubgate.labels.bounds import local_name
from dubgate.labels.segments import Piece, inside

_MAX_SEGMENTS = 100_000
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?")
_VARIABLE = re.compile(r"\$(?:(RepresentationID|Number|Bandwidth|Time)(?:%0(\d{1,2})d)?)?\$")
_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})")


def representation_pieces(line: tuple[Element, ...], manifest: Path, root: Path) -> Iterator[Piece]:
    """Initialisation and segments, in order; `line` is MPD, Period, AdaptationSet, Representation.

    Raises:
        MediaError: outside `root`, missing, without end, or addressed in a way that is not read.
    """
    for address, byterange in _each(line, manifest):
        path = inside(manifest.parent, address, root, named_by=manifest.name)
        first, length = _bytes(byterange, manifest)
        yield Piece(path, first, length)


def addresses_of(line: tuple[Element, ...], manifest: Path) -> Iterator[str]:
    """The same as addresses, as the manifest writes them; whether something lies there is not asked.

    Raises:
        MediaError: none, without end, or in a way that is not read.
    """
    return (address for address, _ in _each(line, manifest))


def _each(line: tuple[Element, ...], manifest: Path) -> Iterator[tuple[str, str | None]]:
    """Address and byte range of each piece."""
    base = "".join(_base_url(element, manifest) for element in line)
    seen = 0
    for uri, byterange in _addresses(line, manifest, whole=base):
        seen += 1
        if seen > _MAX_SEGMENTS:
            raise MediaError(f"more than {_MAX_SEGMENTS:,} segments", where=manifest.name)
        yield uri if uri == base else base.rpartition("/")[0] + "/" * ("/" in base) + uri, byterange
    if not seen:
        raise MediaError("a representation names no segment", where=manifest.name)


def _base_url(element: Element, manifest: Path) -> str:
    """The base URL that a level adds; several alternatives cannot all be what was heard."""
    found = [(e.text or "").strip() for e in element if local_name(e) == "BaseURL"]
    if len(found) > 1:
        raise MediaError(f"{local_name(element)} has {len(found)} base URLs", where=manifest.name)
    url = found[0] if found else ""
    if found and local_name(element) != "Representation" and not url.endswith("/") and url:
        raise MediaError(f"the base URL {url!r} of {local_name(element)} names no folder", where=manifest.name)
    return url


def _addresses(line: tuple[Element, ...], manifest: Path, *, whole: str) -> Iterator[tuple[str, str | None]]:
    """URI and byte range of each piece."""
    _refuse_two_ways(line, manifest)
    by_list, template = _lowest(line, "SegmentList"), _lowest(line, "SegmentTemplate")
    if template is not None:
        yield from _of_template(template, line, manifest)
    elif by_list is not None:
        for element in by_list:
            if local_name(element) == "Initialization":
                yield element.get("sourceURL") or whole, element.get("range")
            elif local_name(element) == "SegmentURL":
                yield element.get("media") or whole, element.get("mediaRange")
    elif whole and not whole.endswith("/"):
        yield whole, None


def _lowest(line: tuple[Element, ...], name: str) -> Element | None:
    for element in reversed(line[1:]):
        found = [e for e in element if local_name(e) == name]
        if found:
            return found[0]
    return None


_WAYS = ("SegmentBase", "SegmentList", "SegmentTemplate")


def _refuse_two_ways(line: tuple[Element, ...], manifest: Path) -> None:
    """What one level says is inherited by the next (5.3.9.1), and players merge it in more ways than one."""
    found = [e for level in line for e in level if local_name(e) in _WAYS]
    if len(found) > 1:
        raise MediaError("its segments are addressed at more than one level, or in two ways", where=manifest.name)
    rows = [row for e in found for row in e.iter() if local_name(row) in ("SegmentTemplate", "S")]
    more = {key for row in rows for key in row.attrib} - _ADDRESSES
    if more:
        raise MediaError(f"its segments are addressed by {', '.join(sorted(more))}, not read here", where=manifest.name)


# Of a template and its timeline, what is read, and what does not change which segments are played.
_ADDRESSES = frozenset(
    (
        *("media", "initialization", "startNumber", "duration", "timescale", "presentationTimeOffset", "t", "d", "r"),
        *("availabilityTimeOffset", "availabilityTimeComplete", "index"),
    )
)


def _of_template(template: Element, line: tuple[Element, ...], manifest: Path) -> Iterator[tuple[str, None]]:
    representation = line[3]
    fixed = {"RepresentationID": representation.get("id", ""), "Bandwidth": representation.get("bandwidth", "0")}
    media = template.get("media")
    if template.get("initialization"):
        yield _filled(template.get("initialization", ""), fixed, manifest), None
    if not media:
        raise MediaError("a SegmentTemplate without media", where=manifest.name)
    number = _whole(template.get("startNumber", "1"), manifest)
    for k, time in enumerate(_times(template, line, manifest)):
        yield _filled(media, fixed | {"Number": str(number + k), "Time": str(time)}, manifest), None


def _times(template: Element, line: tuple[Element, ...], manifest: Path) -> Iterator[int]:
    """Start of each segment in units of the template's timescale."""
    timeline = next((e for e in template if local_name(e) == "SegmentTimeline"), None)
    if timeline is not None:
        yield from _of_timeline(timeline, manifest)
        return
    each = _whole(template.get("duration", "0"), manifest)
    seconds = _seconds(line[1].get("duration") or line[0].get("mediaPresentationDuration") or "", manifest)
    if not each:
        raise MediaError("a SegmentTemplate without duration or timeline", where=manifest.name)
    scale = _whole(template.get("timescale", "1"), manifest)
    count = math.ceil(seconds * scale / each - 1e-9)
    if count > _MAX_SEGMENTS:
        raise MediaError(f"more than {_MAX_SEGMENTS:,} segments", where=manifest.name)
    yield from range(0, count * each, each)


def _of_timeline(timeline: Element, manifest: Path) -> Iterator[int]:
    time, seen = 0, 0
    for row in timeline:
        time = _whole(row.get("t", str(time)), manifest)
        each, repeats = _whole(row.get("d", ""), manifest), row.get("r", "0")
        if not repeats.isdecimal():
            raise MediaError("a segment timeline without end", where=manifest.name)
        seen += int(repeats) + 1
        if seen > _MAX_SEGMENTS:
            raise MediaError(f"more than {_MAX_SEGMENTS:,} segments", where=manifest.name)
        for _ in range(int(repeats) + 1):
            yield time
            time += each


def _filled(template: str, values: dict[str, str], manifest: Path) -> str:
    def value(match: object) -> str:
        assert isinstance(match, re.Match)
        name, width = match.group(1), match.group(2)
        if name is None:
            return "$"
        if name not in values:
            raise MediaError(f"{name} cannot be filled in {template!r}", where=manifest.name)
        return values[name].zfill(int(width)) if width else values[name]

    return _VARIABLE.sub(value, template)


def _bytes(byterange: str | None, manifest: Path) -> tuple[int, int | None]:
    """First byte and length of "0-499"; both ends count."""
    if byterange is None:
        return 0, None
    found = _RANGE.fullmatch(byterange)
    if found is None or int(found[1]) > int(found[2]):
        raise MediaError(f"{byterange!r} is not a byte range", where=manifest.name)
    return int(found[1]), int(found[2]) - int(found[1]) + 1


def _whole(text: str, manifest: Path) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise MediaError(f"{text!r} is not a whole number", where=manifest.name)
    return int(text)


def _seconds(text: str, manifest: Path) -> float:
    """Seconds of an xs:duration such as PT1M3.5S."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise MediaError(f"{text!r} is no duration of the presentation", where=manifest.name)
    try:
        days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    except ValueError:
        raise MediaError(f"{text!r} is no duration of the presentation", where=manifest.name) from None
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
