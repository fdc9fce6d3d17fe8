"""The event loop as the pods' kernel: whose task calls decides which network it gets.

uvloop's loop, with every call that would touch the network (or leave the process) overridden: in a
pod's context (`cni.pod_context.POD`) it goes to that pod's network; anywhere else it is the real
call. So an unmodified asyncio program is a pod. What would leave the loop would leave the pod, and
is answered for here too: executors keep the pod's context, signals are the container's, processes
cannot be started, the loop cannot be stopped. Calls past the loop are `cni.escapes`' to notice.
"""

import asyncio
import contextvars
import errno
import functools
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVarTuple, cast
from weakref import WeakKeyDictionary

import uvloop

from cluster.aio.streams import outside
from node_agent.cni.pod_context import POD, SIGNALS, SignalTable
from node_agent.cni.pod_server import Tls
from node_agent.cni.transport import Factory, PodTransport

Arguments = TypeVarTuple("Arguments")


class NodeLoop(uvloop.Loop):
    """The event loop of a node agent."""

    def __init__(self) -> None:
        super().__init__()
        self._executors: WeakKeyDictionary[SignalTable, Executor] = WeakKeyDictionary()

    async def real_connection(
        self, factory: Factory, sock: socket.socket, **options: Any
    ) -> tuple[asyncio.BaseTransport, Any]:
        """Put a transport on a connected socket; its protocol runs in the caller's context."""
        made = await super().create_connection(factory, sock=sock, **options)
        return cast(asyncio.BaseTransport, made[0]), made[1]

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
            tls=_tls(options),
            start_serving=options.get("start_serving", True),
        )

    async def create_connection(
        self, protocol_factory: Factory, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        pod = POD.get()
        if pod is None:
            return await super().create_connection(protocol_factory, host, port, **options)
        wanted = {name: options[name] for name in _TLS_OPTIONS if options.get(name) is not None}
        sock = options.get("sock")
        if sock is None:
            names = {name: options[name] for name in ("family", "local_addr") if name in options}
            return await pod.create_connection(protocol_factory, host, port, **names, **wanted)
        flow = pod.connections.flow_of(sock)
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
        real = await super().start_tls(transport.real, protocol, sslcontext, **options)
        encrypted = PodTransport(cast(asyncio.Transport, real), *transport.names, self)
        pod = POD.get()
        if pod is not None:
            pod.connections.add(encrypted)
        return encrypted

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

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[*Arguments], object],
        *arguments: *Arguments,
    ) -> Any:
        if POD.get() is None:
            return super().run_in_executor(executor, func, *arguments)
        context = contextvars.copy_context()
        table = SIGNALS.get()
        chosen = executor or (self._executors.get(table) if table else None)
        # outside, so that a thread that is started for it is nobody's but the executor's
        run = functools.partial(context.run, func, *arguments)
        return outside(super().run_in_executor, chosen, run)

    def set_default_executor(self, executor: Any) -> None:
        """A container's default is its own: the node's other pods keep theirs."""
        table = SIGNALS.get()
        if table is None:
            super().set_default_executor(executor)
        else:
            self._executors[table] = executor

    async def shutdown_default_executor(self, *arguments: Any) -> None:
        table = SIGNALS.get()
        if table is None:
            await super().shutdown_default_executor(*arguments)
            return
        executor = self._executors.pop(table, None)
        if executor is not None:
            await self.run_in_executor(None, executor.shutdown)

    def stop(self) -> None:
        if POD.get() is not None:
            raise RuntimeError("the loop is the node's: a pod's program ends by SystemExit")
        super().stop()

    def close(self) -> None:
        if POD.get() is not None:
            raise RuntimeError("the loop is the node's: a pod's program ends by SystemExit")
        super().close()

    def add_signal_handler(
        self, sig: int, callback: Callable[[*Arguments], object], *arguments: *Arguments
    ) -> None:
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


_TLS_OPTIONS = ("ssl", "server_hostname", "ssl_handshake_timeout", "ssl_shutdown_timeout")


def _tls(options: dict[str, Any]) -> Tls | None:
    """What `create_server` was told of TLS."""
    if options.get("ssl") is None:
        return None
    return Tls(
        context=options["ssl"],
        handshake_timeout=options.get("ssl_handshake_timeout"),
        shutdown_timeout=options.get("ssl_shutdown_timeout"),
    )


def _unsupported(what: str, instead: str) -> OSError:
    return OSError(errno.EOPNOTSUPP, f"a pod cannot use {what}: {instead}")


def _no_processes() -> OSError:
    return OSError(errno.EPERM, "a pod's program cannot start processes: it runs inside the node")
