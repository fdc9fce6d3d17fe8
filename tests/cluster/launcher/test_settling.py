"""Every reason why a cluster is not settled."""

from typing import Any

import pytest

from cluster.launcher.settling import unsettled


def reasons(**listed: Any) -> list[str]:
    kinds = ("nodes", "deployments", "replica_sets", "pods", "services", "slices")
    return unsettled(**{**{kind: [] for kind in kinds}, **listed})


def ready(value: str = "True") -> list[dict[str, str]]:
    return [{"type": "Ready", "status": value}]


def node(name: str, is_ready: str = "True") -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"conditions": ready(is_ready)}}


def deployment(*, spec: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "cart", "namespace": "shop", "generation": 2},
        "spec": {"replicas": 2, **(spec or {})},
        "status": status,
    }


def pod(name: str = "cart-1", ip: str = "10.244.1.2", **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "cart"}},
        "status": {"phase": "Running", "podIP": ip, "conditions": ready(), **status},
    }


def service(**spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "cart", "namespace": "shop"},
        "spec": {"selector": {"app": "cart"}, **spec},
    }


def slice_of(*addresses: str, is_ready: bool | None = True) -> dict[str, Any]:
    conditions = {} if is_ready is None else {"ready": is_ready}
    return {
        "metadata": {
            "name": "cart-x",
            "namespace": "shop",
            "labels": {"kubernetes.io/service-name": "cart"},
        },
        "endpoints": [{"addresses": [each], "conditions": conditions} for each in addresses],
    }


DONE = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


def test_nothing_asked_for_is_settled():
    assert reasons() == []


def test_everything_there_is_settled():
    assert (
        reasons(
            nodes=[node("node-1")],
            deployments=[deployment(**DONE)],
            replica_sets=[{**deployment(), "status": {"replicas": 2}}],
            pods=[pod()],
            services=[service()],
            slices=[slice_of("10.244.1.2")],
            expected_nodes=["node-1"],
        )
        == []
    )


@pytest.mark.parametrize("nodes", [[], [node("node-1", "False")], [node("node-1", "Unknown")]])
def test_a_node_that_is_expected_has_to_be_ready(nodes: list[dict[str, Any]]):
    assert reasons(nodes=nodes, expected_nodes=["node-1"]) == ["node node-1 is not Ready"]


def test_pods_that_must_go_from_a_node_that_is_away_are_not_waited_for():
    """P-72: they stay Terminating until it returns."""
    going = pod()
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    going["spec"] = {"nodeName": "node-2"}
    away = {"nodes": [node("node-1"), node("node-2", "Unknown")], "pods": [going]}
    assert reasons(**away, expected_nodes=["node-1"]) == []
    assert "pod shop/cart-1 is terminating" in reasons(**away, expected_nodes=["node-1", "node-2"])


def test_a_node_that_was_stopped_is_not_waited_for():
    assert reasons(nodes=[node("node-1", "Unknown")]) == []


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (deployment(), "has not been looked at"),
        (deployment(**{**DONE, "observedGeneration": 1}), "has not been looked at"),
        (deployment(**{**DONE, "availableReplicas": 1}), "1 of 2 available"),
        (deployment(**{**DONE, "updatedReplicas": 1}), "2 of 2 available"),
        (deployment(**{**DONE, "replicas": 3}), "2 of 2 available"),  # an old pod is going
    ],
)
def test_a_deployment_has_to_be_rolled_out(found: dict[str, Any], text: str):
    (reason,) = reasons(deployments=[found])
    assert reason.startswith("deployment shop/cart")
    assert text in reason


def test_a_paused_deployment_and_one_of_nothing_are_what_they_should_be():
    assert reasons(deployments=[deployment(spec={"paused": True}, observedGeneration=2)]) == []
    assert reasons(deployments=[deployment(spec={"replicas": 0}, observedGeneration=2)]) == []


def test_a_replica_set_has_to_have_its_pods():
    assert reasons(replica_sets=[deployment(replicas=1)]) == ["replica set shop/cart: 1 of 2 pods"]


def test_a_pod_has_to_be_ready_and_its_container_says_why_it_is_not():
    waiting = {"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s"}}}
    found = pod(conditions=ready("False"), containerStatuses=[waiting])
    assert reasons(pods=[found]) == [
        "pod shop/cart-1 is not Ready: CrashLoopBackOff: back-off 20s",
    ]


def test_a_pod_that_cannot_be_scheduled_says_so():
    scheduled = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
    found = pod(phase="Pending", conditions=[scheduled])
    assert reasons(pods=[found]) == ["pod shop/cart-1 is not Ready: 0/1 nodes are available"]


def test_a_container_that_waits_without_a_message_is_named_by_its_reason():
    waiting = {"state": {"waiting": {"reason": "ContainerCreating"}}}
    found = pod(conditions=[], containerStatuses=[waiting])
    assert reasons(pods=[found]) == ["pod shop/cart-1 is not Ready: ContainerCreating"]


def test_a_pod_that_goes_is_under_way_and_one_that_is_over_is_not():
    going = pod()
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert reasons(pods=[going]) == ["pod shop/cart-1 is terminating"]
    assert reasons(pods=[pod(phase="Succeeded", conditions=ready("False"))]) == []
    assert reasons(pods=[pod(phase="Failed", conditions=ready("False"))]) == []


OUTDATED = ["service shop/cart: its endpoints are not up to date"]


@pytest.mark.parametrize(
    ("slices", "expected"),
    [
        ([], OUTDATED),
        ([slice_of("10.244.1.2")], []),
        ([slice_of("10.244.1.2", is_ready=None)], []),  # unknown counts as ready
        ([slice_of("10.244.1.2", is_ready=False)], OUTDATED),
        ([slice_of("10.244.1.2", "10.244.9.9")], OUTDATED),
    ],
)
def test_a_services_endpoints_are_the_pods_that_are_ready_now(slices, expected):
    assert reasons(pods=[pod()], services=[service()], slices=slices) == expected


def test_pods_of_other_namespaces_and_labels_are_not_a_services():
    elsewhere, unlabelled = pod("a", "10.244.1.8"), pod("b", "10.244.1.9")
    elsewhere["metadata"]["namespace"] = "other"
    unlabelled["metadata"]["labels"] = {}
    assert reasons(pods=[elsewhere, unlabelled], services=[service()]) == []


def test_pods_that_have_ended_are_no_endpoints():
    assert reasons(pods=[pod(phase="Succeeded")], services=[service()]) == []


def test_a_service_without_a_selector_and_one_that_publishes_all_are_not_judged():
    assert reasons(pods=[pod()], services=[service(selector=None)]) == []
    assert reasons(pods=[pod()], services=[service(publishNotReadyAddresses=True)]) == []


def test_a_load_balancer_has_to_have_its_address():
    wanted = service(type="LoadBalancer", selector=None)
    assert reasons(services=[wanted]) == ["service shop/cart has no load balancer yet"]
    given = {**wanted, "status": {"loadBalancer": {"ingress": [{"ip": "127.65.0.1"}]}}}
    assert reasons(services=[given]) == []
