"""A delivery that is right in everything, from made-up voices, with a real registry and real signatures; and its parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from consent.parties import Party, PartyKey
from consent.registry import Registry
from consent.seed import import_seed
from consent.views import View
from consent.vocabulary import Role
from consent.voices import Enrolment
from consent.writing import Addition
from dubgate.approving import Sounds, approve, attest, state_human
from dubgate.certificate.dsse import new_private_key, public_of
from dubgate.delivery.manifest import Delivery, load_delivery
from dubgate.delivery.script import Cue, CueSheet
from dubgate.digesting import Sound
from dubgate.features import (
    BackendInfo,
    Levels,
    MixCheck,
    ProgrammeFeatures,
    Published,
    Series,
    TrackFeatures,
    VoiceSegment,
)
from dubgate.gate import QualityRequest
from dubgate.judgement import Clock, Judgement
from dubgate.labels.tracks import LabelledTrack, Labels
from dubgate.listening import Heard as HeardSound
from dubgate.measure.level import measure_level
from dubgate.measure.measurement import Measurement
from dubgate.policy.signed_objects import About
from dubgate.release import CheckRequest, judge_delivery, quality_request
from dubgate.spans import Span
from dubgate.speech.calibration import packaged
from dubgate.unmeasured import Unmeasured

ROOT = Path(__file__).resolve().parents[1]
RECORDED_AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
SIGNED_AT = datetime(2026, 11, 15, 9, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ENCODER = packaged()[0].encoder_sha256
D = 16
DUB, ORIGINAL = "1" * 64, "5" * 64
NOT_HEARD = Unmeasured("not heard in this test")
# The axis that each voice lies on; 8, 9 and 10 are the original's own speakers, 12 is nobody.
AXES = {"v-mara": 0, "v-jonas": 1, "v-otto": 2, "v-karl": 3}
ORIGINAL_AXES, NOBODY = (8, 9, 10), 12
CAST = {"MARA": "v-mara", "JONAS": "v-jonas", "OTTO": "v-otto"}

# party: roles of the party, roles of its key, its house, the key's last day
SIGNERS: dict[str, tuple[tuple[Role, ...], tuple[Role, ...], str | None, datetime]] = {
    "kestrel": ((Role.RIGHTS_HOLDER,), (Role.RIGHTS_HOLDER,), None, datetime(2028, 1, 1, tzinfo=UTC)),
    "director": ((Role.DUBBING_DIRECTOR,), (Role.DUBBING_DIRECTOR,), "polyglot", datetime(2028, 1, 1, tzinfo=UTC)),
    "reviewer-a": ((Role.REVIEWER,), (Role.REVIEWER,), "polyglot", datetime(2028, 1, 1, tzinfo=UTC)),
    "reviewer-b": ((Role.REVIEWER,), (Role.REVIEWER,), "kestrel", datetime(2028, 1, 1, tzinfo=UTC)),
    "p-jonas": ((Role.PERFORMER,), (Role.PERFORMER,), None, datetime(2028, 1, 1, tzinfo=UTC)),
    "p-otto": ((Role.PERFORMER,), (Role.PERFORMER,), None, datetime(2028, 1, 1, tzinfo=UTC)),
}
MORE = {
    "rival": ((Role.RIGHTS_HOLDER,), (Role.RIGHTS_HOLDER,), None, datetime(2028, 1, 1, tzinfo=UTC)),
    "rival-clerk": ((Role.RIGHTS_HOLDER,), (Role.RIGHTS_HOLDER,), "rival", datetime(2028, 1, 1, tzinfo=UTC)),
    "kestrel-clerk": ((Role.RIGHTS_HOLDER,), (Role.RIGHTS_HOLDER,), "kestrel", datetime(2028, 1, 1, tzinfo=UTC)),
    "kestrel-lapsed": ((Role.RIGHTS_HOLDER,), (Role.RIGHTS_HOLDER,), "kestrel", datetime(2026, 11, 18, tzinfo=UTC)),
    "kestrel-ear": ((Role.RIGHTS_HOLDER, Role.REVIEWER), (Role.REVIEWER,), "kestrel", datetime(2028, 1, 1, tzinfo=UTC)),
    "counsel": ((Role.LEGAL,), (Role.LEGAL,), "kestrel", datetime(2028, 1, 1, tzinfo=UTC)),
    "vendor-counsel": ((Role.LEGAL,), (Role.LEGAL,), "polyglot", datetime(2028, 1, 1, tzinfo=UTC)),
    "qc-lead": (
        (Role.LOCALIZATION_SUPERVISOR,),
        (Role.LOCALIZATION_SUPERVISOR,),
        None,
        datetime(2028, 1, 1, tzinfo=UTC),
    ),
    "reviewer-c": ((Role.REVIEWER,), (Role.REVIEWER,), "polyglot", datetime(2028, 1, 1, tzinfo=UTC)),
    "reviewer-d": (
        (Role.REVIEWER, Role.PERFORMER),
        (Role.PERFORMER,),
        "kestrel",
        datetime(2028, 1, 1, tzinfo=UTC),
    ),
}


def axis(k: int) -> np.ndarray:
    """A unit vector along one axis."""
    out = np.zeros(D, dtype=np.float32)
    out[k] = 1
    return out


def like(k: int, seed: int = 0, spread: float = 0.02) -> np.ndarray:
    """A voice near an axis."""
    row = axis(k) + spread * np.random.default_rng((k, seed)).standard_normal(D)
    return np.asarray(row / np.linalg.norm(row), dtype=np.float32)


def segments(name: str | None, k: int, first: int, n: int = 3, speech_s: float = 4.0) -> tuple[VoiceSegment, ...]:
    """Lines of one speaker: line `j` lies at 6 j seconds."""
    return tuple(
        VoiceSegment(
            Span(6.0 * j, 6.0 * j + 5),
            speech_s,
            None if name is None else f"L{j}",
            name,
            like(k, j),
            f"S{k + 1}",
        )
        for j in range(first, first + n)
    )


def dub_voices(axes: dict[str, int] | None = None) -> tuple[VoiceSegment, ...]:
    """Three lines of each of the cast."""
    chosen = {name: AXES[voice] for name, voice in CAST.items()} | (axes or {})
    return tuple(s for i, (name, k) in enumerate(chosen.items()) for s in segments(name, k, 3 * i))


def track(name: str, packets: str, voices: tuple[VoiceSegment, ...] | Unmeasured) -> TrackFeatures:
    """What was heard of a track: its voices, and no more."""
    speech = () if isinstance(voices, Unmeasured) else tuple(v.span for v in voices)
    times = np.arange(0, 60, 0.032)
    speaking = np.any([(times >= s.start_s) & (times < s.end_s) for s in speech], axis=0) if speech else times < 0
    probability = Series(0.032, np.where(speaking, 0.95, 0.02).astype(np.float32))
    energy = Series(0.01, np.full(6000, -40.0, dtype=np.float32))
    levels = Levels(48_000, 1, np.full(597, 1e-3), -10.0, 0, 60 * 48_000)
    return TrackFeatures(
        name, "en", 60.0, probability, speech, NOT_HEARD, energy, NOT_HEARD, NOT_HEARD, levels, voices, NOT_HEARD,
        packet_sha256=packets,
    )  # fmt: skip


def features(voices: tuple[VoiceSegment, ...] | Unmeasured | None = None) -> ProgrammeFeatures:
    """The programme, with the dub's voices (by default the cast's own)."""
    spoken = tuple(s for i, k in enumerate(ORIGINAL_AXES) for s in segments(None, k, 3 * i))
    return ProgrammeFeatures(
        original=track("original.flac", ORIGINAL, spoken),
        dub=track("dub.flac", DUB, dub_voices() if voices is None else voices),
        mix=MixCheck(NOT_HEARD, NOT_HEARD),
        models=(BackendInfo("speaker_encoder", "ge2e", ENCODER, embedded=True),),
        published=Published(DUB, NOT_HEARD, cancelled=(), in_effects=(), beside=()),
    )


SHEET = CueSheet(
    "script.vtt",
    tuple(
        Cue(f"L{3 * i + j}", Span(18.0 * i + 6 * j, 18.0 * i + 6 * j + 5), "so", name)
        for i, name in enumerate(CAST)
        for j in range(3)
    ),
    language="en",
)
LABELLED = LabelledTrack("dub.flac: stream 0", "English [AI]", "en", machine_readable=True, is_what_was_heard=True)
SOUNDS = Sounds(dub=Sound(DUB, NOT_HEARD, 60.0), original=Sound(ORIGINAL, NOT_HEARD, 60.0))
HOUSE_PACK = """schema: pack/1.0
pack: house
version: "2026.11"
as_of: "2026-11-20"
group: quality
about: "A pack for tests: one question of quality that every delivery here passes."
rules:
  - id: HOU-PEAK
    metric: true_peak_dbtp
    require: {at_most: -1 dBTP}
    severity: hold
    source: "a test"
    why: "because"
    remedy: "mend it"
    asks: {en: "The loudest peak", ja: "最大ピーク"}
    text: {en: "The loudest peak is {value}.", ja: "最大ピークは{value}です。"}
    tests:
      - {values: [-3], outcome: pass}
      - {values: [0.5], outcome: hold}
"""


def _party_key(party: str, roles: Sequence[Role], until: datetime, key: Any) -> PartyKey:
    return PartyKey(
        key_id=f"k-{party}",
        party_id=party,
        public_hex=public_of(key).public_hex,
        roles=tuple(roles),
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=until,
    )


def _enrolment(voice: str, k: int, *, supplied: str, confirmed: str | None) -> Addition:
    record = Enrolment(
        enrolment_id=f"en-{voice[2:]}",
        voice_id=voice,
        encoder_sha256=ENCODER,
        dimension=D,
        speech_s=30.0,
        audio_sha256="a" * 64,
        supplied_by=supplied,
        confirmed_by=confirmed,
    )
    return Addition(record, vector=[float(x) for x in axis(k)])


@dataclass(frozen=True)
class World:
    """A registry on disk, the private keys of who signs, and a delivery's folder that lacks nothing."""

    folder: Path
    registry: Path
    keys: dict[str, Any]
    delivery: Delivery
    quality: QualityRequest

    @contextmanager
    def view(self) -> Iterator[View]:
        """The registry, read only."""
        with Registry.open(self.registry, read_only=True, clock=lambda: NOW) as opened, opened.view() as view:
            yield view

    def approval(
        self, by: str = "kestrel", *, delivery: Delivery | None = None, sounds: Sounds = SOUNDS, **how: Any
    ) -> bytes:
        """An approval of the delivery as it lies there, unless told otherwise."""
        said = {"title_id": "last-train", "holder": "kestrel", "at": SIGNED_AT, "key": self.keys.get(by)} | how
        return approve(delivery or self.delivery, sounds, by=by, **said)

    def human(self, by: str = "director", *, sounds: Sounds = SOUNDS, **how: Any) -> bytes:
        """A human-performance statement."""
        said = {"title_id": "last-train", "at": SIGNED_AT, "key": self.keys.get(by)} | how
        return state_human(self.delivery, sounds, by=by, **said)

    def attestation(
        self, by: str, rule: str, subject: str, *, answer: bool = True, sounds: Sounds = SOUNDS, **how: Any
    ) -> bytes:
        """An answer by ear."""
        said = {"at": SIGNED_AT, "key": self.keys.get(by)} | how
        about = About(scope="character" if subject else "programme", name=subject)
        heard = (Span(0.0, 1e6),)
        reply = "pass" if answer else "fail"
        return attest(sounds, rule=rule, about=about, answer=reply, by=by, heard=heard, **said)

    def with_evidence(self, name: str, *envelopes: bytes, delivery: Delivery | None = None) -> Delivery:
        """The delivery with these envelopes as all of its evidence."""
        root = self.folder / "variants" / name
        (root / "evidence").mkdir(parents=True, exist_ok=True)
        for old in (root / "evidence").iterdir():
            old.unlink()
        for k, envelope in enumerate(envelopes):
            (root / "evidence" / f"{k}.json").write_bytes(envelope)
        return replace(delivery or self.delivery, root=root)

    def judged(
        self,
        *,
        delivery: Delivery | None = None,
        heard: ProgrammeFeatures | None = None,
        sheet: CueSheet | None = SHEET,
        labels: Labels | None = None,
        at: datetime = NOW,
        quality: QualityRequest | None = None,
        view: View | None = None,
        measuring: Callable[[ProgrammeFeatures, CueSheet], tuple[Measurement, ...]] = lambda heard, _: measure_level(
            heard
        ),
    ) -> Judgement:
        """The judgement of the right delivery with what is handed in put in its place."""
        sound = HeardSound(heard or features(), sheet, Clock(), (0, 0))
        asked = (
            delivery or self.delivery,
            quality or self.quality,
            sound,
            labels if labels is not None else Labels((LABELLED,)),
        )
        with ExitStack() as stack:
            # what measuring finds is tested elsewhere; here one level is enough for a quality rule to judge
            stack.enter_context(patch("dubgate.gate.measure", lambda heard, sheet, style: measuring(heard, sheet)))
            asked_of = view if view is not None else stack.enter_context(self.view())
            return judge_delivery(*asked, asked_of, at=at)


def make_world(folder: Path) -> World:
    """Everything, made anew below `folder`."""
    keys = {party: new_private_key() for party in (*SIGNERS, *MORE, "stranger")}
    registry = folder / "registry.db"
    with Registry.open(registry, create=True, clock=lambda: RECORDED_AT) as opened:
        import_seed(opened, ROOT / "samples" / "seed.yaml")
        opened.add(
            *(
                Party(party_id=p, roles=roles, person=True, organisation_id=house)
                for p, (roles, _, house, _) in MORE.items()
            )
        )
        opened.add(*(_party_key(p, roles, until, keys[p]) for p, (_, roles, _, until) in (SIGNERS | MORE).items()))
        opened.add(*(_enrolment(v, k, supplied=f"p-{v[2:]}", confirmed=f"p-{v[2:]}") for v, k in AXES.items()))
        opened.add(
            _enrolment("v-otto-new", 2, supplied="polyglot", confirmed=None),
            _enrolment("v-otto-ungranted", 2, supplied="p-otto", confirmed="p-otto"),
            _enrolment("v-mara-2025", 0, supplied="p-mara", confirmed="p-mara"),
        )
    root = folder / "delivery"
    root.mkdir()
    for name in ("original.flac", "dub.flac"):
        (root / name).write_bytes(name.encode())
    (root / "script.vtt").write_text("WEBVTT\n", encoding="utf-8")
    (root / "series.yaml").write_bytes((ROOT / "samples" / "series.yaml").read_bytes())
    (root / "delivery.yaml").write_text("schema: delivery/1.0\nextends: series.yaml\n", encoding="utf-8")
    pack = folder / "house.yaml"
    pack.write_text(HOUSE_PACK, encoding="utf-8")
    delivery = load_delivery(root / "delivery.yaml")
    quality = quality_request(delivery, CheckRequest(root / "delivery.yaml", str(registry), packs=(str(pack),)))
    world = World(folder, registry, keys, delivery, quality)
    (root / "evidence").mkdir()
    (root / "evidence" / "approval.json").write_bytes(world.approval())
    return world


def decisive(judgement: Judgement) -> set[str]:
    """The rules that keep it from being released."""
    return {f.rule for f in judgement.verdict.findings if f.outcome > 3}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
