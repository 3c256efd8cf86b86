"""What `make mutants` breaks in what makes sure that players play the one sound that was heard."""

from __future__ import annotations

from collections.abc import Iterator

from mutate import Mutant, replaced

ONE = ("tests/delivery/test_one_sound.py",)
ALIKE = ("tests/labels/test_read_alike.py",)
PICTURES = ("tests/certificate/test_package_pictures.py",)
ADDED = ("tests/test_added_speech.py",)
RIGHTS = ("tests/consent/test_rights_and_approvals.py",)
RENEWING = ("tests/certificate/test_renewing.py", "-k", "lost_its_label")
VOICES = ("tests/test_voices_heard.py",)
PACKAGES = ("tests/certificate/test_packaging.py", "-k", "under_the_sound")

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("two formats in one file pass", "dubgate/delivery/formats.py", "if len(by_magic) > 1:", "if False:", ONE),
    ("MXF may begin anywhere", "dubgate/delivery/formats.py", '["mxf"] if head.startswith(MXF_PARTITION) else ["mxf", "something else before it"]', '["mxf"]', ONE),
    ("two parts of one name pass", "dubgate/delivery/structure.py", "if name in before & _OF_ONE_SOUND:", "if False:", ONE),
    ("a second index passes", "dubgate/delivery/structure.py", 'b"moov", bytes.fromhex("18538067")', 'bytes.fromhex("18538067")', ONE),
    ("a second segment of Matroska passes", "dubgate/delivery/structure.py", 'b"moov", bytes.fromhex("18538067")', 'b"moov"', ONE),
    ("what stands behind a WAV's sound is not read", "dubgate/delivery/structure.py", "if announced in (_UNKNOWN_32, 0) or large:", "if True:", ONE),
    ("edits are not looked at", "dubgate/delivery/structure.py", "    check_edits(path, content)\n", "", ONE),
    ("edits that put together anew pass", "dubgate/delivery/mp4_edits.py", "if len(rows) > 1:", "if False:", ONE),
    ("edits of another speed pass", "dubgate/delivery/mp4_edits.py", "if rate != _NORMAL_RATE or", "if", ONE),
    ("a hidden beginning passes", "dubgate/delivery/mp4_edits.py", "if max(start / scale, after_s) > HIDDEN_S", "if after_s > HIDDEN_S", ONE),
    ("a hidden end passes", "dubgate/delivery/mp4_edits.py", "if max(start / scale, after_s) > HIDDEN_S", "if start / scale > HIDDEN_S", ONE),
    ("a late start is a hidden one", "dubgate/delivery/mp4_edits.py", "while rows and rows[0][1] == _EMPTY:", "while False:", ONE),
    ("maps may change", "dubgate/delivery/ts_packets.py", "if self._said.setdefault(pid, said) != said:", "if False:", ONE),
    ("other tables are no maps", "dubgate/delivery/ts_packets.py", "said = section[:1] + section[3:5]", "said = section[3:5]", ONE),
    ("the end of a map is lost", "dubgate/delivery/ts_packets.py", "self._waiting[pid] += packet[start + 1 : at]", "pass", ONE),
    ("further programmes pass", "dubgate/delivery/decoding.py", 'if context.name == "eac3" and', "if False and", ONE),
    ("channels are programmes", "dubgate/delivery/ac3_frames.py", "if kind != _DEPENDENT and number:", "if number:", ONE),
    ("what dubgate cannot decode is no sound", "dubgate/delivery/media.py", 'for s in container.streams if s.type == "audio")', "for s in container.streams.audio if _known(s))", ONE),
    ("lines end where Python ends them", "dubgate/labels/hls.py", "if _NO_LINE.search(text):", "if False:", ALIKE),
    ("what stands behind no tag passes", "dubgate/labels/hls.py", "if named != len(playlist.segments) + len(playlist.playlists):", "if False:", ALIKE),
    ("an attribute twice in other tags passes", "dubgate/labels/hls.py", "if tag in _LISTS:", 'if tag == "#EXT-X-MEDIA":', ALIKE),
    ("names are files", "dubgate/labels/hls.py", "return inside(master.parent, uri, root, named_by=master.name)", "return _inside(master.parent / uri, root)", ALIKE),
    ("names that are read differently pass", "dubgate/labels/segments.py", "if uri != uri.strip() or _READ_DIFFERENTLY.search(uri):", "if False:", ALIKE),
    ("templates at two levels pass", "dubgate/labels/dash_segments.py", "if len(found) > 1:\n        raise MediaError(\"its segments", "if False:\n        raise MediaError(\"its segments", ALIKE),
    ("addresses that are not read pass", "dubgate/labels/dash_segments.py", "    if more:\n", "    if False:\n", ALIKE),
    ("a presentation may go on with another", "dubgate/labels/dash.py", 'linked = linked or scheme.startswith(("urn:mpeg:dash:chaining:", "urn:mpeg:dash:fallback:"))', "pass", ALIKE),
    ("a text is one by its first letters", "dubgate/package_hearing.py", '(b"WEBVTT", b"<?xml", b"<tt")) or b"\\0" in data:', '(b"WEBVTT", b"<?xml", b"<tt")):', ALIKE),
    ("what is no fragment is one", "dubgate/package_hearing.py", 'elif not told or next(_box_names(piece), b"") not in BOXES:', "elif not told:", PICTURES),
    ("an index behind other boxes is none", "dubgate/package_hearing.py", "at = at + length if length >= 8 else end", "at = end", PICTURES),
    ("a voice under music is not listened for", "dubgate/package_hearing.py", 'faults = tuple(Fault(s.start_s, s.end_s, "spoken") for s in beside)', "pass", PACKAGES),
    ("what is left over is not heard", "dubgate/meter/added.py", "if audible(ours, left):", "if False:", ADDED),
    ("the music is not taken away", "dubgate/meter/added.py", "return np.asarray(theirs - made, dtype=np.float32)", "return theirs", ADDED),
    ("a later start is not followed", "dubgate/meter/added.py", "rendition.read_padded(start_s + offset_s, end_s + offset_s)", "rendition.read_padded(start_s, end_s)", ADDED),
    ("a refused sound passes in another language", "consent/quorum.py", "    if approval.sounds:\n        return any(", "    if approval.sounds:\n        return approval.language == candidate.language and any(", RIGHTS),
    ("a refusal of a language is of one tag", "consent/quorum.py", "return languages.overlap(approval.language, candidate.language)", "return approval.language == candidate.language", RIGHTS),
    ("a language has no other name", "consent/languages.py", "a.language == b.language or _around(a.language) == b.language or a.language == _around(b.language)", "a.language == b.language", RIGHTS),
    ("a sound that cannot be decoded is renewed", "dubgate/renewing.py", "if len(streams) != 1 or found.n_sounds != 1:", "if len(streams) != 1:", RENEWING),
    ("the parts of a voice are not searched", "dubgate/voices_heard.py", "parts = (*speaker.parts(), *(p for", "parts = (*(), *(p for", VOICES),
    ("the parts of a voice are not matched", "dubgate/voices_heard.py", "for part in (*speaker.parts(), *speaker.strange", "for part in (*(), *speaker.strange", VOICES),
    ("a part that is like its whole is another's", "dubgate/voices_heard.py", "score < REJECT_LLR <= whole:", "score <= whole:", VOICES),
    ("the parts of a voice are no clones", "dubgate/voices_heard.py", "return max([whole, *(s for s in scores if not isinstance(s, Unmeasured))])", "return whole", VOICES),
    ("parts of any length are compared", "dubgate/voices_heard.py", "return tuple(p for p in found if p.speech_s >= PART_S) if", "return tuple(found) if", VOICES),
    ("what a mix holds beside stem and effects is not listened to", "dubgate/mixing.py", "union((*differs, *spoken))", "union(differs)", ADDED),
    ("hearing does not listen to what a mix holds beside", "dubgate/hearing.py", "me, dub, speech_prob)", "me, dub)", ("tests/test_unheard.py", "-k", "listened_for")),
    ("what packets leave out is not counted", "dubgate/delivery/decoding.py", "self._n_left_out += _left_out(packet)", "self._n_left_out += 0", ONE),
    ("only what is left out at the start counts", "dubgate/delivery/decoding.py", 'return int.from_bytes(said[:4], "little") + int.from_bytes(said[4:8], "little")', 'return int.from_bytes(said[:4], "little")', ONE),
    ("samples and fragments pass", "dubgate/delivery/structure.py", 'if b"moof" in before and holds_samples(content):', "if False:", ONE),
    ("fragments of a file without samples are refused", "dubgate/delivery/mp4_edits.py", '[8:12] not in (b"", bytes(4))', '[8:12] not in (b"",)', ONE),
    ("ordered chapters pass", "dubgate/delivery/structure.py", "if flag.name == _ORDERED and any(", "if False and any(", ONE),
    ("chapters are ordered whatever they say", "dubgate/delivery/structure.py", "if flag.name == _ORDERED and any(file.read(min(8, flag.end - flag.start))):", "if flag.name == _ORDERED:", ONE),
)  # fmt: skip


def adversary_mutants() -> Iterator[Mutant]:
    """Every mutant of these, in a fixed order."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"adversary: {name}", file, tests, replaced(old, new))
