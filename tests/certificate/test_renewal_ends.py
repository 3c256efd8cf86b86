"""What a renewal rests on ends in time: each end by itself, without a certificate around it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from dubgate.certificate.refusals import AlteredAnnex, ConsentEnded
from dubgate.renewal_ends import SignedPart, ends_of, signed_parts

AT = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
KIND = "urn:dubgate:approval:1.0"
RELEASE: Any = SimpleNamespace(release_id="r-1", window=SimpleNamespace(end=None), voices=(), approval_ids=())


def view(problem: str | None = None, *, known: bool = True) -> Any:
    holder = SimpleNamespace(problem=problem, key=SimpleNamespace(not_after=AT + 2 * HOUR, key_id="k-1"))
    return SimpleNamespace(key=lambda keyid, at: holder if known else None)


def annex(expires_at: object) -> bytes:
    payload = base64.b64encode(json.dumps({"predicate": {"expires_at": expires_at}}).encode()).decode()
    return json.dumps({"signed": [{"kind": KIND, "envelope": {"payload": payload, "signatures": []}}]}).encode()


@pytest.mark.parametrize("said", ["2026-11-20T12:00:00", "soon", 5])
def test_an_end_that_is_no_moment_is_an_altered_annex(said: object) -> None:
    with pytest.raises(AlteredAnnex, match="no time at which something ends"):
        signed_parts(annex(said))


def test_an_end_with_its_zone_is_read() -> None:
    [part] = signed_parts(annex("2026-11-20T12:00:00+09:00"))
    assert part.expires_at == datetime(2026, 11, 20, 3, tzinfo=UTC)


@pytest.mark.parametrize("hours", [-1, 0])
def test_what_was_signed_until_now_has_ended(hours: int) -> None:
    with pytest.raises(ConsentEnded, match="a signed approval"):
        ends_of(RELEASE, [SignedPart(KIND, (), AT + hours * HOUR)], view(), AT)


def test_what_is_still_to_end_is_told_in_order_of_time() -> None:
    parts = [SignedPart(KIND, ("1" * 64,), AT + 3 * HOUR)]
    assert [e.at for e in ends_of(RELEASE, parts, view(), AT)] == [AT + 2 * HOUR, AT + 3 * HOUR]


@pytest.mark.parametrize(
    ("of", "why"), [(view(known=False), "is not registered"), (view("was revoked"), "was revoked")]
)
def test_a_key_that_does_not_count_any_more_ends_it(of: Any, why: str) -> None:
    with pytest.raises(ConsentEnded, match=why):
        ends_of(RELEASE, [SignedPart(KIND, ("1" * 64,), None)], of, AT)
