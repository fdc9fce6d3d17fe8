"""What pods take of the nodes, change by change."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster.objects.resources import PODS, REPLICA_SETS
from control.controllers.view import Key, key_of
from control.scheduler.framework import NodeState
from control.scheduler.occupancy import Occupancy

PORTS = [{"name": "main", "ports": [{"containerPort": 80, "hostPort": 8080}]}]


def test_a_pod_counts_on_its_node_alone(build: Any) -> None:
    occupancy = Occupancy()
    pod = build.pod("a", containers=PORTS)
    occupancy.put(key_of(PODS, pod), pod, "node-1")
    states = occupancy.states([build.node("node-1"), build.node("node-2")])
    assert [states[name].pods for name in ("node-1", "node-2")] == [1, 0]
    assert states["node-1"].host_ports == {("0.0.0.0", "TCP", 8080)}


def test_what_a_pass_takes_stays_in_the_pass(build: Any) -> None:
    occupancy, nodes = Occupancy(), [build.node("node-1")]
    occupancy.put(Key(PODS, "default", "a"), build.pod("a"), "node-1")
    occupancy.states(nodes)["node-1"].take(build.pod("b", containers=PORTS))
    state = occupancy.states(nodes)["node-1"]
    assert (state.pods, state.host_ports) == (1, set())


def test_a_pod_is_removed_once(build: Any) -> None:
    occupancy = Occupancy()
    key = Key(PODS, "default", "a")
    occupancy.put(key, build.pod("a", containers=PORTS), "node-1")
    assert occupancy.remove(key)
    assert not occupancy.remove(key)
    node = build.node("node-1")
    assert occupancy.states([node]) == {"node-1": NodeState(node)}


@given(
    changes=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["", "n1", "n2"]), st.integers(0, 2)),
        max_size=40,
    )
)
def test_any_order_of_changes_is_as_counting_what_is_left(
    build: Any, changes: list[tuple[int, str, int]]
) -> None:
    owners = [build.owner(REPLICA_SETS, build.replica_set(f"o{number}")) for number in range(3)]
    nodes = [build.node("n1"), build.node("n2")]
    occupancy = Occupancy()
    left: dict[int, tuple[str, Any]] = {}
    for number, node, family in changes:
        pod = build.pod(f"p{number}", owner=owners[family], containers=PORTS if family else ())
        key = Key(PODS, "default", f"p{number}")
        if node:
            occupancy.put(key, pod, node)
            left[number] = node, pod
        else:
            occupancy.remove(key)
            left.pop(number, None)
    counted = {node["metadata"]["name"]: NodeState(node) for node in nodes}
    for node, pod in left.values():
        counted[node].take(pod)
    assert occupancy.states(nodes) == counted
