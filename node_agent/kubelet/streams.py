"""/exec, /attach, /portForward: a request's connection becomes channels of a pod.

    POST /exec/NAMESPACE/POD/CONTAINER?command=...&stdin&stdout&stderr&tty    a command's streams
    POST /attach/NAMESPACE/POD/CONTAINER?stdin&stdout&stderr&tty              the program's own
    POST /portForward/NAMESPACE/POD?port=...                                  a connection into it

All with `Upgrade: kubehop-channels` (`cluster.wire.channels`). What is refused is refused in words
before the 101. The client going away ends what it had started; so does the container's end.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from aiohttp import web

from cluster.aio.channels import Channels, taken_over, until_hung_up
from cluster.aio.clock import Clock
from cluster.aio.first import first_of
from cluster.dataclass import dataclass
from cluster.errors import WireError
from cluster.wire.addresses import PORT_MAX
from cluster.wire.channels import UPGRADE, Channel
from node_agent.cni.interface import Network
from node_agent.kubelet.attach import attached
from node_agent.kubelet.exec import executed
from node_agent.kubelet.pod_worker import PodWorker
from node_agent.kubelet.port_forward import dialled, forwarded
from node_agent.kubelet.runtime import ContainerRun
from node_agent.kubelet.sync_loop import SyncLoop

log = logging.getLogger(__name__)

STREAMS_MAX = 4096  # of this node at once
BEGIN_SECONDS_MAX = 60.0  # for the client's own streams to stand
_GREETING = f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {UPGRADE}\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which streams a client has, as the query says."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool

    @classmethod
    def of(cls, request: web.Request) -> "Wanted":
        """Read a query."""
        return cls(
            *(request.query.get(name) == "true" for name in ("stdin", "stdout", "stderr", "tty"))
        )


class StreamRoutes:
    """The three routes, over the pods of this node."""

    def __init__(self, pods: SyncLoop, network: Network, clock: Clock) -> None:
        self._pods = pods
        self._network = network
        self._clock = clock
        self._live = 0

    def add_to(self, app: web.Application) -> None:
        """Register them."""
        app.router.add_post("/exec/{namespace}/{pod}/{container}", self.exec)
        app.router.add_post("/attach/{namespace}/{pod}/{container}", self.attach)
        app.router.add_post("/portForward/{namespace}/{pod}", self.port_forward)

    async def exec(self, request: web.Request) -> web.StreamResponse:
        """Run a command in a container."""
        _check_upgrade(request)
        run = self._run(request)
        command = request.query.getall("command", [])
        if not command:
            raise web.HTTPBadRequest(text="you must specify a command to run")
        wanted = Wanted.of(request)

        async def work(channels: Channels) -> None:
            await self._begun(channels)
            await executed(channels, run, command, stdin=wanted.stdin, tty=wanted.tty)

        return await self._serve(request, work)

    async def attach(self, request: web.Request) -> web.StreamResponse:
        """Join a container's program: what it reads and writes."""
        _check_upgrade(request)
        run = self._run(request)
        wanted = Wanted.of(request)

        async def work(channels: Channels) -> None:
            await self._begun(channels)
            await attached(channels, run, stdin=wanted.stdin)

        return await self._serve(request, work)

    async def port_forward(self, request: web.Request) -> web.StreamResponse:
        """Connect to what listens on localhost of a pod."""
        _check_upgrade(request)
        worker = self._worker(request)
        text = request.query.get("port", "")
        if not text.isdecimal() or not 0 < int(text) <= PORT_MAX:
            raise web.HTTPBadRequest(text=f"port={text!r} is no port")
        sock = await dialled(self._network, worker, int(text))

        async def work(channels: Channels) -> None:
            await forwarded(channels, sock)

        try:
            return await self._serve(request, work)
        finally:
            sock.close()

    # What they have in common

    def _worker(self, request: web.Request) -> PodWorker:
        namespace, pod = request.match_info["namespace"], request.match_info["pod"]
        worker = self._pods.find(namespace, pod)
        if worker is None or worker.attachment is None:
            raise web.HTTPNotFound(text=f'pod "{pod}" does not run on this node')
        return worker

    def _run(self, request: web.Request) -> ContainerRun:
        container = request.match_info["container"]
        for run in self._worker(request).runs.live():
            if run.container["name"] == container and not run.program.exited:
                return run
        raise web.HTTPNotFound(text=f'container not found ("{container}")')

    async def _begun(self, channels: Channels) -> None:
        """Wait for the client's word that its streams stand."""
        async with asyncio.timeout(BEGIN_SECONDS_MAX):
            frame = await channels.receive()
        if frame is None or frame.channel is not Channel.STATUS:
            raise WireError("the client of a command did not say that it begins")

    async def _serve(self, request: web.Request, work: Any) -> web.StreamResponse:
        """Answer 101, then work on the channels until done, or until the client is gone."""
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client is gone")
        if self._live >= STREAMS_MAX:
            raise web.HTTPServiceUnavailable(text=f"{STREAMS_MAX} streams are open on this node")
        reader, writer = taken_over(transport, transport.get_protocol(), _GREETING.encode())
        channels = Channels(reader, writer)
        self._live += 1
        try:
            await self._watched(channels, work(channels))
            await channels.finish()
        finally:
            self._live -= 1
            channels.abort()
        return web.Response()  # for aiohttp's bookkeeping: its connection is closed by now

    async def _watched(self, channels: Channels, work: Coroutine[Any, Any, None]) -> None:
        try:
            await first_of(work, until_hung_up(channels.transport, self._clock))
        except (ConnectionError, TimeoutError) as error:
            log.debug("stream ended error=%s", error)
            channels.abort()
        except WireError as error:
            log.info("stream ended error=%s", error)
            channels.abort()


def _check_upgrade(request: web.Request) -> None:
    if request.headers.get("Upgrade", "").lower() != UPGRADE:
        raise web.HTTPUpgradeRequired(
            text=f"this path answers to Upgrade: {UPGRADE}", headers={"Upgrade": UPGRADE}
        )
