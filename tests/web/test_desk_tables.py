"""The desk's own tables, on both databases: made once, written one after the other, and honest when they fail."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select, text
from world import World

from consent.errors import RecordError, StoreError
from consent.web import accounts, inviting, sessions
from consent.web.rows import ACCOUNT, NONCE, Tables
from consent.web.watching import tell_party, watch


def at_once(n: int, what: Callable[[], Any]) -> list[Any]:
    """What comes of the same thing in several threads that begin together; an error is its own result."""
    together = Barrier(n)

    def one() -> Any:
        together.wait()
        try:
            return what()
        except RecordError as error:
            return error

    with ThreadPoolExecutor(n) as pool:
        return [f.result() for f in [pool.submit(one) for _ in range(n)]]


def test_a_form_that_comes_several_times_at_once_counts_once(kept: World) -> None:
    assert sorted(at_once(6, lambda: sessions.use_nonce(kept.desk, "n" * 20))) == [False] * 5 + [True]
    sessions.give_back_nonce(kept.desk, "n" * 20)
    assert sessions.use_nonce(kept.desk, "n" * 20)


def test_an_address_that_is_given_away_several_times_at_once_has_one_account(kept: World) -> None:
    made = at_once(4, lambda: accounts.add_account(kept.desk, "ada", "ada@example.org"))
    assert sum(isinstance(m, RecordError) for m in made) == 3
    assert len(kept.desk.tables.all(select(ACCOUNT))) == 1


def test_of_several_first_accounts_that_are_opened_at_once_there_is_one(kept: World) -> None:
    addresses = iter([f"ada{k}@example.org" for k in range(4)])
    made = at_once(4, lambda: inviting.invite(kept.desk, "ada", next(addresses), "en", by="op-1"))
    assert len(kept.desk.tables.all(select(ACCOUNT))) == 1
    assert sum(m is True for m in made) == 1


def test_a_party_that_has_an_account_is_given_no_first_accounts_more(kept: World) -> None:
    accounts.add_account(kept.desk, "ada", "ada@example.org", first=True)
    with pytest.raises(RecordError, match="has or had an account"):
        accounts.add_account(kept.desk, "ada", "ada2@example.org", first=True)


def test_a_message_is_sent_once_whoever_goes_round(kept: World) -> None:
    accounts.add_account(kept.desk, "ada", "ada@example.org")
    sent = at_once(4, lambda: tell_party(kept.desk, ["ada"], "hit", "hit 1", voice="v-ada"))
    assert sorted(sent) == [0, 0, 0, 1]


def test_tries_are_counted_one_by_one(kept: World) -> None:
    refused = at_once(8, lambda: sessions.limited(kept.desk, "a door", 5, timedelta(minutes=1)))
    assert sum(refused) == 3


def test_of_two_operators_who_agree_at_once_one_does(kept: World) -> None:
    kept.visit("ada")
    inviting.invite(kept.desk, "ada", "new@example.org", "en", by="hana")
    [row] = inviting.waiting(kept.desk)
    operator = kept.visit("op-2").account
    agreed = at_once(2, lambda: inviting.agree(kept.desk, row["invitation_id"], operator))
    assert sum(isinstance(a, RecordError) for a in agreed) == 1


def test_an_invitation_that_is_due_goes_out_once(kept: World) -> None:
    kept.visit("ada")
    inviting.invite(kept.desk, "ada", "new@example.org", "en", by="op-1")
    [row] = inviting.waiting(kept.desk)
    inviting.agree(kept.desk, row["invitation_id"], kept.visit("op-2").account)
    kept.later(hours=25)
    assert sum(at_once(3, lambda: inviting.send_due(kept.desk))) == 1


def test_what_is_kept_is_there_for_the_next_program_that_opens_it(kept: World, tables: str) -> None:
    account = accounts.add_account(kept.desk, "ada", "ada@example.org")
    token = sessions.start(kept.desk, account.account_id, "link")
    at_once(3, lambda: Tables.open(tables).close())
    again = Tables.open(tables)
    assert again.one(select(ACCOUNT.c.party_id)) == {"party_id": "ada"}
    again.close()
    found = sessions.find(kept.desk, token)
    assert found is not None
    assert found.account_id == account.account_id


def test_a_transaction_that_fails_leaves_nothing(kept: World) -> None:
    def half() -> None:
        with kept.desk.tables.begin() as connection:
            connection.execute(NONCE.insert().values(nonce="half", used_at="now"))
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert kept.desk.tables.all(select(NONCE)) == []


def test_tables_that_do_not_answer_are_told_and_nothing_is_recorded(kept: World) -> None:
    ada = kept.visit("ada")
    page = ada.get("/grants/g-ada/suspend")
    size = kept.registry.head().size
    with kept.desk.tables.begin() as connection:
        connection.execute(text("DROP TABLE desk_nonce"))
    with pytest.raises(StoreError, match="do not answer"):
        sessions.use_nonce(kept.desk, "n" * 20)
    answer = ada.client.post("/grants/g-ada/suspend", data=ada.hidden(page))
    assert answer.status_code == 503
    assert kept.registry.head().size == size


def test_a_round_of_messages_is_gone_once_on_either_database(kept: World) -> None:
    for party in ("studio", "hana"):
        accounts.add_account(kept.desk, party, f"{party}@example.org")
    assert watch(kept.desk) > 0
    assert watch(kept.desk) == 0
