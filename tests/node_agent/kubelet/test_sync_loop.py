"""Pods assigned against pods running."""

import asyncio

from cluster.objects.resources import PODS


async def test_pods_of_other_nodes_are_none_of_ours(kubelet, field):
    elsewhere = field.pod(nodeName="node-2")
    unbound = field.pod()
    del unbound["spec"]["nodeName"]
    kubelet.pods.pod_changed(None, elsewhere)
    kubelet.pods.pod_changed(None, unbound)
    assert len(kubelet.pods) == 0


async def test_a_pod_begins_when_it_is_bound(kubelet, api, field):
    unbound = field.pod()
    del unbound["spec"]["nodeName"]
    kubelet.pods.pod_changed(None, unbound)
    kubelet.pods.pod_changed(unbound, api.put(PODS, field.pod()))
    assert [worker.uid for worker in kubelet.pods] == ["uid-web"]


async def test_pods_wait_for_the_nodes_network(kubelet, api, network, field):
    """P-26."""
    kubelet.pods._ready = False
    kubelet.pods.pod_changed(None, api.put(PODS, field.pod()))
    await field.turns()
    assert network.attached == {}
    kubelet.pods.network_ready()
    await field.until(lambda: "uid-web" in network.attached)


async def test_a_pod_is_found_by_its_name(kubelet, api, field):
    kubelet.pods.pod_changed(None, api.put(PODS, field.pod()))
    assert kubelet.pods.find("shop", "web").uid == "uid-web"
    assert kubelet.pods.find("bank", "web") is None


async def test_a_worker_that_fails_is_started_again(
    kubelet, api, network, clock, field, monkeypatch, caplog
):
    network.failures = [LookupError("a bug")]
    kubelet.pods.pod_changed(None, api.put(PODS, field.pod()))
    await clock.advance(0)
    assert "pod worker failed" in caplog.text
    await clock.advance(1)
    await field.until(lambda: "uid-web" in network.attached)


async def test_pods_that_had_an_address_start_before_new_ones(kubelet, api, network, field):
    """P-8: a pod that was made while the agent was down must not be given theirs."""
    kubelet.pods._ready = False
    new = api.put(PODS, field.pod("a-new-one"))
    old = api.put(PODS, {**field.pod("old"), "status": {"podIP": "10.244.1.5"}})
    for pod in (new, old):
        kubelet.pods.pod_changed(None, pod)
    kubelet.pods.network_ready()
    await field.until(lambda: len(network.attached) == 2)
    assert list(network.attached) == ["uid-old", "uid-a-new-one"]
    assert network.attached["uid-old"].ip == "10.244.1.5"


async def test_pods_of_one_list_are_sorted_so_when_the_network_is_ready_before(
    kubelet, api, network, field
):
    """P-8: the list may come after the network."""
    kubelet.pods.pod_changed(None, api.put(PODS, field.pod("a-new-one")))
    old = {**field.pod("old"), "status": {"podIP": "10.244.1.5"}}
    kubelet.pods.pod_changed(None, api.put(PODS, old))
    await field.until(lambda: len(network.attached) == 2)
    assert list(network.attached) == ["uid-old", "uid-a-new-one"]


async def test_a_pod_that_is_gone_before_the_network_is_ready_never_runs(
    kubelet, api, network, field
):
    kubelet.pods._ready = False
    pod = api.put(PODS, field.pod())
    kubelet.pods.pod_changed(None, pod)
    kubelet.pods.pod_changed(pod, None)
    kubelet.pods.network_ready()
    await field.until(lambda: len(kubelet.pods) == 0)
    assert network.attached == {}


async def test_the_api_is_told_of_pods_that_another_agent_left_before_anybody_relies_on_them(
    kubelet, api, network, field
):
    """P-43: what the API calls ready has ended with the agent before."""
    kubelet.pods._ready = False
    network.failures = [OSError("no network yet")]
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    kubelet.pods.pod_changed(None, api.put(PODS, {**field.pod(), "status": ready}))
    telling = asyncio.ensure_future(kubelet.pods.told())
    await field.turns()
    assert not telling.done(), "nobody has looked at the pod yet"
    kubelet.pods.network_ready()
    await field.until(telling.done)
    (shown,) = (await api.list(PODS)).items
    conditions = {each["type"]: each["status"] for each in shown["status"]["conditions"]}
    assert conditions["Ready"] == "False"


async def test_a_pod_whose_work_is_over_has_nothing_to_tell(kubelet, api, field):
    kubelet.pods.pod_changed(None, api.put(PODS, {**field.pod(), "status": {"phase": "Failed"}}))
    await asyncio.wait_for(kubelet.pods.told(), 10)
