"""`kubectl describe`: objects with what belongs to them, Events among it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

KUBECTLS = "ends"  # the words are the server's

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, labels: {app: cart}}
spec:
  replicas: 2
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      nodeSelector: {nowhere: "yes"}
      containers: [{name: web, image: "nginx:1", ports: [{containerPort: 80}]}]
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: lone, labels: {app: lone}, annotations: {note: kept}}
spec:
  nodeSelector: {nowhere: "yes"}
  containers:
  - name: web
    image: nginx:1
    ports: [{containerPort: 80, protocol: TCP}]
    env: [{name: COLOUR, value: blue}]
    readinessProbe: {httpGet: {path: /ready, port: 80}}
    resources: {limits: {cpu: 500m, memory: 64Mi}}
"""
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: only-web}
spec:
  podSelector: {matchLabels: {app: cart}}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: 80, protocol: TCP}]
"""


def fields(text: str) -> dict[str, str]:
    """The outermost `Key: value` lines."""
    found = re.findall(r"^([A-Z][^:\n]*):[ \t]*(.*)$", text, re.MULTILINE)
    return {key: value.strip() for key, value in found}


def await_event(kubectl: Any, name: str, reason: str) -> None:
    """Return once an Event about an object says so."""
    chosen = f"--field-selector=involvedObject.name={name},reason={reason}"
    with kubectl.watching("get", "events", "--watch", chosen, "--no-headers") as lines:
        assert any(reason in line for line in lines)


def test_a_pod_that_no_node_takes(kubectl: Any) -> None:
    kubectl("create", "--filename=-", stdin=POD)
    kubectl("wait", "pod/lone", "--for=condition=PodScheduled=false", "--timeout=30s")
    await_event(kubectl, "lone", "FailedScheduling")
    told = kubectl("describe", "pod", "lone")
    assert fields(told)["Name"] == "lone"
    assert fields(told)["Namespace"] == kubectl.namespace
    assert fields(told)["Status"] == "Pending"
    assert fields(told)["Labels"] == "app=lone"
    assert fields(told)["Annotations"] == "note: kept"
    assert fields(told)["Node-Selectors"] == "nowhere=yes"
    assert re.search(r"Image: +nginx:1\n", told)
    assert re.search(r"COLOUR: +blue\n", told)
    assert re.search(r"Readiness: +http-get http://:80/ready delay=0s timeout=1s period=10s", told)
    assert re.search(r"PodScheduled +False", told)
    assert re.search(r"Warning +FailedScheduling .*default-scheduler", told)


def test_a_deployment_with_its_replica_set_and_events(kubectl: Any) -> None:
    kubectl("create", "--filename=-", stdin=DEPLOYMENT)
    kubectl("wait", "deployment/cart", "--for=jsonpath={.status.replicas}=2", "--timeout=30s")
    await_event(kubectl, "cart", "ScalingReplicaSet")
    told = kubectl("describe", "deployment", "cart")
    found = fields(told)
    assert found["Selector"] == "app=cart"
    assert found["Replicas"] == "2 desired | 2 updated | 2 total | 0 available | 2 unavailable"
    assert found["StrategyType"] == "RollingUpdate"
    assert found["RollingUpdateStrategy"] == "25% max unavailable, 25% max surge"
    assert re.fullmatch(r"cart-\w+ \(2/2 replicas created\)", found["NewReplicaSet"])
    assert re.search(r"Available +False +MinimumReplicasUnavailable", told)
    assert re.search(r"Normal +ScalingReplicaSet .*Scaled up replica set", told)


def test_a_service_with_its_endpoints(kubectl: Any) -> None:
    """Endpoints are read from Endpoints by older clients, from EndpointSlices by newer ones."""
    service = {
        "metadata": {"name": "cart"},
        "spec": {"type": "NodePort", "ports": [{"name": "http", "port": 80}]},
    }
    root = f"/api/v1/namespaces/{kubectl.namespace}"
    kubectl.control.ask("POST", f"{root}/services", service)
    subsets = [{"addresses": [{"ip": "10.244.1.2"}], "ports": [{"name": "http", "port": 80}]}]
    metadata = {"name": "cart", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}
    kubectl.control.ask("POST", f"{root}/endpoints", {"metadata": metadata, "subsets": subsets})
    slice_ = {
        "metadata": {"name": "cart-1", "labels": {"kubernetes.io/service-name": "cart"}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
        "endpoints": [{"addresses": ["10.244.1.2"], "conditions": {"ready": True}}],
    }
    path = f"/apis/discovery.k8s.io/v1/namespaces/{kubectl.namespace}/endpointslices"
    kubectl.control.ask("POST", path, slice_)
    told = kubectl("describe", "service", "cart")
    found = fields(told)
    assert found["Type"] == "NodePort"
    assert found["Selector"] == "<none>"
    assert re.fullmatch(r"10\.96\.\d+\.\d+", found["IP"])
    assert found["Port"] == "http  80/TCP"
    assert re.fullmatch(r"http  3\d{4}/TCP", found["NodePort"])
    assert found["Endpoints"] == "10.244.1.2:80"
    assert found["Session Affinity"] == "None"


def test_a_config_map_with_its_data(kubectl: Any) -> None:
    manifest = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, '
    kubectl("create", "--filename=-", stdin=manifest + '"data": {"colour": "blue"}}')
    told = kubectl("describe", "configmap", "settings")
    assert "colour:\n----\nblue\n" in told
    assert "Events:  <none>" in told


def test_a_network_policy_in_words(kubectl: Any) -> None:
    kubectl("create", "--filename=-", stdin=POLICY)
    told = kubectl("describe", "networkpolicy", "only-web")
    assert re.search(r"PodSelector: +app=cart\n", told)
    assert re.search(r"To Port: 80/TCP\n +From:\n +PodSelector: app=web\n", told)
    assert "Not affecting egress traffic" in told
    assert "Policy Types: Ingress" in told


def test_a_namespace_and_a_service_account(kubectl: Any) -> None:
    told = fields(kubectl("describe", "namespace", kubectl.namespace))
    assert (told["Name"], told["Status"]) == (kubectl.namespace, "Active")
    kubectl("wait", "serviceaccount/default", "--for=jsonpath={.metadata.name}=default")
    account = fields(kubectl("describe", "serviceaccount", "default"))
    assert account["Name"] == "default"


@pytest.fixture
def node(kubectl: Any) -> Iterator[str]:
    """A node that takes no pods: other tests' would wait there for a kubelet for ever."""
    name = f"node-{kubectl.namespace}"
    document = {
        "metadata": {"name": name, "labels": {"node-role.kubernetes.io/spare": ""}},
        "spec": {"unschedulable": True, "podCIDR": "10.244.9.0/24"},
    }
    kubectl.control.ask("POST", "/api/v1/nodes", document)
    status = {
        "capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"},
        "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
        "addresses": [{"type": "InternalIP", "address": "172.30.0.9"}],
        "nodeInfo": {"kubeletVersion": "v1.37.0", "osImage": "linux"},
    }
    kubectl.control.ask(
        "PATCH",
        f"/api/v1/nodes/{name}/status",
        {"status": status},
        **{"Content-Type": "application/merge-patch+json"},
    )
    lease = {"metadata": {"name": name}, "spec": {"holderIdentity": name}}
    leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    kubectl.control.ask("POST", leases, lease)
    yield name
    kubectl.control.ask("DELETE", f"/api/v1/nodes/{name}")


def test_a_node_with_its_lease_and_pods(kubectl: Any, node: str) -> None:
    pod = {
        "metadata": {"name": "here"},
        "spec": {
            "nodeName": node,
            "containers": [
                {"name": "web", "image": "nginx", "resources": {"requests": {"cpu": "500m"}}}
            ],
        },
    }
    kubectl.control.ask("POST", f"/api/v1/namespaces/{kubectl.namespace}/pods", pod)
    told = kubectl("describe", "node", node)
    found = fields(told)
    assert found["Roles"] == "spare"
    assert found["Unschedulable"] == "true"
    assert found["PodCIDR"] == "10.244.9.0/24"
    assert re.search(r"InternalIP: +172\.30\.0\.9\n", told)
    assert re.search(rf"HolderIdentity: +{node}\n", told)
    assert re.search(r"Non-terminated Pods: +\(1 in total\)", told)
    assert re.search(rf"{kubectl.namespace} +here +500m \(12%\)", told)


def test_nodes_are_shown_with_status_and_roles(kubectl: Any, node: str) -> None:
    [row] = kubectl("get", "node", node, "--no-headers", "--output=wide").splitlines()
    name, status, roles, _, version, *addresses = row.split()
    assert (name, roles, version) == (node, "spare", "v1.37.0")
    assert status.endswith("SchedulingDisabled")
    assert addresses[:3] == ["172.30.0.9", "<none>", "linux"]


def test_what_is_not_there_cannot_be_described(kubectl: Any) -> None:
    told = kubectl.fails("describe", "pod", "nobody")
    assert told == 'Error from server (NotFound): pods "nobody" not found\n'
