"""What a trace is called in words: who, where to, what became of it, and what would help.

Pure: traces in, words out. Shared by the tree and the one-line form.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cluster.dataplane.decision import Action, Code, Stage, Step
from cluster.trace.join import Trace
from cluster.trace.record import ClientSaw, Outcome
from cluster.wire.addresses import Protocol
from cluster.wire.flow import FlowKind, Origin, OriginKind

QUERIES_SHOWN_MAX = 12

FAILED = (Outcome.REFUSED, Outcome.DROPPED)
_ENDED = (Action.DROPPED, Action.REJECTED)
_UNRESOLVED = {
    Code.NXDOMAIN: "no such name",
    Code.NODATA: "name without address",
    Code.DNS_UNANSWERED: "name not answered",
}


def who(origin: Origin) -> str:
    """Who opened the flow: "pod shop/frontend-x2x1p", "node node-1", "internet"."""
    if origin.kind is OriginKind.OUTSIDE:
        return "internet"
    return f"{origin.kind} {origin.name}"


def where_to(trace: Trace) -> str:
    """What the flow was for, by the best name there is: Service, question, pod, address."""
    for step in _steps(trace):
        service = step.detail.get("service")
        if isinstance(service, Mapping):
            return f"service {service.get('namespace', '')}/{service.get('name', '')}"
        if step.stage is Stage.RESOLVE and "rcode" in step.detail:
            return f"{step.detail['name']} {step.detail['type']}"
    name = trace.origin.kind is OriginKind.POD and _asked_name(trace)
    if name:
        return name
    return f"pod {trace.endpoint}" if trace.endpoint else str(trace.original.destination)


def _asked_name(trace: Trace) -> str:
    """The name that could not be resolved."""
    failed = trace.code in _UNRESOLVED
    names = (str(step.detail.get("name", "")) for step in _steps(trace) if failed)
    return next(names, "")


def verdict(trace: Trace) -> str:
    """What became of it, in a word."""
    if trace.code in _UNRESOLVED:
        return _UNRESOLVED[trace.code]
    return {
        Outcome.DELIVERED: "delivered",
        Outcome.REFUSED: "refused",
        Outcome.DROPPED: "dropped",
        Outcome.PASSED: "end not known",
    }[trace.outcome]


def duration(seconds: float) -> str:
    """A short time: "0.42 ms", "1.3 s"."""
    return f"{seconds * 1000:.2f} ms" if seconds < 1 else f"{seconds:.1f} s"


def clock_time(seconds: float) -> str:
    """A moment as time of day, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S.%f")[:-3]


def change(step: Step) -> list[str]:
    """The address translation of a step, only what changed (O-3)."""
    before, after = step.before, step.after
    lines = []
    if before.source != after.source:
        lines.append(f"source {before.source} ⇒ {after.source}")
    if before.destination != after.destination:
        lines.append(f"destination {before.destination} ⇒ {after.destination}")
    return lines


def subject(step: Step) -> str:
    """What a step's reason leaves to be said: the Service it is about."""
    service = step.detail.get("service")
    if not isinstance(service, Mapping) or step.action in _ENDED:
        return ""
    name = f"{service.get('namespace', '')}/{service.get('name', '')}"
    port = service.get("port")
    named = f"{name} port {port}" if port else name
    return "" if name in step.reason else f"{named}: "


def queries(step: Step) -> list[str]:
    """The questions a resolution took, in order, each with what came of it (O-13, D-151)."""
    asked = step.detail.get("queries")
    if not isinstance(asked, list):
        return []
    lines = [_query(each) for each in asked[:QUERIES_SHOWN_MAX]]
    more = len(asked) - QUERIES_SHOWN_MAX
    return lines + ([f"and {more} more"] if more > 0 else [])


def _query(asked: Mapping[str, Any]) -> str:
    answers = ", ".join(map(str, asked.get("answers") or ()))
    rcode = str(asked.get("rcode", ""))
    result = answers or ("no record" if rcode == "NOERROR" else rcode)
    return f"{asked.get('name', '')} {asked.get('type', '')}: {result}"


def explanation(trace: Trace) -> Iterator[tuple[str, str]]:
    """Label and text of what one must know of a flow that did not arrive, or arrived oddly."""
    if trace.outcome in FAILED and trace.hops:
        last = trace.hops[-1]
        if trace.code in (Code.NXDOMAIN, Code.NODATA):
            yield "answered", f"{trace.code} by {_asked_server(last.step) or last.process}"
        else:
            code = f", {trace.code}" if trace.code else ""
            yield str(trace.outcome), f"{_symptom(trace, last.step)} by {last.process}{code}"
        yield from _rules(last.step)
        if trace.client_saw or trace.kind is not FlowKind.DNS:
            yield "client saw", str(trace.client_saw) or _unreported(trace)
        yield from _hints(trace, last.step)
    elif trace.client_saw not in (ClientSaw.UNKNOWN, ClientSaw.CONNECTED, ClientSaw.REPLIED):
        yield "client saw", str(trace.client_saw)


def _unreported(trace: Trace) -> str:
    """Nothing tells a sender of a datagram's end elsewhere, which is what it saw: silence."""
    datagram = trace.original.protocol is Protocol.UDP
    return "no reply" if datagram and trace.outcome is Outcome.DROPPED else "not reported"


def _asked_server(step: Step) -> str:
    """Who gave the last answer of a resolution, where the program that asked has recorded it."""
    asked = step.detail.get("queries")
    return str(asked[-1].get("server", "")) if isinstance(asked, list) and asked else ""


def _symptom(trace: Trace, last: Step) -> str:
    """What the sender is told (O-11, O-20)."""
    if trace.outcome is Outcome.DROPPED:
        return "in silence"
    reply = last.detail.get("reply")
    return f"with {reply}" if reply else "at once"


def _rules(last: Step) -> Iterator[tuple[str, str]]:
    """The policies that isolate the pod (O-8), where the step's reason does not name them all."""
    isolating = last.detail.get("isolating")
    if not isinstance(isolating, list) or all(str(name) in last.reason for name in isolating):
        return
    verb = "isolates" if len(isolating) == 1 else "isolate"
    direction = str(last.detail.get("direction", "")).lower()
    names = ", ".join(map(str, isolating))
    yield "policy", f"{names} {verb} {last.detail.get('pod', '')} for {direction}"


def _hints(trace: Trace, last: Step) -> Iterator[tuple[str, str]]:
    """What would let the flow pass: what the step knows, else what its code means."""
    misses = last.detail.get("nearMisses")
    for miss in misses if isinstance(misses, list) else ():
        yield "nearest", str(miss)
    hint = last.detail.get("hint")
    if hint:
        yield "would help", str(hint)
    elif trace.code is Code.POLICY_DENIED and not misses:
        yield "would help", _rule_wanted(last)
    elif trace.code in _HELP:
        yield "would help", _HELP[trace.code]


def _rule_wanted(last: Step) -> str:
    """The rule that would allow a denied flow."""
    peer = last.detail.get("peer")
    name = peer.get("name", "") if isinstance(peer, Mapping) else str(last.before.source.ip)
    ingress = last.stage is Stage.INGRESS
    word = "from" if ingress else "to"
    flow = last.before
    where = f"{word} {name} on {flow.protocol} {flow.destination.port}"
    article = "an ingress" if ingress else "an egress"
    return f"{article} rule {where}, in a policy that selects {last.detail.get('pod', 'the pod')}"


_HELP = {
    Code.DNS_UNANSWERED: "DNS pods that are ready, and an egress rule to them on port 53",
    Code.NO_ENDPOINT: "a ready pod that the Service's selector matches",
    Code.NO_LOCAL_ENDPOINT_INTERNAL: "an endpoint on this node, or internalTrafficPolicy Cluster",
    Code.NO_LOCAL_ENDPOINT_EXTERNAL: "an endpoint on this node, or externalTrafficPolicy Cluster",
    Code.SOURCE_RANGE: "the client's address in loadBalancerSourceRanges",
    Code.UNDEFINED_SERVICE_PORT: "one of the Service's own ports",
    Code.PORT_CLOSED: "a program that listens there, or the targetPort of one that does",
}


def _steps(trace: Trace) -> list[Step]:
    return [hop.step for hop in trace.hops]
