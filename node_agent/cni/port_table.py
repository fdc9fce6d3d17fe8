"""Who is bound to which port in one pod: its port space, shared by all its containers.

Pure: no I/O; keeps state, as the kernel's table does. It fails with the OSErrors that Linux gives.
Spec: P-5, P-6, P-7, P-9.
"""

import errno
import os
from typing import Generic, TypeVar

from cluster.wire.addresses import PORT_MAX, Protocol

EPHEMERAL_FIRST, EPHEMERAL_LAST = 32768, 60999
WILDCARDS = frozenset({"", "0.0.0.0", "::"})
LOOPBACK = "127.0.0.1"
WILDCARD = "0.0.0.0"

Bound = TypeVar("Bound")


class PortTable(Generic[Bound]):
    """Bound sockets by protocol, port and address; an address is the pod's IP, loopback or any."""

    def __init__(self, pod_ip: str) -> None:
        self._pod_ip = pod_ip
        self._bound: dict[tuple[Protocol, int], dict[str, Bound]] = {}
        self._next = EPHEMERAL_FIRST

    def local_address(self, host: str | None) -> str:
        """The address that `host` binds: 0.0.0.0, the pod's IP or 127.0.0.1; else EADDRNOTAVAIL."""
        if host is None or host in WILDCARDS:
            return WILDCARD
        if host in ("localhost", "::1") or host.startswith("127."):
            return LOOPBACK
        if host == self._pod_ip:
            return host
        raise OSError(errno.EADDRNOTAVAIL, f"{os.strerror(errno.EADDRNOTAVAIL)}: {host}")

    def bind(self, protocol: Protocol, address: str, port: int, bound: Bound) -> int:
        """Take a port, an ephemeral one for 0; EADDRINUSE when it is taken (P-6)."""
        if not 0 <= port <= PORT_MAX:
            raise OverflowError(f"port must be 0-65535, not {port}")
        port = port or self.ephemeral(protocol)
        holders = self._bound.setdefault((protocol, port), {})
        if address in holders or (holders and (address == WILDCARD or WILDCARD in holders)):
            text = f"{os.strerror(errno.EADDRINUSE)}: {address}:{port}"
            raise OSError(errno.EADDRINUSE, text)
        holders[address] = bound
        return port

    def release(self, protocol: Protocol, address: str, port: int) -> None:
        """Give a port back; idempotent."""
        holders = self._bound.get((protocol, port), {})
        holders.pop(address, None)
        if not holders:
            self._bound.pop((protocol, port), None)

    def find(self, protocol: Protocol, ip: str, port: int) -> Bound | None:
        """Who answers at `ip`:`port`; loopback and the pod's IP are apart (P-7)."""
        holders = self._bound.get((protocol, port))
        if not holders:
            return None
        exact = LOOPBACK if ip.startswith("127.") else ip
        return holders.get(exact) or holders.get(WILDCARD)

    def ephemeral(self, protocol: Protocol) -> int:
        """A free port of the ephemeral range, round and round; EADDRINUSE when all are taken."""
        for _ in range(EPHEMERAL_FIRST, EPHEMERAL_LAST + 1):
            port = self._next
            self._next = port + 1 if port < EPHEMERAL_LAST else EPHEMERAL_FIRST
            if (protocol, port) not in self._bound:
                return port
        raise OSError(errno.EADDRINUSE, "all ephemeral ports of the pod are in use")

    def entries(self) -> frozenset[tuple[str, str, int]]:
        """(protocol, address, port) of everything bound."""
        return frozenset(
            (str(protocol), address, port)
            for (protocol, port), holders in self._bound.items()
            for address in holders
        )

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter([bound for holders in self._bound.values() for bound in holders.values()])
