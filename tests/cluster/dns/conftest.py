"""A small cluster's names, as documents."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from cluster.dns.answer import Answer
from cluster.dns.zone import Zone, ZoneSettings
from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import Message, Question, RRType, decode, encode

Document = dict[str, Any]
HTTP: Document = {"name": "http", "port": 80, "protocol": "TCP"}


class Make:
    """Builds documents and asks zones."""

    def namespace(self, name: str) -> Document:
        return {"metadata": {"name": name}}

    def service(self, name: str, *ips: str, namespace: str = "ns", **spec: Any) -> Document:
        spec = {"ports": [HTTP], "clusterIPs": list(ips), **spec}
        if ips:
            spec["clusterIP"] = ips[0]
        return {"metadata": {"namespace": namespace, "name": name}, "spec": spec}

    def headless(self, name: str, **spec: Any) -> Document:
        return self.service(name, "None", **spec)

    def alias(self, name: str, target: str) -> Document:
        return self.service(name, type="ExternalName", externalName=target, ports=[])

    def endpoint(self, ip: str, *, ready: bool | None = True, **more: Any) -> Document:
        conditions = {} if ready is None else {"ready": ready}
        return {"addresses": [ip], "conditions": conditions, **more}

    def slice(
        self,
        service: str,
        *endpoints: Document | str,
        name: str = "",
        ports: list[Document] | None = None,
        address_type: str = "IPv4",
    ) -> Document:
        listed = [self.endpoint(each) if isinstance(each, str) else each for each in endpoints]
        given = [{"name": "http", "port": 8080, "protocol": "TCP"}] if ports is None else ports
        return {
            "metadata": {
                "namespace": "ns",
                "name": name or f"{service}-1",
                "labels": {"kubernetes.io/service-name": service},
            },
            "addressType": address_type,
            "endpoints": listed,
            "ports": given,
        }

    def pod(self, name: str, ip: str, *, namespace: str = "ns", **more: Any) -> Document:
        status = {"podIP": ip, "podIPs": [{"ip": ip}], **more.pop("status", {})}
        metadata = {"namespace": namespace, "name": name}
        return {"metadata": metadata, "spec": more, "status": status}

    def zone(
        self,
        *services: Document,
        slices: tuple[Document, ...] = (),
        pods: tuple[Document, ...] = (),
        settings: ZoneSettings | None = None,
    ) -> Zone:
        return Zone.build(
            namespaces=[self.namespace("ns"), self.namespace("kube-system")],
            services=services,
            endpoint_slices=slices,
            pods=pods,
            settings=settings,
        )

    def ask(self, zone: Zone, name: str, type_: str = "A") -> Answer:
        """A question in dig's words; a name ends in Z for the cluster's domain."""
        full = name[:-1] + "cluster.local" if name.endswith("Z") else name
        return zone.answer(Question(full, RRType[type_]))

    def data(self, zone: Zone, name: str, type_: str = "A") -> list[str]:
        """The data of the answers alone."""
        return [str(each.data) for each in self.ask(zone, name, type_).answers]


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def worked(make: Make) -> Zone:
    """The cluster of the worked answers (D-137 to D-144): web, and its headless twin hl."""
    return make.zone(
        make.service("web", "10.96.0.20"),
        make.headless("hl"),
        slices=(
            make.slice("web", "10.244.1.5", "10.244.2.6"),
            make.slice("hl", "10.244.1.5", "10.244.2.6"),
        ),
    )


class ManualClock:
    """Time that stands still until a test moves it."""

    scale = 1.0

    def __init__(self) -> None:
        self.time = 1_790_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class Upstream:
    """A name server of the world, on a real socket: answers what `answering` says, or nothing."""

    def __init__(self, answering: Callable[[Message], Message | None]) -> None:
        self.answering = answering
        self.asked: list[tuple[str, str]] = []
        self.address = SocketAddress("127.0.0.1", 0)

    async def start(self) -> None:
        self._tcp = await asyncio.start_server(self._serve_stream, "127.0.0.1", 0)
        port = self._tcp.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        upstream = self

        class Served(asyncio.DatagramProtocol):
            def connection_made(self, transport: Any) -> None:
                self._transport = transport

            def datagram_received(self, data: bytes, addr: Any) -> None:
                answer = upstream.answer(data, "udp")
                if answer is not None:
                    self._transport.sendto(answer, addr)

        self._udp, _ = await loop.create_datagram_endpoint(Served, local_addr=("127.0.0.1", port))
        self.address = SocketAddress("127.0.0.1", port)

    def answer(self, raw: bytes, how: str) -> bytes | None:
        query = decode(raw)
        self.asked.append((how, str(query.questions[0])))
        answer = self.answering(query)
        return None if answer is None else encode(answer)

    async def _serve_stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        answer = self.answer(await reader.readexactly(length), "tcp")
        if answer is not None:
            writer.write(len(answer).to_bytes(2, "big") + answer)
        writer.close()

    async def close(self) -> None:
        self._udp.close()
        self._tcp.close()


@pytest.fixture
async def upstream() -> AsyncIterator[Callable[..., Awaitable[Upstream]]]:
    started: list[Upstream] = []

    async def start(answering: Callable[[Message], Message | None]) -> Upstream:
        server = Upstream(answering)
        await server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        await server.close()
