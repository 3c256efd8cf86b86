"""Uploads and fetched deliveries go some time after their last job ended, each with its act in the ledger; no other goes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made_service import House
from sqlalchemy import update

from consent.acts import Act
from consent.approvals import Candidate
from consent.errors import RecordError
from consent.events import Event
from consent.parties import Party
from consent.registry import Registry
from consent.requests import Request, RequestKind, Wanted
from consent.titles import Title
from consent.uses import UseNotice
from consent.vocabulary import Channel, EventKind
from dubgate.errors import InputError
from dubgate.service import jobs, retention
from dubgate.service.awaited import Judged, awaited
from dubgate.service.chores import Chores
from dubgate.service.clock import iso
from dubgate.service.database import changing, open_database
from dubgate.service.retention import delete_due
from dubgate.service.settings import read_settings
from dubgate.service.tables import FILE, JOB

UPLOAD = "up-" + "0" * 24
HOURS = 168.0


class Kept:
    """A service's data folder with uploads and jobs that a test makes."""

    def __init__(self, house: House) -> None:
        self.house, self.engine = house, open_database(house.registry)
        self.registry = Registry.open(house.registry, clock=house.clock)
        self.data = house.settings.data

    def folder(self, name: str, *, made_hours_ago: float = 1000.0) -> Path:
        folder = self.data / name
        folder.mkdir(parents=True)
        (folder / "delivery.yaml").write_bytes(b"x")
        then = (self.house.clock() - timedelta(hours=made_hours_ago)).timestamp()
        os.utime(folder, (then, then))
        return folder

    def job(self, state: str, ended_hours_ago: float | None, *, organisation: str = "polyglot", **request: Any) -> str:
        job_id, now = jobs.new_job_id(), self.house.clock()
        ended = None if ended_hours_ago is None else iso(now - timedelta(hours=ended_hours_ago))
        with changing(self.engine) as connection:
            jobs.add(
                connection, job_id=job_id, organisation=organisation, party="polyglot", token_id=None, kind=jobs.CHECK,
                request=request or {"upload": UPLOAD}, now=now,
            )  # fmt: skip
            connection.execute(update(JOB).where(JOB.c.job_id == job_id).values(state=state, finished_at=ended))
        return job_id

    def deleted(self) -> int:
        return delete_due(self.engine, self.registry, self.house.settings, self.house.clock())

    def acts(self) -> list[tuple[str, str, str]]:
        with self.registry.view() as view:
            found = [e.record for e in view.store.of_kind(Act)]
        return [(a.by, a.verb, a.about) for a in found if isinstance(a, Act)]


@pytest.fixture
def kept(house: House) -> Iterator[Kept]:
    made = Kept(house)
    yield made
    made.registry.close()
    made.engine.dispose()


@pytest.mark.parametrize("state", jobs.ENDED)
def test_an_upload_goes_so_many_hours_after_its_last_job_ended(state: str, kept: Kept) -> None:
    folder = kept.folder(f"uploads/polyglot/{UPLOAD}")
    kept.job("done", 5000)
    kept.job(state, HOURS - 0.1)
    assert kept.deleted() == 0
    assert folder.is_dir()
    kept.house.clock.forward(hours=0.1)
    assert kept.deleted() == 1
    assert [p for p in kept.data.rglob("*") if p.is_file() and "uploads" in p.parts] == []
    assert kept.acts() == [("polyglot", "upload.deleted", UPLOAD)]
    assert kept.deleted() == 0
    assert len(kept.acts()) == 1


@pytest.mark.parametrize("state", ["queued", "running"])
def test_an_upload_with_an_open_job_stays_however_old_it_is(state: str, kept: Kept) -> None:
    folder = kept.folder(f"uploads/polyglot/{UPLOAD}")
    kept.job("done", 5000)
    kept.job(state, None)
    assert kept.deleted() == 0
    assert folder.is_dir()
    assert kept.acts() == []


def test_an_upload_that_nobody_submitted_goes_by_its_own_age(kept: Kept) -> None:
    old = kept.folder(f"uploads/polyglot/{UPLOAD}", made_hours_ago=HOURS + 1)
    new = kept.folder("uploads/polyglot/up-" + "1" * 24, made_hours_ago=HOURS - 1)
    other = kept.folder("uploads/polyglot/notes", made_hours_ago=HOURS + 1)
    assert kept.deleted() == 1
    assert (old.exists(), new.exists(), other.exists()) == (False, True, True)


def test_a_job_of_another_organisation_keeps_nothing(kept: Kept) -> None:
    folder = kept.folder(f"uploads/polyglot/{UPLOAD}")
    kept.job("running", None, organisation="other-house")
    kept.job("done", HOURS + 1)
    assert kept.deleted() == 1
    assert not folder.exists()


def test_what_was_fetched_goes_with_its_own_job(kept: Kept) -> None:
    url = {"url": "memory://dubs/ep1/delivery.yaml"}
    old, new, open_ = kept.job("done", HOURS), kept.job("done", HOURS - 1), kept.job("running", None)
    with changing(kept.engine) as connection:
        for job_id in (old, new, open_):
            connection.execute(update(JOB).where(JOB.c.job_id == job_id).values(request=json.dumps(url)))
    folders = [kept.folder(f"fetched/{job_id}") for job_id in (old, new, open_)]
    strange = kept.folder("fetched/job-of-nobody")
    assert kept.deleted() == 1
    assert [f.exists() for f in (*folders, strange)] == [False, True, True, True]
    assert kept.acts() == [("polyglot", "fetched.deleted", old)]


def test_a_job_that_is_submitted_in_between_keeps_its_upload(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = kept.folder(f"uploads/polyglot/{UPLOAD}")
    kept.job("done", HOURS)
    due = retention._due

    def late(*asked: Any) -> Iterator[Any]:
        found = list(due(*asked))
        kept.job("queued", None)
        return iter(found)

    monkeypatch.setattr(retention, "_due", late)
    assert kept.deleted() == 0
    assert folder.is_dir()
    assert kept.acts() == []


SOUND = "5" * 64


def asked(kept: Kept, sound: str = SOUND, *, days: int = 30) -> str:
    """Somebody is asked about a sound; the request's id."""
    now = kept.house.clock()
    with kept.registry.view() as view:
        [title, *_] = [e.record.title_id for e in view.store.of_kind(Title) if isinstance(e.record, Title)]
        [party, *_] = [e.record.party_id for e in view.store.of_kind(Party) if e.record.record_id != "polyglot"]  # type: ignore[attr-defined]
    window = {"start": now, "end": None}
    about = {"title_ids": (title,), "territories": ("DE",), "channels": (Channel.SVOD,), "label_plan_sha256": "3" * 64}
    release = Candidate.model_validate({**about, "language": "en", "window": window, "packets_sha256": sound})
    wanted = Wanted(what=RequestKind.APPROVAL, rule="RH-001", about="programme", question="Do you approve it?")
    made = Request(
        request_id=f"rq-{sound[:4]}",
        to=party,
        asked_by="polyglot",
        release=release,
        wanted=(wanted,),
        asked_at=now,
        expires_at=now + timedelta(days=days),
    )
    kept.registry.add(made)
    return made.request_id


def told(kept: Kept, job_id: str, **said: Any) -> None:
    """What the job says that it judged."""
    with changing(kept.engine) as connection:
        row = {"job_id": job_id, "name": "rests_on.json", "media_type": "application/json"}
        connection.execute(FILE.insert().values(**row, content=json.dumps(said).encode()))


def test_an_upload_that_an_open_request_rests_on_stays_until_it_is_closed(kept: Kept) -> None:
    folder = kept.folder(f"uploads/polyglot/{UPLOAD}")
    told(kept, kept.job("done", HOURS), sounds=["1" * 64, SOUND])
    asked(kept)
    assert kept.deleted() == 0
    kept.house.clock.forward(hours=24 * 29)
    assert kept.deleted() == 0
    assert folder.is_dir()
    assert kept.acts() == []
    kept.house.clock.forward(hours=25)  # its time is over
    assert kept.deleted() == 1
    assert kept.acts() == [("polyglot", "upload.deleted", UPLOAD)]


def test_what_was_fetched_stays_for_an_open_request_too(kept: Kept) -> None:
    job_id = kept.job("done", HOURS)
    with changing(kept.engine) as connection:
        url = json.dumps({"url": "memory://dubs/ep1/delivery.yaml"})
        connection.execute(update(JOB).where(JOB.c.job_id == job_id).values(request=url))
    folder = kept.folder(f"fetched/{job_id}")
    told(kept, job_id, sounds=[SOUND])
    request_id = asked(kept)
    assert kept.deleted() == 0
    withdrawn = {"target": "request", "target_id": request_id, "kind": EventKind.WITHDRAWN, "by": "polyglot"}
    kept.registry.add(Event.model_validate({**withdrawn, "event_id": "ev-1", "effective_at": kept.house.clock()}))
    kept.house.clock.forward(hours=0.1)
    assert kept.deleted() == 1
    assert not folder.exists()


def test_a_request_about_another_sound_keeps_nothing(kept: Kept) -> None:
    kept.folder(f"uploads/polyglot/{UPLOAD}")
    told(kept, kept.job("done", HOURS), sounds=[SOUND])
    asked(kept, "6" * 64)
    assert kept.deleted() == 1


@pytest.mark.parametrize("said", [None, {"files": {}}])
def test_a_job_that_does_not_say_what_it_judged_is_kept_for_every_question_of_its_submitter(
    kept: Kept, said: dict[str, Any] | None
) -> None:
    """As the jobs of an earlier version."""
    folder = kept.folder(f"uploads/polyglot/{UPLOAD}")
    job_id = kept.job("done", HOURS)
    if said is not None:
        told(kept, job_id, **said)
    asked(kept, "6" * 64)
    assert kept.deleted() == 0
    assert folder.is_dir()


def test_a_job_that_judged_nothing_keeps_nothing(kept: Kept) -> None:
    kept.folder(f"uploads/polyglot/{UPLOAD}")
    kept.job("failed", HOURS)
    asked(kept)
    assert kept.deleted() == 1


def test_a_use_that_its_holder_may_still_object_to_keeps_its_upload(kept: Kept) -> None:
    now, said = kept.house.clock(), Judged(frozenset((SOUND,)), frozenset())
    notices = [UseNotice.model_construct(object_until=now + timedelta(hours=h)) for h in (1, 0)]
    for notice, stays in zip(notices, (True, False), strict=True):
        entry = SimpleNamespace(record=notice)
        store = SimpleNamespace(entries=lambda key, kind, e=entry: [e] if kind is UseNotice else [])
        assert awaited(SimpleNamespace(store=store, now=now), said) is stays  # type: ignore[arg-type]


def test_without_its_act_in_the_ledger_nothing_goes(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = kept.folder(f"uploads/polyglot/{UPLOAD}")
    kept.job("done", HOURS)

    def refused(*_: Any, **__: Any) -> None:
        raise RecordError("the ledger does not take it")

    with monkeypatch.context() as patch:
        patch.setattr(retention, "record_act", refused)
        with pytest.raises(RecordError):
            kept.deleted()
    assert folder.is_dir()
    assert kept.deleted() == 1
    assert len(kept.acts()) == 1


def test_what_a_killed_worker_left_half_deleted_goes_in_the_next_round(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = kept.folder(f"uploads/polyglot/{UPLOAD}")
    kept.job("done", HOURS)

    class Killed(BaseException):
        pass

    def killed(path: Path) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(retention.shutil, "rmtree", killed)
        with pytest.raises(Killed):
            kept.deleted()
    assert not folder.exists()  # no job finds a part of it
    assert [p.name for p in folder.parent.iterdir()] == [f".gone-{UPLOAD}"]
    kept.deleted()
    assert list(folder.parent.iterdir()) == []
    assert len(kept.acts()) == 1


def test_another_worker_that_was_first_is_no_error(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = kept.folder(f"uploads/polyglot/{UPLOAD}")
    kept.job("done", HOURS)
    recorded = retention._recorded

    def gone(*asked: Any) -> bool:
        answer = recorded(*asked)
        folder.rename(folder.with_name("elsewhere"))
        return answer

    monkeypatch.setattr(retention, "_recorded", gone)
    assert kept.deleted() == 0


def test_a_worker_deletes_by_itself(kept: Kept) -> None:
    folder = kept.folder(f"uploads/polyglot/{UPLOAD}")
    kept.job("done", HOURS)
    worker = kept.house.worker()

    class Silent:
        def look(self, *_: Any) -> None: ...

    Chores(worker, kept.registry, None, Silent()).once()  # type: ignore[arg-type]
    worker.engine.dispose()
    assert not folder.exists()


@pytest.mark.parametrize(("hours", "good"), [("168", True), ("0.5", True), ("0", False), ("-1", False), ("inf", False)])
def test_the_hours_are_a_setting(hours: str, good: bool, tmp_path: Path) -> None:
    given = {
        "DUBGATE_SERVICE_REGISTRY": "consent.db",
        "DUBGATE_SERVICE_DATA": str(tmp_path),
        "DUBGATE_SERVICE_KEEP_UPLOADS_HOURS": hours,
    }
    if good:
        assert read_settings(None, given).keep_uploads_hours == float(hours)
    else:
        with pytest.raises(InputError, match="keep_uploads_hours"):
            read_settings(None, given)
