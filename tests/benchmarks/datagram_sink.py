"""Takes datagrams, counts them by sender, and says so now and then: in a pod, and just the same
outside the cluster.

    first byte   what is answered
    C            every ACKNOWLEDGED-th: how many came of this sender so far, 8 bytes
    T            at once: how many came so far; it is not counted itself
    E            at once: the datagram as it is

python://tests.benchmarks.datagram_sink:pod                   in a pod
python -m tests.benchmarks.datagram_sink PORT                 outside, until its input ends
"""

import asyncio
import struct
import sys
from typing import Any

import uvloop

from cluster.aio.batch import BySender
from cluster.aio.datagrams import DatagramEndpoint
from cluster.wire.addresses import SocketAddress
from tests.benchmarks.pods import Minimal

PORT, READY_PORT = 8085, 8086
COUNTED, TOTAL, ECHOED = b"C", b"T", b"E"
ACKNOWLEDGED = 32
COUNT = struct.Struct("!Q")
_COUNTED, _ECHOED = COUNTED[0], ECHOED[0]


class Counts:
    """How many came of each sender."""

    def __init__(self) -> None:
        self._totals: dict[object, int] = {}

    def answer(self, data: bytes, sender: object) -> bytes | None:
        """What is said to a datagram, if anything is."""
        kind = data[0]
        if kind == _COUNTED:
            total = self._totals[sender] = self._totals.get(sender, 0) + 1
            return None if total % ACKNOWLEDGED else COUNT.pack(total)
        if kind == _ECHOED:
            return data
        return COUNT.pack(self._totals.get(sender, 0))


class Sink(asyncio.DatagramProtocol):
    """In a pod."""

    def __init__(self) -> None:
        self._counts = Counts()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        answer = self._counts.answer(data, addr)
        if answer is not None:
            self._transport.sendto(answer, addr)


class _Batched:
    """Outside: by the cheapest calls that there are, so that relays lose nothing by it."""

    def __init__(self, port: int) -> None:
        self._counts = Counts()
        self._endpoint = DatagramEndpoint(SocketAddress("127.0.0.1", port), on_batch=self._came)
        self._endpoint.start()

    def _came(self, came: BySender) -> None:
        for name, payloads in came.items():
            for data in payloads:
                answer = self._counts.answer(data, name)
                if answer is not None:
                    self._endpoint.send_all(b"", (answer,), name)


async def pod() -> None:
    """Serve, until cancelled; a little HTTP beside it, for who asks whether it is ready."""
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Sink, ("0.0.0.0", PORT))
    await loop.create_server(Minimal, "0.0.0.0", READY_PORT)
    await asyncio.Event().wait()


async def _outside(port: int) -> None:
    sink = _Batched(port)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    sink._endpoint.close()


if __name__ == "__main__":
    uvloop.run(_outside(int(sys.argv[1])))
