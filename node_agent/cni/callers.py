"""Who waits for the verdict on an accepted socket: a client at a node port, or another process.

    verdict     a client                                      another process
    accepted    is connected: its socket says so already      is answered
    refused     is reset: it has shaken hands with us         is answered, and the socket closed
    dropped     hears nothing for SILENCE_SECONDS             is answered, and the socket closed

A client cannot tell what it saw, but what its socket does is decided here, so it is noted here
(O-20). Another process tells its own client, or notes what that sees.
"""

import socket
from typing import Protocol

from cluster.aio.relay import EndedBy
from cluster.aio.streams import close, hold, reset
from cluster.aio.tunnel import answer
from cluster.trace.record import ClientSaw
from cluster.wire.preamble import Answer
from node_agent.cni.rulings import Rulings

SILENCE_SECONDS = 127.0  # what Linux waits for an answer to its SYNs by default


class Caller(Protocol):
    """The other end of an accepted socket."""

    sock: socket.socket

    async def accepted(self, said: Answer) -> None:
        """Say that the flow goes on; the socket carries the program's bytes from now on."""

    async def refused(self, said: Answer) -> None:
        """Say that nobody takes it; the socket is closed."""

    async def dropped(self, said: Answer) -> None:
        """Say nothing to whoever opened the flow; the socket is closed in the end."""

    def ended(self, by: EndedBy) -> None:
        """Note how an accepted flow that went on by relay came to its end."""


class Client:
    """A client's own socket: told nothing by message, its socket says it all.

    `opener`: its flow began at this node, at a node port; else another process handed it over.
    """

    def __init__(
        self, sock: socket.socket, flow_id: str, rulings: Rulings, *, opener: bool = True
    ) -> None:
        self.sock = sock
        self._flow_id = flow_id
        self._rulings = rulings
        self._opener = opener

    def connected(self) -> None:
        """Connected: its kernel thinks so since the handshake."""
        self._saw(ClientSaw.CONNECTED)

    def turned_away(self) -> None:
        """Reset: too late for connection refused."""
        self._saw(ClientSaw.RESET)
        reset(self.sock)

    async def accepted(self, _: Answer) -> None:
        """Connected."""
        self.connected()

    async def refused(self, _: Answer) -> None:
        """Reset."""
        self.turned_away()

    async def dropped(self, _: Answer) -> None:
        """Silent: the client waits for its own time-out."""
        self._saw(ClientSaw.TIMEOUT)
        await hold(self.sock, SILENCE_SECONDS)

    def ended(self, by: EndedBy) -> None:
        """Reset, unless both sides closed or it left by itself."""
        if by in (EndedBy.SERVER_RESET, EndedBy.KILLED):
            self._saw(ClientSaw.RESET)

    def _saw(self, saw: ClientSaw) -> None:
        self._rulings.saw(self._flow_id, saw, opener=self._opener)


class PeerProcess:
    """Another process, at the far end of the tunnel."""

    def __init__(self, sock: socket.socket, key: bytes) -> None:
        self.sock = sock
        self._key = key

    async def accepted(self, said: Answer) -> None:
        """Answered."""
        await answer(self.sock, said, self._key)

    async def refused(self, said: Answer) -> None:
        """Answered, and done with."""
        await answer(self.sock, said, self._key)
        close(self.sock)

    async def dropped(self, said: Answer) -> None:
        """Answered: to be silent is the peer's to do."""
        await self.refused(said)

    def ended(self, by: EndedBy) -> None:
        """Its own relay tells it."""
