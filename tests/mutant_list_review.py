"""What `make mutants` breaks of what a review of the whole closed: houses, links, swaps, retired packs, claims that ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced

ROLES = ("tests/web/test_desk_roles.py",)
UNSHOWN = ("tests/web/test_desk_signed.py", "-k", "not_even_shown")
HOUSES = ("tests/policy/test_circumstances.py",)
SWAPPED = ("tests/test_heard_swapped.py",)
DESK_SOUND = ("tests/service/test_desk_sound.py",)
STATES = ("tests/test_batch.py", "-k", "state_is_of")
LABEL_RULES = ("tests/certificate/test_label_rules.py",)
PACKAGED = ("tests/certificate/test_packaging.py", "-k", "rule_about_labels")
ROUNDS = ("tests/test_batch.py", "-k", "put_back")
ASIDE = ("tests/certificate/test_watching.py", "-k", "aside")
VANISHED = ("tests/certificate/test_watching.py", "-k", "vanish")
CHILD = ("tests/test_pinned.py", "-k", "nothing_in_a_folder or own_program")
OTHERS = ("tests/service/test_sources.py", "-k", "reach_into or another_organisations_is")
AUDIBLE = ("tests/labels/test_audible.py", "-k", "disclaimer")
OPENED = ("tests/labels/test_media_labels.py", "-k", "once_it_is_open or reader_of_its_own")
RENEWED = ("tests/certificate/test_renewing.py", "-k", "claim_ended or retired")

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("anybody of a house lifts its refusal", "consent/web/pages/refusals.py", "not who.decides_for(refusal.by, Role.RIGHTS_HOLDER)", "refusal.by not in who.ids", UNSHOWN),
    ("anybody of a house says that a condition is met", "consent/web/pages/approvals.py", "if who.party_id != approval.by and not who.decides_for(", "if False and not who.decides_for(", UNSHOWN),
    ("anybody of a house lifts its no", "consent/web/pages/requests.py", "if not who.decides_for(scope.request_of(view, who, request_id).request.to, Role.RIGHTS_HOLDER, *PERFORMING):", "if False:", UNSHOWN),
    ("a mail's link loosens", "consent/web/visiting.py", "    if who.by_link:\n", "    if False:\n", ROLES),
    ("a passkey leaves the list alone", "consent/web/unkeying.py", "    ended = _revoke(desk, account, credential_id, by or account.party_id, last_too=last_too)\n", "    ended = True\n", ROLES),
    ("the submitter has no house", "dubgate/answers.py", "        submitters=houses,", "        submitters=frozenset((submitter,)) if submitter is not None else frozenset(),", (*HOUSES, "-k", "itself_signed")),
    ("the maker's house waives", "dubgate/policy/waivers.py", "if waiver.house in now.submitters | now.vendor_houses:", "if waiver.house in now.submitters:", HOUSES),
    ("the maker's house answers for a partner", "dubgate/policy/partner_approvals.py", "if statement.house in now.submitters | now.vendor_houses:", "if statement.house in now.submitters:", HOUSES),
    ("hearing: what was swapped and put back is kept", "dubgate/listening.py", "if not same or tuple(", "if tuple(", SWAPPED),
    ("the sandbox believes a file's own times", "dubgate/sandbox/parent.py", "found.st_size, found.st_ctime_ns)", "found.st_size, found.st_mtime_ns)", SWAPPED),
    ("the desk plays whatever lies there", "dubgate/service/desk_judge.py", "self._places.get(delivery_id) == places_of(kept[0])", "True", DESK_SOUND),
    ("a batch overlooks evidence that nobody lists", "dubgate/watching.py", '(delivery.root / "evidence").glob("*.json")', '(delivery.root / "evidence").glob("*.none")', STATES),
    ("a batch believes a file's own times", "dubgate/engine/fetching.py", " {found.st_ctime_ns}", "", STATES),
    ("a broken rule about labels passes", "dubgate/label_rules.py", "if any(f.outcome > Outcome.WARN for f in fs))", "if False)", LABEL_RULES),
    ("a package is not asked its rules", "dubgate/packaging.py", "    require_label_rules(heard, master, release, request.certificate.parent / PACKS)\n", "", PACKAGED),
    ("a package breaks its rules", "dubgate/packaging.py", "    if broken := broken_label_rules(master, labels, packs, \"package\", synthetic):", "    if False:", LABEL_RULES),
    ("other bytes of a pack are asked", "dubgate/label_rules.py", "if sha256(d).hexdigest() == used.sha256), None)", "if d), None)", LABEL_RULES),
    ("an earlier round of the same files stands", "dubgate/engine/journal.py", "for d in reversed(self.done) if d.name == name)", "for d in reversed(self.done) if (d.name, d.state) == (name, state))", ROUNDS),
    ("reports above a package hide it", "dubgate/watching.py", "    left_out = None if aside is None or root.is_relative_to(written) else written\n", "    left_out = None if aside is None else written\n", ASIDE),
    ("reports among a package's files hide it", "dubgate/watching.py", "    if aside is not None and written == root:\n", "    if False:\n", ASIDE),
    ("policies may vanish", "dubgate/company/folder.py", "    pins().require_listed(policies, found)\n", "", VANISHED),
    ("evidence may vanish", "dubgate/policy/evidence.py", "    pins().require_listed(folder, lying)\n", "", VANISHED),
    ("a child opens what nobody digested", "dubgate/sandbox_child.py", 'pin_process(told["pins"], told["roots"])', 'pin_process(told["pins"])', CHILD),
    ("a child is told of no folder", "dubgate/sandbox/parent.py", "pins().folders_of(inputs, (_ROOT, ", "pins().folders_of((), (_ROOT, ", CHILD),
    ("a child may not open its own program", "dubgate/pinned.py", "if not any(m.is_relative_to(p.resolve()) for m in mine)", "if True", CHILD),
    ("a package's credentials are not held against the dub", "dubgate/packaging.py", "release.language, signed)", "release.language)", LABEL_RULES),
    ("credentials of another language count", "dubgate/packaging.py", "if m.entry is None or m.entry in kept)", ")", LABEL_RULES),
    ("a path that goes up is not pinned", "dubgate/pinned.py", "{os.path.abspath(path): place for", "{path: place for", ("tests/test_pinned.py", "-k", "up_and_down")),
    ("a path that goes up is not told to the child", "dubgate/pinned.py", "given = [os.path.abspath(p) for p in inputs]", "given = [str(p.absolute()) for p in inputs]", ("tests/test_pinned.py", "-k", "up_and_down")),
    ("a renewal reads another file than it digested", "dubgate/renewing.py", "    with pinned(dict.fromkeys((before.path, os.path.realpath(file)), before.place)):\n", "    if True:\n", ("tests/certificate/test_renewing.py", "-k", "renamed_away")),
    ("a delivery reaches into others' folders", "dubgate/service/judging.py", '    if "path" in job.request:\n', "    if False:\n", OTHERS),
    ("others' folders are one's own", "dubgate/service/sources.py", "if organisation not in _owners(folder, settings):", "if False:", OTHERS),
    ("a delivery names others' files by URL", "dubgate/service/fetching.py", "if not _is_own(base, organisation, settings, relative):", "if False:", OTHERS),
    ("a store gives what is others'", "dubgate/service/fetching.py", "if not own(relative):", "if False:", OTHERS),
    ("a spoken denial is a disclaimer", "dubgate/labels/audible.py", "if _denied(tokens, first, last, language):", "if False:", AUDIBLE),
    ("words between no and AI make a label", "dubgate/labels/wording.py", "[\\s'’-]+{_BETWEEN}(?-i", "[\\s'’-]+(?-i", ("tests/labels/test_label_wording.py",)),
    ("a mail's link lets a consent stand again", "consent/web/pages/grants.py", 'loosens=word == "resume" and has_passkey(who)', "loosens=False", (*ROLES, "-k", "mails_link")),
    ("a mail's link confirms a recording", "consent/web/pages/voices.py", 'loosens=word == "confirm" and has_passkey(who)', "loosens=False", (*ROLES, "-k", "mails_link")),
    ("whatever lies at a segment's path is hashed", "dubgate/labels/segments.py", 'open(piece.path, "rb", opener=as_pinned)', 'open(piece.path, "rb")', OPENED),
    ("whatever lies at a segment's path is read", "dubgate/labels/played.py", 'open(piece.path, "rb", opener=as_pinned)', 'open(piece.path, "rb")', OPENED),
    ("whatever lies at a playlist's path is read", "dubgate/labels/hls.py", "read_pinned(_inside(path, root))", "_inside(path, root).read_bytes()", OPENED),
    ("whatever lies at a presentation's path is read", "dubgate/labels/dash.py", "read_pinned(manifest))", "manifest.read_bytes())", OPENED),
    ("a retired pack renews", "dubgate/renewing.py", "if adopted is None and pack.name in known:", "if False:", RENEWED),
    ("a title without its holder is published", "dubgate/standing.py", '        yield from (f"{d.code}: {d.text.en}" for d in rights.denials)\n', "", RENEWED),
)  # fmt: skip


def review_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of what the review closed, in a fixed order."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"review: {name}", file, tests, replaced(old, new))
