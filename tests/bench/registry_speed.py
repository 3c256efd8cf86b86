"""The registry under load: clearing one use, recording events one commit each, and proofs, among many grants.

`python tests/bench/registry_speed.py [--sqlite N] [--postgresql N] [--url postgresql://…] [--folder DIR]`; without a URL
a PostgreSQL is started from the wheel pgserver. The grants are loaded in bulk as the registry itself would write them
(every leaf, node and index row; `--audit` verifies that), ten to a voice, each given by an event of its own.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from consent import ledger
from consent.database import writing
from consent.entries import iso, leaf_bytes
from consent.events import Event
from consent.parties import Party
from consent.registry import Registry
from consent.store import Store
from consent.strict import Record, Window, canonical_json
from consent.terms import Evidence, Grant, Use
from consent.titles import Title
from consent.vocabulary import Channel, EventKind, EvidenceKind, Level, Performance, Role, Subject, Technique
from consent.voices import Voice

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PER_VOICE = 10
BATCH = 20_000
TARGETS = {"clear": 20.0, "proof": 10.0, "events": 1000.0}

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass
class Mould:
    """A record's canonical JSON with places for ids, so that a million of them need no million validations."""

    record: Record
    ids: tuple[str, ...]
    body: str = ""
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.body = canonical_json(self.record).decode()
        self.keys = tuple(sorted(set(self.record.found_under())))

    def of(self, *names: str) -> tuple[str, str, tuple[str, ...]]:
        """The record id, body and keys with other ids in place of the mould's."""
        body, keys, own = self.body, "\n".join(self.keys), self.record.record_id
        for old, new in zip(self.ids, names, strict=True):
            body, keys, own = body.replace(old, new), keys.replace(old, new), own.replace(old, new)
        return own, body, tuple(sorted(keys.split("\n")))


def grant(grant_id: str, voice_id: str, party_id: str, title_id: str) -> Grant:
    return Grant(
        grant_id=grant_id,
        voice_id=voice_id,
        granted_by=party_id,
        title_ids=(title_id,),
        intended_use="An AI dub of the series into French from the performer's own recordings.",
        techniques=(Technique.VOICE_CLONE_TTS,),
        performances=(Performance.NEW,),
        languages=("fr",),
        territories=("150",),
        channels=(Channel.SVOD,),
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2028, 1, 1, tzinfo=UTC),
        evidence=(Evidence(kind=EvidenceKind.CONTRACT, sha256="c" * 64),),
    )


def event(event_id: str, grant_id: str, by: str, kind: EventKind = EventKind.GIVEN) -> Event:
    return Event(event_id=event_id, target="grant", target_id=grant_id, kind=kind, effective_at=NOW, by=by)


PARTY = Mould(Party(party_id="mould-p", roles=(Role.PERFORMER,), person=True), ("mould-p",))
VOICE = Mould(Voice(voice_id="mould-v", subject=Subject.LIVING, owner_id="mould-p"), ("mould-v", "mould-p"))
GRANT = Mould(grant("mould-g", "mould-v", "mould-p", "mould-t"), ("mould-g", "mould-v", "mould-p", "mould-t"))
GIVEN = Mould(event("mould-e", "mould-g", "mould-p"), ("mould-e", "mould-g", "mould-p"))


def records(n_grants: int, n_titles: int) -> Iterator[tuple[Mould, tuple[str, ...]]]:
    """Ten grants to a voice, each given; titles in turn, so that no two grants of a voice are for one title."""
    for v in range(max(1, n_grants // PER_VOICE)):
        person, voice = f"p-{v:07}", f"v-{v:07}"
        yield PARTY, (person,)
        yield VOICE, (voice, person)
        for k in range(PER_VOICE):
            name = f"g-{v:07}-{k}"
            yield GRANT, (name, voice, person, title_of(v, k, n_titles))
            yield GIVEN, (f"e-{v:07}-{k}", name, person)


def title_of(voice: int, k: int, n_titles: int) -> str:
    return f"t-{(voice * 7 + k * 31) % n_titles:04}"


@dataclass
class Loader:
    """Appends rows as `Store.append` does, in batches; the tree's right edge is all that it remembers."""

    n: int
    edge: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def rows(self, made: Iterator[tuple[Mould, tuple[str, ...]]]) -> Rows:
        found: Rows = {"entry": [], "lookup": [], "node": []}
        at, chance = iso(NOW), random.Random(self.n)
        for mould, names in made:
            index, schema, salt = self.n, mould.record.schema_name, f"{chance.getrandbits(128):032x}"
            own, body, keys = mould.of(*names)
            leaf = ledger.leaf_hash(leaf_bytes(index, NOW, schema, body, salt, None, None))
            found["entry"].append((index, at, schema, own, body, salt, leaf.hex()))
            found["lookup"] += [(key, schema, index) for key in keys]
            for level, position, value in ledger.completed_by(index, leaf, lambda lv, p: self.edge[(lv, p)]):
                self.edge.pop((level - 1, 2 * position), None)
                self.edge[(level, position)] = value
                found["node"].append((level, position, value.hex()))
            self.n += 1
        return found


COLUMNS = {
    "entry": "leaf_index, recorded_at, schema_name, record_id, body, salt, leaf_hash",
    "lookup": "key, schema_name, leaf_index",
    "node": "level, position, hash",
}


def put(connection: Connection, rows: Rows) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    for table, columns in COLUMNS.items():
        if connection.dialect.name == "postgresql":
            with driver.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows[table]:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(rows[table][0]))
            driver.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", sorted(rows[table]))


def load(registry: Registry, n_grants: int, n_titles: int) -> float:
    """Fill a fresh registry; the seconds that it took."""
    started = time.perf_counter()
    titles = (Title(title_id=f"t-{k:04}", level=Level.SERIES, name=f"Title {k}") for k in range(n_titles))
    registry.add(Party(party_id="op-1", roles=(Role.OPERATOR,), person=False), *titles)
    with registry.view() as view:
        loader = Loader(view.store.size(), _right_edge(view.store))
    made = records(n_grants, n_titles)
    keys = _without_keys(registry)
    while batch := list(itertools.islice(made, BATCH)):
        with writing(registry._engine) as connection:
            put(connection, loader.rows(iter(batch)))
        print(f"\r{loader.n} entries, {time.perf_counter() - started:.0f} s", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if registry._engine.dialect.name == "postgresql":
        with registry._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in (*keys, "VACUUM ANALYZE entry, lookup, node"):  # what its autovacuum does within a minute
                connection.execute(text(statement))
    return time.perf_counter() - started


def _without_keys(registry: Registry) -> list[str]:
    """Takes PostgreSQL's keys of index and tree away while many rows come in; what puts them back."""
    if registry._engine.dialect.name != "postgresql":
        return []
    keys = {"lookup": "key, schema_name, leaf_index", "node": "level, position"}
    with writing(registry._engine) as connection:
        for table in keys:
            connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey"))
    return [f"ALTER TABLE {table} ADD PRIMARY KEY ({columns})" for table, columns in keys.items()]


def _right_edge(store: Store) -> dict[tuple[int, int], bytes]:
    size, edge, start = store.size(), {}, 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            edge[(level, start >> level)] = store.read_node(level, start >> level)
            start += 1 << level
    return edge


def timed(ask: Callable[[int], object], n: int) -> list[float]:
    """Milliseconds of `n` calls, after ten that warm up."""
    took = []
    for k in range(-10, n):
        started = time.perf_counter()
        ask(k)
        if k >= 0:
            took.append(1000 * (time.perf_counter() - started))
    return took


def clearing(registry: Registry, n_grants: int, n: int, n_titles: int) -> list[float]:
    """Of a random voice and one of its titles, each question on a snapshot of its own."""
    chance = random.Random(3)

    def ask(_: int) -> None:
        v, k = chance.randrange(max(1, n_grants // PER_VOICE)), chance.randrange(PER_VOICE)
        use = Use(
            title_ids=(title_of(v, k, n_titles),),
            language="fr-FR",
            territories=("FR", "BE"),
            channels=(Channel.SVOD,),
            window=Window(start=NOW + timedelta(days=1), end=NOW + timedelta(days=90)),
            technique=Technique.VOICE_CLONE_TTS,
        )
        with registry.view() as view:
            assert view.clear(f"v-{v:07}", use, NOW).cleared

    return timed(ask, n)


def proving(registry: Registry, n: int) -> list[float]:
    chance, size = random.Random(5), registry.head().size
    return timed(lambda _: registry.inclusion(chance.randrange(size)), n)


def recording(registry: Registry, n_grants: int, seconds: float, batch: int) -> float:
    """Acknowledged events per second, `batch` to a commit."""
    chance, done, started = random.Random(7), 0, time.perf_counter()
    while (took := time.perf_counter() - started) < seconds:
        named = [chance.randrange(max(1, n_grants // PER_VOICE)) for _ in range(batch)]
        asked = (event(uuid.uuid4().hex, f"g-{v:07}-0", f"p-{v:07}", EventKind.REQUESTED) for v in named)
        registry.add(*asked)
        done += batch
    return done / took


def disk_floor(folder: Path, n: int = 200) -> float:
    """Synchronous writes of 24 KB that the disk itself manages in a second: no commit can be faster."""
    path = folder / "floor"
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
    started = time.perf_counter()
    for k in range(n):
        os.pwrite(descriptor, b"x" * 24_000, 24_000 * k)
        os.fdatasync(descriptor)
    took = time.perf_counter() - started
    os.close(descriptor)
    path.unlink()
    return n / took


def measured(name: str, location: str, folder: Path, n_grants: int, arguments: argparse.Namespace) -> list[str]:
    with Registry.open(location, create=True, key_file=folder / f"{name}.key", clock=lambda: NOW) as registry:
        loading = load(registry, n_grants, arguments.titles)
        clear = clearing(registry, n_grants, arguments.n, arguments.titles)
        proof = proving(registry, arguments.n)
        single = recording(registry, n_grants, arguments.seconds, 1)
        batched = recording(registry, n_grants, arguments.seconds, 100)
        size = registry.head().size
        if arguments.audit:
            assert registry.audit().sound
    what = f"{name}, {n_grants} grants, {size} entries"
    return [
        _row(what, f"loading in bulk, {loading:.0f} s", "", "", ""),
        _row(what, "clear one use", *_p(clear), f"p99 < {TARGETS['clear']:.0f} ms"),
        _row(what, "inclusion proof", *_p(proof), f"p99 < {TARGETS['proof']:.0f} ms"),
        _row(what, "events, one commit each", f"{single:.0f}/s", "", f"{TARGETS['events']:.0f}/s"),
        _row(what, "events, 100 to a commit", f"{batched:.0f}/s", "", f"{TARGETS['events']:.0f}/s"),
        _row(what, "disk: synchronous writes", f"{disk_floor(folder):.0f}/s", "", "the floor of a commit"),
    ]


def _p(took: list[float]) -> tuple[str, str]:
    return f"{statistics.median(took):.1f} ms", f"{statistics.quantiles(took, n=100)[98]:.1f} ms"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


@contextmanager
def server(url: str | None, folder: Path) -> Iterator[str | None]:
    """The URL of a fresh database, from the server named or from one of our own; None where there is neither."""
    if url is not None:
        yield url
        return
    try:
        import pgserver
    except ImportError:
        yield None
        return
    folder.chmod(0o755)
    own = pgserver.get_server(folder / "data")
    try:
        yield own.get_uri()
    finally:
        own.cleanup()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sqlite", type=int, default=100_000, help="grants in SQLite; 0 leaves it out")
    parser.add_argument("--postgresql", type=int, default=1_000_000, help="grants in PostgreSQL; 0 leaves it out")
    parser.add_argument("--url", help="an empty PostgreSQL database; by default a server is started for this run")
    parser.add_argument("--folder", type=Path, help="where the data lie while it runs; by default a temporary folder")
    parser.add_argument("--n", type=int, default=2000, help="questions a figure")
    parser.add_argument("--titles", type=int, default=1000, help="titles that the grants are for")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to record events")
    parser.add_argument("--audit", action="store_true", help="verify what was loaded")
    arguments = parser.parse_args(argv)
    print("| registry | what | p50, or rate | p99 | target |", "| --- | --- | --- | --- | --- |", sep="\n")
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="registry-speed-") as scratch:
        folder = Path(scratch)
        if arguments.sqlite:
            location = str(folder / "registry.db")
            print(*measured("SQLite", location, folder, arguments.sqlite, arguments), sep="\n", flush=True)
        if arguments.postgresql:
            with server(arguments.url, folder) as url:
                if url is None:
                    print(_row("PostgreSQL", "left out: pgserver is not installed", "", "", ""))
                else:
                    print(*measured("PostgreSQL", url, folder, arguments.postgresql, arguments), sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
