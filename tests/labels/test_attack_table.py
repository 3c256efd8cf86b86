"""ATTACKS.md lists every attack on labels, of the threat model and of bad input, with the test that tries it.

`python tests/labels/test_attack_table.py` writes it anew.
"""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE / "ATTACKS.md"
# Threats of the model (d) that concern labels, and what issue 5 names as bad input.
ASKED = {
    "threat 1",
    "threat 5",
    "threat 6",
    "threat 7",
    "threat 13",
    "threat 17",
    "threat 18",
    "threat 19",
    "threat 25",
    "polyglot",
    "truncated",
    "two AIGC labels",
    "moved manifest",
    "look-alike letters",
    "zero-width marks",
    "playlist outside its folder",
    "playlist to itself",
    "XML entities",
    "gigantic tags",
    "unknown signer",
    "expired signer",
    "revoked signer",
    "unreadable label",
}
# (what it answers, the attack, what happens, test file, tests)
ROWS: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    ("threat 1", "a labelled HLS rendition plays other sound", "blocks: LAB-009", "test_hls.py", ("test_a_labelled_rendition_that_plays_other_sound_is_not_what_was_heard",)),
    ("threat 1", "a DASH representation plays other sound", "blocks: LAB-009", "test_label_attacks.py", ("test_a_dash_representation_of_other_bytes_is_not_what_was_heard",)),
    ("threat 1", "a sidecar signed for another file or another sound", "counts for nothing, blocks: LAB-001", "../policy/test_label_sidecars.py", ("test_a_sidecar_that_is_not_of_this_master_labels_nothing",)),
    ("threat 5", "declared as human over a signed manifest of a machine", "blocks: LAB-009", "test_label_consistency.py", ("test_a_human_claim_against_a_signed_manifest_of_a_machine_blocks",)),
    ("threat 5", "a label that anybody signs for a master without one", "counts for nothing, blocks: LAB-001", "../policy/test_label_sidecars.py", ("test_who_may_not_sign_labels_labels_nothing", "test_one_flipped_byte_of_a_sidecar_is_noticed")),
    ("threat 6", "a manifest of a human recording (digitalCapture)", "is no token; over a machine's voice it blocks: LAB-009", "test_label_consistency.py", ("test_a_signed_manifest_of_a_human_recording_against_a_machines_voice_blocks",)),
    ("threat 6", "… in a real file, self-made", "is no token", "test_label_provenance.py", ("test_a_self_signed_human_recording_is_no_token",)),
    ("threat 7", "a plain re-wrap strips AIGC, name or manifest", "blocks: LAB-011", "test_label_stripped.py", ("test_a_plain_re_wrap_that_strips_labels_is_found_by_the_command", "test_each_label_that_is_gone_is_named_and_blocks")),
    ("threat 7", "the label on one of two manifests of a package", "blocks: LAB-001", "test_label_attacks.py", ("test_a_label_in_one_of_two_manifests_blocks_the_package",)),
    ("threat 7", "segments that say people, no AI or another language under a manifest that says AI", "blocks: LAB-009", "test_media_labels.py", ("test_media_that_contradict_their_manifest_block",)),
    ("threat 7", "… in one later segment, in a fragment, an event or a timed tag, or in a range of one file", "blocks: LAB-009", "test_media_labels.py", ("test_the_tag_of_every_packed_segment_is_read", "test_labels_of_fragments_and_events_are_read", "test_an_entry_that_plays_ranges_of_one_file_is_read_range_by_range", "test_the_language_that_a_transport_stream_names_is_held_against_the_entrys", "test_timed_tags_of_a_transport_stream_are_read_to_its_last")),
    ("threat 5", "declared as human over segments that say AI", "holds: LAB-001", "test_media_labels.py", ("test_ai_inside_the_media_of_a_dub_declared_as_human_holds",)),
    ("threat 7", "writing a label loses another text, or changes sound", "nothing is written", "test_label_writing.py", ("test_a_text_that_would_be_lost_leaves_no_file", "test_sound_that_would_change_leaves_no_file")),
    ("threat 13", "the child that signs crashes, idles or asks for other signatures", "nothing is written", "test_label_signing.py", ("test_a_child_gets_one_signature_over_a_claim_and_no_other", "test_a_child_that_signs_nothing_is_no_success")),
    ("threat 13", "a file too large to sign in bounds", "refused, with the bound", "test_label_signing.py", ("test_a_file_beyond_the_cap_is_refused_and_told_of_it",)),
    ("threat 17", "a wrong extension, or none", "decides nothing", "test_label_attacks.py", ("test_the_name_of_a_file_decides_nothing",)),
    ("threat 17", "an RF64 or a chunk whose size lies", "refused", "test_label_attacks.py", ("test_an_rf64_whose_sizes_lie_is_refused", "test_a_wav_that_is_cut_off_or_two_files_at_once_is_refused")),
    ("threat 17", "a compressed ID3 frame (a bomb)", "refused, never unpacked", "test_label_attacks.py", ("test_a_compressed_tag_is_refused_and_never_unpacked",)),
    ("threat 17", "a box, name or attribute twice, so that players differ", "refused", "test_label_attacks.py", ("test_a_box_that_stands_twice_is_refused", "test_a_matroska_track_with_two_names_is_refused", "test_an_hls_entry_that_can_be_read_in_two_ways_is_refused")),
    ("threat 17", "a segment whose boxes or tag lie about their length, or with two indexes", "refused", "test_media_labels.py", ("test_media_that_are_damaged_block_with_the_reason", "test_a_timed_tag_that_is_cut_off_or_gigantic_blocks", "test_a_second_tag_and_one_that_reaches_beyond_its_segment_are_seen")),
    ("threat 17", "duplicate EXT-X-MEDIA, or two that look alike", "refused", "test_hls.py", ("test_a_package_that_plays_tricks_is_refused",)),
    ("threat 18", "reversed reading, letters apart, small letters", "blocks: LAB-001 or LAB-010", "test_label_attacks.py", ("test_a_name_that_only_looks_like_a_label_blocks",)),
    ("threat 18", "a name that names AI and denies it: [no AI], ohne KI, AI不使用", "blocks: LAB-001", "test_label_wording.py", ("test_a_name_that_denies_ai_is_no_label",)),
    ("threat 18", "names of one track that contradict each other", "blocks: LAB-009", "test_label_attacks.py", ("test_a_name_in_one_place_and_another_in_the_next_blocks",)),
    ("threat 18", "another name in ID3v1, in APEv2, in a second ID3 tag or text, in a WAV's own ID3 chunk, before a FLAC", "blocks: LAB-009", "test_trailing_tags.py", ("test_a_name_that_says_the_contrary_is_found", "test_an_id3_tag_in_a_chunk_of_a_wav_names_its_track_too", "test_an_id3_tag_before_a_flac_names_the_track_that_its_comments_name")),
    ("unreadable label", "a tag behind the sound that is not read, or lies about its length", "refused", "test_trailing_tags.py", ("test_what_cannot_be_read_behind_the_sound_is_refused",)),
    ("threat 19", "sound in pictures of an HLS package that are no variant (TYPE=VIDEO)", "holds: LAB-010", "test_sound_of_its_own.py", ("test_other_pictures_of_an_hls_package_are_silent_or_hold",)),
    ("threat 19", "a group, a variant or muxed sound without a label", "blocks: LAB-001 or LAB-010", "test_label_attacks.py", ("test_a_second_group_without_the_label_blocks", "test_a_variant_with_sound_of_its_own_blocks", "test_a_variant_that_names_a_group_without_entries_blocks", "test_a_dash_representation_of_pictures_with_sound_of_its_own_blocks")),
    ("threat 19", "a sidecar in place of a package's own label", "counts for nothing", "../policy/test_label_sidecars.py", ("test_a_package_needs_a_label_of_its_own",)),
    ("threat 25", "text in a tag that would move a terminal's cursor or address a machine", "is printed escaped, and read by no model", "test_label_writing.py", ("test_text_of_strangers_cannot_move_the_cursor",)),
    ("polyglot", "a WAV that is a ZIP or a PDF as well", "refused", "test_label_attacks.py", ("test_a_wav_that_is_cut_off_or_two_files_at_once_is_refused",)),
    ("truncated", "a file cut off in a chunk or in its sound", "refused", "test_label_attacks.py", ("test_a_wav_that_is_cut_off_or_two_files_at_once_is_refused",)),
    ("two AIGC labels", "in WAV, MP4, FLAC", "refused", "test_label_attacks.py", ("test_two_aigc_labels_are_refused_in_every_container", "test_an_aigc_label_that_is_none_is_refused")),
    ("two AIGC labels", "in two segments of one entry, or twice in one", "refused", "test_media_labels.py", ("test_two_labels_of_china_in_one_entry_are_refused",)),
    ("moved manifest", "a C2PA manifest from another file, or a changed bit of sound", "refused: not the file that was signed", "test_label_provenance.py", ("test_a_manifest_moved_from_another_file_is_refused", "test_one_changed_bit_of_sound_is_refused")),
    ("moved manifest", "a C2PA manifest in the media of a package over other bytes", "refused", "test_media_labels.py", ("test_content_credentials_in_fragmented_mp4_are_verified",)),
    ("moved manifest", "a manifest about another track", "is no label of this one", "test_label_provenance.py", ("test_a_manifest_about_another_track_is_no_label_of_this_one",)),
    ("look-alike letters", "Cyrillic A, small L", "blocks: LAB-001 or LAB-010", "test_label_attacks.py", ("test_a_name_that_only_looks_like_a_label_blocks", "test_two_renditions_that_look_alike_are_refused")),
    ("zero-width marks", "a space of no width inside AI", "blocks: LAB-010", "test_label_attacks.py", ("test_a_name_that_only_looks_like_a_label_blocks",)),
    ("playlist outside its folder", "../, https:, links, percent signs", "refused", "test_label_attacks.py", ("test_a_dash_manifest_that_plays_tricks_is_refused", "test_a_link_out_of_the_package_is_refused")),
    ("playlist outside its folder", "a link inside the package, turned to another file of it and back", "no link is followed; the file that was digested, or nothing", "test_links_in_packages.py", ("test_a_link_in_the_place_of_a_segment_blocks_wherever_it_leads", "test_a_folder_turned_into_a_link_between_the_look_and_the_opening_shows")),
    ("unreadable label", "a segment in a form that nobody reads: an unknown box, a cluster of WebM, a stream without a map, a tag inside the sound", "holds: LAB-010", "test_unread_segments.py", ("test_a_segment_of_no_known_form_holds", "test_a_tag_inside_the_sound_holds")),
    ("playlist to itself", "a rendition that is the master, or plays its own playlist", "refused, or blocks: LAB-009", "test_label_attacks.py", ("test_a_playlist_that_plays_itself_is_not_what_was_heard",)),
    ("XML entities", "in MPD, CPL, iXML, ADM", "refused", "test_label_attacks.py", ("test_xml_entities_are_refused_wherever_a_label_is_xml", "test_a_dash_manifest_that_plays_tricks_is_refused")),
    ("gigantic tags", "a name of 70 kB, XML of 100,000 levels, an index of 1 GiB", "refused before it is read", "test_label_attacks.py", ("test_a_gigantic_tag_is_refused", "test_a_gigantic_box_is_refused_before_it_is_read")),
    ("unknown signer", "a C2PA signature of a stranger", "refused with the reason", "test_label_provenance.py", ("test_a_signature_of_a_stranger_is_refused",)),
    ("expired signer", "a certificate expired, or not valid yet", "refused with the reason", "test_label_provenance.py", ("test_a_signer_out_of_time_is_refused_with_the_reason",)),
    ("revoked signer", "a certificate on its authority's revocation list", "refused with the reason", "test_label_provenance.py", ("test_a_revoked_signer_is_refused_with_the_reason", "test_a_revocation_list_counts_only_from_an_authority_and_in_time")),
    ("unreadable label", "an AIGC label that is no JSON, whatever else is there", "blocks: LAB-010", "test_label_attacks.py", ("test_nothing_is_released_on_a_label_that_could_not_be_read",)),
)  # fmt: skip
HEAD = """# Attacks on labels, and the test that tries each

Made by `python tests/labels/test_attack_table.py`, and held true by that test: every test named here exists. Threats are those of
the model; the rest is what counts as bad input. Each is tried with real bytes.

| of | attack | what happens | tried by |
| --- | --- | --- | --- |
"""


def table() -> str:
    return HEAD + "".join(
        f"| {of} | {attack} | {then} | {', '.join(f'[{t}]({file})' for t in tests)} |\n"
        for of, attack, then, file, tests in ROWS
    )


def test_the_table_is_todays() -> None:
    assert TABLE.read_text(encoding="utf-8") == table(), "run: python tests/labels/test_attack_table.py"


def test_everything_that_is_asked_is_tried_by_a_test_that_exists() -> None:
    assert {of for of, *_ in ROWS} == ASKED
    for *_, file, tests in ROWS:
        tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert set(tests) <= functions, f"{file} lacks {set(tests) - functions}"


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
