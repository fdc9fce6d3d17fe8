"""Who a client is inside the emulated world, by the real address it dials from.

    dials from          is
    127.66.0.x          203.0.113.x, an outside client
    127.0.0.1           203.0.113.1, the outside client that everybody is who says nothing
    127.64.S.N          172.30.0.N, node N of the cluster in slot S, up to 250
    127.67.S.N          172.30.1.N, node 250 + N
    127.64.S.254        172.30.255.254, the control plane
    anything else       itself: another machine, a container's network

Pure: values in, a value out. Source: docs/architecture.md, "Addresses".
"""

import ipaddress
from functools import lru_cache
from typing import Final

from cluster.dataclass import dataclass
from cluster.wire.addresses import Cidr, ip_number

OUTSIDE_CLIENTS = "127.66.0.0/24=203.0.113.0/24"
LOCALHOST: Final = "127.0.0.1"
CONTROL_PLANE: Final = "172.30.255.254"
NODES_MAX = 500
_BLOCK = 250  # nodes that share three numbers of their address
_BLOCKS = ("127.64", "127.67")  # what lies between is others'
_NODES = tuple(Cidr.parse(f"{each}.0.0/16") for each in _BLOCKS)
_CONTROL_NUMBER = 254


@dataclass(frozen=True, slots=True)
class OutsideClients:
    """Two ranges of one size: addresses that can be dialed from, and whom they stand for."""

    real: Cidr
    emulated: Cidr

    @classmethod
    def parse(cls, text: str = OUTSIDE_CLIENTS) -> "OutsideClients":
        """Read "127.66.0.0/24=203.0.113.0/24"; ValueError says what is wrong."""
        real, equals, emulated = text.partition("=")
        if not equals:
            raise ValueError(f"{text!r} is not REAL-CIDR=EMULATED-CIDR")
        parsed = cls(Cidr.parse(real), Cidr.parse(emulated))
        sizes = [each.last - each.first + 1 for each in (parsed.real, parsed.emulated)]
        if sizes[0] != sizes[1]:
            raise ValueError(f"{text!r}: {sizes[0]} real for {sizes[1]} emulated addresses")
        return parsed

    def client_of(self, ip: str) -> str:
        """Whom a real source address stands for."""
        if ip in self.real:
            return _moved(ip, self.real, self.emulated)
        if ip == LOCALHOST:
            return _address(self.emulated.first + 1)
        return node_of(ip) or ip

    def source_of(self, client: str) -> str | None:
        """The real address to dial from in order to be this outside client; None: there is none."""
        return _moved(client, self.emulated, self.real) if client in self.emulated else None


def node_of(ip: str) -> str | None:
    """The emulated address of the node, or control plane, that a real address belongs to."""
    block = next((index for index, each in enumerate(_NODES) if ip in each), None)
    number = ip_number(ip) & 0xFF
    if block is None or number == 0:
        return None
    return CONTROL_PLANE if number == _CONTROL_NUMBER else f"172.30.{block}.{number}"


def real_address(slot: int, number: int) -> str:
    """Where node `number` of the cluster in a slot is dialed."""
    block, index = divmod(number - 1, _BLOCK)
    return f"{_BLOCKS[block]}.{slot}.{index + 1}"


def emulated_address(number: int) -> str:
    """The InternalIP of node `number`."""
    block, index = divmod(number - 1, _BLOCK)
    return f"172.30.{block}.{index + 1}"


def _moved(ip: str, before: Cidr, after: Cidr) -> str:
    return _address(ip_number(ip) - before.first + after.first)


@lru_cache(maxsize=65536)
def _address(number: int) -> str:
    return str(ipaddress.IPv4Address(number & 0xFFFFFFFF))
