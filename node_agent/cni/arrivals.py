"""TCP flows that come to this node as accepted sockets: given to a pod, handed on, or relayed.

    front    a client reached a node port
    taken    another process of this machine handed its client's socket over
    arrive   another process asks by its tunnel (preamble, verdict)

A socket whose pod is here is given to the pod, and nothing of the node stays on its way. One whose
pod is elsewhere is handed to that node, if it takes sockets; else it is relayed. The decision, and
what a trace says of it, are the same. A process that waits at the other end for a verdict gets it
from the node that has the socket in the end.
What can be done at once is; else what remains to be done comes back as a coroutine.
"""

import socket
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from cluster.aio.relay import Relays
from cluster.aio.streams import reset
from cluster.dataplane.decision import Code, Deliver, Drop, Host, Reject, Via
from cluster.wire.flow import Flow, FlowContext, FlowKind, Origin
from cluster.wire.handover import PASSED_MAX, Handed
from cluster.wire.preamble import Answer, AnswerOutcome
from node_agent.cni.callers import Caller, Client, PeerProcess
from node_agent.cni.established import Established, Passed
from node_agent.cni.pod_server import PodListener
from node_agent.cni.router import FlowRefused, Router, answer_of
from node_agent.cni.rulings import Decided, Ruling, Rulings

Rest = Coroutine[Any, Any, None]


class Onward(Protocol):
    """The way of sockets to other nodes (`node_agent.cni.hand_over`)."""

    instance: str

    def give(self, name: str, sock: socket.socket, handed: Handed) -> bool:
        """Hand a socket to a node; False, and it stays the caller's, if nobody takes it there."""

    def gather(self) -> None:
        """Let what is given from now on wait for `flush`, to leave together."""

    def flush(self) -> None:
        """Send what was gathered."""


class NoHandOver:
    """Everything is relayed."""

    instance = ""

    def give(self, _name: str, _sock: socket.socket, _handed: Handed) -> bool:
        """Nobody takes it."""
        return False

    def gather(self) -> None:
        """There is nothing to gather."""

    def flush(self) -> None:
        """There is nothing to send."""


class _Again(NamedTuple):
    """A flow that was decided before and is to be passed on by another way."""

    context: FlowContext
    endpoint: Mapping[str, str] = MappingProxyType({})

    @property
    def flow_id(self) -> str:
        """Its name."""
        return self.context.flow_id


class Arrivals:
    """Accepted sockets of one node."""

    def __init__(
        self,
        node: str,
        rulings: Rulings,
        router: Router,
        key: bytes,
        listener_of: Callable[[Flow], PodListener | None],
        established: Established,
        onward: Onward | None = None,
    ) -> None:
        self._node = node
        self._rulings = rulings
        self._router = router
        self._key = key
        self._listener_of = listener_of
        self._established = established
        self.onward = onward or NoHandOver()
        self.relays = Relays()

    def front(self, sock: socket.socket, origin: Origin, flow: Flow) -> Rest | None:
        """A connection accepted on a node port of this node."""
        context = self._rulings.opened(origin, flow, FlowKind.TRAFFIC)
        client = Client(sock, context.flow_id, self._rulings)
        return self._take(client, self._rulings.rule(context), ())

    def taken(self, sock: socket.socket, handed: Handed) -> Rest | None:
        """A connection that another process accepted, decided its part of, and gave us."""
        context, passed, asks, _ = handed
        ruling = self._rulings.rule(context)
        if asks:
            peer = PeerProcess(sock, self._key)
            return self._safely(peer, lambda: self._carry_on(peer, ruling, passed))
        client = Client(sock, context.flow_id, self._rulings, opener=False)
        return self._take(client, ruling, passed)

    async def given_back(self, node: str, sock: socket.socket, handed: Handed) -> None:
        """A socket that a node did not take after all: it has died, or hangs. Ask by its tunnel."""
        context, passed, asks, _ = handed
        opener = len(passed) == 1
        caller: Caller = Client(sock, context.flow_id, self._rulings, opener=opener)
        if asks:
            caller = PeerProcess(sock, self._key)
        again = _Again(context)
        await self._safely(caller, lambda: self._relay_to(caller, again, node))

    async def arrive(self, sock: socket.socket, context: FlowContext) -> None:
        """A flow that came through the tunnel; called once per connection by its server."""
        peer = PeerProcess(sock, self._key)
        expected = self._router.expected.pop(context.flow_id, None)
        if expected is not None:
            listener, flow = expected
            await peer.accepted(Answer(outcome=AnswerOutcome.ACCEPTED))
            self._deliver(sock, listener, replace(context, flow=flow), ())
            return
        await self._carry_on(peer, self._rulings.rule(context), ())

    def _take(self, client: Client, ruling: Ruling, passed: Passed) -> Rest | None:
        """Do what needs no waiting with a client's own socket."""
        match ruling.verdict:
            case Deliver():
                client.connected()
                self._to_pod(client.sock, ruling, passed)
            case Reject():
                client.turned_away()
            case _ if self._handed_on(client, ruling, passed):
                pass
            case _:
                return self._safely(client, lambda: self._carry_on(client, ruling, passed))
        return None

    async def _safely(self, caller: Caller, work: Callable[[], Rest]) -> None:
        """Nobody else holds the socket: its other end must not hang on ours."""
        try:
            await work()
        except BaseException:
            reset(caller.sock)
            raise

    def _handed_on(self, caller: Caller, ruling: Ruling, passed: Passed) -> bool:
        """Hand the socket to the node that the flow goes on to; False if that is not to be."""
        node = self._next(ruling)
        asks = isinstance(caller, PeerProcess)
        ip_version = 6 if caller.sock.family == socket.AF_INET6 else 4
        handed = Handed(ruling.context, (*passed, self.onward.instance), asks, ip_version)
        if not node or len(handed.passed) > PASSED_MAX:
            return False
        if not self.onward.give(node, caller.sock, handed):
            return False
        self._rulings.handed_over(ruling)
        return True

    def _next(self, ruling: Ruling) -> str:
        """The node that a flow goes on to; "" for what ends here."""
        match ruling.verdict:
            case Via(node):
                return node
            case Host(node, _) if self._router.another(node):
                return node
            case _:
                return ""

    async def _carry_on(self, caller: Caller, ruling: Ruling, passed: Passed) -> None:
        """Take an accepted socket where its ruling says, which may take a while."""
        match ruling.verdict:
            case Deliver():
                await caller.accepted(answer_of(AnswerOutcome.ACCEPTED, ruling))
                self._to_pod(caller.sock, ruling, passed)
            case Reject(code, reason):
                await caller.refused(answer_of(AnswerOutcome.REFUSED, ruling, code, reason))
            case Drop(code, reason):
                await caller.dropped(answer_of(AnswerOutcome.DROPPED, ruling, code, reason))
            case _ if self._handed_on(caller, ruling, passed):
                pass
            case _ if node := self._next(ruling):
                await self._relay_to(caller, ruling, node)
            case Host():
                await self._relay_to_host(caller, ruling, ruling.verdict)
            case _:
                raise AssertionError(f"no way to carry out {ruling.verdict}")

    def _to_pod(self, sock: socket.socket, ruling: Ruling, passed: Passed) -> None:
        listener = self._listener_of(ruling.context.flow)
        if listener is None:  # it was closed since that was decided
            reset(sock)
            return
        self._deliver(sock, listener, ruling.context, passed)

    def _deliver(
        self, sock: socket.socket, listener: PodListener, context: FlowContext, passed: Passed
    ) -> None:
        listener.take(sock, context.flow, self._established.delivered(context, passed))

    async def _relay_to(self, caller: Caller, ruling: Decided, node: str) -> None:
        upstream, said = await self._router.dial_node(ruling, node, None)
        if said.outcome is AnswerOutcome.ACCEPTED and upstream is not None:
            await self._relay(caller, upstream, ruling, said)
        elif said.outcome is AnswerOutcome.REFUSED:
            await caller.refused(said)
        else:
            await caller.dropped(said)

    async def _relay_to_host(self, caller: Caller, ruling: Ruling, host: Host) -> None:
        try:
            upstream = await self._router.to_host(ruling, host.node, host.address, None)
        except FlowRefused:
            await caller.refused(answer_of(AnswerOutcome.REFUSED, ruling, Code.PORT_CLOSED))
            return
        await self._relay(caller, upstream, ruling, answer_of(AnswerOutcome.ACCEPTED, ruling))

    async def _relay(
        self, caller: Caller, upstream: socket.socket, ruling: Decided, said: Answer
    ) -> None:
        try:
            await caller.accepted(said)
        except BaseException:  # the caller has left, and the pod is not to wait for it
            reset(upstream)
            raise
        result = await self.relays.join(caller.sock, upstream, name=ruling.flow_id)
        caller.ended(result.ended_by)
        self._established.ended(ruling.flow_id, result.bytes_forward, result.bytes_back)

    def close(self) -> None:
        """End all relays."""
        self.relays.close()
