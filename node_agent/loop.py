"""The event loop as the pods' kernel: whose task calls decides which network it gets.

uvloop's loop, with every call that would touch the network (or leave the process) overridden: in a
pod's context (`cni.pod_context.POD`) it goes to that pod's network; anywhere else it is the real
call. So an unmodified asyncio program is a pod. What would leave the loop would leave the pod, and
is answered for here too: executors keep the pod's context, signals are the container's, processes
cannot be started, and an audit hook fails closed when a pod's code reaches for the real network.
"""

import asyncio
import contextvars
import errno
import logging
import os
import socket
import ssl
import sys
from collections.abc import Callable
from typing import Any

import uvloop

from node_agent.cni.pod_context import POD, SIGNALS
from node_agent.cni.pod_network import PodNetwork
from node_agent.cni.transport import Factory, PodTransport

log = logging.getLogger(__name__)

ESCAPES_REMEMBERED_MAX = 1024


class NodeLoop(uvloop.Loop):  # type: ignore[misc]
    """The event loop of a node agent."""

    # Real calls for the pods' networks: nothing here looks at the context

    async def real_server(
        self, factory: Factory, host: str, tls: ssl.SSLContext | None
    ) -> asyncio.Server:
        """Listen for real; handlers run in the caller's context."""
        server: asyncio.Server = await super().create_server(factory, host, 0, ssl=tls)
        return server

    async def real_connection(
        self, factory: Factory, sock: socket.socket, **options: Any
    ) -> tuple[asyncio.Transport, Any]:
        """Put a transport on a connected socket; its protocol runs in the caller's context."""
        made: tuple[asyncio.Transport, Any] = await super().create_connection(
            factory, sock=sock, **options
        )
        return made

    # TCP

    async def create_server(
        self, protocol_factory: Factory, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        pod = POD.get()
        if pod is None:
            return await super().create_server(protocol_factory, host, port, **options)
        if options.get("sock") is not None:
            raise _unsupported("create_server(sock=...)", "give host and port")
        return await pod.create_server(
            protocol_factory,
            host,
            port,
            tls=options.get("ssl"),
            start_serving=options.get("start_serving", True),
        )

    async def create_connection(
        self, protocol_factory: Factory, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        pod = POD.get()
        if pod is None:
            return await super().create_connection(protocol_factory, host, port, **options)
        wanted = {name: options[name] for name in _CONNECTION_OPTIONS if options.get(name)}
        sock = options.get("sock")
        if sock is None:
            family = options.get("family", 0)
            return await pod.create_connection(
                protocol_factory, host, port, family=family, **wanted
            )
        flow = pod.flow_of(sock)
        if flow is None:  # a socket pair of the program's own
            return await super().create_connection(protocol_factory, sock=sock, **wanted)
        return await pod.wrap(protocol_factory, sock, flow, **wanted)

    async def sock_connect(self, sock: Any, address: Any) -> None:
        pod = POD.get()
        if pod is None or sock.family == socket.AF_UNIX:
            await super().sock_connect(sock, address)
            return
        if sock.type != socket.SOCK_STREAM:
            raise _unsupported("sock_connect on UDP", "use create_datagram_endpoint")
        await pod.sock_connect(sock, address)

    async def start_tls(
        self, transport: Any, protocol: Any, sslcontext: Any, **options: Any
    ) -> Any:
        if not isinstance(transport, PodTransport):
            return await super().start_tls(transport, protocol, sslcontext, **options)
        own, peer = transport.names
        real = await super().start_tls(transport.real, protocol, sslcontext, **options)
        return PodTransport(real, own, peer, self)

    async def sendfile(self, transport: Any, file: Any, *arguments: Any, **options: Any) -> Any:
        real = transport.real if isinstance(transport, PodTransport) else transport
        return await super().sendfile(real, file, *arguments, **options)

    # UDP

    async def create_datagram_endpoint(
        self,
        protocol_factory: Any,
        local_addr: Any = None,
        remote_addr: Any = None,
        **options: Any,
    ) -> Any:
        pod = POD.get()
        if pod is None:
            return await super().create_datagram_endpoint(
                protocol_factory, local_addr, remote_addr, **options
            )
        if options.get("sock") is not None:
            raise _unsupported("create_datagram_endpoint(sock=...)", "give local_addr")
        return await pod.create_datagram_endpoint(protocol_factory, local_addr, remote_addr)

    # Names

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        pod = POD.get()
        if pod is None:
            return await super().getaddrinfo(
                host, port, family=family, type=type, proto=proto, flags=flags
            )
        return await pod.names.getaddrinfo(pod, host, port, family, type, proto, flags)

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> Any:
        pod = POD.get()
        if pod is None:
            return await super().getnameinfo(sockaddr, flags)
        return await pod.names.getnameinfo(pod, sockaddr, flags)

    # What would leave the loop

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *arguments: Any) -> Any:
        if POD.get() is None:
            return super().run_in_executor(executor, func, *arguments)
        context = contextvars.copy_context()
        return super().run_in_executor(executor, context.run, func, *arguments)

    def add_signal_handler(self, sig: int, callback: Callable[..., Any], *arguments: Any) -> None:
        table = SIGNALS.get()
        if table is None:
            super().add_signal_handler(sig, callback, *arguments)
            return
        table.add(sig, callback, arguments)

    def remove_signal_handler(self, sig: int) -> bool:
        table = SIGNALS.get()
        if table is None:
            return bool(super().remove_signal_handler(sig))
        return table.remove(sig)

    async def subprocess_exec(self, *arguments: Any, **options: Any) -> Any:
        if POD.get() is None:
            return await super().subprocess_exec(*arguments, **options)
        raise _no_processes()

    async def subprocess_shell(self, *arguments: Any, **options: Any) -> Any:
        if POD.get() is None:
            return await super().subprocess_shell(*arguments, **options)
        raise _no_processes()


_CONNECTION_OPTIONS = (
    "ssl",
    "server_hostname",
    "ssl_handshake_timeout",
    "ssl_shutdown_timeout",
)


def _unsupported(what: str, instead: str) -> OSError:
    return OSError(errno.EOPNOTSUPP, f"a pod cannot use {what}: {instead}")


def _no_processes() -> OSError:
    return OSError(errno.EPERM, "a pod's program cannot start processes: it runs inside the node")


class Escapes:
    """Fails closed when a pod's code uses the machine's own network behind the loop's back.

    `allowed` holds the real addresses that the agent itself dials on a pod's behalf. Reports each
    pod and target once (bounded).
    """

    def __init__(self, report: Callable[[PodNetwork, str], None]) -> None:
        self.allowed: set[tuple[str, int]] = set()
        self._report = report
        self._seen: set[tuple[str, str]] = set()

    def install(self) -> None:
        """Add the audit hook; it stays for the life of the process."""
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
            return
        pod = POD.get()
        if pod is None:
            return
        target = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
        if isinstance(target, (str, bytes)) and event != "socket.getaddrinfo":
            return  # a Unix socket
        if isinstance(target, tuple) and tuple(target[:2]) in self.allowed:
            return
        if event == "socket.getaddrinfo" and _literal(target):
            return
        self._refuse(pod, event, str(target))

    def _refuse(self, pod: PodNetwork, event: str, target: str) -> None:
        seen = (str(pod.origin.name), target)
        if seen not in self._seen and len(self._seen) < ESCAPES_REMEMBERED_MAX:
            self._seen.add(seen)
            self._report(pod, f"{event} {target}")
        raise OSError(
            errno.ENETUNREACH,
            f"{os.strerror(errno.ENETUNREACH)}: pod {pod.origin.name} called {event} for {target}"
            " outside the event loop; only asyncio's calls use the pod's network",
        )


def _literal(host: Any) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, host)
    except (OSError, TypeError):
        return host is None
    return True
