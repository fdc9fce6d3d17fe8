"""The kubelet as the agent's composition root uses it."""

from cluster.objects.resources import NODES, PODS
from node_agent.kubelet.kubelet import Kubelet
from node_agent.kubelet.pod_files import NodeFiles


async def test_from_registration_to_a_running_pod(
    api, network, clock, tasks, node_facts, field, tmp_path
):
    """P-13: the node registers, learns its range, becomes Ready, and runs what was bound."""
    kubelet = Kubelet(
        api=api,
        network=network,
        clock=clock,
        tasks=tasks,
        facts=node_facts,
        files=NodeFiles(tmp_path, "node-1"),
    )
    undo = kubelet.start()
    try:
        kubelet.pods.pod_changed(None, api.put(PODS, field.pod()))
        await clock.advance(0)
        assert network.attached == {}
        node = api.find(NODES, "node-1")
        given = api.put(NODES, {**node, "spec": {"podCIDR": "10.244.1.0/24"}})
        kubelet.node.node_changed(node, given)
        assert await kubelet.node.pod_cidr() == "10.244.1.0/24"
        kubelet.network_ready()
        await clock.advance(0)
        pod = api.find(PODS, "web", "shop")
        assert pod["status"]["phase"] == "Running"
        assert pod["status"]["hostIP"] == "172.30.0.1"
    finally:
        await tasks.close()
        undo()
