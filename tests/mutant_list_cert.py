"""What `make mutants` breaks in passkeys, packages, renewals, evidence and adopted packs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced, without_calls, without_equality, without_guards

PASSKEYS = ("tests/consent/test_passkeys.py", "-k", "not postgres and not fall_over")
SIGNED = ("tests/certificate/test_passkey_envelopes.py", *PASSKEYS)
PACKAGE = ("tests/certificate/test_package_certificates.py",)
JUDGING = ("tests/certificate/test_package_judging.py",)
RENDITIONS = ("tests/labels/test_renditions.py",)
ALIGNED = ("tests/test_alignment.py",)
PACKAGING = (
    "tests/certificate/test_packaging.py",
    "-k",
    "expired or last_moment or changes_while or inside_the_package or no_audio_entry or playlist_says"
    " or another_master or ledger or beside_it or in_a_variant or package_judging",
)
RENEWING = ("tests/certificate/test_renewing.py", "tests/certificate/test_renewal_ends.py")
EVIDENCE = ("tests/certificate/test_evidence_and_replay.py", "-k", "not another_process")
PACKED_EVIDENCE = (
    "tests/certificate/test_evidence_and_replay.py",
    "tests/certificate/test_packaging.py",
    "-k",
    "evidence and not another_process",
)
ADOPTING = ("tests/certificate/test_adopting.py",)

# (file, tests): every guard in the file is removed in turn.
GUARDED = (
    ("consent/passkeys.py", PASSKEYS),
    ("consent/cose.py", PASSKEYS),
    ("consent/signed_entries.py", ("tests/consent/test_signatures.py", *SIGNED)),
    ("consent/passkey_signing.py", PASSKEYS),
    ("consent/certification_door.py", ADOPTING),
    ("dubgate/certificate/package.py", PACKAGE),
    ("dubgate/package_files.py", PACKAGE),
    ("dubgate/labels/renditions.py", RENDITIONS),
    ("dubgate/packaging.py", (*JUDGING, *PACKAGING)),
    ("dubgate/renewal_ends.py", RENEWING),
    ("dubgate/renewing.py", RENEWING),
    ("dubgate/replaying.py", EVIDENCE),
    ("dubgate/evidence_folder.py", PACKED_EVIDENCE),
)
# (file, tests): every comparison of digests, keys, ids or names finds both sides equal.
COMPARING = (
    ("consent/passkeys.py", PASSKEYS),
    ("dubgate/certificate/package.py", PACKAGE),
    ("dubgate/packaging.py", (*JUDGING, *PACKAGING)),
    ("dubgate/renewing.py", RENEWING),
    ("dubgate/replaying.py", EVIDENCE),
    ("dubgate/evidence_folder.py", EVIDENCE),
)
ABOUT = r"sha256|challenge|type|origin|rawId|keyid|verifier|named|before|there|adopted|release_id|counter|was"
# (file, tests, about): every call of such a function is left out in turn.
CALLED = (
    ("consent/passkeys.py", PASSKEYS, "_check_client_data|_check_authenticator_data"),
    ("consent/passkey_signing.py", PASSKEYS, "check_assertion|check_counter"),
    ("dubgate/certificate/package.py", PACKAGE, r"_check|check_ledger|gate\.validity\.require"),
    ("dubgate/labels/renditions.py", RENDITIONS, "_require_known|_require_whole"),
    ("dubgate/renewing.py", RENEWING, "require_renewable|ends_of|check_annex|_require_label|require_passed"),
    ("dubgate/replaying.py", EVIDENCE, "check_annex"),
    ("dubgate/evidence_folder.py", EVIDENCE, r"store\.require_current"),
)

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("a passkey's signature is believed", "consent/passkeys.py", "not cose.verifies(key.cose, assertion.signature, data)", "False", PASSKEYS),
    ("a COSE key's answer is not heard", "consent/cose.py", "    except (InvalidSignature, CoseError, ValueError):\n        return False", "    except (InvalidSignature, CoseError, ValueError):\n        return True", PASSKEYS),
    ("Ed25519 beside passkeys is believed", "consent/signed_entries.py", "    except (InvalidSignature, ValueError):\n        return False", "    except (InvalidSignature, ValueError):\n        return True", ("tests/consent/test_signatures.py", "-k", "not postgres")),
    ("a passkey's problem is none", "consent/signed_entries.py", "        return str(error)", '        return ""', PASSKEYS),
    ("an origin may be any host", "consent/parties.py", 'not (host == rp_id or host.endswith(f".{rp_id}"))', "False", PASSKEYS),
    ("an origin may go without https", "consent/parties.py", '(scheme == "http" and rp_id != "localhost")', "False", PASSKEYS),
    ("a key may be two", "consent/parties.py", "if (self.public_hex is None) == (self.passkey is None):", "if False:", PASSKEYS),
    ("a credential has two owners", "consent/admission.py", "if key.passkey is not None and view.record(", "if False and view.record(", PASSKEYS),
    ("another key's counter counts", "consent/signatures.py", "if e.keyid == keyid and e.assertion is not None", "if e.assertion is not None", PASSKEYS),
    ("a copied authenticator signs twice", "consent/writing.py", "            require_one_authenticator(self._signed_by(holder), addition.envelope, holder)\n", "", PASSKEYS),
    ("an annex believes a passkey", "dubgate/certificate/opening.py", "return not signature_problem(key, entry, signed)", "return True", SIGNED),
    ("a gate's key carries an assertion", "dubgate/certificate/opening.py", "entry.assertion is None and key.verifies", "key.verifies", SIGNED),
    ("a delivery believes a passkey", "dubgate/certificate/dsse.py", "            if not problem:\n", "            if True:\n", SIGNED),
    ("anybody puts packs in force", "consent/signatures.py", "return record.by, ANSWERABLE", "return record.by, tuple(Role)", ADOPTING),
    ("an adoption is unsigned", "consent/writing.py", "elif isinstance(record, Adoption) or (", "elif (", ADOPTING),
    ("the audit takes an unsigned adoption", "consent/signature_audit.py", "elif isinstance(record, Adoption) or (", "elif (", ADOPTING),
    ("adopted packs are not asked", "dubgate/publishing.py", "        if adopted is None:", "        if False:", ADOPTING),
    ("other bytes of an adopted pack will do", "dubgate/publishing.py", "        if adopted.sha256 != pack.sha256:", "        if False:", ADOPTING),
    ("a policy's adopted packs are passed over", "dubgate/verifying.py", "    if demands.adopted:", "    if False:", ADOPTING),
    ("a package's files are not compared", "dubgate/verifying.py", "        check_member(packaged.claim, file, name, told=language is not None)\n", "        pass\n", PACKAGE),
    ("a renewal stands under a release's entry", "dubgate/certificate/file.py", "RELEASE_RECORD if verdict.claim.renews is None else CERTIFICATION_RECORD", "RELEASE_RECORD", PACKAGE),
    ("a release stands under any certification", "dubgate/certificate/file.py", "RELEASE_RECORD if verdict.claim.renews is None else CERTIFICATION_RECORD", "CERTIFICATION_RECORD if verdict.claim.renews is None else RELEASE_RECORD", PACKAGE),
    ("another release's renewal counts", "dubgate/standing.py", "if len(renewed) != 1 or not", "if len(renewed) != 1 and not", RENEWING),
    ("a standing refusal is any ending", "dubgate/standing.py", "REFUSED_FOR_GOOD: StandingRefusal, ", "", RENEWING),
    ("a renewal never ends", "dubgate/renewing.py", "min([now + LIFETIME, *gate.ends_at, *ends])", "now + LIFETIME", RENEWING),
    ("a key behind an answer may be revoked", "dubgate/renewal_ends.py", "if holder is None or holder.problem:", "if holder is None:", RENEWING),
    ("what was announced is not told", "dubgate/renewal_ends.py", "    if not ends:\n", "    if False:\n", RENEWING),
    ("another take passes", "dubgate/alignment.py", "if window.correlation < bounds.correlation:", "if False:", ALIGNED),
    ("another level passes", "dubgate/alignment.py", "if abs(window.gain_db - gain_db) > bounds.window_gain_db:", "if False:", ALIGNED),
    ("another colour passes", "dubgate/alignment.py", 'return "envelope" if window.envelope_db > bounds.envelope_db else ""', 'return ""', ALIGNED),
    ("added sound passes", "dubgate/alignment.py", 'return "added" if heard_db > max', 'return "" if heard_db > max', ALIGNED),
    ("sound behind the end passes", "dubgate/alignment.py", "    faults += _outside(master, rendition, offset_s, bounds)\n", "", ALIGNED),
    ("another start passes", "dubgate/alignment.py", "if abs(offset_s) > bounds.offset_s else []", "if False else []", ALIGNED),
    ("another length passes", "dubgate/alignment.py", "if abs(longer_s) > bounds.length_s else []", "if False else []", ALIGNED),
    ("another gain passes", "dubgate/alignment.py", "if abs(gain_db) > bounds.gain_db else []", "if False else []", ALIGNED),
    ("nothing that sounds is the same", "dubgate/alignment.py", "return not self.faults and self.n_sounding > 0", "return not self.faults", ALIGNED),
    ("a package is signed before it is asked again", "dubgate/packaging.py", "            require_standing(master, writer, origin, writer.now)\n", "", PACKAGING),
    ("what was heard of a package is not judged", "dubgate/packaging.py", "    require_approved(heard, master, release)\n", "", PACKAGING),
    ("a label in a package only warns", "dubgate/packaging.py", "if f.outcome > Outcome.WARN]", "if False]", JUDGING),
    ("a variant's own sound is not looked for", "dubgate/package_hearing.py", "        _require_silent(other, scratch)\n", "        pass\n", PACKAGING),
    ("a playlist may lie about its length", "dubgate/package_hearing.py", "if not stated_as_long(rendition, duration_s):", "if False:", ("tests/certificate/test_packaging.py", "-k", "not_known and 9.005")),
    ("a label is lost in a re-wrapped file", "dubgate/renewing.py", "if f.outcome > Outcome.WARN]", "if False]", RENEWING),
)  # fmt: skip


def cert_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of passkeys, packages, renewals and evidence, in a fixed order."""
    for file, tests in GUARDED:
        yield from without_guards(root, file, tests, "cert")
    for file, tests in COMPARING:
        yield from without_equality(root, file, tests, "cert", ABOUT)
    for file, tests, about in CALLED:
        yield from without_calls(root, file, tests, "cert", about)
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"cert: {name}", file, tests, replaced(old, new))
