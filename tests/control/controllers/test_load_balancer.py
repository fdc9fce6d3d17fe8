"""External addresses: given, kept, shared, taken back, and never pending without a word."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.objects.resources import NODES, SERVICES
from control.controllers.load_balancer import (
    FINALIZER,
    LoadBalancers,
    address_of,
    controller,
    eligible_nodes,
)
from control.controllers.settings import ControllerSettings
from control.controllers.view import Key

RANGE = "127.65.3.0/29"  # six addresses


class Cloud:
    """Services of type LoadBalancer in a simulation."""

    def __init__(self, simulation: Any, build: Any, addresses: str = RANGE) -> None:
        self.simulation, self.store, self.build = simulation, simulation.store, build
        settings = ControllerSettings(load_balancer_addresses=addresses)
        self.balancers = LoadBalancers(settings)
        self.store.create(NODES, build.node("node-1"))

    def add(self, name: str, **more: Any) -> str:
        self.store.create(SERVICES, self.build.service(name, type="LoadBalancer", **more))
        return self.look(name)

    def look(self, name: str) -> str:
        for _ in range(4):
            self.simulation.look(self.balancers.reconcile, Key(SERVICES, "default", name))
        held = self.store.objects.get(Key(SERVICES, "default", name))
        return address_of(held) if held is not None else ""

    def get(self, name: str) -> Any:
        return self.store.get(SERVICES, name, "default")

    @property
    def reasons(self) -> list[str]:
        return [event.reason for event in self.simulation.events]


@pytest.fixture
def cloud(simulation: Any, build: Any) -> Cloud:
    return Cloud(simulation, build)


def test_a_service_gets_the_lowest_free_address(cloud: Cloud) -> None:
    """S-108, S-114."""
    assert cloud.add("a") == "127.65.3.1"
    assert cloud.add("b") == "127.65.3.2"
    assert cloud.get("a")["status"]["loadBalancer"]["ingress"] == [
        {"ip": "127.65.3.1", "ipMode": "VIP"}
    ]


def test_the_finalizer_comes_before_the_address(cloud: Cloud) -> None:
    """S-109."""
    cloud.store.create(SERVICES, cloud.build.service("a", type="LoadBalancer"))
    cloud.simulation.look(cloud.balancers.reconcile, Key(SERVICES, "default", "a"))
    assert cloud.get("a")["metadata"]["finalizers"] == [FINALIZER]
    assert address_of(cloud.get("a")) == ""


def test_ensuring_is_told_by_events(cloud: Cloud) -> None:
    """S-110."""
    cloud.store.create(SERVICES, cloud.build.service("a", type="LoadBalancer"))
    key = Key(SERVICES, "default", "a")
    cloud.simulation.look(cloud.balancers.reconcile, key)
    ensuring, assignment = cloud.simulation.look(cloud.balancers.reconcile, key)
    assert ensuring.reason == "EnsuringLoadBalancer"
    assert assignment.announce.done == ("EnsuredLoadBalancer", "Ensured load balancer")


def test_an_address_that_is_held_is_kept(cloud: Cloud) -> None:
    cloud.add("a")
    version = cloud.store.version
    cloud.look("a")
    assert cloud.store.version == version


def test_a_port_that_cannot_be_served_is_told_as_long_as_it_is_there(cloud: Cloud) -> None:
    """S-123: and the Service keeps its address all the while."""
    both = [{"name": "a", "port": 80}, {"name": "b", "port": 81, "protocol": "SCTP"}]
    assert cloud.add("a", ports=both) == "127.65.3.1"
    [ingress] = cloud.get("a")["status"]["loadBalancer"]["ingress"]
    assert [each.get("error") for each in ingress["ports"]] == [
        None,
        "kubehop.dev/ProtocolNotSupported",
    ]
    version = cloud.store.version
    cloud.look("a")
    assert cloud.store.version == version
    cloud.store.patch(SERVICES, "a", {"spec": {"ports": both[:1]}}, "default")
    assert cloud.look("a") == "127.65.3.1"
    status = cloud.get("a")["status"]
    assert status["loadBalancer"]["ingress"] == [{"ip": "127.65.3.1", "ipMode": "VIP"}]
    assert [each["status"] for each in status["conditions"]] == ["False"]


def test_a_deleted_service_waits_for_the_clean_up_and_frees_its_address(cloud: Cloud) -> None:
    """S-109, S-110."""
    cloud.add("a")
    cloud.store.delete(SERVICES, "a", "default")
    assert cloud.get("a")["metadata"]["deletionTimestamp"]
    cloud.look("a")
    assert Key(SERVICES, "default", "a") not in cloud.store.objects
    assert "DeletingLoadBalancer" in cloud.reasons
    assert cloud.add("b") == "127.65.3.1"


def test_another_type_gives_the_address_back(cloud: Cloud) -> None:
    """S-124."""
    cloud.add("a")
    cloud.store.patch(SERVICES, "a", {"spec": {"type": "NodePort"}}, "default")
    cloud.look("a")
    assert cloud.get("a")["status"]["loadBalancer"] == {}
    assert not cloud.get("a")["metadata"].get("finalizers")


def test_a_class_belongs_to_another_controller_and_says_so(cloud: Cloud) -> None:
    """S-112: and it is not pending without a reason."""
    assert cloud.add("a", loadBalancerClass="example.com/other") == ""
    assert not cloud.get("a")["metadata"].get("finalizers")
    assert set(cloud.reasons) == {"LoadBalancerClassIgnored"}


def test_a_requested_address_is_given_when_it_is_free(cloud: Cloud) -> None:
    """S-113."""
    assert cloud.add("a", loadBalancerIP="127.65.3.5") == "127.65.3.5"
    assert cloud.add("b", loadBalancerIP="127.65.3.5") == "127.65.3.1"
    assert cloud.add("c", loadBalancerIP="203.0.113.9") == "127.65.3.2"


def test_an_exhausted_range_is_told_with_the_way_out(cloud: Cloud) -> None:
    """S-108, S-110: pending, and an Event says why."""
    for n in range(6):
        assert cloud.add(f"s{n}")
    assert cloud.add("late") == ""
    [event] = {e.message for e in cloud.simulation.events if e.reason == "SyncLoadBalancerFailed"}
    assert "127.65.3.0/29" in event
    assert "delete a Service" in event


def test_who_waits_is_looked_at_when_an_address_comes_free(build: Any, view: Any) -> None:
    ingress = {"loadBalancer": {"ingress": [{"ip": "127.65.3.1"}]}}
    gone = build.service("gone", type="LoadBalancer", status=ingress)
    held = view(build.service("late", type="LoadBalancer"), build.service("other")).objects
    row = controller(ControllerSettings())
    keys = [key.name for key in row.watches[SERVICES](held, gone, None)]
    assert keys == ["gone", "late"]
    assert row.workers == 1


def test_one_address_is_shared_by_services_with_different_ports(
    simulation: Any, build: Any
) -> None:
    cloud = Cloud(simulation, build, "127.0.0.1/32")
    assert cloud.add("web", ports=[{"port": 80}]) == "127.0.0.1"
    assert cloud.add("dns", ports=[{"port": 53, "protocol": "UDP"}]) == "127.0.0.1"
    assert cloud.add("tcp", ports=[{"port": 53, "protocol": "TCP"}]) == "127.0.0.1"
    assert cloud.add("twin", ports=[{"port": 80}]) == ""
    [message] = {e.message for e in simulation.events if e.reason == "SyncLoadBalancerFailed"}
    assert "same port" in message


def test_a_port_that_collides_later_is_told(simulation: Any, build: Any) -> None:
    cloud = Cloud(simulation, build, "127.0.0.1/32")
    cloud.add("web", ports=[{"port": 80}])
    cloud.add("other", ports=[{"port": 81}], metadata={"creationTimestamp": build.stamp(5)})
    cloud.store.patch(SERVICES, "other", {"spec": {"ports": [{"port": 80}]}}, "default")
    cloud.look("web")
    assert "SyncLoadBalancerFailed" not in cloud.reasons  # the older Service keeps its port
    cloud.look("other")
    assert "SyncLoadBalancerFailed" in cloud.reasons


def test_which_nodes_stand_behind_a_balancer(build: Any) -> None:
    """S-111: health checks, not readiness, decide about traffic."""
    label = "node.kubernetes.io/exclude-from-external-load-balancers"
    nodes = [
        build.node("plain"),
        build.node("unready", ready="False"),
        build.node("excluded", labels={label: ""}),
        build.node("not-really", labels={label: "false"}),
        build.node("going", taints=[{"key": "ToBeDeletedByClusterAutoscaler"}]),
    ]
    assert list(eligible_nodes(nodes)) == ["plain", "unready", "not-really"]


def test_no_eligible_node_is_a_warning(simulation: Any, build: Any) -> None:
    """S-110."""
    cloud = Cloud(simulation, build)
    cloud.store.delete(NODES, "node-1")
    assert cloud.add("a") == "127.65.3.1"
    warnings = {e.reason: e.type for e in simulation.events}
    assert warnings["UnAvailableLoadBalancer"] == "Warning"


def test_another_node_set_is_told_once(cloud: Cloud) -> None:
    """S-110."""
    cloud.add("a")
    assert "UpdatedLoadBalancer" not in cloud.reasons
    cloud.store.create(NODES, cloud.build.node("node-2"))
    cloud.look("a")
    assert cloud.reasons.count("UpdatedLoadBalancer") == 1


def test_only_a_change_of_eligibility_concerns_the_services(build: Any, view: Any) -> None:
    row = controller(ControllerSettings())
    held = view(build.service("a", type="LoadBalancer"), build.service("b")).objects
    up, down = build.node("n"), build.node("n", ready="False")
    assert list(row.watches[NODES](held, up, down)) == []
    assert [key.name for key in row.watches[NODES](held, None, up)] == ["a"]


@given(
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=40),
)
def test_no_two_services_ever_share_an_address_of_a_range(
    new_simulation: Any, build: Any, steps: list[tuple[bool, int]]
) -> None:
    cloud = Cloud(new_simulation(), build)
    for add, number in steps:
        name = f"s{number}"
        present = Key(SERVICES, "default", name) in cloud.store.objects
        if add and not present:
            cloud.add(name)
        elif not add and present:
            cloud.store.delete(SERVICES, name, "default")
            cloud.look(name)
        given_out = [ip for s in cloud.store.all(SERVICES) if (ip := address_of(s))]
        assert len(set(given_out)) == len(given_out)
        assert len(given_out) == min(6, len(given_out))
