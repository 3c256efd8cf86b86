"""The command line at a moment that the environment names (DUBGATE_TEST_AT): `python dubgate_at.py verify …`."""

from __future__ import annotations

import importlib
import os
import sys
from datetime import datetime
from typing import Any

from dubgate.cli.main import run

AT = datetime.fromisoformat(os.environ["DUBGATE_TEST_AT"])


class Clock(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return AT


if __name__ == "__main__":
    signing = ("certifying", "packaging", "cli.certify_options")
    for name in ("verifying", *(signing if sys.argv[1] != "verify" else ())):
        setattr(importlib.import_module(f"dubgate.{name}"), "datetime", Clock)  # noqa: B010
    sys.exit(run(sys.argv[1:]))
