"""ATTACKS.md lists every attack on certificates, of the threat model and of bad input, with the test that tries it.

`python tests/certificate/test_certificate_attacks.py` writes it anew.
"""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE / "ATTACKS.md"
VERIFYING, CERTIFYING, TRUST = "test_verifying.py", "test_certifying.py", "test_trust_store.py"
PACKAGING, PACKAGES, RENEWING = "test_packaging.py", "test_package_certificates.py", "test_renewing.py"
PIPELINE, EVIDENCE, ADOPTING = "test_pipeline.py", "test_evidence_and_replay.py", "test_adopting.py"
PASSKEYS, ENVELOPES, KEYS = "../consent/test_passkeys.py", "test_passkey_envelopes.py", "test_key_cards.py"

# (what it answers, the attack, the reason of the refusal, or what happens, test file, test)
ROWS: tuple[tuple[str, str, str, str, str], ...] = (
    ("threat 1", "other bytes than those that were judged", "`other-bytes`", VERIFYING, "test_one_other_bit_in_the_file_is_other_bytes"),
    ("threat 1", "the file swapped while it was judged", "no certificate", CERTIFYING, "test_a_file_that_was_swapped_and_swapped_back_is_not_certified"),
    ("threat 1", "a package that plays another take, speed, level or length", "`other-performance`", PACKAGING, "test_another_performance_in_one_rendition_is_refused"),
    ("threat 1", "one segment of another take in one rendition", "`other-performance`, with the time", PACKAGING, "test_one_segment_of_another_take_is_refused_where_it_lies"),
    ("threat 1", "a voice under the music of a rendition, or between its channels", "`other-performance`, with the time", PACKAGING, "test_a_voice_under_the_sound_of_a_rendition_is_refused"),
    ("threat 1", "a protected or strange voice in some lines of a character, pooled with the declared one", "blocks or holds: CON-032, CON-031, CON-033", "../test_voices_heard.py", "test_a_protected_voice_in_some_of_a_characters_lines_is_hit"),
    ("threat 1", "a package swapped while it was heard", "no certificate", PACKAGING, "test_a_package_that_changes_while_it_is_heard_is_not_signed"),
    ("threat 1", "a folder of the package turned into a link to another of its renditions, and back", "no certificate", PACKAGING, "test_a_folder_of_a_package_that_is_a_link_for_a_while_is_not_heard_as_the_other"),
    ("threat 1", "a presentation of TrueHD, MLP or DTS-HD that other players play", "held: INT-009; in a package cannot be judged", "../delivery/test_presentations.py", "test_a_file_of_several_presentations_is_told_when_it_is_decoded"),
    ("threat 1", "a voice in the music and effects, or between the channels of the stem, that are streams of the published file", "held: INT-008", "../test_unheard.py", "test_a_track_that_a_player_may_choose_is_listened_to_by_itself"),
    ("threat 1", "a voice that two channels cancel, or in a part of the bands, while the sum of all speaks", "held: INT-008", "../test_behind.py", "test_a_voice_that_the_channels_cancel_is_found_behind_one_that_speaks_all_along"),
    ("threat 1", "a voice in the music and effects under a stem that speaks", "held: INT-008", "../test_behind.py", "test_a_voice_in_the_effects_is_found_behind_one_in_the_stem_and_the_stems_own_echo_is_none"),
    ("threat 1", "a voice that a rendition adds under the master's dialogue", "`other-performance`, with the time", "../test_behind.py", "test_a_voice_that_is_added_behind_the_masters_own_is_found_and_a_codecs_noise_is_none"),
    ("threat 1", "a file that is written to through a mapping, whose times do not change", "cannot be judged", "../test_pinned.py", "test_a_file_that_somebody_could_write_into_unseen_is_not_taken_for_what_it_is"),
    ("threat 7", "the same sound re-wrapped, its label gone", "`re-wrapped`, and never renewed: `label-lost`", RENEWING, "test_a_rewrapped_file_that_lost_its_label_or_its_place_in_time_is_not_renewed"),
    ("threat 7", "the label stripped in one rendition of a package", "`label-lost`", PACKAGING, "test_a_label_lost_in_one_rendition_is_refused"),
    ("threat 8", "forged, moved or changed signatures of people", "refused with the reason", PASSKEYS, "test_an_assertion_that_signs_something_else_or_somewhere_else_is_refused"),
    ("threat 8", "a copied passkey", "refused", PASSKEYS, "test_one_count_of_one_passkey_over_two_records_is_refused_in_any_order"),
    ("threat 8", "a passkey's assertion over another record", "refused", PASSKEYS, "test_a_signature_over_another_record_is_refused"),
    ("threat 8", "an assertion beside an Ed25519 signature", "`bad-signature`", ENVELOPES, "test_a_plain_key_never_verifies_what_carries_an_assertion"),
    ("threat 9", "a certificate for another place, channel or time", "`other-territory`, `other-channel`, `outside-window`", VERIFYING, "test_a_territory_must_be_covered_as_a_whole"),
    ("threat 9", "published by a partner whom the holder did not approve", "`other-partner`", VERIFYING, "test_a_partner_is_served_only_where_the_holder_approved_it_by_name"),
    ("threat 10", "published after a withdrawal", "`consent-ended`", CERTIFYING, "test_a_consent_that_ended_since_is_seen_with_the_registry"),
    ("threat 10", "withdrawn between hearing and signing", "no certificate", PACKAGING, "test_a_consent_that_ended_meanwhile_stops_it_even_at_the_last_moment"),
    ("threat 10", "a signer's key revoked, a permission or an enrolment ended between hearing and signing", "no certificate", CERTIFYING, "test_evidence_whose_key_was_revoked_before_signing_leaves_no_certificate"),
    ("threat 10", "renewed after a withdrawal, refusal or revocation", "`consent-ended`, `standing-refusal`", RENEWING, "test_what_was_withdrawn_refused_revoked_or_changed_is_never_renewed"),
    ("threat 10", "published, renewed or packaged after the gate said no to the sound, about whatever use", "`failed`", RENEWING, "test_a_no_to_this_sound_ends_its_earlier_yes_whatever_use_it_is_about"),
    ("threat 10", "a voice protected between hearing and signing, for which nobody looked", "no certificate", CERTIFYING, "test_a_voice_that_asked_for_protection_before_signing_leaves_no_certificate"),
    ("threat 10", "another grant in the place of the one whose terms were judged", "no certificate", CERTIFYING, "test_a_release_rests_on_the_grant_whose_terms_were_judged_or_on_none"),
    ("threat 10", "the grant by which a voice may sound like the original taken back, the other one left", "`consent-ended`", CERTIFYING, "test_who_translates_their_own_performance_ends_that_apart"),
    ("threat 10", "asked by a clock that is behind the registry", "`consent-ended`", CERTIFYING, "test_what_ended_by_the_registrys_clock_has_ended_by_a_clock_that_is_behind"),
    ("threat 11", "the ledger rewritten or rolled back", "`ledger-rewritten`", CERTIFYING, "test_a_rewritten_ledger_is_seen"),
    ("threat 12", "another registry than the witnessed one", "`ledger-rewritten`", CERTIFYING, "test_another_registry_is_seen"),
    ("threat 13", "a crash, a full disk or a key service that fails while signing", "no certificate", CERTIFYING, "test_a_crash_at_any_step_leaves_an_entry_and_no_certificate"),
    ("threat 13", "a tool that breaks in the pipeline", "nothing is published", PIPELINE, "test_a_tool_that_breaks_publishes_nothing"),
    ("threat 14", "edited or old rule packs", "`pack-demanded`, `pack-retired`", ADOPTING, "test_a_publisher_can_demand_packs_that_are_in_force"),
    ("threat 14", "a pack in force without a signature", "refused, and seen by the audit", ADOPTING, "test_an_adoption_without_its_authors_signature_never_enters"),
    ("threat 14", "a pack that a stolen key put in force", "out of force", ADOPTING, "test_what_a_stolen_key_put_in_force_is_in_force_no_more_and_what_was_before_it_is_again"),
    ("threat 14", "a package without the pack that judged beside it, or under a rule that counsel made hold", "`label-lost`", "test_label_rules.py", "test_a_pack_of_which_nothing_concerned_the_master_is_asked_of_a_package_by_its_bytes_or_refuses_it"),
    ("threat 14", "a package that a rule concerns by its labels or its stage, and its master did not", "`label-lost`", "test_label_rules.py", "test_a_rule_about_packages_alone_is_asked_of_a_package"),
    ("threat 14", "counsel's milder ruling beside one that affirms the pack", "the stricter counts", "../policy/test_rulings.py", "test_a_ruling_that_says_what_the_pack_says_keeps_a_milder_one_from_counting"),
    ("threat 17", "playlists that may play otherwise than was heard", "cannot be judged", "../labels/test_renditions.py", "test_what_may_play_otherwise_is_refused"),
    ("threat 17", "a file whose sound depends on the player: two formats, indexes or maps, edits and packets that hide", "cannot be judged", "../delivery/test_one_sound.py", "test_a_file_that_can_be_read_as_two_formats_is_refused"),
    ("threat 17", "an MP4 whose sound has two descriptions", "cannot be judged", "../delivery/test_one_sound.py", "test_sound_that_is_described_in_two_ways_is_refused"),
    ("threat 17", "lines, names and addresses of playlists that players read otherwise", "cannot be judged", "../labels/test_read_alike.py", "test_a_line_ends_where_every_player_ends_it"),
    ("threat 17", "a file beside the package that no manifest names", "`package-incomplete`", PACKAGING, "test_a_file_that_no_manifest_names_is_refused"),
    ("threat 19", "sound in a variant that no entry names", "cannot be judged", PACKAGING, "test_sound_in_a_variant_that_no_entry_names_is_refused"),
    ("threat 20", "a gate's key that was stolen and revoked", "`key-revoked`", VERIFYING, "test_keys_count_only_in_their_time_and_never_once_revoked"),
    ("threat 20", "a key used for another purpose", "refused", KEYS, "test_a_key_for_one_purpose_is_refused_for_every_other"),
    ("threat 22", "names or scores in what is public", "are not there", CERTIFYING, "test_nothing_public_names_or_measures_a_person"),
    ("bad input", "every byte of the signed payloads changed", "refused", VERIFYING, "test_every_byte_of_both_payloads_is_covered"),
    ("bad input", "the annex exchanged", "`altered-annex`", VERIFYING, "test_the_annex_is_the_one_that_was_signed_over"),
    ("bad input", "an expired certificate", "`expired`", VERIFYING, "test_it_expires_at_the_moment_that_it_says"),
    ("bad input", "an unknown key", "`unknown-key`", VERIFYING, "test_a_stranger_signs_in_vain"),
    ("bad input", "a lower level", "`level-not-accepted`", VERIFYING, "test_a_level_is_accepted_only_where_the_trust_store_says_so"),
    ("bad input", "a verdict that FAILED", "`failed`", VERIFYING, "test_a_verdict_that_failed_publishes_nothing"),
    ("bad input", "another predicate", "`wrong-predicate`", VERIFYING, "test_a_statement_of_another_kind_is_no_verdict"),
    ("bad input", "a JSON key said twice", "`repeated-key`", VERIFYING, "test_a_repeated_key_is_refused_outside_and_inside"),
    ("bad input", "a payload type cut short or not in ASCII", "`wrong-type`", VERIFYING, "test_a_truncated_or_foreign_payload_type_is_refused"),
    ("bad input", "an old trust store put back", "`trust-rolled-back`", TRUST, "test_an_older_one_is_refused_once_a_newer_was_seen"),
    ("bad input", "the clock set back", "`not-yet-valid`; nothing is renewed", RENEWING, "test_a_clock_set_back_or_a_registry_that_is_gone_renews_nothing"),
    ("bad input", "the disk full while renewing", "the old certificate stays", RENEWING, "test_a_full_disk_leaves_the_old_certificate_whole"),
    ("bad input", "a package's certificate over other files, or another master's", "`other-bytes`, `other-master`", PACKAGES, "test_a_claim_that_does_not_belong_to_its_master_is_refused"),
    ("bad input", "a file of the package that nobody judged", "`not-the-dub`", PACKAGES, "test_other_files_other_bytes_and_other_folders_do_not"),
    ("bad input", "evidence changed, its digests written anew", "`altered-evidence`, `altered-annex`, …", EVIDENCE, "test_what_was_changed_is_refused_even_where_the_digests_were_written_anew"),
)  # fmt: skip
HEAD = """# Attacks on certificates, and the test that tries each

Made by `python tests/certificate/test_certificate_attacks.py`, and held true by that test: every test named here exists.
Threats are those of the model; the rest is what counts as bad input.

| of | attack | reason of the refusal, or what happens | tried by |
| --- | --- | --- | --- |
"""


def table() -> str:
    return HEAD + "".join(f"| {of} | {attack} | {then} | [{test}]({file}) |\n" for of, attack, then, file, test in ROWS)


def test_the_table_is_todays() -> None:
    said = "run: python tests/certificate/test_certificate_attacks.py"
    assert TABLE.read_text(encoding="utf-8") == table(), said


def test_every_attack_is_tried_by_a_test_that_exists() -> None:
    for *_, file, test in ROWS:
        tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{file} lacks {test}"


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
