"""Policies, Secrets, namespaces, nodes: the little that each has of its own."""

from typing import Any

import pytest

from control.resources.strategies.cluster import CLUSTER_ROLE_BINDING, NAMESPACE, NODE
from control.resources.strategies.configuration import SECRET
from control.resources.strategies.networking import NETWORK_POLICY


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        ({}, ["Ingress"]),
        ({"egress": []}, ["Ingress"]),
        ({"egress": [{}]}, ["Ingress", "Egress"]),
        ({"egress": [{}], "policyTypes": ["Egress"]}, ["Egress"]),
    ],
)
def test_a_policy_is_for_ingress_and_for_egress_if_it_has_rules(
    spec: dict[str, Any], types: list[str]
) -> None:
    """N-2, N-3."""
    made = NETWORK_POLICY.defaults({"spec": spec})["spec"]
    assert made["policyTypes"] == types
    assert made["podSelector"] == {}


def test_plain_text_becomes_a_secrets_data() -> None:
    secret = {"data": {"a": "b2xk", "b": "a2VwdA=="}, "stringData": {"a": "new"}}
    assert SECRET.defaults(secret) == {"data": {"a": "bmV3", "b": "a2VwdA=="}}
    assert SECRET.defaults({"stringData": {}}) == {}


def test_a_namespace_can_be_selected_by_name_whatever_its_labels() -> None:
    """N-40."""
    labels = {"kubernetes.io/metadata.name": "other", "a": "b"}
    made = NAMESPACE.defaults({"metadata": {"name": "shop", "labels": labels}})
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "shop", "a": "b"}


def test_who_asks_for_a_security_standard_is_told_that_nobody_enforces_it() -> None:
    label = "pod-security.kubernetes.io/enforce"
    metadata = {"name": "shop", "labels": {"team": "a", label: "restricted"}}
    words = f"metadata.labels[{label}]: stored, but kubehop does not act on it"
    assert list(NAMESPACE.warnings({"metadata": metadata})) == [words]


def test_a_namespace_is_held_until_it_is_empty() -> None:
    assert NAMESPACE.created({"metadata": {}})["spec"] == {"finalizers": ["kubernetes"]}
    kept = NAMESPACE.updated({"spec": {"finalizers": []}}, {"spec": {"finalizers": ["kubernetes"]}})
    assert kept["spec"] == {"finalizers": ["kubernetes"]}


def test_a_node_registers_with_its_status() -> None:
    assert NODE.status is not None
    assert NODE.status({"status": {"capacity": {"pods": "9"}}}) == {"capacity": {"pods": "9"}}


def test_one_range_of_a_node_fills_the_other() -> None:
    """P-18."""
    one = NODE.defaults({"spec": {"podCIDR": "10.244.1.0/24"}})["spec"]
    many = NODE.defaults({"spec": {"podCIDRs": ["10.244.1.0/24"]}})["spec"]
    assert one == many == {"podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24"]}


def test_users_and_groups_of_a_binding_are_rbac_s_own() -> None:
    subjects = [{"kind": "User", "name": "ada"}, {"kind": "ServiceAccount", "name": "a"}]
    made = CLUSTER_ROLE_BINDING.defaults({"subjects": subjects})
    user, account = made["subjects"]
    assert user == {"kind": "User", "name": "ada", "apiGroup": "rbac.authorization.k8s.io"}
    assert account == subjects[1]
    assert CLUSTER_ROLE_BINDING.defaults({}) == {}
