"""The files in which a child answers: one JSON text and plain arrays, written by it, distrusted by its parent."""

from __future__ import annotations

import json
import math
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from dubgate.errors import ChildError

if TYPE_CHECKING:
    import numpy as np

    from dubgate.stored import Arrays

_JSON = "reply.json"
_MOST_JSON_BYTES = 256 << 20
_MOST_ARRAYS = 10_000
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}\.npy")
_KINDS = "fiub"


def write_reply(folder: Path, data: Any, arrays: Arrays) -> None:
    """Called by the child."""
    import numpy as np

    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    (folder / _JSON).write_text(json.dumps(data, allow_nan=False), encoding="utf-8")


def read_reply(folder: Path, most_bytes: int, task: str) -> tuple[Any, Arrays]:
    """Called by the parent.

    Raises:
        ChildError: too large, links, unknown files, JSON that is none, arrays of objects or of the wrong length.
    """
    names = sorted(os.listdir(folder))
    if len(names) > _MOST_ARRAYS or any(n != _JSON and not _NAME.fullmatch(n) for n in names):
        raise ChildError(f"{task}: the reply holds files that do not belong there")
    sizes = {n: os.lstat(folder / n).st_size for n in names}
    if sum(sizes.values()) > most_bytes:
        raise ChildError(f"{task}: the reply is larger than {most_bytes:,} bytes")
    if sizes.get(_JSON, 0) > _MOST_JSON_BYTES or _JSON not in sizes:
        raise ChildError(f"{task}: the reply's text is missing or too large")
    data = _json(folder / _JSON, task)
    return data, {n.removesuffix(".npy"): _array(folder / n, task) for n in names if n != _JSON}


def _open(path: Path, task: str) -> BinaryIO:
    """A plain file that is not a link and has no second name."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise ChildError(f"{task}: the reply cannot be read") from None
    file = os.fdopen(descriptor, "rb")
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode) or state.st_nlink != 1:
        file.close()
        raise ChildError(f"{task}: the reply holds something that is not a plain file")
    return file


def _json(path: Path, task: str) -> Any:
    with _open(path, task) as file:
        try:
            return json.loads(file.read(_MOST_JSON_BYTES), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise ChildError(f"{task}: the reply is not valid JSON") from None


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _array(path: Path, task: str) -> np.ndarray[Any, Any]:
    """An array of numbers, its announced shape checked against the file's length before memory is taken."""
    import numpy as np

    with _open(path, task) as file:
        try:
            version = np.lib.format.read_magic(file)
            read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            shape, fortran, dtype = read_header[version](file)
        except Exception:  # noqa: BLE001 - whatever a forged header raises
            raise ChildError(f"{task}: an array of the reply is malformed") from None
        rest = os.fstat(file.fileno()).st_size - file.tell()
        if dtype.kind not in _KINDS or dtype.hasobject or math.prod(shape) * dtype.itemsize != rest or len(shape) > 4:
            raise ChildError(f"{task}: an array of the reply does not hold what it announces")
        flat = np.frombuffer(file.read(rest), dtype=dtype)
        return flat.reshape(shape, order="F" if fortran else "C")
