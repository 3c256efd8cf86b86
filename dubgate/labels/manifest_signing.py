"""Put a C2PA manifest into a file, in the child process; the signature itself comes from the parent, which holds the key."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dubgate.labels.remuxing import FILE_NAME
from dubgate.labels.signing import ASK, WRITTEN
from dubgate.stored import Arrays

_ANSWER_S = 30.0


def sign_task(request: dict[str, Any], scratch: Path, progress: Callable[[str, float], None]) -> tuple[Any, Arrays]:
    """The child's entry: the signed file is `scratch / FILE_NAME` when progress says WRITTEN."""
    import c2pa  # type: ignore[import-not-found,import-untyped,unused-ignore]

    from dubgate.errors import InputError, MediaError

    source, target = Path(request["sign"]), scratch / FILE_NAME

    def ask(data: bytes) -> bytes:
        (scratch / "to-sign").write_bytes(data)
        progress(ASK, 0.5)
        return _answered(scratch / "signature")

    algorithm = getattr(c2pa.C2paSigningAlg, request["alg"].upper())
    settings = {"version": 1, "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
    try:
        with (
            c2pa.Context.from_dict(settings) as context,
            c2pa.Signer.from_callback(ask, algorithm, request["chain"]) as signer,
            c2pa.Builder(request["manifest"], context) as builder,
            source.open("rb") as given,
            target.open("x+b") as out,
        ):
            builder.sign(signer, _type_of(source), given, out)
            os.fsync(out.fileno())
    except c2pa.C2paError as error:
        remedy = "the chain needs the signer's certificate first, valid now, for digital signatures and claim signing"
        raise MediaError(f"C2PA refuses to sign: {str(error)[:300]}", where=request["name"], remedy=remedy) from None
    except ImportError:
        raise InputError("C2PA signing needs its library", remedy="pip install 'dubgate[c2pa]'") from None
    progress(WRITTEN, 1.0)
    return {}, {}


def _answered(path: Path) -> bytes:
    deadline = time.monotonic() + _ANSWER_S
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("no signature came")
        time.sleep(0.005)
    return path.read_bytes()


def _type_of(path: Path) -> str:
    from dubgate.delivery.formats import sniff
    from dubgate.labels.provenance import media_type

    return media_type(sniff(path))
