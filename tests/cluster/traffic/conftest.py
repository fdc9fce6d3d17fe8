"""A cluster without processes: recorders, kubelet routes and servers on real sockets."""

import asyncio
import contextvars
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop
from aiohttp import web

from cluster.aio.clock import SystemClock
from cluster.client.interface import Document, Listing
from cluster.dataplane.decision import Action, Code, Stage, Step
from cluster.errors import ApiError
from cluster.objects.resources import NODES, PODS, SERVICES, Resource
from cluster.trace.endpoint import add_routes
from cluster.trace.follower import Follower
from cluster.trace.query import Query
from cluster.trace.record import ClientSaw, Hop, Outcome, Segment
from cluster.trace.recorder import Recorder
from cluster.traffic.access import Access
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind
from node_agent.kubelet.dial import DialRoutes

POD_IP = "10.244.1.5"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Pytest's own loop, and the one that kubehop's commands run on."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Documents:
    """The part of the API that traffic asks; `silent` is an API server that does not answer."""

    def __init__(self) -> None:
        self.silent = False
        self._documents: dict[tuple[Resource, str | None, str], Document] = {}

    def put(self, resource: Resource, document: dict[str, Any]) -> dict[str, Any]:
        metadata = document["metadata"]
        self._documents[resource, metadata.get("namespace"), metadata["name"]] = document
        return document

    async def get(self, resource: Resource, name: str, *, namespace: str | None = None) -> Document:
        self._answer()
        found = self._documents.get((resource, namespace, name))
        if found is None:
            raise ApiError({"code": 404, "reason": "NotFound", "message": f"{name} not found"})
        return found

    async def list(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> Listing:
        self._answer()
        wanted = dict(each.split("=") for each in (label_selector or "").split(",") if each)
        items = [
            document
            for (kind, where, _), document in self._documents.items()
            if kind == resource
            and namespace in (None, where)
            and wanted.items() <= document["metadata"].get("labels", {}).items()
        ]
        return Listing(items, "7")

    def _answer(self) -> None:
        if self.silent:
            raise ConnectionError("the API server does not answer")


class WatchedRecorder(Recorder):
    """A recorder that tells when it is waited for."""

    def __init__(self, process: str) -> None:
        super().__init__(process, SystemClock())
        self.followed = asyncio.Event()

    def follow(self, query: Query) -> Follower:
        self.followed.set()
        return super().follow(query)


class PodNetwork:
    """What a kubelet dials with: every address is a server of the test, or an error."""

    def __init__(self, recorder: Recorder) -> None:
        self.targets: dict[tuple[str, int], tuple[str, int] | OSError | None] = {}
        self.recorder = recorder
        self.dialled: list[tuple[str, int, str | None]] = []

    async def dial(
        self, ip: str, port: int, *, kind: FlowKind = FlowKind.PROBE, from_pod: str | None = None
    ) -> socket.socket:
        self.dialled.append((ip, port, from_pod))
        target = self.targets[ip, port]
        if target is None:
            self.recorder.record(segment(f"{POD_IP}:40001", f"{ip}:{port}", outcome="dropped"))
            await asyncio.Event().wait()
        if isinstance(target, OSError):
            raise target
        assert target is not None
        sock = socket.socket()
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, target)
        return sock

    def flow_id_of(self, sock: socket.socket) -> str:
        return "00c0ffee00c0ffee"


class Attachment:
    """A pod's place in the network, in which every call is the machine's own."""

    ip = POD_IP

    def context(self) -> contextvars.Context:
        return contextvars.copy_context()


class Machine:
    """Processes of a cluster on their sockets."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self._runners: dict[str, web.AppRunner] = {}
        self._servers: list[asyncio.Server] = []
        self._accepted: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}

    async def process(self, name: str, **routes: Any) -> WatchedRecorder:
        """A process with a recorder, and GET routes besides."""
        recorder = WatchedRecorder(name)
        await self._serve(name, recorder, lambda app: _add(app, routes))
        return recorder

    async def kubelet(self, name: str) -> PodNetwork:
        """A kubelet that runs the pod shop/web."""
        recorder = WatchedRecorder(name)
        network = PodNetwork(recorder)
        worker = SimpleNamespace(attachment=Attachment(), uid="uid-web")
        pods = SimpleNamespace(
            find=lambda namespace, pod: worker if (namespace, pod) == ("shop", "web") else None
        )
        routes = DialRoutes(pods, network)  # type: ignore[arg-type]

        def add(app: web.Application) -> None:
            routes.add_to(app)
            _add(app, {"pods": lambda _: web.json_response({"items": [pod("web", node=name)]})})

        await self._serve(name, recorder, add)
        return network

    async def _serve(
        self, name: str, recorder: Recorder, add: Callable[[web.Application], None]
    ) -> None:
        app = web.Application()
        add_routes(app, recorder)
        add(app)
        runner = web.AppRunner(app, shutdown_timeout=0.05)  # 0 would be for ever
        await runner.setup()
        await web.UnixSite(runner, str(self.run_dir / f"{name}.sock")).start()
        self._runners[name] = runner

    async def stop(self, name: str) -> None:
        """End a process; its socket's file stays, as after kill -9."""
        path = self.run_dir / f"{name}.sock"
        await self._runners.pop(name).cleanup()
        with socket.socket(socket.AF_UNIX) as left:
            path.unlink(missing_ok=True)
            left.bind(str(path))

    async def serve(self, handle: Serve, ip: str = "127.0.0.1", port: int = 0) -> int:
        """A TCP server; its port."""

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._accepted[writer] = task
            await handle(reader, writer)

        server = await asyncio.start_server(accept, ip, port)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        for writer, task in self._accepted.items():  # nothing is open when the loop ends
            task.cancel()
            if not writer.is_closing() or writer.transport.get_write_buffer_size():
                writer.transport.abort()
            with suppress(OSError):  # how a connection ended is its test's business
                await writer.wait_closed()
        for runner in self._runners.values():
            await runner.cleanup()


def _add(app: web.Application, routes: dict[str, Any]) -> None:
    for path, handler in routes.items():

        async def answer(request: web.Request, handler: Any = handler) -> web.StreamResponse:
            made: web.StreamResponse = handler(request)
            return made

        app.router.add_get(f"/{path}", answer)


def pod(name: str, *, node: str = "node-1", ready: bool = True, **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"nodeName": node} if node else {},
        "status": {
            "podIP": POD_IP,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


def service(name: str, *, ip: str = "", namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    """A Service of type LoadBalancer, with an address if one is given."""
    ingress = [{"ip": ip, "ipMode": "VIP"}] if ip else []
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"type": "LoadBalancer", **spec},
        "status": {"loadBalancer": {"ingress": ingress}},
    }


def node(number: int, real: str = "", **annotations: str) -> dict[str, Any]:
    noted = {"kubehop.dev/address": real} if real else {}
    addresses = [{"type": "InternalIP", "address": f"172.30.0.{number}"}]
    return {
        "metadata": {"name": f"node-{number}", "annotations": {**noted, **annotations}},
        "status": {"addresses": addresses},
    }


def segment(
    source: str,
    destination: str,
    *,
    flow_id: str = "4c1f9a2b7d3e6f80",
    process: str = "node-1",
    outcome: str = "delivered",
    origin: Origin | None = None,
    started: float | None = None,
    protocol: str = "TCP",
    first: int = 0,
    code: Code | None = None,
    reason: str = "",
    next_process: str = "",
    **detail: Any,
) -> Segment:
    """What one process decided, in one hop."""
    flow = Flow(Protocol(protocol), SocketAddress.parse(source), SocketAddress.parse(destination))
    actions = {"delivered": Action.DELIVERED, "dropped": Action.DROPPED, "passed": Action.FORWARDED}
    action = actions.get(outcome, Action.REJECTED)
    at = SystemClock().now() if started is None else started
    step = Step(Stage.DELIVER, action, flow, flow, reason, code, detail)
    return Segment(
        flow_id=flow_id,
        process=process,
        kind=FlowKind.TRAFFIC,
        origin=origin or Origin(OriginKind.OUTSIDE, "203.0.113.1"),
        original=flow,
        hops=(Hop(first, process, step, at),),
        outcome=Outcome(outcome),
        next_process=next_process,
        code=code,
        reason=reason,
        client_saw=ClientSaw.UNKNOWN if first else ClientSaw.CONNECTED,
        started=at,
    )


@pytest.fixture
def api() -> Documents:
    return Documents()


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    made = Machine(tmp_path)
    yield made
    await made.close()


@pytest.fixture
def access(tmp_path: Path, api: Documents) -> Access:
    return Access(tmp_path, api, flow_seconds=0.02)  # type: ignore[arg-type]


@pytest.fixture
def shop(api: Documents) -> Documents:
    """A pod, a node and a Service of the shop."""
    api.put(PODS, pod("web", app="web"))
    api.put(NODES, node(1, "127.64.9.1"))
    api.put(SERVICES, service("frontend", ip="127.65.0.1"))
    return api


@pytest.fixture
def made() -> SimpleNamespace:
    """The makers of documents and segments."""
    return SimpleNamespace(pod=pod, service=service, node=node, segment=segment, pod_ip=POD_IP)
