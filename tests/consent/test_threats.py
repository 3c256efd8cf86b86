"""The table of attacks on the registry tells the truth: every test that it names exists, and no attack goes untried.

`python tests/consent/test_threats.py` writes THREATS.md anew.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "consent" / "THREATS.md"
N_ATTACKS = 25  # of the threat model in the design's reference, consent-and-labels (d)
SHORT = {
    "attacks": "tests/consent/test_registry_attacks.py",
    "audit": "tests/consent/test_audit.py",
    "backup": "tests/consent/test_backup.py",
    "cli": "tests/consent/test_consent_cli.py",
    "denials": "tests/consent/test_denials.py",
    "erasure": "tests/consent/test_erasure.py",
    "identifiers": "tests/consent/test_identifiers.py",
    "laws": "tests/consent/test_consent_laws.py",
    "ledger": "tests/consent/test_ledger.py",
    "races": "tests/consent/test_consent_races.py",
    "registry": "tests/consent/test_consent_registry.py",
    "reports": "tests/consent/test_consent_reports.py",
    "rights": "tests/consent/test_rights_and_approvals.py",
    "seed": "tests/consent/test_consent_seed.py",
    "signatures": "tests/consent/test_signatures.py",
    "sqlite": "tests/consent/test_consent_sqlite.py",
    "clearance": "tests/policy/test_clearance.py",
    "clearing": "tests/test_clearing.py",
    "evidence": "tests/policy/test_evidence.py",
    "heard": "tests/test_voices_heard.py",
    "kept": "tests/test_kept.py",
    "release": "tests/test_release.py",
    "signed": "tests/policy/test_signed_objects.py",
    "verdict": "tests/policy/test_verdict.py",
}
# Attacks of the model that do not touch the registry or a claim about consent.
ELSEWHERE = {
    4: "morphed voices: calibration of the comparison, `dubgate/speech`, `dubgate/voices_heard.py`",
    6: "self-signed C2PA: labels",
    7: "labels stripped on the way: labels, package certificates",
    19: "label on one playlist only: labels",
    25: "instructions hidden in metadata: nothing here reads metadata as instructions; rules are code and data",
}


@dataclass(frozen=True, slots=True)
class Attack:
    """One way in: what is tried, what stops it, the tests that try it, and what is left that nothing here can stop."""

    of: int | None  # its number in the threat model; None for one that the issue or the design adds
    what: str
    stops: str
    tests: tuple[str, ...]
    left: str = ""


ATTACKS = (
    Attack(1, "Approve one sound, publish another", "`consent/approvals.py`: packets, and PCM where both have it, script, label plan, original", ("rights::test_whatever_differs_from_what_was_signed_is_named", "clearing::test_what_is_about_to_be_released_is_named_by_its_digests", "release::test_one_defect_is_found_by_its_own_check")),
    Attack(2, "Declare a consented voice, use another", "`dubgate/policy/clearance.py` over the speakers heard", ("clearance::test_each_check_fails_with_its_outcome", "clearance::test_a_declaration_for_a_voice_that_nobody_heard_clears_nothing", "heard::test_a_protected_voice_is_hit_and_blocks_with_enough_speech_only"), "a clone that no calibration tells from the declared voice; false-miss rates are reported"),
    Attack(2, "Poison an enrolment with another voice: supplied and “confirmed” by the vendor or an operator", "`consent/views.py`: only the owner's or an agent's confirmation counts; unconfirmed is unknown", ("attacks::test_a_poisoned_enrolment_is_confirmed_neither_by_the_vendor_nor_an_operator", "registry::test_a_match_counts_as_confirmed_only_by_the_owner_or_an_agent", "release::test_an_unconfirmed_voice_is_answered_by_its_owner_or_by_two_reviewers")),
    Attack(2, "Replace a confirmed enrolment by a poisoned one", "`consent/admission.py`, `consent/views.py`: a confirmation is of one recording", ("attacks::test_a_confirmed_enrolment_is_not_replaced_by_an_unconfirmed_one_that_counts_as_confirmed", "registry::test_a_second_enrolment_for_one_encoder_must_supersede_the_first")),
    Attack(2, "Confirm a poisoned enrolment with a stolen key", "`consent/lookup.py`: what a stolen key opened falls with the key", ("attacks::test_a_poisoned_enrolment_confirmed_with_a_stolen_key_is_unconfirmed_again",), "what was released before the theft was found out; `impact` lists it"),
    Attack(3, "Hide a clone in lines too short to tell", "`dubgate/policy/clearance.py`: nine tenths of the speech verified, or a person listens", ("clearance::test_nine_tenths_of_the_speech_must_be_verified",), "a clone within the last tenth that no listener notices"),
    Attack(5, "Call a machine's voice human", "`dubgate/policy/voice_checks.py`: human only with a signed statement, and still searched for protected voices", ("clearance::test_a_stated_human_is_still_searched_for_protected_voices", "release::test_a_human_dub_is_released_with_a_statement_and_without_a_label"), "a dubbing director who signs a lie"),
    Attack(8, "Edit a signed grant, approval or event", "`consent/signatures.py`: the predicate is this very record", ("signatures::test_what_was_signed_must_be_this_very_record", "signatures::test_a_broken_envelope_is_refused", "evidence::test_every_flipped_byte_of_the_payload_is_noticed")),
    Attack(8, "Sign with somebody else's key, or for somebody else", "`consent/signatures.py`, `consent/admission.py`", ("signatures::test_a_signature_by_anybody_else_is_refused", "registry::test_what_contradicts_the_registry_does_not_enter_it", "attacks::test_an_agent_grants_for_its_own_voices_only")),
    Attack(8, "Refer to parties, titles, voices, grants or approvals that nobody registered, or end what does not stand", "`consent/admission.py`", ("attacks::test_what_names_somebody_or_something_that_nobody_registered_does_not_enter", "attacks::test_a_release_names_voices_and_grants_that_are_registered", "attacks::test_what_does_not_stand_is_not_suspended_and_one_holder_is_no_quorum_of_several")),
    Attack(8, "Sign with an expired, not yet valid or revoked key, or in a role that the signer lacks", "`consent/parties.py`, `consent/signatures.py`", ("attacks::test_a_key_that_is_not_valid_yet_has_expired_or_lacks_the_role_signs_nothing", "signatures::test_a_key_that_has_expired_or_was_revoked_signs_nothing_more", "signatures::test_a_role_that_the_signers_key_lacks_is_refused", "evidence::test_a_key_counts_until_its_last_moment_only")),
    Attack(8, "Swap the document behind a digest", "the grant holds the digest of its evidence, and the ledger the grant", ("attacks::test_evidence_whose_bytes_were_swapped_is_not_what_the_grant_names",), "a document that was forged before its digest was recorded: the digest proves sameness, not truth"),
    Attack(9, "Use an old or broader consent: other title, language, territory, channel, term, technique", "`consent/denials.py`", ("denials::test_each_term_that_is_broken_alone_is_named_alone", "identifiers::test_a_granted_language_covers_exactly_what_it_contains", "laws::test_what_is_excluded_is_never_covered_whatever_includes_it", "laws::test_a_narrower_grant_never_drops_a_denial")),
    Attack(9, "Leave a partner out of the delivery, so that its rules are not asked, or add one that nobody approved", "`consent/partners.py`: the approval is signed for exactly these partners", ("rights::test_a_dub_goes_through_exactly_the_partners_that_were_approved", "release::test_one_defect_is_found_by_its_own_check"), "an approval of before partners were signed names none, and covers a delivery that names none"),
    Attack(9, "Replay a withdrawn grant, or its giving, under a new id", "`consent/signatures.py`, `consent/admission.py`: ids are signed and used once", ("attacks::test_a_withdrawn_grant_is_not_replayed_under_a_new_id", "attacks::test_a_signed_giving_of_one_grant_does_not_open_another"), "the same signed record handed to another registry: an envelope names no registry"),
    Attack(9, "Spend more than a metered grant has: at once, or twice under one reference", "`consent/metering.py` inside the one writer's transaction", ("races::test_fifty_processes_spend_a_grant_with_ten_uses_exactly_ten_times", "attacks::test_two_characters_of_one_release_spend_both_their_minutes", "attacks::test_a_spending_repeated_under_one_reference_counts_every_time", "laws::test_a_meter_never_shows_less_than_what_was_spent_and_never_more_than_was_asked")),
    Attack(10, "Release after a withdrawal that the gate had not seen yet", "`consent/writing.py`: looked up again in the release's own transaction", ("races::test_in_two_hundred_races_no_release_comes_after_its_withdrawal", "races::test_a_release_looks_again_at_refusals_and_approvals", "clearing::test_a_grant_that_was_withdrawn_blocks_from_then_on"), "copies that are already out: the takedown notice names them"),
    Attack(10, "Back-date a withdrawal, to make an honest release look forbidden", "`consent/events.py`: an end begins at its recording", ("attacks::test_a_back_dated_withdrawal_ends_from_its_recording_and_undoes_no_earlier_release", "denials::test_a_back_dated_withdrawal_ends_from_its_recording_and_not_before")),
    Attack(10, "Back-date a giving, to reach behind a withdrawal", "`consent/events.py`: after an end only a later-recorded giving opens, from its recording", ("attacks::test_a_back_dated_giving_does_not_reach_behind_a_withdrawal", "laws::test_what_was_withdrawn_opens_only_by_a_giving_recorded_later", "laws::test_the_fold_says_what_a_strip_of_moments_says")),
    Attack(11, "Change one byte of the stored history", "`consent/audit.py`; triggers refuse it first", ("attacks::test_one_changed_byte_anywhere_in_the_stored_history_is_named", "audit::test_what_an_administrator_changes_is_named", "sqlite::test_the_history_refuses_updates_and_deletes", "attacks::test_an_entry_that_is_not_in_canonical_form_is_named")),
    Attack(11, "Drop an event, or reorder two", "`consent/audit.py`", ("attacks::test_every_dropped_event_and_every_reordered_pair_is_named", "audit::test_two_entries_that_changed_places_are_named"), "the newest entries cut off together with their index and tree: only a checkpoint kept outside shows it"),
    Attack(11, "Append a forged consent straight into the database, with good hashes", "`consent/signature_audit.py`: every signature again, by the keys registered before it", ("attacks::test_an_entry_forged_with_a_good_hash_and_no_good_signature_is_named", "attacks::test_an_unsigned_entry_slipped_into_a_registry_that_wants_signatures_is_named"), "in a registry that does not demand signatures, an unsigned entry; whether it demands them is its operator's setting, outside the ledger"),
    Attack(11, "Rewrite or roll back the whole history", "`consent/checkpoint.py`: a signed checkpoint that somebody else keeps", ("audit::test_a_history_rewritten_in_full_is_exposed_only_by_a_checkpoint", "audit::test_a_rolled_back_history_is_exposed_by_a_checkpoint", "cli::test_a_checkpoint_kept_outside_exposes_a_registry_that_was_set_back", "ledger::test_a_rewritten_history_has_no_consistency_proof"), "without a checkpoint kept outside nothing shows it, and the audit says so"),
    Attack(11, "Let a template disappear, and call it erased", "`consent/audit.py`: an erasure excuses its own holder's contents only; `consent/impartial.py`: nobody records one without erasing", ("attacks::test_the_erasure_of_one_person_does_not_excuse_the_loss_of_anothers_template", "attacks::test_nobody_says_that_something_was_erased_without_erasing_it", "audit::test_an_erasure_is_accounted_for_and_the_audit_still_passes")),
    Attack(12, "Show the gate one history and the rights holder another", "`consent/ledger.py`: consistency proofs between the checkpoints of both", ("ledger::test_every_consistency_proof_up_to_seventy_leaves", "ledger::test_no_proof_verifies_for_another_leaf_place_size_or_root", "signatures::test_a_witness_cannot_have_seen_another_ledger"), "two holders who never compare their checkpoints"),
    Attack(13, "Make the gate fail, and take that for a yes", "every refusal is an error or a finding; nothing half-written", ("verdict::test_nothing_that_was_really_judged_is_never_a_release", "races::test_nothing_acknowledged_is_missing_after_a_kill", "races::test_a_database_that_goes_away_is_a_clear_error", "laws::test_no_parser_raises_anything_but_its_own_error")),
    Attack(14, "Waive a consent or an approval", "`dubgate/policy/waivers.py`: quality only", ("signed::test_consent_rights_labels_and_integrity_are_never_waived",)),
    Attack(15, "Approve one's own dub, or a colleague's", "`consent/approvals.py`, `dubgate/policy/approval_checks.py`", ("rights::test_whoever_submitted_does_not_approve", "release::test_nobody_approves_what_they_submitted", "release::test_the_submitters_house_does_not_approve_what_the_registry_shows_as_somebody_elses")),
    Attack(15, "Have a friend approve who is not the holder, or joins the holder's house afterwards", "`consent/admission.py`, `consent/quorum.py`: only the claim's holders and their people; parties never change", ("attacks::test_the_friend_of_the_submitter_who_is_not_the_holder_approves_nothing", "attacks::test_nobody_joins_the_holders_house_by_saying_so_later", "attacks::test_one_joint_holder_with_two_people_is_still_one_holder", "laws::test_a_quorum_is_made_of_holders_whose_last_word_is_yes_and_no_holders_last_word_is_no"), "an operator who registers the friend as the holder's own from the start"),
    Attack(15, "Carry a release on an approval of another title", "`consent/writing.py`, `consent/approvals.py`", ("attacks::test_an_approval_for_another_title_does_not_carry_a_release",)),
    Attack(5, "Name a protected voice as the performer's own, under a director's word that a person performed", "`dubgate/voices_heard.py`, `dubgate/clearing.py`: it is looked for until its owner or agent signs", ("clearance::test_a_protected_voice_that_is_named_as_the_performers_own_is_a_hit_until_its_owner_signs", "clearing::test_who_says_that_a_person_performed_says_it_for_all_or_for_their_own_voice")),
    Attack(15, "Pass a refusal by as one of a kind that the title does not ask for", "`consent/quorum.py`: it stands against every kind until its holder approves", ("rights::test_a_refusal_of_a_kind_that_the_title_does_not_want_is_a_refusal_all_the_same",)),
    Attack(16, "Claim a title that is somebody else's, and confirm the claim oneself", "`consent/impartial.py`: a second operator of no house that gains by it; two holders block", ("attacks::test_a_false_holder_does_not_confirm_its_own_claim", "attacks::test_a_claim_does_not_arrive_confirmed_by_somebody_who_is_no_second_operator", "rights::test_two_holders_for_one_right_are_named"), "two operators who conspire; the true holder sees the claim in its report and contests it"),
    Attack(16, "Settle the contest of one's own claim", "`consent/impartial.py`", ("attacks::test_a_holder_does_not_settle_the_contest_of_its_own_claim", "rights::test_a_contested_claim_is_doubtful_until_it_is_settled")),
    Attack(16, "Register a key that is somebody else's", "`consent/admission.py`: a key has one owner", ("attacks::test_a_key_has_one_owner_whichever_id_it_is_given", "registry::test_a_key_has_one_owner")),
    Attack(17, "Confuse the reader of a seed: repeated keys, aliases, tags, `NO`, days at the ends of the calendar", "`consent/strict_yaml.py`, `consent/strict.py`, `consent/seed.py`", ("seed::test_whatever_is_wrong_is_told_with_its_line_and_nothing_is_imported", "laws::test_no_seed_raises_anything_but_a_registry_error", "signatures::test_a_repeated_key_in_an_envelope_is_refused", "attacks::test_an_envelope_over_4_mb_or_with_eleven_signatures_is_not_read", "attacks::test_a_checkpoint_is_not_signed_under_a_name_that_would_split_its_line", "laws::test_what_is_imported_comes_out_as_it_went_in")),
    Attack(18, "Use an id, title or text that looks like another", "`consent/strict.py`: ids are plain lower-case ASCII, texts without hidden or turning characters; an identifier has one title", ("attacks::test_an_id_that_looks_like_another_is_not_an_id", "attacks::test_a_title_that_only_resembles_another_has_none_of_its_rights_and_not_its_identifier", "attacks::test_a_text_with_hidden_or_turned_letters_enters_no_record", "cli::test_what_is_shown_cannot_move_the_cursor"), "`sh0w` beside `show`: a different id without any of its rights, which a hurried reader may mistake"),
    Attack(18, "Mistype an identifier into another work's or person's", "`consent/ids.py`: check digits", ("identifiers::test_a_wrong_identifier_is_refused", "laws::test_one_wrong_character_of_an_isan_never_passes", "laws::test_one_wrong_digit_of_an_isni_never_passes", "identifiers::test_one_wrong_digit_of_an_eidr_never_passes")),
    Attack(20, "Steal a key and grant, back-dated", "`consent/lookup.py`: after its revocation only what a witness had seen counts", ("attacks::test_a_stolen_keys_back_dated_grant_falls_with_the_key", "signatures::test_a_stolen_keys_grant_falls_with_the_key_unless_a_witness_saw_it_before", "signatures::test_a_witness_who_comes_after_the_revocation_saves_nothing", "signatures::test_an_approval_signed_by_a_key_that_was_then_revoked_does_not_count", "laws::test_what_a_stolen_key_said_counts_until_it_is_found_out_and_then_never"), "uses between the theft and its report; a witness record is the operator's word until the checkpoint that the witness keeps is held against the registry"),
    Attack(20, "Steal a key and reopen, renew, resume, permit, or lift a refusal", "`consent/lookup.py`, `consent/events.py`: openings fall with the key, endings stand", ("attacks::test_a_stolen_key_does_not_reopen_what_its_owner_withdrew", "attacks::test_nor_does_it_renew_or_resume", "attacks::test_a_permission_by_a_stolen_key_falls_with_the_key", "attacks::test_a_refusal_lifted_by_a_stolen_key_stands_again_once_the_key_is_revoked", "attacks::test_a_reopening_that_a_witness_saw_before_the_theft_goes_on_counting")),
    Attack(20, "Steal a key and withdraw, to take a dub down", "an end by a stolen key stands until its owner gives again: the safe side", ("attacks::test_a_withdrawal_by_a_stolen_key_stands_until_its_owner_gives_again",), "a dub that is off the air until then"),
    Attack(20, "Report a theft with an earlier date, to undo a decision", "`consent/lookup.py`: it discredits from its recording", ("attacks::test_a_theft_reported_late_discredits_from_the_report_and_not_from_the_date_it_names", "attacks::test_a_signature_of_a_time_when_its_key_was_good_is_still_sound_after_the_key_is_gone")),
    Attack(21, "Take names and templates from a stolen database, backup, log or report", "`consent/sealing.py`: AES-256-GCM under a key per person, wrapped under the registry's", ("erasure::test_no_byte_of_a_name_or_template_is_left_in_any_file", "sqlite::test_names_and_templates_lie_in_no_file_as_they_are", "backup::test_a_backup_shows_no_name_and_no_template", "erasure::test_postgresql_never_holds_a_name_or_template_and_after_an_erasure_not_their_key", "kept::test_no_vector_lies_in_the_folder_in_any_form"), "a thief with both the database and the registry's key file reads whom nobody erased"),
    Attack(21, "Bring back what was erased: write-ahead log, an older backup, an older file of keys", "`consent/registry.py`, `consent/backup.py`", ("sqlite::test_after_an_erasure_not_even_the_ciphertext_is_left_in_any_file", "erasure::test_the_end_of_a_permission_leaves_no_ciphertext_in_the_write_ahead_log_either", "erasure::test_an_older_backup_with_todays_keys_brings_nobody_back", "erasure::test_a_newer_history_erases_whatever_an_older_file_of_keys_holds", "erasure::test_a_content_smuggled_back_into_a_backup_after_its_erasure_is_left_out", "attacks::test_a_voice_enrolled_sixty_times_is_erased_and_restored_as_erased"), "an older history beside an older file of keys and the registry's key: keep only the newest file of keys; PostgreSQL's write-ahead log and archives hold a wrapped key until they are recycled; a report that was handed out is out"),
    Attack(21, "Swap templates or keys between people", "`consent/sealing.py`: bound to holder, place and commitment", ("attacks::test_keys_and_templates_that_changed_owners_do_not_open", "sqlite::test_a_content_that_was_sealed_anew_is_not_the_one_that_the_ledger_knows")),
    Attack(22, "Learn of people from proofs, exports and reports", "`consent/store.py`: leaves are salted commitments; reports show a party its own", ("audit::test_an_entry_proves_its_place_in_the_ledger", "reports::test_an_export_has_every_entry_and_no_name_or_template", "reports::test_nobody_sees_another_partys_voice")),
    Attack(23, "Launder a voice: a library voice without a grant, or a blend of voices of whom one did not agree", "`consent/clearance.py`, `consent/views.py`", ("registry::test_an_unknown_voice_title_party_or_key_is_not_cleared", "registry::test_a_blend_needs_a_grant_for_each_of_its_voices"), "a blend that is registered as one living voice: only the comparison with enrolled voices can tell"),
    Attack(24, "Grant as the guardian of an adult, as the estate of the living, or by a court without being its guardian or counsel", "`consent/who_grants.py`, `consent/admission.py`", ("denials::test_nobody_grants_as_the_guardian_of_an_adult_or_as_the_estate_of_the_living", "attacks::test_nobody_grants_by_a_court_who_is_no_guardian_and_no_counsel"), "a minor's or a dead performer's voice that is registered as somebody else's: an operator's act in the ledger"),
    Attack(24, "Go on when a minor comes of age or a performer has died", "`consent/denials.py`", ("denials::test_a_minor_needs_a_guardian_and_a_window_that_ends_before_majority", "registry::test_a_death_that_is_recorded_later_ends_what_the_performer_gave", "denials::test_the_dead_need_an_estate_or_a_grant_that_survives_them"), "a death that nobody records"),
    Attack(None, "Circumvent a standing refusal: an episode made up below the title, a blend, a wider grant", "`consent/rights.py`, `consent/lookup.py`: titles above and voices within count", ("attacks::test_a_refusal_of_a_series_is_not_circumvented_by_an_episode_made_up_below_it", "attacks::test_a_refused_voice_is_not_hidden_in_a_blend_nor_in_a_blend_of_blends", "attacks::test_a_wider_or_newer_grant_does_not_overcome_a_refusal", "clearing::test_a_refusal_in_the_registry_counts_though_the_delivery_leaves_it_out"), "a refusal of one episode does not meet a delivery that declares the whole series as its title: its sound still needs the holder's signature"),
    Attack(None, "Lift a refusal that is not one's own", "`consent/impartial.py`: the refuser lifts it, an operator only declares it invalid, which shows", ("attacks::test_a_refusal_is_lifted_by_the_refuser_alone",), "an operator who declares a good refusal invalid: it stands in the ledger under their name"),
    Attack(None, "Begin a registry where another is being begun, so that the failing one takes the other away", "`consent/founding.py`: the file is claimed before it is made", ("attacks::test_of_many_who_make_a_registry_at_once_one_does_and_nobody_takes_it_away",)),
)  # fmt: skip


def location(short: str) -> tuple[Path, str]:
    """The file and the name of a test."""
    module, _, name = short.partition("::")
    return ROOT / SHORT[module], name


def line(attack: Attack) -> str:
    tests = "<br>".join(f"`{SHORT[t.partition('::')[0]]}::{t.partition('::')[2]}`" for t in attack.tests)
    return f"| {attack.of or '–'} | {attack.what} | {attack.stops} | {tests} | {attack.left or '–'} |"


def table() -> str:
    """THREATS.md as it must be."""
    head = (
        "# Attacks on the registry, what stops each, and the tests that try it",
        "",
        "Written by `python tests/consent/test_threats.py`; a test keeps it true. The numbers are those of the threat model in",
        "the design's reference (consent-and-labels, (d)); a dash marks what was added. The last column says what nothing here",
        "can prevent.",
        "",
        "| no. | attack | stopped by | tried by | what is left |",
        "| --- | --- | --- | --- | --- |",
    )
    others = (f"| {n} | {why} |" for n, why in sorted(ELSEWHERE.items()))
    tail = (
        "",
        "Attacks of the same list that do not touch the registry:",
        "",
        "| no. | where |",
        "| --- | --- |",
        *others,
    )
    return "\n".join((*head, *map(line, ATTACKS), *tail)) + "\n"


@cache
def functions_of(path: Path) -> frozenset[str]:
    """The test functions of a file, and in it what a law's name stands for."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_"))


def test_the_table_is_todays() -> None:
    assert TABLE.read_text(encoding="utf-8") == table(), "run: python tests/consent/test_threats.py"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.what[:40])
def test_every_attack_is_tried_by_tests_that_exist(attack: Attack) -> None:
    assert attack.tests
    for short in attack.tests:
        path, name = location(short)
        assert name in functions_of(path), f"{short} does not exist"


def test_every_module_that_is_said_to_stop_something_exists() -> None:
    for attack in ATTACKS:
        for module in attack.stops.split("`")[1::2]:
            assert (ROOT / module).exists(), module


def test_every_attack_of_the_threat_model_is_here_or_said_to_be_elsewhere() -> None:
    here = {a.of for a in ATTACKS if a.of is not None}
    assert here | set(ELSEWHERE) == set(range(1, N_ATTACKS + 1))
    assert not here & set(ELSEWHERE)


def test_every_attack_that_is_tried_stands_in_the_table() -> None:
    listed = {location(t)[1] for a in ATTACKS for t in a.tests if t.startswith("attacks::")}
    assert functions_of(ROOT / SHORT["attacks"]) == listed


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
