"""A delivery: delivery.yaml read strictly, with what it inherits, every path resolved inside the delivery's folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

from dubgate.delivery.inside import resolve_inside
from dubgate.delivery.manifest_extends import read_merged
from dubgate.delivery.manifest_paths import paths_named
from dubgate.delivery.manifest_record import Credits, ProductionRecord
from dubgate.delivery.manifest_schema import (
    SCHEMA,
    CastEntry,
    Distribution,
    EvidenceFiles,
    Label,
    Manifest,
    MediaFile,
    Timecode,
    Title,
)
from dubgate.delivery.manifest_schema import Track as TrackSchema
from dubgate.delivery.script import Style
from dubgate.errors import ManifestError
from dubgate.strict_yaml import Document, Place, YamlPath, refusal, validate

__all__ = ["Delivery", "DeliveryTrack", "Evidence", "RecordedFile", "Source", "json_schema", "load_delivery"]


@dataclass(frozen=True, slots=True)
class Source:
    """A media file, and which of its audio streams: by container index where given, else by language."""

    path: Path
    stream: int | None
    language: str


@dataclass(frozen=True, slots=True)
class DeliveryTrack:
    """The original or the dub as files; at least one of mix and stem is there."""

    language: str
    mix: Source | None
    stem: Source | None
    me: Source | None

    def __post_init__(self) -> None:
        if self.mix is None and self.stem is None:
            raise ValueError("a track needs a mix or a stem")

    @property
    def published(self) -> Source:
        """What viewers hear: the mix, else the stem. This is what is digested, approved, labelled and certified."""
        return self.mix or self.clearest

    @property
    def clearest(self) -> Source:
        """Where speech is heard best: the stem, else the mix."""
        found = self.stem or self.mix
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file of the production record and the digest that the record gives; whether they agree is judged elsewhere."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The files of the signed objects that came along."""

    approvals: tuple[Path, ...] = ()
    waivers: tuple[Path, ...] = ()
    attestations: tuple[Path, ...] = ()
    human_performance: tuple[Path, ...] = ()
    sign_offs: tuple[Path, ...] = ()


RECORD_KINDS = ("prompts", "references", "settings", "logs", "watermarks")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a vendor hands in. Values of the manifest as its models have them; files as resolved paths.

    `manifests` are delivery.yaml and the series files it inherits from, nearest first, each with its SHA-256.
    """

    root: Path
    manifests: tuple[tuple[Path, str], ...]
    title: Title | None
    stage: Literal["master", "package"]
    package: Path | None
    original: DeliveryTrack
    dub: DeliveryTrack
    style: Style | None
    cues: Path | None
    timecode: Timecode | None
    cast: tuple[CastEntry, ...]
    distribution: Distribution | None
    label: Label | None
    production: ProductionRecord | None
    prompts: tuple[RecordedFile, ...]
    references: tuple[RecordedFile, ...]
    submitter: str | None
    evidence: Evidence
    settings: tuple[RecordedFile, ...] = ()
    logs: tuple[RecordedFile, ...] = ()
    watermarks: tuple[RecordedFile, ...] = ()
    credits: Credits | None = None
    dub_card: Path | None = None
    intake: RecordedFile | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the manifest names, whatever for; not the manifests themselves."""
        named = (getattr(self, f.name) for f in fields(self) if f.name not in ("root", "manifests"))
        return tuple(dict.fromkeys(path for value in named for path in _paths_in(value)))

    @property
    def recorded(self) -> tuple[tuple[str, RecordedFile], ...]:
        """Every file that the production record names, with its kind."""
        return tuple((kind, file) for kind in RECORD_KINDS for file in getattr(self, kind))

    @property
    def synthetic(self) -> bool:
        """Whether any voice is declared as made or changed by a machine."""
        return any(entry.synthetic for entry in self.cast)

    def cast_of(self, character: str) -> CastEntry | None:
        """The entry of a character or group; None where the cast has none."""
        return next((entry for entry in self.cast if entry.name == character), None)


def _paths_in(value: Any) -> Iterator[Path]:
    """The paths in a value of a delivery; models of the manifest hold none that is resolved."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, tuple):
        for inner in value:
            yield from _paths_in(inner)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _paths_in(getattr(value, field.name))


def load_delivery(path: Path) -> Delivery:
    """Read a delivery.yaml.

    Raises:
        ManifestError: at `file:line:column`, everything that is wrong at once: YAML outside the strict subset, unknown
            keys, missing or malformed values, paths that leave the folder or name no file.
    """
    root = path.parent.resolve()
    document, files = read_merged(path, root)
    manifest = validate(Manifest, document, ManifestError)
    resolver = _Resolver(root, document)
    delivery = _delivery(manifest, resolver, files)
    if resolver.problems:
        raise refusal(resolver.problems, ManifestError)
    _require_listed(delivery, paths_named(document.data))
    return delivery


def _require_listed(delivery: Delivery, named: Iterable[str]) -> None:
    """What is watched, pinned and fetched is every file that the manifest names: a new field of it may not be forgotten.

    Raises:
        RuntimeError: this program does not list one; nothing is judged.
    """
    listed = {*delivery.files, *(path for path, _ in delivery.manifests)}
    if forgotten := sorted(path for path in named if resolve_inside(delivery.root, path) not in listed):
        raise RuntimeError(f"the manifest names files that nobody would watch: {', '.join(forgotten)}")


def json_schema() -> dict[str, Any]:
    """The JSON Schema of delivery.yaml for editors (draft 2020-12)."""
    schema = Manifest.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": SCHEMA}


class _Resolver:
    """Resolves paths and keeps what is wrong with them, so that all is told at once."""

    def __init__(self, root: Path, document: Document) -> None:
        self.root, self.document = root, document
        self.problems: list[tuple[Place, str]] = []

    def file(self, relative: str, at: YamlPath) -> Path:
        try:
            return resolve_inside(self.root, relative)
        except ValueError as error:
            self.problems.append((self.document.place(at), str(error)))
            return self.root / relative

    def optional(self, relative: str | None, at: YamlPath) -> Path | None:
        return None if relative is None else self.file(relative, at)

    def files(self, relatives: Sequence[str], at: YamlPath) -> tuple[Path, ...]:
        return tuple(self.file(relative, (*at, k)) for k, relative in enumerate(relatives))

    def track(self, track: TrackSchema, at: str) -> DeliveryTrack:
        return DeliveryTrack(
            track.language,
            self._source(track.mix, track.language, (at, "mix")),
            self._source(track.stem, track.language, (at, "stem")),
            self._source(track.me, track.language, (at, "me")),
        )

    def _source(self, media: str | MediaFile | None, language: str, at: YamlPath) -> Source | None:
        if media is None:
            return None
        given = MediaFile(path=media) if isinstance(media, str) else media
        return Source(self.file(given.path, (*at, "path")), given.stream, given.language or language)

    def recorded(self, record: ProductionRecord | None, kind: str) -> tuple[RecordedFile, ...]:
        """The files of the record of one of `RECORD_KINDS`."""
        listed = [] if record is None else getattr(record, kind)
        return tuple(
            RecordedFile(self.file(item.path, ("production", kind, k, "path")), item.sha256)
            for k, item in enumerate(listed)
        )

    def intake(self, manifest: Manifest) -> RecordedFile | None:
        given = manifest.intake
        return None if given is None else RecordedFile(self.file(given.path, ("intake", "path")), given.sha256)

    def evidence(self, given: EvidenceFiles) -> Evidence:
        return Evidence(
            *(
                self.files(getattr(given, field), ("evidence", field))
                for field in ("approvals", "waivers", "attestations", "human_performance", "sign_offs")
            )
        )


def _delivery(manifest: Manifest, resolver: _Resolver, files: tuple[tuple[Path, str], ...]) -> Delivery:
    return Delivery(
        root=resolver.root,
        manifests=files,
        title=manifest.title,
        stage=manifest.stage,
        package=resolver.optional(manifest.package, ("package",)),
        original=resolver.track(manifest.original, "original"),
        dub=resolver.track(manifest.dub, "dub"),
        style=manifest.style,
        cues=resolver.optional(manifest.cues, ("cues",)),
        timecode=manifest.timecode,
        cast=manifest.cast,
        distribution=manifest.distribution,
        label=manifest.label,
        production=manifest.production,
        prompts=resolver.recorded(manifest.production, "prompts"),
        references=resolver.recorded(manifest.production, "references"),
        submitter=manifest.submitter,
        evidence=resolver.evidence(manifest.evidence),
        settings=resolver.recorded(manifest.production, "settings"),
        logs=resolver.recorded(manifest.production, "logs"),
        watermarks=resolver.recorded(manifest.production, "watermarks"),
        credits=manifest.credits,
        dub_card=resolver.optional(manifest.credits.card if manifest.credits else None, ("credits", "card")),
        intake=resolver.intake(manifest),
    )
