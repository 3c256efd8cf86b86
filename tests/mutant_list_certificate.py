"""What `make mutants` breaks in certificates: every guard, comparison and signature check on the way to "publish"."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced, without_equality, without_guards

VERIFYING = ("tests/certificate/test_verifying.py", "-k", "not light and not one_other_byte and not every_byte")
TRUST = ("tests/certificate/test_trust_store.py",)
CERTIFYING = ("tests/certificate/test_certifying.py",)
KEYS = ("tests/certificate/test_key_cards.py",)
ADOPTING = ("tests/certificate/test_adopting.py",)
BOTH = (
    "tests/certificate/test_verifying.py",
    "tests/certificate/test_trust_store.py",
    "-k",
    "not light and not every_byte",
)

# (file, tests): every guard in the file is removed in turn.
GUARDED = (
    ("dubgate/verifying.py", (*ADOPTING, *BOTH)),
    ("dubgate/publishing.py", (*ADOPTING, *VERIFYING)),
    ("dubgate/rewrapping.py", ("tests/certificate/test_rewrapped.py",)),
    ("dubgate/standing.py", (*CERTIFYING, "tests/certificate/test_renewing.py")),
    ("dubgate/certifying.py", CERTIFYING),
    ("dubgate/deciding.py", CERTIFYING),
    ("dubgate/resting.py", CERTIFYING),
    ("dubgate/certificate/annex.py", VERIFYING),
    ("dubgate/certificate/covering.py", VERIFYING),
    ("dubgate/certificate/file.py", VERIFYING),
    ("dubgate/certificate/keys.py", KEYS),
    ("dubgate/certificate/key_cards.py", KEYS),
    ("dubgate/certificate/ledger_part.py", VERIFYING),
    ("dubgate/certificate/measured.py", VERIFYING),
    ("dubgate/certificate/opening.py", ("tests/certificate/test_passkey_envelopes.py", *VERIFYING)),
    ("dubgate/certificate/strict_fields.py", BOTH),
    ("dubgate/certificate/trust.py", BOTH),
    ("dubgate/certificate/trust_seen.py", TRUST),
    ("dubgate/certificate/verdict.py", VERIFYING),
    ("dubgate/cli/certify_options.py", KEYS),
)
# (file, tests): every comparison of digests, keys, schemas or names finds both sides equal.
COMPARING = (
    ("dubgate/verifying.py", VERIFYING),
    ("dubgate/standing.py", (*CERTIFYING, "tests/certificate/test_renewing.py")),
    ("dubgate/certifying.py", CERTIFYING),
    ("dubgate/certificate/annex.py", VERIFYING),
    ("dubgate/certificate/file.py", VERIFYING),
    ("dubgate/certificate/ledger_part.py", VERIFYING),
    ("dubgate/certificate/opening.py", ("tests/certificate/test_passkey_envelopes.py", *VERIFYING)),
    ("dubgate/certificate/verdict.py", VERIFYING),
    ("dubgate/certificate/trust_seen.py", TRUST),
)
ABOUT = (
    r"sha256|root|digest|payload|_type|keyid|verifier|result|level|inputs|origin|index|leaf|recorded_at|subjects|place"
)

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("Ed25519 is believed", "consent/signed_entries.py", "    except (InvalidSignature, ValueError):\n        return False", "    except (InvalidSignature, ValueError):\n        return True", VERIFYING),
    ("other keys are believed", "dubgate/certificate/opening.py", "    except (UnverifiedSignatureError, ValueError):\n        return False", "    except (UnverifiedSignatureError, ValueError):\n        return True", VERIFYING),
    ("what is signed has no type", "consent/dsse.py", "(len(kind), kind, len(payload), payload)", "(0, b'', len(payload), payload)", VERIFYING),
    ("any ledger proof will do", "dubgate/certificate/ledger_part.py", "if not inside or", "if False or", VERIFYING),
    ("a leaf may lie elsewhere", "dubgate/certificate/ledger_part.py", 'or leaf.get("index") != proof.index', "", VERIFYING),
    ("a ledger's key may be out of time", "dubgate/certificate/ledger_part.py", 'entry.validity.require(signed_at, now, f"{name}: checkpoint")', "pass", VERIFYING),
    ("a gate's key may be out of time", "dubgate/certificate/file.py", 'gate.validity.require(verdict.verified_at, now, f"{name}: the gate\'s key")', "pass", VERIFYING),
    ("the ledger is not looked at", "dubgate/certificate/file.py", "if verdict.claim.ledger is not None:", "if False:", VERIFYING),
    ("the gate is not looked at", "dubgate/certificate/file.py", "    _check_gate(verdict, gate, now, name)\n", "", VERIFYING),
    ("a verdict may contradict itself", "dubgate/certificate/verdict.py", "    _agreeing(verdict, name)\n", "", VERIFYING),
    ("unknown fields are passed over", "dubgate/certificate/strict_fields.py", "        if self._left:", "        if False:", BOTH),
    ("the trust store's time is not asked", "dubgate/verifying.py", "    store.require_current(datetime.now(UTC) if now is None else now)\n", "", TRUST),
    ("whether it passed is not asked", "dubgate/verifying.py", "    require_passed(opened, name)\n", "", VERIFYING),
    ("the bytes are not compared", "dubgate/verifying.py", "        same_bytes(file, opened.verdict.file_sha256, opened.verdict.claim, name)\n", "        pass\n", VERIFYING),
    ("the use is not asked", "dubgate/verifying.py", "    require_covered(opened, territory, channel, name, partner)\n", "", VERIFYING),
    ("the time is not asked", "dubgate/verifying.py", "    require_in_time(opened, moment, name)\n", "", VERIFYING),
    ("the annex is not looked at", "dubgate/verifying.py", "        check_annex(read_small(annex), opened.verdict.claim, annex.name)\n", "        pass\n", VERIFYING),
    ("a group need be covered in part only", "dubgate/certificate/covering.py", "sorted(wanted - released)", "sorted(set() if wanted & released else wanted)", VERIFYING),
    ("it never expires", "dubgate/verifying.py", "if now >= claim.expires_at:", "if now > claim.expires_at + (now - now) * 0 and False:", VERIFYING),
    ("signed before it is recorded", "dubgate/certifying.py", "    watched.require_unchanged()\n", "", CERTIFYING),
    ("approvals are not asked again", "dubgate/resting.py", "if f.outcome > Outcome.WARN]", "if False]", CERTIFYING),
    ("consents are not asked again", "dubgate/resting.py", "        if not now.cleared:", "        if not now.grants and not now.denials:", CERTIFYING),
    ("the annex is for everybody", "dubgate/certifying.py", "decided.annex, 0o600)", "decided.annex, 0o644)", CERTIFYING),
    ("what was consented is not asked", "dubgate/standing.py", "    require_nothing_ended(release, ended)\n    return", "    return", CERTIFYING),
    ("refusals since do not count", "dubgate/standing.py", "in view.refusals(use, now, voice_id=voice.voice_id)", "in ()", CERTIFYING),
)  # fmt: skip


def certificate_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of the certificate, in a fixed order."""
    for file, tests in GUARDED:
        yield from without_guards(root, file, tests, "certificate")
    for file, tests in COMPARING:
        yield from without_equality(root, file, tests, "certificate", ABOUT)
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"certificate: {name}", file, tests, replaced(old, new))
