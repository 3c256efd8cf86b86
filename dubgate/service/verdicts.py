"""What a decision leaves behind for whoever must be shown: measurements and packs of that day, kept with its job.

Handed out as the folder that `dubgate check --certify` writes, so that `dubgate evidence` and `dubgate replay` take it.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping

from sqlalchemy import Engine, or_, select

from dubgate.certifying import ANNEX, CERTIFICATE, JUDGED, PACKS
from dubgate.deciding import Decided
from dubgate.judgement import Judgement
from dubgate.service.database import looking
from dubgate.service.own_key import OwnKey
from dubgate.service.tables import FILE
from dubgate.watching import COMPANY, Watched

RESTS_ON = "rests_on.json"
LOCKED = ".locked"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same archive, whenever it is asked for


def kept_of(decided: Decided, job_id: str, own: OwnKey) -> dict[str, bytes]:
    """The measurements, under lock, and each pack under its digest; to be kept in the transaction that decides."""
    judged = own.encrypted(f"{job_id}/{JUDGED}", zlib.compress(decided.judged))
    return {f"{JUDGED}{LOCKED}": judged, **{f"{PACKS}/{sha256}.yaml": data for sha256, data in decided.packs}}


def rests_on_of(judgement: Judgement, watched: Watched) -> bytes:
    """By digest: the files of the delivery, its sounds, the packs, and the company's folder as a whole."""
    features = judgement.features
    heard = (features.dub, *(() if features.published is None else (features.published,)))
    data = {
        "schema": "service-rests-on/1.0",
        "files": {name: sha256 for name, sha256 in watched.rests_on if not name.startswith(COMPANY)},
        "sounds": sorted({sound.packet_sha256 for sound in heard}),
        "packs": {p.name: p.sha256 for p in judgement.packs},
        "company_sha256": watched.company_sha256,
    }
    return json.dumps(data, indent=1, sort_keys=True).encode() + b"\n"


def verdict_files(engine: Engine, own: OwnKey, job_id: str, *, private: bool) -> dict[str, bytes] | None:
    """The files of a certified job by their place in the folder; None where something of it was not kept.

    Args:
        private: with the annex and the measurements.

    Raises:
        InputError: what is under lock does not open.
    """
    named = (CERTIFICATE, f"{ANNEX}{LOCKED}", f"{JUDGED}{LOCKED}")
    wanted_rows = or_(FILE.c.name.in_(named), FILE.c.name.startswith(f"{PACKS}/"))
    query = select(FILE.c.name, FILE.c.content).where(FILE.c.job_id == job_id, wanted_rows)
    with looking(engine) as connection:
        found = {row.name: bytes(row.content) for row in connection.execute(query)}
    wanted = {n: found[n] for n in found if n == CERTIFICATE or n.startswith(f"{PACKS}/")}
    if private:
        if f"{ANNEX}{LOCKED}" not in found or f"{JUDGED}{LOCKED}" not in found:
            return None
        wanted[ANNEX] = own.decrypted(f"{job_id}/{ANNEX}", found[f"{ANNEX}{LOCKED}"])
        wanted[JUDGED] = zlib.decompress(own.decrypted(f"{job_id}/{JUDGED}", found[f"{JUDGED}{LOCKED}"]))
    kept = any(name.startswith(f"{PACKS}/") for name in wanted)  # of a job that an earlier program decided none was
    return wanted if CERTIFICATE in wanted and kept else None


def archive_of(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of them; private ones readable by their owner alone."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            about = zipfile.ZipInfo(name, _LONG_AGO)
            about.external_attr = (0o600 if name in (ANNEX, JUDGED) else 0o644) << 16
            about.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(about, content)
    return out.getvalue()
