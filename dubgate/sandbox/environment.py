"""What a child knows of our environment: an allow-list, and nothing that is secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

# What a child may know of our environment: where libraries and models lie, which GPU, how many threads. No HOME, no
# tokens, no proxies.
_PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_PATH", "CUDA_VISIBLE_DEVICES"),
    *("NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "OMP_NUM_THREADS", "MKL_NUM_THREADS"),
    *("OPENBLAS_NUM_THREADS", "DUBGATE_TRACEBACK"),
)
_SET = {
    "PYANNOTE_METRICS_ENABLED": "0",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "USER": "dubgate",  # libraries ask who they run as, and cannot read the list of users
}


def child_environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """The child's whole environment."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    tmp = str(home / "tmp")
    own = {"HOME": tmp, "TMPDIR": tmp, "XDG_CACHE_HOME": tmp, "MPLCONFIGDIR": tmp, "NUMBA_CACHE_DIR": tmp}
    return kept | _SET | own | {"DUBGATE_MODELS": _model_folders()} | dict(extra)


def _model_folders() -> str:
    """Where models lie, the user's cache among them, which the child without a HOME would not find."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dubgate" / "models"
    given = os.environ.get("DUBGATE_MODELS", "").split(os.pathsep)
    return os.pathsep.join(str(Path(p).expanduser().absolute()) for p in (*given, str(cache)) if p)
