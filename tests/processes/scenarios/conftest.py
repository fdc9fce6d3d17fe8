"""The example shop on real processes, and what the scenarios' tests ask about it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from cluster.cli.demo.pods import PodSeen, endpoint_addresses, of_service, pair, pods_seen
from cluster.cli.demo.stage import node_healthy
from cluster.cli.status import programmed
from cluster.client.interface import EventType
from cluster.errors import ApiError
from cluster.objects.resources import ENDPOINT_SLICES, NODES, PODS, SERVICES, Resource
from cluster.testing.start import apart
from cluster.testing.under_test import Answer, ClusterUnderTest, DatagramAnswer
from cluster.trace.join import Trace
from cluster.trace.record import Hop
from cluster.traffic.dial import Stream
from cluster.traffic.unreached import Unreached

SHOP = "shop"
MANIFEST = "shop/shop.yaml"
PATIENCE_SECONDS = 0.6  # of a client that meets silence
POLL_SECONDS = 0.02  # the gateway answers questions about its checks; it announces nothing
WAIT_SECONDS = 30.0  # before a test that waits for an event gives up
EXPIRED = 410


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop's cluster, its namespace understood."""

    cluster: ClusterUnderTest

    # what there is

    async def pods(self, app: str = "") -> list[PodSeen]:
        """Its ready pods, or those of one application."""
        found = pods_seen((await self.cluster.api.list(PODS, namespace=SHOP)).items)
        return [each for each in found if each.ready and app in ("", each.app)]

    async def pod(self, app: str) -> PodSeen:
        """One of an application's."""
        return (await self.pods(app))[0]

    async def pair(self, target: str, *, same_node: bool) -> tuple[PodSeen, PodSeen]:
        """A pod of an application, and another on its node, or on another one, that visits it."""
        return pair(await self.pods(), await self.pods(target), same_node=same_node)

    async def document(self, resource: Resource, name: str) -> dict[str, Any]:
        """An object of the shop."""
        return dict(await self.cluster.api.get(resource, name, namespace=SHOP))

    async def cluster_ip(self, service: str) -> str:
        """A Service's address."""
        return str((await self.document(SERVICES, service))["spec"]["clusterIP"])

    async def endpoints(self, service: str) -> list[str]:
        """Its ready endpoints, as "IP:PORT"."""
        slices = (await self.cluster.api.list(ENDPOINT_SLICES, namespace=SHOP)).items
        return endpoint_addresses(of_service(slices, service))

    async def nodes(self) -> list[str]:
        """Every node, by name."""
        found = (await self.cluster.api.list(NODES)).items
        return sorted(each["metadata"]["name"] for each in found)

    async def internal_ip(self, node: str) -> str:
        """A node's emulated address."""
        addresses = (await self.cluster.api.get(NODES, node))["status"]["addresses"]
        return next(each["address"] for each in addresses if each["type"] == "InternalIP")

    # traffic

    async def curl(self, url: str, source: str = "internet", **options: Any) -> Answer:
        """A request that is answered."""
        return await self.cluster.curl(url, source=source, namespace=SHOP, **options)

    async def failure(
        self, url: str, source: str = "internet", seconds: float = PATIENCE_SECONDS
    ) -> Unreached:
        """A request that is not, and why."""
        with pytest.raises(Unreached) as caught:
            await self.curl(url, source, timeout_seconds=seconds)
        assert caught.value.trace is not None, f"{caught.value} has no trace"
        return caught.value

    async def datagram(
        self, host: str, port: int, payload: bytes, source: str = "internet", **options: Any
    ) -> DatagramAnswer:
        """A datagram that is answered."""
        return await self.cluster.datagram(
            host, port, payload, source=source, namespace=SHOP, **options
        )

    async def connected(self, node: str, port: int, wanted: Callable[[Trace], bool]) -> Stream:
        """A connection from the internet by a node port that came to where it is wanted."""
        for _ in range(50):
            stream = await self.cluster.connect(node, port)
            if wanted(await self.cluster.trace(stream.flow_id)):
                return stream
            await stream.close()
        raise AssertionError("50 connections, and none came to where it was wanted")

    # changes

    @asynccontextmanager
    async def applied(self, what: Any) -> AsyncIterator[None]:
        """Objects for the time of a block."""
        try:
            await self.cluster.apply(what)
            yield
        finally:
            await self.cluster.delete(what)

    async def programmed(self, but: Iterable[str] = ()) -> None:
        """Every process, but those that do not run, decides by the newest objects."""
        versions = await self.cluster.api.call("GET", "/kubehop/v1/resource-versions")
        answers = await programmed(self.cluster.access, versions, but=but)
        assert {name: why for name, why in answers.items() if why} == {}

    async def balancer_leaves(self, node: str) -> None:
        """The gateway's own health checks have given a node up."""
        access = self.cluster.access
        where = (await access.endpoints())["gateway"]
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                _, body = await access.ask(where, "/metrics")
                if not node_healthy(body.decode(), node):
                    return
                await asyncio.sleep(POLL_SECONDS)

    async def until(
        self,
        resource: Resource,
        holds: Callable[[list[dict[str, Any]]], bool],
        namespace: str | None = SHOP,
    ) -> list[dict[str, Any]]:
        """Watch objects until something holds of them."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                found = await self._watched(resource, holds, namespace)
                if found is not None:
                    return found

    async def _watched(
        self,
        resource: Resource,
        holds: Callable[[list[dict[str, Any]]], bool],
        namespace: str | None,
    ) -> list[dict[str, Any]] | None:
        """None: the watch ended, and a new one must begin."""
        api = self.cluster.api
        listing = await api.list(resource, namespace=namespace)
        there = {each["metadata"]["uid"]: dict(each) for each in listing.items}
        version = listing.resource_version
        if holds(list(there.values())):
            return list(there.values())
        try:
            async for event in api.watch(resource, resource_version=version, namespace=namespace):
                if event.type is EventType.BOOKMARK:
                    continue
                uid = event.document["metadata"]["uid"]
                there.pop(uid, None)
                if event.type is not EventType.DELETED:
                    there[uid] = dict(event.document)
                if holds(list(there.values())):
                    return list(there.values())
        except ApiError as error:
            if error.code != EXPIRED:
                raise
        return None


def stages(trace: Trace) -> list[str]:
    """The stages of a trace in order, arrivals left out."""
    return [str(hop.step.stage) for hop in trace.hops if hop.step.action != "Received"]


def hop(trace: Trace, stage: str) -> Hop:
    """The one hop of a stage."""
    (found,) = (each for each in trace.hops if each.step.stage == stage)
    return found


def processes(trace: Trace) -> list[str]:
    """Which processes the flow passed, in order."""
    return [segment.process for segment in trace.segments]


def names(documents: Iterable[dict[str, Any]]) -> set[str]:
    """What objects are called."""
    return {each["metadata"]["name"] for each in documents}


@dataclass(frozen=True, slots=True)
class Reading:
    """How a trace is read."""

    stages: Callable[[Trace], list[str]] = stages
    hop: Callable[[Trace, str], Hop] = hop
    processes: Callable[[Trace], list[str]] = processes


VISITORS = tuple(
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"visitor-{number}", "namespace": SHOP, "labels": {"app": "visitor"}},
        "spec": {
            "nodeName": f"node-{number}",
            "containers": [{"name": "main", "image": "pause"}],
        },
    }
    for number in (1, 2, 3)
)


@pytest.fixture(scope="session")
def _shop_is_open(shared_cluster: ClusterUnderTest) -> None:
    """The shop, and on each node a pod that does nothing: a place to ask from."""
    apart(shared_cluster.apply(MANIFEST))
    apart(shared_cluster.apply(VISITORS))


@pytest.fixture
def shop(shared_cluster: ClusterUnderTest, _shop_is_open: None) -> Shop:
    """The shop on the session's cluster: a test leaves it as it found it."""
    return Shop(shared_cluster)


@pytest.fixture
def own_shop(cluster: ClusterUnderTest) -> Shop:
    """The shop on a cluster of the test's own, to be broken; its marker applies the manifest."""
    return Shop(cluster)


@pytest.fixture(scope="session")
def read() -> Reading:
    """How a trace is read: its stages, one hop, its processes."""
    return Reading()
