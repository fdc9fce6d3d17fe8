"""A node as it describes itself."""

from node_agent.kubelet.node_document import lease_document, node_document, status

NOW = 1_800_000_000.0


def test_labels_and_annotations(node_facts):
    meta = node_document(node_facts, NOW)["metadata"]
    assert meta["labels"] == {
        "kubernetes.io/hostname": "node-1",
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": "zone-a",
        "disk": "ssd",
    }
    assert meta["annotations"] == {
        "kubehop.dev/tunnel": "127.64.0.1:4789",
        "kubehop.dev/kubelet": "unix:/run/node-1.sock",
        "kubehop.dev/address": "127.64.0.1",
    }


def test_addresses_capacity_and_endpoints(node_facts):
    """P-25: the InternalIP is emulated, the ExternalIP can be dialled."""
    found = node_document(node_facts, NOW)["status"]
    assert found["addresses"] == [
        {"type": "InternalIP", "address": "172.30.0.1"},
        {"type": "ExternalIP", "address": "127.64.0.1"},
        {"type": "Hostname", "address": "node-1"},
    ]
    assert found["capacity"]["cpu"] == "2"
    assert found["capacity"]["memory"] == "1048576Ki"
    assert found["capacity"]["ephemeral-storage"] == "16777216Ki"
    assert found["allocatable"]["pods"] == "110"
    assert found["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 10250}}


def ready(document):
    return next(each for each in document["conditions"] if each["type"] == "Ready")


def test_without_a_network_the_node_is_not_ready(node_facts):
    """P-26."""
    condition = ready(status(node_facts, network_ready=False, now=NOW, before={}))
    assert condition["status"] == "False"
    assert (
        "NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: "
        "cni plugin not initialized" in condition["message"]
    )


def test_transition_times_stay_while_a_condition_does_and_heartbeats_move(node_facts):
    first = status(node_facts, network_ready=True, now=NOW, before={})
    second = status(node_facts, network_ready=True, now=NOW + 300, before=first)
    assert ready(second)["lastTransitionTime"] == "2027-01-15T08:00:00Z"
    assert ready(second)["lastHeartbeatTime"] == "2027-01-15T08:05:00Z"


def test_the_lease_belongs_to_the_node():
    """P-66."""
    lease = lease_document("node-1", "n1", NOW)
    assert lease["metadata"]["namespace"] == "kube-node-lease"
    assert lease["metadata"]["ownerReferences"][0]["uid"] == "n1"
    assert lease["spec"] == {
        "holderIdentity": "node-1",
        "leaseDurationSeconds": 40,
        "renewTime": "2027-01-15T08:00:00.000000Z",
    }
