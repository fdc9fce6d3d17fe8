"""NetworkPolicies, Ingresses and addresses."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from control.resources.columns import networking
from control.resources.kinds import find_kind
from control.resources.schema import element_schema
from control.resources.walk import prune

Make = Callable[..., dict[str, Any]]


def test_a_network_policy_shows_whom_it_isolates(now: datetime, document: Make) -> None:
    chosen = document("deny", spec={"podSelector": {"matchLabels": {"app": "cart"}}})
    assert networking.NETWORK_POLICIES.row(chosen, now) == ["deny", "app=cart", "5m"]
    everything = document("deny", spec={"podSelector": {}})
    assert networking.NETWORK_POLICIES.row(everything, now)[1] == "<none>"


def test_a_network_policy_has_no_status() -> None:
    """N-9: nowhere to write one, and none is kept."""
    kind = find_kind("networking.k8s.io", "v1", "networkpolicies")
    schema = element_schema(kind) if kind else None
    assert kind is not None and schema is not None and kind.subresources == ()
    kept, unknown = prune(schema, {"kind": "NetworkPolicy", "status": {"conditions": []}})
    assert (kept, unknown) == ({"kind": "NetworkPolicy"}, ["status"])
    names = [column.name for column in networking.NETWORK_POLICIES.columns]
    assert names == ["Name", "Pod-Selector", "Age"]


@pytest.mark.parametrize(
    ("hosts", "shown"),
    [
        ([], "*"),
        ([""], "*"),
        (["a.example", "", "b.example"], "a.example,b.example"),
        (["a", "b", "c", "d", ""], "a,b,c + 2 more..."),
    ],
)
def test_an_ingress_shows_its_first_hosts(
    now: datetime, document: Make, hosts: list[str], shown: str
) -> None:
    spec = {"rules": [{"host": each} if each else {} for each in hosts]}
    assert networking.INGRESSES.row(document(spec=spec), now)[2] == shown


def test_the_row_of_an_ingress_with_tls(now: datetime, document: Make) -> None:
    spec = {"ingressClassName": "nginx", "tls": [{"hosts": ["a.example"]}]}
    status = {"loadBalancer": {"ingress": [{"ip": "127.65.0.1"}]}}
    made = document("shop", spec=spec, status=status)
    assert networking.INGRESSES.row(made, now) == [
        "shop",
        "nginx",
        "*",
        "127.65.0.1",
        "80, 443",
        "5m",
    ]
    assert networking.INGRESSES.row(document("shop"), now)[1:5] == ["<none>", "*", "", "80"]


def test_the_row_of_an_ingress_class(now: datetime, document: Make) -> None:
    parameters = {"apiGroup": "example.com", "kind": "Settings", "name": "fast"}
    made = document("nginx", spec={"controller": "example.com/ingress", "parameters": parameters})
    told = ["nginx", "example.com/ingress", "Settings.example.com/fast", "5m"]
    assert networking.INGRESS_CLASSES.row(made, now) == told
    assert networking.INGRESS_CLASSES.row(document("nginx"), now)[1:3] == ["", "<none>"]


def test_addresses_and_ranges(now: datetime, document: Make) -> None:
    parent = {"resource": "services", "namespace": "default", "name": "kubernetes"}
    made = document("10.96.0.1", spec={"parentRef": parent})
    assert networking.IP_ADDRESSES.row(made, now) == ["10.96.0.1", "services/default/kubernetes"]
    ranges = document("all", spec={"cidrs": ["10.96.0.0/16", "fd00::/112"]})
    assert networking.SERVICE_CIDRS.row(ranges, now) == ["all", "10.96.0.0/16,fd00::/112", "5m"]
