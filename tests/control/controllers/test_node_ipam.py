"""Each node gets its share of the pod range."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.objects.resources import NODES
from control.controllers.node_ipam import NodeIpam, controller
from control.controllers.settings import ControllerSettings
from control.controllers.view import Key
from control.controllers.writes import EmitEvent

SETTINGS = ControllerSettings()


def assign(simulation: Any, name: str, settings: ControllerSettings = SETTINGS) -> list[Any]:
    return list(simulation.look(NodeIpam(settings).reconcile, Key(NODES, "", name)))


def test_a_node_gets_the_share_of_its_number(simulation: Any, build: Any) -> None:
    """P-18: node 172.30.0.7 reads as 10.244.7.0/24."""
    simulation.store.create(NODES, build.node("node-7", internal_ip="172.30.0.7"))
    assign(simulation, "node-7")
    spec = simulation.store.get(NODES, "node-7")["spec"]
    assert spec == {"podCIDR": "10.244.7.0/24", "podCIDRs": ["10.244.7.0/24"]}


def test_a_node_of_another_range_gets_the_lowest_free_share(simulation: Any, build: Any) -> None:
    simulation.store.create(NODES, build.node("node-1", internal_ip="172.30.0.1"))
    assign(simulation, "node-1")
    simulation.store.create(NODES, build.node("far", internal_ip="192.0.2.1"))
    assign(simulation, "far")
    assert simulation.store.get(NODES, "far")["spec"]["podCIDR"] == "10.244.2.0/24"


def test_a_share_that_is_taken_is_not_given_twice(simulation: Any, build: Any) -> None:
    """P-18."""
    simulation.store.create(NODES, build.node("far"))
    assign(simulation, "far")
    simulation.store.create(NODES, build.node("node-1", internal_ip="172.30.0.1"))
    assign(simulation, "node-1")
    assert simulation.store.get(NODES, "node-1")["spec"]["podCIDR"] == "10.244.2.0/24"


def test_a_share_is_given_once_and_for_good(simulation: Any, build: Any) -> None:
    """P-19."""
    simulation.store.create(NODES, build.node("node-1", podCIDR="10.244.9.0/24"))
    assert assign(simulation, "node-1") == []


def test_a_deleted_nodes_share_is_free_again(simulation: Any, build: Any) -> None:
    """P-19."""
    small = ControllerSettings(pod_cidr="10.244.0.0/23")
    for name in ("a", "b"):
        simulation.store.create(NODES, build.node(name))
        assign(simulation, name, small)
    simulation.store.create(NODES, build.node("c"))
    [event] = assign(simulation, "c", small)
    assert isinstance(event, EmitEvent)
    simulation.store.delete(NODES, "a")
    assign(simulation, "c", small)
    assert simulation.store.get(NODES, "c")["spec"]["podCIDR"] == "10.244.1.0/24"


def test_an_exhausted_range_is_told_by_an_event(simulation: Any, build: Any) -> None:
    """P-20."""
    full = ControllerSettings(pod_cidr="10.244.0.0/24")
    simulation.store.create(NODES, build.node("a", podCIDRs=["10.244.0.0/24"]))
    simulation.store.create(NODES, build.node("b"))
    [event] = assign(simulation, "b", full)
    assert event.reason == "CIDRNotAvailable"


def test_when_a_node_goes_those_that_wait_are_looked_at(build: Any, view: Any) -> None:
    """P-20."""
    row = controller(SETTINGS)
    waiting, served = build.node("waiting"), build.node("served", podCIDR="10.244.1.0/24")
    held = view(waiting, served).objects
    gone = build.node("gone", podCIDR="10.244.2.0/24")
    assert list(row.watches[NODES](held, gone, None)) == [Key(NODES, "", "waiting")]
    assert row.workers == 1  # two nodes must not draw at once


@pytest.mark.parametrize(
    ("mask", "share"), [(24, "10.244.3.0/24"), (26, "10.244.0.192/26"), (20, "10.244.48.0/20")]
)
def test_the_mask_is_a_setting(simulation: Any, build: Any, mask: int, share: str) -> None:
    """P-18."""
    simulation.store.create(NODES, build.node("n", internal_ip="172.30.0.3"))
    assign(simulation, "n", ControllerSettings(node_mask=mask))
    assert simulation.store.get(NODES, "n")["spec"]["podCIDR"] == share


@pytest.mark.parametrize(
    ("held", "share"),
    [
        (["10.244.0.0/16"], None),
        (["10.244.0.0/17"], "10.244.128.0/25"),
        (["10.244.0.192/26", "10.99.0.0/16"], "10.244.1.0/25"),
    ],
)
def test_shares_of_another_size_are_not_given_again(
    simulation: Any, build: Any, held: list[str], share: str | None
) -> None:
    """P-18, P-19: those of a store from before the setting was changed."""
    for index, each in enumerate(held):
        simulation.store.create(NODES, build.node(f"held-{index}", podCIDRs=[each]))
    simulation.store.create(NODES, build.node("n", internal_ip="172.30.0.1"))
    assign(simulation, "n", ControllerSettings(node_mask=25))
    assert simulation.store.get(NODES, "n")["spec"].get("podCIDR") == share


@given(numbers=st.lists(st.integers(0, 300), max_size=40))
def test_no_two_nodes_share_a_range(new_simulation: Any, build: Any, numbers: list[int]) -> None:
    """P-18, whatever their addresses."""
    simulation = new_simulation()
    for index, number in enumerate(numbers):
        address = f"172.30.{number // 256}.{number % 256}"
        simulation.store.create(NODES, build.node(f"n{index}", internal_ip=address))
        assign(simulation, f"n{index}")
    shares = [node["spec"]["podCIDR"] for node in simulation.store.all(NODES)]
    assert len(set(shares)) == len(numbers)
