"""Structured logs: one JSON object a line, from a fixed set of fields; what looks like a secret is cut out of all of them."""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

FIELDS = (
    "request_id",
    "method",
    "route",
    "status",
    "ms",
    "token_id",
    "organisation",
    "job_id",
    "worker_id",
    "settings",
    "address",
    "missing",
)
LOGGER = logging.getLogger("dubgate.service")
_SECRETS = re.compile(
    r"dgt_[0-9a-f]{12}_[A-Za-z0-9_-]+|whsec_[A-Za-z0-9+/=_-]+|(?<=://)[^/\s:@]*:[^@\s]+@|(?i:bearer)\s+\S+"
    r"|-----BEGIN[^-]*PRIVATE KEY-----[\s\S]*?(?:-----END[^-]*-----|\Z)"
)


def without_secrets(text: str) -> str:
    """The text without tokens, webhook secrets, passwords in URLs and private keys."""
    return _SECRETS.sub("***", text)


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Only the fields listed above, and the message."""
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            told["error"] = "".join(traceback.format_exception(record.exc_info[1]))[-4000:]
        return json.dumps(_clean(told), ensure_ascii=True, default=str)


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    return without_secrets(value) if isinstance(value, str) else value


def to_stderr() -> None:
    """Logs of the service and of uvicorn go to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in ("dubgate", "uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
