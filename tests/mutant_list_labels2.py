"""What `make mutants` breaks in labels inside media, partners of an approval, watermarks and the copying proof."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced, without_guards, without_yields

MEDIA = ("tests/labels/test_media_labels.py",)
WORDING = ("tests/labels/test_label_wording.py",)
WRITING = ("tests/labels/test_label_writing.py", "tests/labels/test_box_writing.py")
PARTNERS = ("tests/consent/test_rights_and_approvals.py",)
VERIFYING = ("tests/certificate/test_verifying.py",)
DESK = ("tests/web/test_desk_decisions.py",)
PUBLISHING = ("tests/service/test_publishing.py",)
RECORD = ("tests/test_record_judging.py",)

# (file, tests): every guard in the file is removed in turn.
UNREAD = (*MEDIA, "tests/labels/test_unread_segments.py")
GUARDED = (("dubgate/labels/played.py", UNREAD), ("dubgate/labels/transport.py", UNREAD))
# (file, tests): every `if` that says something never holds.
SAYING = (
    ("dubgate/policy/media_label_checks.py", MEDIA),
    ("consent/partners.py", PARTNERS),
)

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("what media say is not asked", "dubgate/policy/label_checks.py", "    yield from media_findings(labels, synthetic)\n", "", MEDIA),
    ("labels in HLS media are not read", "dubgate/labels/hls.py", ', *sound.of_entry("HLS", k, m.language))', ",)", MEDIA),
    ("labels in DASH media are not read", "dubgate/labels/dash.py", ', *sound.of_entry("DASH", entry.number, language))', ",)", MEDIA),
    ("a manifest in media is believed unread", "dubgate/labels/played.py", "unmeasured=(*unread, told.reason)", "unmeasured=unread", MEDIA),
    ("one entry with China's label is all of them", "dubgate/label_facts.py", "== len(labels.tracks)", "> 0", MEDIA),
    ("an approval's partners are not asked", "consent/approvals.py", "    yield from partner_denials(approval.partners, candidate.partners)\n", "", PARTNERS),
    ("a partner more is no matter", "consent/partners.py", "going - set(approved or ())", "set() & going", PARTNERS),
    ("a partner fewer is no matter", "consent/partners.py", "set(approved or ()) - going", "set() & going", PARTNERS),
    ("a delivery's partners are not held against the approval", "dubgate/clearing.py", "        partners=release.partners,\n", "", ("tests/test_release.py",)),
    ("the desk signs for no partner", "consent/web/deciding.py", "        partners=release.partners,\n", "", DESK),
    ("the desk does not show the partners", "consent/web/telling.py", "if release.partners is not None:", "if False:", DESK),
    ("may-publish allows any partner", "dubgate/certificate/covering.py", "if who is not None and who not in released:", "if False:", PUBLISHING),
    ("may-publish needs no partner", "dubgate/certificate/covering.py", "if who is None and released:", "if False:", PUBLISHING),
    ("a named partner need not be said", "dubgate/certificate/covering.py", "if who is None and released:", "if False:", VERIFYING),
    ("may-publish forgets the partner", "dubgate/service/publish_routes.py", "_moment(at, now), by)", "_moment(at, now))", PUBLISHING),
    ("a certificate's partners are not kept", "dubgate/service/certificates.py", "frozenset() if scope is None else frozenset(scope.partners)", "frozenset()", PUBLISHING),
    ("any partner is served", "dubgate/certificate/covering.py", "if who is not None and who not in released:", "if False:", VERIFYING),
    ("a watermark counts by the vendor's word", "rules/eu-ai-act.yaml", "f.matches) && record.purpose_confirmed", "f.matches) || record.purpose_confirmed", RECORD),
    ("what denies AI is a label", "dubgate/labels/wording.py", "unreadable_reason(text) is not None or denies_ai(text)", "unreadable_reason(text) is not None", WORDING),
    ("copied bytes are not digested", "dubgate/labels/copying.py", "            waiting[k] = digest.update(slots[k][:n])", "            waiting[k] = digest.update(b\"\")", WRITING),
    ("a file that ends early is copied", "dubgate/labels/copying.py", "            raise refused(path, f\"cut off: {left:,} bytes less than it says\")", "            break", WRITING),
    ("nothing is compared after writing", "dubgate/labels/applying.py", "        require_same_sound(source, proof, digest(staged))\n        after", "        after", WRITING),
)  # fmt: skip


def label2_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of these, in a fixed order."""
    for file, tests in GUARDED:
        yield from without_guards(root, file, tests, "labels")
    for file, tests in SAYING:
        yield from without_yields(root, file, tests, "labels")
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"labels: {name}", file, tests, replaced(old, new))
