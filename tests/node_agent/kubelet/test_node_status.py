"""Registration, heartbeats, and the pod range."""

import asyncio

import pytest

from cluster.objects.resources import LEASES, NODES
from node_agent.kubelet.node_status import NodeStatus, machine_facts


@pytest.fixture
async def node(api, clock, tasks, node_facts):
    made = NodeStatus(api, node_facts, clock)
    tasks.start(made.run(), name="node status")
    await clock.advance(0)
    return made


def ready(api):
    conditions = api.find(NODES, "node-1")["status"]["conditions"]
    return next(each["status"] for each in conditions if each["type"] == "Ready")


def lease(api):
    return api.find(LEASES, "node-1", "kube-node-lease")


async def test_a_new_node_registers_and_has_a_lease_at_once(node, api):
    """P-66."""
    assert api.find(NODES, "node-1")["metadata"]["annotations"]["kubehop.dev/tunnel"]
    assert lease(api)["spec"]["holderIdentity"] == "node-1"


async def test_the_node_is_ready_when_its_network_is(node, api, clock):
    """P-26."""
    assert ready(api) == "False"
    node.network_ready()
    await clock.advance(0)
    assert ready(api) == "True"


async def test_the_pod_range_comes_from_the_api_whenever_it_is_there(node, field):
    """P-18."""
    waiting = asyncio.create_task(node.pod_cidr())
    await field.turns()
    assert not waiting.done()
    other = {"metadata": {"name": "node-2"}, "spec": {"podCIDR": "10.244.9.0/24"}}
    node.node_changed(None, other)
    mine = {"metadata": {"name": "node-1"}, "spec": {"podCIDR": "10.244.1.0/24"}}
    node.node_changed(None, mine)
    assert await waiting == "10.244.1.0/24"


async def test_the_lease_is_renewed_every_ten_seconds(node, api, clock):
    """P-66."""
    before = lease(api)["spec"]["renewTime"]
    await clock.advance(9)
    assert lease(api)["spec"]["renewTime"] == before
    await clock.advance(2)
    assert lease(api)["spec"]["renewTime"] > before


async def test_the_status_is_posted_every_five_minutes(node, api, clock):
    """P-66."""
    node.network_ready()
    await clock.advance(0)

    def posts():
        return sum(kind == "nodes" for kind, _, _ in api.patches)

    count = posts()
    await clock.advance(299)
    assert posts() == count
    await clock.advance(2)
    assert posts() == count + 1


async def test_the_lease_goes_on_when_the_api_was_away(node, api, clock):
    before = lease(api)["spec"]["renewTime"]
    api.failing = OSError("no API")
    await clock.advance(30)
    assert lease(api)["spec"]["renewTime"] == before
    api.failing = None
    await clock.advance(6)
    assert lease(api)["spec"]["renewTime"] > before


async def test_a_node_that_was_written_off_reports_itself_again(node, api, clock):
    """P-67, P-74."""
    node.network_ready()
    await clock.advance(0)
    document = api.find(NODES, "node-1")
    conditions = [{"type": "Ready", "status": "Unknown", "lastTransitionTime": "x"}]
    written = api.put(NODES, {**document, "status": {"conditions": conditions}})
    node.node_changed(document, written)
    await clock.advance(0)
    assert ready(api) == "True"


async def test_a_deleted_node_registers_again(node, api, clock):
    node.network_ready()
    await clock.advance(0)
    document = api.objects.pop(("nodes", "", "node-1"))
    node.node_changed(document, None)
    await clock.advance(0)
    assert ready(api) == "True"


async def test_an_agent_that_restarts_takes_its_node_over_without_a_moment_of_not_ready(
    api, clock, tasks, node_facts
):
    """A flap would take its pods out of every Service."""
    conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": "x"}]
    api.put(
        NODES,
        {
            "metadata": {"name": "node-1", "uid": "n1"},
            "spec": {"podCIDR": "10.244.1.0/24"},
            "status": {"conditions": conditions},
        },
    )
    node = NodeStatus(api, node_facts, clock)
    tasks.start(node.run(), name="node status")
    assert await node.pod_cidr() == "10.244.1.0/24"
    await clock.advance(1)
    assert ready(api) == "True"
    assert api.find(NODES, "node-1")["metadata"]["annotations"]["kubehop.dev/tunnel"]


def test_the_machine_is_described():
    facts = machine_facts()
    assert facts["cpus"] >= 1
    assert facts["memory_bytes"] > 0
    assert facts["disk_bytes"] > 0


async def test_a_deleted_node_registers_again_though_the_watch_has_not_told(node, api, clock):
    node.network_ready()
    await clock.advance(0)
    del api.objects[("nodes", "", "node-1")]
    await clock.advance(301)
    assert ready(api) == "True"


@pytest.mark.parametrize("scale", [1.0, 0.01])
async def test_after_an_outage_the_lease_is_renewed_well_within_the_grace_period(
    api, tasks, node_facts, field, scale
):
    """P-66, P-67: the controller's patience is 50 s, scaled as the Lease's period is."""
    clock = field.ManualClock(scale)
    node = NodeStatus(api, node_facts, clock)
    tasks.start(node.run(), name="node status")
    await clock.advance(0)
    before = lease(api)["spec"]["renewTime"]
    api.failing = OSError("no API")
    await clock.advance(60 * scale)
    api.failing = None
    await clock.advance(11 * scale)
    assert lease(api)["spec"]["renewTime"] > before
