"""Who gets which cluster IP and node port; what is refused; what goes back."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import PoolExhausted
from control.resources.causes import Cause
from control.resources.service_addresses import Rejected, ServiceAddresses

Port = dict[str, Any]


def lowest(count: int) -> int:
    return 0


def addresses(cidr: str = "10.96.0.0/16") -> ServiceAddresses:
    return ServiceAddresses(cidr, lowest)


def service(name: str = "web", kind: str = "ClusterIP", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"type": kind, "ports": [port(80)], **spec},
    }


def port(number: int, **more: Any) -> Port:
    return {"port": number, "protocol": "TCP", **more}


def node_ports(document: Any) -> list[Any]:
    return [each.get("nodePort") for each in document["spec"]["ports"]]


def refused(held: ServiceAddresses, document: dict[str, Any]) -> Cause:
    with pytest.raises(Rejected) as caught:
        held.admit_create(document)
    (cause,) = caught.value.causes
    assert cause.field in str(caught.value)
    return cause


def test_an_address_is_drawn_above_the_band_for_explicit_use() -> None:
    """S-33."""
    spec = addresses().admit_create(service())["spec"]
    assert spec["clusterIP"] == "10.96.1.1"  # behind the first 256
    assert spec["clusterIPs"] == ["10.96.1.1"]
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")
    assert node_ports({"spec": spec}) == [None]


def test_neither_network_nor_broadcast_address_is_given_out() -> None:
    """S-33, S-35: of a /29 there are six, the first of them the API's."""
    held = addresses("10.96.0.0/29")
    drawn = [held.admit_create(service(f"s{n}"))["spec"]["clusterIP"] for n in range(5)]
    assert drawn == [f"10.96.0.{n}" for n in range(2, 7)]
    with pytest.raises(PoolExhausted, match="failed to allocate a serviceIP: range is full"):
        held.admit_create(service("more"))


def test_an_address_is_given_on_request() -> None:
    spec = addresses().admit_create(service(clusterIP="10.96.0.10"))["spec"]
    assert spec["clusterIPs"] == ["10.96.0.10"]


def test_an_address_in_use_is_refused() -> None:
    """S-34."""
    held = addresses()
    held.admit_create(service(clusterIP="10.96.0.10"))
    cause = refused(held, service("other", clusterIP="10.96.0.10"))
    assert cause.field == "spec.clusterIPs"
    assert cause.message == (
        'Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: '
        "provided IP is already allocated"
    )


@pytest.mark.parametrize("ip", ["10.97.0.1", "10.96.0.0", "10.96.255.255", "fd00::1"])
def test_an_address_outside_the_range_is_refused(ip: str) -> None:
    """S-33, S-35."""
    assert refused(addresses(), service(clusterIP=ip)).message.endswith(
        f"failed to allocate IP {ip}: the provided IP ({ip}) is not in the valid range. "
        "The range of valid IPs is 10.96.0.0/16"
    )


def test_the_first_address_is_the_api_services_alone() -> None:
    """S-21."""
    held = addresses()
    assert "already allocated" in refused(held, service(clusterIP="10.96.0.1")).message
    own = service(clusterIP="10.96.0.1")
    own["metadata"] = {"namespace": "default", "name": "kubernetes"}
    stored = held.admit_create(own)
    assert stored["spec"]["clusterIP"] == "10.96.0.1"
    assert held.admit_update(stored, stored) == stored
    held.release(stored)
    assert "already allocated" in refused(held, service(clusterIP="10.96.0.1")).message


def test_headless_and_external_services_get_no_address() -> None:
    """S-9, S-10."""
    headless = addresses().admit_create(service(clusterIP="None", selector={"a": "b"}))["spec"]
    assert (headless["clusterIP"], headless["clusterIPs"]) == ("None", ["None"])
    external = service(kind="ExternalName", externalName="example.com")
    assert addresses().admit_create(external) == external


def test_node_ports_are_drawn_above_the_band_for_explicit_use() -> None:
    """S-8, S-26."""
    held = addresses()
    spec = service(kind="NodePort", ports=[port(80, name="a"), port(81, name="b")])
    stored = held.admit_create(spec)
    assert node_ports(stored) == [30086, 30087]
    assert stored["spec"]["clusterIP"]


def test_a_node_port_outside_the_range_is_refused() -> None:
    """S-24."""
    cause = refused(addresses(), service(kind="NodePort", ports=[port(80, nodePort=80)]))
    assert (cause.field, cause.message) == (
        "spec.ports[0].nodePort",
        "Invalid value: 80: provided port is not in the valid range. "
        "The range of valid ports is 30000-32767",
    )


def test_a_node_port_in_use_is_refused() -> None:
    """S-25."""
    held = addresses()
    held.admit_create(service(kind="NodePort", ports=[port(80, nodePort=30080)]))
    cause = refused(held, service("other", kind="NodePort", ports=[port(80, nodePort=30080)]))
    assert (cause.field, cause.message) == (
        "spec.ports[0].nodePort",
        "Invalid value: 30080: provided port is already allocated",
    )


def test_the_same_port_over_two_protocols_shares_its_node_port() -> None:
    """S-28, S-29."""
    both = [port(53, name="udp"), port(53, name="tcp"), port(54, name="other")]
    drawn = node_ports(addresses().admit_create(service(kind="NodePort", ports=both)))
    assert drawn[0] == drawn[1] != drawn[2]
    named = [port(53, nodePort=30053), port(53, nodePort=30053)]
    asked = addresses().admit_create(service(kind="NodePort", ports=named))
    assert node_ports(asked) == [30053, 30053]
    one = [port(53), port(53, nodePort=30053)]
    assert node_ports(addresses().admit_create(service(kind="NodePort", ports=one))) == [30053] * 2


def test_one_node_port_does_not_stand_for_two_ports() -> None:
    """S-29."""
    ports = [port(53, nodePort=30053), port(54, nodePort=30053)]
    cause = refused(addresses(), service(kind="NodePort", ports=ports))
    assert (cause.field, cause.message) == (
        "spec.ports[1].nodePort",
        "Invalid value: 30053: provided port is already allocated",
    )


def test_node_ports_run_out() -> None:
    """S-26, S-27: the lower band is drawn from when the upper is full."""
    held = addresses()
    many = [port(number) for number in range(1, 2769)]
    drawn = node_ports(held.admit_create(service(kind="NodePort", ports=many)))
    assert drawn[-1] == 30085
    assert len(set(drawn)) == 2768
    with pytest.raises(PoolExhausted, match="failed to allocate a nodePort: range is full"):
        held.admit_create(service("other", kind="NodePort"))


def test_a_balanced_service_can_do_without_node_ports() -> None:
    """S-42."""
    spec: dict[str, Any] = {
        "allocateLoadBalancerNodePorts": False,
        "ports": [port(80), port(81, nodePort=30081)],
    }
    stored = addresses().admit_create(service(kind="LoadBalancer", **spec))
    assert node_ports(stored) == [None, 30081]


def test_a_health_check_port_comes_with_the_local_policy_and_goes_with_it() -> None:
    """S-43."""
    held = addresses()
    local = {"externalTrafficPolicy": "Local", "allocateLoadBalancerNodePorts": False}
    stored = held.admit_create(service(kind="LoadBalancer", **local))
    drawn = stored["spec"]["healthCheckNodePort"]
    assert drawn == 30086
    spec = {**stored["spec"], "externalTrafficPolicy": "Cluster"}
    del spec["healthCheckNodePort"]
    held.admit_update({**stored, "spec": spec}, stored)
    other = held.admit_create(service("o", kind="LoadBalancer", healthCheckNodePort=drawn, **local))
    assert other["spec"]["healthCheckNodePort"] == drawn


def test_an_update_keeps_what_it_has() -> None:
    held = addresses()
    stored = held.admit_create(service(kind="NodePort"))
    assert held.admit_update(stored, stored) == stored


def test_what_an_update_gives_up_is_free_at_once() -> None:
    """S-30, S-37."""
    held = addresses()
    stored = held.admit_create(service(kind="NodePort", ports=[port(80, nodePort=30080)]))
    ip = stored["spec"]["clusterIP"]
    external = service(kind="ExternalName", externalName="example.com")
    held.admit_update(external, stored)
    again = service("other", kind="NodePort", clusterIP=ip, ports=[port(80, nodePort=30080)])
    assert held.admit_create(again)["spec"]["clusterIP"] == ip


def test_a_deleted_services_addresses_are_free() -> None:
    """S-30."""
    held = addresses()
    stored = held.admit_create(service(kind="NodePort", ports=[port(80, nodePort=30080)]))
    held.release(stored)
    assert held.admit_create(stored) == stored


def test_a_dry_run_tells_and_keeps_nothing() -> None:
    """S-41."""
    held = addresses()
    tried = held.admit_create(service(kind="NodePort"), dry_run=True)
    assert tried["spec"]["clusterIP"]
    assert held.admit_create(tried) == tried
    moved = service(kind="NodePort", ports=[port(80, nodePort=31000)])
    moved["spec"]["clusterIP"] = tried["spec"]["clusterIP"]
    held.admit_update(moved, tried, dry_run=True)
    taken = node_ports(tried)[0]
    cause = refused(held, service("o", kind="NodePort", ports=[port(80, nodePort=taken)]))
    assert "already allocated" in cause.message


def test_what_is_refused_keeps_nothing() -> None:
    """S-41: the address and the first node port of a refused Service are free."""
    held = addresses()
    ports = [port(80, nodePort=30080), port(81, nodePort=1)]
    refused(held, service(kind="NodePort", clusterIP="10.96.0.20", ports=ports))
    good = service(kind="NodePort", clusterIP="10.96.0.20", ports=[port(80, nodePort=30080)])
    held.admit_create(good)


def test_what_this_cluster_cannot_give_is_refused() -> None:
    """S-45."""
    cause = refused(addresses(), service(ipFamilyPolicy="RequireDualStack"))
    assert cause.field == "spec.ipFamilyPolicy"


def test_stored_services_have_their_addresses_after_a_start() -> None:
    first = addresses()
    stored = [
        first.admit_create(service("a", kind="NodePort")),
        first.admit_create(service("b", clusterIP="10.96.0.10")),
    ]
    second = addresses()
    assert second.restore(stored) == []
    assert "already allocated" in refused(second, service("c", clusterIP="10.96.0.10")).message
    assert second.restore([]) == []  # and forgets, when the store took them back
    second.admit_create(service("c", clusterIP="10.96.0.10"))


def test_stored_services_that_contradict_each_other_are_named() -> None:
    twice = [
        service("a", kind="NodePort", clusterIP="10.96.0.10", ports=[port(80, nodePort=30080)]),
        service("b", kind="NodePort", clusterIP="10.96.0.10", ports=[port(80, nodePort=30080)]),
        service("c", clusterIP="10.99.0.1"),
        service("d", clusterIP="10.96.0.1"),
    ]
    assert addresses().restore(twice) == [
        "shop/b: 10.96.0.10 is not free",
        "shop/b: node port 30080 is not free",
        "shop/c: 10.99.0.1 is not free",
        "shop/d: 10.96.0.1 is not free",
    ]


def test_a_range_of_ipv6_is_served_too() -> None:
    spec = addresses("fd00:10::/108").admit_create(service())["spec"]
    assert spec["ipFamilies"] == ["IPv6"]
    assert spec["clusterIP"].startswith("fd00:10::")


KINDS = st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])
STEPS = st.lists(st.tuples(st.integers(0, 4), st.none() | KINDS, st.booleans()), max_size=30)


@given(STEPS, st.integers())
def test_no_two_services_ever_share_an_address(
    steps: list[tuple[int, str | None, bool]], seed: int
) -> None:
    """Whatever is created, changed, tried out and deleted, in whatever order."""
    held = ServiceAddresses("10.96.0.0/28", random.Random(seed).randrange)
    stored: dict[str, dict[str, Any]] = {}
    for number, kind, dry_run in steps:
        name = f"s{number}"
        old = stored.get(name)
        if kind is None:
            if old is not None:
                held.release(stored.pop(name))
            continue
        new = service(name, kind=kind)
        if old is None:
            admitted = held.admit_create(new, dry_run=dry_run)
        else:
            admitted = held.admit_update(new, old, dry_run=dry_run)
        if not dry_run:
            stored[name] = admitted
    ips = [each["spec"].get("clusterIP") for each in stored.values()]
    taken = [ip for ip in ips if ip]
    ports = [each for document in stored.values() for each in node_ports(document) if each]
    assert len(set(taken)) == len(taken)
    assert len(set(ports)) == len(ports)
    assert ServiceAddresses("10.96.0.0/28", lowest).restore(stored.values()) == []
    for document in stored.values():
        held.release(document)
    free = [held.admit_create(service(f"n{n}"))["spec"]["clusterIP"] for n in range(13)]
    assert len(set(free)) == 13  # nothing leaked: all but the API's own
