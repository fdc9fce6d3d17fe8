"""Ports for peers: outside those that outgoing connections take, and who listens on one."""

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
LISTENING = "0A"
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _TRIES = 15_000, 1_000

Address = tuple[str, int]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has, neither for TCP nor for UDP.

    Below the ephemeral range: there a client's connection in TIME_WAIT could be in the way.
    """
    below = int(_EPHEMERAL.read_text().split()[0]) if _EPHEMERAL.exists() else 32_768
    if below <= _LOWEST + _TRIES:
        raise RuntimeError(f"no ports are left below the ephemeral ones, which begin at {below}")
    for port in random.sample(range(_LOWEST, below), _TRIES):
        if all(_is_free(port, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
            return port
    raise RuntimeError("no free port was found")


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as sock:
        try:
            sock.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def is_served(port: int, protocol: str) -> bool:
    """Whether somebody listens on (tcp) or is bound to (udp) the port; asks without connecting."""
    rows = Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]
    for row in rows:
        _, local, _, state, *_ = row.split()
        if int(local.rpartition(":")[2], 16) == port and (protocol == "udp" or state == LISTENING):
            return True
    return False
