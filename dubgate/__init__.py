"""dubgate: the release gate for AI dubbing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "verify"]

if TYPE_CHECKING:
    from dubgate.verifying import verify as verify


def __getattr__(name: str) -> Any:
    """`from dubgate import verify`, loaded when it is asked for."""
    if name == "verify":
        from dubgate.verifying import verify

        return verify
    raise AttributeError(f"module 'dubgate' has no attribute {name!r}")
