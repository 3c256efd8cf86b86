"""TTML as a small tree that knows its lines; XML with a DTD, entities or external references is refused."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, cast
from xml.sax import SAXException, handler
from xml.sax.xmlreader import AttributesNSImpl, InputSource, Locator

from dubgate.delivery.cue_times import smpte_s
from dubgate.errors import CueError

TT = "http://www.w3.org/ns/ttml"
TTM = "http://www.w3.org/ns/ttml#metadata"
TTP = "http://www.w3.org/ns/ttml#parameter"
TTS = "http://www.w3.org/ns/ttml#styling"
TTA = "http://www.w3.org/ns/ttml#audio"
DAPTM = "http://www.w3.org/ns/ttml/profile/dapt#metadata"
XML = "http://www.w3.org/XML/1998/namespace"

MAX_DEPTH = 64
MAX_ELEMENTS = 1_000_000
Name = tuple[str | None, str]  # namespace and local name

_OFFSET = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")
_CLOCK = re.compile(r"(\d{2,4}):([0-5]\d):([0-5]\d)(?:\.(\d{1,9})|:(\d{2,3}))?")


@dataclass(slots=True)
class Node:
    """An element; `children` are elements and pieces of text in order."""

    tag: Name
    attributes: dict[Name, str]
    line: int
    children: list[Node | str] = field(default_factory=list)

    def get(self, namespace: str | None, local: str) -> str | None:
        return self.attributes.get((namespace, local))

    def elements(self, local: str, namespace: str = TT) -> list[Node]:
        """The direct children of that name."""
        return [c for c in self.children if isinstance(c, Node) and c.tag == (namespace, local)]

    def find_all(self, local: str, namespace: str = TT) -> list[Node]:
        """All descendants of that name, in order."""
        found: list[Node] = []
        for child in self.children:
            if isinstance(child, Node):
                found += [child] if child.tag == (namespace, local) else []
                found += child.find_all(local, namespace)
        return found


class _Tree(handler.ContentHandler):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.root, self.open, self.count = name, cast("Node | None", None), list[Node](), 0

    def setDocumentLocator(self, locator: Locator) -> None:
        self.locator = locator

    def startElementNS(self, name: Name, qname: str | None, attrs: AttributesNSImpl) -> None:
        line = self.locator.getLineNumber() or 1
        self.count += 1
        if len(self.open) >= MAX_DEPTH or self.count > MAX_ELEMENTS:
            raise CueError("too many elements, or nested too deep", where=f"{self.name}:{line}")
        node = Node(name, dict(attrs.items()), line)
        if self.open:
            self.open[-1].children.append(node)
        self.root = self.root or node
        self.open.append(node)

    def endElementNS(self, name: Name, qname: str | None) -> None:
        self.open.pop()

    def characters(self, content: str) -> None:
        self.open[-1].children.append(content)


def parse_ttml(text: str, name: str) -> Node:
    """The root `tt` element.

    Raises:
        CueError: at `file:line`: not well-formed, a DTD or an entity, another kind of XML.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.expatreader import create_parser

    tree, parser, source = _Tree(name), cast(Any, create_parser(forbid_dtd=True)), InputSource()
    parser.setFeature(handler.feature_namespaces, True)
    parser.setContentHandler(tree)
    source.setCharacterStream(io.StringIO(text))
    try:
        parser.parse(source)
    except DefusedXmlException:
        what = "a DTD, an entity or an external reference"
        raise CueError(what, where=f"{name}:{parser.getLineNumber() or 1}") from None
    except SAXException as error:
        raise CueError(
            f"not well-formed XML ({error.getMessage()})", where=f"{name}:{parser.getLineNumber() or 1}"
        ) from None
    if tree.root is None or tree.root.tag != (TT, "tt"):
        raise CueError("XML, but not TTML", where=f"{name}:1")
    return tree.root


@dataclass(frozen=True, slots=True)
class TimeBase:
    """How the document writes times (TTML2, 12.3 and 7.2): `frames_per_s` with its multiplier, and ticks."""

    frames_per_s: Fraction
    ticks_per_s: Fraction
    smpte: bool = False
    drop: bool = False

    def seconds(self, text: str) -> float:
        """A time expression in seconds.

        Raises:
            ValueError: not a time expression, or a frame the rate does not have.
        """
        if match := _OFFSET.fullmatch(text):
            per_unit = {
                "h": Fraction(3600),
                "m": Fraction(60),
                "s": Fraction(1),
                "ms": Fraction(1, 1000),
                "f": 1 / self.frames_per_s,
                "t": 1 / self.ticks_per_s,
            }
            return float(Fraction(match[1]) * per_unit[match[2]])
        match = _CLOCK.fullmatch(text)
        if match is None:
            raise ValueError(f"{text[:40]!r} is not a time expression" + (", and negative" if text[:1] == "-" else ""))
        whole = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])
        if match[5] is not None or self.smpte:
            return self._with_frames(whole, int(match[5] or 0))
        return float(whole + Fraction(f"0.{match[4] or 0}"))

    def _with_frames(self, whole: int, frames: int) -> float:
        if self.smpte:
            return smpte_s(whole, frames, self.frames_per_s, drop=self.drop)
        if frames >= round(self.frames_per_s):
            raise ValueError(f"frame {frames} does not exist at {float(self.frames_per_s):g} frames a second")
        return float(whole + frames / self.frames_per_s)


def time_base(root: Node, name: str) -> TimeBase:
    """The document's time parameters.

    Raises:
        CueError: parameters that are not numbers, or a time base without programme time.
    """
    base = root.get(TTP, "timeBase") or "media"
    mode = root.get(TTP, "dropMode") or "nonDrop"
    if base not in ("media", "smpte") or mode not in ("nonDrop", "dropNTSC"):
        raise CueError(f"times of base {base} ({mode}) are not programme times", where=f"{name}:{root.line}")
    try:
        rate = root.get(TTP, "frameRate")
        sub_frames = int(root.get(TTP, "subFrameRate") or 1)
        frames_per_s = _number(rate or "30") * _ratio(root.get(TTP, "frameRateMultiplier") or "1 1")
        ticks = _number(root.get(TTP, "tickRate") or (str(int(rate) * sub_frames) if rate else "1"))
    except (ValueError, ZeroDivisionError):
        raise CueError("the frame or tick rate is not a positive number", where=f"{name}:{root.line}") from None
    return TimeBase(frames_per_s, ticks, base == "smpte", mode == "dropNTSC")


def _number(text: str) -> Fraction:
    if not re.fullmatch(r"\d{1,9}", text) or int(text) == 0:
        raise ValueError(text)
    return Fraction(int(text))


def _ratio(text: str) -> Fraction:
    top, bottom = re.split(r"[\s:]+", text.strip())
    return _number(top) / _number(bottom)
