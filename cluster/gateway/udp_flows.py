"""The UDP flows of the gateway: whose datagrams go to which node, and replies back to whom.

    nothing -> UNREPLIED (30 s) -> first reply -> STREAM (120 s) -> silence -> nothing

Pure: a state machine; the time is passed in, everything is bounded, each step costs O(1).
Spec: S-129.
"""

from collections import OrderedDict
from collections.abc import Callable

from cluster.dataclass import dataclass
from cluster.gateway.balancer import Place
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import FlowContext

UDP_FLOWS_MAX = 65536
UNREPLIED_SECONDS = 30.0
STREAM_SECONDS = 120.0

ClientKey = tuple[Place, SocketAddress]  # a front, and the real address of its client


@dataclass(slots=True, kw_only=True, eq=False)
class UdpFlow:
    """One client's datagrams to one front."""

    place: Place
    client: SocketAddress  # real
    node: str
    tunnel: SocketAddress
    context: FlowContext  # as it is sent to the node
    head: bytes  # what stands before each datagram on the way there
    last_seen: float
    replies: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    @property
    def replied(self) -> bool:
        """Whether the node has answered: then it is a stream."""
        return self.replies > 0

    @property
    def key(self) -> ClientKey:
        """What its client's datagrams are found by."""
        return self.place, self.client

    @property
    def expires(self) -> float:
        """When it ends if nothing more is seen of it."""
        return self.last_seen + (STREAM_SECONDS if self.replied else UNREPLIED_SECONDS)


class UdpFlows:
    """The live flows, by client and by flow id."""

    def __init__(self, flows_max: int = UDP_FLOWS_MAX) -> None:
        self._flows_max = flows_max
        self._by_client: dict[ClientKey, UdpFlow] = {}
        self._queues: tuple[OrderedDict[str, UdpFlow], OrderedDict[str, UdpFlow]] = (
            OrderedDict(),  # unreplied, oldest first
            OrderedDict(),  # replied
        )

    @property
    def full(self) -> bool:
        """Whether no further flow may be opened."""
        return len(self) >= self._flows_max

    def open(self, flow: UdpFlow) -> None:
        """Remember a new flow; there must be room."""
        assert not self.full
        self._by_client[flow.key] = flow
        self._queues[flow.replied][flow.context.flow_id] = flow

    def from_client(self, key: ClientKey, size: int, *, now: float) -> UdpFlow | None:
        """The flow that a client's datagrams belong to, noted as seen."""
        flow = self._by_client.get(key)
        if flow is None or flow.expires <= now:
            return None
        flow.bytes_in += size
        self._seen(flow, now)
        return flow

    def find(self, flow_id: str) -> UdpFlow | None:
        """The flow of that name, without having seen anything of it."""
        return self._queues[True].get(flow_id) or self._queues[False].get(flow_id)

    def from_node(self, flow_id: str, count: int, size: int, *, now: float) -> UdpFlow | None:
        """The flow that a node's replies belong to, noted as replied."""
        flow = self.find(flow_id)
        if flow is None or flow.expires <= now:
            return None
        flow.bytes_out += size
        if not flow.replied:
            del self._queues[False][flow_id]
        flow.replies += count
        self._seen(flow, now)
        return flow

    def _seen(self, flow: UdpFlow, now: float) -> None:
        flow.last_seen = now
        queue = self._queues[flow.replied]
        queue[flow.context.flow_id] = flow
        queue.move_to_end(flow.context.flow_id)

    def expire(self, now: float) -> list[UdpFlow]:
        """Forget the flows whose time is up, and name them."""
        expired = []
        for queue in self._queues:
            while queue:
                flow = next(iter(queue.values()))
                if flow.expires > now:
                    break
                self._remove(flow)
                expired.append(flow)
        return expired

    def forget(self, unwanted: Callable[[UdpFlow], bool]) -> list[UdpFlow]:
        """Forget flows whose way has changed; their next datagram is a new flow."""
        found = [flow for queue in self._queues for flow in queue.values() if unwanted(flow)]
        for flow in found:
            self._remove(flow)
        return found

    def _remove(self, flow: UdpFlow) -> None:
        del self._queues[flow.replied][flow.context.flow_id]
        if self._by_client.get(flow.key) is flow:
            del self._by_client[flow.key]

    def __len__(self) -> int:
        return len(self._queues[False]) + len(self._queues[True])
