"""The stage: what a scenario does to the cluster, shown as it does it.

Every request, change and failure goes the way a user's would: traffic from its place in the cluster
network, changes through the API, failures through the launcher.
"""

import asyncio
import textwrap
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cluster.cli.curl import send
from cluster.cli.curl_request import FORM, CurlRequest
from cluster.cli.demo import script
from cluster.cli.demo.answer import Answer
from cluster.cli.demo.pods import (
    PodSeen,
    endpoint_addresses,
    is_ready,
    of_app,
    of_service,
    pods_seen,
)
from cluster.cli.demo.scenario import DoesNotHold
from cluster.cli.flow_traces import trace_if_any
from cluster.cli.opened import Opened
from cluster.cli.status import programmed
from cluster.cli.terminal import Terminal
from cluster.client.interface import Document
from cluster.launcher.manifests import apply, delete, read_manifests
from cluster.objects.resources import ENDPOINT_SLICES, NODES, PODS, SERVICES, Resource
from cluster.trace.join import Trace
from cluster.trace.query import ANY_PORT, Query
from cluster.trace.tree import render
from cluster.traffic.dial import Stream, open_stream
from cluster.traffic.place import Place
from cluster.traffic.resolve import resolve
from cluster.traffic.traces import trace_of
from cluster.traffic.unreached import Unreached
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import FlowKind

SHOP = "shop"
ANSWER_SECONDS = 5.0  # how long a request of the demo waits
SETTLE_SECONDS = 30.0
ASK_SECONDS = 0.02  # between questions to the launcher
OK, NOT_FOUND = 200, 404
CLUSTER_DNS, DNS_PORT = "10.96.0.10", 53
MARGIN = len(script.INDENT)


class Stage:
    """One cluster, one terminal."""

    def __init__(self, cluster: Opened, terminal: Terminal, examples: Path) -> None:
        self.cluster = cluster
        self.api = cluster.api
        self.running = cluster.running
        self.examples = examples
        self.claims = 0
        self._terminal = terminal
        self._colour = terminal.colour_out

    # -- what is shown

    def say(self, text: str) -> None:
        """A paragraph of the story."""
        self._terminal.say("\n" + script.paragraph(text, self._terminal.width))

    def command(self, text: str) -> None:
        """What a user would type now."""
        self._terminal.say(script.command(text, width=self._terminal.width, colour=self._colour))

    def output(self, text: str) -> None:
        """What the command prints."""
        self._terminal.say(script.indented(text, self._terminal.width))

    def claim(self, text: str, holds: bool, found: object = "") -> None:
        """A claim of the scenario; DoesNotHold, with what was found, ends it."""
        self.claims += 1
        self._terminal.say(
            script.claim(text, holds=holds, width=self._terminal.width, colour=self._colour)
        )
        if not holds:
            raise DoesNotHold(f"{text}: found {found}" if found != "" else text)

    def show(self, answer: Answer) -> None:
        """The trace of a request."""
        if answer.trace is not None:
            width = self._terminal.width - MARGIN
            tree = render(answer.trace, width=width, colour=self._colour)
            self._terminal.say("\n" + textwrap.indent(tree.rstrip("\n"), script.INDENT))

    # -- traffic

    async def curl(
        self,
        url: str,
        *,
        source: str = "internet",
        data: str = "",
        seconds: float | None = None,
        traced: bool = True,
    ) -> Answer:
        """Send a request as `kubehop curl` does; show the command, the answer and the trace."""
        self.command(
            script.curl_command(
                url, source=source, namespace=SHOP, data=data, seconds=seconds, traced=traced
            )
        )
        answer = await self.ask(url, source=source, data=data, seconds=seconds)
        self.output(answer.printed())
        if traced:
            self.show(answer)
        return answer

    async def ask(
        self, url: str, *, source: str = "internet", data: str = "", seconds: float | None = None
    ) -> Answer:
        """The same without a word."""
        request = CurlRequest(
            url=url,
            method="POST" if data else "GET",
            headers=(("Content-Type", FORM),) if data else (),
            body=data.encode(),
            timeout_seconds=ANSWER_SECONDS if seconds is None else seconds,
        )
        place = Place.parse(source, SHOP)
        try:
            response = await send(self.cluster.access, place, request)
        except Unreached as error:
            trace = error.trace or (await self._trace(error.flow_id))
            return Answer(symptom=str(error.kind), message=error.message, trace=trace)
        flow_id = next(iter(response.flow_ids), "")
        return Answer(response=response, trace=await self._trace(flow_id))

    async def _trace(self, flow_id: str) -> Any:
        return await trace_if_any(self.cluster.access, flow_id) if flow_id else None

    # -- what there is

    async def pods(self) -> list[PodSeen]:
        """The shop's pods."""
        return pods_seen((await self.api.list(PODS, namespace=SHOP)).items)

    async def pods_of(self, app: str) -> list[PodSeen]:
        """The ready pods of an application of the shop."""
        return of_app(await self.pods(), app)

    async def node_names(self) -> list[str]:
        """All nodes, by name."""
        return sorted(each["metadata"]["name"] for each in (await self.api.list(NODES)).items)

    async def is_ready(self, node: str) -> bool:
        """Whether a node says so."""
        return is_ready(await self.api.get(NODES, node))

    async def front(self, service: str) -> str:
        """The real address of the first port of a load balancer, as "IP:PORT"."""
        found = await self.api.get(SERVICES, service, namespace=SHOP)
        port = found["spec"]["ports"][0]
        known = await self.cluster.access.known()
        return str(resolve(service, port["port"], known, namespace=SHOP).real)

    async def log(self, pod: str, container: str) -> str:
        """What a container has printed, over all of its last two runs."""
        node = (await self.api.get(PODS, pod, namespace=SHOP))["spec"]["nodeName"]
        where = await self.cluster.access.kubelet(node)
        path = f"/containerLogs/{SHOP}/{pod}/{container}"
        _, running = await self.cluster.access.ask(where, path)
        status, previous = await self.cluster.access.ask(where, path, {"previous": "true"})
        return ((previous if status == OK else b"") + running).decode()

    async def newest_dns_flow(self, pod: PodSeen) -> Trace:
        """The trace of a pod's last query to the cluster's DNS."""
        query = Query(
            kind=FlowKind.DNS,
            source=SocketAddress(pod.ip, ANY_PORT),
            destination=SocketAddress(CLUSTER_DNS, DNS_PORT),
        )
        return await trace_of(self.cluster.access, query)

    async def endpoints(self, service: str) -> list[str]:
        """The ready endpoints of a Service of the shop."""
        slices = (await self.api.list(ENDPOINT_SLICES, namespace=SHOP)).items
        return endpoint_addresses(of_service(slices, service))

    async def endpoints_become(
        self,
        service: str,
        holds: Callable[[list[str]], bool],
        what: str,
        *,
        but: Iterable[str] = (),
    ) -> list[str]:
        """Wait for a Service's ready endpoints, `what` says for which, and until all know them."""
        found = await self.until(
            ENDPOINT_SLICES,
            lambda slices: holds(endpoint_addresses(of_service(slices, service))),
            what,
            namespace=SHOP,
        )
        await self.everybody_knows(but=but)
        return endpoint_addresses(of_service(found, service))

    # -- changes

    async def gone(self, resource: Resource, name: str) -> None:
        """Wait until an object of the shop does not exist any more."""
        what = f"{resource.kind} {name} to be gone"
        await self.until(resource, lambda found: name not in _names(found), what, namespace=SHOP)

    @asynccontextmanager
    async def applied(self, manifest: str) -> AsyncIterator[None]:
        """Apply a manifest of the examples for the time of a block; everybody knows of it."""
        documents = read_manifests([self.examples / manifest])
        self.command(f"kubectl apply -f examples/{manifest}")
        for line in await apply(self.api, documents):
            self.output(line)
        try:
            await self.everybody_knows()
            yield
        finally:
            self.command(f"kubectl delete -f examples/{manifest}")
            await delete(self.api, documents)
        await self.everybody_knows()

    async def settled(self) -> None:
        """Until nothing is under way any more."""
        await self.running.call("settled", seconds=SETTLE_SECONDS)

    # -- failures

    async def process(self, name: str) -> Mapping[str, Any]:
        """What the launcher says of a process."""
        status = await self.running.call("status")
        return next(each for each in status["processes"] if each["name"] == name)

    async def kill(self, name: str) -> None:
        """kill -9, from behind."""
        process = await self.process(name)
        self.command(f"kill -9 {process['pid']}  # {name}")
        await self.running.call("kill", name=name)

    async def restarted(self, name: str, before: Mapping[str, Any]) -> Mapping[str, Any]:
        """Wait until the launcher has brought a process back."""
        async with asyncio.timeout(SETTLE_SECONDS):
            while True:
                now = await self.process(name)
                if now["state"] == "ready" and now["restarts"] > before["restarts"]:
                    return now
                await asyncio.sleep(ASK_SECONDS)

    async def balancer_leaves(self, node: str) -> None:
        """Wait until the gateway's own health checks have given a node up."""
        where = (await self.cluster.access.endpoints())["gateway"]
        async with asyncio.timeout(SETTLE_SECONDS):
            while True:
                _, body = await self.cluster.access.ask(where, "/metrics")
                if not node_healthy(body.decode(), node):
                    return
                await asyncio.sleep(ASK_SECONDS)

    async def stop_node(self, name: str, how: str) -> None:
        """Take a node away."""
        self.command(f"kubehop node stop {name} --{how}")
        await self.running.call("stop_node", name=name, how=how)

    async def connect(self, host: str, port: int) -> tuple[Stream, Answer]:
        """A connection from the internet that stays open, and where it came to."""
        place = Place.parse("internet", SHOP)
        access = self.cluster.access
        stream = await open_stream(access, place, host, port, timeout_seconds=ANSWER_SECONDS)
        return stream, Answer(trace=await self._trace(stream.flow_id))

    async def everybody_knows(self, *, but: Iterable[str] = ()) -> None:
        """Until every process, but those that do not run, decides by what is now in the API."""
        versions = await self.api.call("GET", "/kubehop/v1/resource-versions")
        answers = await programmed(self.cluster.access, versions, but=but)
        behind = {name: why for name, why in answers.items() if why}
        if behind:
            raise DoesNotHold(f"not everybody decides by the newest objects: {behind}")

    async def until(
        self,
        resource: Resource,
        holds: Callable[[list[Document]], bool],
        what: str,
        *,
        namespace: str | None = None,
        seconds: float = SETTLE_SECONDS,
    ) -> list[Document]:
        """Watch objects until something holds of them; DoesNotHold when it takes too long."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found = await self._watched(resource, holds, namespace)
                    if found is not None:
                        return found
        except TimeoutError:
            raise DoesNotHold(f"waited {seconds:g} s in vain for {what}") from None

    async def _watched(
        self, resource: Resource, holds: Callable[[list[Document]], bool], namespace: str | None
    ) -> list[Document] | None:
        """None: the watch ended and must begin anew."""
        listing = await self.api.list(resource, namespace=namespace)
        found = {each["metadata"]["uid"]: each for each in listing.items}
        if holds(list(found.values())):
            return list(found.values())
        version = listing.resource_version
        async for event in self.api.watch(resource, resource_version=version, namespace=namespace):
            if event.type == "BOOKMARK":
                continue
            uid = event.document["metadata"]["uid"]
            if event.type == "DELETED":
                found.pop(uid, None)
            else:
                found[uid] = event.document
            if holds(list(found.values())):
                return list(found.values())
        return None


def node_healthy(metrics: str, node: str) -> bool:
    """Whether the gateway sends new flows to a node, by its own metrics."""
    return f'kubehop_gateway_node_healthy{{node="{node}"}} 0' not in metrics


def _names(documents: Iterable[Document]) -> set[str]:
    return {each["metadata"]["name"] for each in documents}
