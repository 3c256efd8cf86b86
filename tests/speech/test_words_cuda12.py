"""CUDA 12 beside CUDA 13: found in the wheels, loaded in order, clear where missing or broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dubgate.errors import ModelError
from dubgate.speech.cuda12 import LIBRARIES, preload, wheel_folders


def harmless_library() -> Path:
    """libm as this process has loaded it: a library without state."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    return next(Path(line.split()[-1]) for line in maps if "/libm.so" in line or "/libm-" in line)


def test_both_libraries_are_loaded_the_lower_first(tmp_path: Path) -> None:
    for name in LIBRARIES:
        shutil.copy(harmless_library(), tmp_path / name)
    assert preload([tmp_path / "absent", tmp_path]) == (tmp_path / "libcublasLt.so.12", tmp_path / "libcublas.so.12")


def test_a_missing_library_is_named_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"libcublasLt\.so\.12") as caught:
        preload([tmp_path])
    assert "dubgate[gpu]" in str(caught.value)


def test_a_library_that_does_not_load_is_a_model_error(tmp_path: Path) -> None:
    for name in LIBRARIES:
        (tmp_path / name).write_bytes(b"\x7fELF no library")
    with pytest.raises(ModelError, match="cannot be loaded"):
        preload([tmp_path])


def test_wheels_are_looked_for_where_nvidia_puts_them() -> None:
    assert all(folder.name == "lib" and folder.is_dir() for folder in wheel_folders())
