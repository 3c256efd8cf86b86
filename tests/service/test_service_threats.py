"""The table of attacks on the API tells the truth: every test that it names exists.

`python tests/service/test_service_threats.py` writes THREATS.md anew.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "service" / "THREATS.md"
SHORT = {name: f"tests/service/test_{name}.py" for name in (
    "api", "publishing", "jobs_survive", "races", "messages", "sources", "serving", "openapi", "on_postgresql", "real_gate",
    "signing", "verdicts", "upload_retention",
)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attack:
    """One way in: its number in the threat model (None for an added one), what stops it, the tests, what is left."""

    of: int | None
    what: str
    stops: str
    tests: tuple[str, ...]
    left: str = ""


ATTACKS = (
    Attack(1, "Submit one file, publish another", "`publishing.py`: the certificate of exactly these bytes; the worker digests the file before and after judging", ("publishing::test_another_use_is_refused_with_its_own_reason", "serving::test_a_pipelines_step_ends_with_0_for_a_yes_1_for_a_no_and_2_for_everything_else", "publishing::test_a_row_that_was_pointed_at_other_bytes_is_refused")),
    Attack(1, "Exchange a file of the delivery while it is judged: rename a folder above it away and back", "`pinned.py`, `watching.py`: every file that the verdict rests on is pinned by device and inode, here and in the child", ("verdicts::test_a_worker_hears_with_the_delivery_pinned", "signing::test_what_changes_while_it_is_judged_is_not_decided", "verdicts::test_the_companys_folder_may_not_change_while_a_delivery_is_judged"), "who writes into the very file and sets this machine's clock back"),
    Attack(7, "Publish a re-packaged file whose label was stripped", "`publishing.py`: other bytes have no certificate", ("publishing::test_another_use_is_refused_with_its_own_reason",), "what a CDN does after publication: `dubgate probe`"),
    Attack(9, "Use a certificate for another territory, channel, language or time", "`publishing.py`: the question is digest and use; a part that lacks is a refusal", ("publishing::test_another_use_is_refused_with_its_own_reason", "publishing::test_a_question_without_its_use_is_incomplete", "publishing::test_a_malformed_question_is_no_yes", "publishing::test_a_repeated_parameter_is_malformed", "publishing::test_a_moment_after_the_expiry_is_refused_though_now_would_do", "publishing::test_what_is_not_trusted_any_more_at_the_moment_asked_for_is_refused_though_now_it_is")),
    Attack(9, "Replay a certificate after a withdrawal, a refusal or a key's revocation", "`certificates.py`, `asked.py`: one query tells whether anything it rests on has a new entry; then all is asked again", ("publishing::test_after_a_withdrawal_it_is_refused_at_once_and_after_a_new_giving_it_may_be_published_again", "publishing::test_a_standing_refusal_stops_it_at_once", "publishing::test_a_key_that_signed_the_approval_and_is_revoked_stops_it", "publishing::test_what_is_planned_to_end_ends_at_that_moment_and_is_no_longer_for_what_comes_after", "on_postgresql::test_what_was_released_may_be_published_until_the_consent_ends")),
    Attack(10, "Withdraw between judging and deciding, or race the decision", "`signing.py`, `deciding.py`: consents are asked again inside the transaction that records", ("races::test_no_release_stands_in_the_ledger_after_the_withdrawal_in_any_of_a_hundred_races", "jobs_survive::test_a_consent_that_ends_while_a_job_is_judged_blocks_and_is_judged_again", "jobs_survive::test_what_was_decided_is_not_signed_once_a_consent_ended"), "a yes that was answered a moment before the withdrawal: the pipeline is told by a takedown message"),
    Attack(10, "Keep distributing after a withdrawal", "`telling.py`: withdrawals and takedowns to every organisation whose releases rest on it", ("messages::test_a_withdrawal_is_told_with_what_to_take_down_and_once", "messages::test_a_takedown_names_the_certificates_of_that_organisation_alone", "messages::test_a_standing_refusal_takes_down_what_it_meets", "messages::test_a_holders_no_takes_down_what_it_meets", "messages::test_an_objection_to_a_use_takes_down_the_releases_of_that_sound", "messages::test_a_revoked_gate_takes_down_what_it_signed_and_once"), "a pipeline that does not listen"),
    Attack(11, "Widen or move a row of the certificate index in the database", "`own_key.py`: rows count under the service's seal only, else their document is verified whole", ("publishing::test_a_row_that_was_widened_in_the_database_widens_nothing", "publishing::test_a_row_whose_expiry_was_moved_still_expires", "publishing::test_a_row_under_a_seal_that_was_moved_to_other_bytes_is_refused", "publishing::test_a_document_that_was_altered_is_refused_where_the_seal_does_not_hold", "publishing::test_a_standing_that_nobody_sealed_is_asked_anew", "api::test_the_index_of_certificates_only_grows"), "an administrator who has the service's key file too, or who deletes a withdrawal from the ledger: `dubgate consent audit`"),
    Attack(11, "Have an earlier yes answer where the newest decision was a no, of an unlisted key or a spoilt row", "`publishing.py`: the newest no rules, whoever signed it; what cannot be read may be one", ("publishing::test_a_later_no_about_the_same_bytes_rules", "publishing::test_a_later_no_rules_whoever_signed_it_and_what_cannot_be_read_may_be_one")),
    Attack(11, "Alter the log of who asked what", "`reads.py`: one digest a minute in the ledger", ("api::test_reads_are_logged_and_each_minutes_digest_enters_the_ledger_once", "api::test_a_read_that_cannot_be_logged_is_not_answered"), "lines of the running minute"),
    Attack(13, "Make the gate fail open: crash, kill, full disk, database gone, clock set back", "`working.py`: a decision and its job in one transaction; everything else is no answer", ("jobs_survive::test_a_worker_killed_at_any_stage_leaves_a_job_that_ends_once_with_the_right_verdict", "jobs_survive::test_a_worker_that_slept_through_its_lease_records_nothing", "jobs_survive::test_what_breaks_is_tried_again_so_often_and_no_more", "jobs_survive::test_a_clock_that_was_set_back_records_nothing", "publishing::test_a_database_that_is_gone_gives_no_answer", "publishing::test_a_certificate_that_is_dated_later_than_now_is_refused", "sources::test_a_full_disk_keeps_nothing_and_says_when_to_come_again", "api::test_what_breaks_inside_is_a_problem_that_says_nothing_of_the_inside")),
    Attack(13, "Make a pipeline take something else for a yes", "`client.py`: 200 with `publish: true`, a certificate and the digest that was asked about, and nothing else", ("serving::test_an_answer_that_is_not_exactly_a_yes_or_a_no_is_an_error", "serving::test_an_api_that_does_not_answer_is_asked_again_and_then_an_error", "serving::test_a_pipelines_step_ends_with_0_for_a_yes_1_for_a_no_and_2_for_everything_else")),
    Attack(14, "Choose milder packs or other models in the submission", "`judging.py`: the service's packs and models; the body knows no such field", ("api::test_a_body_that_names_not_exactly_one_delivery_is_refused", "openapi::test_every_answer_is_as_described"), "whoever writes the service's settings: the packs stand in the certificate, and `verify --policy` demands them"),
    Attack(14, "Put an older trust store back, or one that somebody else signed", "`trusting.py`", ("publishing::test_an_older_trust_store_that_was_put_back_is_refused", "publishing::test_a_trust_store_that_somebody_else_signed_is_refused", "publishing::test_what_the_trust_store_does_not_trust_is_refused", "publishing::test_without_a_trust_store_nobody_is_believed")),
    Attack(15, "Submit under another house's name and approve it oneself; hold both scopes", "`judging.py`: the submitter is the token's party; `tokens.py`: scopes apart", ("jobs_survive::test_a_delivery_that_names_another_submitter_is_not_judged", "jobs_survive::test_nobodys_own_approval_carries_what_they_handed_in", "api::test_a_token_that_joins_duties_or_names_nobody_is_not_made", "api::test_a_scope_opens_its_own_routes_and_no_others"), "two tokens in one hand"),
    Attack(17, "Upload what is not what it claims; lie about length or type", "`upload_routes.py`: each file is told by its bytes; sizes count as they come", ("sources::test_an_upload_that_lies_is_refused_and_nothing_of_it_is_kept", "sources::test_uploads_are_bounded_in_number_and_size", "sources::test_what_is_no_form_is_no_upload", "api::test_a_body_that_is_too_large_is_refused_whether_or_not_it_says_so")),
    Attack(20, "Use a gate's stolen key after its revocation", "`trusting.py`: the trust store is asked for each answer", ("publishing::test_a_newer_trust_store_is_taken_without_a_restart", "publishing::test_another_key_of_the_same_ledger_does_not_stand_for_the_one_that_signed", "messages::test_a_revoked_gate_takes_down_what_it_signed_and_once"), "a second, for which the file is not looked at again"),
    Attack(20, "Take tokens or webhook secrets from the database, the disk or a log", "`tokens.py`: hashes; `own_key.py`: encrypted; `logs.py`: fixed fields, secrets cut out", ("api::test_tokens_are_kept_as_hashes_and_stand_in_the_ledger_without_their_secret", "messages::test_a_secret_is_shown_once_and_lies_encrypted", "api::test_no_secret_is_in_a_log_line", "api::test_what_is_logged_of_a_request_is_a_fixed_list", "serving::test_a_stop_finishes_what_it_answers_and_the_log_is_json_without_a_secret", "serving::test_the_summary_of_settings_shows_no_password", "api::test_the_services_own_key_is_made_once_and_for_its_owner_only"), "a thief with the database and the service's key file reads webhook secrets and annexes"),
    Attack(20, "Use a token that expired or was revoked, or guess one", "`state.py`, `limits.py`", ("api::test_a_token_that_expired_or_was_revoked_is_no_token", "api::test_every_route_but_health_and_readiness_needs_a_token", "api::test_junk_is_answered_and_changes_nothing_and_an_address_that_guesses_tokens_is_not_heard"), "a second in which may-publish still believes a token that was just revoked"),
    Attack(22, "Learn of another organisation's jobs, certificates or releases", "every lookup names the organisation; absent and not yours read alike", ("api::test_another_organisations_ids_are_not_there", "jobs_survive::test_another_organisation_cancels_nothing", "messages::test_a_removed_endpoint_gets_nothing_and_another_organisation_removes_nothing"), "who is given `--for` another organisation may ask about it: that is an operator's act in the ledger"),
    Attack(22, "Read the annex, or names and places of the machine in errors", "`verdicts.py`: encrypted, handed to a token with the scopes read and admin of the same organisation, and logged; `working.py`: errors without this machine's folders", ("jobs_survive::test_the_annex_lies_encrypted_in_the_database", "verdicts::test_what_is_private_is_for_the_organisations_own_admin", "verdicts::test_the_measurements_lie_under_lock_in_the_database", "verdicts::test_reading_it_is_in_the_log_of_reads", "api::test_reports_are_shut_in_and_files_are_listed_ones_only", "api::test_what_breaks_inside_is_a_problem_that_says_nothing_of_the_inside")),
    Attack(None, "Walk out of the allowed folders: `..`, links, other organisations' folders, a link made after submission", "`sources.py`: resolved anew each time, one text for all refusals", ("api::test_a_path_outside_the_organisations_folders_is_refused_with_one_text_for_all", "api::test_a_path_that_becomes_a_link_after_it_was_submitted_is_refused_by_the_worker")),
    Attack(None, "Make the service fetch from, or send to, the inside", "`fetching.py`, `consent/webhooks.py`: the host's addresses are looked at and the checked one is used; no redirects", ("sources::test_a_url_that_no_prefix_allows_is_refused", "sources::test_a_host_that_lies_inside_is_not_asked", "sources::test_redirects_are_not_followed_and_what_is_absent_is_told", "sources::test_a_manifest_that_names_a_way_out_is_not_followed", "sources::test_a_manifest_of_another_name_is_not_confused_with_one_beside_it", "messages::test_no_message_goes_to_the_inside", "messages::test_an_endpoint_that_is_no_public_https_url_is_refused"), "stores behind fsspec (s3 and others) are as safe as the prefixes in the settings"),
    Attack(22, "Have another organisation's folder or store judged as one's own", "`sources.py`, `fetching.py`: folders and prefixes have owners, the innermost decides, and the worker asks again", ("sources::test_a_prefix_of_another_organisation_is_refused_at_the_door_and_by_the_worker", "sources::test_where_prefixes_lie_inside_each_other_the_longest_says_whose_it_is", "sources::test_where_folders_lie_inside_each_other_the_innermost_says_whose_it_is", "api::test_a_path_outside_the_organisations_folders_is_refused_with_one_text_for_all")),
    Attack(None, "Fill the disk with uploads; have one deleted that a job or an open request still needs", "`retention.py`: each goes some hours after its last job ended, in one step, with an act in the ledger", ("upload_retention::test_an_upload_goes_so_many_hours_after_its_last_job_ended", "upload_retention::test_an_upload_with_an_open_job_stays_however_old_it_is", "upload_retention::test_an_upload_that_an_open_request_rests_on_stays_until_it_is_closed", "upload_retention::test_a_job_that_is_submitted_in_between_keeps_its_upload", "upload_retention::test_without_its_act_in_the_ledger_nothing_goes"), "what is uploaded within those hours: `upload_bytes`, and the disk's own quota"),
    Attack(None, "Replay a write; send it twice", "`idempotency.py`", ("api::test_a_delivery_sent_twice_under_one_key_is_one_job", "on_postgresql::test_many_workers_take_each_job_once")),
    Attack(None, "Wear the service out: slow clients, junk, floods of jobs, streams, cursors, bodies", "`server.py`, `limits.py`, `pages.py`", ("serving::test_a_connection_without_a_whole_head_of_a_request_is_closed", "serving::test_a_body_that_comes_too_slowly_is_given_up", "serving::test_what_is_no_http_is_no_500_and_the_service_goes_on", "api::test_junk_is_answered_and_changes_nothing_and_an_address_that_guesses_tokens_is_not_heard", "api::test_a_token_that_asks_too_often_is_told_when_to_come_again", "api::test_only_so_many_jobs_of_one_organisation_are_open", "api::test_a_cursor_that_was_made_up_is_refused", "api::test_malformed_json_is_a_problem"), "rates are counted per process; a flood of connections is the load balancer's"),
)  # fmt: skip


@cache
def _tests_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_"))


def _cell(attack: Attack) -> str:
    names = (f"`{SHORT[t.split('::')[0]]}::{t.split('::')[1]}`" for t in attack.tests)
    of = "–" if attack.of is None else str(attack.of)
    return f"| {of} | {attack.what} | {attack.stops} | {'<br>'.join(names)} | {attack.left or '–'} |"


def table() -> str:
    head = (
        "# Attacks on the API, what stops each, and the tests that try it\n\n"
        "Written by `python tests/service/test_service_threats.py`; a test keeps it true. The numbers are those of the threat model in\n"
        "the design's reference (consent-and-labels, (d)); a dash marks what was added. Attacks on the registry and on\n"
        "certificates stand in the tables beside those. The last column says what nothing here can prevent.\n\n"
        "| no. | attack | stopped by | tried by | what is left |\n| --- | --- | --- | --- | --- |\n"
    )
    return head + "\n".join(map(_cell, ATTACKS)) + "\n"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: a.what[:40])
def test_every_attack_is_tried_by_tests_that_exist(attack: Attack) -> None:
    assert attack.tests
    for name in attack.tests:
        module, test = name.split("::")
        assert test in _tests_in(SHORT[module]), name


def test_the_table_is_the_one_that_is_written() -> None:
    assert TABLE.read_text(encoding="utf-8") == table(), "run: python tests/service/test_service_threats.py"


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
