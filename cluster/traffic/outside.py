"""Real sockets of outside clients: bound to the client's own address, connected to the front's.

203.0.113.7 dials from 127.66.0.7; who is nobody in particular dials from wherever the kernel likes,
127.0.0.1 on one machine. Source: docs/architecture.md, "Addresses".
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import TypeVar

from cluster.errors import ConfigError
from cluster.traffic.access import Access
from cluster.traffic.attempt import Attempt
from cluster.traffic.refusal import explain
from cluster.traffic.resolve import Target, resolve
from cluster.traffic.unreached import Symptom, Unreached
from cluster.wire.addresses import SocketAddress

AnyProtocol = TypeVar("AnyProtocol", bound=asyncio.BaseProtocol)

_SYMPTOMS = {
    errno.ECONNREFUSED: Symptom.REFUSED,
    errno.ECONNRESET: Symptom.RESET,
    errno.EPIPE: Symptom.RESET,
    errno.ETIMEDOUT: Symptom.TIMEOUT,
}


async def target_of(access: Access, attempt: Attempt) -> Target:
    """Where an outside client dials; noted in the attempt."""
    attempt.target = resolve(
        attempt.host,
        attempt.port,
        await access.known(),
        protocol=attempt.protocol,
        namespace=attempt.place.namespace,
    )
    return attempt.target


async def connect_stream(
    access: Access, attempt: Attempt, factory: Callable[[], AnyProtocol]
) -> AnyProtocol:
    """A TCP connection of an outside client."""
    target = await target_of(access, attempt)
    sock = bound_socket(access, attempt, target, socket.SOCK_STREAM)
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_connect(sock, tuple(target.real))
        attempt.source = _local_address(sock)
        _, protocol = await loop.create_connection(factory, sock=sock)
    except OSError as error:
        attempt.source = _local_address(sock)
        sock.close()
        raise await failure(access, attempt, error) from error
    except BaseException:  # cancelled: whom it was dialled as is still worth knowing
        attempt.source = _local_address(sock)
        sock.close()
        raise
    return protocol


def bound_socket(
    access: Access, attempt: Attempt, target: Target, kind: socket.SocketKind
) -> socket.socket:
    """A non-blocking socket with the client's address; ConfigError where the machine lacks it."""
    family = socket.AF_INET6 if ":" in target.real.ip else socket.AF_INET
    sock = socket.socket(family, kind)
    sock.setblocking(False)
    client = attempt.place.name
    real = access.clients.source_of(client) if client else None
    try:
        if real is not None:
            sock.bind((real, 0))
    except OSError as error:
        sock.close()
        text = f"cannot dial as {client}: this machine has no address {real} ({error.strerror})"
        raise ConfigError(f"{text}; dial as internet") from error
    return sock


async def failure(access: Access, attempt: Attempt, error: OSError) -> Unreached:
    """What the program sees, and why, as far as somebody can tell."""
    kind = _SYMPTOMS.get(error.errno or 0, Symptom.UNREACHABLE)
    words = (os.strerror(error.errno) if error.errno else str(error)).lower()
    assert attempt.target is not None
    message = f"{attempt}: {words} at {attempt.target.real} ({attempt.target.what})"
    if kind is not Symptom.REFUSED:
        return Unreached(kind, message)
    reason, trace = await explain(access, attempt)
    return Unreached(kind, f"{message}: {reason}", trace=trace)


def _local_address(sock: socket.socket) -> SocketAddress | None:
    name = sock.getsockname()
    return SocketAddress(name[0], name[1]) if name[1] else None
