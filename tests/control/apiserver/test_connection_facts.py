"""What nodes are told of an object reads the same to decisions as the object itself."""

from typing import Any

import pytest

from cluster.dns.zone_objects import parse_dns_endpoints, parse_dns_service
from cluster.objects.core import parse_namespace, parse_node, parse_pod, parse_service
from cluster.objects.discovery import parse_endpoint_slice
from cluster.objects.networking import parse_network_policy
from cluster.objects.resources import (
    ENDPOINT_SLICES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)
from control.apiserver.connection_facts import connection_facts

META = {
    "namespace": "shop",
    "name": "cart",
    "uid": "u-1",
    "labels": {"app": "cart", "kubernetes.io/service-name": "cart"},
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "deletionTimestamp": "2026-01-02T00:00:00Z",
    "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}],
}
POD = {
    "metadata": {
        **META,
        "annotations": {"kubehop.dev/a": "1", "else.where/b": "2"},
        "ownerReferences": [
            {"kind": "Set", "name": "other", "uid": "u-2"},
            {"kind": "ReplicaSet", "name": "cart-1", "uid": "u-3", "controller": True},
        ],
    },
    "spec": {
        "nodeName": "node-1",
        "hostNetwork": True,
        "containers": [
            {
                "name": "main",
                "image": "shop/cart",
                "env": [{"name": "A", "value": "b"}],
                "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            },
            {"name": "silent", "image": "pause"},
        ],
        "initContainers": [
            {"name": "sidecar", "restartPolicy": "Always", "ports": [{"containerPort": 9}]}
        ],
    },
    "status": {
        "phase": "Running",
        "podIP": "10.244.0.2",
        "podIPs": [{"ip": "10.244.0.2"}],
        "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:01Z"},
            {"type": "PodScheduled", "status": "True"},
        ],
        "containerStatuses": [{"name": "main", "ready": True}],
    },
}
SLICE = {
    "metadata": META,
    "addressType": "IPv4",
    "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    "endpoints": [
        {
            "addresses": ["10.244.0.2"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "hostname": "cart-0",
            "nodeName": "node-1",
            "zone": "a",
            "hints": {"forZones": [{"name": "a"}], "forNodes": [{"name": "node-1"}]},
            "targetRef": {"kind": "Pod", "namespace": "shop", "name": "cart", "uid": "u-1"},
        },
        {"addresses": ["10.244.0.3"]},
    ],
}
SERVICE = {
    "metadata": {**META, "annotations": {"kubehop.dev/real-addresses": "{}"}},
    "spec": {
        "type": "LoadBalancer",
        "clusterIP": "10.96.0.7",
        "clusterIPs": ["10.96.0.7"],
        "selector": {"app": "cart"},
        "ports": [{"name": "http", "port": 80, "nodePort": 30080, "targetPort": "http"}],
        "externalTrafficPolicy": "Local",
        "sessionAffinity": "ClientIP",
    },
    "status": {"loadBalancer": {"ingress": [{"ip": "127.65.0.1", "ipMode": "VIP"}]}},
}
NODE = {
    "metadata": {
        **META,
        "annotations": {"kubehop.dev/tunnel": "127.64.0.1:4000"},
        "labels": {"topology.kubernetes.io/zone": "a"},
    },
    "spec": {"podCIDR": "10.244.0.0/24", "podCIDRs": ["10.244.0.0/24"], "taints": []},
    "status": {
        "addresses": [{"type": "InternalIP", "address": "172.30.0.1"}],
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "MemoryPressure"}],
        "images": [{"names": ["a"]}],
    },
}
POLICY = {
    "metadata": META,
    "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": []}]},
}
CASES: list[tuple[Resource, Any, Any]] = [
    (ENDPOINT_SLICES, SLICE, parse_endpoint_slice),
    (ENDPOINT_SLICES, SLICE, parse_dns_endpoints),
    (SERVICES, SERVICE, parse_service),
    (SERVICES, SERVICE, parse_dns_service),
    (NODES, NODE, parse_node),
    (NETWORK_POLICIES, POLICY, parse_network_policy),
    (NAMESPACES, {"metadata": META}, parse_namespace),
]


@pytest.mark.parametrize(("resource", "document", "parse"), CASES)
def test_decisions_read_the_same(resource: Resource, document: Any, parse: Any) -> None:
    facts = connection_facts(resource, document)
    assert facts is not None and parse(facts) == parse(document)
    assert "managedFields" not in facts["metadata"]


def test_of_a_pod_only_foreign_annotations_are_missing() -> None:
    meta = {**POD["metadata"], "annotations": {"kubehop.dev/a": "1"}}  # type: ignore[dict-item]
    facts = connection_facts(PODS, POD)
    assert facts is not None and parse_pod(facts) == parse_pod({**POD, "metadata": meta})
    assert "containerStatuses" not in facts["status"] and "env" not in str(facts)


def test_a_pod_without_an_address_is_no_fact_yet() -> None:
    assert connection_facts(PODS, {**POD, "status": {"phase": "Pending"}}) is None
    assert connection_facts(PODS, {"metadata": META, "spec": {}}) is None
