"""What `make mutants` breaks in what is judged being what was digested, in who owns what, and in what is kept and goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced, without_guards

PINNED = ("tests/test_pinned.py",)
WATCHING = ("tests/certificate/test_watching.py",)
CERTIFYING = ("tests/certificate/test_certifying.py",)
SWAPPED = ("tests/test_heard_swapped.py",)
VERDICTS = ("tests/service/test_verdicts.py",)
RETENTION = ("tests/service/test_upload_retention.py",)
SOURCES = ("tests/service/test_sources.py",)
SERVING = ("tests/service/test_serving.py", "-k", "company or prefix or summary")
PACKAGES = ("tests/certificate/test_package_certificates.py",)
REQUESTS = ("tests/consent/test_requests.py", "tests/consent/test_standing_approvals.py", "-k", "lift")
BATCH = ("tests/test_batch.py", "-k", "rules or packs or half_signed or pack_that or earlier_program")
SIGNED = ("tests/test_batch_judging.py", "-k", "other_bytes or changed_while_it_judged")
INTAKE = ("tests/test_record_judging.py", "-k", "intake")

# (file, tests): every guard in the file is removed in turn.
GUARDED = (
    ("dubgate/pinned.py", PINNED),
    ("dubgate/watching.py", (*WATCHING, *CERTIFYING)),
    ("dubgate/service/retention.py", RETENTION),
    ("dubgate/service/verdicts.py", VERDICTS),
)

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("another file in its place will do", "dubgate/pinned.py", "        if wanted != found:", "        if False:", PINNED),
    ("what was not digested is opened", "dubgate/pinned.py", "if wanted is None and self._inside(absolute):", "if False:", PINNED),
    ("media are not pinned", "dubgate/delivery/formats.py", "        pins().require(str(path), place_of(descriptor))\n", "        pass\n", PINNED),
    ("texts are not pinned", "dubgate/pinned.py", "        pins().require(path, place_of(descriptor))\n", "        pass\n", PINNED),
    ("a child knows no pins", "dubgate/sandbox_child.py", '    pin_process(told["pins"], told["roots"])\n', "", PINNED),
    ("a child is told no pins", "dubgate/sandbox/parent.py", '"pins": pins().of(inputs).stored()', '"pins": {}', PINNED),
    ("libraries in a child open anything", "dubgate/pinned.py", "    sys.addaudithook(opening)\n", "", PINNED),
    ("hearing pins nothing", "dubgate/listening.py", "with pinned(dict(zip(map(str, inputs), asked.places, strict=True))):", "with pinned({}):", SWAPPED),
    ("a file that is written to is digested", "dubgate/delivery/digests.py", "        if place_of(file.fileno()) != before:", "        if False:", PINNED),
    ("the evidence that judges is not pinned", "dubgate/policy/evidence.py", "return read_pinned(path)", "return path.read_bytes()", WATCHING),
    ("a package is not pinned while it is heard", "dubgate/packaging.py", "    with pinned(places, [os.path.abspath(request.folder), os.path.realpath(request.folder)]):\n", "    if True:\n", ("tests/certificate/test_packaging.py", "-k", "renamed_away")),
    ("a re-wrapped file is not pinned while it is read", "dubgate/renewing.py", "with pinned(dict.fromkeys((before.path, os.path.realpath(file)), before.place)):", "with pinned({}):", ("tests/certificate/test_renewing.py", "-k", "renamed_away")),
    ("nothing is pinned while it is signed", "dubgate/certifying.py", "watched.pinned(), ", "", WATCHING),
    ("nothing is pinned while it is judged", "dubgate/service/judging.py", "    with watched.pinned():\n", "    if True:\n", VERDICTS),
    ("what the manifest names is not watched", "dubgate/watching.py", "    yield from delivery.files\n", "", WATCHING),
    ("files in lists are not named", "dubgate/delivery/manifest.py", "    elif isinstance(value, tuple):\n", "    elif False:\n", WATCHING),
    ("files of tracks and records are not named", "dubgate/delivery/manifest.py", "    elif is_dataclass(value):\n", "    elif False:\n", WATCHING),
    ("the package is not watched", "dubgate/watching.py", "    if delivery.package is not None:\n", "    if False:\n", WATCHING),
    ("the company is not watched", "dubgate/watching.py", "*(company_files(company) if company is not None else ())", "*()", WATCHING),
    ("policies of the company do not count", "dubgate/company/folder.py", '[folder / "register.yaml", *company.policies]', '[folder / "register.yaml"]', WATCHING),
    ("the files are not named in what is signed", "dubgate/certifying.py", ", rests_on=watched.rests_on)", ")", ("tests/certificate/test_certifying.py", "-k", "names_every_file")),
    ("the service does not name them either", "dubgate/service/signing.py", ', "rests_on": watched.rests_on}', "}", VERDICTS),
    ("measurements of any version are read", "dubgate/judged_kept.py", "Fields(plain, name, _BEFORE if before else SCHEMA)", "Fields(plain, name, plain.get('schema'))", VERDICTS),
    ("the annex is for every reader", "dubgate/service/job_routes.py", 'if private and not caller.may("admin"):', "if False:", VERDICTS),
    ("verdicts of others are handed out", "dubgate/service/job_routes.py", "    own_job(state, caller, job_id)\n    files = verdict_files(", "    files = verdict_files(", VERDICTS),
    ("measurements lie open", "dubgate/service/verdicts.py", 'own.encrypted(f"{job_id}/{JUDGED}", zlib.compress(decided.judged))', "zlib.compress(decided.judged)", VERDICTS),
    ("reading the annex is not logged", "dubgate/service/job_routes.py", """    note_read(request, state, caller, f"{job_id}/verdict{' with annex' if private else ''}")\n""", "", VERDICTS),
    ("packs are not kept", "dubgate/service/working.py", "outcome.reports | kept_of(decided, job.job_id, self.own)", "outcome.reports", VERDICTS),
    ("any prefix is everybody's", "dubgate/service/fetching.py", "allowed = organisation in _owners(url, settings)", "allowed = bool(_owners(url, settings))", SOURCES),
    ("the worker does not ask whose a URL is", "dubgate/service/fetching.py", "    check_url(url, organisation, settings)\n    shutil", "    shutil", SOURCES),
    ("a shorter prefix will do", "dubgate/service/fetching.py", "for s in above if len(s.folder) == longest)", "for s in above)", SOURCES),
    ("a prefix is no folder", "dubgate/service/settings.py", 'self.prefix if self.prefix.endswith("/") else f"{self.prefix}/"', "self.prefix", SOURCES),
    ("an outer folder will do", "dubgate/service/sources.py", "for depth, organisation in above if depth == innermost)", "for depth, organisation in above)", SOURCES),
    ("a prefix need be nobody's", "dubgate/service/settings.py", "    if isinstance(value, str):\n        raise ValueError(\n", "    if False:\n        raise ValueError(\n", SERVING),
    ("the company's folder is not asked at the start", "dubgate/cli/serve.py", "        read_company(settings.company)  # at the start", "        pass  # at the start", SERVING),
    ("an open job keeps nothing", "dubgate/service/retention.py", "use.open_ = use.open_ or row.state not in ENDED", "use.open_ = False", RETENTION),
    ("a deletion leaves no act", "dubgate/service/retention.py", "            record_act(writer, by=by,", "            (lambda *_, **__: None)(writer, by=by,", RETENTION),
    ("jobs of others keep an upload", "dubgate/service/retention.py", "(row.organisation, str(request[\"upload\"]))", "(\"polyglot\", str(request[\"upload\"]))", RETENTION),
    ("other languages verify with the folder", "dubgate/package_files.py", "if claim.not_judged and not told:", "if False:", PACKAGES),
    ("any language is the dub's", "dubgate/verifying.py", "    if scope.language != wanted:", "    if False:", PACKAGES),
    ("the language is not asked", "dubgate/verifying.py", "        require_language(opened, language, name)\n", "        pass\n", PACKAGES),
    ("an older package holds nothing else", "dubgate/certificate/package.py", "        if self.others is None:\n", "        if False:\n", PACKAGES),
    ("a house's no is lifted by anybody in it", "consent/asking.py", "if event.by not in (said.event.by, to) and not decides:", "if False:", REQUESTS),
    ("an objection is lifted by anybody of the house", "consent/asking.py", "        _lift(view, event, notice.to, history.objection(view.now))\n", "        pass\n", REQUESTS),
    ("a grant is signed over another delivery", "consent/web/pages/requests.py", """        if story.differs:
            raise RecordError(text("decide.differs", who.language))
        record = grant_of_request(""", "        record = grant_of_request(", ("tests/web/test_desk_decisions.py", "-k", "grants_nothing")),
    ("a batch goes on by other packs", "dubgate/policy/packs.py", "for path in (*available().values(), *given)]", "for path in ()]", BATCH),
    ("a batch goes on by another company", "dubgate/engine/judges.py", "company=company_sha256(None if settings.company is None else Path(settings.company)) or \"\"", "company=\"\"", BATCH),
    ("packs may change while a batch judges", "dubgate/engine/batch.py", "    if sha256_of(here) != settings.judged_by:", "    if False:", BATCH),
    ("other rules make half-signed whole", "dubgate/engine/batch.py", "                journal.add(Signing(job.name, state))\n", "                journal.add(Signing(job.name, _round(state, settings)))\n", ("tests/test_batch_judging.py", "-k", "intent or ends_while")),
    ("a worker's other bytes are signed", "dubgate/engine/batch.py", "    others = watched is not None and result.rests_on != watched.rests_on\n", "    others = False\n", SIGNED),
    ("a worker does not look again", "dubgate/engine/judging.py", "        watched.require_unchanged()\n", "", SIGNED),
    ("a batch signs for another manifest", "dubgate/engine/judging.py", "        watched.require_judged(judged.delivery)\n", "", ("tests/test_batch_judging.py", "-k", "another_manifest")),
    ("the service decides about another manifest", "dubgate/service/judging.py", "    watched.require_judged(judged.delivery)\n", "", VERDICTS),
    ("signing that began again counts as ended", "dubgate/engine/journal.py", "return self.signing.count(Signing(name, state)) > ended", "return self.signing.count(Signing(name, state)) > 0 and not ended", ("tests/test_batch.py", "-k", "began_again")),
    ("an intake may belie itself", "dubgate/intake/differing.py", ", *_untrue(intake))", ",)", INTAKE),
)  # fmt: skip


def api2_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of these, in a fixed order."""
    for file, tests in GUARDED:
        yield from without_guards(root, file, tests, "api2")
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"api2: {name}", file, tests, replaced(old, new))
