"""Serves a service whose clock began at a given moment: made certificates are of a day that is not today."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from dubgate.service.app import create_service
from dubgate.service.logs import to_stderr
from dubgate.service.server import server_of
from dubgate.service.settings import read_settings


def main() -> None:
    settings, begun = read_settings(Path(sys.argv[1])), datetime.fromisoformat(sys.argv[2])
    offset = begun - datetime.now(UTC)
    to_stderr()
    server_of(create_service(settings, clock=lambda: datetime.now(UTC) + offset), settings).run()


if __name__ == "__main__":
    main()
