"""Write a label into a deliverable and prove that the sound did not change: nothing appears at OUT before the proof.

Packets are digested before and after, every place is read back, and the labelled file takes its name by one rename.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from dubgate.errors import ChildError, InputError, MediaError
from dubgate.labels.bounds import refused
from dubgate.labels.packages import kind_of
from dubgate.labels.places import has_manifest
from dubgate.labels.plan import Change, LabelPlan, changes
from dubgate.labels.proving import NO_REMEDY, packets_apart, reaching_the_disk, require_same_sound, told_packets
from dubgate.labels.reading import inspect_labels
from dubgate.labels.signing import Signing, manifest_of, read_back, refuse_unsignable, sign_file
from dubgate.labels.tracks import Labels, Place
from dubgate.labels.unchanged import Digests

_GIB = 1 << 30


Progress = Callable[[str, float], None]


def _unwatched(stage: str, share: float) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was, or would be, written: the difference, and the digests that prove that the sound is the same."""

    out: Path
    changes: tuple[Change, ...]
    proof: tuple[str, ...]  # "audio <sha256>" by stream, equal before and after
    written: bool


def apply_label(
    source: Path,
    out: Path,
    plan: LabelPlan,
    *,
    signing: Signing | None = None,
    dry_run: bool = False,
    progress: Progress = _unwatched,
) -> Applied:
    """Write the labelled file to `out`, which may be `source` where the caller wants it in place.

    With `signing` a C2PA manifest is signed over the labelled file, last; a dry run signs nothing.

    Raises:
        InputError: the source is missing, or `out` cannot be written.
        MediaError: a container that holds no label, a label that would be lost, or sound that would change.
    """
    if not source.is_file():
        raise InputError("no such file", where=str(source))
    folder = out.absolute().parent  # the child works in a folder of its own
    if not folder.is_dir():
        raise InputError("no such folder", where=str(folder), remedy="Make it, or name another place with --out.")
    with tempfile.TemporaryDirectory(prefix=".dubgate-label-", dir=folder) as name:
        staged = Path(name) / ("labelled" + out.suffix)
        kind = kind_of(source)
        if kind in ("hls", "dash"):
            if signing is not None:
                raise refused(
                    source, "a manifest of HLS or DASH holds no C2PA manifest; sign the media files that it names"
                )
            return _manifest(source, out, plan, staged, kind, dry_run=dry_run)
        if kind != "media":
            raise refused(source, "a label can be written into media files, HLS and DASH manifests; this is neither")
        return _media(source, out, plan, staged, signing, dry_run=dry_run, progress=progress)


def _media(
    source: Path,
    out: Path,
    plan: LabelPlan,
    staged: Path,
    signing: Signing | None,
    *,
    dry_run: bool,
    progress: Progress,
) -> Applied:
    from dubgate.delivery.formats import sniff

    if signing is not None:
        refuse_unsignable(source, sniff(source))
    progress("reading labels", 0.0)
    with ThreadPoolExecutor(1) as beside:
        stream = beside.submit(_stream_of, source, plan)
        before = _readable(inspect_labels(source), source)
        if has_manifest(before.places):
            why, remedy = (
                "it carries a C2PA manifest, which a new label would break",
                "label first, sign last: apply the label to the unsigned file",
            )
            raise MediaError(why, where=source.name, remedy=remedy)
        plan = replace(plan, stream=stream.result())
    progress("writing", 0.1)
    with reaching_the_disk(staged), ThreadPoolExecutor(1) as beside:
        proof, digest = _write(source, staged, plan)
        progress("comparing the sound", 0.4)
        labels = beside.submit(inspect_labels, staged)
        require_same_sound(source, proof, digest(staged))
        after = _readable(labels.result(), source)
    told = _proved(source, plan, before.places, after.places)
    if signing is not None:
        progress("signing", 0.6)
        told += _signed(source, staged, plan, signing, after, dry_run=dry_run)
        require_same_sound(source, proof, digest(staged))
    return _finished(staged, out, told, proof, dry_run=dry_run)


def _signed(
    source: Path,
    staged: Path,
    plan: LabelPlan,
    signing: Signing,
    before: Labels,
    *,
    dry_run: bool,
) -> tuple[Change, ...]:
    """Sign, and read back the label, and the manifest against the user's own anchors."""
    ids = _track_ids(staged)
    track = ids[plan.stream] if plan.stream is not None and plan.stream < len(ids) > 1 else None
    manifest = manifest_of(plan.language, signing, sound_alone=len(ids) < 2, track_id=track)
    if dry_run:
        return (Change("C2PA manifest", None, f"would be signed by {signing.subject}"),)
    sign_file(staged, manifest, signing, name=source.name)
    after = _readable(inspect_labels(staged, anchors=signing.anchors), source)
    if {(p.place, p.text) for p in before.places} - {(p.place, p.text) for p in after.places}:
        raise MediaError("signing would lose a label", where=source.name, remedy=NO_REMEDY)
    return (Change("C2PA manifest", None, read_back(after.manifests, plan.language, source.name)),)


def _track_ids(path: Path) -> tuple[str, ...]:
    """The tracks as C2PA names them; none where the container has none. The parent reads numbers of its own file only."""
    from dubgate.delivery.formats import sniff
    from dubgate.labels.boxes import mp4_track_ids

    return mp4_track_ids(path) if sniff(path) == "mov" else ()


def _readable(labels: Labels, path: Path) -> Labels:
    if labels.unreadable:
        raise MediaError(labels.unreadable[0].splitlines()[0], where=path.name, remedy=NO_REMEDY)
    return labels


def _stream_of(source: Path, plan: LabelPlan) -> int:
    from dubgate.delivery.media import probe_apart, select_stream

    info = probe_apart(source)
    if plan.stream is None and len(info.audio) == 1:
        return info.audio[0].index
    found = select_stream(info, index=plan.stream, language=None if plan.stream is not None else plan.language)
    return found.index


Digesting = Callable[[Path], Digests]


def _write(source: Path, staged: Path, plan: LabelPlan) -> tuple[Digests, Digesting]:
    """Write; the digests of what was read and must not change, and how the same are taken of a file."""
    from dubgate.delivery.formats import sniff
    from dubgate.labels.box_writing import write_mp4
    from dubgate.labels.riff_writing import write_wav
    from dubgate.labels.tag_writing import write_flac, write_mp3
    from dubgate.labels.unchanged import coded_digests

    own: dict[str, Callable[[Path, Path, LabelPlan], Digests]] = {
        "wav": write_wav,
        "mp3": write_mp3,
        "flac": write_flac,
    }
    demuxer = sniff(source)
    if demuxer in own:
        return own[demuxer](source, staged, plan), coded_digests
    if demuxer == "mov" and (copied := write_mp4(source, staged, plan)) is not None:
        return copied, coded_digests
    if demuxer in ("mov", "matroska"):
        return _remux_apart(source, staged, plan), packets_apart
    why = f"{demuxer} holds no label that players show"
    remedy = "label the package that carries it (its HLS or DASH manifest), or sign a sidecar: dubgate label sidecar"
    raise MediaError(why, where=source.name, remedy=remedy)


def _remux_apart(source: Path, staged: Path, plan: LabelPlan) -> Digests:
    """Re-wrap in the child, which says what it read; its file is taken from its scratch folder while it still runs, before that is cleared."""
    from dubgate.labels.remuxing import FILE_NAME, WRITTEN
    from dubgate.sandbox import Limits, run_in_child

    def take(stage: str, _: float) -> None:
        if stage == WRITTEN:
            [made] = staged.parent.glob(f"dubgate-*/tmp/{FILE_NAME}")
            if made.is_symlink() or not made.is_file():
                raise ChildError("the child process wrote what is not a file")
            made.rename(staged)

    tags = {"title": plan.text, "handler_name": plan.text, "language": plan.alpha3}
    request = {"apply": str(source.absolute()), "stream": plan.stream, "tags": tags, "aigc": plan.aigc}
    limits = Limits(memory_bytes=_GIB, file_bytes=1 << 44)
    reply = run_in_child("labels", request, limits=limits, inputs=[source], progress=take, scratch=staged.parent)
    if not staged.is_file():
        raise ChildError("the child process wrote no file")
    return told_packets(reply.data, source)


def _proved(source: Path, plan: LabelPlan, before: tuple[Place, ...], after: tuple[Place, ...]) -> tuple[Change, ...]:
    """The difference, where the label stands and no other text was lost."""
    if not any(p.names_track and p.text == plan.text for p in after):
        raise MediaError("the label did not arrive in the file", where=source.name, remedy=NO_REMEDY)
    if plan.aigc and not any(p.token == "AIGC" for p in after):
        raise MediaError("the AIGC label did not arrive in the file", where=source.name, remedy=NO_REMEDY)
    replaced = {(p.place, p.track) for p in after if p.text == plan.text or p.token == "AIGC"}
    kept = " ".join(p.text for p in after)
    lost = [p for p in before if p.text not in kept and (p.place, p.track) not in replaced and not _is_of_the_writer(p)]
    if lost:
        what = ", ".join(sorted({p.place for p in lost}))
        raise MediaError(f"re-wrapping would lose {what}", where=source.name, remedy=NO_REMEDY)
    return changes(before, after)


def _is_of_the_writer(place: Place) -> bool:
    """What a program says of itself may go with its file, and so may the name of the language."""
    return place.place.endswith(("\xa9too", "\xa9swr", "TSSE", "ISFT", "encoder", "TLAN", "ILNG", "LANGUAGE"))


def _manifest(source: Path, out: Path, plan: LabelPlan, staged: Path, kind: str, *, dry_run: bool) -> Applied:
    """Only the manifest's text changes: what it names stays where it lies, so OUT belongs beside it."""
    from dubgate.labels.manifest_writing import labelled_master, labelled_mpd

    if out.parent.resolve() != source.parent.resolve():
        raise InputError(
            "a manifest names files beside it: write the labelled one into the same folder", where=str(out)
        )
    before = _readable(inspect_labels(source), source)
    if kind == "hls":
        text = labelled_master(source.read_bytes().decode("utf-8-sig"), plan, where=source.name)
        data = text.encode()
    else:
        data = labelled_mpd(source, plan)
    with tempfile.NamedTemporaryFile(dir=source.parent, prefix=".dubgate-label-", suffix=out.suffix) as beside:
        beside.write(data)
        beside.flush()
        after = _readable(inspect_labels(Path(beside.name)), source)
    if not any(p.names_track and not p.in_media and p.text == plan.text for p in after.places):
        raise MediaError("the label did not arrive in the manifest", where=source.name, remedy=NO_REMEDY)
    staged.write_bytes(data)
    told = changes(before.places, after.places)
    return _finished(staged, out, told, _named_files(source, before, after), dry_run=dry_run)


def _named_files(source: Path, before: Labels, after: Labels) -> tuple[str, ...]:
    """As many entries as before: their files are named by lines that did not change."""
    if len(before.tracks) != len(after.tracks):
        raise MediaError("entries would be lost", where=source.name, remedy=NO_REMEDY)
    return (f"entries {len(after.tracks)}, media files untouched",)


def _finished(staged: Path, out: Path, told: tuple[Change, ...], proof: tuple[str, ...], *, dry_run: bool) -> Applied:
    if not dry_run:
        with staged.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(staged, out)
    return Applied(out, told, proof, written=not dry_run)
