"""How fast certificates are verified: many small files in one process, one cold from the command line, a package, a large file.

    python tests/bench/verify_speed.py [--n 400] [--files 10000] [--megabytes 512]

Target: 200 verifications a second in one process for small subjects; under 0.3 s cold.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "certificate"))

from dubgate import verify  # noqa: E402
from dubgate.certificate.dsse import sign, signer_of  # noqa: E402
from dubgate.certificate.keys import trust_store_bytes  # noqa: E402
from dubgate.certificate.package import (  # noqa: E402
    DUB,
    MANIFEST,
    PackageClaim,
    PackageFile,
    RenditionShown,
    open_package,
    package_certificate_bytes,
    package_statement,
)
from dubgate.certificate.verdict import certificate_id  # noqa: E402

vectors: Any = importlib.import_module("made_vectors")


def seconds(run: Callable[[], object]) -> float:
    """Seconds of processor time: the machine may be busy with others. Reading and hashing are in it."""
    start = time.process_time()
    run()
    return time.process_time() - start


def certificates(n: int) -> list[bytes]:
    """As many different releases of the same small file."""
    return [vectors.Made().with_claim(release_id=f"rel-{k}").data() for k in range(n)]


def rate(n: int, folder: Path, *, stored: bool) -> float:
    """Verifications a second; `stored` reads certificate and trust store from files each time, as a cold caller does."""
    file = folder / "dub.bin"
    file.write_bytes(vectors.DUB)
    made = certificates(min(n, 50))
    trust, root = folder / "trust.json", vectors.listed(vectors.ROOT).public
    trust.write_bytes(trust_store_bytes(vectors.TRUST, signer_of(vectors.ROOT)))
    paths = [folder / f"{k}.json" for k in range(len(made))]
    for path, data in zip(paths, made, strict=True):
        path.write_bytes(data)
    use = {"territory": "DE", "channel": "svod", "now": vectors.NOW}

    def run() -> None:
        for k in range(n):
            if stored:
                verify(paths[k % len(paths)], file, trust=trust, root=root, **use)
            else:
                verify(made[k % len(made)], file, trust=vectors.TRUST, **use)

    run_once = {"certificate": made[0], "file": file, "trust": vectors.TRUST, **use}
    verify(**run_once)
    return n / seconds(run)


def package(n_files: int) -> bytes:
    """A package's certificate over so many files; its ledger part is the master's own, so it is opened only up to that."""
    made = vectors.Made()
    statement = made.statement()
    files = tuple(PackageFile(f"a/s{k}.m4s", f"{k:064x}", DUB if k else MANIFEST) for k in range(n_files))
    claim = PackageClaim(
        package_id="pkg-1",
        certificate_id=certificate_id(statement),
        release_id=made.claim.release_id,
        master_sha256=made.file_sha256,
        verifier=vectors.VERIFIER,
        packaged_at=vectors.AT,
        files=files,
        renditions=(RenditionShown("a", "English [AI]", 0, 0, 1, 1, 990_000),),
        bounds={},
        ledger=made.claim.ledger,
    )
    return package_certificate_bytes(sign(package_statement(claim), signer_of(vectors.GATE)), made.data())


def opened(data: bytes) -> None:
    """Opened as far as its ledger, which in this benchmark is the master's."""
    from dubgate.certificate.refusals import LedgerProof

    try:
        open_package(data, vectors.TRUST, vectors.NOW, "package")
    except LedgerProof:
        return
    raise RuntimeError("a package under its master's own ledger entry was opened")


def cold() -> float:
    """Processor seconds of `dubgate verify` on a small file, the best of five fresh processes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "dub.bin").write_bytes(vectors.DUB)
        (folder / "c.json").write_bytes(vectors.Made().data())
        now = time.time()
        store = replace(vectors.TRUST, issued_at=vectors.AT.fromtimestamp(now - 9e5, vectors.AT.tzinfo))
        store = replace(store, expires_at=vectors.AT.fromtimestamp(now + 9e5, vectors.AT.tzinfo))
        (folder / "trust.json").write_bytes(trust_store_bytes(store, signer_of(vectors.ROOT)))
        root = vectors.listed(vectors.ROOT).public
        use = ["--territory", "DE", "--channel", "svod", "--trust", "trust.json", "--root", root, "--format", "json"]
        command = [sys.executable, "-m", "dubgate", "verify", "c.json", "dub.bin", *use, "--seen", "seen.json"]
        environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
        times = []
        for _ in range(5):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            out = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
            if out.returncode not in (0, 1) or json.loads(out.stdout).get("reason", "") not in (
                "",
                "expired",
                "not-yet-valid",
            ):
                raise RuntimeError(f"the command did not verify: {out.stdout}{out.stderr}")
        return min(times)


def large(megabytes: int) -> float:
    """MB a second over one large file."""
    import hashlib

    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "large.bin"
        block = bytes(1 << 20)
        digest = hashlib.sha256()
        with file.open("wb") as out:
            for _ in range(megabytes):
                out.write(block)
                digest.update(block)
        data = replace(vectors.Made(), file_sha256=digest.hexdigest()).data()
        use = {"territory": "DE", "channel": "svod", "now": vectors.NOW}
        return megabytes / seconds(lambda: verify(data, file, trust=vectors.TRUST, **use))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=400)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=512)
    asked = parser.parse_args(arguments)
    print("processor time of one core\n\n| what | figure | target |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        print(f"| verifications a second, trust store open | {rate(asked.n, Path(name), stored=False):.0f} | 200 |")
        print(f"| verifications a second, all from files | {rate(asked.n, Path(name), stored=True):.0f} | 200 |")
    print(f"| `dubgate verify` cold, interpreter and imports with it | {1000 * cold():.0f} ms | 300 ms |")
    data = package(asked.files)
    print(
        f"| a package of {asked.files} files opened ({len(data) / 1e6:.1f} MB) | {1000 * seconds(lambda: opened(data)):.0f} ms | |"
    )
    print(f"| a file of {asked.megabytes} MB | {large(asked.megabytes):.0f} MB/s | the disk's |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
