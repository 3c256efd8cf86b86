"""What `make mutants` breaks in labels: every guard of signing, trust, sidecars, proofs and stripping; and which tests must notice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced, without_equality, without_guards

PROVENANCE = ("tests/labels/test_label_provenance.py",)
OF_PIECES = ("tests/labels/test_media_labels.py",)
SIGNING = ("tests/labels/test_label_signing.py",)
SIDECARS = ("tests/policy/test_label_sidecars.py",)
STRIPPED = ("tests/labels/test_label_stripped.py",)
AUDIBLE = ("tests/labels/test_audible.py",)
PROBING = ("tests/certificate/test_probing.py",)
BOXES = ("tests/labels/test_box_writing.py",)
ATTACKS = ("tests/labels/test_label_attacks.py", "tests/labels/test_hls.py")

# (file, tests): every guard in the file is removed in turn.
GUARDED = (
    ("dubgate/labels/anchors.py", PROVENANCE),
    ("dubgate/labels/provenance.py", (*PROVENANCE, *OF_PIECES)),
    ("dubgate/labels/signing.py", SIGNING),
    ("dubgate/labels/audible.py", AUDIBLE),
    ("dubgate/meter/rhythm.py", AUDIBLE),
    ("dubgate/policy/label_sidecars.py", SIDECARS),
    ("dubgate/labelling.py", SIDECARS),
    ("dubgate/fetching.py", PROBING),
    ("dubgate/probing.py", PROBING),
)
# (file, tests): every comparison of digests and languages finds both sides equal.
COMPARING = (("dubgate/policy/label_sidecars.py", SIDECARS),)
ABOUT = r"sha256|stage"

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("Valid is taken for Trusted", "dubgate/labels/provenance.py", 'if state == "Trusted" and anchors is not None:', 'if state in ("Trusted", "Valid") and anchors is not None:', PROVENANCE),
    ("a revoked signer is trusted", "dubgate/labels/provenance.py", "or serial in anchors.revoked", "", PROVENANCE),
    ("a manifest is of every track", "dubgate/labels/provenance.py", "if name in manifest.tracks]", "]", PROVENANCE),
    ("anybody's revocation list counts", "dubgate/labels/anchors.py", "bool(found.is_signature_valid(authority.public_key()))", "True", PROVENANCE),
    ("the child has anything signed", "dubgate/labels/signing.py", "if not data.startswith(_TO_SIGN):", "if False:", SIGNING),
    ("the child has two things signed", "dubgate/labels/signing.py", '    if signed:\n        raise ChildError("the child process asks for a second', '    if False:\n        raise ChildError("the child process asks for a second', SIGNING),
    ("what is signed is not read back", "dubgate/labels/applying.py", 'read_back(after.manifests, plan.language, source.name)', '"signed"', SIGNING),
    ("what changed is not noticed", "dubgate/labels/proving.py", "    if before != after:", "    if False:", ("tests/labels/test_label_writing.py",)),
    ("a dry run signs", "dubgate/labels/applying.py", '    if dry_run:\n        return (Change("C2PA manifest"', '    if False:\n        return (Change("C2PA manifest"', SIGNING),
    ("media data are not proved", "dubgate/labels/unchanged.py", "hashlib.sha256(data + plain)", "hashlib.sha256(plain)", BOXES),
    ("sample tables are not proved", "dubgate/labels/unchanged.py", "hashlib.sha256(data + plain)", "hashlib.sha256(data)", BOXES),
    ("offsets stay where they were", "dubgate/labels/box_writing.py", "o + by if o >= behind else o", "o", BOXES),
    ("the first of two boxes counts", "dubgate/labels/boxes.py", "if len(found) > 1:", "if False:", ATTACKS),
    ("the last of two names counts", "dubgate/labels/ebml.py", "if sum(k == kind for k, _ in found) > 1:", "if False:", ATTACKS),
    ("the last of two attributes counts", "dubgate/labels/hls.py", "if len(set(keys)) < len(keys):", "if False:", ATTACKS),
    ("variables in playlists", "dubgate/labels/hls.py", 'if tag == "#EXT-X-DEFINE":', "if False:", ATTACKS),
    ("a lost AIGC label is not missed", "dubgate/labels/stripped.py", "bool(before.aigc), bool(after.aigc)", "False, False", STRIPPED),
    ("a lost manifest is not missed", "dubgate/labels/stripped.py", "_has_manifest(before), _has_manifest(after)", "False, False", STRIPPED),
    ("a silent package is a replacement", "dubgate/labels/stripped.py", "replaced=package and said", "replaced=package", STRIPPED),
    ("a lost token is not missed", "dubgate/labels/stripped.py", "if any(t.machine_readable for t in before.tracks) and not said:", "if False:", STRIPPED),
    ("a lost name is not missed", "dubgate/labels/stripped.py", "if any(t.human_readable for t in before.tracks)", "if False", STRIPPED),
    ("unknown is heard", "dubgate/labels/audible.py", "if isinstance(v, Unmeasured)), False)", "if isinstance(v, Unmeasured) and False), True)", AUDIBLE),
    ("AI alone is a disclaimer", "dubgate/labels/audible.py", "if near and starts", "if starts", AUDIBLE),
    ("any beeps are the rhythm", "dubgate/meter/rhythm.py", "return in_proportion and alone", "return alone", AUDIBLE),
    ("letters around do not matter", "dubgate/meter/rhythm.py", "return in_proportion and alone", "return in_proportion", AUDIBLE),
    ("a probe looks away from labels", "dubgate/probing.py", "    alerts += _unlabelled(top, language)\n", "", PROBING),
    ("a probe looks away from bytes", "dubgate/probing.py", "    alerts += _unknown(top, fetched, known, folder)\n", "", PROBING),
    ("a probe forgives certificates", "dubgate/probing.py", "list(known.alerts), [top]", "[], [top]", PROBING),
    ("other files of a package count as the dub's", "dubgate/probing.py", " if f.role != OTHER}", "}", PROBING),
    ("an alert is exit code 0", "dubgate/cli/probe.py", "return ALERT if probed.alerts else 0", "return 0", PROBING),
    ("a human manifest over a machine's voice", "dubgate/policy/label_checks.py", "if synthetic is True and not told.says_ai and not told.tracks:", "if False:", ("tests/labels/test_label_consistency.py",)),
)  # fmt: skip


def label_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of labels, in a fixed order."""
    for file, tests in GUARDED:
        yield from without_guards(root, file, tests, "labels")
    for file, tests in COMPARING:
        yield from without_equality(root, file, tests, "labels", ABOUT)
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"labels: {name}", file, tests, replaced(old, new))
