"""One task in a fresh process without keys, network or other files: parent.py, and sandbox_child.py for its side."""

from dubgate.sandbox.isolation import Isolation
from dubgate.sandbox.parent import HEAR_LIMITS, PROBE_LIMITS, Limits, Reply, run_in_child

__all__ = ["HEAR_LIMITS", "PROBE_LIMITS", "Isolation", "Limits", "Reply", "run_in_child"]
