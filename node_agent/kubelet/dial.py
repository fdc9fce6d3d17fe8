"""/dial and /echo-datagram: a connection, or one datagram, made from inside a pod or from the node.

    GET /dial?from=pod/NAMESPACE/NAME|node&host=HOST&port=PORT    Upgrade: kubehop-dial

answers 101 and from then on the request's transport carries the connection's bytes, half-close and
reset included: the transport's protocol is swapped (`Transport.set_protocol`), so that nothing of
HTTP is left on it, on TCP, Unix sockets and TLS alike. The client sends nothing before the 101.
Names are resolved inside the pod's network. What a flow died of is told as JSON (502).
"""

import asyncio
import errno
import socket
from typing import Any

from aiohttp import web

from cluster.dataclass import dataclass
from cluster.wire.addresses import PORT_MAX
from cluster.wire.flow import FlowKind
from node_agent.cni.interface import Network, PodAttachment
from node_agent.kubelet.relay import joined
from node_agent.kubelet.sync_loop import SyncLoop

UPGRADE = "kubehop-dial"
FLOW_ID_HEADER = "Kubehop-Flow-Id"
DATAGRAM_BYTES_MAX = 65507
DATAGRAM_TIMEOUT_SECONDS = 5.0
DATAGRAM_TIMEOUT_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Dialler:
    """Who dials, and where to: the parsed query."""

    attachment: PodAttachment | None  # None: the node itself
    uid: str | None
    host: str
    port: int


class DialRoutes:
    """The two routes."""

    def __init__(self, pods: SyncLoop, network: Network) -> None:
        self._pods = pods
        self._network = network

    def add_to(self, app: web.Application) -> None:
        """Register both."""
        app.router.add_get("/dial", self.dial)
        app.router.add_post("/echo-datagram", self.echo_datagram)

    async def dial(self, request: web.Request) -> web.StreamResponse:
        """Connect, then hand the transport over."""
        if request.headers.get("Upgrade", "").lower() != UPGRADE:
            raise web.HTTPUpgradeRequired(
                text=f"this path answers to Upgrade: {UPGRADE}", headers={"Upgrade": UPGRADE}
            )
        dialler = self._dialler(request)
        try:
            ip = await self._resolve(dialler)
            sock = await self._network.dial(
                ip, dialler.port, kind=FlowKind.TRAFFIC, from_pod=dialler.uid
            )
        except (OSError, TimeoutError) as error:
            return _failure(error, dialler)
        return await self._switch(request, sock)

    async def _switch(self, request: web.Request, sock: socket.socket) -> web.StreamResponse:
        flow_id = self._network.flow_id_of(sock)
        transport = request.transport
        if transport is None:  # the client left while we dialled
            sock.close()
            raise ConnectionResetError("the client of /dial is gone")
        head = (
            "HTTP/1.1 101 Switching Protocols\r\n"
            f"Connection: Upgrade\r\nUpgrade: {UPGRADE}\r\n{FLOW_ID_HEADER}: {flow_id}\r\n\r\n"
        )
        await joined(transport, sock, greeting=head.encode("ascii"))
        return web.Response()  # for aiohttp's bookkeeping: its connection is closed by now

    async def echo_datagram(self, request: web.Request) -> web.StreamResponse:
        """Send the body as one datagram; answer with the reply's bytes."""
        dialler = self._dialler(request)
        if dialler.attachment is None:
            raise web.HTTPNotImplemented(
                text="datagrams are sent from pods: from=pod/NAMESPACE/NAME"
            )
        seconds = _seconds(request.query.get("timeout", ""))
        body = await request.content.read(DATAGRAM_BYTES_MAX + 1)
        if len(body) > DATAGRAM_BYTES_MAX:
            raise web.HTTPRequestEntityTooLarge(DATAGRAM_BYTES_MAX, len(body))
        exchange = _exchange((dialler.host, dialler.port), body, seconds)
        context = dialler.attachment.context()
        try:
            reply = await asyncio.get_running_loop().create_task(
                exchange, name="echo datagram", context=context
            )
        except TimeoutError:
            raise web.HTTPGatewayTimeout(text=f"no reply within {seconds:g} s") from None
        except OSError as error:
            return _failure(error, dialler)
        return web.Response(body=reply, content_type="application/octet-stream")

    def _dialler(self, request: web.Request) -> Dialler:
        query = request.query
        host, port, origin = query.get("host", ""), query.get("port", ""), query.get("from", "")
        if not host or not port.isdecimal() or not 0 < int(port) <= PORT_MAX:
            raise web.HTTPBadRequest(text=f"host={host!r} port={port!r}: both are needed")
        if origin == "node":
            return Dialler(None, None, host, int(port))
        kind, _, name = origin.partition("/")
        namespace, _, pod = name.partition("/")
        if kind != "pod" or not namespace or not pod:
            raise web.HTTPBadRequest(text=f"from={origin!r} is not node or pod/NAMESPACE/NAME")
        worker = self._pods.find(namespace, pod)
        if worker is None or worker.attachment is None:
            raise web.HTTPNotFound(text=f"pod {namespace}/{pod} does not run on this node")
        return Dialler(worker.attachment, worker.uid, host, int(port))

    async def _resolve(self, dialler: Dialler) -> str:
        """The address of the host: asked inside the pod's network."""
        if _numeric(dialler.host):
            return dialler.host
        if dialler.attachment is None:
            text = f"{dialler.host}: a node resolves no cluster names; give an address"
            raise socket.gaierror(socket.EAI_NONAME, text)
        loop = asyncio.get_running_loop()
        lookup = loop.getaddrinfo(
            dialler.host, dialler.port, family=socket.AF_INET, type=socket.SOCK_STREAM
        )
        found = await loop.create_task(
            _awaited(lookup), name=f"resolve {dialler.host}", context=dialler.attachment.context()
        )
        return str(found[0][4][0])


async def _awaited(lookup: Any) -> Any:
    return await lookup


async def _exchange(target: tuple[str, int], body: bytes, seconds: float) -> bytes:
    """One datagram out, one in; runs in the pod's context."""
    loop = asyncio.get_running_loop()
    transport, reply = await loop.create_datagram_endpoint(_Reply, remote_addr=target)
    try:
        transport.sendto(body)
        async with asyncio.timeout(seconds):
            return await reply.received
    finally:
        transport.close()


class _Reply(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.received.done():
            self.received.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.received.done():
            self.received.set_exception(exc)


def _seconds(text: str) -> float:
    try:
        seconds = float(text or DATAGRAM_TIMEOUT_SECONDS)
    except ValueError:
        raise web.HTTPBadRequest(text=f"timeout={text!r} is not a number of seconds") from None
    return min(max(0.0, seconds), DATAGRAM_TIMEOUT_SECONDS_MAX)


def _failure(error: OSError | TimeoutError, dialler: Dialler) -> web.Response:
    """502: what the pod's program would have seen, for machines and for people."""
    where = f"{dialler.host}:{dialler.port}"
    body = {
        "error": kind_of(error),
        "message": f"{where}: {error.strerror or error}" if isinstance(error, OSError) else where,
        "flowId": str(getattr(error, "flow_id", "")),
    }
    return web.json_response(body, status=502)


def kind_of(error: BaseException) -> str:
    """refused, timeout, nxdomain or unreachable."""
    if isinstance(error, socket.gaierror):
        return "nxdomain"
    if isinstance(error, TimeoutError):
        return "timeout"
    number = error.errno if isinstance(error, OSError) else None
    return "refused" if number in (errno.ECONNREFUSED, errno.ECONNRESET) else "unreachable"


def _numeric(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except OSError:
        return False
    return True
