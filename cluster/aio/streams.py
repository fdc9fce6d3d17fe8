"""Small acts on raw non-blocking sockets: listen, wait, send, close, reset, keep silent.

A descriptor is closed in one way only: its watchers go first. A number closed while it is watched
is given to the next socket, which then gets no events at all.
`outside` makes a system call for the process itself: a program's loop may look at the context of
whoever calls, and these calls are nobody's but ours.
"""

import asyncio
import contextvars
import errno
import os
import socket
import struct
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import ParamSpec, TypeVar

from cluster.wire.addresses import SocketAddress

BACKLOG = 4096
HELD_MAX = 1024
DISCARD_BYTES = 65536

USUAL_CONGESTION = Path("/proc/sys/net/ipv4/tcp_congestion_control")  # Linux

_LINGER_ZERO = struct.pack("ii", 1, 0)
_IN_PROGRESS = (errno.EINPROGRESS, errno.EALREADY, errno.EAGAIN, errno.EINTR)
_CONNECTED = (0, errno.EISCONN)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Until = Callable[[socket.socket], Awaitable[None]]  # how to wait for a socket


def outside(
    call: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Make a call in an empty context: in no pod's."""
    return contextvars.Context().run(call, *args, **kwargs)


class Stream4(socket.socket):
    """A TCP socket that says what it is at once: the standard one makes enums of numbers each time,
    and whoever attaches a connection to a loop asks."""

    type = socket.SOCK_STREAM
    family = socket.AF_INET


class Stream6(Stream4):
    """The same for IPv6."""

    family = socket.AF_INET6


def stream(descriptor: int, ip_version: int) -> socket.socket:
    """A connected TCP socket by its descriptor; nothing is asked of the system."""
    made = Stream6 if ip_version == 6 else Stream4
    return made(int(made.family), int(made.type), 0, descriptor)


def family_of(ip: str) -> socket.AddressFamily:
    """The address family of an IP address."""
    return socket.AF_INET6 if ":" in ip else socket.AF_INET


@cache
def unpaced() -> bytes | None:
    """Which congestion control to ask for on loopback, where the usual one paces what it sends.

    BBR does, by the delays of a network: on loopback that costs a good part of the rate.
    """
    try:
        if not USUAL_CONGESTION.read_text().startswith("bbr"):
            return None
        with socket.socket() as probe:
            probe.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    except OSError:  # not Linux, or not allowed
        return None
    return b"reno"


def unpace(sock: socket.socket, address: SocketAddress) -> None:
    """Send at the receiver's rate, if the other end is on this machine."""
    algorithm = unpaced() if address.ip.startswith("127.") or address.ip == "::1" else None
    if algorithm is not None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, algorithm)


def listen(address: SocketAddress, backlog: int = BACKLOG) -> socket.socket:
    """A listening TCP socket, non-blocking; what it accepts is undelayed, and unpaced."""
    sock = socket.socket(family_of(address.ip), socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        unpace(sock, address)
        sock.bind(address)
        sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock


def address_of(sock: socket.socket) -> SocketAddress:
    """The local address of a socket."""
    name = sock.getsockname()
    return SocketAddress(name[0], name[1])


def undelayed(sock: socket.socket) -> None:
    """Send small pieces at once; a socket that is gone already needs nothing."""
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTCONN):
            raise


def close(sock: socket.socket) -> None:
    """Stop watching, then close; again is fine."""
    unwatch(sock)
    sock.close()


def reset(sock: socket.socket) -> None:
    """Close so that the other end is told by RST: `transport.abort()` would send FIN."""
    if sock.fileno() >= 0:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        except OSError as error:
            if error.errno != errno.EINVAL:  # macOS says so of a connection that is reset already
                raise
    close(sock)


def unwatch(sock: socket.socket) -> None:
    """Remove the loop's watchers of a socket, if it has any."""
    fd = sock.fileno()
    if fd < 0:
        return
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # no loop runs, so nothing watches
        return
    loop.remove_reader(fd)
    loop.remove_writer(fd)


async def until_readable(sock: socket.socket) -> None:
    """Wait until a read would not block."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    fd = sock.fileno()
    loop.add_reader(fd, _set, ready)
    try:
        await ready
    finally:
        if sock.fileno() == fd:
            loop.remove_reader(fd)


async def until_writable(sock: socket.socket) -> None:
    """Wait until a write would not block, or a connect has ended."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    fd = sock.fileno()
    loop.add_writer(fd, _set, ready)
    try:
        await ready
    finally:
        if sock.fileno() == fd:
            loop.remove_writer(fd)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def connect(
    sock: socket.socket, address: SocketAddress, *, until_connected: Until = until_writable
) -> None:
    """Connect a non-blocking socket on the machine's own network, undelayed and unpaced.

    OSError as connect(2) has it.
    """
    code = outside(sock.connect_ex, address)
    if code in _IN_PROGRESS:  # on loopback the handshake is over by now: asking again says so
        code = outside(sock.connect_ex, address)
    if code in _IN_PROGRESS:
        await until_connected(sock)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code not in _CONNECTED:
        raise OSError(code, f"{address}: {os.strerror(code)}")
    undelayed(sock)
    unpace(sock, address)


async def send_all(
    sock: socket.socket, data: bytes, until_sendable: Until = until_writable
) -> None:
    """Send everything."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[sock.send(rest) :]
        except (BlockingIOError, InterruptedError):
            await until_sendable(sock)


_held: OrderedDict[int, asyncio.Future[None]] = OrderedDict()  # the oldest first


async def hold(sock: socket.socket, seconds: float) -> None:
    """Say nothing to the other end for a while, then reset it.

    Ends early when the other end resets, or when HELD_MAX others were held after it.
    """
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    key = id(over)
    _held[key] = over
    if len(_held) > HELD_MAX:
        _, oldest = _held.popitem(last=False)
        _set(oldest)
    timer = loop.call_later(seconds, _set, over)
    fd = sock.fileno()
    if fd >= 0:
        loop.add_reader(fd, _discard, loop, sock, over)
    try:
        await over
    finally:
        timer.cancel()
        _held.pop(key, None)
        reset(sock)


def held() -> int:
    """How many connections are kept silent now."""
    return len(_held)


def _discard(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, over: asyncio.Future[None]
) -> None:
    """Nobody reads what comes. An end of file is no reason to speak: it may be half-closed."""
    try:
        if not sock.recv(DISCARD_BYTES):
            loop.remove_reader(sock.fileno())
    except (BlockingIOError, InterruptedError):
        return
    except OSError:  # the other end has given up
        _set(over)
