"""Deployment: rollouts step by step, and through any interleaving of pods getting ready."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.objects.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from control.controllers import deployment, replicaset
from control.controllers.conditions import condition_of
from control.controllers.revisions import REVISION, revision_of
from control.controllers.times import timestamp
from control.controllers.view import Key, View

Views = Callable[..., View]
WEB = Key(DEPLOYMENTS, "default", "web")


class Rollout:
    """A Deployment in a simulation, and what the test does to it."""

    def __init__(self, simulation: Any, document: dict[str, Any]) -> None:
        self.simulation = simulation
        self.store = simulation.store
        self.store.create(DEPLOYMENTS, document)

    @property
    def document(self) -> dict[str, Any]:
        return dict(self.store.get(DEPLOYMENTS, "web", "default"))

    @property
    def sets(self) -> list[dict[str, Any]]:
        return sorted(self.store.all(REPLICA_SETS), key=revision_of)

    @property
    def pods(self) -> list[dict[str, Any]]:
        return [p for p in self.store.all(PODS) if not p["metadata"].get("deletionTimestamp")]

    @property
    def ready_pods(self) -> list[dict[str, Any]]:
        return [pod for pod in self.pods if condition_of(pod, "Ready")]

    def look(self) -> list[Any]:
        return list(self.simulation.look(deployment.reconcile, WEB))

    def look_at_sets(self) -> None:
        for each in self.store.all(REPLICA_SETS):
            self.look_at_set(each)

    def look_at_set(self, each: dict[str, Any]) -> None:
        key = Key(REPLICA_SETS, "default", each["metadata"]["name"])
        self.simulation.look(replicaset.reconcile, key)

    def settle(self) -> None:
        self.simulation.settle([deployment.controller(), replicaset.controller()])

    def make_ready(self, pod: dict[str, Any]) -> None:
        now = timestamp(self.simulation.view().now)
        condition = {"type": "Ready", "status": "True", "lastTransitionTime": now}
        status = {"phase": "Running", "conditions": [condition]}
        self.store.patch(PODS, pod["metadata"]["name"], {"status": status}, "default", "status")

    def finish(self) -> None:
        """Let every pod become ready until nothing moves any more."""
        for _ in range(100):
            self.settle()
            waiting = [pod for pod in self.pods if not condition_of(pod, "Ready")]
            if not waiting:
                return
            for pod in waiting:
                self.make_ready(pod)
        raise AssertionError("the rollout does not end")

    def change(self, **spec: Any) -> None:
        self.store.patch(DEPLOYMENTS, "web", {"spec": spec}, "default")

    def set_image(self, image: str) -> None:
        containers = [{"name": "main", "image": image}]
        self.change(template={"spec": {"containers": containers}})

    def images(self) -> set[str]:
        return {pod["spec"]["containers"][0]["image"] for pod in self.pods}

    def condition(self, kind: str) -> tuple[str, str]:
        held = condition_of(self.document, kind)
        assert held is not None
        return held["status"], held["reason"]


@pytest.fixture
def rollout(simulation: Any, build: Any) -> Callable[..., Rollout]:
    return lambda **more: Rollout(simulation, build.deployment("web", **more))


def test_the_first_look_makes_the_whole_new_set(rollout: Any) -> None:
    """P-80: named after the template's hash, which labels set, selector and pods."""
    web = rollout(replicas=3)
    web.look()
    [made] = web.sets
    digest = made["metadata"]["labels"]["pod-template-hash"]
    assert made["metadata"]["name"] == f"web-{digest}"
    assert not set(digest) - set("bcdfghjklmnpqrstvwxz2456789")
    assert made["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": digest}
    assert made["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] == digest
    assert made["spec"]["replicas"] == 3
    web.look_at_sets()
    assert {pod["metadata"]["labels"]["pod-template-hash"] for pod in web.pods} == {digest}


def test_set_and_deployment_carry_the_revision(rollout: Any) -> None:
    web = rollout()
    web.finish()
    assert web.document["metadata"]["annotations"][REVISION] == "1"
    notes = web.sets[0]["metadata"]["annotations"]
    assert notes[REVISION] == "1"
    assert notes["deployment.kubernetes.io/desired-replicas"] == "3"
    assert notes["deployment.kubernetes.io/max-replicas"] == "4"


def test_status_tells_availability_and_generation(rollout: Any) -> None:
    web = rollout()
    web.settle()
    assert web.condition("Available") == ("False", "MinimumReplicasUnavailable")
    assert web.document["status"]["unavailableReplicas"] == 3
    web.finish()
    status = web.document["status"]
    assert {k: v for k, v in status.items() if k != "conditions"} == {
        "observedGeneration": web.document["metadata"]["generation"],
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
    }
    assert web.condition("Available") == ("True", "MinimumReplicasAvailable")
    assert web.condition("Progressing") == ("True", "NewReplicaSetAvailable")


def test_a_new_template_rolls_out_to_the_end(rollout: Any) -> None:
    """P-82."""
    web = rollout()
    web.finish()
    web.set_image("echo:2")
    web.finish()
    assert web.images() == {"echo:2"}
    assert [s["spec"]["replicas"] for s in web.sets] == [0, 3]
    assert web.document["metadata"]["annotations"][REVISION] == "2"


def test_rolling_back_scales_the_old_set_again(rollout: Any) -> None:
    """P-85: the same ReplicaSet, with a new revision and its old one remembered."""
    web = rollout()
    web.finish()
    first = web.sets[0]["metadata"]["name"]
    web.set_image("echo:2")
    web.finish()
    web.set_image("echo:1")
    web.finish()
    assert web.images() == {"echo:1"}
    assert len(web.sets) == 2
    newest = web.sets[-1]["metadata"]
    assert newest["name"] == first
    assert newest["annotations"][REVISION] == "3"
    assert newest["annotations"]["deployment.kubernetes.io/revision-history"] == "1"


def test_a_version_that_never_gets_ready_keeps_the_old_pods(rollout: Any) -> None:
    """P-83."""
    web = rollout(replicas=3)
    web.finish()
    web.set_image("broken:1")
    web.settle()
    assert len(web.ready_pods) == 3
    assert len(web.pods) == 4
    web.simulation.elapsed += 599
    web.look()
    assert web.condition("Progressing") == ("True", "ReplicaSetUpdated")
    web.simulation.elapsed += 2
    web.look()
    assert web.condition("Progressing") == ("False", "ProgressDeadlineExceeded")
    assert web.condition("Available") == ("True", "MinimumReplicasAvailable")


def test_a_finished_rollout_never_times_out(rollout: Any) -> None:
    """P-83: a pod that fails later is no rollout that stalls."""
    web = rollout(replicas=1)
    web.finish()
    web.store.delete(PODS, web.pods[0]["metadata"]["name"], "default")
    web.settle()
    web.simulation.elapsed += 10_000
    web.look()
    assert web.condition("Progressing") == ("True", "NewReplicaSetAvailable")


def test_recreate_removes_every_old_pod_first(rollout: Any) -> None:
    """P-84."""
    web = rollout(strategy={"type": "Recreate"})
    web.finish()
    for pod in web.pods:
        web.store.patch(PODS, pod["metadata"]["name"], {"spec": {"nodeName": "node-1"}}, "default")
    web.set_image("echo:2")
    web.settle()
    assert web.pods == []
    assert len(web.sets) == 1
    for pod in web.store.all(PODS):  # still terminating on their node
        web.store.delete(PODS, pod["metadata"]["name"], "default", grace_seconds=0)
    web.finish()
    assert web.images() == {"echo:2"}


def test_a_paused_deployment_scales_but_does_not_roll(rollout: Any) -> None:
    web = rollout()
    web.finish()
    web.change(paused=True)
    web.set_image("echo:2")
    web.change(replicas=5)
    web.finish()
    assert web.images() == {"echo:1"}
    assert len(web.pods) == 5
    assert web.condition("Progressing") == ("Unknown", "DeploymentPaused")
    web.change(paused=None)
    web.finish()
    assert web.images() == {"echo:2"}
    assert web.condition("Progressing") == ("True", "NewReplicaSetAvailable")


def test_scaling_in_the_middle_of_a_rollout_grows_both_versions(rollout: Any) -> None:
    web = rollout(replicas=8, strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2}})
    web.finish()
    web.set_image("echo:2")
    web.settle()
    before = [s["spec"]["replicas"] for s in web.sets]
    web.change(replicas=16)
    web.look()
    after = [s["spec"]["replicas"] for s in web.sets]
    assert all(new > old for new, old in zip(after, before, strict=True))
    assert sum(after) == 18
    web.finish()
    assert len(web.pods) == 16
    assert web.images() == {"echo:2"}


def test_scaling_to_zero_and_back(rollout: Any) -> None:
    web = rollout()
    web.finish()
    web.change(replicas=0)
    web.finish()
    assert web.pods == []
    web.change(replicas=2)
    web.finish()
    assert len(web.pods) == 2
    assert len(web.sets) == 1


def test_history_is_kept_up_to_its_limit(rollout: Any) -> None:
    """P-85."""
    web = rollout(replicas=1, revisionHistoryLimit=2)
    for version in range(1, 6):
        web.set_image(f"echo:{version}")
        web.finish()
    assert [s["metadata"]["annotations"][REVISION] for s in web.sets] == ["3", "4", "5"]


def test_ten_old_sets_are_kept_by_default(rollout: Any) -> None:
    """P-85."""
    web = rollout(replicas=1)
    for version in range(1, 14):
        web.set_image(f"echo:{version}")
        web.finish()
    assert len(web.sets) == 11


def test_a_taken_name_is_avoided_by_another_hash(rollout: Any, build: Any) -> None:
    """The collisionCount changes the hash, and so the name."""
    web = rollout()
    web.look()
    squatter = web.sets[0]
    web.store.delete(REPLICA_SETS, squatter["metadata"]["name"], "default")
    other = build.replica_set(squatter["metadata"]["name"], labels={"app": "other"}, replicas=0)
    web.store.create(REPLICA_SETS, other)
    web.finish()
    assert web.document["status"]["collisionCount"] == 1
    assert web.sets[-1]["metadata"]["name"] != squatter["metadata"]["name"]
    assert web.images() == {"echo:1"}


def test_scaling_is_told_by_an_event(rollout: Any) -> None:
    web = rollout()
    plan = web.look()
    announced = [w.announce.done for w in plan if getattr(w, "announce", None)]
    name = web.sets[0]["metadata"]["name"]
    assert announced == [("ScalingReplicaSet", f"Scaled up replica set {name} from 0 to 3")]


def test_a_settled_deployment_writes_nothing(rollout: Any) -> None:
    web = rollout()
    web.finish()
    version = web.store.version
    web.look()
    assert web.store.version == version


def test_no_deadline_means_no_progressing_condition(rollout: Any) -> None:
    web = rollout()
    web.change(progressDeadlineSeconds=None)
    web.finish()
    assert condition_of(web.document, "Progressing") is None


share = st.one_of(st.integers(0, 4), st.integers(0, 100).map(lambda n: f"{n}%"))


@settings(max_examples=60, deadline=None)
@given(replicas=st.integers(1, 6), surge=share, unavailable=share, data=st.data())
def test_a_rollout_keeps_its_bounds_whatever_the_order_of_events(
    new_simulation: Any,
    build: Any,
    replicas: int,
    surge: int | str,
    unavailable: int | str,
    data: st.DataObject,
) -> None:
    """P-82: never fewer available pods than the minimum, never more pods than the surge allows.

    The Deployment and each ReplicaSet look in any order, on statuses that lag as far as they may,
    and pods become ready at any time.
    """
    strategy = {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    web = Rollout(new_simulation(), build.deployment("web", replicas=replicas, strategy=strategy))
    web.finish()
    bounds = deployment.bounds_of(replicas, surge, unavailable)
    web.set_image("echo:2")
    for _ in range(data.draw(st.integers(0, 60))):
        sets = web.sets
        step = data.draw(st.integers(0, len(sets) + 1))
        if step == 0:
            web.look()
        elif step <= len(sets):
            web.look_at_set(sets[step - 1])
        else:
            waiting = [pod for pod in web.pods if not condition_of(pod, "Ready")]
            if waiting:
                web.make_ready(data.draw(st.sampled_from(waiting)))
        assert len(web.ready_pods) >= bounds.available
        assert len(web.pods) <= bounds.total
    web.finish()
    assert web.images() == {"echo:2"}
    assert len(web.ready_pods) == replicas
