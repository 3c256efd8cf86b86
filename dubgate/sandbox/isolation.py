"""What a process may no longer do once it has called `isolate`: reach a network, other files, other processes.

Linux only: a seccomp filter (no sockets, no new programs, no signals to others, no other process's memory) and a
Landlock ruleset (only the named files and folders). Where the kernel has neither, a Python audit hook stands in for
the network and the answer says so: it stops honest code, not a decoder that was taken over.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Isolation:
    """How far the child was shut in: "seccomp" or "audit hook"; "landlock" or "none"."""

    network: str
    files: str


def isolate(readable: Sequence[Path] | None, writable: Sequence[Path]) -> Isolation:
    """Shut this process in, for good; `readable` None leaves files alone. Files already open stay open.

    To be called while the process has one thread: threads that run already would stay outside.
    """
    sys.addaudithook(_refuse_sockets)
    _drop_capabilities()
    files = readable is not None and _landlock(readable, writable)
    return Isolation("seccomp" if _seccomp() else "audit hook", "landlock" if files else "none")


def set_limits(*, cpu_s: int, file_bytes: int, open_files: int, address_space_bytes: int | None) -> None:
    """Resource limits of this process; no core dumps, which would hold what it read."""
    limits = [
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, open_files),
        (resource.RLIMIT_CORE, 0),
    ]
    if address_space_bytes is not None:
        limits.append((resource.RLIMIT_AS, address_space_bytes))
    for which, wanted in limits:
        most = resource.getrlimit(which)[1]
        value = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        # At the soft limit of processor time comes a signal that names its cause, at the hard one SIGKILL.
        hard = value + 5 if which == resource.RLIMIT_CPU and most == resource.RLIM_INFINITY else value
        resource.setrlimit(which, (value, hard))


def die_with_parent() -> None:
    """Be killed when the parent thread ends, however it ends (Linux)."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, 9)


def _drop_capabilities() -> None:
    """Of root's powers only the reading of files that belong to others stays, within what Landlock allows.

    The others reach around the walls: CAP_PERFMON alone opens the environment of every process.
    """
    if sys.platform == "linux":
        header = struct.pack("=Ii", _CAPABILITIES_VERSION_3, 0)
        kept = 1 << _CAP_DAC_READ_SEARCH if os.geteuid() == 0 else 0
        data = struct.pack("=IIIIII", kept, kept, 0, 0, 0, 0)
        ctypes.CDLL(None, use_errno=True).capset(header, data)


_CAPABILITIES_VERSION_3, _CAP_DAC_READ_SEARCH = 0x20080522, 2


def _refuse_sockets(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.__new__", "socket.connect", "socket.getaddrinfo", "socket.bind"):
        raise PermissionError("the hearing process has no network")
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "os.system"):
        raise PermissionError("the hearing process starts no programs")


# -- seccomp (linux/seccomp.h, linux/filter.h) ---------------------------------------------------------------------

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _EACCES, _ENOSYS = 1, 13, 38
_LOAD, _JEQ, _JGE, _JSET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NR, _ARCH, _ARG0 = 0, 4, 16  # offsets in struct seccomp_data; low words, little-endian
_CLONE_THREAD = 0x10000
_X32_BIT = 0x40000000


@dataclass(frozen=True, slots=True)
class _Calls:
    """System call numbers of one architecture, and its audit token."""

    audit_arch: int
    refused: tuple[int, ...]  # EACCES, whatever the arguments
    own_pid_only: tuple[int, ...]  # kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, prlimit64: on itself
    clone: int
    fork: tuple[int, ...]
    clone3: int = 435


_SINCE_5 = (424, 425, 426, 427, 434, 438, 440, 448)  # pidfd_send_signal, io_uring_*, pidfd_open, pidfd_getfd, ...
_CALLS = {
    # socket connect accept sendto sendmsg bind listen ptrace execve ... in the order of the architecture's table
    "x86_64": _Calls(
        audit_arch=0xC000003E,
        refused=(
            41, 42, 43, 49, 50, 288, 59, 322, 101, 310, 311, 155, 161, 165, 166, 272, 308, 175, 176, 313, 246, 320,
            321, 298, 323, 248, 249, 250, 304, 169, 167, 168, 170, 171, *_SINCE_5,
        ),
        own_pid_only=(62, 200, 234, 129, 297, 302),
        clone=56,
        fork=(57, 58),
    ),
    "aarch64": _Calls(
        audit_arch=0xC00000B7,
        refused=(
            198, 203, 202, 200, 201, 242, 221, 281, 117, 270, 271, 41, 51, 40, 39, 97, 268, 105, 106, 273, 104, 294,
            280, 241, 282, 217, 218, 219, 265, 142, 224, 225, 161, 162, *_SINCE_5,
        ),
        own_pid_only=(129, 130, 131, 138, 240, 261),
        clone=220,
        fork=(),
    ),
}  # fmt: skip


def _seccomp() -> bool:
    """Install the filter on every thread to come; False where this system has none."""
    calls = _CALLS.get(platform.machine())
    if sys.platform != "linux" or calls is None or sys.byteorder != "little":
        return False
    program = b"".join(_filter(calls))
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    pointer = ctypes.create_string_buffer(header, len(header))
    if _prctl(_PR_SET_NO_NEW_PRIVS, 1) != 0:
        return False
    return _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(pointer)) == 0


def _filter(calls: _Calls) -> Iterable[bytes]:
    """A classic BPF program; each jump skips the one instruction after it."""
    yield _bpf(_LOAD, _ARCH)
    yield _bpf(_JEQ, calls.audit_arch, 1, 0)
    yield _bpf(_RETURN, _KILL)
    yield _bpf(_LOAD, _NR)
    yield _bpf(_JGE, _X32_BIT, 0, 1)
    yield _bpf(_RETURN, _KILL)
    for number in (*calls.refused, *calls.fork):
        yield _bpf(_JEQ, number, 0, 1)
        yield _bpf(_RETURN, _ERRNO | _EACCES)
    yield _bpf(_JEQ, calls.clone3, 0, 1)  # its flags lie in memory, unseen: glibc then uses clone
    yield _bpf(_RETURN, _ERRNO | _ENOSYS)
    yield _bpf(_JEQ, calls.clone, 0, 4)
    yield _bpf(_LOAD, _ARG0)
    yield _bpf(_JSET, _CLONE_THREAD, 1, 0)
    yield _bpf(_RETURN, _ERRNO | _EPERM)
    yield _bpf(_RETURN, _ALLOW)
    for number in calls.own_pid_only:
        yield _bpf(_JEQ, number, 0, 5)
        yield _bpf(_LOAD, _ARG0)
        yield _bpf(_JEQ, os.getpid(), 2, 0)
        yield _bpf(_JEQ, 0, 1, 0)  # 0: itself, or its own group, in which it is alone
        yield _bpf(_RETURN, _ERRNO | _EPERM)
        yield _bpf(_RETURN, _ALLOW)
    yield _bpf(_RETURN, _ALLOW)


def _bpf(code: int, k: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, k)


# -- Landlock (linux/landlock.h) -----------------------------------------------------------------------------------

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READ = _EXECUTE | _READ_FILE | _READ_DIR
# Rights that each version of the interface knows: files up to 5; 4 adds TCP, 6 abstract sockets and signals.
_KNOWN = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}


def _landlock(readable: Sequence[Path], writable: Sequence[Path]) -> bool:
    """Confine file access to these folders and files; False where the kernel has no Landlock."""
    if sys.platform != "linux":
        return False
    version = _syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    known = _KNOWN[min(version, 5)]
    attributes = struct.pack("QQQ", known, 3, 3)
    ruleset = _syscall(_CREATE_RULESET, attributes, 24 if version >= 6 else 16 if version >= 4 else 8, 0)
    if ruleset < 0:
        return False
    for path in readable:
        _allow(ruleset, path, _READ & known)
    for path in writable:
        _allow(ruleset, path, known)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    done = _syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return done == 0


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no permission
    try:
        if not path.is_dir():
            rights &= _FILE_RIGHTS
        _syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        os.close(descriptor)


def _syscall(number: int, *arguments: object) -> int:
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return int(ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *wide))


def _prctl(option: int, *arguments: int) -> int:
    wide = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    return int(ctypes.CDLL(None, use_errno=True).prctl(option, *wide))
