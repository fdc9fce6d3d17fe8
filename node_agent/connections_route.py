"""GET /connections on a node: the TCP connections that its pods hold now, one JSON object a line.

    {"flowId": ..., "pod": "namespace/name", "local": IP:PORT, "peer": IP:PORT, "passed": [...]}

The rings of the trace forget; this table does not, for as long as a connection lives. Addresses are
as the pod sees them; `passed` names the processes through whose hands the socket came.
"""

import json
from collections.abc import Callable, Iterator

from aiohttp import web

from cluster.wire.addresses import SocketAddress
from node_agent.cni.established import Established, EstablishedFlow


class ConnectionsRoute:
    """The route; `pod_with` names the pod that has an address, "" if none has."""

    def __init__(self, established: Established, pod_with: Callable[[str], str]) -> None:
        self._established = established
        self._pod_with = pod_with

    def add_to(self, app: web.Application) -> None:
        """Register it."""
        app.router.add_get("/connections", self.answer)

    async def answer(self, _: web.Request) -> web.Response:
        """Every live connection, the oldest first."""
        return web.Response(text="".join(self._lines()), content_type="application/x-ndjson")

    def _lines(self) -> Iterator[str]:
        for flow_id, flow in self._established.live().items():
            yield json.dumps(self._described(flow_id, flow)) + "\n"

    def _described(self, flow_id: str, flow: EstablishedFlow) -> dict[str, object]:
        own, peer = flow.transport.names
        return {
            "flowId": flow_id,
            "pod": self._pod_with(own[0]),
            "local": str(SocketAddress(*own)),
            "peer": str(SocketAddress(*peer)),
            "passed": list(flow.passed),
        }
