"""Server time of the desk's pages at 100,000 grants and 10,000 releases: p50 of the clock and of the processor, p95 of the
processor against 100 ms (the clock too counts what else the machine does).

`python tests/bench/desk_speed.py [--grants N] [--releases N] [--n N] [--folder DIR]`. One house holds a catalogue of 1,000
titles with all of the releases; one performer has 500 grants and 2,000 of the releases. In-process, without a network.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from registry_speed import BATCH, NOW, Loader, Mould, _right_edge, grant, load, put
from starlette.testclient import TestClient

from consent.approvals import Candidate
from consent.database import writing
from consent.events import Event
from consent.parties import Party
from consent.registry import Registry
from consent.releases import Release, ReleaseDecision, VoiceUse
from consent.requests import Request, RequestKind, Wanted
from consent.strict import Window
from consent.terms import Evidence
from consent.titles import Claim, Title
from consent.vocabulary import Channel, EventKind, EvidenceKind, Level, Right, Role, Subject, Technique
from consent.voices import Voice
from consent.web import accounts, sessions
from consent.web.app import create_desk
from consent.web.settings import DeskSettings

ORIGIN = "https://desk.example.org"
TARGET_MS = 100.0
N_TITLES, N_OWN_GRANTS, N_OWN_RELEASES, N_REQUESTS = 1_000, 500, 2_000, 200
WINDOW = Window(start=NOW, end=NOW + timedelta(days=300))
PAGES = {
    "studio": ["/", "/requests", "/requests/rq-0001", "/titles", "/titles/own-0001", "/refusals", "/reports",
               "/reports?title=own-0001", "/security", "/checkpoint"],
    "big": ["/", "/voices", "/voices/v-big", "/grants/g-big-001", "/grants/g-big-001/withdraw", "/reports", "/refusals"],
    "op-1": ["/", "/accounts"],
}  # fmt: skip


def release(number: str, title: str, voice: str, grant_id: str) -> Release:
    return Release(
        release_id=number,
        decision=ReleaseDecision.RELEASE,
        title_id=title,
        language="fr",
        territories=("FR", "BE"),
        channels=(Channel.SVOD,),
        window=WINDOW,
        packets_sha256="a" * 64,
        voices=(VoiceUse(voice_id=voice, grant_id=grant_id, technique=Technique.VOICE_CLONE_TTS),),
        label="Français [IA]",
        recorded_by="op-1",
        decided_at=NOW,
    )


TITLE = Mould(Title(title_id="mould-t", level=Level.SERIES, name="Title mould-t", parent_id="catalogue"), ("mould-t",))
RELEASE = Mould(release("mould-r", "mould-t", "mould-v", "mould-g"), ("mould-r", "mould-t", "mould-v", "mould-g"))
GRANT = Mould(grant("mould-g", "v-big", "big", "mould-t"), ("mould-g", "mould-t"))
GIVEN = Mould(
    Event(event_id="mould-e", target="grant", target_id="mould-g", kind=EventKind.GIVEN, effective_at=NOW, by="big"),
    ("mould-e", "mould-g"),
)


def records(n_releases: int) -> Iterator[tuple[Mould, tuple[str, ...]]]:
    for k in range(N_TITLES):
        yield TITLE, (f"own-{k:04}",)
    for k in range(N_OWN_GRANTS):
        yield GRANT, (f"g-big-{k:03}", f"own-{k:04}")
        yield GIVEN, (f"e-big-{k:03}", f"g-big-{k:03}")
    for k in range(n_releases):
        mine = k < N_OWN_RELEASES
        voice, grant_id = (
            ("v-big", f"g-big-{k % N_OWN_GRANTS:03}") if mine else (f"v-{k % 1000:07}", f"g-{k % 1000:07}-0")
        )
        yield RELEASE, (f"r-{k:06}", f"own-{k % N_TITLES:04}", voice, grant_id)


def fill(registry: Registry, n_grants: int, n_releases: int) -> None:
    """Everything that the pages show."""
    load(registry, n_grants, 500)
    parties = [
        ("studio", Role.RIGHTS_HOLDER),
        ("big", Role.PERFORMER),
        ("vendor", Role.DUBBING_VENDOR),
        ("op-2", Role.OPERATOR),
    ]
    registry.add(*(Party(party_id=p, roles=(r,), person=False) for p, r in parties))
    registry.add(Title(title_id="catalogue", level=Level.CATALOGUE, name="The catalogue"))
    registry.add(Voice(voice_id="v-big", subject=Subject.LIVING, owner_id="big"))
    registry.add(
        Claim(
            claim_id="c-1",
            title_id="catalogue",
            holder_ids=("studio",),
            right=Right.AI_DUB,
            territories=("001",),
            not_before=datetime(2020, 1, 1, tzinfo=UTC),
            recorded_by="op-1",
            confirmed_by="op-2",
            evidence=(Evidence(kind=EvidenceKind.CONTRACT, sha256="c" * 64),),
        )
    )
    with registry.view() as view:
        loader = Loader(view.store.size(), _right_edge(view.store))
    made = records(n_releases)
    while batch := list(itertools.islice(made, BATCH)):
        with writing(registry._engine) as connection:
            put(connection, loader.rows(iter(batch)))
    registry.add(*(_request(k) for k in range(N_REQUESTS)))


def _request(k: int) -> Request:
    about = Candidate(
        title_ids=(f"own-{k:04}", "catalogue"),
        language="fr",
        territories=("FR", "BE"),
        channels=(Channel.SVOD,),
        window=WINDOW,
        packets_sha256=f"{k:064x}",
        submitted_by="vendor",
    )
    wanted = Wanted(what=RequestKind.APPROVAL, rule="RH-001", about="programme", question="Do you approve this sound?")
    ends = NOW + timedelta(days=14)
    return Request(
        request_id=f"rq-{k:04}",
        to="studio",
        asked_by="vendor",
        release=about,
        wanted=(wanted,),
        asked_at=NOW,
        expires_at=ends,
    )


def measure(folder: Path, n_grants: int, n_releases: int, n: int) -> list[tuple[str, str, float, float, float, int]]:
    """Party, page; milliseconds: p50 of the clock, p50 and p95 of the processor; bytes."""
    with Registry.open(folder / "registry.db", create=True, clock=lambda: NOW) as registry:
        fill(registry, n_grants, n_releases)
        settings = DeskSettings(origin=ORIGIN, tables=str(folder / "desk.db"), outbox=folder / "outbox")
        app = create_desk(registry, settings, clock=lambda: NOW)
        rows = []
        for party, paths in PAGES.items():
            account = accounts.add_account(app.state.desk, party, f"{party}@example.org")
            client = TestClient(app, base_url=ORIGIN)
            client.cookies.set(sessions.COOKIE, sessions.start(app.state.desk, account.account_id, "passkey"))
            for path in paths:
                took, worked, size = [], [], 0
                for k in range(n + 2):
                    started, working = time.perf_counter(), time.process_time()
                    answer = client.get(path)
                    if k >= 2:
                        took.append(1000 * (time.perf_counter() - started))
                        worked.append(1000 * (time.process_time() - working))
                    assert answer.status_code == 200, (path, answer.status_code)
                    size = len(answer.content)
                high = sorted(worked)[round(0.95 * (n - 1))]
                rows.append((party, path, statistics.median(took), statistics.median(worked), high, size))
        app.state.desk.tables.close()
        return rows


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grants", type=int, default=100_000)
    parser.add_argument("--releases", type=int, default=10_000)
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        rows = measure(Path(folder), chosen.grants, chosen.releases, chosen.n)
    print("| as | page | clock p50 ms | processor p50 ms | processor p95 ms | bytes |")
    print("| --- | --- | --- | --- | --- | --- |")
    for party, path, clock, middle, high, size in rows:
        over = " !" if high > TARGET_MS else ""
        print(f"| {party} | `{path}` | {clock:.0f} | {middle:.0f} | {high:.0f}{over} | {size} |")
    return 1 if any(high > TARGET_MS for *_, high, _ in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
