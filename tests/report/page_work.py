"""How long a page in Chromium has worked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def worked(page: Any) -> Callable[[], float]:
    """Gives, asked later, the seconds that the page's own thread has worked: not the rest of the machine."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    return lambda: {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}["TaskDuration"]
