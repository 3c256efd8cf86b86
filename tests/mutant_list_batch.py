"""What `make mutants` breaks in the cache and in batches: what is damaged, old or another's, what may only warn, what is done once."""

from __future__ import annotations

from collections.abc import Iterator

from mutate import Mutant, replaced

CACHE = ("tests/test_cache.py", "-k", "not processes and not any_byte")
BYTES = ("tests/test_cache.py", "-k", "any_byte or own_place")
PURGED = ("tests/test_request_command.py", "-k", "purge or in_between or kept or cast")
BATCH = ("tests/test_batch.py", "-k", "not driver and not workers")
JUDGED = ("tests/test_batch_judging.py",)
SERIES = ("tests/test_series.py",)
SHARES = ("tests/test_word_shares.py", "-k", "not heard_at_once")
LISTENING = ("tests/test_kept.py", "tests/test_batch_judging.py")

SINGLE = (
    ("shares: other models' words are joined", "dubgate/word_shares.py", "if any(p.models != models for p in parts):", "if False:", SHARES),
    ("shares: a share that could not hear is left out", "dubgate/word_shares.py", "        if isinstance(part, Unmeasured):\n            return part\n", "        if isinstance(part, Unmeasured):\n            continue\n", SHARES),
    ("shares: what the background spoils counts", "dubgate/word_shares.py", "return features if plan.mix is not None else without_what_background_spoils(features)", "return features", SHARES),
    ("shares: what failed is not told", "dubgate/word_shares.py", "            first.append(error)\n", "            first.insert(0, error)\n", SHARES),
    ("shares: the others go on", "dubgate/word_shares.py", "            first.append(error)\n            stop.set()\n", "            first.append(error)\n", SHARES),
    ("shares: what is pinned is not pinned there", "dubgate/word_shares.py", "pool.submit(copy_context().run, partial(one, *each))", "pool.submit(partial(one, *each))", SHARES),
    ("shares: a share is heard twice", "dubgate/hearing_words.py", "items[len(items) * share // shares :", "items[max(0, len(items) * share // shares - 1) :", SHARES),
    ("cache: damaged bytes are read", "dubgate/cache.py", 'if head is None or head.get("sha256") != _digest(key, name, payload):', "if head is None:", BYTES),
    ("cache: a file counts anywhere", "dubgate/cache.py", 'f"{SCHEMA}\\n{key}\\n{name}\\n".encode() + payload', "payload", BYTES),
    ("cache: nothing expires", "dubgate/cache.py", " or not 0 <= time.time() - state.st_mtime <= EXPIRES_S:", ":", CACHE),
    ("cache: reading puts the expiry off", "dubgate/cache.py", "ns=(time.time_ns(), state.st_mtime_ns)", "ns=(time.time_ns(), time.time_ns())", CACHE),
    ("cache: unbounded", "dubgate/cache.py", "if total > limit or now", "if now", CACHE),
    ("cache: old entries stay", "dubgate/cache.py", "if total > limit or now - kept_at > older_than_s:", "if total > limit:", CACHE),
    ("cache: the oldest are kept", "dubgate/cache.py", "key=lambda e: -e[2])\n    total", "key=lambda e: e[2])\n    total", CACHE),
    ("cache: a purge finds no voice", "dubgate/cache.py", "(p / _marker(p.name, voice_id)).exists()", "False", CACHE),
    ("cache: a purge leaves older versions", "dubgate/cache.py", "*map(_erase, _strange(where, 0.0 if voice_id is None else _ABANDONED_S))", "", CACHE),
    ("cache: voices are not noted with what is kept", "dubgate/cache.py", "                _mark(where / key, key, voices)\n", "                _mark(where / key, key, ())\n", CACHE),
    ("cache: voices are not noted before they are compared", "dubgate/judging_again.py", "            cache.mark(asked.key, compared_in(delivery, heard, view, at))\n", "", PURGED),
    ("cache: only declared voices are noted", "dubgate/judging_again.py", "return frozenset(declared | set(among.voice_ids))", "return frozenset(declared)", PURGED),
    ("batch: the exit code is not the worst", "dubgate/engine/batch.py", "for c in (2, 1, 3, 0) if c in codes), 2)", "for c in (0, 3, 1, 2) if c in codes), 2)", BATCH),
    ("batch: nothing judged is a release", "dubgate/engine/batch.py", "if c in codes), 2)", "if c in codes), 0)", BATCH),
    ("batch: an unknown decision is a release", "dubgate/engine/batch.py", "rank.get(d.decision, 2)", "rank.get(d.decision, 0)", BATCH),
    ("batch: judged twice", "dubgate/engine/batch.py", "if journal.standing(j.name, _round(states[j.name], settings)) is None]", "if True]", BATCH),
    ("batch: what could not be judged stands", "dubgate/engine/journal.py", "last.state == state and last.facts is not None", "last.state == state", BATCH),
    ("batch: other files are the same round", "dubgate/engine/journal.py", "last.state == state and last.facts is not None", "last.facts is not None", BATCH),
    ("batch: gone on with under other options", "dubgate/engine/journal.py", 'if head.get("options") != journal.options:', "if False:", BATCH),
    ("batch: gone on with on another day", "dubgate/engine/batch.py", "if not settings.fixed_at and not timedelta(0) <= now() - began <= FRESH:", "if False:", BATCH),
    ("batch: judged as at another moment", "dubgate/engine/batch.py", "settings = replace(settings, at=began, ", "settings = replace(settings, ", BATCH),
    ("batch: two share a folder", "dubgate/engine/journal.py", "fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)", "pass", BATCH),
    ("batch: a changed journal is read", "dubgate/engine/journal.py", "if digest != _chained(last, json.dumps(step, sort_keys=True)):", "if False:", BATCH),
    ("batch: a delivery that changed meanwhile is judged", "dubgate/engine/batch.py", "if state_of(job.location, None if settings.aside is None else Path(settings.aside)) != state:", "if False:", BATCH),
    ("batch: half-signed is signed again", "dubgate/engine/batch.py", "if not journal.half_signed(job.name, state):", "if True:", JUDGED),
    ("batch: signing is not announced", "dubgate/engine/batch.py", "                journal.add(Signing(job.name, state))\n", "", JUDGED),
    ("batch: another judgement is signed", "dubgate/engine/batch.py", "or judgement.verdict.decision.name.lower() != result.facts.decision", "or False", JUDGED),
    ("batch: a URL is signed", "dubgate/engine/batch.py", '    if is_url(job.location):\n        return "a delivery', '    if False:\n        return "a delivery', JUDGED),
    ("batch: a remote name leaves the folder", "dubgate/engine/fetching.py", 'if ".." in relative.parts or not target.is_relative_to(home) or target == home:', "if False:", BATCH),
    ("series: what it shows decides", "dubgate/engine/judging.py", "if any(f.outcome is not Outcome.WARN for f in more):", "if False:", SERIES),
    ("series: another judgement is written over", "dubgate/engine/judging.py", "if canonical_sha256(judged.judgement) != report_sha256:", "if False:", JUDGED),
    ("series: a voice is compared without permission", "dubgate/engine/traits.py", "allowed = {t.character for t in traits if t.not_compared is None}", "allowed = {t.character for t in traits}", SERIES),
    ("series: a permission is not asked", "dubgate/engine/traits.py", "[v for v in entry.voice_ids if PermissionKind.MATCH not in view.permissions(v, at)]", "[]", SERIES),
    ("series: an unregistered voice is compared", "dubgate/engine/traits.py", "if not entry.voice_ids:", "if False:", SERIES),
    ("series: another voice is not named", "dubgate/engine/series.py", "llr < OTHER_VOICE_LLR", "False", SERIES),
    ("series: another model is not named", "dubgate/engine/series.py", "if before.declared is None or now == before.declared:", "if True:", SERIES),
    ("series: a drift of register or level is not named", "dubgate/engine/series.py", "if abs(apart) <= most:", "if True:", SERIES),
    ("hearing: bytes that changed meanwhile are kept", "dubgate/listening.py", "if not same or tuple(s.sha256 for s in now) != asked.file_sha256s:", "if False:", LISTENING),
)  # fmt: skip


def batch_mutants() -> Iterator[Mutant]:
    """Every mutant of the cache and of batches, in a fixed order."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(name, file, tests, replaced(old, new))
