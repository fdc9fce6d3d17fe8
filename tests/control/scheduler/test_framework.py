"""Filter, score, pick."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster.objects.resources import REPLICA_SETS
from control.scheduler.framework import (
    NodeState,
    Placed,
    Profile,
    Unschedulable,
    family_of,
    host_ports,
    place,
    queue_order,
    schedule,
    unschedulable_message,
)
from control.scheduler.plugins import DEFAULT_PROFILE


def pending(build: Any, name: str, **more: Any) -> Any:
    return build.pod(name, node=None, ready=None, phase="Pending", **more)


def snapshot(nodes: list[Any], bound: Any) -> dict[str, NodeState]:
    states = {node["metadata"]["name"]: NodeState(node) for node in nodes}
    for pod in bound:
        states[pod["spec"]["nodeName"]].take(pod)
    return states


def placements(build: Any, pods: list[Any], nodes: list[Any], bound: Any = ()) -> dict[str, str]:
    states = snapshot(nodes, bound)
    made = schedule(pods, states, DEFAULT_PROFILE)
    return {p.pod["metadata"]["name"]: p.node for p in made if isinstance(p, Placed)}


def test_a_controllers_pods_spread_over_the_nodes(build: Any) -> None:
    web = build.owner(REPLICA_SETS, build.replica_set("web"))
    pods = [pending(build, f"p{n}", owner=web) for n in range(6)]
    nodes = [build.node(f"node-{n}") for n in (1, 2, 3)]
    made = list(placements(build, pods, nodes).values())
    assert [made.count(f"node-{n}") for n in (1, 2, 3)] == [2, 2, 2]


def test_the_family_counts_before_the_crowd(build: Any) -> None:
    """A node full of others is better than one with a sibling."""
    web = build.owner(REPLICA_SETS, build.replica_set("web"))
    bound = [build.pod(f"x{n}", node="node-1", labels={"x": str(n)}) for n in range(5)]
    bound.append(build.pod("sibling", node="node-2", owner=web))
    nodes = [build.node("node-1"), build.node("node-2")]
    assert placements(build, [pending(build, "new", owner=web)], nodes, bound) == {"new": "node-1"}


def test_of_equal_nodes_the_first_by_name_is_taken(build: Any) -> None:
    nodes = [build.node(name) for name in ("c", "a", "b")]
    assert placements(build, [pending(build, "p")], nodes) == {"p": "a"}


def test_a_pass_sees_what_it_placed_itself(build: Any) -> None:
    """P-32, within one batch."""
    ports = [{"name": "main", "ports": [{"containerPort": 80, "hostPort": 80}]}]
    pods = [pending(build, name, containers=ports) for name in ("a", "b")]
    states = snapshot([build.node("node-1")], [])
    first, second = schedule(pods, states, DEFAULT_PROFILE)
    assert first == Placed(pods[0], "node-1")
    assert isinstance(second, Unschedulable)


def test_the_message_counts_nodes_by_reason(build: Any) -> None:
    """P-32: in the words of the real scheduler."""
    nodes = [build.node("a"), build.node("b", unschedulable=True), build.node("c", ready="False")]
    pod = pending(build, "p", spec={"nodeSelector": {"disk": "ssd"}})
    verdict = place(pod, snapshot(nodes, []), DEFAULT_PROFILE)
    assert isinstance(verdict, Unschedulable)
    assert verdict.message == (
        "0/3 nodes are available: "
        "1 node(s) didn't match Pod's node affinity/selector, "
        "1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }, "
        "1 node(s) were unschedulable."
    )


def test_without_nodes_there_is_a_shorter_message() -> None:
    assert unschedulable_message(0, {}) == "no nodes available to schedule pods"


def test_important_and_old_pods_come_first(build: Any) -> None:
    late = pending(build, "late", creationTimestamp=build.stamp(9))
    early = pending(build, "early", creationTimestamp=build.stamp(1))
    urgent = pending(build, "urgent", spec={"priority": 10}, creationTimestamp=build.stamp(9))
    order = sorted([late, early, urgent], key=queue_order)
    assert [pod["metadata"]["name"] for pod in order] == ["urgent", "early", "late"]


def test_pods_without_controller_are_kin_by_their_labels(build: Any) -> None:
    one, two = build.pod("a", labels={"x": "y"}), build.pod("b", labels={"x": "y"})
    assert family_of(one) == family_of(two)
    assert family_of(one) != family_of(build.pod("c", labels={"x": "z"}))


def test_host_ports_are_triples(build: Any) -> None:
    """P-28, P-29, P-31: on the host network every declared port is one."""
    containers = [
        {
            "name": "main",
            "ports": [
                {"containerPort": 80, "hostPort": 8080, "hostIP": "127.0.0.1"},
                {"containerPort": 53, "hostPort": 53, "protocol": "UDP"},
                {"containerPort": 90},
            ],
        }
    ]
    assert host_ports(build.pod("a", containers=containers)) == {
        ("127.0.0.1", "TCP", 8080),
        ("0.0.0.0", "UDP", 53),
    }
    shared = build.pod("b", containers=containers, spec={"hostNetwork": True})
    assert ("0.0.0.0", "TCP", 90) in host_ports(shared)


@given(pods=st.integers(0, 60), nodes=st.integers(1, 7))
def test_a_batch_is_spread_as_evenly_as_it_can_be(build: Any, pods: int, nodes: int) -> None:
    web = build.owner(REPLICA_SETS, build.replica_set("web"))
    batch = [pending(build, f"p{n:02}", owner=web) for n in range(pods)]
    made = placements(build, batch, [build.node(f"node-{n}") for n in range(nodes)])
    counts = [list(made.values()).count(f"node-{n}") for n in range(nodes)]
    assert sum(counts) == pods
    assert max(counts) - min(counts) <= 1


def test_rules_are_a_table(build: Any) -> None:
    """Another rule is a function and a row."""
    never = Profile(filters=(lambda pod, state: "node(s) were asleep",), scores=())
    verdict = place(pending(build, "p"), snapshot([build.node("a")], []), never)
    assert isinstance(verdict, Unschedulable)
    assert verdict.message == "0/1 nodes are available: 1 node(s) were asleep."


@given(data=st.data())
def test_nodes_looked_at_once_a_pass_are_chosen_as_if_each_pod_saw_all(
    build: Any, data: st.DataObject
) -> None:
    """P-28 to P-32, P-68, P-76: the heap against the whole list, whatever pods ask for."""
    node = st.fixed_dictionaries(
        {"ready": st.sampled_from(["True", "False"]), "unschedulable": st.booleans()}
    )
    nodes = [
        build.node(f"node-{index}", **each)
        for index, each in enumerate(data.draw(st.lists(node, min_size=1, max_size=5)))
    ]
    for each in nodes:
        each["status"]["allocatable"] = {"pods": str(data.draw(st.integers(1, 4)))}
    pods = [
        pending(build, f"p{index}", labels={"app": app}, containers=containers_with(port))
        for index, (app, port) in enumerate(
            data.draw(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2)), max_size=12))
        )
    ]
    one_by_one = replace(DEFAULT_PROFILE, lasting=False)
    expected = schedule(pods, snapshot(nodes, []), one_by_one)
    assert schedule(pods, snapshot(nodes, []), DEFAULT_PROFILE) == expected


def containers_with(port: int) -> list[Any]:
    return [{"name": "main", "ports": [{"containerPort": 80, "hostPort": port}] if port else []}]
