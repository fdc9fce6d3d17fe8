"""What kubectl learns of the API itself: versions, resources, documentation, health."""

import json
from typing import Any

GROUPS = {"v1", "apps/v1", "discovery.k8s.io/v1", "networking.k8s.io/v1", "events.k8s.io/v1"}


def test_version_tells_client_and_server(kubectl: Any) -> None:
    told = json.loads(kubectl("version", "--output=json"))
    assert told["clientVersion"]["minor"].startswith(str(kubectl.minor))
    server = told["serverVersion"]
    assert server["gitVersion"].startswith(f"v{server['major']}.{server['minor']}.")


def test_api_versions_lists_every_group(kubectl: Any) -> None:
    versions = kubectl("api-versions").split()
    assert set(versions) >= {*GROUPS, "coordination.k8s.io/v1"}
    assert versions == sorted(versions)


def test_api_resources_shows_names_scope_and_kind(kubectl: Any) -> None:
    header, *rows = (line.split() for line in kubectl("api-resources").splitlines())
    assert header == ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    for row in (
        ["pods", "po", "v1", "true", "Pod"],
        ["services", "svc", "v1", "true", "Service"],
        ["nodes", "no", "v1", "false", "Node"],
        ["deployments", "deploy", "apps/v1", "true", "Deployment"],
        ["endpointslices", "discovery.k8s.io/v1", "true", "EndpointSlice"],
        ["networkpolicies", "netpol", "networking.k8s.io/v1", "true", "NetworkPolicy"],
        ["leases", "coordination.k8s.io/v1", "true", "Lease"],
    ):
        assert row in rows


def test_api_resources_can_be_chosen(kubectl: Any) -> None:
    cluster_wide = kubectl("api-resources", "--namespaced=false", "--output=name").split()
    assert {"nodes", "namespaces", "persistentvolumes"} <= set(cluster_wide)
    assert "pods" not in cluster_wide
    apps = kubectl("api-resources", "--api-group=apps", "--output=name").split()
    assert {"deployments.apps", "replicasets.apps"} <= set(apps)
    assert all(each.endswith(".apps") for each in apps)
    deletable = kubectl("api-resources", "--verbs=list,delete", "--output=name").split()
    assert "pods" in deletable


def test_cluster_info_says_where_the_control_plane_is(kubectl: Any) -> None:
    told = kubectl("cluster-info")
    assert f"https://{kubectl.control.bind}" in told
    assert "control plane" in told


def test_explain_documents_kinds_and_fields(kubectl: Any) -> None:
    pod = kubectl("explain", "pod")
    assert "KIND:       Pod" in pod
    assert "spec" in pod
    replicas = kubectl("explain", "deployment.spec.replicas")
    assert "FIELD: replicas <integer>" in replicas
    assert "GROUP:      apps" in replicas
    policy = kubectl("explain", "networkpolicy", "--recursive")
    assert "podSelector" in policy
    assert "ipBlock" in policy
    assert "does not exist" in kubectl.fails("explain", "pod.spec.nothing")


def test_raw_paths_are_read_as_they_are(kubectl: Any) -> None:
    for path in ("/healthz", "/livez", "/readyz"):
        assert kubectl("get", "--raw", path) == "ok"
    paths = json.loads(kubectl("get", "--raw", "/"))["paths"]
    assert {"/api/v1", "/apis/apps/v1", "/version"} <= set(paths)
    assert "NotFound" in kubectl.fails("get", "--raw", "/nothing/here")


def test_a_resource_that_is_not_served_is_unknown(kubectl: Any) -> None:
    words = 'error: the server doesn\'t have a resource type "gateways"'
    assert kubectl.fails("get", "gateways").splitlines()[-1] == words


def test_nobody_without_credentials_is_answered(kubectl: Any) -> None:
    """The kubeconfig's certificate authority is trusted; its user is left out."""
    config = json.loads(kubectl.control.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": "wrong"}
    anonymous = kubectl.home / "anonymous"
    anonymous.write_text(json.dumps(config))
    told = kubectl.fails("get", "pods", f"--kubeconfig={anonymous}")
    assert "Unauthorized" in told or "must be logged in" in told
