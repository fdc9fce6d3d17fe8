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
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cluster.aio.batch import BySender
from cluster.aio.clock import Clock
from cluster.aio.datagrams import DatagramEndpoint
from cluster.aio.socket_names import pack_name, read_name
from cluster.dataplane.conntrack import Conntrack, Direction, Entry
from cluster.dataplane.decision import Code, Deliver, Drop, Host, Reject, Stage, Via
from cluster.dataplane.node_view import NodeView, forget_stale
from cluster.errors import WireError
from cluster.trace.record import ClientSaw
from cluster.wire.addresses import SocketAddress
from cluster.wire.datagrams import Head, by_head, head_of, read_head
from cluster.wire.flow import Flow, FlowContext, FlowKind, Origin
from node_agent.cni.datagram_flow import Carried, Out, Payloads, Sender, Way, Ways
from node_agent.cni.pod_datagrams import PodDatagramTransport
from node_agent.cni.resolution import resolution_steps
from node_agent.cni.rulings import Ruling, Rulings

if TYPE_CHECKING:
    from node_agent.cni.pod_network import PodNetwork

log = logging.getLogger(__name__)

EXPIRE_SECONDS = 5.0
WAYS_MAX = 65536  # of other processes' flows

Tunnels = Callable[[str], SocketAddress | None]  # a node's tunnel, by its name
EndpointOf = Callable[[Flow], PodDatagramTransport | None]


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
        self._tunnel = DatagramEndpoint(address, on_batch=self._arrived, coalesced=True)
        self._table = Conntrack()
        self._carried: dict[Flow, Carried] = {}
        self._ways = Ways(WAYS_MAX)  # by the heads of what other processes send
        self._lost = 0

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

    @property
    def dropped(self) -> int:
        """How many datagrams were lost here."""
        return self._lost + self._tunnel.lost

    # -- where datagrams come from

    def send(
        self, network: "PodNetwork", endpoint: PodDatagramTransport, flow: Flow, data: bytes
    ) -> Way | None:
        """A pod's program sends; the way that its next datagrams may take."""
        now = self._clock.monotonic()
        way = self._follow(flow, (data,), now, at_once=False)
        if way is not None:
            return way
        resolved = network.names.resolved(flow.destination.ip)
        context = self._rulings.opened(network.origin, flow, endpoint.kind)
        sender = Sender(partial(_to_pod, endpoint, flow.destination), endpoint.refuse)
        return self._open(context, sender, (data,), at_once=False, resolved=resolved)

    def front(
        self, origin: Origin, flow: Flow, payloads: Payloads, reply: Out, kind: FlowKind
    ) -> Way | None:
        """A client's datagrams at a node port of this node; it cannot be told of a refusal."""
        way = self._follow(flow, payloads, self._clock.monotonic(), at_once=True)
        if way is not None:
            return way
        context = self._rulings.opened(origin, flow, kind)
        sender = Sender(reply, _nobody_told, ClientSaw.TIMEOUT)
        return self._open(context, sender, payloads, at_once=True)

    def _arrived(self, came: BySender) -> None:
        """Other processes send."""
        now = self._clock.monotonic()
        for name, datagrams in came.items():
            for head, payloads in by_head(datagrams).items():
                way = self._ways.find(head)
                if way is None or not way.send(payloads, now=now, at_once=True):
                    self._ways.keep(head, self._received(name, head, payloads, now))

    def _received(self, name: bytes, head: bytes, payloads: Payloads, now: float) -> Way | None:
        """Datagrams with a head that is not known."""
        try:
            read = read_head(head, self._key)
        except WireError as error:
            self._lost += len(payloads)
            log.info("datagrams dropped peer=%s reason=%s", read_name(name), error)
            return None
        if read.reply:
            return self._returned(read, payloads, now)
        self._end_predecessor(read.context, now)
        way = self._follow(read.context.flow, payloads, now, at_once=True)
        if way is not None:
            return way
        return self._open(read.context, self._peer(read.context, name), payloads, at_once=True)

    def _end_predecessor(self, context: FlowContext, now: float) -> None:
        """A tuple that comes under another name is another flow: its process was started anew."""
        found = self._table.find(context.flow, now=now)
        if found is None or found[1] is not Direction.ORIGINAL:
            return
        if found[0].context.flow_id != context.flow_id:
            self._table.close(found[0])
            self._end([found[0]])

    def _peer(self, context: FlowContext, name: bytes) -> Sender:
        head = head_of(context, self._key, reply=True)
        refusal = head_of(context, self._key, reply=True, refused=True)

        def reply(payloads: Payloads, _: bool) -> None:
            self._tunnel.send_all(head, payloads, name)

        def refuse() -> None:
            self._tunnel.send_all(refusal, (b"",), name)

        return Sender(reply, refuse)

    def _returned(self, head: Head, payloads: Payloads, now: float) -> Way | None:
        """Answers to what was sent to another node."""
        flow = head.context.flow.reply()
        if not head.refused:
            way = self._follow(flow, payloads, now, at_once=True)
            self._lost += 0 if way else len(payloads)
            return way
        carried = self._carried_of(flow, now)
        if carried is None:
            self._lost += 1
        else:
            self._refused(carried)
        return None

    # -- a flow's datagrams

    def _follow(self, flow: Flow, payloads: Payloads, now: float, *, at_once: bool) -> Way | None:
        """Send datagrams of a known flow, either way; None when the flow is new."""
        found = self._table.find(flow, now=now)
        carried = self._carried.get(found[0].original) if found else None
        if found is None or carried is None:
            return None
        way = Way(self._table, carried, found[1], self._clock)
        way.send(payloads, now=now, at_once=at_once)
        return way

    def _carried_of(self, flow: Flow, now: float) -> Carried | None:
        found = self._table.find(flow, now=now)
        return self._carried.get(found[0].original) if found else None

    def _replied(self, carried: Carried) -> None:
        if carried.opened_here:
            self._rulings.saw(carried.entry.context.flow_id, ClientSaw.REPLIED)

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
        payloads: Payloads,
        *,
        at_once: bool,
        resolved: dict[str, Any] | None = None,
    ) -> Way | None:
        """Rule on a new flow and carry its first datagrams; the way for the next ones."""
        now = self._clock.monotonic()  # the table's too: nothing may expire there unnoticed here
        self._end(self._table.expire(now))
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
                self._lost += len(payloads)
            case _:
                carried = self._carry(context.flow, ruling, sender, opened_here, now)
                if carried is None:
                    return None
                carried.forward(payloads, at_once)
                return Way(self._table, carried, Direction.ORIGINAL, self._clock)
        return None

    def _carry(
        self, original: Flow, ruling: Ruling, sender: Sender, opened_here: bool, now: float
    ) -> Carried | None:
        entry = self._table.open(
            original, ruling.context.flow, ruling.context, ruling.verdict, now=now
        )
        if isinstance(entry, Drop):
            self._lost += 1
            self._rulings.lost(ruling, Stage.MASQUERADE, entry.code, entry.reason)
            return None
        onward = self._onward(ruling, replace(ruling.context, flow=entry.translated))
        if onward is None:
            self._table.close(entry)
            if opened_here:
                self._rulings.saw(ruling.flow_id, sender.refused_sees)
            sender.refuse()
            return None
        carried = Carried(entry, onward, sender, opened_here, self._replied)
        self._carried[original] = carried
        return carried

    def _onward(self, ruling: Ruling, context: FlowContext) -> Out | None:
        """How this flow's datagrams leave; None where nobody takes them."""
        match ruling.verdict:
            case Deliver():
                return partial(self._deliver, context.flow)
            case Via(node):
                return self._towards(ruling, node, context)
            case Host(node, _) if node not in ("", self._node) and self._tunnels(node):
                return self._towards(ruling, node, context)
            case _:
                self._rulings.refused_by_host(ruling)
                return None

    def _towards(self, ruling: Ruling, node: str, context: FlowContext) -> Out:
        head = head_of(context, self._key)

        def send(payloads: Payloads, _: bool) -> None:
            address = self._tunnels(node)  # looked up anew: a node may come back elsewhere
            if address is None:
                self._lost += len(payloads)
            else:
                self._tunnel.send_all(head, payloads, pack_name(address))

        if self._tunnels(node) is None:
            reason = f"{node} has announced no tunnel address"
            self._rulings.lost(ruling, Stage.TUNNEL, Code.NODE_UNREACHABLE, reason)
        return send

    def _deliver(self, flow: Flow, payloads: Payloads, at_once: bool) -> None:
        endpoint = self._endpoint_of(flow)
        if endpoint is not None:
            endpoint.receive_all(payloads, flow.source, at_once)
            return
        carried = self._carried_of(flow.reply(), self._clock.monotonic())
        if carried is not None:  # the pod's socket is gone: its kernel answers
            self._refused(carried)

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


def _to_pod(
    endpoint: PodDatagramTransport, peer: SocketAddress, payloads: Payloads, at_once: bool
) -> None:
    endpoint.receive_all(payloads, peer, at_once)
