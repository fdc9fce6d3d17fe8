"""Socket names as the kernel writes them: comparable and hashable without being read.

    IPv4   family (2, native) | port (2) | address (4) | zeroes (8)
    IPv6   family (2, native) | port (2) | flow (4) | address (16) | scope (4, native)

A name that came with a datagram is kept and given back as it is; only who has to show it or to
decide about it reads it, and what was read is remembered.
"""

import socket
import struct
from functools import lru_cache

from cluster.wire.addresses import SocketAddress

NAMES_REMEMBERED_MAX = 16384
NAME_BYTES = {socket.AF_INET: 16, socket.AF_INET6: 28}

_FAMILY = struct.Struct("=H")
_SCOPE = struct.Struct("=I")
_V4, _V6 = struct.Struct("!2xH4s8x"), struct.Struct("!2xHI16s4x")


@lru_cache(maxsize=NAMES_REMEMBERED_MAX)
def pack_name(address: SocketAddress) -> bytes:
    """The name of an address; OSError if its IP address is none."""
    if ":" in address.ip:
        packed = _V6.pack(address.port, 0, socket.inet_pton(socket.AF_INET6, address.ip))
        return _FAMILY.pack(socket.AF_INET6) + packed[_FAMILY.size :]
    packed = _V4.pack(address.port, socket.inet_pton(socket.AF_INET, address.ip))
    return _FAMILY.pack(socket.AF_INET) + packed[_FAMILY.size :]


@lru_cache(maxsize=NAMES_REMEMBERED_MAX)
def pack_peer(peer: tuple[str, int] | tuple[str, int, int, int]) -> bytes:
    """The name of whom Python's socket says that something came from."""
    if len(peer) == 2:
        return pack_name(SocketAddress(*peer))
    ip, port, flow, scope = peer
    packed = _V6.pack(port, flow, socket.inet_pton(socket.AF_INET6, ip.partition("%")[0]))
    return _FAMILY.pack(socket.AF_INET6) + packed[_FAMILY.size : -_SCOPE.size] + _SCOPE.pack(scope)


@lru_cache(maxsize=NAMES_REMEMBERED_MAX)
def read_name(name: bytes) -> SocketAddress:
    """The address in a name."""
    if _FAMILY.unpack_from(name)[0] == socket.AF_INET6:
        port, _, ip = _V6.unpack(name)
        return SocketAddress(socket.inet_ntop(socket.AF_INET6, ip), port)
    port, ip = _V4.unpack(name)
    return SocketAddress(socket.inet_ntop(socket.AF_INET, ip), port)
