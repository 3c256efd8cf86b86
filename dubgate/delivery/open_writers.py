"""Whether another process may write into a file without its times changing: one that has it open for writing, or mapped.

A page of a shared mapping that is dirty already is written to without a new time of change, for seconds on a disk and
for ever in memory (tmpfs). The kernel knows of such mappings: a lease for reading (fcntl, F_SETLEASE) is given only where
nobody has the file open for writing. It is given back at once; whoever maps the file later gives it a new time of change.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
# Where no lease means a writer. Network file systems also refuse one where their server gave none.
_LOCAL = frozenset({"ext2", "ext3", "ext4", "xfs", "f2fs", "tmpfs", "ramfs", "zfs"})


def is_open_for_writing(descriptor: int) -> bool:
    """Whether somebody has this file, open here for reading, open or mapped for writing, as far as the kernel tells.

    It does not tell of another user's file to a process without CAP_LEASE, nor of files elsewhere than on local disks.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # which nobody minds: somebody may open it just now
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN and _file_system(os.fstat(descriptor).st_dev) in _LOCAL
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _file_system(device: int) -> str:
    """The kind of the file system that a device number is of; empty where the mounts do not say."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    rows = (line.split() for line in lines)
    return next((r[r.index("-") + 1] for r in rows if len(r) > 6 and r[2] == wanted and "-" in r[:-1]), "")
