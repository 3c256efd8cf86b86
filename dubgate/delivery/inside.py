"""Paths that a delivery names, kept inside the delivery's folder."""

from __future__ import annotations

import re
from pathlib import Path


def stays_inside(relative: str) -> str:
    """A relative path that cannot leave its folder by its own words; links are looked at by `resolve_inside`.

    Raises:
        ValueError: empty, absolute, with `..`, a scheme or drive, a backslash or control characters.
    """
    if not relative.strip() or any(ord(c) < 32 or ord(c) == 127 for c in relative):
        raise ValueError("a path cannot be empty or hold control characters")
    if relative.startswith(("/", "~")) or "\\" in relative or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", relative):
        raise ValueError("a path must be relative to the delivery's folder, with / between its parts")
    if ".." in relative.split("/"):
        raise ValueError("a path must stay inside the delivery's folder")
    return relative


def resolve_inside(root: Path, relative: str) -> Path:
    """The file that a relative path means, links followed.

    Raises:
        ValueError: the path or a link in it leaves `root`, or there is no such file.
    """
    stays_inside(relative)
    base = root.resolve()
    try:
        path = (base / relative).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # missing, too long, or links in a circle
        raise ValueError(f"there is no file {relative!r} in the delivery's folder") from None
    if not path.is_relative_to(base):
        raise ValueError(f"{relative!r} leaves the delivery's folder through a link")
    if not path.is_file():
        raise ValueError(f"{relative!r} is not a file")
    return path
