"""ReplicaSet: number of pods, choice of victims, adoption and release."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.objects.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from control.controllers import replicaset
from control.controllers.replicaset import (
    BURST_PODS_MAX,
    deletion_cost,
    pod_from_template,
    reconcile,
    victims,
)
from control.controllers.view import Key, View, key_of
from control.controllers.writes import Create, Delete, LookAgain, Patch

Views = Callable[..., View]


def look(view: View, replica_set: Any) -> list[Any]:
    return list(reconcile(view, key_of(REPLICA_SETS, replica_set)))


def of(kind: type, plan: list[Any]) -> list[Any]:
    return [write for write in plan if isinstance(write, kind)]


def test_missing_pods_are_created_all_at_once(build: Any, view: Views) -> None:
    web = build.replica_set("web", replicas=3)
    assert len(of(Create, look(view(web), web))) == 3


def test_a_pod_is_named_after_its_set_and_owned_by_it(build: Any) -> None:
    """P-80: the API completes the name with five characters."""
    web = build.replica_set("web-5d9", labels={"app": "web"})
    pod = pod_from_template(web)
    assert pod["metadata"]["generateName"] == "web-5d9-"
    assert pod["metadata"]["labels"] == {"app": "web"}
    [owner] = pod["metadata"]["ownerReferences"]
    assert owner["uid"] == web["metadata"]["uid"]
    assert owner["controller"] and owner["blockOwnerDeletion"]


def test_a_burst_is_bounded(build: Any, view: Views) -> None:
    web = build.replica_set("web", replicas=BURST_PODS_MAX + 100)
    assert len(of(Create, look(view(web), web))) == BURST_PODS_MAX


def test_a_terminating_pod_is_replaced_at_once(build: Any, view: Views) -> None:
    """P-64."""
    web = build.replica_set("web", replicas=1)
    going = build.pod(
        "web-1",
        labels={"app": "web"},
        owner=build.owner(REPLICA_SETS, web),
        deletionTimestamp=build.stamp(),
    )
    assert len(of(Create, look(view(web, going), web))) == 1


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_finished_pod_is_replaced(build: Any, view: Views, phase: str) -> None:
    web = build.replica_set("web", replicas=1)
    done = build.pod(
        "web-1", labels={"app": "web"}, owner=build.owner(REPLICA_SETS, web), phase=phase
    )
    assert len(of(Create, look(view(web, done), web))) == 1


def test_a_set_that_is_being_deleted_creates_nothing(build: Any, view: Views) -> None:
    web = build.replica_set("web", metadata={"deletionTimestamp": build.stamp()})
    assert of(Create, look(view(web), web)) == []


def test_unset_replicas_mean_one(build: Any, view: Views) -> None:
    web = build.replica_set("web")
    del web["spec"]["replicas"]
    assert len(of(Create, look(view(web), web))) == 1


def order(build: Any) -> list[dict[str, Any]]:
    """Pods from the first victim to the last, each differing from the next by one rule of P-86."""

    def pod(name: str, **more: Any) -> dict[str, Any]:
        return dict(build.pod(name, **more))

    cost = {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-10"}}
    restarted = {"containerStatuses": [{"restartCount": 3}]}
    late = {"creationTimestamp": build.stamp(50)}
    return [
        pod("unscheduled", node=None, ready=False, phase="Pending"),
        pod("pending", ready=False, phase="Pending"),
        pod("not-ready", ready=False),
        pod("cheap", **cost),
        pod("crowded", node="crowded"),
        pod("ready-for-shorter", ready_at=20),
        pod("restarted", ready_at=10, status=restarted),
        pod("newer", ready_at=10, metadata=None, **late),
        pod("steady", ready_at=10),
    ]


def test_victims_go_in_the_order_of_the_rules(build: Any) -> None:
    """P-86."""
    pods = order(build)
    for each in pods:
        each["metadata"].pop("metadata", None)
    chosen = victims(reversed(pods), len(pods), Counter({"crowded": 2, "node-1": 1}))
    assert [pod["metadata"]["name"] for pod in chosen] == [
        "unscheduled",
        "pending",
        "not-ready",
        "cheap",
        "crowded",
        "ready-for-shorter",
        "restarted",
        "newer",
        "steady",
    ]


def test_crowding_counts_the_pods_of_sibling_sets(build: Any, view: Views) -> None:
    """P-86: more pods of the same Deployment on the node means going earlier."""
    web = build.deployment("web")
    sets = [
        build.replica_set(
            f"web-{n}",
            replicas=1,
            labels={"app": "web", "n": n},
            metadata={"ownerReferences": [build.owner(DEPLOYMENTS, web)]},
        )
        for n in ("old", "new")
    ]
    old, new = sets
    mine = [
        build.pod(
            f"a-{node}",
            node=node,
            labels={"app": "web", "n": "old"},
            owner=build.owner(REPLICA_SETS, old),
        )
        for node in ("node-1", "node-2")
    ]
    sibling = build.pod(
        "z", node="node-2", labels={"app": "web", "n": "new"}, owner=build.owner(REPLICA_SETS, new)
    )
    [gone] = of(Delete, look(view(web, old, new, *mine, sibling), old))
    assert gone.name == "a-node-2"


@pytest.mark.parametrize(
    ("text", "cost"), [("7", 7), ("-7", -7), ("+7", 7), ("many", 0), ("", 0), ("--", 0)]
)
def test_a_deletion_cost_that_is_no_number_counts_nothing(build: Any, text: str, cost: int) -> None:
    pod = build.pod("x", annotations={"controller.kubernetes.io/pod-deletion-cost": text})
    assert deletion_cost(pod) == cost


def test_matching_orphans_are_adopted_and_count(build: Any, view: Views) -> None:
    """P-87."""
    web = build.replica_set("web", replicas=1)
    orphan = build.pod("stray", labels={"app": "web"})
    plan = look(view(web, orphan), web)
    [adoption] = [p for p in of(Patch, plan) if p.resource == PODS]
    [owner] = adoption.changes["metadata"]["ownerReferences"]
    assert owner["uid"] == web["metadata"]["uid"]
    assert adoption.changes["metadata"]["resourceVersion"] == orphan["metadata"]["resourceVersion"]
    assert of(Create, plan) == []


def test_a_pod_whose_labels_stop_matching_is_released_and_replaced(build: Any, view: Views) -> None:
    """P-87."""
    web = build.replica_set("web", replicas=1)
    other = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}
    strayed = build.pod("web-1", labels={"app": "debug"}, owner=build.owner(REPLICA_SETS, web))
    strayed["metadata"]["ownerReferences"].append(other)
    plan = look(view(web, strayed), web)
    [release] = [p for p in of(Patch, plan) if p.resource == PODS]
    assert release.changes["metadata"]["ownerReferences"] == [other]
    assert len(of(Create, plan)) == 1


def test_a_pod_of_another_controller_is_left_alone(build: Any, view: Views) -> None:
    web, twin = build.replica_set("web", replicas=1), build.replica_set("twin", replicas=1)
    taken = build.pod("twin-1", labels={"app": "web"}, owner=build.owner(REPLICA_SETS, twin))
    plan = look(view(web, taken), web)
    assert [p for p in of(Patch, plan) if p.resource == PODS] == []
    assert len(of(Create, plan)) == 1


def test_status_counts_active_ready_and_available_pods(build: Any, view: Views) -> None:
    """P-83: available is ready for minReadySeconds."""
    web = build.replica_set("web", replicas=3, minReadySeconds=30)
    owner = build.owner(REPLICA_SETS, web)
    pods = [
        build.pod("a", labels={"app": "web"}, owner=owner, ready_at=-60),
        build.pod("b", labels={"app": "web"}, owner=owner, ready_at=-10),
        build.pod("c", labels={"app": "web"}, owner=owner, ready=False),
    ]
    plan = look(view(web, *pods), web)
    [status] = of(Patch, plan)
    assert status.subresource == "status"
    assert status.changes["status"] == {
        "replicas": 3,
        "fullyLabeledReplicas": 3,
        "readyReplicas": 2,
        "availableReplicas": 1,
        "observedGeneration": 1,
    }
    assert of(LookAgain, plan) == [LookAgain(20.0)]


def test_min_ready_seconds_pass_faster_in_a_scaled_cluster(build: Any, view: Views) -> None:
    web = build.replica_set("web", replicas=1, minReadySeconds=30)
    pod = build.pod("a", labels={"app": "web"}, owner=build.owner(REPLICA_SETS, web))
    plan = look(view(web, pod, scale=0.1), web)
    assert of(LookAgain, plan) == [LookAgain(3.0)]


def test_an_unchanged_set_writes_nothing(build: Any, simulation: Any) -> None:
    simulation.store.create(REPLICA_SETS, build.replica_set("web"))
    simulation.settle([replicaset.controller()])
    version = simulation.store.version
    simulation.look(reconcile, Key(REPLICA_SETS, "default", "web"))
    assert simulation.store.version == version


def test_a_change_of_an_orphan_concerns_the_sets_that_may_adopt_it(build: Any, view: Views) -> None:
    web, db = build.replica_set("web"), build.replica_set("db")
    keys_of = replicaset.controller().watches[PODS]
    orphan = build.pod("stray", labels={"app": "web"})
    assert list(keys_of(view(web, db).objects, None, orphan)) == [key_of(REPLICA_SETS, web)]


@given(
    wished=st.integers(0, 8),
    events=st.lists(st.tuples(st.sampled_from(["delete", "fail", "look"]), st.integers(0, 7))),
)
def test_whatever_happens_to_pods_the_set_finds_back_to_its_number(
    new_simulation: Any, build: Any, wished: int, events: list[tuple[str, int]]
) -> None:
    """P-64, P-86."""
    simulation = new_simulation()
    simulation.store.create(REPLICA_SETS, build.replica_set("web", replicas=wished))
    key = Key(REPLICA_SETS, "default", "web")
    for what, index in events:
        pods = simulation.store.all(PODS)
        if what == "look":
            simulation.look(reconcile, key)
        elif pods:
            name = pods[index % len(pods)]["metadata"]["name"]
            if what == "delete":
                simulation.store.delete(PODS, name, "default")
            else:
                simulation.store.patch(
                    PODS, name, {"status": {"phase": "Failed"}}, "default", "status"
                )
    simulation.settle([replicaset.controller()])
    active = [p for p in simulation.store.all(PODS) if p["status"].get("phase") != "Failed"]
    assert len(active) == wished
    assert (
        simulation.store.get(REPLICA_SETS, "web", "default")["status"].get("replicas", 0) == wished
    )


def test_while_pods_are_refused_a_set_says_so_and_counts_what_there_is(
    build: Any, view: Views
) -> None:
    web = build.replica_set("web", replicas=3)
    pod = build.pod("web-1", labels={"app": "web"}, owner=build.owner(REPLICA_SETS, web))
    seen = replace(view(web, pod), refusal="exceeded quota")
    [patch] = look(seen, web)
    assert patch.changes["status"]["replicas"] == 1
    [condition] = patch.changes["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("ReplicaFailure", "True")
    assert (condition["reason"], condition["message"]) == ("FailedCreate", "exceeded quota")
    web["status"] = {**web.get("status", {}), **patch.changes["status"]}
    other = replace(view(web, pod), refusal="exceeded quota, of another name")
    assert look(other, web) == [], "a new message would call for the next look at once"
    [patch] = of(Patch, look(view(web, pod), web))
    assert patch.changes["status"]["conditions"] is None
