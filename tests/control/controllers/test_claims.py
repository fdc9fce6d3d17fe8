"""Claims: what is held, adopted, released."""

from typing import Any

from cluster.objects.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from control.controllers.claims import claim, owners_of_pod
from control.controllers.view import Key, Objects
from control.controllers.writes import Patch


def names(documents: list[Any]) -> list[str]:
    return [each["metadata"]["name"] for each in documents]


def test_a_fitting_orphan_is_adopted_and_what_fits_no_more_is_released(build: Any) -> None:
    """P-87."""
    web = build.replica_set("web")
    owner = build.owner(REPLICA_SETS, web)
    held = build.pod("held", labels={"app": "web"}, owner=owner)
    orphan = build.pod("orphan", labels={"app": "web"})
    stray = build.pod("stray", labels={"app": "other"}, owner=owner)
    foreign = build.pod("foreign", labels={"app": "web"}, owner={**owner, "uid": "another"})
    writes, mine = claim(web, REPLICA_SETS, [held, orphan, stray, foreign])
    assert names(mine) == ["held", "orphan"]
    adopted, released = (write for write in writes if isinstance(write, Patch))
    assert adopted.name == "orphan"
    assert adopted.changes["metadata"]["ownerReferences"] == [owner]
    assert released.name == "stray"
    assert released.changes["metadata"]["ownerReferences"] is None


def test_an_owner_that_goes_adopts_and_releases_nothing(build: Any) -> None:
    web = build.replica_set("web", metadata={"deletionTimestamp": build.stamp()})
    stray = build.pod("stray", labels={}, owner=build.owner(REPLICA_SETS, web))
    writes, mine = claim(web, REPLICA_SETS, [stray, build.pod("o", labels={"app": "web"})])
    assert writes == []
    assert names(mine) == ["stray"]


def test_a_further_condition_may_be_set(build: Any) -> None:
    web = build.replica_set("web")
    pods = [build.pod(name, labels={"app": "web"}) for name in ("web-0", "other")]
    _, mine = claim(web, REPLICA_SETS, pods, fits=lambda p: p["metadata"]["name"] == "web-0")
    assert names(mine) == ["web-0"]


def test_a_pod_concerns_its_owner_of_that_kind(build: Any) -> None:
    web = build.deployment("web")
    pod = build.pod("a", owner=build.owner(DEPLOYMENTS, web))
    assert list(owners_of_pod(DEPLOYMENTS)(Objects(), None, pod)) == [
        Key(DEPLOYMENTS, "default", "web")
    ]
    assert list(owners_of_pod(REPLICA_SETS)(Objects(), None, pod)) == []


def test_an_orphan_concerns_whoever_selects_it(build: Any) -> None:
    objects = Objects()
    objects.put(REPLICA_SETS, build.replica_set("web"))
    objects.put(REPLICA_SETS, build.replica_set("api"))
    orphan = build.pod("a", labels={"app": "web"})
    objects.put(PODS, orphan)
    found = list(owners_of_pod(REPLICA_SETS)(objects, None, orphan))
    assert found == [Key(REPLICA_SETS, "default", "web")]
