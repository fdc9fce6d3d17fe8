"""What a decision with its record costs, and a change, in a small cluster and in a large one.

All in this process, from documents as the API serves them: CPU time of what the gateway, the node a
flow enters and the node of its pod do for one new connection beside moving bytes. The second flow
of its kind and all after it are measured; what the first one costs, and the first after a change
that has nothing to do with it, are rows of their own.
"""

import gc
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from cluster.aio.clock import SystemClock
from cluster.dataplane.conntrack import Conntrack
from cluster.dataplane.node_view import NetworkSettings, NodeView, empty_view, forget_stale
from cluster.gateway.backend_nodes import BackendNode
from cluster.gateway.balancer import Chosen, FrontPlan, FrontState, Place
from cluster.gateway.health import NodeHealth
from cluster.gateway.rulings import Rulings as GatewayRulings
from cluster.objects.resources import (
    ENDPOINT_SLICES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.clients import OutsideClients
from cluster.wire.flow import Entry, Flow, FlowContext, FlowKind, Origin, OriginKind
from node_agent.cni.rulings import Rulings
from node_agent.proxy.health_checks import check_changes
from node_agent.proxy.node_ports import plan_changes
from tests.benchmarks.table import Table

FIRST, SECOND = "node-1", "node-2"
NODE_IP = "172.30.0.1"
CONNECTION = "new connection"  # through all three
STATIONS = (
    "gateway: choose a node",
    "first node: Service, policy, route",
    "pod's node: policy, delivery",
)
Document = dict[str, Any]
Change = tuple[Resource, Document | None, Document | None]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a cluster is, and how often something is done in it for one measurement."""

    services: int
    policies: int
    pods: int
    nodes: int
    flows: int = 2000

    def __str__(self) -> str:
        return f"{self.services:,} Services, {self.policies:,} policies, {self.pods:,} pods"


SMALL = Size(services=10, policies=1, pods=20, nodes=3)
LARGE = Size(services=10_000, policies=1000, pods=3000, nodes=100)
SMOKE = Size(services=30, policies=5, pods=30, nodes=3, flows=20)


def measure(directory: Path, rounds: int, *, smoke: bool = False) -> list[Table]:
    """The table; `directory` is not needed."""
    sizes = (SMALL, SMOKE if smoke else LARGE)
    made = {size: _work(size) for size in sizes}
    spent: dict[tuple[str, Size], list[float]] = {}
    for _ in range(rounds + 1):
        for (size, work), name in itertools.product(made.items(), made[SMALL]):
            spent.setdefault((name, size), []).append(_cpu_seconds(*work[name]))
    small, large = (f"{size.services:,} Services" for size in sizes)
    table = Table(
        "Decisions and records, CPU time of one",
        ("what", small, large, "ratio"),
        note=f"Medians of {rounds} rounds, after one that does not count, without a network. "
        f"Small: {sizes[0]}. Large: {sizes[1]}. A decision is that of a new connection whose like "
        "has been seen, with the record that traces are made of.",
    )
    middle = {name: [median(spent[name, size][1:]) for size in sizes] for name in made[SMALL]}
    middle[CONNECTION] = [sum(middle[name][at] for name in STATIONS) for at in (0, 1)]
    for name, (first, second) in sorted(middle.items(), key=lambda row: row[0] != CONNECTION):
        table.add(name, _shown(first), _shown(second), f"{second / first:.2f}")
        table.figures[f"decisions: {name}"] = second / first
    return [table]


def _shown(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} us"


def _cpu_seconds(repeat: Callable[[int], None], times: int) -> float:
    gc.collect()
    before = time.process_time()
    repeat(times)
    return (time.process_time() - before) / times


Work = dict[str, tuple[Callable[[int], None], int]]  # name -> what does it so often, how often


def _work(size: Size) -> Work:
    first, second = _view(size, FIRST, NODE_IP), _view(size, SECOND, "172.30.0.2")
    once = max(20, size.flows // 20)
    return {
        STATIONS[0]: (_gateway(size), size.flows),
        STATIONS[1]: (_front(first), size.flows),
        STATIONS[2]: (_admit(second), size.flows),
        "first node, a flow unlike all before": (_cold(first), once),
        "first node, after a change elsewhere": (_after_changes(first), once),
        "one endpoint's change, on a node": (_one_endpoint(first), once),
        "one pod's change, on a node": (_one_pod(first), once),
        "one policy's change, on a node": (_one_policy(first), once),
    }


def _rulings(node: str, view: Callable[[], NodeView]) -> Rulings:
    clock = SystemClock()
    return Rulings(node, view, Recorder(node, clock), clock, Random(1), lambda _: True)


def _gateway(size: Size) -> Callable[[int], None]:
    clock = SystemClock()
    nodes = tuple(BackendNode(f"node-{number}") for number in range(1, size.nodes + 1))
    place = Place(SocketAddress("127.65.0.1", 80), Protocol.TCP)
    plan = FrontPlan(
        place=place,
        service=("default", "s0"),
        uid="",
        port="http",
        node_port=30080,
        local_only=False,
        state=FrontState.SERVING,
        reason="",
        code=None,
        nodes=nodes,
    )
    health, clients = NodeHealth(), OutsideClients.parse()
    rulings = GatewayRulings(
        Recorder("gateway", clock), health, clients, clock, Random(1), lambda _: ""
    )

    def repeat(times: int) -> None:
        for port in range(times):
            began = clock.monotonic()
            context = rulings.opened(plan, SocketAddress("127.66.0.7", 1024 + port))
            chosen = rulings.choose(plan, {})
            assert isinstance(chosen, Chosen)
            rulings.passed(context, plan, chosen, {}, began, handed_over=True)

    return repeat


def _front(view: NodeView) -> Callable[[int], None]:
    rulings = _rulings(FIRST, lambda: view)

    def repeat(times: int) -> None:
        for port in range(times):
            rulings.rule(_opened(rulings, port))

    return repeat


def _opened(rulings: Rulings, port: int, service: int = 0) -> FlowContext:
    there = SocketAddress(_service_ip(service), 80)
    flow = Flow(Protocol.TCP, SocketAddress("10.244.1.2", 1024 + port), there)
    origin = Origin(OriginKind.POD, "default/p1", FIRST)
    return rulings.opened(origin, flow, FlowKind.TRAFFIC)


def _admit(view: NodeView) -> Callable[[int], None]:
    rulings = _rulings(SECOND, lambda: view)
    origin, there = Origin(OriginKind.POD, "default/p1", FIRST), SocketAddress("10.244.2.2", 8080)

    def repeat(times: int) -> None:
        for port in range(times):
            flow = Flow(Protocol.TCP, SocketAddress("10.244.1.2", 1024 + port), there)
            context = FlowContext(
                flow_id=f"{port:016x}",
                flow=flow,
                original=flow,
                origin=origin,
                entry=Entry.ADMIT,
                hops=3,
                sender=FIRST,
            )
            rulings.rule(context)

    return repeat


def _cold(view: NodeView) -> Callable[[int], None]:
    """Each to another address outside, so that no class is met twice."""
    rulings, numbers = _rulings(FIRST, lambda: view), itertools.count()
    origin, source = Origin(OriginKind.POD, "default/p1", FIRST), SocketAddress("10.244.1.2", 1024)

    def repeat(times: int) -> None:
        for _ in range(times):
            number = next(numbers)
            there = SocketAddress(f"10.244.2.{2 + number % 9}", 1 + number)
            flow = Flow(Protocol.TCP, source, there)
            rulings.rule(rulings.opened(origin, flow, FlowKind.TRAFFIC))

    return repeat


def _after_changes(view: NodeView) -> Callable[[int], None]:
    """A pod elsewhere changes before each flow."""
    now = [view]
    rulings = _rulings(FIRST, lambda: now[0])
    views = [
        view.with_changes([(PODS, None, _pod(7, labels={"n": str(number)}))]) for number in (1, 2)
    ]

    def repeat(times: int) -> None:
        for port in range(times):
            now[0] = views[port % 2]
            rulings.rule(_opened(rulings, port))

    return repeat


def _one_endpoint(view: NodeView) -> Callable[[int], None]:
    """The view, and what follows it: UDP flows, node ports, health checks."""
    conntrack = Conntrack()
    changes = [(ENDPOINT_SLICES, None, _slice(3, last)) for last in (200, 201)]

    def repeat(times: int) -> None:
        before = view
        for number in range(times):
            after = before.with_changes([changes[number % 2]])
            forget_stale(conntrack, before, after)
            plan_changes(before, after)
            check_changes(before, after)
            before = after

    return repeat


def _one_pod(view: NodeView) -> Callable[[int], None]:
    return _changes(view, [(PODS, None, _pod(4, labels={"n": str(number)})) for number in (1, 2)])


def _one_policy(view: NodeView) -> Callable[[int], None]:
    return _changes(view, [(NETWORK_POLICIES, None, _policy(0, port)) for port in (81, 82)])


def _changes(view: NodeView, changes: list[Change]) -> Callable[[int], None]:
    def repeat(times: int) -> None:
        now = view
        for number in range(times):
            now = now.with_changes([changes[number % len(changes)]])

    return repeat


# -- the cluster, as documents


def _view(size: Size, node: str, ip: str) -> NodeView:
    return empty_view(node, ip, NetworkSettings()).with_changes(list(_documents(size)))


def _documents(size: Size) -> Iterator[Change]:
    for number in range(1, size.nodes + 1):
        yield NODES, None, _node(number)
    for number in range(1, size.pods + 1):
        yield PODS, None, _pod(number)
    for number in range(size.services):
        yield SERVICES, None, _service(number)
        yield ENDPOINT_SLICES, None, _slice(number, 2 + number % 9)
    for number in range(size.policies):
        yield NETWORK_POLICIES, None, _policy(number)


def _meta(name: str, **more: Any) -> Document:
    return {"namespace": "default", "name": name, "uid": name, **more}


def _node(number: int) -> Document:
    address = {"type": "InternalIP", "address": f"172.30.0.{number}"}
    return {
        "metadata": {"name": f"node-{number}"},
        "spec": {"podCIDR": f"10.244.{number}.0/24"},
        "status": {"addresses": [address]},
    }


def _pod(number: int, labels: dict[str, str] | None = None) -> Document:
    node, last = 1 + (number - 1) % 3, 2 + (number - 1) // 3
    ip = f"10.244.{node + 10 * (last // 250)}.{2 + last % 250 - 2}"
    app = {"app": f"a{number % 500}", "tier": "back"}
    return {
        "metadata": _meta(f"p{number}", labels=app | (labels or {})),
        "spec": {"nodeName": f"node-{node}", "containers": [{"name": "main"}]},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]},
    }


def _service_ip(number: int) -> str:
    return f"10.96.{number // 250}.{1 + number % 250}"


def _service(number: int) -> Document:
    ip, port = _service_ip(number), {"name": "http", "port": 80, "nodePort": 30000 + number}
    kind = "NodePort" if number < 2000 else "ClusterIP"
    spec = {"type": kind, "clusterIP": ip, "clusterIPs": [ip], "ports": [port]}
    return {"metadata": _meta(f"s{number}"), "spec": spec}


def _slice(number: int, last: int) -> Document:
    return {
        "metadata": _meta(f"s{number}-1", labels={"kubernetes.io/service-name": f"s{number}"}),
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [
            {"addresses": [f"10.244.2.{last}"], "nodeName": "node-2", "conditions": {"ready": True}}
        ],
    }


def _policy(number: int, port: int = 8080) -> Document:
    """The first one selects every pod; each of the others a few of them."""
    selector = {"matchLabels": {"app": f"a{number}"} if number else {"tier": "back"}}
    peers = [{"podSelector": {"matchLabels": {"tier": "back"}}}]
    rule = {"from": peers, "ports": [{"port": port}, {"port": 8080}]}
    spec = {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": [rule]}
    return {"metadata": _meta(f"np{number}"), "spec": spec}
