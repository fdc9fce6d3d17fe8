"""Which ports the control plane and the DNS get: the usual ones, or others that are free.

A server that listens on every address of the machine, as another Kubernetes does on 6443, takes a
port from the addresses of all slots. The ports of a cluster are looked for once, before it starts,
and are its processes' for as long as it runs.
"""

import socket
from collections.abc import Iterable

from cluster.errors import ConfigError

API_PORTS = (6443, 16443, 26443, 36443)
DNS_PORTS = (10053, 20053, 30053, 40053)
STREAM = (socket.SOCK_STREAM,)
STREAM_AND_DATAGRAM = (socket.SOCK_STREAM, socket.SOCK_DGRAM)


def vacant_ports(ip: str) -> tuple[int, int]:
    """The API's and the DNS's port at an address; ConfigError when there are none."""
    return vacant(ip, API_PORTS, STREAM), vacant(ip, DNS_PORTS, STREAM_AND_DATAGRAM)


def vacant(ip: str, ports: Iterable[int], kinds: Iterable[socket.SocketKind]) -> int:
    """The first of the ports that may be bound for all kinds; ConfigError says why none may."""
    kinds, reasons = tuple(kinds), []
    for port in ports:
        try:
            for kind in kinds:
                _try(ip, port, kind)
        except OSError as error:
            reasons.append(f"{port}: {error.strerror or error}")
        else:
            return port
    raise ConfigError(f"no port of {ip} is to be had ({'; '.join(reasons)})")


def _try(ip: str, port: int, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as sock:
        if kind is socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((ip, port))
        if kind is socket.SOCK_STREAM:
            sock.listen(0)  # two may be bound to a port, but only one may listen
