"""A program of this node dials: what the pipeline decided becomes a connected socket, or an error.

A connection to a pod is one socket from end to end: its first bytes are a preamble to the tunnel of
the pod's node, this node's own included, and from the verdict on it belongs to the two programs.
What comes to this node from outside is `node_agent.cni.arrivals`.
"""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import WeakKeyDictionary

from cluster.aio.streams import connect
from cluster.aio.tunnel import dial
from cluster.dataclass import dataclass
from cluster.dataplane.decision import (
    Action,
    Code,
    Deliver,
    Host,
    Reject,
    Stage,
    Step,
    Via,
)
from cluster.dns.resolver import NameNotResolved
from cluster.trace.record import ClientSaw, Outcome
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import Flow, FlowContext, FlowKind, Origin, OriginKind
from cluster.wire.preamble import Answer, AnswerOutcome
from node_agent.cni.pod_server import PodListener
from node_agent.cni.resolution import resolution_steps, unresolved_step
from node_agent.cni.rulings import Decided, Ruling, Rulings

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
    """What the programs of one node dial."""

    def __init__(
        self,
        node: str,
        rulings: Rulings,
        peers: Peers,
        key: bytes,
        listener_of: Callable[[Flow], PodListener | None],
    ) -> None:
        self._node = node
        self._rulings = rulings
        self._peers = peers
        self._key = key
        self._listener_of = listener_of
        self.expected: dict[str, tuple[PodListener, Flow]] = {}  # decided already: its own pods
        self._flow_ids: WeakKeyDictionary[socket.socket, str] = WeakKeyDictionary()

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
                return await self._to_node(ruling, node, sock)
            case Host(node, address) if self.another(node):
                return await self._to_node(ruling, node, sock)
            case Host(node, address):
                return await self.to_host(ruling, node, address, sock)
            case Reject(code):
                self._refuse(ruling, code)
            case _:
                await self._silence(ruling)

    def another(self, node: str) -> bool:
        """Whether a host's address is that of another node, which is asked for it."""
        return node not in ("", self._node) and self._peers.tunnel(node) is not None

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
        self.expected[context.flow_id] = (listener, context.flow)
        try:
            connected, _ = await dial(
                own, context, self._key, sock=sock, timeout_seconds=DIAL_TIMEOUT_SECONDS
            )
        finally:
            self.expected.pop(context.flow_id, None)
        return connected

    async def _to_node(
        self, ruling: Ruling, node: str, sock: socket.socket | None
    ) -> socket.socket:
        connected, said = await self.dial_node(ruling, node, sock)
        match said.outcome:
            case AnswerOutcome.ACCEPTED if connected is not None:
                return connected
            case AnswerOutcome.REFUSED:
                self._refuse(ruling, said.code)
        await self._silence(ruling)

    async def dial_node(
        self, ruling: Decided, node: str, sock: socket.socket | None
    ) -> tuple[socket.socket | None, Answer]:
        """Ask another node for a flow; an unreachable node is silence, and the trace says so."""
        address = self._peers.tunnel(node)
        try:
            if address is None:
                raise ConnectionError(f"{node} has announced no tunnel address")
            return await dial(
                address, ruling.context, self._key, sock=sock, timeout_seconds=DIAL_TIMEOUT_SECONDS
            )
        except OSError as error:
            reason = f"{node} does not answer: {error.strerror or error}"
            self._rulings.lost(ruling, Stage.TUNNEL, Code.NODE_UNREACHABLE, reason)
            unreachable = AnswerOutcome.UNREACHABLE
            return None, answer_of(unreachable, ruling, Code.NODE_UNREACHABLE, reason)

    async def to_host(
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


def answer_of(
    outcome: AnswerOutcome, ruling: Decided, code: Code | None = None, reason: str = ""
) -> Answer:
    """What another process is told of a ruling."""
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
