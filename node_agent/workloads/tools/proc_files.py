"""Files of /proc that are made when they are read: the pod's sockets, and what tools look for.

Source: proc(5), proc_pid_net(5).
"""

import os
import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any

from node_agent.cni.pod_context import POD

LISTEN, ESTABLISHED, UNCONNECTED = "0A", "01", "07"
HEAD = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
    "uid  timeout inode\n"
)
Address = tuple[str, int]


def proc_files(started: float, command: str) -> Mapping[str, Callable[[], bytes]]:
    """The files by path, of a container that started then with a command."""
    files: dict[str, Callable[[], str]] = {
        "/proc/net/tcp": lambda: sockets("TCP"),
        "/proc/net/udp": lambda: sockets("UDP"),
        "/proc/net/tcp6": lambda: HEAD,
        "/proc/net/udp6": lambda: HEAD,
        "/proc/uptime": lambda: f"{time.time() - started:.2f} 0.00\n",
        "/proc/loadavg": lambda: "{:.2f} {:.2f} {:.2f} 1/1 1\n".format(*os.getloadavg()),
        "/proc/version": lambda: "Linux version {0.release} ({0.version})\n".format(os.uname()),
        "/proc/mounts": lambda: "overlay / overlay rw 0 0\n",
        "/proc/1/cmdline": lambda: command,
        "/proc/1/comm": lambda: command.partition("\0")[0].rpartition("/")[2][:15] + "\n",
    }
    return {path: _encoded(text) for path, text in files.items()}


def _encoded(text: Callable[[], str]) -> Callable[[], bytes]:
    return lambda: text().encode("utf-8", "replace")


def sockets(protocol: str) -> str:
    """The table of the sockets of the pod whose code runs now."""
    network: Any = POD.get()
    if network is None:
        return HEAD
    rows: list[tuple[Address, Address, str]] = [
        ((ip, port), ("0.0.0.0", 0), LISTEN if protocol == "TCP" else UNCONNECTED)
        for kind, ip, port in sorted(network.listening())
        if kind == protocol
    ]
    if protocol == "TCP":
        rows += [(own, peer, ESTABLISHED) for own, peer in sorted(network.connections.names())]
    return HEAD + "".join(_row(number, *row) for number, row in enumerate(rows))


def _row(number: int, own: Address, peer: Address, state: str) -> str:
    return (
        f"{number:4d}: {_hex(own)} {_hex(peer)} {state} 00000000:00000000 00:00000000 00000000"
        f"     0        0 {number + 1} 1 0000000000000000 100 0 0 10 0\n"
    )


def _hex(address: Address) -> str:
    """An address as the kernel writes it: the four bytes as a number of this machine."""
    (packed,) = struct.unpack("=I", socket.inet_aton(address[0]))
    return f"{packed:08X}:{address[1]:04X}"
