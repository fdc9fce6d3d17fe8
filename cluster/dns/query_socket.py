"""Queries by UDP on a socket of the machine: one at a time while they come so, else by the batch.

    one      recvfrom -> memory -> sendto                   the least time for who waits alone
    many     recvmmsg -> memory for each -> sendmmsg        the least work for each of many

A batch costs more than one query alone, and less than two. So after a batch that held one query the
next ones are taken singly, each time twice as many of them, before a batch is tried again.
Spec: D-93 to D-100.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from cluster.aio.datagrams import bound
from cluster.aio.mmsg import mmsg_works
from cluster.aio.streams import address_of, close
from cluster.dns.accounts import socket_address
from cluster.dns.handler import QueryHandler
from cluster.dns.prepared import ID_BYTES
from cluster.dns.query_batch import SLOT_BYTES, QueryBatch
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow

log = logging.getLogger(__name__)

SINGLES_MAX = 64


class QuerySocket:
    """Serves one address."""

    def __init__(self, handler: QueryHandler, address: SocketAddress) -> None:
        """Bind; OSError if the address may not be had. `start` begins to serve."""
        self._handler = handler
        self._accounts = handler.accounts
        self._monotonic = handler.monotonic
        self._sock = bound(address)
        self.address = address_of(self._sock)
        self.dropped = 0  # answers that the kernel did not take
        self._batch = QueryBatch(self._sock.family) if mmsg_works() else None
        self._singles = self._singles_after = 1
        self._one = self._taker()

    def start(self) -> None:
        """Serve from now on."""
        asyncio.get_running_loop().add_reader(self._sock.fileno(), self._readable)

    def close(self) -> None:
        """Stop."""
        close(self._sock)

    def _readable(self) -> None:
        try:
            if self._singles or self._batch is None:
                self._singles -= 1
                self._one()
            else:
                self._many(self._batch)
        except (BlockingIOError, InterruptedError):
            return  # nothing was there after all
        except OSError as error:
            log.debug("socket error error=%s", error)  # a client that has gone: nothing to do

    def _taker(self) -> Callable[[], None]:
        """What takes one query. All that it needs is at hand: it is called for every one."""
        receive, send, server = self._sock.recvfrom, self._sock.sendto, self.address
        monotonic, known, hit = self._monotonic, self._handler.memory, self._accounts.hit

        def take() -> None:
            query, peer = receive(SLOT_BYTES)
            began = monotonic()
            memory = known()
            prepared = None if memory is None else memory.hit(query[ID_BYTES:])
            if memory is None or prepared is None:
                self._serve(query, socket_address(peer))
                return
            try:
                send(query[:ID_BYTES] + prepared.rest, peer)
            except OSError as error:
                self._drop(error)
            hit(prepared, peer, server, memory.zone, began)

        return take

    def _many(self, batch: QueryBatch) -> None:
        if batch.receive(self._sock) > 1:
            self._singles_after = 1
        else:
            self._singles_after = self._singles = min(2 * self._singles_after, SINGLES_MAX)
        began = self._monotonic()
        memory = self._handler.memory()
        found = batch.answer(memory.hit if memory is not None else _nothing)
        self.dropped += batch.send(self._sock)
        if memory is not None and found:
            self._accounts.hits(found, batch.peers(), self.address, memory.zone, began)
        for index in batch.others:
            self._serve(batch.query(index), batch.peer(index))

    def _serve(self, query: bytes, peer: SocketAddress) -> None:
        flow = Flow(Protocol.UDP, peer, self.address)
        self._handler.serve(query, flow, partial(self._send, peer=peer))

    def _send(self, reply: bytes, peer: SocketAddress) -> None:
        if self._sock.fileno() < 0:
            return  # closed while another server was asked
        try:
            self._sock.sendto(reply, peer)
        except OSError as error:
            self._drop(error)

    def _drop(self, error: OSError) -> None:
        self.dropped += 1
        log.debug("answer dropped error=%s", error)


def _nothing(_: bytes) -> None:
    """Nothing is known by heart."""
