"""Claims and volumes: found or made, bound, protected, reclaimed."""

from collections.abc import Callable
from typing import Any

import pytest

from cluster.objects.resources import PODS, STORAGE_CLASSES, VOLUME_CLAIMS, VOLUMES
from control.controllers import ephemeral_volumes, volume_claims, volumes
from control.controllers.view import Key
from control.controllers.volume_claims import claims_of
from control.controllers.volume_documents import default_class

KEY = Key(VOLUME_CLAIMS, "default", "data")


class Storage:
    """A cluster with the default class, and claims."""

    def __init__(self, simulation: Any, classes: list[Any]) -> None:
        self.simulation, self.store = simulation, simulation.store
        for each in classes:
            self.store.create(STORAGE_CLASSES, each)

    def settle(self) -> None:
        rows = [volume_claims.controller(), volumes.controller(), ephemeral_volumes.controller()]
        self.simulation.settle(rows)

    def claims(self, **spec: Any) -> None:
        given = {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            **spec,
        }
        metadata = {"name": "data", "namespace": "default"}
        self.store.create(VOLUME_CLAIMS, {"metadata": metadata, "spec": given})
        self.settle()

    def volume(self, name: str, size: str, **spec: Any) -> None:
        given = {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": size},
            "persistentVolumeReclaimPolicy": "Retain",
            **spec,
        }
        self.store.create(VOLUMES, {"metadata": {"name": name}, "spec": given})

    @property
    def claim(self) -> Any:
        return self.store.get(VOLUME_CLAIMS, "data", "default")

    def phases(self) -> dict[str, str]:
        return {v["metadata"]["name"]: v["status"]["phase"] for v in self.store.all(VOLUMES)}

    def told(self) -> list[str]:
        return [event.reason for event in self.simulation.events]


@pytest.fixture
def start(simulation: Any) -> Callable[..., Storage]:
    def started(*classes: Any) -> Storage:
        return Storage(simulation, list(classes) or [default_class()])

    return started


def test_a_claim_gets_a_volume_of_the_default_class(start: Any) -> None:
    storage = start()
    storage.claims()
    claim = storage.claim
    [volume] = storage.store.all(VOLUMES)
    assert claim["spec"]["storageClassName"] == "standard"
    assert claim["spec"]["volumeName"] == volume["metadata"]["name"]
    assert volume["metadata"]["name"] == f"pvc-{claim['metadata']['uid']}"
    assert claim["status"] == {
        "phase": "Bound",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
    }
    assert volume["status"]["phase"] == "Bound"
    assert volume["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]
    assert storage.simulation.look(volume_claims.reconcile, KEY) == []


def test_a_made_volume_goes_with_its_claim(start: Any) -> None:
    storage = start()
    storage.claims()
    storage.store.delete(VOLUME_CLAIMS, "data", "default")
    storage.settle()
    assert storage.store.all(VOLUME_CLAIMS) == storage.store.all(VOLUMES) == []


def test_a_volume_that_is_to_be_kept_is_released(start: Any) -> None:
    storage = start({**default_class(), "reclaimPolicy": "Retain"})
    storage.claims()
    storage.store.delete(VOLUME_CLAIMS, "data", "default")
    storage.settle()
    assert list(storage.phases().values()) == ["Released"]


def test_the_smallest_that_fits_is_taken(start: Any) -> None:
    storage = start()
    for name, size in (("small", "500Mi"), ("large", "5Gi"), ("right", "2Gi")):
        storage.volume(name, size)
    storage.volume("other", "1Gi", storageClassName="fast")
    storage.claims(storageClassName="")
    assert storage.claim["spec"]["volumeName"] == "right"
    assert storage.claim["status"]["capacity"] == {"storage": "2Gi"}
    free = {"small": "Available", "large": "Available", "other": "Available"}
    assert storage.phases() == {**free, "right": "Bound"}


def test_a_volume_may_be_kept_for_a_claim(start: Any) -> None:
    storage = start()
    storage.volume("mine", "9Gi", claimRef={"namespace": "default", "name": "data"})
    storage.volume("right", "1Gi")
    storage.claims(storageClassName="")
    assert storage.claim["spec"]["volumeName"] == "mine"


def test_a_claim_may_name_its_volume(start: Any) -> None:
    storage = start()
    storage.volume("mine", "9Gi")
    storage.claims(storageClassName="", volumeName="mine")
    assert storage.claim["status"]["phase"] == "Bound"
    assert storage.phases() == {"mine": "Bound"}


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"storageClassName": ""}, "FailedBinding"),
        ({"storageClassName": "missing"}, "ProvisioningFailed"),
        ({"storageClassName": "far"}, "ExternalProvisioning"),
        ({"storageClassName": "late"}, "WaitForFirstConsumer"),
        ({"selector": {"matchLabels": {"a": "b"}}}, "ProvisioningFailed"),
    ],
)
def test_a_claim_says_why_it_waits(start: Any, spec: dict[str, Any], reason: str) -> None:
    standard = default_class()
    far = {**standard, "metadata": {"name": "far"}, "provisioner": "example.com/disks"}
    late = {**standard, "metadata": {"name": "late"}, "volumeBindingMode": "WaitForFirstConsumer"}
    storage = start(standard, far, late)
    storage.claims(**spec)
    assert storage.claim["status"]["phase"] == "Pending"
    assert reason in storage.told()


def pod(build: Any) -> Any:
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
    return build.pod("user", node=None, spec={"volumes": [volume]})


def test_a_class_may_wait_for_the_first_pod(start: Any, build: Any) -> None:
    late = {**default_class(), "volumeBindingMode": "WaitForFirstConsumer"}
    storage = start(late)
    storage.claims()
    assert storage.claim["status"]["phase"] == "Pending"
    storage.store.create(PODS, pod(build))
    storage.settle()
    assert storage.claim["status"]["phase"] == "Bound"


def test_a_claim_in_use_stays_until_its_pod_is_gone(start: Any, build: Any) -> None:
    storage = start()
    storage.claims()
    storage.store.create(PODS, pod(build))
    storage.store.delete(VOLUME_CLAIMS, "data", "default")
    storage.settle()
    assert storage.claim["metadata"]["deletionTimestamp"]
    storage.store.delete(PODS, "user", "default")
    storage.simulation.look(volume_claims.reconcile, KEY)
    assert storage.store.all(VOLUME_CLAIMS) == []


def test_a_claim_that_lost_its_volume_says_so(start: Any) -> None:
    storage = start()
    storage.claims()
    name = storage.claim["spec"]["volumeName"]
    storage.store.delete(VOLUMES, name)
    storage.store.patch(VOLUMES, name, {"metadata": {"finalizers": None}})
    storage.settle()
    assert storage.claim["status"]["phase"] == "Lost"
    assert "ClaimLost" in storage.told()


def test_a_bound_volume_is_protected(start: Any) -> None:
    storage = start()
    storage.claims()
    [name] = storage.phases()
    storage.store.delete(VOLUMES, name)
    storage.settle()
    assert list(storage.phases()) == [name]


def test_an_ephemeral_volume_has_a_claim_that_its_pod_owns(start: Any, build: Any) -> None:
    storage = start()
    template = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {}}}
    volume = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}
    user = build.pod("user", node=None, spec={"volumes": [volume]})
    storage.store.create(PODS, user)
    storage.settle()
    claim = storage.store.get(VOLUME_CLAIMS, "user-scratch", "default")
    assert claim["status"]["phase"] == "Bound"
    assert claim["metadata"]["ownerReferences"][0]["uid"] == user["metadata"]["uid"]
    assert claims_of(user) == ["user-scratch"]
