"""What `make mutants` breaks in what a later no ends, what is asked between hearing and signing, and who answers for whom."""

from __future__ import annotations

from collections.abc import Iterator

from mutate import Mutant, replaced

STANDING = "dubgate/standing.py"
NOES = ("tests/certificate/test_renewing.py", "-k", "no_to or a_no_of")
ASKED_SINCE = ("tests/certificate/test_renewing.py", "-k", "who_is_asked")
PASSED_BY = ("tests/service/test_publishing.py", "-k", "of_a_use_alone")
LEDGER = ("tests/service/test_publishing.py", "-k", "only_the_ledger")
GROUP = ("tests/policy/test_signed_objects.py", "-k", "group")
ASKED = ("tests/test_request_command.py", "-k", "no_blocks")
KEPT = ("tests/test_record_judging.py", "-k", "keeps_for_people")
CERTIFYING = "tests/certificate/test_certifying.py"
PROTECTED = (CERTIFYING, "-k", "asked_for_protection")
NEWS = (CERTIFYING, "-k", "is_no_news")
BEGAN = ("tests/test_batch_judging.py", "-k", "once_something_ended")
SINCE = ("tests/test_batch_judging.py", "-k", "since")
OWN = (CERTIFYING, "-k", "apart or spent_once")
HANDS = ("tests/service/test_jobs_survive.py", "-k", "hands_in")
THERE = ("tests/test_batch_judging.py", "-k", "another_machine")
WORKER = ("tests/test_batch_judging.py", "-k", "own_registry")
RAY = ("tests/test_batch_judging.py", "-k", "other_disks")
TOLD = ("tests/consent/test_standing_approvals.py", "-k", "told_of_less")
JUDGED = (CERTIFYING, "-k", "terms_were_judged")
LABEL_RULES = ("tests/certificate/test_label_rules.py",)
ADOPTED = ("tests/certificate/test_adopting.py", "-k", "stolen")
BEFORE = ("tests/service/test_publishing.py", "-k", "a_later_yes_about")
WHOLE = (CERTIFYING, "-k", "a_part_of_the_release")
BEHIND = (CERTIFYING, "-k", "a_clock_that_is_behind")
CHECK = ("tests/test_batch_judging.py", "-k", "once_it_has_heard")
DISCLOSED = ("tests/disclosure/test_disclosing.py", "-k", "human_performance")
THEN = ("tests/service/test_jobs_survive.py", "-k", "as_it_is_then")

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("what the gate said no to since stands", STANDING, "*_noes_since(release, view), ", "*(), ", NOES),
    ("what the gate said no to since may be published", STANDING, "*_noes_since(release, view), ", "*(), ", LEDGER),
    ("a no to another sound ends a release", STANDING, "if r.packets_sha256 == release.packets_sha256]", "if True]", NOES),
    ("a later yes ends a release", STANDING, "if said.decision is not ReleaseDecision.RELEASE and not of_use:", "if not of_use:", NOES),
    ("a later yes makes an earlier one good again", STANDING, "takewhile(lambda r: r.release_id != release.release_id, reversed(told))", "told[-1:]", NOES),
    ("one of a group answers for all of its voices", "dubgate/policy/attestations.py", "if owners and all(owners):", "if any(owners):", GROUP),
    ("nobody answers for a voice that nobody owns", "dubgate/policy/attestations.py", "if owners and all(owners):", "if all(owners):", GROUP),
    ("a no to another title counts", "dubgate/policy/request_checks.py", " and request.release.title_ids[0] in title_ids", "", ASKED),
    ("a no to another sound counts", "dubgate/policy/request_checks.py", "request.release.packets_sha256 == packets_sha256 and ", "", ASKED),
    ("what is kept for people is told by exact letters", "dubgate/company/never_ai.py", "folded(entry.name) in kept", "entry.name in policy.characters", KEPT),
    ("who is protected since is not looked for", "dubgate/lapsed.py", "if new := protected_since(view, judged_at):", "if new := frozenset[str]():", PROTECTED),
    ("who is protected since ends no batch", "dubgate/engine/since.py", "(*ended, *sorted(protected_since(view, began)))", "tuple(ended)", SINCE),
    ("who was looked for is news", "consent/gallery.py", "sought(v, view.now) - sought(v, moment)", "sought(v, view.now)", NEWS),
    ("whom nobody may look for is news", "consent/gallery.py", " if protects else set()", "", NEWS),
    ("what was recorded before is not known", "consent/store.py", "if entry is None or entry.recorded_at > moment:", "if entry is None or entry.recorded_at >= moment:", BEGAN),
    ("who ended their own translation is released", "dubgate/resting.py", "(use, translated(use)) if own else (use,)", "(use,)", OWN),
    ("whose own translation ended meanwhile is released", "dubgate/resting.py", "own_translation(entry, release, writer, judgement.judged_at)", "own_translation(entry, release, writer, writer.now)", OWN),
    ("one grant for two performances is two", "dubgate/resting.py", "        if any(g in now.grants for g in chosen):", "        if False:", OWN),
    ("another grant than was judged is rested on", "dubgate/resting.py", "judged = [g for g in then.grants[:1] if g in now.grants]", "judged = list(now.grants[:1])", JUDGED),
    ("a grant that ended is rested on", "dubgate/resting.py", "[g for g in then.grants[:1] if g in now.grants]", "list(then.grants[:1])", JUDGED),
    ("a performance that was settled is asked again", "dubgate/standing.py", ', "performances"})', "})", OWN),
    ("who hands in may answer", "dubgate/service/judging.py", "    require_other_signers(watched.delivery, job, settings, at := clock())\n", "    at = clock()\n", HANDS),
    ("whoever hands in may answer", "dubgate/service/judging.py", "if s.by == job.party]", "if s.by == delivery.submitter]", HANDS),
    ("another machine's bytes are these", "dubgate/engine/batch.py", "(is_url(job.location) or not settings.elsewhere)", "True", THERE),
    ("another machine tells no digests", "dubgate/engine/judging.py", "settings.signed or settings.elsewhere", "settings.signed", THERE),
    ("another store's bytes are these", "dubgate/engine/batch.py", "(is_url(job.location) and result.state != state)", "False", THERE),
    ("another machine's registry is the batch's", "dubgate/engine/judging.py", "if settings.known and known_by(settings.registry, settings.at) != settings.known:", "if False:", WORKER),
    ("a cluster's disks are this machine's", "dubgate/cli/batch.py", '        elsewhere=engine == "ray",\n', "", RAY),
    ("told of one title is told of all", "consent/uses.py", "(use.packets_sha256, title_id, use.language) == (self.packets_sha256, self.title_id, self.language)", "use.packets_sha256 == self.packets_sha256", TOLD),
    ("told of one country is told of all", "consent/uses.py", "return same and not wider and", "return same and", TOLD),
    ("told of one channel is told of all", "consent/uses.py", "set(use.channels) <= set(self.channels) and ", "", TOLD),
    ("told of one day is told of all", "consent/uses.py", " and self.window.contains(use.window)", "", TOLD),
    ("an objection to a part of a use is none", "consent/approvals.py", "[u for u in known if u.notice.packets_sha256 == candidate.packets_sha256]", "[own] if own else []", TOLD),
    ("a pack that is not at hand is not asked", "dubgate/label_rules.py", "    if missing:  # also", "    if False:  # also", LABEL_RULES),
    ("what counsel ruled is not asked of a package", "dubgate/label_rules.py", "_as_ruled(rule) if ruled else rule", "rule", LABEL_RULES),
    ("any answer is a ruling", "dubgate/label_rules.py", "signed.kind == RULING for", "True for", LABEL_RULES),
    ("what a stolen key adopted stays in force", "consent/lookup.py", "return adoption if gone is None or self.now < gone else", "return adoption if True else", ADOPTED),
    ("a no of before ends a release", STANDING, "takewhile(lambda r: r.release_id != release.release_id, reversed(told))", "told", BEFORE),
    ("who approved a part alone is released", "dubgate/resting.py", "    _require_whole(release.title, candidate, histories, writer)\n", "", WHOLE),
    ("a clock that is behind unsays what ended", STANDING, "max(now, view.store.last_recorded_at() or now)", "now", BEHIND),
    ("a check by a clock that is behind knows less", "dubgate/judging_again.py", "max(at, clock(), view.store.last_recorded_at() or at)", "max(at, clock())", CHECK),
    ("whoever performs says who performed", "dubgate/disclosure/gathering.py", "directed(statements)", "statements", DISCLOSED),
    ("a job is judged by the registry of its beginning", "dubgate/service/judging.py", "progress=progress, clock=clock)", "progress=progress, clock=lambda: at)", THEN),
    ("a no of a use alone ends every use", STANDING, "is not ReleaseDecision.RELEASE and not of_use:", "is not ReleaseDecision.RELEASE:", NOES),
    ("a no that is also of the sound ends nothing", STANDING, "ASKED_ANEW.issuperset(reasons)", "not ASKED_ANEW.isdisjoint(reasons)", NOES),
    ("a no without reasons ends nothing", STANDING, "bool(reasons) and ", "", NOES),
    ("a no of a voice that was not cleared ends nothing", STANDING, " and {v.voice_id for v in said.voices} <= cleared", "", NOES),
    ("who was asked about a released sound and refused is passed over", STANDING, 'request_histories(view, f"sound:{release.packets_sha256}")', "()", ASKED_SINCE),
    ("a no as another title is passed by", "dubgate/service/publishing.py", "if allowed is not None and {allowed.title_id}.issuperset(passed_by):", "if allowed is not None:", PASSED_BY),
    ("a no in another registry is passed by", "dubgate/service/publishing.py", "facts.ledger_origin == self.origin and of_a_use_alone", "of_a_use_alone", PASSED_BY),
    ("a no of the sound is passed by", "dubgate/service/publishing.py", " and of_a_use_alone(facts.reasons)", "", PASSED_BY),
    ("a no is told as a consent that ended", STANDING, "SAID_NO: NotPassed}", "SAID_NO: ConsentEnded}", NOES),
)  # fmt: skip


def red3_mutants() -> Iterator[Mutant]:
    """All of them."""
    for what, file, old, new, tests in SINGLE:
        yield Mutant(f"red3: {what}", file, tests, replaced(old, new))
