"""A running cluster in the hands of a test.

    await cluster.apply("shop.yaml")                          # and waits until it is settled
    response = await cluster.curl("http://frontend/cart", source="internet")
    assert response.trace.endpoint.node == "node-2"

Every method works on whatever event loop the test runs on; nothing is kept open between calls.
"""

import os
import signal
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import fields
from typing import Any

from cluster.client.api import ApiClient
from cluster.dataclass import dataclass
from cluster.launcher.manifests import apply
from cluster.launcher.running import Running
from cluster.testing.anywhere import ApiAnywhere
from cluster.testing.failures import Failures, failed_flows, report
from cluster.testing.kubectl import Ran, find_kubectl, run_kubectl
from cluster.testing.manifests import Manifests, read_manifests
from cluster.testing.removal import remove
from cluster.testing.wishes import Wishes
from cluster.trace.join import Trace
from cluster.trace.query import Query
from cluster.traffic.access import Access
from cluster.traffic.datagram import send_datagram
from cluster.traffic.dial import Stream, open_stream
from cluster.traffic.http import fetch
from cluster.traffic.place import Place
from cluster.traffic.response import Response
from cluster.traffic.traces import NoTrace, trace_of
from cluster.traffic.unreached import Unreached

CURL_SECONDS = 10.0
DATAGRAM_SECONDS = 5.0
TRACE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Response):
    """An HTTP answer with the trace of the connection that it came by."""

    traced: Trace | None

    @property
    def trace(self) -> Trace:
        """The whole trace, or with lines for what is missing; NoTrace if nobody recorded one."""
        if self.traced is None:
            raise NoTrace("no process of the cluster has recorded the connection of this answer")
        return self.traced


@dataclass(frozen=True, slots=True, kw_only=True)
class DatagramAnswer:
    """The datagram that came back, with the trace of its flow."""

    payload: bytes
    trace: Trace


class ClusterUnderTest:
    """A cluster, up and settled."""

    def __init__(self, running: Running, wishes: Wishes) -> None:
        self.running = running
        self.name = running.name
        self.run_dir = running.run_dir
        self.kubeconfig = running.kubeconfig
        self.api = ApiAnywhere(f"unix:{running.places.control_socket}")
        self.access = Access(self.run_dir, self.api)
        self.failures = Failures()
        self._wishes = wishes

    def __repr__(self) -> str:
        return f"<cluster {self.name}, {self._wishes.nodes} nodes, {self.run_dir}>"

    # Objects

    async def apply(self, what: Manifests, *, settle: bool = True) -> list[str]:
        """Create or update every object of a file, a text or documents; then wait as `settled`.

        A relative path is looked for in the test's `app_dir`, then in the current directory. What
        was done is returned: "Deployment shop/cart created".
        """
        placed = read_manifests(what, self._wishes.app_dir)
        async with ApiClient.of(self.api.address) as api:
            done = await apply(api, placed)
        if settle:
            await self.settled()
        return done

    async def delete(self, what: Manifests, *, settle: bool = True) -> None:
        """Delete every object of a file, a text or documents, and wait until they are gone."""
        placed = read_manifests(what, self._wishes.app_dir)
        await remove(self.api, [document for _, document in placed])
        if settle:
            await self.settled()

    async def settled(self, timeout_seconds: float | None = None) -> None:
        """Wait until every pod that should be ready is, and every process has programmed it."""
        seconds = self._wishes.settled_seconds if timeout_seconds is None else timeout_seconds
        await self.running.call("settled", seconds=seconds)

    async def kubectl(
        self,
        *arguments: str,
        version: str | None = None,
        stdin: str | None = None,
        check: bool = True,
        timeout_seconds: float = 60.0,
    ) -> Ran:
        """Run kubectl against this cluster; KubectlFailed if it fails and `check` is true."""
        path = find_kubectl(version, environment=os.environ)
        cache = f"--cache-dir={self.run_dir / 'kubectl-cache'}"
        return await run_kubectl(
            path,
            self.kubeconfig,
            (cache, *arguments),
            stdin=stdin,
            check=check,
            timeout_seconds=timeout_seconds,
        )

    # Traffic

    async def curl(
        self,
        url: str,
        *,
        source: str = "internet",
        namespace: str = "default",
        method: str = "GET",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | str = b"",
        timeout_seconds: float = CURL_SECONDS,
    ) -> Answer:
        """One HTTP request from a place; Unreached, with its trace, when nothing answers."""
        place = Place.parse(source, namespace)
        began = self.access.clock.now()
        try:
            response = await fetch(
                self.access,
                place,
                url,
                method=method,
                headers=headers.items() if isinstance(headers, Mapping) else headers,
                body=body.encode() if isinstance(body, str) else body,
                timeout_seconds=timeout_seconds,
            )
        except Unreached as error:
            raise await self._noted(error, began) from error
        traced = await self.trace(response.flow_ids[0]) if response.flow_ids else None
        known = {each.name: getattr(response, each.name) for each in fields(response)}
        return Answer(**known, traced=traced)

    async def datagram(
        self,
        host: str,
        port: int,
        payload: bytes,
        *,
        source: str = "internet",
        namespace: str = "default",
        timeout_seconds: float = DATAGRAM_SECONDS,
    ) -> DatagramAnswer:
        """One datagram and its reply; Unreached, "timeout" when none comes."""
        place = Place.parse(source, namespace)
        began = self.access.clock.now()
        try:
            reply = await send_datagram(
                self.access, place, host, port, payload, timeout_seconds=timeout_seconds
            )
        except Unreached as error:
            raise await self._noted(error, began) from error
        return DatagramAnswer(payload=reply.payload, trace=await self.trace(reply.flow_id))

    async def connect(
        self,
        host: str,
        port: int,
        *,
        source: str = "internet",
        namespace: str = "default",
        timeout_seconds: float = CURL_SECONDS,
    ) -> Stream:
        """An open connection, for what HTTP cannot show; `async with` closes it."""
        place = Place.parse(source, namespace)
        began = self.access.clock.now()
        try:
            return await open_stream(
                self.access, place, host, port, timeout_seconds=timeout_seconds
            )
        except Unreached as error:
            raise await self._noted(error, began) from error

    async def trace(self, wanted: str | Query, *, wait_seconds: float = TRACE_SECONDS) -> Trace:
        """The trace of a flow by its id, or of the newest that a query finds."""
        return await trace_of(self.access, wanted, wait=wait_seconds)

    async def _noted(self, error: Unreached, began: float) -> Unreached:
        """The same failure with its trace, remembered for the report."""
        if error.trace is None and error.flow_id:
            with suppress(NoTrace):
                error.trace = await self.trace(error.flow_id)
        self.failures.keep(began, error)
        return error

    # Processes and nodes

    async def stop_node(self, name: str, *, how: str = "crash") -> None:
        """Take a node away: "shutdown" in good order, "crash" by resets, "power-off" in silence."""
        await self.running.call("stop_node", name=name, how=how)

    async def start_node(self, name: str) -> None:
        """Bring it back, and wait until it serves."""
        await self.running.call("start_node", name=name)

    async def kill(self, process: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a process by its name: "control", "gateway", "dns", a node's name."""
        await self.running.call("kill", name=process, signal=int(number))

    async def processes(self) -> dict[str, dict[str, Any]]:
        """What the launcher says of its processes, by name: pid, state, restarts, ..."""
        status = await self.running.call("status")
        return {each["name"]: each for each in status["processes"]}

    # For the report of a test

    async def report(self, since: float) -> str:
        """The traces of the connections that have failed since then."""
        traces = await failed_flows(self.access, since)
        return "\n".join(report(self.failures.since(since), traces))
