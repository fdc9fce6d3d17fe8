import pytest

from cluster.objects.core import (
    ContainerPort,
    Service,
    TrafficPolicy,
    canonical_ip,
    parse_namespace,
    parse_node,
    parse_pod,
    parse_service,
)
from cluster.wire.addresses import Protocol


def service(status: object = None, **spec: object) -> Service:
    spec = {"clusterIP": "10.96.0.5", "ports": [{"port": 80}], **spec}
    return parse_service({"metadata": {"name": "a"}, "spec": spec, "status": status or {}})


def test_a_bare_service_means_what_the_api_would_default() -> None:
    """S-1, S-2, S-5, S-6."""
    bare = service()
    assert bare.type == "ClusterIP"
    assert bare.ports[0].protocol is Protocol.TCP and bare.ports[0].name == ""
    assert bare.internal_policy is bare.external_policy is TrafficPolicy.CLUSTER
    assert bare.affinity_seconds is None


def test_client_affinity_lasts_three_hours_unless_told() -> None:
    """S-4."""
    assert service(sessionAffinity="ClientIP").affinity_seconds == 10800
    config = {"clientIP": {"timeoutSeconds": 7}}
    short = service(sessionAffinity="ClientIP", sessionAffinityConfig=config)
    assert short.affinity_seconds == 7


def test_headless_and_external_name_have_no_virtual_address() -> None:
    """S-9, S-10."""
    assert service(clusterIP="None").cluster_ips == ()
    assert service(clusterIP="None", clusterIPs=["None"]).cluster_ips == ()
    assert service(type="ExternalName").cluster_ips == ()


def test_nodes_capture_balancer_addresses_of_mode_vip_only() -> None:
    """S-114: Proxy and hostname-only ingress are left to the balancer."""
    ingress = [
        {"ip": "127.65.0.1"},
        {"ip": "127.65.0.2", "ipMode": "VIP"},
        {"ip": "127.65.0.3", "ipMode": "Proxy"},
        {"hostname": "lb.example"},
    ]
    status = {"loadBalancer": {"ingress": ingress}}
    assert service(status, type="LoadBalancer").load_balancer_ips == ("127.65.0.1", "127.65.0.2")
    assert service(status, type="NodePort").load_balancer_ips == ()


def test_a_pods_named_ports_include_its_sidecars_but_not_its_init_containers() -> None:
    """S-18."""
    pod = parse_pod(
        {
            "metadata": {"name": "a", "namespace": "b"},
            "spec": {
                "containers": [{"ports": [{"name": "web", "containerPort": 80}]}],
                "initContainers": [
                    {"ports": [{"name": "early", "containerPort": 1}]},
                    {
                        "restartPolicy": "Always",
                        "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}],
                    },
                ],
            },
        }
    )
    assert pod.ports == (
        ContainerPort("web", Protocol.TCP, 80),
        ContainerPort("dns", Protocol.UDP, 53),
    )


@pytest.mark.parametrize(
    ("status", "ips"),
    [
        ({}, ()),
        ({"podIP": "10.244.1.2"}, ("10.244.1.2",)),
        ({"podIP": "10.244.1.2", "podIPs": [{"ip": "10.244.1.2"}, {"ip": "FD00::2"}]},
         ("10.244.1.2", "fd00::2")),
    ],
)  # fmt: skip
def test_a_pod_has_the_addresses_of_its_status(
    status: dict[str, object], ips: tuple[str, ...]
) -> None:
    """P-12, N-26."""
    assert parse_pod({"metadata": {"name": "a"}, "status": status}).ips == ips


@pytest.mark.parametrize(
    ("phase", "terminal"),
    [("Pending", False), ("Running", False), ("Succeeded", True), ("Failed", True)],
)
def test_a_finished_pod_is_terminal(phase: str, terminal: bool) -> None:
    """P-16, N-25."""
    assert parse_pod({"metadata": {}, "status": {"phase": phase}}).terminal is terminal


def test_readiness_is_the_ready_condition() -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    unknown = {"conditions": [{"type": "Ready", "status": "Unknown"}]}
    assert parse_pod({"metadata": {}, "status": ready}).ready
    assert not parse_pod({"metadata": {}, "status": unknown}).ready
    assert parse_node({"metadata": {}, "status": ready}).ready


def test_a_node_has_addresses_ranges_zone_and_annotations() -> None:
    node = parse_node(
        {
            "metadata": {
                "name": "node-2",
                "labels": {"topology.kubernetes.io/zone": "b"},
                "annotations": {"kubehop.dev/tunnel": "127.64.0.2:7000"},
            },
            "spec": {"podCIDR": "10.244.2.0/24"},
            "status": {
                "addresses": [
                    {"type": "Hostname", "address": "node-2"},
                    {"type": "ExternalIP", "address": "127.64.0.2"},
                    {"type": "InternalIP", "address": "172.30.0.2"},
                ]
            },
        }
    )
    assert node.internal_ip == "172.30.0.2"
    assert set(node.addresses) == {"172.30.0.2", "127.64.0.2"}
    assert [cidr.text for cidr in node.pod_cidrs] == ["10.244.2.0/24"]
    assert node.zone == "b"
    assert node.annotation("kubehop.dev/tunnel") == "127.64.0.2:7000"
    assert node.annotation("kubehop.dev/other") == ""


def test_a_node_that_reported_nothing_yet_has_no_address() -> None:
    assert parse_node({"metadata": {"name": "node-1"}}).internal_ip == ""


def test_a_namespace_always_bears_its_name() -> None:
    """N-40: immutable, so a label that says otherwise does not count."""
    labels = {"kubernetes.io/metadata.name": "forged", "team": "a"}
    namespace = parse_namespace({"metadata": {"name": "shop", "labels": labels}})
    assert namespace.labels == {"kubernetes.io/metadata.name": "shop", "team": "a"}


def test_an_address_has_one_spelling() -> None:
    assert canonical_ip("2001:DB8:0::1") == "2001:db8::1"
    with pytest.raises(ValueError, match=r"010\.1\.1\.1"):
        canonical_ip("010.1.1.1")
