"""Established TCP flows of one node: which live, through whose hands they came, when they ended.

Nothing of ours stays on a connection's way, so nobody is called when it closes: a slow sweep asks
the transports, and tells the processes that handed the sockets over. A process that dies is acted
out here: every flow that went through its hands is reset, as if it had stayed in the path.
Bounded; a flow beyond the bound is carried all the same, but its end is not noted.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from cluster.aio.clock import Clock
from cluster.trace.recorder import Recorder
from cluster.wire.flow import FlowContext
from node_agent.cni.transport import PodTransport

ESTABLISHED_MAX = 65536
GONE_MAX = 1024  # instances remembered as gone, for flows that come from them later
SWEEP_SECONDS = 1.0
_LINGER_ZERO = struct.pack("ii", 1, 0)

Passed = tuple[str, ...]
TellEnded = Callable[[float, Passed, Sequence[str]], None]


class EstablishedFlow(NamedTuple):
    """One live connection that this node delivered to a pod."""

    transport: PodTransport
    passed: Passed  # instances of the processes that handed its socket on, the first one first


class Established:
    """The table; `sweep_forever` is its background task. `tell_ended` tells those who handed on."""

    def __init__(
        self, recorder: Recorder, clock: Clock, tell_ended: TellEnded = lambda *_: None
    ) -> None:
        self._recorder = recorder
        self._clock = clock
        self._tell_ended = tell_ended
        self._flows: dict[str, EstablishedFlow] = {}
        self._carried: dict[asyncio.Task[None], Passed] = {}
        self._gone: dict[str, None] = {}

    def delivered(
        self, context: FlowContext, passed: Passed = ()
    ) -> Callable[[PodTransport], None]:
        """What to call with the transport once the pod's program holds the connection."""
        flow_id = context.flow_id

        def made(transport: PodTransport) -> None:
            if self._passed_gone(passed):
                asyncio.get_running_loop().call_soon(_reset, transport)
            if len(self._flows) < ESTABLISHED_MAX:
                self._flows[flow_id] = EstablishedFlow(transport, passed)

        return made

    def carried(self, task: asyncio.Task[None], passed: Passed) -> None:
        """A flow that came through hands and that this node relays, or keeps silent, itself."""
        if passed:
            self._carried[task] = passed
            task.add_done_callback(self._carried.pop)
            if self._passed_gone(passed):
                _cancel(task)

    def ended(self, flow_id: str, bytes_in: int | None, bytes_out: int | None) -> None:
        """Note a connection's end and, where a relay counted them, its bytes."""
        self._flows.pop(flow_id, None)
        self._recorder.update(
            flow_id, ended=self._clock.now(), bytes_in=bytes_in, bytes_out=bytes_out
        )

    def ended_elsewhere(self, flow_ids: Sequence[str], at: float) -> None:
        """Note the ends of connections that this node handed on."""
        self._recorder.update_many(flow_ids, ended=at)

    def sweep(self) -> None:
        """Note the end of every connection whose transport has closed."""
        closed = [name for name, flow in self._flows.items() if flow.transport.is_closing()]
        by_hands: dict[Passed, list[str]] = {}
        for flow_id in closed:
            by_hands.setdefault(self._flows.pop(flow_id).passed, []).append(flow_id)
        now = self._clock.now()
        for passed, flow_ids in by_hands.items():
            self._recorder.update_many(flow_ids, ended=now)
            if passed:
                self._tell_ended(now, passed, flow_ids)

    async def sweep_forever(self) -> None:
        """Sweep until cancelled."""
        while True:
            await self._clock.sleep(SWEEP_SECONDS)
            self.sweep()

    def met(self, instance: str) -> None:
        """A process is there, whatever was heard of it."""
        self._gone.pop(instance, None)

    def news(self, instances: Sequence[str]) -> list[str]:
        """Those that are not known to be gone."""
        return [each for each in instances if each not in self._gone]

    def died(self, instances: Collection[str]) -> int:
        """Reset every flow that went through the hands of a process that is gone; how many.

        One that is still on its way to its program is reset when it gets there.
        """
        gone = frozenset(instances)
        self._gone.update(dict.fromkeys(instances))
        while len(self._gone) > GONE_MAX:
            del self._gone[next(iter(self._gone))]
        flows = [flow for flow in self._flows.values() if not gone.isdisjoint(flow.passed)]
        for flow in flows:
            _reset(flow.transport)
        carried = [task for task, passed in self._carried.items() if not gone.isdisjoint(passed)]
        for task in carried:
            _cancel(task)
        return len(flows) + len(carried)

    def live(self) -> dict[str, EstablishedFlow]:
        """The connections that live now, by the names of their flows."""
        return {name: flow for name, flow in self._flows.items() if not flow.transport.is_closing()}

    def _passed_gone(self, passed: Passed) -> bool:
        return not self._gone.keys().isdisjoint(passed)


def _cancel(task: asyncio.Task[None]) -> None:
    """Not before it has begun: who has not begun does not clean up."""
    asyncio.get_running_loop().call_soon(task.cancel)


def _reset(transport: PodTransport) -> None:
    """End a pod's connection so that its client is told by RST: an abort alone would say FIN."""
    sock = transport.get_extra_info("socket")
    if sock is not None and not transport.is_closing():
        with contextlib.suppress(OSError):  # its peer has reset it already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()
