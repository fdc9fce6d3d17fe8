"""What the gateway's tests stand on: documents, a view fed by hand, nodes that are tunnels."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop

from cluster.aio.datagrams import DatagramEndpoint
from cluster.aio.process import ProcessConfig
from cluster.aio.streams import close, send_all
from cluster.aio.tunnel import TunnelServer, answer
from cluster.client.interface import Document, PatchType
from cluster.errors import ApiError
from cluster.gateway.balancer_view import WATCHED
from cluster.gateway.config import GatewayConfig
from cluster.gateway.gateway import Gateway
from cluster.objects.resources import EVENTS, SERVICES, Resource
from cluster.trace.query import Query
from cluster.trace.record import Segment
from cluster.wire.addresses import SocketAddress
from cluster.wire.clients import OutsideClients
from cluster.wire.datagrams import Datagram, decode, encode
from cluster.wire.flow import FlowContext
from cluster.wire.preamble import Answer, AnswerOutcome

KEY = bytes(range(32))
START = 1_800_000_000.0
BALANCER_IP = "127.65.211.1"


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


class ManualClock:
    """Time that moves when a test says so."""

    scale = 1.0

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return START + self.elapsed

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.elapsed + seconds, woken))
        await woken

    def advance(self, seconds: float) -> None:
        self.elapsed += seconds
        for sleeper in list(self._sleepers):
            if sleeper[0] <= self.elapsed:
                self._sleepers.remove(sleeper)
                if not sleeper[1].done():
                    sleeper[1].set_result(None)


class FedInformer:
    """An informer whose events come from the test."""

    def __init__(self) -> None:
        self.synced = asyncio.Event()
        self.version = 0
        self._callbacks: list[Callable[[Document | None, Document | None], None]] = []
        self._objects: dict[tuple[str, str], Document] = {}
        self._seen = asyncio.Event()

    def on_change(self, callback: Callable[[Document | None, Document | None], None]) -> None:
        self._callbacks.append(callback)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def wait_for(self, resource_version: int) -> None:
        while self.version < resource_version:
            self._seen.clear()
            await self._seen.wait()

    def feed(self, key: tuple[str, str], new: Document | None) -> None:
        old = self._objects.pop(key, None)
        if new is not None:
            self._objects[key] = new
        self.version += 1
        self._seen.set()
        for callback in self._callbacks:
            callback(old, new)

    def get(self, key: tuple[str, str]) -> Document | None:
        return self._objects.get(key)


class FakeApi:
    """Records what is written; patches of Services come back by the informer."""

    def __init__(self, informers: dict[Resource, FedInformer]) -> None:
        self.events: list[Document] = []
        self.patches: list[tuple[str, Any]] = []
        self.failures: list[Exception] = []
        self._informers = informers

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    async def create(self, resource: Resource, document: Document) -> Document:
        assert resource == EVENTS
        self._fail()
        self.events.append(document)
        return document

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Any,
        *,
        namespace: str | None = None,
        patch_type: PatchType = PatchType.MERGE,
        **_: Any,
    ) -> Document:
        assert resource == SERVICES and patch_type is PatchType.MERGE
        self._fail()
        self.patches.append((f"{namespace}/{name}", patch))
        key = (namespace or "", name)
        document = self._informers[SERVICES].get(key)
        if document is None:
            raise ApiError({"code": 404, "reason": "NotFound", "message": "not found"})
        annotations = {**document["metadata"].get("annotations", {})}
        annotations.update(patch["metadata"]["annotations"])
        kept = {name: text for name, text in annotations.items() if text is not None}
        changed = {**document, "metadata": {**document["metadata"], "annotations": kept}}
        self._informers[SERVICES].feed(key, changed)
        return changed


class Make:
    """Documents as the API stores them."""

    def service(
        self,
        name: str = "web",
        port: int = 80,
        *,
        ip: str = BALANCER_IP,
        protocol: str = "TCP",
        annotations: dict[str, str] | None = None,
        created: str = "2026-01-01T00:00:00Z",
        deleting: bool = False,
        **spec: Any,
    ) -> Document:
        metadata: dict[str, Any] = {
            "namespace": "shop",
            "name": name,
            "uid": f"uid-{name}",
            "creationTimestamp": created,
        }
        if annotations:
            metadata["annotations"] = annotations
        if deleting:
            metadata["deletionTimestamp"] = "2026-01-02T00:00:00Z"
        return {
            "metadata": metadata,
            "spec": {
                "type": "LoadBalancer",
                "clusterIP": "10.96.1.1",
                "clusterIPs": ["10.96.1.1"],
                "ports": [{"name": "http", "port": port, "protocol": protocol, "nodePort": 30080}],
                **spec,
            },
            "status": {"loadBalancer": {"ingress": [{"ip": ip, "ipMode": "VIP"}] if ip else []}},
        }

    def endpoint(
        self, ip: str = "10.244.1.5", *, ready: bool = True, terminating: bool = False
    ) -> Document:
        conditions = {"ready": ready, "serving": ready or terminating, "terminating": terminating}
        node = f"node-{ip.split('.')[2]}"
        return {"addresses": [ip], "conditions": conditions, "nodeName": node}

    def slice(
        self,
        *endpoints: Document | str,
        service: str = "web",
        name: str = "",
        protocol: str = "TCP",
    ) -> Document:
        return {
            "metadata": {
                "namespace": "shop",
                "name": name or f"{service}-1",
                "labels": {"kubernetes.io/service-name": service},
            },
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": 8080, "protocol": protocol}],
            "endpoints": [self.endpoint(e) if isinstance(e, str) else e for e in endpoints],
        }

    def node(
        self,
        number: int = 1,
        tunnel: str | SocketAddress = "127.0.0.1:7000",
        *,
        labels: dict[str, str] | None = None,
        taints: Iterable[str] = (),
        deleting: bool = False,
        ready: str = "True",
    ) -> Document:
        metadata: dict[str, Any] = {"name": f"node-{number}", "labels": labels or {}}
        if tunnel:
            metadata["annotations"] = {"kubehop.dev/tunnel": str(tunnel)}
        if deleting:
            metadata["deletionTimestamp"] = "2026-01-02T00:00:00Z"
        return {
            "metadata": metadata,
            "spec": {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints]},
            "status": {
                "addresses": [{"type": "InternalIP", "address": f"172.30.0.{number}"}],
                "conditions": [{"type": "Ready", "status": ready}],
            },
        }


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class FakeNode:
    """A node's end of the tunnel, TCP and UDP on one port: echoes, or answers as it is told."""

    def __init__(self, name: str = "node-1") -> None:
        self.name = name
        self.verdict = Answer(
            outcome=AnswerOutcome.ACCEPTED, hops=4, endpoint={"pod": "web", "node": name}
        )
        self.greeting = b""
        self.flows: asyncio.Queue[tuple[FlowContext, socket.socket]] = asyncio.Queue()
        self.datagrams: asyncio.Queue[tuple[Datagram, SocketAddress]] = asyncio.Queue()
        self.echo_datagrams = True
        self._socks: list[socket.socket] = []
        self._server = TunnelServer(SocketAddress("127.0.0.1", 0), KEY, self._on_flow)
        self.address = self._server.address
        self._udp = DatagramEndpoint(self.address, self._on_datagram)
        self._server.start()
        self._udp.start()

    async def _on_flow(self, sock: socket.socket, context: FlowContext) -> None:
        self._socks.append(sock)
        await answer(sock, self.verdict, KEY)
        if self.verdict.outcome is AnswerOutcome.ACCEPTED:
            await send_all(sock, self.greeting)
        else:
            close(sock)
        self.flows.put_nowait((context, sock))

    def _on_datagram(self, data: bytes, peer: SocketAddress) -> None:
        datagram = decode(data, KEY)
        self.datagrams.put_nowait((datagram, peer))
        if self.echo_datagrams:
            self.reply(datagram, peer, datagram.payload.upper())

    def reply(self, to: Datagram, peer: SocketAddress, payload: bytes, **more: bool) -> None:
        self._udp.send(encode(Datagram(to.context, payload, reply=True, **more), KEY), peer)

    async def next_flow(self) -> tuple[FlowContext, socket.socket]:
        return await asyncio.wait_for(self.flows.get(), 10)

    async def next_datagram(self) -> tuple[Datagram, SocketAddress]:
        return await asyncio.wait_for(self.datagrams.get(), 10)

    async def stop(self) -> None:
        await self._server.close()
        self._udp.close()
        for sock in self._socks:
            close(sock)


class World:
    """A gateway, the cluster it sees, and clients."""

    def __init__(self, make: Make, clock: ManualClock, bind: str | None = None) -> None:
        self.make = make
        self.clock = clock
        self.informers = {each: FedInformer() for each in WATCHED}
        self.api = FakeApi(self.informers)
        config = GatewayConfig(
            process=ProcessConfig(title="gateway"),
            api="unix:/nowhere",
            kubeconfig=None,
            run_dir=Path("/nowhere"),
            cluster_key=Path("/nowhere"),
            bind=bind,
            clients=OutsideClients.parse(),
        )
        self.gateway = Gateway(
            config,
            KEY,
            self.api,  # type: ignore[arg-type]
            self.informers,
            clock=clock,
            dice=Random(7),
        )
        self.nodes: list[FakeNode] = []
        self._socks: list[socket.socket] = []

    async def start(self) -> None:
        for informer in self.informers.values():
            informer.synced.set()
        assert await self.gateway.start()

    def put(self, document: Document, *, gone: bool = False) -> None:
        """Feed a document to its informer; the view follows at once."""
        metadata = document["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        service, endpoint_slice, node = WATCHED
        resource = node if "taints" in document.get("spec", {}) else service
        resource = endpoint_slice if "endpoints" in document else resource
        self.informers[resource].feed(key, None if gone else document)
        self.gateway.watch.flush()

    def node(self, number: int = 1) -> FakeNode:
        """A node that answers, known to the cluster."""
        node = FakeNode(f"node-{number}")
        self.nodes.append(node)
        self.put(self.make.node(number, node.address))
        return node

    def segments(self, **query: Any) -> list[Segment]:
        return self.gateway.recorder.find(Query(**query))

    async def settle(self, holds: Callable[[], object]) -> None:
        """Let the loop turn until something holds."""
        async with asyncio.timeout(10):
            for _ in iter(lambda: bool(holds()), True):
                await asyncio.sleep(0)

    async def connect(
        self, port: int, *, ip: str = BALANCER_IP, source: str = "127.66.0.7"
    ) -> socket.socket:
        sock = socket.socket()
        self._socks.append(sock)
        sock.setblocking(False)
        sock.bind((source, 0))
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(sock, (ip, port)), 10)
        return sock

    def datagram_client(self, port: int, *, source: str = "127.66.0.7") -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socks.append(sock)
        sock.setblocking(False)
        sock.bind((source, 0))
        sock.connect((BALANCER_IP, port))
        return sock

    async def stop(self) -> None:
        for sock in self._socks:
            sock.close()
        await self.gateway.close()
        for node in self.nodes:
            await node.stop()


@pytest.fixture
async def world(make: Make, clock: ManualClock) -> AsyncIterator[World]:
    made = World(make, clock)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def build(make: Make, clock: ManualClock) -> AsyncIterator[Callable[..., World]]:
    """Worlds with settings of their own, started by the test."""
    made: list[World] = []

    def build_world(bind: str | None = None) -> World:
        made.append(World(make, clock, bind))
        return made[-1]

    yield build_world
    for each in made:
        await each.stop()


async def _receive(sock: socket.socket) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 65536), 10)


@pytest.fixture(scope="session")
def talk() -> SimpleNamespace:
    """receive(sock), send(sock, data)."""
    return SimpleNamespace(receive=_receive, send=send_all)


def _free_port(kind: socket.SocketKind = socket.SOCK_STREAM, ip: str = BALANCER_IP) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind((ip, 0))
        number: int = sock.getsockname()[1]
        return number


@pytest.fixture
def port() -> int:
    """A TCP port that is free at the balancer's address."""
    return _free_port()


@pytest.fixture
def udp_port() -> int:
    """A UDP port that is free at the balancer's address."""
    return _free_port(socket.SOCK_DGRAM)
