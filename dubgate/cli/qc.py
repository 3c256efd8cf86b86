"""`dubgate qc`: measure a dub against its original; quality only, never a release."""

from __future__ import annotations

from pathlib import Path

import click

from dubgate.cli.judging import judging_options, moment, report_options

FILE = click.Path(exists=False, dir_okay=True, path_type=Path)

EXAMPLES = """\b
Examples:
  dubgate qc original.mov dub.wav script.srt
  dubgate qc film.mkv film.mkv script.dapt --original-stream 0 --dub-stream es
  dubgate qc original.wav mix.wav script.csv --stem dialogue.wav --me m_and_e.wav
  dubgate qc original.wav dub.wav --models embedded --out reports/ --format html --format xlsx

\b
Exit codes: 0 nothing to hold, 3 hold, 1 block, 2 could not judge.
A quality check is never a release: that takes `dubgate check` and the rights holder."""


@click.command(epilog=EXAMPLES)
@click.argument("original", type=FILE)
@click.argument("dub", type=FILE)
@click.argument("script", type=FILE, required=False)
@click.option("--stem", type=FILE, help="The dialogue stem of DUB: hearing uses it instead of the mix.")
@click.option("--me", type=FILE, help="Music and effects: with --stem they must add up to DUB.")
@click.option("--original-stream", metavar="N|LANG", help="Which audio stream of ORIGINAL: index or language.")
@click.option("--dub-stream", metavar="N|LANG", help="Which audio stream of DUB: index or language.")
@click.option("--dub-language", metavar="TAG", help="Language of the dub (BCP-47), where file and script do not say.")
@click.option(
    "--style",
    type=click.Choice(["lipsync", "voiceover", "lector"]),
    help="Default: what the script says, else lipsync.",
)
@judging_options
@report_options
@click.option("--frame-rate", metavar="RATE", help="Frame rate for timecodes: 23.976, 24, 25, 29.97, 29.97df, 30…")
@click.option(
    "--start-timecode",
    metavar="HH:MM:SS:FF",
    help="Timecode of the programme's first frame; a script that counts from it is laid there.",
)
def qc(
    original: Path,
    dub: Path,
    script: Path | None,
    stem: Path | None,
    me: Path | None,
    original_stream: str | None,
    dub_stream: str | None,
    dub_language: str | None,
    style: str | None,
    packs: tuple[str, ...],
    models: str,
    device: str,
    out: Path | None,
    formats: tuple[str, ...],
    media: str,
    lang: str,
    frame_rate: str | None,
    start_timecode: str | None,
    at: str | None,
    quiet: bool,
) -> int:
    """Measure DUB against ORIGINAL (and SCRIPT) and say what is wrong with it, line by line.

    ORIGINAL and DUB are sound or video files. SCRIPT is a cue sheet of the dub: SRT, WebVTT, CSV, JSON, TTML or DAPT.
    Without it, lines are found by voice activity and what needs text is not measured.
    """
    from dubgate.cli.progress import progress_bar
    from dubgate.cli.qc_arguments import require_arguments, require_two
    from dubgate.delivery.script import Style
    from dubgate.delivery.timecode import clock_from
    from dubgate.gate import QualityRequest, Track, packs_of, quality
    from dubgate.report.write import print_judgement, require_place, write_reports

    spoken, folder = language(dub_language), out or dub.with_suffix(".qc")
    require_place(folder)
    require_arguments(original, dub, script)
    request = QualityRequest(
        original=track(original, original_stream),
        dub=Track(dub, *_stream(dub_stream), spoken=spoken),
        script=script,
        stem=Track(stem, spoken=spoken) if stem else None,
        music_and_effects=Track(me) if me else None,
        style=Style(style) if style else None,
        packs=packs,
        models=models,
        device=device,
        clock=clock_from(frame_rate, start_timecode),
    )
    packs_of(request, request.style)  # what does not load is told before what is heard
    require_two(original, dub, original_stream, dub_stream)
    with progress_bar(quiet=quiet) as progress:
        judgement = quality(request, at=moment(at), progress=progress)
    written = write_reports(judgement, folder, formats, media=media, lang=lang)
    print_judgement(judgement, written, lang=lang)
    return judgement.verdict.decision.exit_code


def track(path: Path, stream: str | None):  # type: ignore[no-untyped-def]
    """A Track from a path and `N` or a language tag."""
    from dubgate.gate import Track

    return Track(path, *_stream(stream))


def language(tag: str | None) -> str | None:
    """The canonical form of a language tag from the command line."""
    from consent.languages import canonical
    from dubgate.errors import InputError

    try:
        return None if tag is None else canonical(tag)
    except ValueError:
        remedy = "Write a BCP-47 tag, such as en, pt-BR or zh-Hant."
        raise InputError(f"{tag!r} names no known language", where="--dub-language", remedy=remedy) from None


def _stream(choice: str | None) -> tuple[int | None, str | None]:
    if choice is None:
        return None, None
    return (int(choice), None) if choice.isdigit() else (None, choice)
