"""Signing in a browser: what a passkey is asked to sign for a record, and the envelope once it has answered.

A desk asks `to_sign`, hands the challenge to `navigator.credentials.get`, and gives the answer to `signed_envelope`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.approvals import Approval
from consent.dsse import PAYLOAD_TYPE, STATEMENT_TYPE, pre_authentication_encoding
from consent.errors import SignatureError
from consent.lookup import Lookup, signed_with
from consent.parties import PartyKey
from consent.passkeys import Assertion, PasskeyError, assertion_of, challenge_of, check_assertion, check_counter
from consent.signatures import counters_of, predicate_type
from consent.strict import Record, canonical_json


@dataclass(frozen=True, slots=True)
class ToSign:
    """The payload of the envelope that is to be (keep it until the answer comes), and the challenge for the passkey."""

    payload: bytes
    challenge: bytes


def to_sign(record: Record, sounds: Sequence[str] | None = None) -> ToSign:
    """What its author signs for a record.

    Args:
        sounds: packet digests that the statement is about; by default those that an approval names.
    """
    import rfc8785

    named = (s.packets_sha256 for s in record.sounds) if isinstance(record, Approval) else ()
    about = tuple(named) if sounds is None else tuple(sounds)
    statement: dict[str, Any] = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "dub", "digest": {"sha256": sound}} for sound in about],
        "predicateType": predicate_type(record),
        "predicate": {"schema": record.schema_name, **json.loads(canonical_json(record))},
    }
    payload = rfc8785.dumps(statement)
    return ToSign(payload, challenge_of(pre_authentication_encoding(payload)))


def credentials_of(view: Lookup, party_id: str, at: datetime) -> tuple[PartyKey, ...]:
    """The passkeys with which a party may sign at `at`: what a browser is told to choose from."""
    keys = (k for k in view.public_keys(party_id) if k.passkey is not None)
    holders = (view.key(k.keyid, at) for k in keys)
    return tuple(h.key for h in holders if h is not None and not h.problem)


def signed_envelope(payload: bytes, key: PartyKey, response: Mapping[str, Any] | str, *, last_counter: int = 0) -> str:
    """The DSSE envelope over `payload`, once the browser's answer verifies with this key.

    Args:
        response: `PublicKeyCredential.toJSON()`, as an object or as JSON.
        last_counter: the highest counter seen of this key (see last_counter).

    Raises:
        SignatureError: it is no answer of this passkey to this challenge, or its counter went back.
    """
    if key.passkey is None:
        raise SignatureError("this key is no passkey", where=key.key_id)
    try:
        assertion = assertion_of(_object(response))
        check_assertion(key.passkey.key, assertion, pre_authentication_encoding(payload))
        check_counter(assertion, last_counter)
    except PasskeyError as error:
        raise SignatureError(str(error), where=key.key_id) from None
    return envelope_of(payload, key.keyid, assertion)


def envelope_of(payload: bytes, keyid: str, assertion: Assertion) -> str:
    """A DSSE envelope whose one signature is a passkey's assertion."""
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": keyid, **assertion.members()}],
    }
    return json.dumps(envelope, sort_keys=True)


def last_counter(view: Lookup, key: PartyKey) -> int:
    """The highest counter of this passkey in what the registry holds; 0 where it does not count or never signed."""
    said_by_key = signed_with(view, key, view.house_of(key.party_id))
    return max((n for said in said_by_key for n in counters_of(said, key.keyid)), default=0)


def _object(response: Mapping[str, Any] | str) -> Mapping[str, Any]:
    if not isinstance(response, str):
        return response
    try:
        if len(response) > 64_000:
            raise PasskeyError("the answer is larger than 64 KB")
        found = json.loads(response)
    except (ValueError, RecursionError) as error:
        raise PasskeyError(f"the answer is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise PasskeyError("the answer is no object")
    return found
