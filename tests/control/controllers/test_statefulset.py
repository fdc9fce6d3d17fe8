"""StatefulSets: members in order, storage that stays, updates from the highest number down."""

from collections.abc import Callable
from typing import Any

import pytest

from cluster.objects.resources import CONTROLLER_REVISIONS, PODS, STATEFUL_SETS, VOLUME_CLAIMS
from control.controllers.statefulset import BURST_PODS_MAX, controller, reconcile
from control.controllers.view import Key
from control.controllers.writes import Create, LookAgain

KEY = Key(STATEFUL_SETS, "default", "db")


def template(image: str) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "db"}},
        "spec": {"containers": [{"name": "main", "image": image}]},
    }


class Cluster:
    """A set whose pods get ready when the test says so."""

    def __init__(self, simulation: Any, **spec: Any) -> None:
        self.simulation = simulation
        self.store = simulation.store
        given = {
            "replicas": 3,
            "serviceName": "db",
            "selector": {"matchLabels": {"app": "db"}},
            "template": template("db:1"),
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        }
        metadata = {"name": "db", "namespace": "default"}
        self.store.create(STATEFUL_SETS, {"metadata": metadata, "spec": {**given, **spec}})
        self.settle()

    def settle(self) -> None:
        self.simulation.settle([controller()])

    def names(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in self.store.all(PODS)]

    def ready(self, name: str, since: float = 0.0) -> None:
        """One pod gets ready, and everybody looks."""
        when = self.store._stamp()
        condition = {"type": "Ready", "status": "True", "lastTransitionTime": when}
        status = {"phase": "Running", "conditions": [condition]}
        self.store.patch(PODS, name, {"status": status}, "default", "status")
        self.settle()

    def all_ready(self) -> None:
        """Whatever comes up gets ready until nothing comes any more."""
        while waiting := [
            pod["metadata"]["name"]
            for pod in self.store.all(PODS)
            if not pod["status"].get("conditions")
        ]:
            self.ready(waiting[0])

    def change(self, **spec: Any) -> None:
        self.store.patch(STATEFUL_SETS, "db", {"spec": spec}, "default")
        self.settle()

    def images(self) -> dict[str, str]:
        return {
            pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"]
            for pod in self.store.all(PODS)
        }

    @property
    def status(self) -> Any:
        return self.store.get(STATEFUL_SETS, "db", "default")["status"]

    def revisions(self) -> list[int]:
        return [each["revision"] for each in self.store.all(CONTROLLER_REVISIONS)]


@pytest.fixture
def start(simulation: Any) -> Callable[..., Cluster]:
    def started(**spec: Any) -> Cluster:
        return Cluster(simulation, **spec)

    return started


def test_a_member_starts_when_the_one_before_is_ready(start: Any) -> None:
    """P-89."""
    cluster = start()
    assert cluster.names() == ["db-0"]
    cluster.ready("db-0")
    assert cluster.names() == ["db-0", "db-1"]
    cluster.all_ready()
    assert cluster.names() == ["db-0", "db-1", "db-2"]


@pytest.mark.parametrize(("policy", "made"), [("OrderedReady", 1), ("Parallel", BURST_PODS_MAX)])
def test_a_look_at_a_set_without_end_has_one(build: Any, view: Any, policy: str, made: int) -> None:
    spec = {
        "replicas": 2**31 - 1,
        "podManagementPolicy": policy,
        "selector": {"matchLabels": {"app": "db"}},
        "template": template("db:1"),
    }
    metadata = {"name": "db", "namespace": "default", "uid": "s"}
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": spec}
    writes = reconcile(view(owner), KEY)
    created = [each for each in writes if isinstance(each, Create) and each.resource is PODS]
    assert len(created) == made


def test_in_parallel_all_start_at_once(start: Any) -> None:
    """P-89."""
    assert start(podManagementPolicy="Parallel").names() == ["db-0", "db-1", "db-2"]


def test_a_member_has_its_name_everywhere(start: Any) -> None:
    """P-88, P-92."""
    cluster = start(ordinals={"start": 5})
    [pod] = cluster.store.all(PODS)
    labels = pod["metadata"]["labels"]
    assert pod["metadata"]["name"] == pod["spec"]["hostname"] == "db-5"
    assert pod["spec"]["subdomain"] == "db"
    assert labels["statefulset.kubernetes.io/pod-name"] == "db-5"
    assert labels["apps.kubernetes.io/pod-index"] == "5"
    assert labels["controller-revision-hash"] == cluster.status["updateRevision"]


def test_a_set_that_is_complete_writes_nothing_more(start: Any) -> None:
    cluster = start()
    cluster.all_ready()
    assert list(cluster.simulation.look(reconcile, KEY)) == []
    held = cluster.status
    counted = {k: v for k, v in held.items() if k.endswith("Replicas") or k == "replicas"}
    assert set(counted.values()) == {3}
    assert held["currentRevision"] == held["updateRevision"]


def test_it_shrinks_from_the_highest_number_each_fully_gone_before_the_next(start: Any) -> None:
    """P-89."""
    cluster = start()
    cluster.all_ready()
    cluster.store.patch(PODS, "db-2", {"spec": {"nodeName": "node-1"}}, "default")
    cluster.change(replicas=1)
    assert cluster.names() == ["db-0", "db-1", "db-2"]  # the last is on its way
    cluster.store.delete(PODS, "db-2", "default", grace_seconds=0)
    cluster.settle()
    assert cluster.names() == ["db-0"]


def test_a_deleted_member_comes_back_when_the_old_one_is_gone(start: Any) -> None:
    """P-64, P-90."""
    cluster = start()
    cluster.all_ready()
    cluster.store.patch(PODS, "db-1", {"spec": {"nodeName": "node-1"}}, "default")
    old = cluster.store.get(PODS, "db-1", "default")["metadata"]["uid"]
    cluster.store.delete(PODS, "db-1", "default")
    cluster.settle()
    assert cluster.store.get(PODS, "db-1", "default")["metadata"]["uid"] == old
    cluster.store.delete(PODS, "db-1", "default", grace_seconds=0)
    cluster.settle()
    assert cluster.store.get(PODS, "db-1", "default")["metadata"]["uid"] != old


def test_an_update_goes_from_the_highest_number_down_one_at_a_time(start: Any) -> None:
    """P-91."""
    cluster = start()
    cluster.all_ready()
    cluster.change(template=template("db:2"))
    assert cluster.images() == {"db-0": "db:1", "db-1": "db:1", "db-2": "db:2"}
    assert cluster.status["currentRevision"] != cluster.status["updateRevision"]
    cluster.ready("db-2")
    assert cluster.images() == {"db-0": "db:1", "db-1": "db:2", "db-2": "db:2"}
    cluster.all_ready()
    assert set(cluster.images().values()) == {"db:2"}
    assert cluster.status["currentRevision"] == cluster.status["updateRevision"]
    assert cluster.revisions() == [1, 2] or cluster.revisions() == [2, 1]


def test_a_partition_keeps_those_below_on_the_old_revision(start: Any) -> None:
    """P-91."""
    partitioned = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    cluster = start(updateStrategy=partitioned)
    cluster.all_ready()
    cluster.change(template=template("db:2"))
    cluster.all_ready()
    assert cluster.images() == {"db-0": "db:1", "db-1": "db:1", "db-2": "db:2"}
    cluster.store.delete(PODS, "db-0", "default")
    cluster.settle()
    assert cluster.images()["db-0"] == "db:1"


def test_more_may_be_replaced_at_a_time(start: Any) -> None:
    """P-91."""
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
    cluster = start(updateStrategy=rolling, podManagementPolicy="Parallel")
    cluster.all_ready()
    cluster.change(template=template("db:2"))
    assert cluster.images() == {"db-0": "db:1", "db-1": "db:2", "db-2": "db:2"}


def test_on_delete_members_are_replaced_by_hand(start: Any) -> None:
    cluster = start(updateStrategy={"type": "OnDelete"})
    cluster.all_ready()
    cluster.change(template=template("db:2"))
    assert set(cluster.images().values()) == {"db:1"}
    cluster.store.delete(PODS, "db-1", "default")
    cluster.settle()
    assert cluster.images()["db-1"] == "db:2"


def test_a_former_template_is_a_revision_again_with_a_new_number(start: Any) -> None:
    cluster = start(replicas=1)
    cluster.all_ready()
    first = cluster.status["updateRevision"]
    cluster.change(template=template("db:2"))
    cluster.all_ready()
    cluster.change(template=template("db:1"))
    cluster.all_ready()
    assert cluster.status["updateRevision"] == first
    assert sorted(cluster.revisions()) == [2, 3]


def test_old_revisions_are_kept_up_to_a_limit(start: Any) -> None:
    cluster = start(replicas=1, revisionHistoryLimit=2)
    for number in range(2, 7):
        cluster.all_ready()
        cluster.change(template=template(f"db:{number}"))
    cluster.all_ready()
    assert sorted(cluster.revisions()) == [4, 5, 6]


def test_members_are_available_after_a_while(start: Any) -> None:
    cluster = start(minReadySeconds=10)
    cluster.ready("db-0")
    assert cluster.names() == ["db-0"]
    assert cluster.simulation.look(reconcile, KEY) == [LookAgain(10)]
    cluster.simulation.elapsed += 10
    cluster.settle()
    assert cluster.names() == ["db-0", "db-1"]


def test_a_member_that_failed_is_made_anew(start: Any) -> None:
    cluster = start(replicas=1)
    uid = cluster.store.get(PODS, "db-0", "default")["metadata"]["uid"]
    cluster.store.patch(PODS, "db-0", {"status": {"phase": "Failed"}}, "default", "status")
    cluster.settle()
    assert cluster.store.get(PODS, "db-0", "default")["metadata"]["uid"] != uid
    assert [event.reason for event in cluster.simulation.events] == ["RecreatingFailedPod"]


CLAIM = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}


def claim_names(cluster: Cluster) -> list[str]:
    return [each["metadata"]["name"] for each in cluster.store.all(VOLUME_CLAIMS)]


def test_each_member_finds_its_storage_again(start: Any) -> None:
    """P-90."""
    cluster = start(replicas=2, volumeClaimTemplates=[CLAIM])
    cluster.all_ready()
    [volume] = cluster.store.get(PODS, "db-1", "default")["spec"]["volumes"]
    assert volume == {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-1"}}
    cluster.change(replicas=0)
    assert cluster.names() == []
    assert claim_names(cluster) == ["data-db-0", "data-db-1"]
    cluster.change(replicas=2)
    cluster.all_ready()
    assert claim_names(cluster) == ["data-db-0", "data-db-1"]


def test_storage_may_go_with_its_member_or_with_the_set(start: Any) -> None:
    policy = {"whenScaled": "Delete", "whenDeleted": "Delete"}
    cluster = start(
        replicas=2, volumeClaimTemplates=[CLAIM], persistentVolumeClaimRetentionPolicy=policy
    )
    cluster.all_ready()

    def owners(claim: str) -> list[str]:
        held = cluster.store.get(VOLUME_CLAIMS, claim, "default")["metadata"]
        return [each["kind"] for each in held.get("ownerReferences", ())]

    assert owners("data-db-0") == owners("data-db-1") == ["StatefulSet"]
    cluster.change(replicas=1)
    assert owners("data-db-1") == ["StatefulSet", "Pod"]
    cluster.change(persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain"})
    assert owners("data-db-0") == []


def test_a_set_that_is_being_deleted_starts_nothing(start: Any) -> None:
    cluster = start()
    cluster.store.patch(
        STATEFUL_SETS, "db", {"metadata": {"finalizers": ["example.com/mine"]}}, "default"
    )
    cluster.store.delete(STATEFUL_SETS, "db", "default")
    cluster.ready("db-0")
    assert cluster.names() == ["db-0"]
