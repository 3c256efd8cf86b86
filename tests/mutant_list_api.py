"""What `make mutants` breaks in the service: every guard, seal, scope and lease on the way to "publish"."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced, without_equality, without_guards

PUBLISHING = ("tests/service/test_publishing.py",)
JOBS = ("tests/service/test_jobs_survive.py",)
API = ("tests/service/test_api.py", "-k", "not junk")
MESSAGES = ("tests/service/test_messages.py",)
SOURCES = ("tests/service/test_sources.py",)
SERVING = ("tests/service/test_serving.py",)

# (file, tests): every guard in the file is removed in turn.
GUARDED = (
    ("dubgate/certificate/covering.py", PUBLISHING),
    ("dubgate/service/publishing.py", PUBLISHING),
    ("dubgate/service/index_rows.py", PUBLISHING),
    ("dubgate/service/trusting.py", PUBLISHING),
    ("dubgate/service/sources.py", (*SOURCES, *API)),
    ("dubgate/service/judging.py", ("tests/service/test_reports_kept.py", *JOBS)),
)
# (file, tests): every comparison of digests, keys or names finds both sides equal.
COMPARING = (
    ("dubgate/service/publishing.py", PUBLISHING),
    ("dubgate/service/trusting.py", PUBLISHING),
)
ABOUT = r"sha256|digest|named|language|keyid|verifier|public|result|certificate_id|standing_of"

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("any seal will do", "dubgate/service/own_key.py", "return hmac.compare_digest(self.seal(what), seal)", "return True", PUBLISHING),
    ("a standing needs no seal", "dubgate/service/index_rows.py", "if not own.sealed(standing_seal(told), str(self.standing_seal)):", "if False:", PUBLISHING),
    ("new entries change nothing", "dubgate/service/index_rows.py", "or self.changed or", "or", PUBLISHING),
    ("a standing holds for ever", "dubgate/service/index_rows.py", "<= at < moment(str(self.until))", "<= at", PUBLISHING),
    ("consents are not asked", "dubgate/service/publishing.py", "                    self._require_standing(facts, row, store, use.at, now)\n", "", PUBLISHING),
    ("the use is not asked", "dubgate/service/publishing.py", "                    _require_covers(facts, use)\n", "", PUBLISHING),
    ("an older yes outlives a no", "dubgate/service/publishing.py", "if is_no:  #", "if False:  #", PUBLISHING),
    ("one territory of many is enough", "dubgate/certificate/covering.py", "if missing := sorted(wanted - released):", "if missing := sorted(wanted - released)[len(wanted) - 1 :]:", PUBLISHING),
    ("the trust store is not asked again", "dubgate/service/trusting.py", "state != self._state", "False", PUBLISHING),
    ("an older trust store will do", "dubgate/service/trusting.py", "                remember(store, root.keyid, self.seen)\n", "", PUBLISHING),
    ("an expired trust store will do", "dubgate/service/trusting.py", "        store.require_current(now)\n", "", PUBLISHING),
    ("a gate may be out of time", "dubgate/service/trusting.py", 'gate.validity.require(facts.verified_at, now, "the gate\'s key")', "pass", PUBLISHING),
    ("the lease is not asked for deciding", "dubgate/service/jobs.py", "free = update(JOB).where(_held(job), ", "free = update(JOB).where(JOB.c.job_id == job.job_id, ", JOBS),
    ("a lost lease may go on", "dubgate/service/jobs.py", "    if done.rowcount != 1:\n        raise LeaseLostError(job.job_id)\n", "", JOBS),
    ("a cancelled job decides", "dubgate/service/jobs.py", "JOB.c.cancel_requested == 0, JOB.c.release_id.is_(None)", "JOB.c.release_id.is_(None)", JOBS),
    ("what was decided is decided anew", "dubgate/service/working.py", "if job.pending is not None:", "if False:", JOBS),
    ("wrong deliveries are tried for ever", "dubgate/service/working.py", "or tried >= self.settings.jobs.attempts", "", JOBS),
    ("the delivery may change while it is judged", "dubgate/service/signing.py", "    watched.require_unchanged()\n", "", ("tests/service/test_signing.py",)),
    ("who submits is not asked", "dubgate/service/judging.py", "    require_submitter(watched.delivery.submitter, job)\n", "", JOBS),
    ("scopes are not asked", "dubgate/service/state.py", "if not any(caller.may(scope) for scope in scopes):", "if False:", API),
    ("may-publish asks for no scope", "dubgate/service/publish_routes.py", 'if not caller.may("read"):', "if False:", ("tests/service/test_api.py", "-k", "may_publish_needs")),
    ("scopes may be joined", "dubgate/service/tokens.py", "if both := next((pair for pair in APART if pair <= chosen), None):", "if both := None:", API),
    ("anybody makes tokens", "dubgate/service/tokens.py", "if issuer is None or Role.OPERATOR not in issuer.roles:", "if issuer is None:", API),
    ("expired tokens count", "dubgate/service/tokens.py", ' or moment(row["expires_at"]) <= now', "", API),
    ("revoked tokens count", "dubgate/service/tokens.py", 'or row["revoked_at"] is not None ', "", API),
    ("jobs of others are shown", "dubgate/service/job_routes.py", "job = jobs.get(state.engine, job_id, caller.organisation)", "job = jobs.get(state.engine, job_id)", API),
    ("certificates of others are shown", "dubgate/service/certificates.py", "        CERTIFICATE.c.certificate_id == certificate, CERTIFICATE.c.organisation.in_(organisations)\n", "        CERTIFICATE.c.certificate_id == certificate\n", API),
    ("reads are not logged", "dubgate/service/reads.py", "                os.write(self._of(now), line.encode())\n", "                pass\n", API),
    ("any file is served", "dubgate/service/job_routes.py", "file_of(state.engine, job_id, name) if name in FILES else None", "file_of(state.engine, job_id, name)", API),
    ("bodies have no end", "dubgate/service/limits.py", "            if self._got > self._most:\n                raise _TooLargeError\n", "", API),
    ("addresses inside are asked", "dubgate/service/fetching.py", "address = checked_address(host, resolve(host, port), allow_private=allow_private)", "address = resolve(host, port)[0]", SOURCES),
    ("any URL is fetched", "dubgate/service/fetching.py", "allowed = organisation in _owners(url, settings)", "allowed = True", SOURCES),
    ("uploads are not looked at", "dubgate/service/upload_routes.py", '        _look(target, name, file.content_type or "")\n', "", SOURCES),
    ("messages go to everybody", "dubgate/service/messages.py", 'told.organisation in json.loads(r["asks_for"]) and ', "", MESSAGES),
    ("a refused delivery is renewed", "dubgate/service/renewing.py", ", ~exists().where(same)", "", MESSAGES),
    ("any 200 is a yes", "dubgate/client.py", 'if status == 200 and body.get("publish") is True and body.get("certificate_id"):', "if status == 200:", SERVING),
    ("any no is a no", "dubgate/client.py", 'if status in (403, 422) and body.get("publish") is False:', "if status in (403, 422):", SERVING),
)  # fmt: skip


def api_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of the service, in a fixed order."""
    for file, tests in GUARDED:
        yield from without_guards(root, file, tests, "api")
    for file, tests in COMPARING:
        yield from without_equality(root, file, tests, "api", ABOUT)
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"api: {name}", file, tests, replaced(old, new))
