"""The samples' registry and signatures, made when they are judged: no key and no template lies in the repository."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from consent.parties import Party, PartyKey
from consent.registry import Registry
from consent.seed import import_seed
from consent.vocabulary import Role
from consent.voices import Enrolment
from consent.writing import Addition
from dubgate.approving import Sounds, approve, attest, save, sign_off, sounds_of, state_human
from dubgate.certificate.dsse import new_private_key, public_of
from dubgate.company.never_ai import StudioPolicy, sign_policy
from dubgate.delivery.manifest import Delivery, load_delivery
from dubgate.enrolling import hear_recording
from dubgate.policy.signed_objects import About
from dubgate.record_confirming import confirm_record

RECORDED_AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
SIGNED_AT = datetime(2026, 11, 15, 9, tzinfo=UTC)

SIGNERS = {
    "kestrel": (Role.RIGHTS_HOLDER,),
    "director": (Role.DUBBING_DIRECTOR,),
    "reviewer-a": (Role.REVIEWER,),
    "reviewer-b": (Role.REVIEWER,),
}
# The studio's own people, who sign records and sign-offs and are of the holder's house.
STUDIO = {
    "studio-production": Role.PRODUCTION,
    "studio-legal": Role.LEGAL,
    "studio-creative": Role.CREATIVE_LEAD,
    "studio-localization": Role.LOCALIZATION_SUPERVISOR,
}
# Which recording each voice is enrolled from, who supplied it, and who confirmed it.
ENROLMENTS = (
    ("v-mara", "slt", "p-mara", "p-mara"),
    ("v-jonas", "rms", "p-jonas", "p-jonas"),
    ("v-otto", "awb", "p-otto", "p-otto"),
    ("v-karl", "kal16", "p-karl", "p-karl"),
    ("v-mara-2025", "slt", "p-mara", "p-mara"),
    ("v-otto-new", "awb", "polyglot", None),
    ("v-otto-ungranted", "awb", "p-otto", "p-otto"),
)


@dataclass(frozen=True, slots=True)
class SampleRegistry:
    """Where the registry lies, and the private keys of who signs in the samples."""

    path: Path
    keys: Mapping[str, Any]


def make_registry(samples: Path, out: Path) -> SampleRegistry:
    """A fresh registry below `out`: the seed, new keys, and the recordings of voices/ enrolled; and the studio's folder
    `company/` with its register of tools and its signed policy.
    """
    path = out / "registry.db"
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("registry.db*"):
        old.unlink()
    keys = {party: new_private_key() for party in (*SIGNERS, *STUDIO)}
    with Registry.open(path, create=True, clock=lambda: RECORDED_AT) as registry:
        import_seed(registry, samples / "seed.yaml")
        registry.add(*studio())
        registry.add(*(key_of_party(party, key) for party, key in keys.items()))
        registry.add(*_enrolments(samples / "voices"))
    write_company(samples, out / "company", keys["kestrel"])
    return SampleRegistry(path, keys)


def studio() -> tuple[Party, ...]:
    """The studio's own people."""
    return tuple(Party(party_id=p, roles=(role,), person=True, organisation_id="kestrel") for p, role in STUDIO.items())


def write_company(samples: Path, folder: Path, key: Any) -> None:
    """The studio's folder: the register as it lies in the samples, and a policy signed with the holder's key."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(samples / "company", folder)
    policy = StudioPolicy(
        policy_id="po-last-train",
        by="kestrel",
        title_id="last-train",
        nothing=True,
        signed_at=SIGNED_AT,
        expires_at=SIGNED_AT + timedelta(days=365),
    )
    (folder / "policies").mkdir()
    (folder / "policies" / "last-train.json").write_bytes(sign_policy(policy, key))


def key_of_party(party: str, key: Any) -> PartyKey:
    """The public part of the key with which a party of the samples signs."""
    return PartyKey(
        key_id=f"k-{party}",
        party_id=party,
        public_hex=public_of(key).public_hex,
        roles=SIGNERS[party] if party in SIGNERS else (STUDIO[party],),
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2028, 1, 1, tzinfo=UTC),
    )


def _enrolments(folder: Path) -> list[Addition]:
    heard = {
        name: hear_recording(folder / f"{name}.flac", models="embedded", device="cpu")
        for name in {e[1] for e in ENROLMENTS}
    }
    return [
        Addition(
            Enrolment(
                enrolment_id=f"en-{voice[2:]}",
                voice_id=voice,
                encoder_sha256=heard[name].encoder_sha256,
                dimension=len(heard[name].vector),
                speech_s=heard[name].speech_s,
                audio_sha256=sha256((folder / f"{name}.flac").read_bytes()).hexdigest(),
                supplied_by=supplied,
                confirmed_by=confirmed,
            ),
            vector=[float(x) for x in heard[name].vector],
        )
        for voice, name, supplied, confirmed in ENROLMENTS
    ]


def sign_case(case: Mapping[str, Any], manifest: Path, registry: SampleRegistry) -> None:
    """Write the signed objects that the case's `sign` list asks for into its folder `evidence/`."""
    wanted = case.get("sign", ())
    if not wanted:
        return
    delivery = load_delivery(manifest)
    sounds = sounds_of(delivery)
    for number, item in enumerate(wanted):
        save(_signed(item, delivery, sounds, registry), delivery, f"{number + 1}-{next(iter(item))}")


def _signed(item: Mapping[str, Any], delivery: Delivery, sounds: Sounds, registry: SampleRegistry) -> bytes:
    title = delivery.title.internal if delivery.title and delivery.title.internal else ""
    title_id = title.removeprefix("internal:")
    if "approval" in item:
        by = item["approval"]
        key = registry.keys[by]
        return approve(delivery, sounds, title_id=title_id, by=by, holder=by, key=key, at=SIGNED_AT)
    if "human" in item:
        by = item["human"]
        return state_human(delivery, sounds, title_id=title_id, by=by, key=registry.keys[by], at=SIGNED_AT)
    if "sign_off" in item or "confirm_record" in item:
        return signed_by_studio(item, delivery, sounds, registry.keys[item["by"]])
    by = item["attest"]
    about = About(scope="character" if item["subject"] else "programme", name=item["subject"])
    key = registry.keys[by]
    return attest(sounds, rule=item["rule"], about=about, answer="pass", by=by, key=key, at=SIGNED_AT)


def signed_by_studio(item: Mapping[str, Any], delivery: Delivery, sounds: Sounds, key: Any) -> bytes:
    """A sign-off, or the record confirmed, by one of the studio's people."""
    by = item["by"]
    if "sign_off" in item:
        return sign_off(sounds, role=Role(item["sign_off"]), agreed=True, by=by, key=key, at=SIGNED_AT)
    return confirm_record(delivery, sounds, role=Role(item["confirm_record"]), by=by, key=key, at=SIGNED_AT)
