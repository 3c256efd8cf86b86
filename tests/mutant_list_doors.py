"""What `make mutants` breaks at doors that no other list looks at: every guard, comparison and call that makes sure.

A mutant that another list makes too is left out here.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from functools import cache
from pathlib import Path

from mutate import Mutant, replaced, without_calls, without_equality, without_guards, without_verification

VERIFYING = ("tests/certificate/test_verifying.py", "-k", "not light and not one_other_byte and not every_byte")
VERIFYING_ALL = (
    "tests/certificate/test_adopting.py",
    "tests/certificate/test_certifying.py",
    "tests/certificate/test_rewrapped.py",
    "tests/certificate/test_trust_store.py",
    *VERIFYING,
)
OPENING = ("tests/certificate/test_passkey_envelopes.py", *VERIFYING)
LABELLING = (
    "tests/labels/test_label_writing.py",
    "tests/labels/test_box_writing.py",
    "tests/labels/test_label_signing.py",
    "tests/labels/test_label_attacks.py",
    "tests/labels/test_label_wording.py",
)
MEDIA = (
    "tests/labels/test_label_attacks.py",
    "tests/labels/test_media_labels.py",
    "tests/labels/test_label_consistency.py",
    "tests/labels/test_box_writing.py",
    "tests/labels/test_label_writing.py",
)
PACKAGES = (
    "tests/labels/test_hls.py",
    "tests/labels/test_renditions.py",
    "tests/labels/test_unread_segments.py",
    "tests/labels/test_links_in_packages.py",
    "tests/labels/test_read_alike.py",
    "tests/labels/test_label_attacks.py",
)
REGISTRY = (
    "tests/consent/test_consent_registry.py",
    "tests/consent/test_consent_sqlite.py",
    "tests/consent/test_consent_laws.py",
    "tests/consent/test_consent_races.py",
    "tests/consent/test_erasure.py",
    "tests/consent/test_protected_gallery.py",
    "tests/consent/test_refused_records.py",
    "tests/consent/test_registry_attacks.py",
    "tests/consent/test_retention.py",
    "tests/consent/test_rights_and_approvals.py",
    "tests/consent/test_signatures.py",
    "tests/consent/test_standing_approvals.py",
    "tests/consent/test_strict_records.py",
    "-k",
    "not postgres",
)
ASKED = ("tests/consent/test_requests.py", "tests/consent/test_standing_approvals.py", "-k", "not postgres")
SPOKEN = ("tests/consent/test_spoken_phrases.py", "-k", "not postgres")
FILES = (
    "tests/consent/test_consent_sqlite.py",
    "tests/consent/test_consent_faults.py",
    "tests/consent/test_consent_migrations.py",
    "tests/consent/test_registry_attacks.py",
    "-k",
    "not postgres",
)
SERVING = ("tests/service/test_api.py", "tests/service/test_sources.py", "tests/service/test_upload_retention.py")
PUBLISHING = ("tests/service/test_publishing.py", "tests/service/test_verdicts.py", "tests/service/test_api.py")
DESK = (
    "tests/web/test_desk_sign_in.py",
    "tests/web/test_desk_roles.py",
    "tests/web/test_desk_abuse.py",
    "tests/web/test_desk_inviting.py",
    "tests/web/test_desk_unkeying.py",
)
PASSKEY = ("tests/web/test_desk_passkey_doors.py",)
SIGNING = (*PASSKEY, "tests/web/test_desk_signed.py", "tests/web/test_desk_abuse.py")
DECIDING = ("tests/web/test_desk_decisions.py", "tests/web/test_desk_own_voice.py", "tests/web/test_desk_roles.py")
WEIGHTS = ("tests/speech/test_models.py",)

# (file, tests): every guard in the file is removed in turn.
GUARDED = (
    ("consent/asking.py", ASKED),
    ("consent/cose.py", ("tests/consent/test_passkeys.py",)),
    ("consent/database.py", FILES),
    ("consent/gallery.py", ("tests/consent/test_protected_gallery.py", "-k", "not postgres")),
    ("consent/migrations/upgrade.py", FILES),
    ("consent/registry.py", (*FILES[:-2], *REGISTRY)),
    ("consent/requests.py", ASKED),
    ("consent/retention.py", ("tests/consent/test_retention.py", "-k", "not postgres")),
    ("consent/spoken_door.py", SPOKEN),
    ("consent/spoken.py", SPOKEN),
    ("consent/store.py", ("tests/consent/test_audit.py", *REGISTRY)),
    ("consent/strict.py", REGISTRY),
    (
        "consent/strict_yaml.py",
        ("tests/test_strict_yaml.py", "tests/consent/test_threats.py", "tests/consent/test_refused_records.py"),
    ),
    ("consent/taken_home.py", ("tests/web/test_desk_taken.py",)),
    ("consent/titles.py", REGISTRY),
    ("consent/views.py", REGISTRY),
    ("consent/voices.py", REGISTRY),
    ("consent/webhooks.py", ("tests/consent/test_notices.py", "tests/consent/test_refused_records.py")),
    ("consent/writing.py", (*ASKED[:-2], *REGISTRY)),
    ("consent/web/accounts.py", DESK),
    ("consent/web/ceremonies.py", (*PASSKEY, *DESK)),
    ("consent/web/guard.py", DESK),
    ("consent/web/recovery.py", DESK),
    ("consent/web/signing.py", SIGNING),
    ("consent/web/pages/accounts.py", DESK),
    ("consent/web/pages/requests.py", (*DECIDING, "tests/web/test_desk_abuse.py")),
    ("consent/web/pages/security.py", DESK),
    ("consent/web/pages/sign_in.py", DESK),
    ("consent/web/pages/signing.py", SIGNING),
    ("dubgate/labels/aigc.py", LABELLING),
    ("dubgate/labels/applying.py", LABELLING),
    ("dubgate/labels/bounds.py", MEDIA),
    ("dubgate/labels/boxes.py", MEDIA),
    ("dubgate/labels/copying.py", LABELLING),
    ("dubgate/labels/dash.py", PACKAGES),
    ("dubgate/labels/dash_segments.py", PACKAGES),
    ("dubgate/labels/ebml.py", MEDIA),
    ("dubgate/labels/flac.py", MEDIA),
    ("dubgate/labels/hls.py", PACKAGES),
    ("dubgate/labels/id3.py", MEDIA),
    ("dubgate/labels/places.py", MEDIA),
    ("dubgate/labels/plan.py", LABELLING),
    ("dubgate/labels/riff.py", MEDIA),
    ("dubgate/labels/unchanged.py", ("tests/labels/test_box_writing.py", *MEDIA)),
    ("dubgate/service/fetching.py", SERVING),
    ("dubgate/service/idempotency.py", SERVING),
    ("dubgate/service/job_routes.py", SERVING),
    ("dubgate/service/limits.py", SERVING),
    ("dubgate/service/own_key.py", SERVING),
    ("dubgate/service/publish_routes.py", PUBLISHING),
    ("dubgate/service/state.py", SERVING),
    ("dubgate/service/tokens.py", SERVING),
    ("dubgate/service/upload_routes.py", SERVING),
    ("dubgate/speech/models.py", WEIGHTS),
    ("dubgate/strict_yaml.py", ("tests/test_strict_yaml.py",)),
)
# (file, tests): every comparison of digests finds both sides equal.
COMPARING = (
    ("consent/certifications.py", ("tests/certificate/test_adopting.py",)),
    ("consent/gallery.py", ("tests/consent/test_protected_gallery.py", "-k", "not postgres")),
    ("consent/views.py", REGISTRY),
    ("consent/writing.py", (*ASKED[:-2], *REGISTRY)),
    ("consent/web/signing.py", SIGNING),
    ("consent/web/telling.py", ("tests/web/test_desk_judge.py", "tests/web/test_desk_acting.py")),
    ("consent/web/pages/signing.py", SIGNING),
    ("dubgate/adopting.py", ("tests/certificate/test_adopting.py",)),
    ("dubgate/certificate/trust.py", ("tests/certificate/test_trust_store.py", *VERIFYING)),
    ("dubgate/labels/audible.py", ("tests/labels/test_audible.py",)),
    ("dubgate/service/desk_judge.py", ("tests/service/test_desk_sound.py", "tests/service/test_desk_mount.py")),
    ("dubgate/service/idempotency.py", SERVING),
    ("dubgate/service/renewing.py", PUBLISHING),
    ("dubgate/service/tokens.py", SERVING),
    ("dubgate/speech/calibration.py", ("tests/speech/test_calibration.py",)),
)
DIGESTS = r"sha256|digest|root|payload|keyid|fingerprint|challenge|sound"

# (file, tests): every statement that calls what refuses is left out.
CALLED = (
    ("consent/asking.py", ASKED),
    ("consent/database.py", FILES),
    ("consent/parties.py", ("tests/consent/test_passkeys.py",)),
    ("consent/registry.py", FILES),
    ("consent/signature_audit.py", ("tests/consent/test_passkeys.py", "tests/consent/test_registry_attacks.py", "-k", "not postgres")),
    ("consent/signed_entries.py", ("tests/consent/test_signatures.py", "tests/consent/test_passkeys.py", "-k", "not postgres")),
    ("consent/spoken_door.py", SPOKEN),
    ("consent/statement_check.py", ("tests/web/test_desk_taken.py",)),
    ("consent/webhooks.py", ("tests/consent/test_notices.py",)),
    ("consent/writing.py", ("tests/consent/test_signatures.py", *REGISTRY)),
    ("consent/web/acting.py", DESK),
    ("consent/web/inviting.py", DESK),
    ("consent/web/pages/accounts.py", DESK),
    ("consent/web/pages/grants.py", DECIDING),
    ("consent/web/pages/requests.py", (*DECIDING, *DESK)),
    ("consent/web/pages/security.py", DESK),
    ("dubgate/certificate/file.py", VERIFYING),
    ("dubgate/certificate/ledger_part.py", VERIFYING),
    ("dubgate/evidence_folder.py", ("tests/certificate/test_evidence_and_replay.py",)),
    ("dubgate/labels/applying.py", LABELLING),
    ("dubgate/labels/hls.py", PACKAGES),
    ("dubgate/labels/packets.py", LABELLING),
    ("dubgate/labels/places.py", MEDIA),
    ("dubgate/packaging.py", ("tests/certificate/test_package_judging.py", "tests/certificate/test_packaging.py")),
    ("dubgate/policy/facts.py", ("tests/policy/test_conditions.py", "tests/policy/test_expressions.py", "tests/policy/test_pack_terms.py")),
    ("dubgate/policy/pack_schema.py", ("tests/policy/test_packs.py", "tests/policy/test_pack_terms.py")),
    ("dubgate/policy/packs.py", ("tests/policy/test_packs.py", "tests/policy/test_pack_terms.py")),
    ("dubgate/record_judging.py", ("tests/test_record_judging.py",)),
    ("dubgate/renewing.py", ("tests/certificate/test_renewing.py",)),
    ("dubgate/service/job_routes.py", SERVING),
    ("dubgate/service/limits.py", SERVING),
    ("dubgate/service/publishing.py", PUBLISHING),
    ("dubgate/service/state.py", SERVING),
    ("dubgate/service/tokens.py", SERVING),
    ("dubgate/service/trusting.py", PUBLISHING),
    ("dubgate/standing.py", ("tests/certificate/test_certifying.py", "tests/certificate/test_renewing.py")),
    ("dubgate/verifying.py", VERIFYING_ALL),
)  # fmt: skip
REFUSES = r"(?:.*\.)?_?(?:require|check|refuse|verify)\w*"

# (file, tests): every call that verifies a signature is left out.
SIGNED = (
    ("consent/cose.py", ("tests/consent/test_passkeys.py",)),
    ("consent/signed_entries.py", ("tests/consent/test_signatures.py", "tests/consent/test_passkeys.py")),
    ("dubgate/certificate/opening.py", OPENING),
)

# Single changes that no operator makes: (what, file, old text, new text, tests).
CEREMONIES = "consent/web/ceremonies.py"
SINGLE = (
    ("who signs in need not be verified", CEREMONIES, "sign_count\"]),\n            require_user_verification=True", "sign_count\"]),\n            require_user_verification=False", PASSKEY),
    ("who adds a passkey need not be verified", CEREMONIES, "origin=desk.settings.origin,\n            require_user_verification=True", "origin=desk.settings.origin,\n            require_user_verification=False", PASSKEY),
    ("a site that is called alike signs in", CEREMONIES, "expected_origin=desk.settings.origin,\n            credential_public_key", "expected_origin=[desk.settings.origin, desk.settings.origin + '.evil.example'],\n            credential_public_key", PASSKEY),
    ("a site that is called alike adds a passkey", CEREMONIES, "expected_origin=desk.settings.origin,\n            require", "expected_origin=[desk.settings.origin, desk.settings.origin + '.evil.example'],\n            require", PASSKEY),
    ("an authenticator may count backwards", CEREMONIES, 'credential_current_sign_count=int(row["sign_count"])', "credential_current_sign_count=0", PASSKEY),
    ("what was counted is not kept", CEREMONIES, '"sign_count": said.new_sign_count, ', "", PASSKEY),
    ("an answer signs in again and again", CEREMONIES, "    spend(desk, challenge_id)\n    same", "    same", PASSKEY),
    ("a forged sign-in is believed", CEREMONIES, "        raise CeremonyError(\"ceremony.refused\") from None\n    spend(desk, challenge_id)\n    same", "        pass\n    spend(desk, challenge_id)\n    same", PASSKEY),
    ("an answer may be of any length", CEREMONIES, "if len(text) <= MAX_ANSWER else None", "", PASSKEY),
)  # fmt: skip


def door_mutants(root: Path, others: Callable[[str], Container[str]]) -> Iterator[Mutant]:
    """Every mutant of these doors that is none of the `others` of its file, in a fixed order."""
    text = cache(lambda file: (root / file).read_text(encoding="utf-8"))
    seen: set[tuple[str, str]] = set()
    for mutant in _all(root):
        new = mutant.change(text(mutant.file))
        if new not in others(mutant.file) and (mutant.file, new) not in seen:
            seen.add((mutant.file, new))
            yield mutant


def _all(root: Path) -> Iterator[Mutant]:
    for file, tests in GUARDED:
        yield from without_guards(root, file, tests, "doors")
    for file, tests in COMPARING:
        yield from without_equality(root, file, tests, "doors", DIGESTS)
    for file, tests in CALLED:
        yield from without_calls(root, file, tests, "doors", REFUSES)
    for file, tests in SIGNED:
        yield from without_verification(root, file, tests, "doors")
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"doors: {name}", file, tests, replaced(old, new))
