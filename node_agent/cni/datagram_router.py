"""Carries UDP on one node: a flow is decided once, its datagrams follow the connection table.

Datagrams come from three sides: a pod's socket (`send`), a client at a node port (`front`), another
process (encapsulated, with the flow's context). The first of a flow is ruled on; the others are
found in the table, as the kernel's conntrack finds them, and go on by what was decided then.
Replies are found by the reversed tuple and go back the way the flow came. Nothing waits: what
cannot be sent is dropped and counted.
Spec: S-106, S-126 to S-129; dataplane: encapsulation like VXLAN.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cluster.aio.clock import Clock
from cluster.aio.datagrams import DatagramEndpoint
from cluster.dataplane.conntrack import Conntrack, Direction, Entry
from cluster.dataplane.decision import Code, Deliver, Drop, Host, Reject, Stage, Via
from cluster.dataplane.node_view import NodeView, forget_stale
from cluster.errors import WireError
from cluster.trace.record import ClientSaw
from cluster.wire.addresses import SocketAddress
from cluster.wire.datagrams import Datagram, decode, encode
from cluster.wire.flow import Entry as EntryHalf
from cluster.wire.flow import Flow, FlowContext, Origin
from node_agent.cni.pod_datagrams import PodDatagramTransport
from node_agent.cni.resolution import resolution_steps
from node_agent.cni.rulings import Ruling, Rulings

if TYPE_CHECKING:
    from node_agent.cni.pod_network import PodNetwork

log = logging.getLogger(__name__)

EXPIRE_SECONDS = 5.0

Tunnels = Callable[[str], SocketAddress | None]  # a node's tunnel, by its name
EndpointOf = Callable[[Flow], PodDatagramTransport | None]


@dataclass(frozen=True, slots=True)
class Sender:
    """Where a flow came from: how its replies and its refusals go back."""

    reply: Callable[[bytes], None]
    refuse: Callable[[], None]
    refused_sees: ClientSaw = ClientSaw.REFUSED


@dataclass(slots=True, eq=False)
class Carried:
    """A live flow of this node, beside its entry in the table."""

    entry: Entry
    onward: Callable[[bytes], None]
    sender: Sender
    opened_here: bool
    bytes_in: int = 0
    bytes_out: int = 0


class DatagramRouter:
    """UDP flows of one node; `tunnel` sends and receives what is encapsulated."""

    def __init__(
        self,
        node: str,
        rulings: Rulings,
        tunnels: Tunnels,
        key: bytes,
        address: SocketAddress,
        endpoint_of: EndpointOf,
        clock: Clock,
    ) -> None:
        """Bind the tunnel's address; OSError if it may not be had."""
        self._node = node
        self._rulings = rulings
        self._tunnels = tunnels
        self._key = key
        self._endpoint_of = endpoint_of
        self._clock = clock
        self._tunnel = DatagramEndpoint(address, self._received)
        self._table = Conntrack()
        self._carried: dict[Flow, Carried] = {}
        self.dropped = 0

    def start(self) -> None:
        """Receive from other processes from now on."""
        self._tunnel.start()

    def close(self) -> None:
        """Stop."""
        self._tunnel.close()
        self._carried.clear()

    @property
    def live(self) -> int:
        """How many flows are remembered."""
        return len(self._carried)

    # -- where datagrams come from

    def send(
        self, network: "PodNetwork", endpoint: PodDatagramTransport, flow: Flow, data: bytes
    ) -> None:
        """A pod's program sends."""

        def reply(payload: bytes) -> None:
            endpoint.receive(payload, flow.destination)

        if self._follow(flow, data):
            return
        resolved = network.names.resolved(flow.destination.ip)
        context = self._rulings.opened(network.origin, flow, endpoint.kind)
        self._open(context, Sender(reply, endpoint.refuse), data, resolved=resolved)

    def front(
        self,
        origin: Origin,
        flow: Flow,
        data: bytes,
        reply: Callable[[bytes], None],
        kind: Any,
    ) -> None:
        """A client's datagram at a node port of this node; it cannot be told of a refusal."""
        if not self._follow(flow, data):
            context = self._rulings.opened(origin, flow, kind)
            self._open(context, Sender(reply, _nobody_told, ClientSaw.TIMEOUT), data)

    def _received(self, data: bytes, peer: SocketAddress) -> None:
        """Another process sends."""
        try:
            datagram = decode(data, self._key)
        except WireError as error:
            self.dropped += 1
            log.info("datagram dropped peer=%s reason=%s", peer, error)
            return
        if datagram.reply:
            self._returned(datagram)
            return
        context = datagram.context
        self._end_predecessor(context)
        if not self._follow(context.flow, datagram.payload):
            self._open(context, self._peer(context, peer), datagram.payload)

    def _end_predecessor(self, context: FlowContext) -> None:
        """A tuple that comes under another name is another flow: its process was started anew."""
        found = self._table.find(context.flow, now=self._clock.monotonic())
        if found is None or found[1] is not Direction.ORIGINAL:
            return
        if found[0].context.flow_id != context.flow_id:
            self._table.close(found[0])
            self._end([found[0]])

    def _peer(self, context: FlowContext, peer: SocketAddress) -> Sender:
        def reply(payload: bytes) -> None:
            self._send(Datagram(context, payload, reply=True), peer)

        def refuse() -> None:
            self._send(Datagram(context, reply=True, refused=True), peer)

        return Sender(reply, refuse)

    def _returned(self, datagram: Datagram) -> None:
        """An answer to what was sent to another node."""
        found = self._table.seen(datagram.context.flow.reply(), now=self._clock.monotonic())
        carried = self._carried.get(found[0].original) if found else None
        if carried is None:
            self.dropped += 1
        elif datagram.refused:
            self._refused(carried)
        else:
            self._back(carried, datagram.payload)

    # -- a flow's datagrams

    def _follow(self, flow: Flow, data: bytes) -> bool:
        """Send a datagram of a known flow, either way; False when the flow is new."""
        found = self._table.seen(flow, now=self._clock.monotonic())
        carried = self._carried.get(found[0].original) if found else None
        if found is None or carried is None:
            return False
        if found[1] is Direction.REPLY:
            self._back(carried, data)
        else:
            carried.bytes_in += len(data)
            carried.onward(data)
        return True

    def _back(self, carried: Carried, data: bytes) -> None:
        if carried.opened_here and not carried.bytes_out:
            self._rulings.saw(carried.entry.context.flow_id, ClientSaw.REPLIED)
        carried.bytes_out += len(data)
        carried.sender.reply(data)

    def _refused(self, carried: Carried) -> None:
        """Port unreachable came back: the next datagram is decided anew."""
        if carried.opened_here:
            self._rulings.saw(carried.entry.context.flow_id, carried.sender.refused_sees)
        carried.sender.refuse()
        self._table.close(carried.entry)
        self._end([carried.entry])

    def _open(
        self,
        context: FlowContext,
        sender: Sender,
        data: bytes,
        *,
        resolved: dict[str, Any] | None = None,
    ) -> None:
        """Rule on a new flow and carry its first datagram."""
        self._end(self._table.expire(self._clock.monotonic()))
        ruling = self._rulings.rule(context, resolution_steps(context.flow, resolved))
        opened_here = not context.sender
        match ruling.verdict:
            case Reject():
                if opened_here:
                    self._rulings.saw(ruling.flow_id, sender.refused_sees)
                sender.refuse()
            case Drop():
                if opened_here:
                    self._rulings.saw(ruling.flow_id, ClientSaw.TIMEOUT)
                self.dropped += 1
            case _:
                self._carry(context.flow, ruling, sender, data, opened_here)

    def _carry(
        self, original: Flow, ruling: Ruling, sender: Sender, data: bytes, opened_here: bool
    ) -> None:
        entry = self._table.open(
            original,
            ruling.context.flow,
            ruling.context,
            ruling.verdict,
            now=self._clock.monotonic(),
        )
        if isinstance(entry, Drop):
            self.dropped += 1
            self._rulings.lost(ruling, Stage.MASQUERADE, entry.code, entry.reason)
            return
        onward = self._onward(ruling, replace(ruling.context, flow=entry.translated))
        if onward is None:
            self._table.close(entry)
            if opened_here:
                self._rulings.saw(ruling.flow_id, sender.refused_sees)
            sender.refuse()
            return
        carried = Carried(entry, onward, sender, opened_here, bytes_in=len(data))
        self._carried[original] = carried
        onward(data)

    def _onward(self, ruling: Ruling, context: FlowContext) -> Callable[[bytes], None] | None:
        """How this flow's datagrams leave; None where nobody takes them."""
        match ruling.verdict:
            case Deliver():
                return lambda data: self._deliver(context.flow, data)
            case Via(node):
                return self._towards(ruling, node, replace(context, entry=EntryHalf.ADMIT))
            case Host(node, _) if node not in ("", self._node) and self._tunnels(node):
                return self._towards(ruling, node, replace(context, entry=EntryHalf.FRONT))
            case _:
                self._rulings.refused_by_host(ruling)
                return None

    def _towards(
        self, ruling: Ruling, node: str, context: FlowContext
    ) -> Callable[[bytes], None] | None:
        def send(data: bytes) -> None:
            address = self._tunnels(node)  # looked up anew: a node may come back elsewhere
            if address is None:
                self.dropped += 1
            else:
                self._send(Datagram(context, data), address)

        if self._tunnels(node) is None:
            reason = f"{node} has announced no tunnel address"
            self._rulings.lost(ruling, Stage.TUNNEL, Code.NODE_UNREACHABLE, reason)
        return send

    def _deliver(self, flow: Flow, data: bytes) -> None:
        endpoint = self._endpoint_of(flow)
        if endpoint is not None:
            endpoint.receive(data, flow.source)
            return
        found = self._table.find(flow.reply(), now=self._clock.monotonic())
        carried = self._carried.get(found[0].original) if found else None
        if carried is not None:  # the pod's socket is gone: its kernel answers
            self._refused(carried)

    def _send(self, datagram: Datagram, address: SocketAddress) -> None:
        try:
            sent = self._tunnel.send(encode(datagram, self._key), address)
        except WireError as error:
            log.info("datagram dropped flow=%s reason=%s", datagram.context.flow_id, error)
            sent = False
        self.dropped += not sent

    # -- the end of flows

    def follow(self, before: NodeView, after: NodeView) -> None:
        """Forget the flows that a new view sends elsewhere (S-126 to S-128)."""
        self._end(forget_stale(self._table, before, after))

    async def expire_forever(self) -> None:
        """Forget flows whose time is up, now and then, until cancelled."""
        while True:
            await self._clock.sleep(EXPIRE_SECONDS)
            self._end(self._table.expire(self._clock.monotonic()))

    def _end(self, entries: list[Entry]) -> None:
        for entry in entries:
            carried = self._carried.get(entry.original)
            if carried is None or carried.entry is not entry:
                continue
            del self._carried[entry.original]
            self._rulings.recorder.update(
                entry.context.flow_id,
                ended=self._clock.now(),
                bytes_in=carried.bytes_in,
                bytes_out=carried.bytes_out,
            )


def _nobody_told() -> None:
    """A real client would need an ICMP message, which no unprivileged process can send."""
