"""Makes the pilot's delivery: the sounds and the script cut to one stretch, for the channel internal_test and no other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from consent.vocabulary import Channel
from dubgate.delivery.manifest import Delivery, Source
from dubgate.delivery.media import stream_of
from dubgate.delivery.script import Cue, CueSheet
from dubgate.delivery.srt_vtt import write_vtt
from dubgate.errors import InputError
from dubgate.excerpts import AFTER_S, BEFORE_S, Cut, cut_excerpts
from dubgate.spans import Span

SHORTEST_S, LONGEST_S = 15.0, 60.0


def stretch_of(sheet: CueSheet | None, start_s: float | None, length_s: float) -> Span:
    """The stretch to take: from `start_s`, or where the script speaks most.

    Raises:
        InputError: shorter than 15 s or longer than 60 s, or nothing says where it begins.
    """
    if not SHORTEST_S <= length_s <= LONGEST_S:
        raise InputError(f"a pilot takes {SHORTEST_S:g} to {LONGEST_S:g} seconds, not {length_s:g}", where="--length")
    if start_s is None and (sheet is None or not sheet.cues):
        raise InputError(
            "without a script nothing says where people speak", where="--start", remedy="say where: --start"
        )
    if start_s is None and sheet is not None:
        starts = [cue.span.start_s for cue in sheet.cues]
        start_s = max(starts, key=lambda s: _spoken_s(sheet, Span(s, s + length_s)))
    return Span(start_s or 0.0, (start_s or 0.0) + length_s)


def _spoken_s(sheet: CueSheet, span: Span) -> float:
    return sum(cue.span.duration_s for cue in _inside(sheet, span))


def _inside(sheet: CueSheet, span: Span) -> list[Cue]:
    return [c for c in sheet.cues if span.start_s <= c.span.start_s and c.span.end_s <= span.end_s]


def write_excerpt(delivery: Delivery, sheet: CueSheet | None, span: Span, out: Path) -> Path:
    """Write the pilot's files into the new folder `out`; returns its delivery.yaml.

    What people signed is not taken along: it is about other sound.

    Raises:
        InputError: the folder is there, or no line lies wholly in the stretch.
    """
    cues = [] if sheet is None else _inside(sheet, span)
    if sheet is not None and not cues:
        raise InputError("no line of the script lies wholly in this stretch", where="--start")
    if out.exists():
        raise InputError("a folder is already there", where=str(out), remedy="choose another with --out")
    out.mkdir(parents=True)
    plain = {**_manifest(delivery, [c.character for c in cues]), **_sounds(delivery, span, out)}
    if sheet is not None:
        moved = tuple(replace(c, span=c.span.shifted(-span.start_s)) for c in cues)
        (out / "script.vtt").write_text(write_vtt(replace(sheet, cues=moved)), encoding="utf-8")
        plain["cues"] = "script.vtt"
    _copy_files(delivery, out)
    path = out / "delivery.yaml"
    path.write_text(json.dumps(plain, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")  # JSON is YAML
    return path


def _manifest(delivery: Delivery, speaking: list[str | None]) -> dict[str, Any]:
    """What the delivery says, with one channel: a pilot reaches no audience, whatever the delivery is for."""
    cast = [e for e in delivery.cast if e.name in speaking] or list(delivery.cast)
    parts = {
        "title": delivery.title,
        "label": delivery.label,
        "production": delivery.production,
        "credits": delivery.credits,
        "distribution": delivery.distribution,
    }
    plain: dict[str, Any] = {"schema": "delivery/1.0", "stage": "master"}
    plain |= {k: _dumped(v) for k, v in parts.items() if v is not None}
    plain["cast"] = [_dumped(e) for e in cast]
    plain |= {"style": str(delivery.style)} if delivery.style is not None else {}
    plain |= {"submitter": delivery.submitter} if delivery.submitter is not None else {}
    if "distribution" in plain:
        plain["distribution"]["channels"] = [str(Channel.INTERNAL_TEST)]
    return plain


def _dumped(value: Any) -> dict[str, Any]:
    plain: dict[str, Any] = value.model_dump(mode="json", by_alias=True, exclude_none=True)
    return plain


def _sounds(delivery: Delivery, span: Span, out: Path) -> dict[str, Any]:
    named = list(_sources(delivery))
    inner = Span(span.start_s + BEFORE_S, max(span.start_s + BEFORE_S, span.end_s - AFTER_S))  # cutting adds both again
    cuts = [Cut(str(source.path.absolute()), stream_of(source).index, (inner,)) for _, _, source in named]
    plain: dict[str, Any] = {
        "original": {"language": delivery.original.language},
        "dub": {"language": delivery.dub.language},
    }
    for (side, kind, _), (data,) in zip(named, cut_excerpts(cuts), strict=True):
        name = f"{side}-{kind}.flac"
        (out / name).write_bytes(data)
        plain[side][kind] = name
    return plain


def _sources(delivery: Delivery) -> Iterator[tuple[str, str, Source]]:
    for side, track in (("original", delivery.original), ("dub", delivery.dub)):
        for kind in ("mix", "stem", "me"):
            source = getattr(track, kind)
            if source is not None:
                yield side, kind, source


def _copy_files(delivery: Delivery, out: Path) -> None:
    """The files of the record and the dub card, at the same places below the pilot's folder."""
    for path in (*(f.path for _, f in delivery.recorded), *([delivery.dub_card] if delivery.dub_card else [])):
        target = out / path.relative_to(delivery.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
