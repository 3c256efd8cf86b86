"""Writes a cue sheet as a W3C DAPT document, such that dapt.py reads the same sheet back."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from dubgate.delivery.cue_times import clock
from dubgate.delivery.script import Cue, CueKind, CueSheet
from dubgate.delivery.ttml_tree import DAPTM, TT, TTA, TTM

_NCNAME = re.compile(r"[A-Za-z_][\w.-]*")


def write_dapt(sheet: CueSheet, *, original_language: str | None = None) -> str:
    """The sheet as a DAPT document (`preRecording`).

    Original texts are written where their language is given. Ids that XML does not allow are left out, the style too.
    """
    actors = dict(sheet.actors)
    ids = {character: f"c{n}" for n, character in enumerate(sheet.characters, 1)}
    agents = "".join(_agent_xml(ids[c], c, actors.get(c)) for c in sheet.characters)
    source = f" daptm:langSrc={quoteattr(original_language)}" if original_language else ""
    events = "".join(_event_xml(cue, ids, original_language) for cue in sheet.cues)
    return (
        f'<tt xmlns="{TT}" xmlns:ttm="{TTM}" xmlns:tta="{TTA}" xmlns:daptm="{DAPTM}"\n'
        '    xmlns:ttp="http://www.w3.org/ns/ttml#parameter"\n'
        '    ttp:contentProfiles="http://www.w3.org/ns/ttml/profile/dapt1.0/content"\n'
        f"    xml:lang={quoteattr(sheet.language or '')}{source}\n"
        '    daptm:scriptType="preRecording" daptm:scriptRepresents="audio">\n'
        f"  <head>\n    <metadata>\n{agents}    </metadata>\n  </head>\n  <body>\n{events}  </body>\n</tt>\n"
    )


def _agent_xml(identifier: str, character: str, actor: str | None) -> str:
    alias = f'<ttm:name type="alias">{escape(character)}</ttm:name>'
    if actor is None:
        return f'      <ttm:agent type="character" xml:id="{identifier}">{alias}</ttm:agent>\n'
    person = (
        f'<ttm:agent type="person" xml:id="a{identifier}"><ttm:name type="full">{escape(actor)}</ttm:name></ttm:agent>'
    )
    plays = f'<ttm:actor agent="a{identifier}"/>'
    return f'      {person}\n      <ttm:agent type="character" xml:id="{identifier}">{alias}{plays}</ttm:agent>\n'


def _event_xml(cue: Cue, ids: dict[str, str], original_language: str | None) -> str:
    kind = "" if cue.kind is CueKind.DIALOGUE else f".x-{cue.kind}"
    attributes = {
        "xml:id": cue.id if _NCNAME.fullmatch(cue.id) else None,
        "begin": clock(cue.span.start_s),
        "end": clock(cue.span.end_s),
        "ttm:agent": ids[cue.character] if cue.character else None,
        "daptm:represents": f"audio.dialogue{kind}",
        "daptm:onScreen": None if cue.on_screen is None else "ON" if cue.on_screen else "OFF",
    }
    head = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items() if value is not None)
    return f"    <div{head}>\n{_original_xml(cue, original_language)}{_dub_xml(cue)}    </div>\n"


def _original_xml(cue: Cue, language: str | None) -> str:
    if language is None or cue.original_text is None:
        return ""
    return f"      <p xml:lang={quoteattr(language)}><span>{escape(cue.original_text)}</span></p>\n"


def _dub_xml(cue: Cue) -> str:
    speak = "" if cue.synthesised is None else f' tta:speak="{"normal" if cue.synthesised else "none"}"'
    language = f" xml:lang={quoteattr(cue.language)}" if cue.language else ""
    return f"      <p{language}><span{speak}>{escape(cue.text)}</span></p>\n" if cue.text else ""
