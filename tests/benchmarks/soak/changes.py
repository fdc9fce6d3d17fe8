"""What changes all the time under the load: pods, nodes, policies; each is waited for."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from cluster.client.interface import EventType
from cluster.errors import ApiError
from cluster.objects.resources import DEPLOYMENTS, PODS
from cluster.testing.under_test import ClusterUnderTest
from tests.benchmarks.soak.tally import Deaths

NAMESPACE = "default"
SERVER = "server"
REPLICAS = (4, 5, 6, 7, 8)
AWAY_SECONDS = 2.0  # a node, at least
PAUSE_SECONDS = 0.5  # between changes
EXPIRED = 410


class Changes:
    """One after the other, as often as there is time; `done` counts them."""

    def __init__(self, cluster: ClusterUnderTest, deaths: Deaths, nodes: tuple[str, ...]) -> None:
        self.done: Counter[str] = Counter()
        self._cluster = cluster
        self._deaths = deaths
        self._nodes = nodes  # that may be taken away
        self._random = Random(2)
        self._loop = asyncio.get_running_loop()
        self._number = itertools.count()

    async def run(self, stop: asyncio.Event) -> None:
        """Until it is told to stop; what has begun is brought to its end."""
        while not stop.is_set():
            for name, change in self._kinds():
                if stop.is_set():
                    return
                await change()
                self.done[name] += 1
                await asyncio.sleep(PAUSE_SECONDS)

    def _kinds(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        kinds: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("rolling restarts", self._restart),
            ("changes of scale", self._scale),
            ("policies added and removed", self._policies),
            ("nodes stopped and started", self._node),
        ]
        self._random.shuffle(kinds)
        return kinds

    async def _restart(self) -> None:
        when = {"kubehop.dev/restarted": str(next(self._number))}
        template = {"metadata": {"annotations": when}}
        await self._patch({"template": template})

    async def _scale(self) -> None:
        await self._patch({"replicas": self._random.choice(REPLICAS)})

    async def _patch(self, spec: dict[str, Any]) -> None:
        await self._cluster.api.patch(DEPLOYMENTS, SERVER, {"spec": spec}, namespace=NAMESPACE)
        await self._cluster.settled()

    async def _policies(self) -> None:
        """One that allows what comes, and one that nobody minds; then none again."""
        await self._cluster.apply(POLICIES)
        await asyncio.sleep(PAUSE_SECONDS)
        await self._cluster.delete(POLICIES)

    async def _node(self) -> None:
        node = self._random.choice(self._nodes)
        how = self._random.choice(("shutdown", "crash"))
        self._deaths.node_goes(node, self._loop.time())
        await self._cluster.stop_node(node, how=how)
        await asyncio.sleep(AWAY_SECONDS)
        await self._cluster.start_node(node)
        await self._cluster.settled()
        self._deaths.node_is_back(node, self._loop.time())


async def watch_pods(
    cluster: ClusterUnderTest, deaths: Deaths, node_of_pod: dict[str, str], listed: asyncio.Event
) -> None:
    """Keep the nodes of the server's pods, and note which pods are being ended; until cancelled."""
    loop = asyncio.get_running_loop()

    def note(document: dict[str, Any], gone: bool) -> None:
        name = document["metadata"]["name"]
        node_of_pod[name] = document["spec"].get("nodeName", "")
        if gone or document["metadata"].get("deletionTimestamp"):
            deaths.pod_ends(name, loop.time())

    while True:
        listing = await cluster.api.list(PODS, namespace=NAMESPACE, label_selector="app=server")
        for each in listing.items:
            note(each, gone=False)
        listed.set()
        try:
            async for event in cluster.api.watch(
                PODS,
                resource_version=listing.resource_version,
                namespace=NAMESPACE,
                label_selector="app=server",
            ):
                if event.type is not EventType.BOOKMARK:
                    note(dict(event.document), event.type is EventType.DELETED)
        except ApiError as error:
            if error.code != EXPIRED:
                raise


def _policy(name: str, selector: dict[str, str], **rule: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {
            "podSelector": {"matchLabels": selector},
            "policyTypes": ["Ingress"],
            "ingress": [rule],
        },
    }


POLICIES = (
    _policy(
        "who-may-ask",
        {"app": "server"},
        **{
            "from": [
                {"ipBlock": {"cidr": "172.30.0.0/16"}},
                {"podSelector": {"matchLabels": {"app": "caller"}}},
            ]
        },
    ),
    _policy("nobody", {"app": "nobody"}),
)
