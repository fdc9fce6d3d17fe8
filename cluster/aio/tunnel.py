"""Flows between processes: dial another process's tunnel, and serve one's own.

    dialer                                  server
      connect, preamble  ------------------>  reads exactly the preamble; on_flow(sock, context)
      reads exactly the answer  <-----------  answer(sock, verdict)
      the program's bytes  <--------------->  the program's bytes

Neither end reads one byte more than its message: what follows belongs to the programs.
A connection that breaks the format, or takes too long, is closed with a reason in the log, alone.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable

from cluster.aio.clock import SystemClock
from cluster.aio.deadline import Deadline, Expired
from cluster.aio.listener import Listener
from cluster.aio.streams import (
    close,
    connect,
    family_of,
    reset,
    send_all,
    unwatch,
)
from cluster.aio.tasks import Tasks
from cluster.errors import WireError
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import FlowContext
from cluster.wire.preamble import (
    Answer,
    AnswerOutcome,
    Reader,
    decode_context,
    decode_verdict,
    encode_context,
    encode_verdict,
)

log = logging.getLogger(__name__)

HALF_OPEN_MAX = 1024
PREAMBLE_SECONDS = 5.0

OnFlow = Callable[[socket.socket, FlowContext], Awaitable[None]]


async def dial(
    address: SocketAddress,
    context: FlowContext,
    key: bytes,
    *,
    sock: socket.socket | None = None,
    timeout_seconds: float,
) -> tuple[socket.socket, Answer]:
    """Ask the process at `address` to take a flow; its answer, and the socket it came on.

    The socket is a new one, or the caller's: non-blocking, not yet connected. Unless the flow is
    accepted, a new one is closed already, and the caller's is the caller's to close. OSError: the
    process cannot be reached, does not answer in time, or answers with anything but an answer.
    """
    connected = sock or socket.socket(family_of(address.ip), socket.SOCK_STREAM)
    deadline = Deadline(timeout_seconds)
    accepted = False
    try:
        await _reach(connected, address, deadline)
        said = await _ask(connected, address, context, key, deadline)
        accepted = said.outcome is AnswerOutcome.ACCEPTED
    except (WireError, Expired) as error:
        raise _no_answer(address, deadline, error) from error
    finally:
        if sock is None and not accepted:
            close(connected)
    return connected, said


async def reach(address: SocketAddress, *, timeout_seconds: float) -> socket.socket:
    """The first half of `dial`: a connection on which nothing has been said."""
    sock = socket.socket(family_of(address.ip), socket.SOCK_STREAM)
    deadline = Deadline(timeout_seconds)
    reached = False
    try:
        await _reach(sock, address, deadline)
        reached = True
    except Expired as error:
        raise _no_answer(address, deadline, error) from error
    finally:
        if not reached:
            close(sock)
    return sock


async def ask(
    sock: socket.socket,
    address: SocketAddress,
    context: FlowContext,
    key: bytes,
    *,
    timeout_seconds: float,
) -> Answer:
    """The second half of `dial`; the socket stays the caller's whatever the answer is."""
    deadline = Deadline(timeout_seconds)
    try:
        return await _ask(sock, address, context, key, deadline)
    except (WireError, Expired) as error:
        raise _no_answer(address, deadline, error) from error


async def alive(address: SocketAddress, *, timeout_seconds: float) -> None:
    """Return if a tunnel server works there; else OSError.

    A connection that ends before it says anything is ended by the other side too. A listening
    socket alone does not do that: the kernel shakes hands for a process that hangs.
    """
    sock = await reach(address, timeout_seconds=timeout_seconds)
    deadline = Deadline(timeout_seconds)
    try:
        sock.shutdown(socket.SHUT_WR)
        await deadline.until_readable(sock)
        sock.recv(1)
    except Expired as error:
        raise _no_answer(address, deadline, error) from error
    finally:
        close(sock)


def _no_answer(address: SocketAddress, deadline: Deadline, error: Exception) -> OSError:
    """What went wrong, as a caller of connect(2) knows how to take it."""
    if isinstance(error, WireError):
        reason = f"{address} gave no answer: {error}"
        return ConnectionAbortedError(errno.ECONNABORTED, reason)
    return TimeoutError(errno.ETIMEDOUT, f"{address} gave no answer in {deadline.seconds:g} s")


async def _reach(sock: socket.socket, address: SocketAddress, deadline: Deadline) -> None:
    sock.setblocking(False)
    await connect(sock, address, until_connected=deadline.until_writable)


async def _ask(
    sock: socket.socket,
    address: SocketAddress,
    context: FlowContext,
    key: bytes,
    deadline: Deadline,
) -> Answer:
    await send_all(sock, encode_context(context, key), deadline.until_writable)
    await deadline.until_readable(sock)  # it takes the other process some time in any case
    reader = Reader()
    while reader.wanted:
        try:
            data = sock.recv(reader.wanted)
        except (BlockingIOError, InterruptedError):
            await deadline.until_readable(sock)
            continue
        if not data:
            raise ConnectionResetError(
                errno.ECONNRESET,
                f"{address} closed after {reader.received} bytes of its answer",
            )
        reader.feed(data)
    return decode_verdict(reader.header, reader.body, key)


async def answer(sock: socket.socket, verdict: Answer, key: bytes) -> None:
    """Answer a preamble; OSError if the dialer has left."""
    await send_all(sock, encode_verdict(verdict, key))


class TunnelServer:
    """Listens for flows of other processes; `on_flow` owns the socket from its call on.

    While HALF_OPEN_MAX connections have not sent their preamble, no further one is accepted.
    """

    def __init__(
        self,
        address: SocketAddress,
        key: bytes,
        on_flow: OnFlow,
        *,
        preamble_seconds: float = PREAMBLE_SECONDS,
        half_open_max: int = HALF_OPEN_MAX,
    ) -> None:
        """Bind; OSError if the address may not be had. `start` begins to accept."""
        self._key = key
        self._on_flow = on_flow
        self._preamble_seconds = preamble_seconds
        self._half_open_max = half_open_max
        self._half_open: set[_HalfOpen] = set()
        self._tasks = Tasks(SystemClock())
        self._listener = Listener(address, self._accepted)
        self.address = self._listener.address

    def start(self) -> None:
        """Accept from now on."""
        self._listener.start()

    def unbind(self) -> None:
        """Give the address back, before anything was accepted."""
        self._listener.close()

    async def close(self) -> None:
        """Stop listening; end the flows whose `on_flow` still runs."""
        self._listener.close()
        for each in list(self._half_open):
            each.end("the server closes")
        await self._tasks.close()

    @property
    def half_open(self) -> int:
        """How many connections have not sent their preamble yet."""
        return len(self._half_open)

    @property
    def carrying(self) -> int:
        """How many `on_flow` calls have not ended."""
        return len(self._tasks)

    def _accepted(self, sock: socket.socket, peer: SocketAddress) -> None:
        half_open = _HalfOpen(sock, peer, self._key, self._ended)
        if half_open.start(self._preamble_seconds):
            return
        self._half_open.add(half_open)
        if len(self._half_open) >= self._half_open_max:
            self._listener.pause()

    def _ended(
        self, half_open: "_HalfOpen", flow: tuple[socket.socket, FlowContext] | None
    ) -> None:
        self._half_open.discard(half_open)
        if flow is not None:
            self._tasks.start(self._carry(*flow), name=f"flow {flow[1].flow_id}")
        self._listener.start()

    async def _carry(self, sock: socket.socket, context: FlowContext) -> None:
        try:
            await self._on_flow(sock, context)
        except OSError as error:
            log.info("flow lost flow=%s from=%s error=%s", context.flow_id, context.sender, error)
            reset(sock)
        except BaseException:
            reset(sock)
            raise


Ended = Callable[["_HalfOpen", tuple[socket.socket, FlowContext] | None], None]


class _HalfOpen:
    """One connection until its preamble is whole."""

    def __init__(self, sock: socket.socket, peer: SocketAddress, key: bytes, ended: Ended) -> None:
        self._sock = sock
        self._peer = peer
        self._key = key
        self._ended = ended
        self._over = False
        self._timer: asyncio.TimerHandle | None = None
        self._reader = Reader()

    def start(self, seconds: float) -> bool:
        """Read what has arrived already, and whether that was all: mostly it is."""
        self._read()
        if not self._over:
            loop = asyncio.get_running_loop()
            loop.add_reader(self._sock.fileno(), self._read)
            self._timer = loop.call_later(seconds, self._too_slow, seconds)
        return self._over

    def end(self, reason: str) -> None:
        """Close the connection."""
        log.warning("tunnel connection closed peer=%s reason=%s", self._peer, reason)
        self._close()

    def _close(self) -> None:
        close(self._sock)
        self._leave(None)

    def _read(self) -> None:
        try:
            while self._reader.wanted:
                data = self._sock.recv(self._reader.wanted)
                if not data and not self._reader.received:  # somebody asked whether we live
                    self._close()
                    return
                if not data:
                    raise WireError(f"closed after {self._reader.received} bytes of its preamble")
                self._reader.feed(data)
            context = decode_context(self._reader.header, self._reader.body, self._key)
        except (BlockingIOError, InterruptedError):
            return
        except (WireError, OSError) as error:
            self.end(str(error))
            return
        if self._timer is not None:
            unwatch(self._sock)
        self._leave((self._sock, context))

    def _too_slow(self, seconds: float) -> None:
        self.end(f"{self._reader.received} bytes of a preamble in {seconds:g} s")

    def _leave(self, flow: tuple[socket.socket, FlowContext] | None) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        self._ended(self, flow)
