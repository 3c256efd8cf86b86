"""Frozen values to plain JSON plus arrays, and strictly back: how features cross a process border or wait on disk.

What comes back is checked against the dataclass's own annotations: an unknown or missing field, a wrong type, a
number that is not finite where the type is `float`, or an array of another dtype is refused with ValueError.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from dubgate.unmeasured import Unmeasured

T = TypeVar("T")
Arrays = dict[str, np.ndarray[Any, Any]]

_MAX_ITEMS = 2_000_000


def to_stored(value: object) -> tuple[Any, Arrays]:
    """JSON-able data and the arrays it refers to by name ("a0", "a1"…)."""
    arrays: Arrays = {}

    def plain(item: object) -> Any:
        if isinstance(item, np.ndarray):
            name = f"a{len(arrays)}"
            arrays[name] = item
            return {"array": name}
        if isinstance(item, Unmeasured):
            return {"unmeasured": item.reason}
        if isinstance(item, Enum):
            return item.value
        if dataclasses.is_dataclass(item) and not isinstance(item, type):
            return {f.name: plain(getattr(item, f.name)) for f in dataclasses.fields(item)}
        if isinstance(item, tuple | list):
            return [plain(x) for x in item]
        if item is None or isinstance(item, str | bool | int | float):
            return item
        raise TypeError(f"cannot store a {type(item).__name__}")

    return plain(value), arrays


def from_stored(cls: type[T], data: object, arrays: Mapping[str, np.ndarray[Any, Any]]) -> T:
    """The value of dataclass `cls` that `to_stored` took apart.

    Raises:
        ValueError: the data do not fit the annotations of `cls`; the message gives the path to the misfit.
    """
    return typing.cast(T, _read(cls, data, arrays, cls.__name__))


def _refuse(path: str, wanted: object, data: object) -> ValueError:
    return ValueError(f"{path}: expected {getattr(wanted, '__name__', wanted)}, got {type(data).__name__}")


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _read(wanted: Any, data: Any, arrays: Mapping[str, np.ndarray[Any, Any]], path: str) -> Any:
    origin = get_origin(wanted)
    if origin in (typing.Union, types.UnionType):
        return _read_union(get_args(wanted), data, arrays, path)
    if origin is tuple:
        return _read_tuple(get_args(wanted), data, arrays, path)
    if origin is np.ndarray:
        return _read_array(wanted, data, arrays, path)
    if wanted is Unmeasured:
        return _read_unmeasured(data, path)
    if isinstance(wanted, type) and dataclasses.is_dataclass(wanted):
        return _read_dataclass(wanted, data, arrays, path)
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return wanted(data)
    return _read_scalar(wanted, data, path)


def _read_scalar(wanted: Any, data: Any, path: str) -> Any:
    if wanted is float and isinstance(data, int | float) and not isinstance(data, bool):
        if not np.isfinite(data):
            raise ValueError(f"{path}: not a finite number")
        return float(data)
    if wanted is type(None) and data is None:
        return None
    if wanted in (int, str, bool) and type(data) is wanted:
        return data
    raise _refuse(path, wanted, data)


def _read_unmeasured(data: Any, path: str) -> Unmeasured:
    if isinstance(data, dict) and set(data) <= {"unmeasured", "reason"} and len(data) == 1:
        reason = next(iter(data.values()))
        if isinstance(reason, str):
            return Unmeasured(reason)
    raise _refuse(path, Unmeasured, data)


def _read_union(members: tuple[Any, ...], data: Any, arrays: Mapping[str, Any], path: str) -> Any:
    if Unmeasured in members and isinstance(data, dict) and set(data) == {"unmeasured"}:
        return _read_unmeasured(data, path)
    errors = []
    for member in members:
        if member is Unmeasured:
            continue
        try:
            return _read(member, data, arrays, path)
        except ValueError as error:
            errors.append(str(error))
    raise ValueError(errors[0] if errors else f"{path}: fits no type")


def _read_tuple(members: tuple[Any, ...], data: Any, arrays: Mapping[str, Any], path: str) -> tuple[Any, ...]:
    if not isinstance(data, list) or len(data) > _MAX_ITEMS:
        raise _refuse(path, tuple, data)
    if len(members) == 2 and members[1] is Ellipsis:
        return tuple(_read(members[0], x, arrays, f"{path}[{k}]") for k, x in enumerate(data))
    if len(members) != len(data):
        raise ValueError(f"{path}: expected {len(members)} items, got {len(data)}")
    return tuple(_read(m, x, arrays, f"{path}[{k}]") for k, (m, x) in enumerate(zip(members, data, strict=True)))


def _read_array(wanted: Any, data: Any, arrays: Mapping[str, np.ndarray[Any, Any]], path: str) -> Any:
    if not (isinstance(data, dict) and set(data) == {"array"} and data["array"] in arrays):
        raise _refuse(path, "array", data)
    array = arrays[data["array"]]
    dtype = np.dtype(get_args(get_args(wanted)[1])[0])
    if array.dtype != dtype or array.ndim != 1:
        raise ValueError(f"{path}: expected a series of {dtype}, got {array.dtype} with {array.ndim} dimensions")
    array = array.copy()
    array.flags.writeable = False
    return array


def _read_dataclass(cls: type, data: Any, arrays: Mapping[str, Any], path: str) -> Any:
    fields = {f.name for f in dataclasses.fields(cls)}
    if not isinstance(data, dict) or set(data) != fields:
        got = sorted(set(data) ^ fields) if isinstance(data, dict) else type(data).__name__
        raise ValueError(f"{path}: fields differ from {cls.__name__}: {got}")
    make: Callable[..., Any] = cls
    return make(**{name: _read(_hints(cls)[name], data[name], arrays, f"{path}.{name}") for name in data})
