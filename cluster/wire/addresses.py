"""Addresses as text and numbers: protocol, socket address, CIDR.

Pure: no I/O.
IP addresses travel as canonical text ("10.244.1.5"); a CIDR compares numbers, so that matching an
address against it parses nothing twice.
"""

import ipaddress
import socket
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

PORT_MAX = 65535


class Protocol(StrEnum):
    """The transport protocols of a Service port, spelled as the API spells them."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"


class SocketAddress(NamedTuple):
    """An IP address and a port; equal to the plain tuple asyncio uses."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"

    @classmethod
    def parse(cls, text: str, *, default_port: int | None = None) -> "SocketAddress":
        """Read "ip:port" or "[ipv6]:port"; ValueError says what is wrong with the text."""
        host, colon, port = text.rpartition(":")
        if not colon or (":" in host and not host.startswith("[")):
            if default_port is None:
                raise ValueError(f"{text!r} is not ADDRESS:PORT")
            host, port = text, str(default_port)
        number = int(port) if port.isdecimal() else -1
        if not 0 <= number <= PORT_MAX:
            raise ValueError(f"{text!r}: the port must be a number from 0 to {PORT_MAX}")
        return cls(str(ipaddress.ip_address(host.strip("[]"))), number)


@lru_cache(maxsize=65536)
def ip_number(ip: str) -> int:
    """The address as a number; IPv4 below 2**32, IPv6 offset above so that families never meet."""
    try:
        return int.from_bytes(socket.inet_aton(ip), "big") if ip.count(".") == 3 else _v6(ip)
    except OSError as error:
        raise ValueError(f"{ip!r} is not an IP address") from error


def _v6(ip: str) -> int:
    return (1 << 128) | int(ipaddress.IPv6Address(ip))


class Cidr(NamedTuple):
    """A range of addresses, first and last as `ip_number` gives them."""

    text: str
    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> "Cidr":
        """Read "10.244.0.0/16"; host bits may be set, as the API allows; ValueError otherwise."""
        network = ipaddress.ip_network(text, strict=False)
        offset = 0 if network.version == 4 else 1 << 128
        first = offset | int(network.network_address)
        return cls(text, first, offset | int(network.broadcast_address))

    def __contains__(self, ip: object) -> bool:
        return isinstance(ip, str) and self.first <= ip_number(ip) <= self.last
