"""How a process crashes when it is told to (SIGQUIT): at once, and every connection is reset.

The kernel closes a dead process's connections in good order where it can, which a client takes for
an answer's end. A host that crashes and comes up again answers old connections with resets.
"""

import os
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

DESCRIPTORS = Path("/dev/fd")
_LINGER_ZERO = struct.pack("ii", 1, 0)


def crash() -> NoReturn:
    """End now, as by `kill -9`; whoever is connected by TCP meets a reset."""
    for descriptor in _descriptors():
        with suppress(OSError):  # no socket, not of TCP, or closed meanwhile
            _doom(descriptor)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL cannot be survived")


def _doom(descriptor: int) -> None:
    sock = socket.socket(fileno=descriptor)
    try:
        if sock.family != socket.AF_UNIX and sock.type == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    finally:
        sock.detach()  # the descriptor stays whose it is


def _descriptors() -> Iterator[int]:
    """Every open descriptor of this process."""
    for path in list(DESCRIPTORS.iterdir()):
        yield int(path.name)
