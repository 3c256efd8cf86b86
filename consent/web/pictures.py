"""Pictures as SVG without script or style: melody and level of a line beside its original, uses over time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import log2

from markupsafe import escape

from consent.web.catalogue import text
from consent.web.protocols import Curves

WIDTH, HEIGHT, GAP = 640, 150, 10
LOW_HZ, HIGH_HZ = 60.0, 480.0
LOW_DB, HIGH_DB = -70.0, 0.0
COLOURS = {"original": "#6b7a90", "dub": "#0f766e"}


def contour(curves: Curves, language: str) -> str:
    """Two lines of melody over two areas of level: the original grey, the dub green."""
    parts = [_area(curves.level[w], COLOURS[w]) for w in ("original", "dub") if curves.level.get(w)]
    parts += [_melody(curves.f0[w], COLOURS[w]) for w in ("original", "dub") if curves.f0.get(w)]
    return _svg(WIDTH, HEIGHT, text("picture.contour", language), "".join(parts))


def _svg(width: int, height: int, title: str, inside: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
    return f'{head} preserveAspectRatio="none"><title>{escape(title)}</title>{inside}</svg>'


def _area(values: Sequence[float], colour: str) -> str:
    """Level as a filled area in the lower half."""
    n = max(1, len(values) - 1)
    base, top = HEIGHT, HEIGHT * 0.55
    points = [
        f"{WIDTH * k / n:.1f},{base - (base - top) * min(1.0, max(0.0, (v - LOW_DB) / (HIGH_DB - LOW_DB))):.1f}"
        for k, v in enumerate(values)
    ]
    return f'<polygon fill="{colour}" fill-opacity="0.28" points="0,{base} {" ".join(points)} {WIDTH},{base}"/>'


def _melody(values: Sequence[float | None], colour: str) -> str:
    """F0 on a logarithmic scale in the upper half; a gap where nobody speaks with a voice."""
    n = max(1, len(values) - 1)
    drawn = []
    for voiced, group in groupby(enumerate(values), key=lambda kv: kv[1] is not None):
        points = [f"{WIDTH * k / n:.1f},{_height(v):.1f}" for k, v in group if v is not None]
        if voiced and len(points) > 1:
            line = " ".join(points)
            drawn.append(
                f'<polyline fill="none" stroke="{colour}" stroke-width="2.5" stroke-linejoin="round" points="{line}"/>'
            )
    return "".join(drawn)


def _height(hz: float) -> float:
    share = (log2(max(LOW_HZ, min(HIGH_HZ, hz))) - log2(LOW_HZ)) / (log2(HIGH_HZ) - log2(LOW_HZ))
    return GAP + (HEIGHT * 0.55 - GAP) * (1 - share)


def bars(values: Sequence[tuple[str, int]]) -> str:
    """A bar for each value with its name and number as text, so that both are read at any width; as wide as the largest."""
    most = max((n for _, n in values), default=1) or 1
    rows = (
        f'<div><dt>{escape(name)}</dt><dd><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{max(1.0, 100 * n / most):.1f}" height="10" class="bar"/></svg><span>{n}</span></dd></div>'
        for name, n in values
    )
    return f'<dl class="bars">{"".join(rows)}</dl>'
