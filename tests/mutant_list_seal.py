"""What `make mutants` breaks of holes that were known and left: unread segments, links, other judges, last passkeys, forgotten files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced, without_guards

UNREAD = ("tests/labels/test_unread_segments.py",)
LINKS = ("tests/labels/test_links_in_packages.py",)
PINNED = ("tests/test_pinned.py", "-k", "waits_until or on_and_on")
SOUNDING = ("tests/labels/test_sound_of_its_own.py",)
PICTURES = ("tests/certificate/test_package_pictures.py",)
VANISHED = ("tests/certificate/test_watching.py", "-k", "register_that_vanishes")
WHOSE = ("tests/service/test_sources.py", "-k", "whose_a_file_is")
DESK_SOUND = ("tests/service/test_desk_sound.py",)
JUDGES = ("tests/test_batch.py", "-k", "something_else or same_weights or everything_that_judges")
WORKER = ("tests/test_batch_judging.py", "-k", "packs_change")
KEYS = ("tests/web/test_desk_unkeying.py", "-k", "not postgresql")
RECOVERED = ("tests/web/test_desk_signed.py", "-k", "recovery_revokes")
STOPPED = ("tests/web/test_desk_sign_in.py", "-k", "stopped_after")
PROGRAM = ("tests/test_program.py",)
RETENTION = ("tests/service/test_upload_retention.py",)
SOUNDS = ("tests/service/test_verdicts.py", "-k", "records_by_digest")
SOURCES = ("tests/service/test_sources.py", "-k", "model_can_name or nobody_would_watch or another_name")
PATHS = ("tests/delivery/test_manifest_paths.py",)
EXCERPTS = ("tests/report/test_excerpts.py",)

PLAYED, SEGMENTS, BATCH = "dubgate/labels/played.py", "dubgate/labels/segments.py", "dubgate/engine/batch.py"
JUDGED_BY, UNKEYING = "dubgate/engine/judges.py", "consent/web/unkeying.py"

# (file, tests): every guard in the file is removed in turn.
GUARDED = (
    (
        SEGMENTS,
        (*LINKS, "tests/labels/test_read_alike.py", "tests/labels/test_label_attacks.py", "tests/labels/test_hls.py"),
    ),
    (JUDGED_BY, JUDGES),
    (UNKEYING, KEYS),
)

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("a segment of no known form is silent", PLAYED, '    elif at < end or at == piece.first:\n', "    elif False:\n", UNREAD),
    ("a tag inside the sound is not looked for", PLAYED, "        if _tag_inside(file, at, end):\n", "        if False:\n", UNREAD),
    ("a tag across two blocks is not seen", PLAYED, "        kept = data[-_OVERLAP:]\n", '        kept = b""\n', UNREAD),
    ("anything is packed sound", PLAYED, "if is_packed_sound(file.read(min(HEAD_BYTES, end - at))):", "if True:", UNREAD),
    ("a part of another container is taken for all of it", PLAYED, "elif at == piece.first == 0 and piece.length is None:", "elif at == piece.first == 0:", UNREAD),
    ("a whole file of another container is not read", PLAYED, "        yield from media_places(piece.path)\n", "        yield from ()\n", UNREAD),
    ("a file of no known container is silent", PLAYED, '        yield _unread(piece, "it is of no format whose labels are read")\n', "        return\n", UNREAD),
    ("what is unread is forgotten", PLAYED, "        return Played(sha256, found, unmeasured=unread)\n", "        return Played(sha256, found)\n", UNREAD),
    ("a transport stream without a map is silent", "dubgate/labels/transport.py", "    if not streams:\n", "    if False:\n", UNREAD),
    ("a link in a package is followed", SEGMENTS, "    if found != real / relative:\n", "    if False:\n", LINKS),
    ("a file is opened where a link leads", SEGMENTS, "    return top / relative\n", "    return found\n", LINKS),
    ("a variant that says no codecs is silent", "dubgate/labels/hls.py", "*_untold(playlist, master, root))", ")", SOUNDING),
    ("a representation that says no codecs is silent", "dubgate/labels/dash.py", "*_untold(mpd, manifest))", ")", SOUNDING),
    ("codecs that nobody knows are silent", "dubgate/labels/codecs.py", "return False if named and all(name.startswith(_PICTURES_AND_TEXTS) for name in named) else None", "return False", SOUNDING),
    ("a later file among pictures is not asked", "dubgate/package_hearing.py", "        if begins[k]:\n", "        if begins[k] and not told:\n", PICTURES),
    ("streams among pictures are not asked", "dubgate/package_hearing.py", "        elif not told or next(_box_names(piece), b\"\") not in BOXES:\n", "        elif False:\n", PICTURES),
    ("the register may vanish", "dubgate/company/folder.py", "    pins().require_there(register)\n", "", VANISHED),
    ("whose a file is is asked by its path", "dubgate/service/judging.py", "require_own_files(watched.lie_at, ", "require_own_files((Path(s.path) for s in watched.seen), ", WHOSE),
    ("where a file lay is asked by its path", "dubgate/delivery/digests.py", 'os.readlink(f"/proc/self/fd/{descriptor}")', "str(path)", WHOSE),
    ("what was judged before is played", "dubgate/service/desk_listening.py", "key = (source.path, place, stream,", "key = (source.path, stream,", DESK_SOUND),
    ("what is cut at the desk is not pinned", "dubgate/service/desk_listening.py", "with pinned({str(source.path.absolute()): place}):", "if True:", DESK_SOUND),
    ("a digest does not wait for the clock", "dubgate/delivery/digests.py", "        before = _settled(file.fileno(), path)\n", "        before = place_of(file.fileno())\n", PINNED),
    ("a worker's packs are believed", BATCH, "    require_same(result, here)\n", "", JUDGES),
    ("a worker's models are believed", BATCH, "    models.require_same(result.facts)\n", "", JUDGES),
    ("an earlier run's models are forgotten", BATCH, "    models = Models(d.facts for d in journal.done if", "    models = Models(d.facts for d in () if", JUDGES),
    ("a worker that does not say is believed", JUDGED_BY, "if theirs is None or getattr(theirs", "if theirs is not None and getattr(theirs", JUDGES),
    ("a worker's packs may change while it judges", "dubgate/engine/judging.py", "        if judges_of(settings) != judges:\n", "        if False:\n", WORKER),
    ("another program judges the same round", JUDGED_BY, '        program=code_sha256(WHOLE) or "",\n', '        program="",\n', JUDGES),
    ("two removals end the last passkey", UNKEYING, "        if not last_too:\n            require_another(writer, desk, account, credential_id)\n", "", KEYS),
    ("two signed removals end the last passkey", "consent/web/acting.py", "        _require_another_passkey(view, who, said.target_id)\n", "        pass\n", KEYS),
    ("the passkey that goes counts as another", UNKEYING, "for other in others if other != credential_id)", "for other in others)", KEYS),
    ("the last passkey that no ledger knows goes", UNKEYING, "        if left is None and not last_too:\n", "        if False:\n", KEYS),
    ("a recovery keeps the last lost passkey", "consent/web/recovery.py", "by=str(agreed[\"approved_by\"]), last_too=True)", "by=str(agreed[\"approved_by\"]))", RECOVERED),
    ("a recovery opens before its day", "consent/web/recovery.py", "sent & (RECOVERY.c.outcome == \"sent\")", "sent", RECOVERED),
    ("whether a recovery opened is not asked", "consent/web/pages/sign_in.py", "        if not recovery.open_again(desk, account_id):\n", "        if recovery.open_again(desk, account_id) is None:\n", STOPPED),
    ("other code finds what was kept", "dubgate/kept.py", "facts = [SCHEMA, __version__, code, told,", "facts = [SCHEMA, __version__, told,", ("tests/test_kept.py", "-k", "programs_source")),
    ("without its source the program is itself", "dubgate/kept.py", "        return cache.NOWHERE\n", '        code = ""\n', PROGRAM),
    ("a program that changed meanwhile is itself", "dubgate/program.py", "    return now if now == _first(apart) else None\n", "    return now\n", PROGRAM),
    ("compiled files are source enough", "dubgate/program.py", " if {f\"{package}/__init__.py\" for package in PACKAGES} <= sources else None", "", PROGRAM),
    ("names of files do not count", "dubgate/program.py", 'f"{len(name)} {name} {len(data)}\\n".encode() + data', "data", PROGRAM),
    ("something is kept under no key", "dubgate/cache.py", "    if where is None or key == NOWHERE:\n        return\n    head", "    if where is None:\n        return\n    head", PROGRAM),
    ("an upload goes under an open request", "dubgate/service/retention.py", " or awaited(writer, judged_by(connection, use.job_ids))", "", RETENTION),
    ("a job that says no sound keeps nothing", "dubgate/service/awaited.py", '        if not told.get("sounds"):\n', "        if False:\n", RETENTION),
    ("a use that may be objected to keeps nothing", "dubgate/service/awaited.py", "n.object_until > view.now", "False", RETENTION),
    ("a job does not say what it heard", "dubgate/service/verdicts.py", '        "sounds": sorted({sound.packet_sha256 for sound in heard}),\n', "", SOUNDS),
    ("a field of the manifest is not fetched", "dubgate/delivery/manifest_paths.py", "value, str) and at in path_fields()", 'value, str) and at in path_fields() and at[0] != "credits"', SOURCES),
    ("a file that nobody watches is judged", "dubgate/delivery/manifest.py", "    _require_listed(delivery, paths_named(document.data))\n", "", SOURCES),
    ("another manifest takes the place of the one submitted", "dubgate/service/fetching.py", "    if _inside(relative) == MANIFEST:\n", "    if False:\n", SOURCES),
    ("a type that nobody walks names no file", "dubgate/delivery/manifest_paths.py", '        raise TypeError(f"whether this type', '        str(f"whether this type', PATHS),
    ("what is left of a cut is silence", "dubgate/excerpts.py", "    while left := [place for place in wanted if place not in found]:\n", "    for left in [wanted]:\n", EXCERPTS),
    ("a child may cut nothing", "dubgate/excerpts.py", "    if not found:\n", "    if False:\n", EXCERPTS),
)  # fmt: skip


def seal_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of these, in a fixed order."""
    for file, tests in GUARDED:
        yield from without_guards(root, file, tests, "seal")
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"seal: {name}", file, tests, replaced(old, new))
