"""Tasks that misbehave, for test_sandbox.py: each runs in a real child process."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

Answer = tuple[Any, dict[str, Any]]


def echo(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    import numpy as np

    progress("half way", 0.5)
    progress("beyond \x1b[31m the end", 7)
    print("libraries print", flush=True)
    os.write(1, b"not a message\n")
    arrays = {"a": np.arange(5, dtype=np.float32), "b": np.ones((2, 3), dtype=np.int16), "none": np.zeros(0)}
    (scratch / "spool").write_bytes(b"x")
    return {"given": request, "scratch": str(scratch), "environment": dict(os.environ)}, arrays


def read_once(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    return len(Path(request["path"]).read_bytes()), {}


def crash(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    print("about to \x1b[31mdie", file=sys.stderr, flush=True)
    return ctypes.string_at(0), {}


def hang(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    if "pid_file" in request:
        progress(str(os.getpid()), 0.0)
    while True:
        time.sleep(3600)


def hog_memory(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    kept = []
    while True:
        kept.append(b"x" * (16 << 20))


def hog_processor(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    while True:
        pass


def hog_disk(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    with open(scratch / "big", "wb") as file:
        while True:
            file.write(bytes(1 << 20))


def leave(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    os._exit(request["code"])


def refuse(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    from dubgate import errors

    raise getattr(errors, request["class"])("the dub is \x1b[2J broken", where="dub.wav", remedy="send it again")


def fail(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    raise KeyError("something inside")


def run_out(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    raise MemoryError


def interrupt(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    raise SystemExit(0)


def babble(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    for line in request["lines"]:
        os.write(channel(), line.encode() * request.get("times", 1))
    return {}, {}


def channel() -> int:
    """The descriptor of the messages: the only pipe but the standard ones."""
    pipes = [int(n) for n in os.listdir("/proc/self/fd") if int(n) > 2]
    return next(n for n in pipes if os.readlink(f"/proc/self/fd/{n}").startswith("pipe:"))


def reply_with(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    """Write `files` (name to text) into the reply by hand, and end as if all were well."""
    out = scratch.parent / "out"
    for name, text in request["files"].items():
        (out / name).write_bytes(bytes.fromhex(text))
    for name, target in request.get("links", {}).items():
        (out / name).symlink_to(target)
    said = request.get("says", '{"done": true, "isolation": ["seccomp", "landlock"]}\n')
    os.write(channel(), said.encode())
    os._exit(0)


def large(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    import numpy as np

    return {}, {"a": np.zeros(request["n"])}


def objects(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    import numpy as np

    return {}, {"a": np.array([object()], dtype=object)}


def nan(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    return {"value": float("nan")}, {}


def attempt(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    """Try what must not work; the name of what happened instead."""
    try:
        return {"got": str(ATTEMPTS[request["what"]](request))}, {}
    except Exception as error:  # noqa: BLE001 - any refusal is an answer
        return {"refused": f"{type(error).__name__}: {error}"}, {}


def raw(number: int, *arguments: int) -> int:
    """A system call past Python's audit hooks, as a decoder that was taken over would make it."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) for a in arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(result)


def python_socket(request: dict[str, Any]) -> object:
    import socket

    return socket.create_connection(("127.0.0.1", request["port"]), timeout=2)


def lookup(request: dict[str, Any]) -> object:
    import socket

    return socket.getaddrinfo("localhost", 80)


def threads(request: dict[str, Any]) -> object:
    seen: list[int] = []
    workers = [threading.Thread(target=seen.append, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(seen)


ATTEMPTS = {
    "python socket": python_socket,
    "lookup": lookup,
    "inet socket": lambda request: raw(41, 2, 1, 0),
    "inet6 socket": lambda request: raw(41, 10, 2, 0),
    "unix socket": lambda request: raw(41, 1, 1, 0),
    "netlink socket": lambda request: raw(41, 16, 3, 0),
    "io_uring": lambda request: raw(425, 8, 0),
    "ptrace": lambda request: raw(101, 16, os.getppid(), 0, 0),
    "fork": lambda request: raw(57),
    "vfork-like clone": lambda request: raw(56, 17, 0, 0, 0, 0),
    "clone3": lambda request: raw(435, 0, 0),
    "exec": lambda request: os.execv("/bin/true", ["true"]),
    "raw exec": lambda request: raw(59, 0, 0, 0),
    "kill parent": lambda request: os.kill(os.getppid(), 0),
    "limit parent": lambda request: raw(302, os.getppid(), 7, 0, 0),
    "compat call": lambda request: raw(0x40000000 + 39),
    "read": lambda request: Path(request["path"]).read_text(),
    "write": lambda request: Path(request["path"]).write_text("changed"),
    "list": lambda request: os.listdir(request["path"]),
    "parent's environment": lambda request: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "threads": threads,
    "capabilities": lambda request: [
        line.split()[1]
        for line in Path("/proc/self/status").read_text().splitlines()
        if line[:6] in ("CapEff", "CapPrm")
    ],
}


def torch_task(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    import torch

    torch.set_num_threads(2)
    product = torch.ones(512, 512) @ torch.ones(512, 512)
    cuda = torch.cuda.is_available()
    if cuda:
        product = (torch.ones(512, 512, device="cuda") @ torch.ones(512, 512, device="cuda")).cpu()
    return {"value": float(product[0, 0]), "cuda": cuda}, {}


def read_on_and_on(request: dict[str, Any], scratch: Path, progress: Any) -> Answer:
    """Opens a file by its path, by no function of dubgate's, until it may not any more."""
    Path(request["path"]).read_bytes()
    progress("reading", 0.5)
    for _ in range(500):
        Path(request["path"]).read_bytes()
        time.sleep(0.01)
    return "read", {}
