"""Fixtures for the node's parts: its own event loop, and networks of pods without a cluster.

`fabric` joins pods without any decision; `world` is nodes that decide, each with its router, its
tunnel and its view, in one process and over real sockets. The audit hook of `cni.escapes` is on, as
in an agent.
"""

import asyncio
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random, sample
from typing import Any, TypeVar

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cluster.aio.streams import close, outside
from cluster.aio.tasks import Tasks
from cluster.aio.tunnel import TunnelServer
from cluster.client.interface import EventType, Listing, WatchEvent
from cluster.client.mirror import RESOURCES
from cluster.dataplane.node_view import NetworkSettings, empty_view
from cluster.dns.resolv_conf import ResolvConf
from cluster.dns.resolver import NameNotResolved
from cluster.errors import ApiError
from cluster.ipam import IpPool
from cluster.objects.resources import (
    ENDPOINT_SLICES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)
from cluster.trace.query import Query
from cluster.trace.record import Segment
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import SocketAddress
from cluster.wire.changes import OWN, Batch, Change
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind
from node_agent.cni.arrivals import Arrivals
from node_agent.cni.datagram_router import DatagramRouter
from node_agent.cni.escapes import Escapes
from node_agent.cni.established import Established
from node_agent.cni.hand_over import HandOver
from node_agent.cni.interface import PodSpec
from node_agent.cni.names import PodNames
from node_agent.cni.network import NodeNetwork
from node_agent.cni.pod_context import SIGNALS, SignalTable
from node_agent.cni.pod_datagrams import PodDatagramTransport
from node_agent.cni.pod_network import PodNetwork
from node_agent.cni.router import Peers, Router
from node_agent.cni.routes import PodRoutes
from node_agent.cni.rulings import Rulings
from node_agent.cni.transport import PodTransport
from node_agent.loop import NodeLoop

KEY = bytes(range(32))
CONF = "nameserver 10.96.0.10\nsearch default.svc.cluster.local\noptions ndots:5\n"
PATIENCE_SECONDS = 30  # how long a test waits before it is called failed

Document = dict[str, Any]
Result = TypeVar("Result")


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests of the node run on the node's own event loop."""
    return {"node": NodeLoop}


@pytest.fixture(autouse=True)
def escaped() -> list[str]:
    """What pods' code was refused during the test, as reported."""
    reports: list[str] = []
    Escapes(lambda pod, what: reports.append(f"{pod.origin.name}: {what}")).install()
    return reports


async def run_in(
    pod: PodNetwork, work: Callable[[], Awaitable[Result]], container: SignalTable | None = None
) -> Result:
    """Run a coroutine function as the program of a pod, or of one of its containers."""
    context = pod.context()
    if container is not None:
        context.run(SIGNALS.set, container)
    task = asyncio.get_running_loop().create_task(work(), context=context)  # type: ignore[arg-type]
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await task  # type: ignore[no-any-return]


async def until(claim: Callable[[], object]) -> None:
    """Let the loop turn until a claim holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in iter(lambda: bool(claim()), True):
            await asyncio.sleep(0)


class ManualClock:
    """Time that moves when a test says so."""

    scale = 1.0

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return 1_800_000_000.0 + self.elapsed

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.elapsed + seconds, woken))
        await woken

    def advance(self, seconds: float) -> None:
        self.elapsed += seconds
        due = [each for each in self._sleepers if each[0] <= self.elapsed]
        self._sleepers = [each for each in self._sleepers if each[0] > self.elapsed]
        for _, woken in due:
            if not woken.done():
                woken.set_result(None)


def node_loop() -> NodeLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, NodeLoop)
    return loop


class Fabric:
    """A router without decisions: every address is a pod, sockets are joined on loopback."""

    run = staticmethod(run_in)
    until = staticmethod(until)

    def __init__(self) -> None:
        self.pods: dict[str, PodNetwork] = {}
        self.connections: list[tuple[Origin, Flow, FlowKind]] = []
        self.resolved: list[dict[str, Any] | None] = []
        self.datagrams: list[Flow] = []
        self.unknown: list[tuple[Origin, Flow, NameNotResolved]] = []

    def pod(
        self, name: str, ip: str, hosts: dict[str, str] | None = None, conf: str = CONF
    ) -> PodNetwork:
        """Attach a pod."""
        spec = PodSpec(namespace="default", name=name, uid=name, hostname=name)
        network = PodNetwork(
            spec,
            ip,
            router=self,
            names=PodNames(ResolvConf.parse(conf), hosts or {}, f"{ip} {name}\n"),
            calls=node_loop(),
            node_name="node-1",
        )
        self.pods[ip] = network
        return network

    async def connect(
        self,
        origin: Origin,
        flow: Flow,
        *,
        kind: FlowKind,
        sock: socket.socket | None,
        resolved: dict[str, Any] | None,
    ) -> socket.socket:
        self.connections.append((origin, flow, kind))
        self.resolved.append(resolved)
        return await self._join(self.pods.get(flow.destination.ip), flow, sock)

    async def pair(
        self, network: PodNetwork, flow: Flow, sock: socket.socket | None
    ) -> socket.socket:
        return await self._join(network, flow, sock)

    async def _join(
        self, target: PodNetwork | None, flow: Flow, sock: socket.socket | None
    ) -> socket.socket:
        found = target and target.ports.find(
            flow.protocol, flow.destination.ip, flow.destination.port
        )
        if target is None or found is None:
            raise ConnectionRefusedError
        client = sock or socket.socket()
        found.take(outside(_joined_to, client), flow, _nobody_asks)
        return client

    def unresolved(self, origin: Origin, flow: Flow, error: NameNotResolved) -> str:
        self.unknown.append((origin, flow, error))
        return f"{len(self.unknown):016x}"

    def send(
        self, network: PodNetwork, endpoint: PodDatagramTransport, flow: Flow, data: bytes
    ) -> None:
        self.datagrams.append(flow)
        target = self.pods.get(flow.destination.ip)
        found = target and target.datagrams.find(
            flow.protocol, flow.destination.ip, flow.destination.port
        )
        if found:
            found.receive(data, SocketAddress(*flow.source))
        else:
            endpoint.refuse()


def _joined_to(client: socket.socket) -> socket.socket:
    """The other end of a connection over the machine's loopback."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        client.setblocking(True)
        client.connect(door.getsockname())
        client.setblocking(False)
        server, _ = door.accept()
        server.setblocking(False)
    return server


def _nobody_asks(_: PodTransport) -> None:
    """A real router notes here which connections live."""


@pytest.fixture
async def fabric() -> AsyncIterator[Fabric]:
    fabric = Fabric()
    yield fabric
    for pod in fabric.pods.values():
        pod.close()
    await settled()


async def settled() -> None:
    """Let what was closed tell its protocols."""
    for _ in range(10):
        await asyncio.sleep(0)


class Node:
    """One node's data plane, without an agent around it."""

    def __init__(self, number: int, world: "World") -> None:
        self.name, self.ip = f"node-{number}", f"172.30.0.{number}"
        self.view = empty_view(self.name, self.ip, NetworkSettings())
        self.network = NodeNetwork(self.name, self.ip)
        self.recorder = Recorder(self.name, world.clock)
        self.rulings = Rulings(
            self.name,
            lambda: self.view,
            self.recorder,
            world.clock,
            Random(number),
            self.network.listening,
        )
        self.tasks = Tasks(world.clock)
        self.hand_over: HandOver | None = None
        self.established = Established(self.recorder, world.clock)
        if world.run_dir is not None:
            self.hand_over = HandOver(world.run_dir, self.name, self.tasks)
            self.established = Established(self.recorder, world.clock, self.hand_over.tell_ended)
        self.router = Router(
            self.name,
            self.rulings,
            Peers(world.tunnel, world.host),
            KEY,
            self.network.listener_of,
        )
        self.arrivals = Arrivals(
            self.name,
            self.rulings,
            self.router,
            KEY,
            self.network.listener_of,
            self.established,
            self.hand_over,
        )
        if self.hand_over is not None:
            self.hand_over.start(self.arrivals, self.established)
        self.tunnel, self.datagrams = self._tunnels(world)
        self.routes = PodRoutes(self.router, self.datagrams)
        pool = IpPool(f"10.244.{number}.0/24")
        self.detached: list[str] = []
        self.network.start(pool, self.router, self._build, self._gone)
        self.tunnel.start()
        self.datagrams.start()

    def _tunnels(self, world: "World") -> tuple[TunnelServer, DatagramRouter]:
        while True:
            tunnel = TunnelServer(SocketAddress("127.0.0.1", 0), KEY, self.arrivals.arrive)
            try:
                return tunnel, DatagramRouter(
                    self.name,
                    self.rulings,
                    world.tunnel,
                    KEY,
                    tunnel.address,
                    self.network.endpoint_of,
                    world.clock,
                )
            except OSError:
                tunnel.unbind()

    def _build(self, spec: PodSpec, ip: str) -> PodNetwork:
        names = PodNames(ResolvConf.parse(CONF), {}, "")
        self.view = self.view.with_attached(ip, spec.namespace, spec.name)
        return PodNetwork(
            spec, ip, router=self.routes, names=names, calls=node_loop(), node_name=self.name
        )

    def _gone(self, network: PodNetwork) -> None:
        self.detached.append(network.ip)
        self.view = self.view.with_detached(network.ip)

    def change(self, resource: Resource, document: Document, *, gone: bool) -> None:
        before = self.view
        change = (resource, document, None) if gone else (resource, None, document)
        self.view = before.with_changes([change])
        self.datagrams.follow(before, self.view)

    def segments(self, **query: Any) -> list[Segment]:
        return self.recorder.find(Query(**query))

    async def close(self) -> None:
        await self.tunnel.close()
        if self.hand_over is not None:
            self.hand_over.close()
        await self.tasks.close()
        self.datagrams.close()
        await self.network.close()
        self.arrivals.close()


class World:
    """Nodes that decide; what the API would tell them is put into their views by the test."""

    run = staticmethod(run_in)
    until = staticmethod(until)

    def __init__(self, run_dir: Path | None = None) -> None:
        self.clock = ManualClock()
        self.run_dir = run_dir  # where nodes hand sockets over; None: they relay
        self.hosts: dict[str, SocketAddress] = {}  # node ("" is the control plane) -> real
        self.nodes: dict[int, Node] = {}
        self.silenced: set[str] = set()  # nodes that have announced no tunnel
        self._made: list[socket.socket] = []
        self._documents: list[tuple[Resource, Document]] = []
        self.put((NAMESPACES, {"metadata": {"name": "default", "labels": {}}}))

    def node(self, number: int = 1) -> Node:
        if number not in self.nodes:
            self.nodes[number] = Node(number, self)
            for resource, document in self._documents:
                self.nodes[number].change(resource, document, gone=False)
            self.put(_node_document(number))
        return self.nodes[number]

    def tunnel(self, name: str) -> SocketAddress | None:
        node = self.nodes.get(int(name.rpartition("-")[2]))
        return None if node is None or name in self.silenced else node.tunnel.address

    def host(self, name: str, _: SocketAddress) -> SocketAddress | None:
        return self.hosts.get(name)

    def put(self, what: tuple[Resource, Document], *, gone: bool = False) -> None:
        """Tell every node of a document."""
        if not gone:
            self._documents.append(what)
        for node in self.nodes.values():
            node.change(*what, gone=gone)

    async def pod(self, name: str, number: int = 1, **labels: str) -> PodNetwork:
        """A pod that runs, and is known to every node."""
        spec = PodSpec(namespace="default", name=name, uid=name, hostname=name, labels=labels)
        network = await self.node(number).network.add(spec)
        assert isinstance(network, PodNetwork)
        self.put(_pod_document(name, network.ip, number, labels))
        return network

    def service(self, name: str, ip: str, *backends: str, **more: Any) -> None:
        """A Service on port 80 with endpoints on port 8080."""
        service, endpoint_slice = _service_documents(name, ip, backends, more)
        self.put((SERVICES, service))
        self.put((ENDPOINT_SLICES, endpoint_slice))

    def isolate(self, name: str, pods: Document | None = None, **spec: Any) -> None:
        """A NetworkPolicy; without rules it denies everything inwards."""
        document = {
            "metadata": {"namespace": "default", "name": name},
            "spec": {"podSelector": pods or {}, "policyTypes": ["Ingress"], **spec},
        }
        self.put((NETWORK_POLICIES, document))

    def outside_client(self, port: int = 40000) -> tuple[Origin, SocketAddress]:
        """Who comes in at a node port."""
        return Origin(OriginKind.OUTSIDE, "203.0.113.7"), SocketAddress("203.0.113.7", port)

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """A real TCP connection: the client's end, and the accepted one."""
        client = socket.socket()
        accepted = _joined_to(client)
        self._made.append(client)  # the other is whose it is given to
        return client, accepted

    async def read_all(self, sock: socket.socket) -> bytes:
        """What arrives up to the end of file."""
        parts = []
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while part := await loop.sock_recv(sock, 65536):
                parts.append(part)
        return b"".join(parts)

    def keep(self, sock: socket.socket) -> socket.socket:
        """Close a socket at the end of the test."""
        self._made.append(sock)
        return sock

    async def close(self) -> None:
        for sock in self._made:
            close(sock)
        for node in self.nodes.values():
            await node.close()
        await settled()


def _node_document(number: int) -> tuple[Resource, Document]:
    address = {"type": "InternalIP", "address": f"172.30.0.{number}"}
    return NODES, {
        "metadata": {"name": f"node-{number}", "labels": {}},
        "spec": {"podCIDR": f"10.244.{number}.0/24"},
        "status": {"addresses": [address]},
    }


def _pod_document(
    name: str, ip: str, number: int, labels: dict[str, str]
) -> tuple[Resource, Document]:
    return PODS, {
        "metadata": {"namespace": "default", "name": name, "uid": name, "labels": labels},
        "spec": {"nodeName": f"node-{number}", "containers": [{"name": "main"}]},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]},
    }


def _service_documents(
    name: str, ip: str, backends: tuple[str, ...], more: dict[str, Any]
) -> tuple[Document, Document]:
    protocol, node_port = more.pop("protocol", "TCP"), more.pop("node_port", None)
    port = {"name": "main", "port": 80, "protocol": protocol, "targetPort": 8080}
    if node_port:
        port["nodePort"] = node_port
        more["type"] = "NodePort"
    metadata = {"namespace": "default", "name": name}
    endpoints = [
        {
            "addresses": [each],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "nodeName": f"node-{each.split('.')[2]}",
        }
        for each in backends
    ]
    spec = {"clusterIP": ip, "clusterIPs": [ip], "ports": [port], **more}
    return (
        {"metadata": metadata, "spec": spec, "status": {}},
        {
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "ports": [{"name": "main", "port": 8080, "protocol": protocol}],
            "endpoints": endpoints,
        },
    )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.close()


@pytest.fixture
async def handing_world() -> AsyncIterator[World]:
    """A world whose nodes hand sockets over."""
    with tempfile.TemporaryDirectory(prefix="kh-") as run_dir:  # short, as a socket's path is
        made = World(Path(run_dir))
        yield made
        await made.close()


@pytest.fixture(params=["world", "handing_world"], ids=["relayed", "handed over"])
def either_world(request: pytest.FixtureRequest) -> World:
    """A world of each kind: what clients see and traces tell is the same."""
    made: World = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def manual_clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def node_port() -> int:
    """A port free for TCP and UDP on 127.0.0.1, where no client's own port can be."""
    for number in sample(range(30000, 32768), 1000):
        with (
            suppress(OSError),
            socket.socket() as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("127.0.0.1", number))
            udp.bind(("127.0.0.1", number))
            return number
    raise AssertionError("no node port is free")


class MemoryApi:
    """Objects in memory, listed and watched; patches replace key by key, conditions by type."""

    def __init__(self) -> None:
        self.version = 0
        self.objects: dict[tuple[str, str, str], Document] = {}
        self._events: list[tuple[int, Resource, WatchEvent]] = []
        self._changed = asyncio.Condition()

    def key(self, resource: Resource, name: str, namespace: str | None) -> tuple[str, str, str]:
        return resource.plural, namespace or "", name

    async def put(self, resource: Resource, document: Document, *, gone: bool = False) -> Document:
        """Store, or delete, and tell whoever watches."""
        meta = document["metadata"]
        key = self.key(resource, meta["name"], meta.get("namespace"))
        kind = EventType.MODIFIED if key in self.objects else EventType.ADDED
        self.version += 1
        uid = meta.get("uid", f"uid-{meta['name']}")
        meta = {**meta, "uid": uid, "resourceVersion": str(self.version)}
        stored = {**document, "metadata": meta}
        if gone:
            del self.objects[key]
            kind = EventType.DELETED
        else:
            self.objects[key] = stored
        self._events.append((self.version, resource, WatchEvent(kind, stored)))
        async with self._changed:
            self._changed.notify_all()
        return stored

    def find(self, resource: Resource, name: str, namespace: str | None = None) -> Document:
        try:
            return self.objects[self.key(resource, name, namespace)]
        except KeyError:
            status = {"code": 404, "reason": "NotFound", "message": f"{name} not found"}
            raise ApiError(status) from None

    def of(self, resource: Resource) -> list[Document]:
        return [each for key, each in self.objects.items() if key[0] == resource.plural]

    async def get(self, resource: Resource, name: str, *, namespace: str | None = None) -> Any:
        return self.find(resource, name, namespace)

    async def list(self, resource: Resource, **_: Any) -> Listing:
        return Listing(list(self.of(resource)), str(self.version))

    async def create(self, resource: Resource, document: Any) -> Any:
        meta = document["metadata"]
        if self.key(resource, meta["name"], meta.get("namespace")) in self.objects:
            raise ApiError({"code": 409, "reason": "AlreadyExists", "message": "it exists"})
        return await self.put(resource, dict(document))

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Any,
        *,
        namespace: str | None = None,
        **_: Any,
    ) -> Any:
        return await self.put(resource, _merged(self.find(resource, name, namespace), patch))

    async def delete(
        self, resource: Resource, name: str, *, namespace: str | None = None, **_: Any
    ) -> Any:
        return await self.put(resource, self.find(resource, name, namespace), gone=True)

    async def watch(
        self, resource: Resource, *, resource_version: str, **_: Any
    ) -> AsyncIterator[WatchEvent]:
        seen = int(resource_version)
        while True:
            for version, about, event in list(self._events):
                if version > seen and about == resource:
                    seen = version
                    yield event
            async with self._changed:
                if self.version <= seen or not self._after(seen, resource):
                    await self._changed.wait()

    async def follow(self, node: str) -> AsyncIterator[Batch]:
        """As control tells it, a batch for each change."""
        seen = self.version
        yield Batch(True, self._versions(), _told(node, self.objects.items()))
        while True:
            for version, about, event in list(self._events):
                if version > seen:
                    seen = version
                    meta = event.document["metadata"]
                    key = self.key(about, meta["name"], meta.get("namespace"))
                    gone = event.type == EventType.DELETED
                    changes = _told(node, [(key, event.document)], gone=gone)
                    yield Batch(False, self._versions(), changes)
            async with self._changed:
                if self.version <= seen:
                    await self._changed.wait()

    def _versions(self) -> dict[str, int]:
        return {each.plural: self.version for each in RESOURCES}

    def _after(self, seen: int, resource: Resource) -> bool:
        return any(version > seen and about == resource for version, about, _ in self._events)


def _told(
    node: str, items: Iterable[tuple[tuple[str, str, str], Any]], *, gone: bool = False
) -> list[Change]:
    followed = {each.plural for each in RESOURCES}
    changes = []
    for (plural, namespace, name), document in items:
        if plural not in followed:
            continue
        body = None if gone else orjson.dumps(document)
        changes.append(Change(plural, namespace, name, body))
        owner = {"nodes": name, "pods": document.get("spec", {}).get("nodeName")}.get(plural)
        if node == owner:
            changes.append(Change(OWN + plural, namespace, name, body))
    return changes


def _merged(before: Any, patch: Any) -> Any:
    if not isinstance(before, dict) or not isinstance(patch, dict):
        return patch
    merged = {**before}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif name == "conditions":
            known = {each["type"]: each for each in before.get(name) or ()}
            known.update({each["type"]: each for each in value if "$patch" not in each})
            merged[name] = list(known.values())
        else:
            merged[name] = _merged(before.get(name, {}), value)
    return merged


@pytest.fixture
async def memory_api() -> MemoryApi:
    return MemoryApi()


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's TLS context, of a certificate for "web"."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "web")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("web")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "pair.pem"
    path.write_bytes(certificate.public_bytes(pem) + private)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))
