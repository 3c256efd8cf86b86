"""TTML and W3C DAPT (Dubbing and Audio description Profiles of TTML2): characters, actors, languages, on screen.

A cue is a DAPT script event (a `div` with times whose `p` are its texts, one a language) or, elsewhere, a `p` with
times. The dub's text is the one in the dub's language; the one in the source language is kept as the original's. What
only the picture shows, and sounds that nobody voices, are no cues. A kind is written as `daptm:represents`
`audio.dialogue.x-song`, or as a mark at the start of the text.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dubgate.delivery.draft import Draft, SheetDraft
from dubgate.delivery.marks import take_marks
from dubgate.delivery.script import CueKind
from dubgate.delivery.ttml_tree import DAPTM, TT, TTA, TTM, TTS, XML, Node, parse_ttml, time_base
from dubgate.errors import CueError
from dubgate.languages import canonical, same_language

_SCRIPT_TYPES = ("originalTranscript", "translatedTranscript", "preRecording", "asRecorded")
_ON_SCREEN = {"ON": True, "ON_OFF": True, "OFF_ON": True, "OFF": False}  # partly seen is seen: lips show
_TIMES = ("begin", "end", "dur")


@dataclass(frozen=True, slots=True)
class _Context:
    """What an element inherits: its active interval in seconds, and what is said of the texts in it."""

    start_s: float
    end_s: float
    timed: bool
    language: str | None
    source: str | None
    agents: tuple[str, ...] = ()
    represents: str = ""
    on_screen: bool | None = None


@dataclass(frozen=True, slots=True)
class _Text:
    """One language's text of an event."""

    language: str | None
    source: str | None
    text: str
    synthesised: bool | None


def read_ttml(text: str, name: str, *, language: str | None) -> SheetDraft:
    """A TTML document; `language` is the dub's, by default the document's own.

    Raises:
        CueError: at `file:line`: hostile or broken XML, times or references that make no sense, an event that has
            text but none in the dub's language.
    """
    return _Reader(parse_ttml(text, name), name, language).sheet()


class _Reader:
    def __init__(self, root: Node, name: str, language: str | None) -> None:
        self.root, self.name, self.times = root, name, time_base(root, name)
        kind = root.get(DAPTM, "scriptType")
        if kind is not None and kind not in _SCRIPT_TYPES:
            raise self._error(root, f"unknown daptm:scriptType {kind!r}")
        self.is_dapt = kind is not None
        self.context = self._inside(root, _Context(0.0, math.inf, False, None, None))
        self.wanted = language or self.context.language or self._only_language()
        self.agents = {a.get(XML, "id") or "": a for a in root.find_all("agent", TTM)}
        self.draft = SheetDraft(language=self.wanted, ordered=False)

    def sheet(self) -> SheetDraft:
        own = self.context.language
        if own and self.wanted and same_language(own, self.wanted):
            self.draft.language = own
        for body in self.root.elements("body"):
            self._walk(body, self._inside(body, self.context))
        self.draft.actors = dict(self._actors())
        return self.draft

    def _only_language(self) -> str | None:
        found = {self._language(p, None) for p in self.root.find_all("p")} - {None}
        if len(found) > 1:
            raise self._error(self.root, "texts in several languages, and none named as the dub's")
        return next(iter(found), None)

    def _error(self, node: Node, what: str) -> CueError:
        return CueError(what, where=f"{self.name}:{node.line}")

    def _inside(self, node: Node, outer: _Context) -> _Context:
        """The context of an element, from its attributes and what it inherits."""
        if node.get(None, "timeContainer") not in (None, "par"):
            raise self._error(node, "sequential time containers are not read")
        start, end = self._interval(node, outer)
        on_screen = node.get(DAPTM, "onScreen")
        if on_screen is not None and on_screen not in _ON_SCREEN:
            raise self._error(node, f"unknown daptm:onScreen {on_screen!r}")
        return _Context(
            start,
            end,
            outer.timed or any(node.get(None, key) is not None for key in _TIMES),
            self._language(node, outer.language),
            self._source(node, outer.source),
            tuple((node.get(TTM, "agent") or "").split()) or outer.agents,
            node.get(DAPTM, "represents") or outer.represents,
            outer.on_screen if on_screen is None else _ON_SCREEN[on_screen],
        )

    def _interval(self, node: Node, outer: _Context) -> tuple[float, float]:
        """Absolute begin and end: both are counted from the parent's begin and end with it at the latest."""
        begin, end, dur = (self._time(node, key) for key in _TIMES)
        start = outer.start_s + (begin or 0.0)
        ends = [outer.end_s]
        if end is not None:
            ends.append(outer.start_s + end)
        if dur is not None:
            ends.append(start + dur)
        return start, min(ends)

    def _time(self, node: Node, key: str) -> float | None:
        text = node.get(None, key)
        try:
            return None if text is None else self.times.seconds(text.strip())
        except ValueError as error:
            raise self._error(node, f"{key}: {error}") from None

    def _language(self, node: Node, inherited: str | None) -> str | None:
        return self._tag(node, node.get(XML, "lang"), inherited)

    def _source(self, node: Node, inherited: str | None) -> str | None:
        return self._tag(node, node.get(DAPTM, "langSrc"), inherited)

    def _tag(self, node: Node, tag: str | None, inherited: str | None) -> str | None:
        if tag is None:
            return inherited
        try:
            return canonical(tag) if tag else None
        except ValueError as error:
            raise self._error(node, f"unknown language: {error}") from None

    def _walk(self, node: Node, context: _Context) -> None:
        texts = node.elements("p")
        inner = [(p, self._inside(p, context)) for p in texts]
        together = context.timed and not any(p.get(None, key) is not None for p in texts for key in _TIMES)
        divs = node.elements("div")
        if together and (texts or (self.is_dapt and not divs and node.tag == (TT, "div"))):
            self._event(node, context, inner)
        else:
            for p, own in inner:
                self._event(p, own, [(p, own)])
        for div in divs:
            self._walk(div, self._inside(div, context))

    def _event(self, node: Node, context: _Context, texts: list[tuple[Node, _Context]]) -> None:
        if any(own.agents for _, own in texts):
            context = replace(context, agents=tuple(dict.fromkeys(a for _, own in texts for a in own.agents)))
        if _is_no_voice(context):
            return
        start, end = self._event_interval(node, context)
        chosen, original = self._choose(node, [self._text(p, own) for p, own in texts])
        draft = Draft(node.line, start, end, chosen.text if chosen else "", explicit_character=bool(context.agents))
        draft.id, draft.on_screen, draft.kind = node.get(XML, "id"), context.on_screen, _kind_of(context.represents)
        take_marks(draft, f"{self.name}:{node.line}")
        if context.agents:
            draft.character = " & ".join(self._agent_name(node, a) for a in context.agents)
            draft.kind = draft.kind or (CueKind.CROWD if len(context.agents) > 1 else None)
        if chosen is not None:
            draft.synthesised = chosen.synthesised
            draft.language = draft.language or self._other(chosen.language)
        draft.original_text = original
        self.draft.add(draft, self.name)

    def _event_interval(self, node: Node, context: _Context) -> tuple[float, float]:
        if not context.timed:
            spans = [self._inside(s, context) for s in node.find_all("span")]
            hull = [s for s in spans if s.timed]
            if hull:
                return min(s.start_s for s in hull), max(s.end_s for s in hull)
        if not context.timed or math.isinf(context.end_s):
            raise self._error(node, "a text without begin and end")
        return context.start_s, context.end_s

    def _text(self, p: Node, context: _Context) -> _Text:
        spoken = [s.get(TTA, "speak") for s in [p, *p.find_all("span")] if s.get(TTA, "speak") is not None]
        speaks = None if not spoken else any(s != "none" for s in spoken)
        return _Text(context.language, context.source, " ".join("".join(_words(p)).split()), speaks)

    def _choose(self, node: Node, texts: list[_Text]) -> tuple[_Text | None, str | None]:
        """The dub's text, and the original's if there is one beside it."""
        texts = [t for t in texts if t.text]
        if not texts:
            return None, None
        dub = [t for t in texts if self._other(t.language) is None]
        source = [t for t in texts if t not in dub and t.language and t.language == t.source]
        others = [t for t in texts if t not in dub and t not in source]
        chosen = dub or others
        if not chosen:
            raise self._error(node, f"no text in {self.wanted}, only in {source[0].language}")
        if len({t.language for t in chosen}) > 1:
            raise self._error(node, f"no text in {self.wanted}, but in several other languages")
        joined = replace(chosen[0], text=" ".join(t.text for t in chosen))
        return joined, " ".join(t.text for t in source) or None

    def _other(self, language: str | None) -> str | None:
        """The language, where it is not the dub's."""
        return language if language and self.wanted and not same_language(language, self.wanted) else None

    def _agent(self, node: Node, reference: str) -> Node:
        if reference not in self.agents:
            raise self._error(node, f"no ttm:agent has the id {reference!r}")
        return self.agents[reference]

    def _agent_name(self, node: Node, reference: str) -> str:
        agent = self._agent(node, reference)
        names = agent.elements("name", TTM)
        aliases = [n for n in names if n.get(None, "type") == "alias"]
        name = " ".join("".join(_words(n)) for n in (aliases or names)[:1])
        if not name.strip():
            raise self._error(agent, f"the agent {reference!r} has no name")
        return " ".join(name.split())

    def _actors(self) -> Iterator[tuple[str, str]]:
        for identifier, agent in self.agents.items():
            for actor in agent.elements("actor", TTM):
                yield self._agent_name(agent, identifier), self._agent_name(agent, actor.get(None, "agent") or "")


def _is_no_voice(context: _Context) -> bool:
    """What the picture shows (signs, writing), and sounds that no character makes."""
    silent = ("visual", "audio.nonDialogueSounds")
    return not context.agents and context.represents.startswith(silent)


def _kind_of(represents: str) -> str | None:
    last = represents.rsplit(".", 1)[-1]
    if last.startswith("x-") and last[2:] in set(CueKind):
        return last[2:]
    return CueKind.EFFORT if represents.startswith("audio.nonDialogueSounds") else None


def _words(node: Node) -> Iterator[str]:
    """The text that is read aloud: neither metadata nor the reading aid of ruby."""
    for child in node.children:
        if isinstance(child, str):
            yield child
        elif child.tag == (TT, "br"):
            yield " "
        elif child.tag == (TT, "span") and child.get(TTS, "ruby") not in ("text", "textContainer", "delimiter"):
            yield from _words(child)
