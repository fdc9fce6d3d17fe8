"""What a trace is called in words: who, where to, what became of it, and what would help.

Pure: traces in, words out. Shared by the tree and the one-line form.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cluster.dataplane.decision import Action, Code, Stage, Step
from cluster.trace.join import Trace
from cluster.trace.record import Outcome
from cluster.wire.flow import Origin, OriginKind

QUERIES_SHOWN_MAX = 12

_ENDED = (Action.DROPPED, Action.REJECTED)


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
    failed = trace.code is Code.NXDOMAIN
    names = (str(step.detail.get("name", "")) for step in _steps(trace) if failed)
    return next(names, "")


def verdict(trace: Trace) -> str:
    """What became of it, in a word."""
    if trace.code is Code.NXDOMAIN:
        return "no such name"
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
    named = f"{name}:{port}" if port else name
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
    """Label and text of what one must know of a flow that ended early."""
    last = trace.hops[-1] if trace.hops else None
    if trace.outcome in (Outcome.REFUSED, Outcome.DROPPED):
        where = f" by {last.process}" if last else ""
        code = f", {trace.code}" if trace.code else ""
        yield _happened(trace), f"{_symptom(trace)}{where}{code}"
        if last is not None:
            yield from _rules(last.step.detail)
        yield "client saw", str(trace.client_saw) or "not reported"
    elif trace.client_saw and trace.client_saw not in ("connected", "reply"):
        yield "client saw", str(trace.client_saw)
    if last is not None and trace.outcome is not Outcome.DELIVERED:
        for hint in _hints(last.step.detail):
            yield "to allow it", hint


def _happened(trace: Trace) -> str:
    return "dropped" if trace.outcome is Outcome.DROPPED else "refused"


def _symptom(trace: Trace) -> str:
    """What the sender notices (O-11, O-20)."""
    if trace.code is Code.NXDOMAIN:
        return "answered NXDOMAIN"
    if trace.outcome is Outcome.DROPPED:
        return "in silence"
    reply = trace.hops[-1].step.detail.get("reply") if trace.hops else None
    return f"with {reply}" if reply else "at once"


def _rules(detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The policies that isolate the pod (O-8), or the ranges that leave the client out."""
    isolating = detail.get("isolating")
    if isinstance(isolating, list) and isolating:
        direction = str(detail.get("direction", "")).lower()
        names = ", ".join(map(str, isolating))
        yield "policy", f"{names} {_isolates(isolating)} {detail.get('pod', '')} for {direction}"
    ranges = detail.get("sourceRanges")
    if isinstance(ranges, list):
        yield "ranges", ", ".join(map(str, ranges))


def _isolates(names: list[Any]) -> str:
    return "isolates" if len(names) == 1 else "isolate"


def _hints(detail: Mapping[str, Any]) -> list[str]:
    """What would let the flow pass, if the step knows."""
    misses = detail.get("nearMisses")
    hint = detail.get("hint")
    return [*([str(hint)] if hint else []), *(misses if isinstance(misses, list) else [])]


def _steps(trace: Trace) -> list[Step]:
    return [hop.step for hop in trace.hops]
