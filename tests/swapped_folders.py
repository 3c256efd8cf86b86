"""Another folder in the place of one that was digested, for a while: what nobody who looks afterwards can tell."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def renamed_away(folder: Path) -> Iterator[None]:
    """Its twin, the same bytes under the same names, lies in its place for a while; then everything is as it was."""
    aside, evil = folder.with_name("aside"), folder.with_name("evil")
    if not evil.exists():
        shutil.copytree(folder, evil)
    folder.rename(aside)
    evil.rename(folder)
    try:
        yield
    finally:
        folder.rename(evil)
        aside.rename(folder)


@contextmanager
def turned_into_a_link(folder: Path, to: Path) -> Iterator[None]:
    """Where it lay, a link leads to another folder for a while."""
    aside = folder.parents[1] / f"aside-{folder.name}"
    folder.rename(aside)
    folder.symlink_to(to)
    try:
        yield
    finally:
        folder.unlink()
        aside.rename(folder)
