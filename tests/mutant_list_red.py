"""What `make mutants` breaks in what a player may choose, what is asked at the last moment, and who writes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from mutate import Mutant, replaced

PRESENTATIONS = ("tests/delivery/test_presentations.py",)
ALONE = ("tests/test_unheard.py", "-k", "by_itself or listened_for_is_not")

ONE_SOUND = ("tests/delivery/test_one_sound.py",)
PINNED = ("tests/test_pinned.py", "-k", "unseen or local_disk or mounts_say")
CERTIFYING = (
    "tests/certificate/test_certifying.py",
    "-k",
    "evidence_whose or comparison_that or answered_with or whatever_language or held_jointly",
)
LABEL_RULES = ("tests/certificate/test_label_rules.py",)
RULINGS = ("tests/policy/test_rulings.py",)
RIGHTS = ("tests/consent/test_rights_and_approvals.py",)
GRANTS = ("tests/consent/test_denials.py", "tests/consent/test_registry_attacks.py")
PUBLISHING = ("tests/service/test_publishing.py", "-k", "later")
TRUSTED = ("tests/service/test_publishing.py", "-k", "any_more_at_the_moment")
SURVIVE = ("tests/service/test_jobs_survive.py", "-k", "signed_once or nobodys_own")
YES = ("tests/service/test_serving.py", "-k", "exactly_a_yes")
SILENT = ("tests/labels/test_sound_of_its_own.py",)
TRAILING = ("tests/labels/test_trailing_tags.py",)
TELLING = ("tests/service/test_messages.py", "-k", "holders_no or objection")
BATCH = ("tests/test_batch_judging.py", "-k", "once_something_ended")
CHECKED = ("tests/test_batch_judging.py", "-k", "once_it_has_heard")
NAMED = ("tests/test_release.py", "-k", "found_by_its_own_check and owners and performance")
CLEARED = ("tests/policy/test_clearance.py", "tests/test_clearing.py")
INSIDE = ("tests/service/test_messages.py", "-k", "inside")

LISTED = ("tests/test_batch.py", "-k", "short_names or tells_no_times or listed_anew or only_a_worker")
OTHERS = ("tests/test_cache.py", "-k", "somebody_else")
SINCE = ("tests/test_batch_judging.py", "-k", "another_registry or claim_to")

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("what another user kept is read", "dubgate/cache.py", "state.st_uid in (os.geteuid(), 0) and ", "", OTHERS),
    ("what a group may write is read", "dubgate/cache.py", "(stat.S_IWGRP | stat.S_IWOTH)", "stat.S_IWOTH", OTHERS),
    ("what everybody may write is read", "dubgate/cache.py", "(stat.S_IWGRP | stat.S_IWOTH)", "stat.S_IWGRP", OTHERS),
    ("another registry's answer stands", "dubgate/engine/judges.py", '{settings.judged_by}\\n{settings.known}', "{settings.judged_by}", SINCE),
    ("a claim since ends nothing", "dubgate/engine/since.py", "isinstance(record, Refusal | Claim)", "isinstance(record, Refusal)", SINCE),
    ("a claim that was confirmed since ends nothing", "dubgate/engine/since.py", ' and record.target == "claim":', " and False:", SINCE),
    ("a character is called as a voice that no line claims", "dubgate/delivery/manifest_schema.py", "        if self.name == OUTSIDE:", "        if False:", ("tests/delivery/test_manifest.py", "-k", "character")),
    ("two deliveries of a batch share a name", "dubgate/engine/listing.py", "_name(location, 64) if named[short] > 1 else short", "short", LISTED),
    ("what a store listed before tells of now", "dubgate/engine/fetching.py", "        fs.invalidate_cache()  # what was listed before says nothing of now\n", "", LISTED),
    ("a store that tells nothing of a file is believed", "dubgate/engine/fetching.py", "if any(info.get(mark) is not None for mark in _MARKS):", "if True:", LISTED),
    ("a time that anybody may set is a store's word", "dubgate/engine/fetching.py", '_MARKS = ("ETag",', '_MARKS = ("mtime", "ETag",', LISTED),
    ("what cannot be read is the same each time", "dubgate/engine/fetching.py", ", secrets.token_hex()]", "]", LISTED),
    ("substreams are not counted", "dubgate/delivery/presentations.py", "data[_SUBSTREAMS_AT] >> 4 != 1", "False", PRESENTATIONS),
    ("a major sync that is cut off is of one", "dubgate/delivery/presentations.py", "(len(data) <= _SUBSTREAMS_AT or", "(len(data) > _SUBSTREAMS_AT and", PRESENTATIONS),
    ("what follows a core is nothing", "dubgate/delivery/presentations.py", "return any(packet[size:])", "return False", PRESENTATIONS),
    ("a stream without a core is of one", "dubgate/delivery/presentations.py", "if packet[:4] != _DTS_CORE or len(packet) < 8:", "if len(packet) < 8:", PRESENTATIONS),
    ("presentations are not looked at", "dubgate/delivery/decoding.py", "self.plays_otherwise = self.plays_otherwise or plays_otherwise(context.name, packet)", "pass", PRESENTATIONS),
    ("presentations are not told", "dubgate/chosen_alone.py", "if heard.plays_otherwise else ()", "if False else ()", PRESENTATIONS),
    ("music and effects are never alone", "dubgate/chosen_alone.py", "_Silence(me.duration_s) if alone else stem", "stem", ALONE),
    ("music and effects are always alone", "dubgate/chosen_alone.py", "_Silence(me.duration_s) if alone else stem", "_Silence(me.duration_s)", ALONE),
    ("a track that was not listened to lost nothing", "dubgate/chosen_alone.py", "return missing[0] if missing else", "return", ALONE),
    ("no track is of the published file", "dubgate/hearing.py", "return source is not None and source.path == (plan.mix or plan.dub).path", "return False", ALONE),
    ("two descriptions of one sound pass", "dubgate/delivery/mp4_edits.py", 'if described not in (b"", _ONE):', "if False:", ONE_SOUND),
    ("who writes is not looked at", "dubgate/delivery/digests.py", "if is_open_for_writing(file.fileno()):", "if False:", PINNED),
    ("no lease is no writer", "dubgate/delivery/open_writers.py", "return error.errno == errno.EAGAIN and", "return False and", PINNED),
    ("no lease anywhere is a writer", "dubgate/delivery/open_writers.py", " and _file_system(os.fstat(descriptor).st_dev) in _LOCAL", "", PINNED),
    ("another user's file is being written", "dubgate/delivery/open_writers.py", "error.errno == errno.EAGAIN and ", "", PINNED),
    ("what lapsed is certified", "dubgate/resting.py", "[*against, *lapsed_since(judgement.judged_at, delivery, signed, writer)]", "against", CERTIFYING),
    ("a signature that does not count any more is certified", "dubgate/lapsed.py", "if file.payload_sha256 not in still:", "if False:", CERTIFYING),
    ("a permission that ended is certified", "dubgate/lapsed.py", "if PermissionKind.MATCH in view.permissions(voice_id, judged_at) - view.permissions(voice_id, view.now):", "if False:", CERTIFYING),
    ("an enrolment that ended is certified", "dubgate/lapsed.py", "{e.enrolment_id for e in then} - {e.enrolment_id for e in now}", "set()", CERTIFYING),
    ("a no that was answered ends a release", "dubgate/standing.py", "        if not _answered(history, named):\n", "        if True:\n", CERTIFYING),
    ("a no after the yes is answered by it", "dubgate/standing.py", "h.recorded_at > said for h in named", "True for h in named", CERTIFYING),
    ("one of joint holders suffices since", "dubgate/standing.py", "if not quorate(claim, approved & set(claim.holder_ids)):", "if not approved & set(claim.holder_ids):", CERTIFYING),
    ("a no in another language is of another sound", "dubgate/standing.py", "        about = release.packets_sha256 in", "        about = said.language == release.language and release.packets_sha256 in", CERTIFYING),
    ("a holder's no takes nothing down", "dubgate/service/telling.py", "if isinstance(approval, Approval) and approval.decision is ApprovalDecision.REJECT:", "if False:", TELLING),
    ("a holder's no takes everything down", "dubgate/service/telling.py", "if rejected_now(r, view, approval.approval_id, max(now, approval.signed_at)))", "if True)", TELLING),
    ("an objection takes nothing down", "dubgate/service/telling.py", "elif isinstance(event, Event) and event.kind is EventKind.OBJECTED:", "elif False:", TELLING),
    ("an objection takes down what is not its sound", "dubgate/service/telling.py", "if notice is not None and r.packets_sha256 == notice.packets_sha256)", ")", TELLING),
    ("what ended since a batch was begun is not asked", "dubgate/engine/batch.py", "3 if self.ended else 0", "0", BATCH),
    ("an end is none", "dubgate/engine/since.py", "isinstance(record, Event) and record.kind in _ENDS", "False", BATCH),
    ("an end of any grant is another's", "dubgate/engine/since.py", "grant is not None and grant.voice_id not in voices", "grant is not None", BATCH),
    ("what names no voice is of no voice", "dubgate/engine/since.py", "        if is_url(location):\n            return None\n", "        if is_url(location):\n            continue\n", BATCH),
    ("what cannot be read names no voice", "dubgate/engine/since.py", "        except DubgateError:\n            return None\n", "        except DubgateError:\n            continue\n", BATCH),
    ("a check looks at the registry of its beginning", "dubgate/judging_again.py", "return at if clock is None else max(at, clock(), view.store.last_recorded_at() or at)", "return at", CHECKED),
    ("naming a person is their word", "dubgate/voices_heard.py", 'if entry is not None and entry.technique != "human" else frozenset()', "if entry is not None else frozenset()", NAMED),
    ("a performer's word is none", "dubgate/policy/voice_checks.py", "if declared is None or h.voice_id not in declared.performed_by]", "]", CLEARED),
    ("a performer's word is for every voice", "dubgate/policy/voice_checks.py", "if declared is None or h.voice_id not in declared.performed_by]", "if not (declared and declared.performed_by)]", CLEARED),
    ("a performer speaks for all", "dubgate/clearing.py", "directed(human_statements)", "human_statements", CLEARED),
    ("anybody speaks for a voice", "dubgate/clearing.py", "[s for s in human_statements if s.by in view.spokespeople(v)]", "list(human_statements)", CLEARED),
    ("a milder ruling counts beside one that affirms", "dubgate/policy/rulings.py", "if why is None and chosen.setdefault(key, signed) is not signed:", "if why is None and rules[key][1].severity is not signed.record.severity and chosen.setdefault(key, signed) is not signed:", RULINGS),
    ("a ruling that affirms is told with the rule", "dubgate/policy/rulings.py", "    chosen = {key: s for key, s in chosen.items() if rules[key][1].severity is not s.record.severity}\n", "", RULINGS),
    ("a no of another kind is none", "consent/quorum.py", "or (_is_no(h) and h.approval.kind not in kinds)]", "]", RIGHTS),
    ("a refused character has one spelling", "consent/rights.py", "return folded(character) in {folded(c) for c in characters}", "return character in characters", RIGHTS),
    ("look-alikes are other names", "consent/names.py", "seen.translate(_LOOKS)", "seen", RIGHTS),
    ("accents make another name", "consent/names.py", '("Cf", "Mn")', '("Cf",)', RIGHTS),
    ("signs of no width make another name", "consent/names.py", '("Cf", "Mn")', '("Mn",)', RIGHTS),
    ("an adult has a guardian", "consent/who_grants.py", "if grant.capacity is Capacity.GUARDIAN and voice.subject is not Subject.MINOR:", "if False:", GRANTS),
    ("the living have an estate", "consent/who_grants.py", "if grant.capacity in (Capacity.EXECUTOR, Capacity.HEIR) and voice.subject is not Subject.DECEASED:", "if False:", GRANTS),
    ("anybody is a court", "consent/admission.py", "if party is None or not roles & set(party.roles):", "if party is None:", GRANTS),
    ("rules that did not concern the master are not asked", "dubgate/label_rules.py", "return rule if decides else None", "return None", LABEL_RULES),
    ("rules that concern neither are asked", "dubgate/label_rules.py", "return rule if decides else None", "return rule", LABEL_RULES),
    ("a rule that warned of the master is asked", "dubgate/label_rules.py", "name in (*measured.warned, *measured.failed)", "name in measured.failed", LABEL_RULES),
    ("a rule that passed may not concern the package", "dubgate/label_rules.py", 'rule if _reads_anew(applies) else rule.model_copy(update={"applies": None})', "rule", LABEL_RULES),
    ("the stage decides nothing", "dubgate/label_rules.py", 'or fact.path == "delivery.stage"', "", LABEL_RULES),
    ("what is not known passes", "dubgate/label_rules.py", "if any(f.outcome > Outcome.WARN for f in fs))", "if any(f.outcome > Outcome.UNKNOWN for f in fs))", LABEL_RULES),
    ("a later no of an unlisted key is passed by", "dubgate/service/publishing.py", "is_no = facts is None or facts.result != PASSED", "is_no = isinstance(refusal, NotPassed)", PUBLISHING),
    ("what cannot be read is no no", "dubgate/service/publishing.py", "is_no = facts is None or facts.result", "is_no = facts is not None and facts.result", PUBLISHING),
    ("a key is trusted now alone", "dubgate/service/publishing.py", "require_trusted(facts, store, max(at, now))", "require_trusted(facts, store, now)", TRUSTED),
    ("a trust store is current now alone", "dubgate/service/publishing.py", "    store.require_current(max(at, now))\n", "", TRUSTED),
    ("what ended since is signed", "dubgate/service/working.py", "            require_standing_still(pending, registry, self.clock())\n", "", SURVIVE),
    ("one's own approval carries", "dubgate/service/working.py", "            require_another_hand(writer, pending.release_id, job.party)\n", "", SURVIVE),
    ("a yes to another question is one", "dubgate/client.py", 'if body.get("digest") != digest.removeprefix("sha256:") or channel not in body.get("channels", ()):', "if False:", YES),
    ("other pictures are not asked", "dubgate/labels/hls.py", "if not shows_alone(hls_pieces(load_playlist(path, root), path, root)):", "if False:", SILENT),
    ("a track of sound is a picture", "dubgate/labels/silent.py", 'all(kind == b"vide" for kind in kinds)', 'any(kind == b"vide" for kind in kinds)', SILENT),
    ("no index is silence", "dubgate/labels/silent.py", "return bool(kinds) and", "return", SILENT),
    ("what is cut off is silent", "dubgate/labels/silent.py", "    except MediaError:\n        return False", "    except MediaError:\n        return True", SILENT),
    ("tags behind the sound are not read", "dubgate/labels/id3.py", "return (*found, *(p for p in trailing_places(path, file) if p.text))", "return tuple(found)", TRAILING),
    ("a second tag is not read", "dubgate/labels/id3.py", "            at += len(tag)\n", "            break\n", TRAILING),
    ("a second text is not read", "dubgate/labels/id3.py", "return [text for part in said", "return [text for part in said[:1]", TRAILING),
    ("APE tags are not read", "dubgate/labels/trailing.py", 'if tail.startswith(b"APETAGEX"):', "if False:", TRAILING),
    ("other tags behind the sound pass", "dubgate/labels/trailing.py", 'if tail.endswith((b"LYRICS200", b"LYRICSEND")) or tail[-10:-7] == b"3DI":', "if False:", TRAILING),
    ("an APE tag may lie about its length", "dubgate/labels/trailing.py", "if not nul or at > len(items):", "if not nul:", TRAILING),
    ("a WAV's ID3 chunk is not read", "dubgate/labels/riff.py", "        yield from _tag(path, body)\n", "        pass\n", TRAILING),
    ("names of tags of two kinds are of two tracks", "dubgate/policy/label_checks.py", 'return manifest if manifest in ("HLS", "DASH") else "", place.track', "return manifest, place.track", TRAILING),
    ("a WAV's own tag keeps its title", "dubgate/labels/riff_writing.py", "titled_tag(path, _body(path, file, tag), plan)", "_body(path, file, tag)", TRAILING),
    ("a tag before a FLAC keeps its title", "dubgate/labels/tag_writing.py", "out.write(titled_tag(source, read_exactly(source, given, 0, start), plan)", "out.write(read_exactly(source, given, 0, start)", TRAILING),
    ("addresses of a site are public", "consent/webhooks.py", "if address.is_site_local:", "if False:", INSIDE),
)  # fmt: skip


def red_mutants() -> Iterator[Mutant]:
    """What stands between a certificate and sound, consents and moments that nobody judged."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"red: {name}", file, tests, replaced(old, new))
