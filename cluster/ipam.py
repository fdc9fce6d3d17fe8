"""Pools of IP addresses: pods, Services, nodes and load balancers take theirs from one.

Pure: state only, no I/O.
Two orders of handing out: the lowest free address first, or round-robin after the last one handed
out, as host-local does for pods, so that a freed address is not reused at once (P-22). The network
address, the gateway (.1) and the broadcast address are kept back (P-21); a /32 or /31 keeps
nothing back.
Spec: P-1, P-21, P-22, P-23.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from enum import StrEnum

from cluster.errors import PoolExhausted

POOL_ADDRESSES_MAX = 1 << 20  # an IPv6 range is larger; only so much of it is handed out


class Order(StrEnum):
    """Which free address is taken next."""

    LOWEST = "lowest"
    ROUND_ROBIN = "round-robin"


class IpPool:
    """The addresses of one range, taken and released one by one."""

    def __init__(
        self,
        cidr: str,
        reserved: Iterable[str] | None = None,
        *,
        order: Order = Order.LOWEST,
    ) -> None:
        """A pool of `cidr`; without `reserved`, network, gateway and broadcast are kept back."""
        network = ipaddress.ip_network(cidr)
        self.cidr = str(network)
        self._family = type(network.network_address)
        self._first = int(network.network_address)
        self._count = min(network.num_addresses, POOL_ADDRESSES_MAX)
        self._order = order
        kept = _kept_back(network) if reserved is None else reserved
        self._reserved = frozenset(self._offset(ip) for ip in kept)
        self._taken: set[int] = set()
        self._next = 0  # no free address lies below it (lowest); where to look next (round-robin)

    def take(self, wanted: str | None = None) -> str:
        """An address: the wanted one if it is free, else the next; PoolExhausted without one."""
        if wanted is not None and wanted in self and self._is_free(self._offset(wanted)):
            self._taken.add(self._offset(wanted))
            return wanted
        for offset in self._offsets():
            if self._is_free(offset):
                self._taken.add(offset)
                self._next = (offset + 1) % self._count
                return self._address(offset)
        raise PoolExhausted(
            f"{self.cidr} has no free address: {len(self._taken)} taken, "
            f"{len(self._reserved)} kept back; release some or use a larger range"
        )

    def release(self, ip: str) -> None:
        """Give an address back; one that is not taken is fine, since DEL is idempotent (P-100)."""
        if ip not in self:
            return
        offset = self._offset(ip)
        self._taken.discard(offset)
        if self._order is Order.LOWEST:
            self._next = min(self._next, offset)

    def __contains__(self, ip: object) -> bool:
        """Whether the address lies in the pool's range, free or not."""
        if not isinstance(ip, str):
            return False
        address = ipaddress.ip_address(ip)
        return isinstance(address, self._family) and 0 <= int(address) - self._first < self._count

    @property
    def taken(self) -> list[str]:
        """The addresses in use, lowest first."""
        return [self._address(offset) for offset in sorted(self._taken)]

    @property
    def free(self) -> int:
        """How many addresses can still be taken."""
        return self._count - len(self._taken | self._reserved)

    def _offsets(self) -> Iterator[int]:
        yield from range(self._next, self._count)
        yield from range(self._next)

    def _is_free(self, offset: int) -> bool:
        return offset not in self._taken and offset not in self._reserved

    def _address(self, offset: int) -> str:
        return str(self._family(self._first + offset))

    def _offset(self, ip: str) -> int:
        address = ipaddress.ip_address(ip)
        if ip not in self:
            raise ValueError(f"{ip} does not lie in {self.cidr}")
        return int(address) - self._first


def _kept_back(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> list[str]:
    """Network, gateway and, for IPv4, broadcast (P-21); nothing of a range of one or two."""
    if network.num_addresses <= 2:
        return []
    kept = [str(network.network_address), str(network.network_address + 1)]
    return [*kept, str(network.broadcast_address)] if network.version == 4 else kept
