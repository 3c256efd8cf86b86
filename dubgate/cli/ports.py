"""Where a server of this machine listens: taken before anything slow is made, so that a port in use is told at once."""

from __future__ import annotations

import errno
import socket

from dubgate.errors import InputError

_WHY = {
    errno.EADDRINUSE: ("another program listens there", "End it, or name another port: {how} (0 takes any that is free)."),
    errno.EACCES: ("this user may not listen there", "Ports below 1024 belong to the system: {how} names another."),
}  # fmt: skip


def listen(host: str, port: int, *, how: str = "--port N") -> socket.socket:
    """A socket that listens; `port` 0 takes any that is free.

    Args:
        how: how the reader names another port.

    Raises:
        InputError: another program listens there, the user may not, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        what, remedy = _WHY.get(
            error.errno or 0,
            (
                f"no address of this machine ({error.strerror})",
                "127.0.0.1 is this machine alone, 0.0.0.0 every address.",
            ),
        )
        raise InputError(what, where=f"{host}:{port}", remedy=remedy.format(how=how)) from None


def port_of(listening: socket.socket) -> int:
    """The port that it took."""
    return int(listening.getsockname()[1])
