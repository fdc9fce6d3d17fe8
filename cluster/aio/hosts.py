"""Host names where an address is wanted: a container knows its own and others' names, no addresses.

A name is looked up once, when a process starts: who comes back elsewhere announces itself anew.
IPv4 first, as the emulated networks are.
"""

import ipaddress
import socket
from typing import NamedTuple

from cluster.errors import ConfigError
from cluster.wire.addresses import PORT_MAX, SocketAddress


class HostPort(NamedTuple):
    """A host, by name or IP address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "HostPort":
        """Read "name:port", "ip:port" or "[ipv6]:port"; ValueError says what is wrong."""
        host, colon, port = text.rpartition(":")
        if not colon or not host or (":" in host and not host.startswith("[")):
            raise ValueError(f"{text!r} is not HOST:PORT")
        if not port.isdecimal() or int(port) > PORT_MAX:
            raise ValueError(f"{text!r}: the port must be a number from 0 to {PORT_MAX}")
        return cls(host.strip("[]"), int(port))

    def resolve(self) -> SocketAddress:
        """The address behind the name; ConfigError when there is none."""
        return SocketAddress(ip_of(self.host), self.port)


def ip_of(host: str) -> str:
    """The IP address that a host name, or an IP address as text, stands for."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass  # a name
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"the host {host!r} has no address here: {error}") from error
    found.sort(key=lambda each: each[0] != socket.AF_INET)
    return str(found[0][4][0])
