"""Flows as the processes of a small cluster record them."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cluster.dataplane.decision import Action, Code, Stage, Step
from cluster.trace.follower import Follower
from cluster.trace.query import Query
from cluster.trace.record import ClientSaw, Hop, Outcome, Segment
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind

AT = 1_790_000_000.12
FLOW_ID = "4c1f9a2b7d3e6f80"
INTERNET = Origin(OriginKind.OUTSIDE, "203.0.113.1")
CLIENT = Origin(OriginKind.POD, "shop/client")
FRONTEND = {"namespace": "shop", "name": "frontend", "port": "http", "protocol": "TCP"}
POD = "shop/frontend-7d4b9c-x2x1p"
ENDPOINT = {
    "namespace": "shop",
    "pod": "frontend-7d4b9c-x2x1p",
    "node": "node-2",
    "ip": "10.244.2.7",
    "port": "8080",
}


class ManualClock:
    """Time that stands still until a test moves it."""

    scale = 1.0

    def __init__(self) -> None:
        self.time = AT

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class Path:
    """A flow on its way: each call is a step; `done` closes one process's segment."""

    def __init__(
        self, source: str, destination: str, origin: Origin, protocol: str = "TCP"
    ) -> None:
        self.flow = Flow(
            Protocol(protocol), SocketAddress.parse(source), SocketAddress.parse(destination)
        )
        self.original = self.flow
        self.origin = origin
        self.segments: list[Segment] = []
        self._steps: list[Step] = []
        self._numbered = 0

    def step(
        self,
        stage: Stage,
        reason: str,
        *,
        action: Action = Action.FORWARDED,
        to: str = "",
        by: str = "",
        code: Code | None = None,
        **detail: Any,
    ) -> "Path":
        after = self.flow
        after = after.to(SocketAddress.parse(to)) if to else after
        after = after.by(SocketAddress.parse(by)) if by else after
        self._steps.append(Step(stage, action, self.flow, after, reason, code, detail))
        self.flow = after
        return self

    def done(self, process: str, outcome: Outcome, **fields: Any) -> "Path":
        hops = tuple(
            Hop(self._numbered + index, process, step, AT) for index, step in enumerate(self._steps)
        )
        self._numbered += len(hops)
        last = self._steps[-1]
        self._steps = []
        given: dict[str, Any] = {
            "flow_id": FLOW_ID,
            "process": process,
            "kind": FlowKind.TRAFFIC,
            "origin": self.origin,
            "original": self.original,
            "hops": hops,
            "outcome": outcome,
            "code": last.code,
            "reason": last.reason,
            "started": AT + len(self.segments) / 1000,
            "decided_seconds": 0.00014,
        }
        self.segments.append(Segment(**(given | fields)))
        return self


def balanced() -> Path:
    """An outside client, through the gateway to a pod on another node."""
    path = Path("203.0.113.1:40312", "127.65.0.1:80", INTERNET)
    path.step(Stage.BALANCE, "node-1, 1 of 3 healthy nodes", service=FRONTEND)
    path.done("gateway", Outcome.PASSED, next_process="node-1", client_saw=ClientSaw.CONNECTED)
    path.step(Stage.SERVICE, "random, 2 of 3 endpoints", to="10.244.2.7:8080", service=FRONTEND)
    path.step(
        Stage.MASQUERADE,
        "externalTrafficPolicy Cluster: replies return through this node",
        by="172.30.0.1:40312",
    )
    path.step(Stage.ROUTE, "10.244.2.0/24 via node-2")
    path.done("node-1", Outcome.PASSED, next_process="node-2")
    received(path, "node-1")
    path.step(Stage.INGRESS, f"allowed: no policy selects {POD} for ingress")
    path.step(Stage.DELIVER, f"{POD} listens on 8080", action=Action.DELIVERED)
    return path.done("node-2", Outcome.DELIVERED, endpoint=ENDPOINT)


def received(path: Path, sender: str) -> None:
    detail: dict[str, Any] = {"from": sender}
    path.step(Stage.TUNNEL, f"from {sender}", action=Action.RECEIVED, **detail)


def called(client_saw: ClientSaw, *, egress: bool = True) -> Path:
    """A pod that calls a Service of another node, as far as its own node decides."""
    path = Path("10.244.1.5:40312", "10.96.1.1:80", CLIENT)
    path.step(
        Stage.RESOLVE,
        "frontend is 10.96.1.1",
        name="frontend",
        queries=[
            {
                "name": "frontend.shop.svc.cluster.local",
                "type": "A",
                "server": "10.96.0.10:53",
                "rcode": "NOERROR",
                "answers": ["10.96.1.1"],
            }
        ],
    )
    path.step(Stage.SERVICE, "random, 2 of 3 endpoints", to="10.244.2.7:8080", service=FRONTEND)
    path.step(Stage.EGRESS, "allowed: no policy selects shop/client for egress")
    path.step(Stage.ROUTE, "10.244.2.0/24 via node-2")
    path.done("node-1", Outcome.PASSED, next_process="node-2", client_saw=client_saw)
    received(path, "node-1")
    return path


def denied(near_misses: list[str] | None = None) -> Path:
    """A NetworkPolicy drops it at the target."""
    path = called(ClientSaw.TIMEOUT)
    path.step(
        Stage.INGRESS,
        f"denied: shop/default-deny selects {POD}, "
        "and no rule allows ingress from shop/client on TCP 8080",
        action=Action.DROPPED,
        code=Code.POLICY_DENIED,
        pod=POD,
        direction="Ingress",
        peer={"kind": "pod", "ip": "10.244.1.5", "name": "shop/client", "node": "node-1"},
        isolating=["shop/default-deny"],
        nearMisses=near_misses or [],
    )
    return path.done("node-2", Outcome.DROPPED)


def without_endpoints() -> Path:
    """A Service without endpoints refuses at once."""
    path = Path("10.244.1.5:40312", "10.96.1.2:80", CLIENT)
    path.step(
        Stage.SERVICE,
        "shop/cart:http has no usable endpoint: none of its 2 is ready",
        action=Action.REJECTED,
        code=Code.NO_ENDPOINT,
        service={"namespace": "shop", "name": "cart", "port": "http", "protocol": "TCP"},
        reply="ICMP port-unreachable",
    )
    return path.done("node-1", Outcome.REFUSED, client_saw=ClientSaw.REFUSED)


def closed_port() -> Path:
    """Nothing listens in the pod."""
    path = called(ClientSaw.REFUSED)
    path.step(Stage.INGRESS, f"allowed: no policy selects {POD} for ingress")
    path.step(
        Stage.DELIVER,
        "nothing listens on 8080: the pod's kernel answers with a reset",
        action=Action.REJECTED,
        code=Code.PORT_CLOSED,
        reply="RST",
    )
    return path.done("node-2", Outcome.REFUSED)


def datagrams() -> Path:
    """A UDP flow to a pod of the same node."""
    path = Path("10.244.1.5:40312", "10.96.1.3:9000", CLIENT, "UDP")
    clock = {"namespace": "shop", "name": "clock", "port": "udp", "protocol": "UDP"}
    path.step(Stage.SERVICE, "only endpoint", to="10.244.1.8:9000", service=clock)
    path.step(Stage.EGRESS, "allowed: no policy selects shop/client for egress")
    path.step(Stage.ROUTE, "10.244.1.0/24 local pods")
    path.step(Stage.INGRESS, "allowed: shop/allow-clock, rule 0")
    path.step(Stage.DELIVER, "shop/clock-0 listens on 9000", action=Action.DELIVERED)
    return path.done(
        "node-1",
        Outcome.DELIVERED,
        client_saw=ClientSaw.REPLIED,
        endpoint={
            "namespace": "shop",
            "pod": "clock-0",
            "node": "node-1",
            "ip": "10.244.1.8",
            "port": "9000",
        },
        ended=AT + 30,
        bytes_in=12,
        bytes_out=480,
    )


def unknown_name() -> Path:
    """The DNS says that a name does not exist."""
    path = Path("10.244.1.5:40312", "10.244.2.3:53", CLIENT, "UDP")
    path.step(
        Stage.RESOLVE,
        "nope.shop.svc.cluster.local A is NXDOMAIN (no Service nope in namespace shop)",
        action=Action.REJECTED,
        code=Code.NXDOMAIN,
        name="nope.shop.svc.cluster.local",
        type="A",
        rcode="NXDOMAIN",
        answers=[],
    )
    return path.done("dns", Outcome.REFUSED, kind=FlowKind.DNS)


PATHS = {
    "balanced": balanced,
    "denied": denied,
    "without_endpoints": without_endpoints,
    "closed_port": closed_port,
    "datagrams": datagrams,
    "unknown_name": unknown_name,
}


@pytest.fixture
def path() -> Any:
    """`path("denied")` gives the segments of one of the flows above."""

    def segments(name: str, **arguments: Any) -> list[Segment]:
        return PATHS[name](**arguments).segments

    return segments


@pytest.fixture
def segment() -> Any:
    """One small segment, with any of its fields changed."""

    def build(flow_id: str = FLOW_ID, **fields: Any) -> Segment:
        (plain,) = datagrams().segments
        return replace(plain, flow_id=flow_id, **fields)

    return build


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class WatchedRecorder(Recorder):
    """A recorder that tells a test when somebody begins to follow it."""

    def __init__(self, process: str, clock: ManualClock, **rings: int) -> None:
        super().__init__(process, clock, **rings)
        self.followed = asyncio.Event()

    def follow(self, query: Query) -> Follower:
        follower = super().follow(query)
        self.followed.set()
        return follower


@pytest.fixture
def watched(clock: ManualClock) -> Any:
    """`watched("node-1")` is such a recorder."""

    def build(process: str, **rings: int) -> WatchedRecorder:
        return WatchedRecorder(process, clock, **rings)

    return build
