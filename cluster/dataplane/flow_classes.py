"""Decisions in constant time: what was decided for one flow holds for every flow of its class.

Pure: values in, values out; the time, the chance, the memory and who listens are passed in.
A decision looks at who opened the flow, from which address, by which protocol and to where; never
at a source port. Chance and memory come in by a lot, the pods' programs by whether one listens. So

    class   entry, protocol, source address, destination, origin, the address it was opened from
    kept    of each class, lot and "somebody listens": what was made of its first decision

`decided_here` is the decision itself, with nothing kept. After a change of the view, what is kept
counts as long as all that it was decided by is the same in the new view: the objects that were
read, found anew, must be the very ones. What is kept is bounded, and what is not asked for any more
is forgotten first.
"""

from collections.abc import Callable
from dataclasses import replace
from operator import is_
from typing import Generic, TypeVar

from cluster.dataplane.conntrack import AffinityTable
from cluster.dataplane.decision import Decision, Local
from cluster.dataplane.node_view import NodeView
from cluster.dataplane.pipeline import admit, decide, settle
from cluster.dataplane.served_port import NOBODY, Lot
from cluster.dataplane.service_stage import Asked, ask, front_of, lot_of
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext, Origin

KEPT_MAX = 2048  # decisions
LOTS_MAX = 256  # of them for one class

Listening = Callable[[Flow], bool]
Kept = TypeVar("Kept")
Key = tuple[Entry, Protocol, str, SocketAddress, Origin, str, bool]
Read = tuple[object, ...]  # what was read of a view; compared by identity

_ADMIT = Entry.ADMIT


def decided_here(
    context: FlowContext,
    view: NodeView,
    affinity: AffinityTable,
    listening: Listening,
    *,
    now: float,
    draw: float,
) -> Decision:
    """A flow's decision at this node: of both halves, if its way ends here."""
    if context.entry is _ADMIT:
        return admit(context, view, listening=listening(context.flow))
    half = decide(context, view, affinity, now=now, draw=draw)
    if not isinstance(half.verdict, Local):
        return half
    return _admitted(context, half, view, listening=listening(half.flow))


def _admitted(context: FlowContext, half: Decision, view: NodeView, *, listening: bool) -> Decision:
    """The source's half with the target's behind it."""
    admitted = admit(replace(context, flow=half.flow), view, listening=listening)
    steps = (*half.steps, *admitted.steps)
    return Decision(admitted.verdict, admitted.flow, steps, half.pin)


class FlowClasses(Generic[Kept]):
    """What is kept for one node; `finish` makes it of a class's first flow and its decision."""

    def __init__(
        self, finish: Callable[[FlowContext, Decision], Kept], kept_max: int = KEPT_MAX
    ) -> None:
        self._finish = finish
        self._young_max = kept_max // 2
        self._young: dict[Key, _Class[Kept]] = {}  # what was asked for lately
        self._old: dict[Key, _Class[Kept]] = {}
        self._made = 0  # since the young were none

    def ruled(
        self,
        context: FlowContext,
        view: NodeView,
        affinity: AffinityTable,
        listening: Listening,
        *,
        now: float,
        draw: float,
    ) -> Kept:
        """What `finish` makes of `decided_here`, with the source port of another flow in it.

        Of what `listening` is asked, only protocol and destination count.
        """
        flow, opened = context.flow, context.original.source
        source = flow.source
        key = (
            context.entry,
            flow.protocol,
            source.ip,
            flow.destination,
            context.origin,
            opened.ip,
            source == opened,
        )
        found = self._young.get(key)
        if found is None:
            found = self._find(key, context, view)
        if found.view is not view:
            found.follow(context, view)
        asked = found.asked
        lot = NOBODY if asked is None else lot_of(asked, affinity, now=now, draw=draw)
        settled = found.settled.get(lot)
        if settled is None or (settled.view is not view and not settled.follow(view)):
            settled = self._settle(found, lot, context, view)
        asks = settled.asks
        if asks is None or listening(asks):
            kept = settled.open
            return kept if kept is not None else self._admit(settled, view, listening=True)
        kept = settled.closed
        return kept if kept is not None else self._admit(settled, view, listening=False)

    def __len__(self) -> int:
        both = (*self._young.values(), *self._old.values())
        return sum(len(each.settled) for each in both)

    def _find(self, key: Key, context: FlowContext, view: NodeView) -> "_Class[Kept]":
        found = self._old.pop(key, None)
        if found is None:
            found = _Class[Kept](context, view)
        self._young[key] = found
        self._count(len(found.settled))
        return found

    def _settle(
        self, found: "_Class[Kept]", lot: Lot, context: FlowContext, view: NodeView
    ) -> "_Settled[Kept]":
        half = settle(context, view, found.asked, lot) if found.asked is not None else None
        settled = _Settled[Kept](context, view, half)
        if half is not None and settled.asks is None:
            settled.open = self._finish(context, half)
        if len(found.settled) >= LOTS_MAX:
            found.settled.clear()
        found.settled[lot] = settled
        self._count(1)
        return settled

    def _admit(self, settled: "_Settled[Kept]", view: NodeView, *, listening: bool) -> Kept:
        context, half = settled.context, settled.half
        if half is None:
            decision = admit(context, view, listening=listening)
        else:
            decision = _admitted(context, half, view, listening=listening)
        kept = self._finish(context, decision)
        if listening:
            settled.open = kept
        else:
            settled.closed = kept
        return kept

    def _count(self, made: int) -> None:
        """Forget what was not asked for since the young were last made old."""
        self._made += made
        if self._made > self._young_max:
            self._old, self._young, self._made = self._young, {}, 0


class _Settled(Generic[Kept]):
    """One lot of a class; `asks` is the flow whose listener is wanted, if one is."""

    __slots__ = ("asks", "closed", "context", "half", "open", "read", "view")

    def __init__(self, context: FlowContext, view: NodeView, half: Decision | None) -> None:
        here = half is None or isinstance(half.verdict, Local)
        self.context = context
        self.half = half
        self.asks = (half.flow if half is not None else context.flow) if here else None
        self.open: Kept | None = None
        self.closed: Kept | None = None
        self.view = view
        self.read = self._read(view)

    def follow(self, view: NodeView) -> bool:
        """Whether all of it holds in another view too."""
        if not all(map(is_, self._read(view), self.read)):
            return False
        self.view = view
        return True

    def _read(self, view: NodeView) -> Read:
        """What is looked at once the destination is known: who has it, and who then comes."""
        flow = self.half.flow if self.half is not None else self.context.flow
        pods, there = view.pods, flow.destination.ip
        pod = pods.at(there)
        return (
            pod,
            pods.finished_at(there),
            pods.at(flow.source.ip),
            pod and view.policies.by_namespace.get(pod.meta.namespace),
        )


class _Class(Generic[Kept]):
    """The flows of one key."""

    __slots__ = ("asked", "read", "settled", "view")

    asked: Asked | None  # None where only the target's half is asked for
    read: Read
    view: NodeView

    def __init__(self, context: FlowContext, view: NodeView) -> None:
        self.settled: dict[Lot, _Settled[Kept]] = {}
        self._begin(context, view)

    def follow(self, context: FlowContext, view: NodeView) -> None:
        """Keep what holds in another view too; begin anew if nothing does."""
        if all(map(is_, _read(context, view), self.read)):
            self.view = view
        else:
            self.settled.clear()
            self._begin(context, view)

    def _begin(self, context: FlowContext, view: NodeView) -> None:
        self.view = view
        self.read = _read(context, view)
        self.asked = None if context.entry is _ADMIT else ask(context, view)


def _read(context: FlowContext, view: NodeView) -> Read:
    """What is looked at for every flow of a class: who sends, to which front, by which way."""
    flow, pods, policies = context.flow, view.pods, view.policies
    source, named = pods.at(flow.source.ip), pods.named(context.origin.name)
    return (
        front_of(flow, view),
        view.services.active.get(flow.destination.ip),
        source,
        named,
        source and policies.by_namespace.get(source.meta.namespace),
        named and policies.by_namespace.get(named.meta.namespace),
        policies.namespaces,
        pods.host_pods,
        view.routes,
        view.own_addresses,
        view.settings,
    )
