"""Carries out what the pipeline decided for TCP: hand the socket on, send it by tunnel, or relay.

A flow comes from three sides: a program of this node dials (`connect`), a client reached a node
port (`front`), another process sent it (`arrive`). However it came, a socket whose pod is here is
given to the pod and nothing of the node stays on its way. Only an accepted socket whose pod is
elsewhere needs a relay; handing it over instead is a choice to be made in `_carry_on`.
"""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import WeakKeyDictionary

from cluster.aio.relay import Relays
from cluster.aio.streams import connect, reset
from cluster.aio.tunnel import dial
from cluster.dataplane.decision import (
    Action,
    Code,
    Deliver,
    Drop,
    Host,
    Reject,
    Stage,
    Step,
    Via,
)
from cluster.dns.resolver import NameNotResolved
from cluster.trace.record import ClientSaw, Outcome
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind, Origin, OriginKind
from cluster.wire.preamble import Answer, AnswerOutcome
from node_agent.cni.callers import Caller, Client, PeerProcess
from node_agent.cni.established import Established
from node_agent.cni.pod_server import PodListener
from node_agent.cni.resolution import resolution_steps, unresolved_step
from node_agent.cni.rulings import Ruling, Rulings

if TYPE_CHECKING:
    from node_agent.cni.pod_network import PodNetwork

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_SECONDS = 127.0  # what Linux waits for an answer to its SYNs by default
DIAL_TIMEOUT_SECONDS = 127.0


@dataclass(frozen=True, slots=True)
class Peers:
    """Where other processes are reached, looked up anew for each flow."""

    tunnel: Callable[[str], SocketAddress | None]  # a node's tunnel, by its name
    host: Callable[[str, SocketAddress], SocketAddress | None]  # emulated host address -> real


class FlowRefused(ConnectionRefusedError):
    """ECONNREFUSED, with the name of the flow that was refused, and the code of the refusal."""

    def __init__(self, flow_id: str, code: str = "") -> None:
        super().__init__(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        self.flow_id = flow_id
        self.code = code


class FlowTimedOut(TimeoutError):
    """ETIMEDOUT, with the name of the flow that nobody answered."""

    def __init__(self, flow_id: str) -> None:
        super().__init__(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        self.flow_id = flow_id


class Router:
    """TCP flows of one node."""

    def __init__(
        self,
        node: str,
        rulings: Rulings,
        peers: Peers,
        key: bytes,
        listener_of: Callable[[Flow], PodListener | None],
        established: Established,
    ) -> None:
        self._node = node
        self._rulings = rulings
        self._peers = peers
        self._key = key
        self._listener_of = listener_of
        self._established = established
        self._relays = Relays()
        self._expected: dict[str, tuple[PodListener, Flow]] = {}
        self._flow_ids: WeakKeyDictionary[socket.socket, str] = WeakKeyDictionary()

    # A program of this node dials

    async def connect(
        self,
        origin: Origin,
        flow: Flow,
        *,
        kind: FlowKind,
        sock: socket.socket | None = None,
        resolved: dict[str, Any] | None = None,
    ) -> socket.socket:
        """A connected socket for a program, or the error that Linux would give it."""
        context = self._rulings.opened(origin, flow, kind)
        ruling = self._rulings.rule(context, resolution_steps(flow, resolved))
        connected = await self._connect(ruling, sock)
        return self._connected(context.flow_id, connected)

    async def _connect(self, ruling: Ruling, sock: socket.socket | None) -> socket.socket:
        match ruling.verdict:
            case Deliver():
                listener = self._listener_of(ruling.context.flow)
                assert listener is not None
                return await self._to_self(ruling.context, listener, sock)
            case Via(node):
                return await self._to_node(ruling, node, Entry.ADMIT, sock)
            case Host(node, address) if node not in ("", self._node) and self._peers.tunnel(node):
                return await self._to_node(ruling, node, Entry.FRONT, sock)
            case Host(node, address):
                return await self._to_host(ruling, node, address, sock)
            case Reject(code):
                self._refuse(ruling, code)
            case _:
                await self._silence(ruling)

    def unresolved(self, origin: Origin, flow: Flow, error: NameNotResolved) -> str:
        """Record a connection whose name led nowhere; the name of its trace."""
        context = self._rulings.opened(origin, flow, FlowKind.TRAFFIC)
        self._rulings.record_unresolved(context, unresolved_step(flow, error))
        return context.flow_id

    def flow_id_of(self, sock: socket.socket) -> str:
        """The flow of a socket that was connected here; "" if it was not."""
        return self._flow_ids.get(sock, "")

    async def pair(
        self, network: "PodNetwork", flow: Flow, sock: socket.socket | None
    ) -> socket.socket:
        """A connection over localhost inside one pod: no policy, no route, but recorded."""
        listener = network.ports.find(flow.protocol, flow.destination.ip, flow.destination.port)
        context = self._rulings.opened(network.origin, flow, FlowKind.TRAFFIC)
        open_port = listener is not None and listener.accepting
        step = _loopback_step(flow, open_port)
        outcome = Outcome.DELIVERED if open_port else Outcome.REFUSED
        self._rulings.record_local(context, step, outcome)
        if listener is None or not open_port:
            self._rulings.saw(context.flow_id, ClientSaw.REFUSED)
            raise FlowRefused(context.flow_id, Code.PORT_CLOSED)
        connected = await self._to_self(context, listener, sock)
        return self._connected(context.flow_id, connected)

    def _connected(self, flow_id: str, sock: socket.socket) -> socket.socket:
        self._rulings.saw(flow_id, ClientSaw.CONNECTED)
        self._flow_ids[sock] = flow_id
        return sock

    async def _to_self(
        self, context: FlowContext, listener: PodListener, sock: socket.socket | None
    ) -> socket.socket:
        """A connection to a pod of this node: decided already, the tunnel only joins the ends."""
        own = self._peers.tunnel(self._node)
        assert own is not None, "the tunnel listens before the first pod runs"
        self._expected[context.flow_id] = (listener, context.flow)
        try:
            connected, _ = await dial(
                own, context, self._key, sock=sock, timeout_seconds=DIAL_TIMEOUT_SECONDS
            )
        finally:
            self._expected.pop(context.flow_id, None)
        return connected

    async def _to_node(
        self, ruling: Ruling, node: str, entry: Entry, sock: socket.socket | None
    ) -> socket.socket:
        connected, said = await self._dial_node(ruling, node, entry, sock)
        match said.outcome:
            case AnswerOutcome.ACCEPTED if connected is not None:
                return connected
            case AnswerOutcome.REFUSED:
                self._refuse(ruling, said.code)
        await self._silence(ruling)

    async def _dial_node(
        self, ruling: Ruling, node: str, entry: Entry, sock: socket.socket | None
    ) -> tuple[socket.socket | None, Answer]:
        """Ask another node for a flow; an unreachable node is silence, and the trace says so."""
        address = self._peers.tunnel(node)
        context = replace(ruling.context, entry=entry)
        try:
            if address is None:
                raise ConnectionError(f"{node} has announced no tunnel address")
            return await dial(
                address, context, self._key, sock=sock, timeout_seconds=DIAL_TIMEOUT_SECONDS
            )
        except OSError as error:
            reason = f"{node} does not answer: {error.strerror or error}"
            self._rulings.lost(ruling, Stage.TUNNEL, Code.NODE_UNREACHABLE, reason)
            unreachable = AnswerOutcome.UNREACHABLE
            return None, _answer(unreachable, ruling, Code.NODE_UNREACHABLE, reason)

    async def _to_host(
        self, ruling: Ruling, node: str, address: SocketAddress, sock: socket.socket | None
    ) -> socket.socket:
        """A process of the machine behind an emulated host address, such as the API server."""
        real = self._peers.host(node, address)
        connected = sock or socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connected.setblocking(False)
        try:
            if real is None:
                raise ConnectionRefusedError
            await connect(connected, real)
        except BaseException as error:
            if sock is None:
                connected.close()
            if not isinstance(error, OSError):
                raise
            self._rulings.refused_by_host(ruling)
            self._refuse(ruling, Code.PORT_CLOSED)
        return connected

    def _refuse(self, ruling: Ruling, code: str) -> NoReturn:
        self._rulings.saw(ruling.flow_id, ClientSaw.REFUSED)
        raise FlowRefused(ruling.flow_id, code)

    async def _silence(self, ruling: Ruling) -> NoReturn:
        """What a dropped SYN is to its sender: nothing, until its own patience ends."""
        self._rulings.saw(ruling.flow_id, ClientSaw.TIMEOUT)
        await asyncio.sleep(CONNECT_TIMEOUT_SECONDS)
        raise FlowTimedOut(ruling.flow_id)

    # A client reached a node port

    async def front(self, sock: socket.socket, origin: Origin, flow: Flow) -> None:
        """A connection accepted on a node port of this node."""
        context = self._rulings.opened(origin, flow, FlowKind.TRAFFIC)
        client = Client(sock, context.flow_id, self._rulings)
        try:
            await self._carry_on(client, self._rulings.rule(context))
        except BaseException:  # nobody else holds it: a client must not hang on our end
            reset(sock)
            raise

    # Another process sent it

    async def arrive(self, sock: socket.socket, context: FlowContext) -> None:
        """A flow that came through the tunnel; called once per connection by its server."""
        peer = PeerProcess(sock, self._key)
        expected = self._expected.pop(context.flow_id, None)
        if expected is not None:
            listener, flow = expected
            await peer.accepted(Answer(outcome=AnswerOutcome.ACCEPTED))
            self._deliver(sock, listener, replace(context, flow=flow))
            return
        await self._carry_on(peer, self._rulings.rule(context))

    async def _carry_on(self, caller: Caller, ruling: Ruling) -> None:
        """Take an accepted socket where its ruling says."""
        match ruling.verdict:
            case Deliver():
                listener = self._listener_of(ruling.context.flow)
                assert listener is not None
                await caller.accepted(_answer(AnswerOutcome.ACCEPTED, ruling))
                self._deliver(caller.sock, listener, ruling.context)
            case Via(node):
                await self._relay_to(caller, ruling, node, Entry.ADMIT)
            case Host(node, _) if node not in ("", self._node) and self._peers.tunnel(node):
                await self._relay_to(caller, ruling, node, Entry.FRONT)
            case Host(node, address):
                await self._relay_to_host(caller, ruling, node, address)
            case Reject(code, reason):
                await caller.refused(_answer(AnswerOutcome.REFUSED, ruling, code, reason))
            case Drop(code, reason):
                await caller.dropped(_answer(AnswerOutcome.DROPPED, ruling, code, reason))
            case _:
                raise AssertionError(f"no way to carry out {ruling.verdict}")

    def _deliver(self, sock: socket.socket, listener: PodListener, context: FlowContext) -> None:
        listener.take(sock, context.flow, self._established.delivered(context))

    async def _relay_to(self, caller: Caller, ruling: Ruling, node: str, entry: Entry) -> None:
        upstream, said = await self._dial_node(ruling, node, entry, None)
        if said.outcome is AnswerOutcome.ACCEPTED and upstream is not None:
            await self._relay(caller, upstream, ruling, said)
        elif said.outcome is AnswerOutcome.REFUSED:
            await caller.refused(said)
        else:
            await caller.dropped(said)

    async def _relay_to_host(
        self, caller: Caller, ruling: Ruling, node: str, address: SocketAddress
    ) -> None:
        try:
            upstream = await self._to_host(ruling, node, address, None)
        except FlowRefused:
            await caller.refused(_answer(AnswerOutcome.REFUSED, ruling, Code.PORT_CLOSED))
            return
        await self._relay(caller, upstream, ruling, _answer(AnswerOutcome.ACCEPTED, ruling))

    async def _relay(
        self, caller: Caller, upstream: socket.socket, ruling: Ruling, said: Answer
    ) -> None:
        try:
            await caller.accepted(said)
        except BaseException:  # the caller has left, and the pod is not to wait for it
            reset(upstream)
            raise
        result = await self._relays.join(caller.sock, upstream, name=ruling.flow_id)
        caller.ended(result.ended_by)
        self._established.ended(ruling.flow_id, result.bytes_forward, result.bytes_back)

    def close(self) -> None:
        """End all relays."""
        self._relays.close()


def _answer(
    outcome: AnswerOutcome, ruling: Ruling, code: Code | None = None, reason: str = ""
) -> Answer:
    return Answer(
        outcome=outcome,
        code=str(code or ""),
        reason=reason,
        hops=ruling.context.hops,
        endpoint=ruling.endpoint,
    )


def _loopback_step(flow: Flow, open_port: bool) -> Step:
    if open_port:
        reason = f"localhost: a container of the pod listens on {flow.destination.port}"
        return Step(Stage.DELIVER, Action.DELIVERED, flow, flow, reason)
    reason = f"localhost: no container of the pod listens on {flow.destination.port}"
    return Step(Stage.DELIVER, Action.REJECTED, flow, flow, reason, code=Code.PORT_CLOSED)


def node_origin(node: str) -> Origin:
    """The origin of what the node itself opens."""
    return Origin(OriginKind.NODE, node, node)
