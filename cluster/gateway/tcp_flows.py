"""TCP through the load balancer: each accepted connection to a node.

The client's own socket is handed to a node that takes sockets: at once, and nothing of ours stays
on its way; that node, or one after it, does what the client shall see. Any other node is asked by
its tunnel, and its verdict is carried out here:

    accepted    joined with the client until both are closed
    refused     the client is reset: it has shaken hands with us already
    dropped     the client hears nothing for SILENCE_SECONDS, then it is reset

A node that cannot even be connected to is skipped for the next one; nothing has been said to it.
"""

import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from cluster.aio.relay import EndedBy, RelayResult
from cluster.aio.streams import hold, reset
from cluster.aio.tasks import Tasks
from cluster.dataplane.decision import Drop
from cluster.errors import PoolExhausted
from cluster.gateway.backend_nodes import BackendNode
from cluster.gateway.balancer import Chosen, FrontPlan
from cluster.gateway.carrier import Carrier, Link
from cluster.gateway.rulings import Rulings
from cluster.trace.record import ClientSaw
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import FlowContext
from cluster.wire.handover import Handed
from cluster.wire.preamble import Answer, AnswerOutcome

log = logging.getLogger(__name__)

CONNECTIONS_MAX = 16384
SILENCE_SECONDS = 127.0  # what Linux waits for an answer to its SYNs by default

Failed = Callable[[str, OSError], None]
Congested = Callable[[FrontPlan], None]


class Onward(Protocol):
    """The way of sockets to nodes of this machine (`cluster.aio.handoff`)."""

    instance: str

    def reachable(self, name: str) -> bool:
        """Whether a node takes a socket now."""

    def give(self, name: str, sock: socket.socket, handed: Handed) -> bool:
        """Hand a socket to a node; False, and it stays the caller's, if it takes none now."""

    def congested(self, name: str) -> bool:
        """Whether a node has more waiting for it than it should."""


class TcpFlows:
    """The connections of clients; `failed` is told of nodes that cannot be reached, `congested` of
    fronts whose clients should wait."""

    def __init__(
        self,
        rulings: Rulings,
        carrier_for: Callable[[BackendNode], Carrier],
        failed: Failed,
        tasks: Tasks,
        *,
        onward: Onward | None = None,
        congested: Congested = lambda _: None,
        plan_of: Callable[[SocketAddress], FrontPlan | None] = lambda _: None,
        connections_max: int = CONNECTIONS_MAX,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._rulings = rulings
        self._carrier_for = carrier_for
        self._failed = failed
        self._tasks = tasks
        self._onward = onward
        self._congested = congested
        self._plan_of = plan_of
        self._connections_max = connections_max
        self._silence_seconds = silence_seconds
        self.live = 0
        self.turned_away = 0

    def accepted(self, plan: FrontPlan, sock: socket.socket, peer: SocketAddress) -> None:
        """Take a client's connection; the socket is ours from here on."""
        began = self._rulings.clock.monotonic()
        context = self._rulings.opened(plan, peer)
        choice = self._rulings.choose(plan, {})
        if isinstance(choice, Drop) or not self._handed_over(plan, choice, sock, context, began):
            self._start(plan, sock, context, began, choice, {})

    def given_back(self, name: str, left: list[tuple[socket.socket, Handed]]) -> None:
        """Sockets that a node did not take after all, for it has died or hangs: try others."""
        began = self._rulings.clock.monotonic()
        for sock, handed in left:
            context = replace(handed.context, hops=0, sender="")
            plan = self._plan_of(context.flow.destination)
            if plan is None:  # its Service went meanwhile
                reset(sock)
                continue
            failed = {name: "it does not take connections"}
            choice = self._rulings.choose(plan, failed)
            self._start(plan, sock, context, began, choice, failed)

    def _handed_over(
        self,
        plan: FrontPlan,
        choice: Chosen,
        sock: socket.socket,
        context: FlowContext,
        began: float,
    ) -> bool:
        """Hand a client's socket to the node that was chosen; False if that takes none."""
        onward, name = self._onward, choice.node.name
        if onward is None or not onward.reachable(name):
            return False
        passed = self._rulings.passed(context, plan, choice, {}, began, handed_over=True)
        ip_version = 6 if sock.family == socket.AF_INET6 else 4
        onward.give(name, sock, Handed(passed, (onward.instance,), False, ip_version))
        if onward.congested(name):
            self._congested(plan)
        return True

    def _start(
        self,
        plan: FrontPlan,
        sock: socket.socket,
        context: FlowContext,
        began: float,
        choice: Chosen | Drop,
        failed: dict[str, str],
    ) -> None:
        if self.live >= self._connections_max:
            self.turned_away += 1
            log.warning("connection reset, %d are live already flow=%s", self.live, context.flow)
            reset(sock)
            return
        self.live += 1
        work = self._carry(plan, sock, context, began, choice, failed)
        self._tasks.start(work, name=f"flow {context.flow_id}")

    async def _carry(
        self,
        plan: FrontPlan,
        sock: socket.socket,
        context: FlowContext,
        began: float,
        choice: Chosen | Drop,
        failed: dict[str, str],
    ) -> None:
        try:
            await self._balance(plan, sock, context, began, choice, failed)
        finally:
            self.live -= 1
            reset(sock)  # whoever came to an end has closed it already

    async def _balance(
        self,
        plan: FrontPlan,
        sock: socket.socket,
        context: FlowContext,
        began: float,
        choice: Chosen | Drop,
        failed: dict[str, str],
    ) -> None:
        link, choice = await self._reach(plan, choice, failed)
        if link is None or isinstance(choice, Drop):
            assert isinstance(choice, Drop)
            self._rulings.dropped(context, plan, choice, failed, began)
            await self._hold(sock, context)
            return
        onward = self._rulings.passed(context, plan, choice, failed, began)
        try:
            await self._ask(sock, link, onward, choice.node)
        finally:
            link.close()

    async def _reach(
        self, plan: FrontPlan, choice: Chosen | Drop, failed: dict[str, str]
    ) -> tuple[Link | None, Chosen | Drop]:
        """A way to the first node that can be reached; those that cannot are noted in `failed`."""
        while not isinstance(choice, Drop):
            node = choice.node
            try:
                return await self._carrier_for(node).reach(node), choice
            except OSError as error:
                failed[node.name] = error.strerror or str(error)
                self._failed(node.name, error)
            choice = self._rulings.choose(plan, failed)
        return None, choice

    async def _ask(
        self, sock: socket.socket, link: Link, context: FlowContext, node: BackendNode
    ) -> None:
        try:
            said = await link.ask(context)
        except OSError as error:
            self._lost(context, node, error)
            link.close()
            if isinstance(error, TimeoutError):
                await self._hold(sock, context)
            else:
                reset(sock)
            return
        await self._carry_out(said, sock, link, context)

    async def _carry_out(
        self, said: Answer, sock: socket.socket, link: Link, context: FlowContext
    ) -> None:
        update = self._rulings.update
        match said.outcome:
            case AnswerOutcome.ACCEPTED:
                update(context, client_saw=ClientSaw.CONNECTED, endpoint=dict(said.endpoint))
                await self._join(sock, link, context)
            case AnswerOutcome.REFUSED:
                update(context, client_saw=ClientSaw.RESET, ended=self._rulings.clock.now())
                reset(sock)
            case AnswerOutcome.DROPPED | AnswerOutcome.UNREACHABLE:
                link.close()  # the silence is long, and the node has no part in it
                await self._hold(sock, context)

    async def _join(self, sock: socket.socket, link: Link, context: FlowContext) -> None:
        try:
            result = await link.join(sock, context)
        except PoolExhausted as error:
            self.turned_away += 1
            log.warning("connection reset flow=%s reason=%s", context.flow_id, error)
            result = RelayResult(0, 0, EndedBy.KILLED)
        self._rulings.update(
            context,
            ended=self._rulings.clock.now(),
            bytes_in=result.bytes_forward,
            bytes_out=result.bytes_back,
            **_SAW.get(result.ended_by, {}),
        )

    def _lost(self, context: FlowContext, node: BackendNode, error: OSError) -> None:
        """The node took the flow and then said nothing more of it."""
        reason = f"{node.name} did not answer: {error.strerror or error}"
        self._failed(node.name, error)
        self._rulings.lost(context, reason, silent=isinstance(error, TimeoutError))

    async def _hold(self, sock: socket.socket, context: FlowContext) -> None:
        self._rulings.update(context, client_saw=ClientSaw.TIMEOUT)
        await hold(sock, self._silence_seconds)
        self._rulings.update(context, ended=self._rulings.clock.now())


_SAW = {
    EndedBy.SERVER_RESET: {"client_saw": ClientSaw.RESET},
    EndedBy.KILLED: {"client_saw": ClientSaw.RESET},
}
