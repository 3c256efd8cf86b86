"""How fast `may-publish` answers: a PostgreSQL with 100,000 certificates, a real server, the load from a second process.

    python tests/bench/api_speed.py --certificates 100000 --rate 500 --seconds 20

One release is judged, recorded and signed for real. The others are rows of the same index under the service's own seal, for
other digests, each with its own keys to look up among the ledger's; the load asks for random ones, so that nothing is
remembered between two questions. Requests leave at fixed times whatever the answers do (open load), and the time of an
answer counts from when its request should have left: a slow answer cannot hide behind the next. Every answer that is not
the right one is an error. One in ten asks for another territory and must be refused.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT, ROOT / "tests", ROOT / "tests/certificate", ROOT / "tests/service"):
    sys.path.insert(0, str(folder))


@dataclass(frozen=True)
class Asked:
    """What came of the load: milliseconds of each answer, errors by what they were."""

    ms: tuple[float, ...]
    errors: dict[str, int]
    seconds: float
    server_ms: float = 0.0  # of CPU time for an answer

    def percentile(self, share: float) -> float:
        return sorted(self.ms)[min(len(self.ms) - 1, int(share * len(self.ms)))]


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A server of its own."""
    import pgserver

    server = pgserver.get_server(folder / "data")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def seeded(url: str, folder: Path, n: int) -> tuple[Any, str, list[str]]:
    """A registry on PostgreSQL with one real release and `n` rows in the index; settings, a token, digests to ask for."""
    from made_certificate import VERIFIER
    from made_service import AT
    from pg_house import postgresql_house

    house = postgresql_house(url, folder)
    print(f"one release judged and signed by {VERIFIER} at {AT.isoformat()}", flush=True)
    digests = fill(house, n)
    token = house.token("op-2", "read", asks_for=("polyglot",))
    return house, token, digests


def fill(house: Any, n: int) -> list[str]:
    """Copies of the real row for other digests, sealed as the service would; their consents were asked with the real one's."""
    from sqlalchemy import select

    from dubgate.service.certificates import Standing, read_facts, standing_seal
    from dubgate.service.database import changing, open_database
    from dubgate.service.own_key import own_key
    from dubgate.service.tables import CERTIFICATE, STANDING

    engine, own = open_database(house.registry), own_key(house.settings.own_key_file)
    with engine.connect() as connection:
        row = dict(connection.execute(select(CERTIFICATE)).mappings().one())
        stand = dict(connection.execute(select(STANDING)).mappings().one())
    facts = read_facts(row["facts"])
    digests = [sha256(f"file {k}".encode()).hexdigest() for k in range(n)]
    for start in range(0, n, 5000):
        rows, stands = [], []
        for k in range(start, min(n, start + 5000)):
            named = sha256(f"certificate {k}".encode()).hexdigest()
            text = replace(facts, certificate_id=named, file_sha256=digests[k], release_id=f"rel-{k}").text()
            # the release's own entry is not copied: what stands for it is asked by the keys alone
            own_row = {"certificate_id": named, "file_sha256": digests[k], "release_id": f"rel-{k}", "facts": text}
            made = {
                "seal": own.seal(text.encode()),
                "source_sha256": named,
                "document": b"",
            }  # read only without a seal
            rows.append({**row, **own_row, **made})
            told = {**stand, "certificate_id": named}
            told["until"] = "2026-12-02T13:00:00.000000Z" if not told["until"] else told["until"]
            stands.append({**told, "seal": own.seal(standing_seal(told))})
        with changing(engine) as connection:
            connection.execute(CERTIFICATE.insert(), rows)
            connection.execute(STANDING.insert(), stands)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    assert Standing
    engine.dispose()
    return digests


async def _load(port: int, token: str, digests: list[str], rate: float, seconds: float, connections: int) -> Asked:
    """Requests at fixed times over a few kept connections; raw HTTP, so that the client costs little."""
    total, ms, errors = int(rate * seconds), [], {}
    queue: asyncio.Queue[tuple[float, str, int]] = asyncio.Queue()
    rng = random.Random(7)

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            due, target, wanted = await queue.get()
            if not target:
                writer.close()
                return
            head = f"GET {target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
            try:
                writer.write(head.encode())
                status, body = await _answer(reader)
                good = status == wanted and (b'"publish":true' in body) == (wanted == 200)
                what = "" if good else f"{status} instead of {wanted}"
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                what = type(error).__name__
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            if what:
                errors[what] = errors.get(what, 0) + 1
            else:
                ms.append(1000 * (time.perf_counter() - due))

    workers = [asyncio.create_task(one()) for _ in range(connections)]
    begun = time.perf_counter() + 0.2
    for k in range(total):
        due = begun + k / rate
        pause = due - time.perf_counter()
        if pause > 0.0005:
            await asyncio.sleep(pause)
        wanted = 403 if k % 10 == 9 else 200
        place = "JP" if wanted == 403 else "DE"
        target = f"/v1/may-publish?digest={rng.choice(digests)}&territory={place}&channel=svod&language=en&at=now"
        queue.put_nowait((due, target, wanted))
    for _ in workers:
        queue.put_nowait((0, "", 0))
    await asyncio.gather(*workers)
    return Asked(tuple(ms), errors, time.perf_counter() - begun)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:"))
    return int(lines[0].split()[1]), await reader.readexactly(length)


def load(port: int, token: str, digests: list[str], rate: float, seconds: float, connections: int, out: Any) -> None:
    """The second process."""
    out.put(asyncio.run(_load(port, token, digests, rate, seconds, connections)))


@contextmanager
def serving(house: Any, folder: Path) -> Iterator[tuple[int, int]]:
    """`dubgate serve` in a process of its own; its port and process id."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    config = folder / "service.json.yaml"
    told = json.loads(house.settings.model_dump_json(by_alias=True, exclude_none=True)) | {"port": port}
    config.write_text(json.dumps(told), encoding="utf-8")
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/service/serve_at.py"), str(config), house.clock().isoformat()],
            stdout=log, stderr=log, cwd=ROOT,
        )  # fmt: skip
        try:
            _until_up(port, process)
            yield port, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    import socket

    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None:
                raise RuntimeError("the server ended") from None
            time.sleep(0.1)
    raise RuntimeError("the server does not come up")


def measure(
    house: Any, token: str, digests: list[str], folder: Path, rate: float, seconds: float, connections: int
) -> Asked:
    """The load against a running server, after two seconds of warming up."""
    with serving(house, folder) as (port, pid):
        context = multiprocessing.get_context("spawn")
        out = context.Queue()
        for duration in (2.0, seconds):
            used = _cpu_s(pid)
            process = context.Process(target=load, args=(port, token, digests, rate, duration, connections, out))
            process.start()
            asked: Asked = out.get(timeout=duration + 120)
            process.join()
        return replace(asked, server_ms=1000 * (_cpu_s(pid) - used) / max(1, len(asked.ms)))


def _cpu_s(pid: int) -> float:
    """The CPU time of a process."""
    import os

    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--certificates", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="api-speed-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with postgresql(folder) as url:
            begun = time.perf_counter()
            house, token, digests = seeded(url, folder / "house", given.certificates)
            print(f"{len(digests)} certificates in {time.perf_counter() - begun:.0f} s", flush=True)
            asked = measure(house, token, digests, folder, given.rate, given.seconds, given.connections)
    print(
        f"{len(asked.ms)} answers in {asked.seconds:.1f} s ({len(asked.ms) / asked.seconds:.0f}/s), errors {asked.errors or 0}"
    )
    print("p50 {:.2f} ms  p90 {:.2f} ms  p99 {:.2f} ms  p99.9 {:.2f} ms  max {:.2f} ms  mean {:.2f} ms".format(
        *(asked.percentile(p) for p in (0.5, 0.9, 0.99, 0.999)), max(asked.ms), statistics.mean(asked.ms)))  # fmt: skip
    print(f"the server's CPU time for an answer: {asked.server_ms:.2f} ms")


if __name__ == "__main__":
    main()
