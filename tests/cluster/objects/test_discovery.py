from typing import Any

from cluster.objects.discovery import Endpoint, SlicePort, parse_endpoint_slice
from cluster.wire.addresses import Protocol


def endpoint(**document: Any) -> Endpoint:
    parsed = parse_endpoint_slice(
        {"metadata": {"name": "a"}, "endpoints": [{"addresses": ["10.244.1.2"], **document}]}
    )
    return parsed.endpoints[0]


def test_nil_conditions_are_ready_serving_and_not_terminating() -> None:
    """S-55."""
    for conditions in ({}, {"ready": None, "serving": None, "terminating": None}):
        read = endpoint(conditions=conditions)
        assert (read.ready, read.serving, read.terminating) == (True, True, False)


def test_given_conditions_count() -> None:
    read = endpoint(conditions={"ready": False, "serving": False, "terminating": True})
    assert (read.ready, read.serving, read.terminating) == (False, False, True)


def test_only_the_first_address_of_an_endpoint_is_used() -> None:
    """S-56."""
    assert endpoint(addresses=["10.244.1.9", "10.244.1.2"]).ip == "10.244.1.9"


def test_slices_of_names_and_ports_without_a_number_are_ignored() -> None:
    """S-56."""
    names = parse_endpoint_slice(
        {"metadata": {}, "addressType": "FQDN", "endpoints": [{"addresses": ["a.example"]}]}
    )
    assert names.endpoints == ()
    ports = [{"name": "a", "port": None}, {"name": "b", "port": 53, "protocol": "UDP"}]
    read = parse_endpoint_slice({"metadata": {}, "ports": ports})
    assert read.ports == (SlicePort("b", Protocol.UDP, 53),)


def test_a_slice_without_the_label_belongs_to_no_service() -> None:
    """S-14."""
    assert parse_endpoint_slice({"metadata": {"name": "cart-abcde"}}).service == ""
    labels = {"kubernetes.io/service-name": "cart"}
    assert parse_endpoint_slice({"metadata": {"labels": labels}}).service == "cart"


def test_hints_and_the_pod_behind_an_endpoint_are_read() -> None:
    """S-75."""
    read = endpoint(
        nodeName="node-1",
        zone="a",
        hints={"forZones": [{"name": "a"}], "forNodes": [{"name": "node-1"}]},
        targetRef={"kind": "Pod", "namespace": "shop", "name": "cart-1"},
    )
    assert read.zone_hints == {"a"} and read.node_hints == {"node-1"}
    assert (read.node, read.zone, read.pod) == ("node-1", "a", ("shop", "cart-1"))
    assert endpoint(targetRef={"kind": "Node", "name": "x"}).pod is None
