"""Owner references."""

from typing import Any

from cluster.objects.resources import REPLICA_SETS
from control.controllers.ownership import (
    controlled_by,
    controller_of,
    controller_reference,
    owners_of,
)


def test_only_one_owner_is_the_controller(build: Any) -> None:
    web = build.replica_set("web")
    pod = build.pod("a", owner={**build.owner(REPLICA_SETS, web), "controller": None})
    assert controller_of(pod) is None
    assert len(owners_of(pod)) == 1
    pod["metadata"]["ownerReferences"].append(controller_reference(REPLICA_SETS, web))
    assert controlled_by(pod, web)


def test_a_namesake_does_not_control(build: Any) -> None:
    """P-87: the uid decides."""
    web, successor = build.replica_set("web"), build.replica_set("web")
    pod = build.pod("a", owner=controller_reference(REPLICA_SETS, web))
    assert not controlled_by(pod, successor)


def test_a_reference_names_its_owner_fully(build: Any) -> None:
    web = build.replica_set("web")
    assert controller_reference(REPLICA_SETS, web) == {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": "web",
        "uid": web["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
