"""A trace record: the part of a flow's path that one process decided.

Pure: no I/O, no clock.
Each process records one `Segment` per flow it decides: its own hops, numbered on from where the
previous process stopped (`FlowContext.hops`). All segments of one flow id, in order of their hops,
are the trace. Nobody sends hops around; a reader joins them (`cluster.trace.tree`).
Spec: O-1 to O-20.
"""

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Any

from cluster.dataclass import dataclass
from cluster.dataplane.decision import Action, Code, Decision, Stage, Step
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowContext, FlowKind, Origin, OriginKind


class Outcome(StrEnum):
    """What became of the flow in this process."""

    PASSED = "passed"  # to the process named by `next_process`
    DELIVERED = "delivered"
    REFUSED = "refused"  # by a rule (Service without endpoints) or by the pod (nothing listens)
    DROPPED = "dropped"


class ClientSaw(StrEnum):
    """What the program that opened the flow experienced; known where the flow began (O-20)."""

    UNKNOWN = ""
    CONNECTED = "connected"
    REFUSED = "connection refused"
    RESET = "connection reset"
    TIMEOUT = "timeout"
    UNREACHABLE = "no route to host"
    UNRESOLVED = "name not known"
    REPLIED = "reply"  # a datagram was answered


@dataclass(frozen=True, slots=True)
class Hop:
    """A step with its place and time: number in the flow, process, seconds since 1970."""

    number: int
    process: str
    step: Step
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What one process did with one flow."""

    flow_id: str
    process: str
    kind: FlowKind
    origin: Origin
    original: Flow  # as the client sent it
    hops: tuple[Hop, ...]
    outcome: Outcome
    next_process: str = ""  # set when outcome is PASSED
    code: Code | None = None
    reason: str = ""
    client_saw: ClientSaw = ClientSaw.UNKNOWN
    endpoint: Mapping[str, str] = field(default_factory=dict)  # namespace, pod, node, ip, port
    started: float = 0.0  # seconds since 1970
    decided_seconds: float = 0.0  # time spent deciding, of this process
    ended: float | None = None  # when the connection closed; None while it lives
    bytes_in: int | None = None  # towards the pod; None where nobody counts
    bytes_out: int | None = None
    handed_over: bool = False  # the socket itself went on: who has it now tells what the client saw

    @property
    def flow(self) -> Flow:
        """The flow as it left this process."""
        return self.hops[-1].step.after if self.hops else self.original

    def flows(self) -> Iterator[Flow]:
        """The flow in every form that this record knows."""
        yield self.original
        for hop in self.hops:
            yield hop.step.before
            yield hop.step.after

    @property
    def opened_here(self) -> bool:
        """Whether the flow began in this process."""
        return bool(self.hops) and self.hops[0].number == 0

    @property
    def complete(self) -> bool:
        """Whether nothing more is expected of this process: only the client's own side has more."""
        return is_complete(
            self.opened_here,
            self.original.protocol,
            self.kind,
            self.outcome,
            self.client_saw,
            self.handed_over,
        )

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON: the wire form of `/flows` and of `kubehop trace -o json`."""
        return {
            "flowId": self.flow_id,
            "process": self.process,
            "kind": str(self.kind),
            "origin": {
                "kind": str(self.origin.kind),
                "name": self.origin.name,
                "node": self.origin.node,
            },
            "original": flow_to_json(self.original),
            "hops": [_hop_to_json(hop) for hop in self.hops],
            "outcome": str(self.outcome),
            "nextProcess": self.next_process,
            "code": str(self.code) if self.code else None,
            "reason": self.reason,
            "clientSaw": str(self.client_saw),
            "endpoint": dict(self.endpoint),
            "started": self.started,
            "decidedSeconds": self.decided_seconds,
            "ended": self.ended,
            "bytesIn": self.bytes_in,
            "bytesOut": self.bytes_out,
            "handedOver": self.handed_over,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Segment":
        """Read what `to_json` wrote; KeyError or ValueError if it is not that."""
        origin = document["origin"]
        return cls(
            flow_id=document["flowId"],
            process=document["process"],
            kind=FlowKind(document["kind"]),
            origin=Origin(OriginKind(origin["kind"]), origin["name"], origin["node"]),
            original=flow_from_json(document["original"]),
            hops=tuple(_hop_from_json(hop) for hop in document["hops"]),
            outcome=Outcome(document["outcome"]),
            next_process=document["nextProcess"],
            code=Code(document["code"]) if document["code"] else None,
            reason=document["reason"],
            client_saw=ClientSaw(document["clientSaw"]),
            endpoint=document["endpoint"],
            started=document["started"],
            decided_seconds=document["decidedSeconds"],
            ended=document["ended"],
            bytes_in=document["bytesIn"],
            bytes_out=document["bytesOut"],
            handed_over=document.get("handedOver", False),
        )


def is_complete(
    opened_here: bool,
    protocol: Protocol,
    kind: FlowKind,
    outcome: Outcome,
    client_saw: ClientSaw,
    handed_over: bool,
) -> bool:
    """Whether a record lacks nothing.

    Where a TCP connection began, what its client saw is known after the decision (O-20): by the
    pod's or node's program itself, or by what was done to an outside client's socket. A process
    that handed the socket over will hear of it no more.
    """
    tells = opened_here and protocol is Protocol.TCP
    answered = kind is FlowKind.DNS and outcome is not Outcome.PASSED
    return not tells or answered or handed_over or client_saw is not ClientSaw.UNKNOWN


def hops_of(
    steps: tuple[Step, ...], context: FlowContext, process: str, at: float
) -> tuple[Hop, ...]:
    """Number a process's steps on from the hops the flow has already made."""
    first = context.hops
    return tuple(Hop(first + index, process, step, at) for index, step in enumerate(steps))


def segment_of(
    decision: Decision, context: FlowContext, *, process: str, at: float, outcome: Outcome
) -> Segment:
    """The record of one decision; the shell adds what only it knows with `dataclasses.replace`."""
    last = decision.steps[-1] if decision.steps else None
    return Segment(
        flow_id=context.flow_id,
        process=process,
        kind=context.kind,
        origin=context.origin,
        original=context.original,
        hops=hops_of(decision.steps, context, process, at),
        outcome=outcome,
        code=last.code if last else None,
        reason=last.reason if last else "",
        started=at,
    )


def passed_on(context: FlowContext, segment: Segment, flow: Flow) -> FlowContext:
    """The context for the next process: the flow as translated, the hops counted on."""
    hops = context.hops + len(segment.hops)
    return replace(context, flow=flow, hops=hops, sender=segment.process)


def flow_to_json(flow: Flow) -> dict[str, Any]:
    """A flow as JSON: {"protocol": "TCP", "source": "ip:port", "destination": "ip:port"}."""
    return {
        "protocol": str(flow.protocol),
        "source": str(flow.source),
        "destination": str(flow.destination),
    }


def flow_from_json(document: Mapping[str, Any]) -> Flow:
    """Read what `flow_to_json` wrote."""
    return Flow(
        Protocol(document["protocol"]),
        SocketAddress.parse(document["source"]),
        SocketAddress.parse(document["destination"]),
    )


def _hop_to_json(hop: Hop) -> dict[str, Any]:
    step = hop.step
    return {
        "number": hop.number,
        "process": hop.process,
        "stage": str(step.stage),
        "action": str(step.action),
        "before": flow_to_json(step.before),
        "after": flow_to_json(step.after),
        "reason": step.reason,
        "code": str(step.code) if step.code else None,
        "detail": dict(step.detail),
        "at": hop.at,
    }


def _hop_from_json(document: Mapping[str, Any]) -> Hop:
    step = Step(
        stage=Stage(document["stage"]),
        action=Action(document["action"]),
        before=flow_from_json(document["before"]),
        after=flow_from_json(document["after"]),
        reason=document["reason"],
        code=Code(document["code"]) if document["code"] else None,
        detail=document["detail"],
    )
    return Hop(document["number"], document["process"], step, document["at"])
