"""The report as one self-contained HTML page: findings first, a timeline, lines that sort and filter, sound to compare."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from dubgate import __version__
from dubgate.delivery.timecode import timecode_at
from dubgate.japanese.telling import in_japanese
from dubgate.judgement import Judgement
from dubgate.policy.findings import Text
from dubgate.report.page_data import page_data
from dubgate.report.page_tables import (
    check_rows,
    group_states,
    line_rows,
    measurement_groups,
    open_reasons,
    outcome_counts,
    reasons,
)
from dubgate.report.phrases import OUTCOMES, QUALITY_ONLY, decided
from dubgate.report.printable import printable
from dubgate.report.release_page import release_page
from dubgate.report.sounds import Sounds

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_UNSAFE = "<>&\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # those that reverse text mislead who reads the source
SCRIPTS = ("words.js", "series.js", "player.js", "figure.js", "timeline.js", "detail.js", "table.js", "page.js")


def render_html(judgement: Judgement, *, sounds: Sounds | None = None, lang: str = "en") -> str:
    """The page as text; it asks nothing of a network, and only the sound kept beside it of the disk.

    Args:
        sounds: clips of lines (see sounds.py); without them the page has no player.
        lang: the language it opens in, `en` or `ja`; the reader can switch.
    """
    sounds = sounds or Sounds()
    data = page_data(judgement) | {
        "why_no_sound": printable(sounds.why_not),
        "why_no_sound_ja": printable(in_japanese(sounds.why_not)),
    }
    clips = {key: [clip.original, clip.dub] for key, clip in sounds.clips.items()}
    return page(
        "report.html.j2",
        SCRIPTS,
        lang=lang,
        data=script_json(data),
        clips=script_json(clips),
        **_shown(judgement),
    )


def page(template: str, scripts: tuple[str, ...], *, lang: str, **context: Any) -> str:
    """A page with its style and scripts inside, and a policy that lets nothing else run."""
    from markupsafe import Markup

    style = read_template("report.css")
    script = '"use strict";(()=>{\n' + "\n".join(map(read_template, scripts)) + "\n})();" if scripts else ""
    return (
        environment()
        .get_template(template)
        .render(
            lang=lang,
            style=Markup(style),
            script=Markup(script),
            policy=_policy(style, script),
            version=__version__,
            **context,
        )
    )


def _policy(style: str, script: str) -> str:
    """Content-Security-Policy: this style and this script by digest, sound from the page or beside it, nothing else."""
    style_sha, script_sha = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)
    )
    return (
        f"default-src 'none'; style-src 'sha256-{style_sha}'; script-src 'sha256-{script_sha}'; "
        "media-src data: 'self' file:; img-src data:; base-uri 'none'; form-action 'none'"
    )


def script_json(data: Any) -> Markup:
    """JSON that is safe inside a script element: nothing in it can end the element or start a comment."""
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for char in _UNSAFE:
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


@cache
def read_template(name: str) -> str:
    """A file of the templates folder."""
    return files("dubgate.report").joinpath("templates").joinpath(name).read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """Templates in which everything is escaped and nothing may be missing."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    made = Environment(
        autoescape=True,
        loader=FunctionLoader(read_template),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["printable"] = printable
    made.filters["told"] = told_of
    made.globals["OUTCOMES"] = {o.name.lower(): text for o, text in OUTCOMES.items()}
    return made


def told_of(reason: str) -> Text:
    """What is kept in English, in both languages; marked as English where it has no Japanese."""
    japanese = in_japanese(reason)
    return Text(reason, "" if japanese == reason else japanese)


def _shown(judgement: Judgement) -> dict[str, Any]:
    """What the page says without its script."""
    verdict, features = judgement.verdict, judgement.features
    word, sentence = decided(verdict)
    found, unjudged = reasons(judgement), open_reasons(judgement)
    return {
        "title": judgement.title,
        "judged_at": judgement.judged_at.strftime("%Y-%m-%d %H:%M UTC"),
        "decision": verdict.decision.name.lower(),
        "word": word,
        "sentence": sentence,
        "quality_only": QUALITY_ONLY if verdict.quality_only else None,
        "groups": group_states(judgement),
        "counts": outcome_counts(judgement),
        "deciding": [r for r in found if r.outcome != "warn"],
        "lead": found[0] if found and found[0].outcome != "warn" else None,
        "open": [r for r in found if r.outcome == "unknown"],
        "unjudged": [o for o in unjudged if o.outcome != "warn"],
        "unnoted": [o for o in unjudged if o.outcome == "warn"],
        "minor": [r for r in found if r.outcome == "warn"],
        "notes": judgement.notes,
        "style_name": judgement.style.value,
        "scripted": judgement.scripted,
        "sheet": judgement.sheet.name,
        "original": features.original,
        "dub": features.dub,
        "length": str(timecode_at(features.dub.duration_s, judgement.clock)),
        "starts": str(timecode_at(0.0, judgement.clock)),
        "frame_rate": f"{float(judgement.clock.frame_rate):.6g}{' DF' if judgement.clock.drop_frame else ''}",
        "release": release_page(judgement),
        "lines": line_rows(judgement),
        "checks": check_rows(judgement),
        "measurements": measurement_groups(judgement),
        "models": features.models,
        "packs": judgement.packs,
    }
