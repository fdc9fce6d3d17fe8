"""Established TCP flows of one node: which live, in which pod, and when they ended.

Nothing of ours stays on a connection's way, so nobody is called when it closes: a slow sweep asks
the transports. Bounded; a flow beyond the bound is carried all the same, but its end is not noted.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cluster.aio.clock import Clock
from cluster.trace.recorder import Recorder
from cluster.wire.flow import FlowContext
from node_agent.cni.transport import PodTransport

ESTABLISHED_MAX = 65536
SWEEP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class EstablishedFlow:
    """One live connection that this node delivered to a pod."""

    context: FlowContext
    transport: PodTransport


class Established:
    """The table; `sweep_forever` is its background task."""

    def __init__(self, recorder: Recorder, clock: Clock) -> None:
        self._recorder = recorder
        self._clock = clock
        self._flows: dict[str, EstablishedFlow] = {}

    def delivered(self, context: FlowContext) -> Callable[[PodTransport], None]:
        """What to call with the transport once the pod's program holds the connection."""

        def made(transport: PodTransport) -> None:
            if len(self._flows) < ESTABLISHED_MAX:
                self._flows[context.flow_id] = EstablishedFlow(context, transport)

        return made

    def ended(self, flow_id: str, bytes_in: int | None, bytes_out: int | None) -> None:
        """Note a connection's end and, where a relay counted them, its bytes."""
        self._flows.pop(flow_id, None)
        self._recorder.update(
            flow_id, ended=self._clock.now(), bytes_in=bytes_in, bytes_out=bytes_out
        )

    def sweep(self) -> None:
        """Note the end of every connection whose transport has closed."""
        closed = [name for name, flow in self._flows.items() if flow.transport.is_closing()]
        for flow_id in closed:
            self.ended(flow_id, None, None)

    async def sweep_forever(self) -> None:
        """Sweep until cancelled."""
        while True:
            await self._clock.sleep(SWEEP_SECONDS)
            self.sweep()

    def abort_all(self) -> None:
        """Reset everything: the node crashes."""
        for flow in self._flows.values():
            flow.transport.abort()
        self._flows.clear()

    def live(self) -> list[EstablishedFlow]:
        """The connections that live now."""
        return [flow for flow in self._flows.values() if not flow.transport.is_closing()]
