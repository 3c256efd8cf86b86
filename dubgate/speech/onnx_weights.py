"""The constant tensors of an ONNX file by name, read without running it: how packaged networks reach the GPU.

Only what a weight file needs is read of the protobuf encoding: `ModelProto.graph` (field 7), `GraphProto.initializer`
(field 5), and in each `TensorProto` dims (1), data_type (2), name (8) and raw_data (9); onnx.proto3 of ONNX 1.x.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dubgate.errors import ModelError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_GRAPH, _INITIALIZER = 7, 5
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9
_DTYPES = {1: "<f4", 6: "<i4", 7: "<i8", 11: "<f8"}

Tensors = dict[str, NDArray[Any]]


def read_initializers(path: Path) -> Tensors:
    """Every initializer of the graph that holds raw data.

    Raises:
        ModelError: the file is not ONNX, is cut short, or holds a tensor whose size contradicts its shape.
    """
    try:
        data = path.read_bytes()
        graph = next(value for field, value in _fields(data) if field == _GRAPH)
        tensors = (_tensor(value) for field, value in _fields(_as_bytes(graph)) if field == _INITIALIZER)
        found = {name: array for name, array in tensors if array is not None}
    except (IndexError, KeyError, StopIteration, ValueError, OSError) as error:
        raise ModelError("this is not a readable ONNX file", where=path.name, remedy="fetch it again") from error
    if not found:
        raise ModelError("the ONNX file holds no weights", where=path.name, remedy="fetch it again")
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) in file order; groups are refused."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == _VARINT:
            number, at = _varint(data, at)
            yield key >> 3, number
            continue
        size, at = (_varint(data, at)) if wire == _BYTES else ({_FIXED64: 8, _FIXED32: 4}[wire], at)
        if at + size > len(data):
            raise ValueError("cut short")
        yield key >> 3, data[at : at + size]
        at += size


def _tensor(value: int | bytes) -> tuple[str, NDArray[Any] | None]:
    dims: list[int] = []
    name, raw, data_type = "", None, 0
    for field, part in _fields(_as_bytes(value)):
        if field == _DIMS:
            dims += [part] if isinstance(part, int) else _packed(part)
        elif field == _DATA_TYPE and isinstance(part, int):
            data_type = part
        elif field == _NAME:
            name = _as_bytes(part).decode("utf-8")
        elif field == _RAW_DATA:
            raw = _as_bytes(part)
    if raw is None or data_type not in _DTYPES:
        return name, None
    return name, np.frombuffer(raw, dtype=_DTYPES[data_type]).reshape(dims)


def _packed(data: bytes) -> list[int]:
    numbers, at = [], 0
    while at < len(data):
        number, at = _varint(data, at)
        numbers.append(number)
    return numbers


def _as_bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a message was expected")
    return value
