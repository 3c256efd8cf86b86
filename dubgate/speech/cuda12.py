"""Brings the CUDA 12 cuBLAS that CTranslate2 asks for by name, beside the CUDA 13 that torch brings.

CTranslate2 4.8 opens `libcublas.so.12` when it first multiplies on a GPU; nothing else of CUDA 12 (its binary names
no cuDNN). Loading the wheel's copy beforehand, for all to see, lets the loader find it without LD_LIBRARY_PATH.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from dubgate.errors import ModelError

# cuBLAS needs cuBLASLt, which it looks for in its own folder; loaded first, it is there already.
LIBRARIES = ("libcublasLt.so.12", "libcublas.so.12")


def preload(folders: Sequence[Path] | None = None) -> tuple[Path, ...]:
    """Load cuBLAS 12 into this process and return the files; `folders` default to those of installed NVIDIA wheels.

    Raises:
        ModelError: it is not installed, or cannot be loaded (too old a driver or C library).
    """
    folders = wheel_folders() if folders is None else folders
    return tuple(_load(name, folders) for name in LIBRARIES)


def wheel_folders() -> tuple[Path, ...]:
    """The library folders of the NVIDIA wheels on Python's path."""
    spec = find_spec("nvidia")
    roots = list(spec.submodule_search_locations or ()) if spec else []
    return tuple(folder for root in roots for folder in sorted(Path(root).glob("*/lib")))


def _load(name: str, folders: Sequence[Path]) -> Path:
    path = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if path is None:
        raise ModelError(
            f"faster-whisper on a GPU needs {name}, which is not installed",
            remedy="pip install 'dubgate[gpu]', or --device cpu",
        )
    try:
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise ModelError(f"{name} cannot be loaded: {error}", where=str(path), remedy="--device cpu") from error
    return path
