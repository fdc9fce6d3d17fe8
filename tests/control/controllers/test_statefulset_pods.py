"""Members of a StatefulSet."""

from typing import Any

from cluster.objects.resources import VOLUME_CLAIMS
from control.controllers.statefulset_pods import (
    claims,
    creation,
    member,
    ordinal_of,
    replacement,
)
from control.controllers.view import Objects
from control.controllers.writes import Create, Delete, EmitEvent

TEMPLATE = {
    "metadata": {"labels": {"app": "db"}},
    "spec": {"containers": [], "volumes": [{"name": "data", "emptyDir": {}}, {"name": "tmp"}]},
}
CLAIM = {"metadata": {"name": "data"}, "spec": {"storageClassName": "fast"}}
OWNER: dict[str, Any] = {
    "metadata": {"name": "db", "namespace": "default", "uid": "db-uid"},
    "spec": {
        "selector": {"matchLabels": {"app": "db"}},
        "volumeClaimTemplates": [CLAIM],
        "template": TEMPLATE,
    },
}


def test_a_member_is_told_by_its_name(build: Any) -> None:
    names = ("db-0", "db-17", "db", "db-x", "other-3", "my-db-1")
    assert [ordinal_of("db", build.pod(name)) for name in names] == [0, 17, None, None, None, None]


def test_a_claim_takes_the_place_of_the_templates_volume() -> None:
    volumes = member(OWNER, 2, "db-abc", TEMPLATE)["spec"]["volumes"]
    claimed = {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-2"}}
    assert volumes == [claimed, {"name": "tmp"}]


def test_a_claim_that_is_there_is_not_made_again() -> None:
    objects = Objects()
    [write] = claims(objects, OWNER, 0)
    assert isinstance(write, Create)
    assert write.document["metadata"] == {
        "name": "data-db-0",
        "namespace": "default",
        "labels": {"app": "db"},
    }
    objects.put(VOLUME_CLAIMS, write.document)
    assert claims(objects, OWNER, 0) == []


def test_creations_are_told_in_upstreams_words() -> None:
    claim, pod = creation(Objects(), OWNER, 0, "db-abc", TEMPLATE)
    assert isinstance(claim, Create)
    assert isinstance(pod, Create)
    assert claim.announce is not None
    assert pod.announce is not None
    words = "create Claim data-db-0 Pod db-0 in StatefulSet db success"
    assert claim.announce.done == ("SuccessfulCreate", words)
    text = "create Pod {name} in StatefulSet db successful"
    assert pod.announce.done == ("SuccessfulCreate", text)


def test_a_pod_that_ended_is_told_and_deleted(build: Any) -> None:
    event, deletion = replacement(OWNER, build.pod("db-0", phase="Succeeded"))
    assert isinstance(event, EmitEvent)
    assert event.reason == "RecreatingTerminatedPod"
    assert isinstance(deletion, Delete)
