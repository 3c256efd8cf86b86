"""The rows of the certificate index for one file, each with whether anything that it rests on changed: one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from consent.registry import CLOCK_SLACK
from dubgate.service.certificates import Facts, standing_seal
from dubgate.service.clock import moment
from dubgate.service.own_key import OwnKey

ROWS = """
SELECT c.recorded_at, c.facts, c.seal, s.certificate_id, s.asked_size, s.asked_at, s.until, s.keys, s.seal,
       (SELECT max(leaf_index) + 1 FROM entry), {changed}
FROM (SELECT certificate_id, facts, seal, recorded_at FROM service_certificate
      WHERE file_sha256 = :digest AND organisation {among}
      ORDER BY recorded_at DESC, certificate_id DESC LIMIT {limit}) AS c
LEFT JOIN service_standing AS s ON s.certificate_id = c.certificate_id
ORDER BY c.recorded_at DESC, c.certificate_id DESC
"""
CHANGED = {
    "sqlite": (
        "EXISTS (SELECT 1 FROM json_each(s.keys) AS k JOIN lookup AS l ON l.key = json_extract(k.value, '$[0]') "
        "AND l.schema_name = json_extract(k.value, '$[1]') WHERE l.leaf_index >= s.asked_size)"
    ),
    "postgresql": (
        "EXISTS (SELECT 1 FROM json_array_elements(s.keys::json) AS k, LATERAL (SELECT 1 FROM lookup AS l "
        'WHERE l.key = (k->>0) COLLATE "C" AND l.schema_name = (k->>1) COLLATE "C" AND l.leaf_index >= s.asked_size '
        "LIMIT 1) AS hit)"
    ),
}
AMONG = {"sqlite": "IN :organisations", "postgresql": "= ANY(:organisations)"}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the index with what is known of its consents; the standing's parts are None where nothing was asked yet."""

    recorded_at: str
    facts: str
    seal: str
    standing_of: str | None
    asked_size: int | None
    asked_at: str | None
    until: str | None
    keys: str | None
    standing_seal: str | None
    size: int | None  # of the ledger
    changed: bool  # whether an entry came under any of the keys since

    def stands(self, facts: Facts, own: OwnKey, at: datetime) -> bool:
        """Whether it was asked whole before, under seal, and neither a new entry nor a moment lies between then and `at`."""
        if self.standing_of != facts.certificate_id or self.changed or self.size is None:
            return False
        told = {"certificate_id": self.standing_of, "asked_size": self.asked_size, "asked_at": self.asked_at}
        told |= {"until": self.until, "keys": self.keys}
        if not own.sealed(standing_seal(told), str(self.standing_seal)):
            return False
        inside = moment(str(self.asked_at)) - CLOCK_SLACK <= at < moment(str(self.until))
        return inside and self.size >= int(self.asked_size or 0)
