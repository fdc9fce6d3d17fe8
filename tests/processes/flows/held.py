"""Which processes have a client's own connection open, by the kernel's account."""

import socket
import struct
from pathlib import Path

from cluster.wire.addresses import SocketAddress
from tests.processes.flows.client import Client
from tests.processes.flows.ground import PROCESSES, Ground, sockets


async def holders(ground: Ground, client: Client) -> list[str]:
    """The processes that hold the far end of a client's socket."""
    near, far = client.address, SocketAddress(*client.writer.get_extra_info("peername"))
    inode = _inode(local=far, remote=near)
    found = await ground.cluster.processes()
    return [name for name in PROCESSES if inode in sockets(found[name]["pid"])]


def _inode(local: SocketAddress, remote: SocketAddress) -> str:
    wanted = [_hexadecimal(local), _hexadecimal(remote)]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == wanted:
            return f"socket:[{fields[9]}]"
    raise AssertionError(f"no connection of {local} with {remote}")


def _hexadecimal(address: SocketAddress) -> str:
    """As the kernel writes it: four bytes as this machine's number, the port as it is said."""
    (number,) = struct.unpack("=I", socket.inet_aton(address.ip))
    return f"{number:08X}:{address.port:04X}"
