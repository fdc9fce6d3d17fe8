"""Probes: what they ask, what their results so far mean, and when to ask again.

Pure: results and times in, a verdict and the next pause out.

Kubernetes asks once per periodSeconds. A node of ours must not wait for that while a pod starts, so
a readiness or startup probe that has not succeeded yet is *eager*: it asks at once (after
initialDelaySeconds), then after 2 ms, 3 ms, 4.5 ms, ... up to the period. An eager failure counts
towards failureThreshold, and is told in an Event, at most once per period; so nothing fails sooner
than in Kubernetes, it only succeeds sooner. Liveness probes are never eager.
Spec: P-46, P-49 to P-55.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from cluster.dataclass import dataclass

EAGER_FIRST_SECONDS = 0.002
EAGER_GROWTH = 1.5


class ProbeKind(StrEnum):
    """What a probe decides about."""

    STARTUP = "Startup"
    READINESS = "Readiness"
    LIVENESS = "Liveness"


@dataclass(frozen=True, slots=True)
class HttpGet:
    """2xx and 3xx are success (P-47)."""

    port: int
    path: str = "/"
    scheme: str = "http"
    host: str = ""  # "": the pod's address
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TcpSocket:
    """A connection that is made is success."""

    port: int
    host: str = ""


@dataclass(frozen=True, slots=True)
class Exec:
    """Exit code 0 is success."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grpc:
    """The health service's SERVING is success."""

    port: int
    service: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """A probe that cannot be asked, such as one of a port name nobody declares: it fails."""

    text: str


Handler = HttpGet | TcpSocket | Exec | Grpc | Broken


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSpec:
    """One probe of a container, with Kubernetes' defaults (P-46)."""

    kind: ProbeKind
    handler: Handler
    initial_delay_seconds: float = 0
    timeout_seconds: float = 1
    period_seconds: float = 10
    success_threshold: int = 1
    failure_threshold: int = 3
    grace_seconds: float | None = None  # terminationGracePeriodSeconds of its own

    @property
    def eager(self) -> bool:
        """Whether it asks often until it has succeeded."""
        return self.kind is not ProbeKind.LIVENESS


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer: success or not, and what to say about it."""

    ok: bool
    text: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class ProbeState:
    """Where a probe stands: its verdict (None before the first), and the streak behind it."""

    passing: bool | None = None
    streak_ok: bool = True
    streak: int = 0
    pause_seconds: float = EAGER_FIRST_SECONDS
    counted_at: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What one answer leads to."""

    state: ProbeState
    pause_seconds: float  # until the next question
    counted: bool  # whether this answer counted; failures that count are told in an Event


def observe(
    state: ProbeState, spec: ProbeSpec, *, ok: bool, now: float, scale: float, began: float
) -> Step:
    """Take one more answer, at `now`; `began` is when the probe first asked."""
    period = spec.period_seconds * scale
    eager = spec.eager and not (ok or state.passing)
    last = began if state.counted_at is None else state.counted_at
    counted = ok or not eager or now - last >= period
    if counted:
        state = _count(state, spec, ok=ok, now=now)
    if not eager or state.passing:
        return Step(replace(state, pause_seconds=EAGER_FIRST_SECONDS), period, counted)
    since = now if counted else last
    pause = min(state.pause_seconds, since + period - now)  # never past the next one that counts
    grown = replace(state, pause_seconds=min(state.pause_seconds * EAGER_GROWTH, period))
    return Step(grown, pause, counted)


def _count(state: ProbeState, spec: ProbeSpec, *, ok: bool, now: float) -> ProbeState:
    streak = state.streak + 1 if state.streak_ok == ok else 1
    threshold = spec.success_threshold if ok else spec.failure_threshold
    passing = ok if streak >= threshold else state.passing
    return replace(state, passing=passing, streak_ok=ok, streak=streak, counted_at=now)


def probes_of(container: Mapping[str, Any]) -> dict[ProbeKind, ProbeSpec]:
    """The probes of a container."""
    found = {
        kind: container.get(f"{kind.lower()}Probe")
        for kind in (ProbeKind.STARTUP, ProbeKind.READINESS, ProbeKind.LIVENESS)
    }
    return {kind: _probe(kind, spec, container) for kind, spec in found.items() if spec}


def _probe(kind: ProbeKind, document: Mapping[str, Any], container: Mapping[str, Any]) -> ProbeSpec:
    return ProbeSpec(
        kind=kind,
        handler=handler_of(document, container),
        initial_delay_seconds=document.get("initialDelaySeconds") or 0,
        timeout_seconds=document.get("timeoutSeconds") or 1,
        period_seconds=document.get("periodSeconds") or 10,
        success_threshold=document.get("successThreshold") or 1,
        failure_threshold=document.get("failureThreshold") or 3,
        grace_seconds=document.get("terminationGracePeriodSeconds"),
    )


def handler_of(document: Mapping[str, Any], container: Mapping[str, Any]) -> Handler:
    """The action of a probe or of a lifecycle hook."""
    try:
        return _handler(document, container)
    except ValueError as error:
        return Broken(str(error))


def _handler(document: Mapping[str, Any], container: Mapping[str, Any]) -> Handler:
    if "httpGet" in document:
        get = document["httpGet"]
        return HttpGet(
            port=port_number(get["port"], container),
            path=get.get("path") or "/",
            scheme=(get.get("scheme") or "HTTP").lower(),
            host=get.get("host") or "",
            headers=tuple((h["name"], h["value"]) for h in get.get("httpHeaders") or ()),
        )
    if "tcpSocket" in document:
        tcp = document["tcpSocket"]
        return TcpSocket(port_number(tcp["port"], container), tcp.get("host") or "")
    if "grpc" in document:
        return Grpc(int(document["grpc"]["port"]), document["grpc"].get("service") or "")
    return Exec(tuple((document.get("exec") or {}).get("command") or ()))


def port_number(port: int | str, container: Mapping[str, Any]) -> int:
    """A port by number, or by the name that the same container declares (P-49)."""
    if isinstance(port, int) or port.isdecimal():
        return int(port)
    for declared in container.get("ports") or ():
        if declared.get("name") == port:
            return int(declared["containerPort"])
    raise ValueError(f"couldn't find port: {port} in container {container.get('name')}")


def probe_ports(container: Mapping[str, Any]) -> frozenset[int]:
    """Every port that a probe of the container asks: where a stand-in has to answer."""
    handlers = (spec.handler for spec in probes_of(container).values())
    return frozenset(each.port for each in handlers if isinstance(each, HttpGet | TcpSocket | Grpc))
