"""The way to a running cluster's processes: their sockets, its nodes, pods and Services.

On one machine everything lies in the run directory, and a pod's place is known to the kubelets: so
requests from pods, from nodes and to real addresses go on with the API server dead. Between
machines a kubelet is where its Node says (annotation kubehop.dev/kubelet).
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from cluster.aio.clock import Clock, SystemClock
from cluster.client.interface import Api, Document
from cluster.dataclass import dataclass
from cluster.errors import ApiError, ConfigError
from cluster.objects.resources import DEPLOYMENTS, NODES, PODS, SERVICES
from cluster.trace.client import Access as TraceAccess
from cluster.trace.client import trust
from cluster.traffic.place import Place, PlaceKind
from cluster.traffic.resolve import Known
from cluster.wire.clients import OutsideClients

KUBELET = "kubehop.dev/kubelet"
ANSWER_SECONDS = 5.0
FLOW_SECONDS = 1.0  # for a flow to be found among the records
NAMES_SHOWN_MAX = 8
NOT_FOUND = 404
_NOT_DIAGNOSTICS = {"control", "launcher", "zygote"}

Asked = tuple[int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """Where in the cluster a dialler stands: a node and, on it, a pod or the node itself."""

    node: str
    origin: str  # as /dial is told: "pod/NAMESPACE/NAME" or "node"
    ip: str  # what its flows come from; "" when that is not known


class Access:
    """A running cluster, as a client of its processes."""

    def __init__(
        self,
        run_dir: Path,
        api: Api,
        *,
        clients: OutsideClients | None = None,
        tls: ssl.SSLContext | None = None,
        headers: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        flow_seconds: float = FLOW_SECONDS,
    ) -> None:
        self.run_dir = run_dir
        self.api = api
        self.clients = clients or OutsideClients.parse()
        self.remote = TraceAccess(tls=tls, headers=headers or {})
        self.clock = clock or SystemClock()
        self.flow_seconds = flow_seconds

    async def endpoints(self) -> dict[str, str]:
        """Every process that records flows, by its name in traces: "unix:PATH" or "https://...".

        Who brings credentials for other machines asks their kubelets too, if the API names them.
        """
        found = {
            path.stem: f"unix:{path}"
            for path in sorted(self.run_dir.glob("*.sock"))
            if path.stem not in _NOT_DIAGNOSTICS
        }
        if found and not self.remote.headers:
            return found
        try:
            return {**await self._announced(), **found}
        except (ConnectionError, TimeoutError):
            if not found:
                raise
            return found

    async def _announced(self) -> dict[str, str]:
        nodes = (await self.api.list(NODES)).items
        return {node["metadata"]["name"]: where for node in nodes if (where := _kubelet(node))}

    async def known(self) -> Known:
        """Services and nodes, for an outside client's names; nothing while the API is silent."""
        try:
            services = (await self.api.list(SERVICES)).items
            return Known(services, (await self.api.list(NODES)).items)
        except (ConnectionError, TimeoutError):
            return Known()

    async def kubelet(self, node: str) -> str:
        """Where a node's kubelet listens; ConfigError names the nodes there are."""
        path = self.run_dir / f"{node}.sock"
        if path.exists():
            return f"unix:{path}"
        try:
            found = await self.api.get(NODES, node)
        except ApiError as error:
            if error.code != NOT_FOUND:
                raise
            names = _shown(
                [each["metadata"]["name"] for each in (await self.api.list(NODES)).items]
            )
            raise ConfigError(f"{node} is not a node of this cluster; nodes: {names}") from error
        where = _kubelet(found)
        if not where:
            raise ConfigError(f"{node} has not announced its kubelet (annotation {KUBELET})")
        return where

    async def station(self, place: Place) -> Station:
        """Where a pod, a Deployment's pod or a node is; ConfigError says why there is none."""
        match place.kind:
            case PlaceKind.NODE:
                return Station(node=place.name, origin="node", ip=await self._node_ip(place.name))
            case PlaceKind.DEPLOYMENT:
                return _station(await self._pod_of_deployment(place))
            case _:
                return _station(await self._pod(place))

    async def _node_ip(self, name: str) -> str:
        try:
            node = await self.api.get(NODES, name)
        except (ApiError, ConnectionError, TimeoutError):
            return ""
        addresses = node.get("status", {}).get("addresses") or ()
        return next((each["address"] for each in addresses if each["type"] == "InternalIP"), "")

    async def _pod(self, place: Place) -> Document:
        try:
            return await self.api.get(PODS, place.name, namespace=place.namespace)
        except ApiError as error:
            if error.code != NOT_FOUND:
                raise
            listing = await self.api.list(PODS, namespace=place.namespace)
            names = _shown([each["metadata"]["name"] for each in listing.items])
            text = f"there is no pod {place.name} in namespace {place.namespace}; pods: {names}"
            raise ConfigError(text) from error
        except (ConnectionError, TimeoutError):
            return await self._pod_by_kubelets(place)

    async def _pod_by_kubelets(self, place: Place) -> Document:
        """The API is silent: who runs it knows."""
        for where in (await self.endpoints()).values():
            try:
                status, body = await self.ask(where, "/pods")
            except (OSError, aiohttp.ClientError, TimeoutError):
                continue
            for pod in _items(status, body):
                metadata = pod["metadata"]
                if (metadata["namespace"], metadata["name"]) == (place.namespace, place.name):
                    return pod
        raise ConfigError(f"no kubelet runs {place}, and the API server does not answer")

    async def _pod_of_deployment(self, place: Place) -> Document:
        """The first ready pod; else any that is placed, so that its trouble can be seen."""
        deployment = await self.api.get(DEPLOYMENTS, place.name, namespace=place.namespace)
        labels = deployment["spec"]["selector"].get("matchLabels") or {}
        selector = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
        listing = await self.api.list(PODS, namespace=place.namespace, label_selector=selector)
        pods = sorted(listing.items, key=lambda pod: (not _ready(pod), pod["metadata"]["name"]))
        placed = [pod for pod in pods if pod["spec"].get("nodeName")]
        if not placed:
            raise ConfigError(f"{place} has no pod on a node: kubectl get pods -l {selector}")
        return placed[0]

    async def ask(
        self, where: str, path: str, parameters: Mapping[str, str] | None = None
    ) -> Asked:
        """GET a diagnostics path of a process: status and body."""
        async with (
            self.session(where) as (session, base),
            session.get(base + path, params=parameters) as response,
        ):
            return response.status, await response.read()

    @asynccontextmanager
    async def session(
        self, where: str, seconds: float = ANSWER_SECONDS
    ) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
        """An HTTP session with a process, and the start of its URLs."""
        connector: aiohttp.BaseConnector
        if where.startswith("unix:"):
            connector, base = aiohttp.UnixConnector(where.removeprefix("unix:")), "http://kubehop"
        else:
            base, trusted = trust(where, self.remote)
            connector = aiohttp.TCPConnector(ssl=trusted)
        timeout = aiohttp.ClientTimeout(total=seconds)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, headers=self.remote.headers
        ) as session:
            yield session, base


def _station(pod: Document) -> Station:
    metadata, node = pod["metadata"], pod["spec"].get("nodeName")
    name = f"{metadata['namespace']}/{metadata['name']}"
    if not node:
        raise ConfigError(f"pod {name} is on no node yet: kubectl describe pod says why")
    ip = str(pod.get("status", {}).get("podIP") or "")
    return Station(node=node, origin=f"pod/{name}", ip=ip)


def _kubelet(node: Document) -> str:
    return str((node["metadata"].get("annotations") or {}).get(KUBELET, ""))


def _ready(pod: Document) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


def _items(status: int, body: bytes) -> list[dict[str, Any]]:
    import json

    return json.loads(body)["items"] if status == 200 else []


def _shown(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:NAMES_SHOWN_MAX])
    return (shown + (", ..." if len(names) > NAMES_SHOWN_MAX else "")) or "none"
