"""A process that relays and does nothing else.

python -m tests.benchmarks.bare_relay PORT TARGET_PORT     both on 127.0.0.1; until it is ended
"""

import asyncio
import signal
import socket
import sys

import uvloop

from cluster.aio.clock import SystemClock
from cluster.aio.listener import Listener
from cluster.aio.process import raise_open_files
from cluster.aio.relay import Relays
from cluster.aio.streams import connect, reset
from cluster.aio.tasks import Tasks
from cluster.wire.addresses import SocketAddress

LOOPBACK = "127.0.0.1"


async def relay(port: int, target: SocketAddress) -> None:
    """Relay every connection until the process is told to end."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    relays, tasks = Relays(), Tasks(SystemClock())

    async def carry(client: socket.socket) -> None:
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        server.setblocking(False)
        try:
            await connect(server, target)
        except OSError:
            server.close()
            reset(client)
        else:
            await relays.join(client, server)

    listener = Listener(
        SocketAddress(LOOPBACK, port), lambda sock, _: tasks.start(carry(sock), name="relay")
    )
    listener.start()
    await ended.wait()
    listener.close()
    relays.close()
    await tasks.close()


if __name__ == "__main__":
    raise_open_files()
    uvloop.run(relay(int(sys.argv[1]), SocketAddress(LOOPBACK, int(sys.argv[2]))))
