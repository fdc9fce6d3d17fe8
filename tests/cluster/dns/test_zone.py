"""The zone follows its objects, change by change."""

import random
from typing import Any

from cluster.dns.zone import Zone
from cluster.objects.resources import ENDPOINT_SLICES, NAMESPACES, NODES, PODS, SERVICES


def test_a_service_appears_moves_and_goes(make: Any) -> None:
    """D-23."""
    zone = make.zone()
    first, moved = make.service("web", "10.96.0.20"), make.service("web", "10.96.0.21")
    assert make.ask(zone, "web.ns.svc.Z").rcode == 3
    there = zone.with_changes([(SERVICES, None, first)])
    assert make.data(there, "web.ns.svc.Z") == ["10.96.0.20"]
    after = there.with_changes([(SERVICES, first, moved)])
    assert make.data(after, "web.ns.svc.Z") == ["10.96.0.21"]
    assert make.ask(after, "20.0.96.10.in-addr.arpa", "PTR").rcode == 3
    gone = after.with_changes([(SERVICES, moved, None)])
    assert make.ask(gone, "web.ns.svc.Z").rcode == 3
    assert make.data(there, "web.ns.svc.Z") == ["10.96.0.20"], "an old zone stays as it was"


def test_an_address_taken_over_stays_with_its_new_owner(make: Any) -> None:
    old, new = make.service("old", "10.96.0.20"), make.service("new", "10.96.0.20")
    zone = make.zone(old).with_changes([(SERVICES, None, new), (SERVICES, old, None)])
    assert make.data(zone, "20.0.96.10.in-addr.arpa", "PTR") == ["new.ns.svc.cluster.local"]


def test_endpoints_follow_their_slices(make: Any) -> None:
    """D-24, D-25: an endpoint in two slices stays until both have let go."""
    one = make.slice("hl", "10.244.1.5", name="a")
    two = make.slice("hl", "10.244.1.5", "10.244.2.6", name="b")
    zone = make.zone(make.headless("hl"), slices=(one, two))
    assert make.data(zone, "hl.ns.svc.Z") == ["10.244.1.5", "10.244.2.6"]
    less = zone.with_changes([(ENDPOINT_SLICES, two, None)])
    assert make.data(less, "hl.ns.svc.Z") == ["10.244.1.5"]
    assert make.data(less, "5.1.244.10.in-addr.arpa", "PTR")
    none = less.with_changes([(ENDPOINT_SLICES, one, make.slice("hl", name="a"))])
    assert make.ask(none, "hl.ns.svc.Z").rcode == 3
    assert make.ask(none, "5.1.244.10.in-addr.arpa", "PTR").rcode == 3
    assert len(none.slices) == 0 and len(none.endpoint_owners) == 0


def test_a_slice_that_changes_its_service_changes_the_names(make: Any) -> None:
    before, after = make.slice("a", "10.244.1.5", name="s"), make.slice("b", "10.244.1.5", name="s")
    zone = make.zone(make.headless("a"), make.headless("b"), slices=(before,))
    zone = zone.with_changes([(ENDPOINT_SLICES, before, after)])
    assert make.ask(zone, "a.ns.svc.Z").rcode == 3
    assert make.data(zone, "b.ns.svc.Z") == ["10.244.1.5"]


def test_a_namespace_decides_over_all_its_names(make: Any) -> None:
    """D-59."""
    zone = make.zone(make.service("web", "10.96.0.20"))
    gone = zone.with_changes([(NAMESPACES, make.namespace("ns"), None)])
    assert make.ask(gone, "web.ns.svc.Z").rcode == 3
    assert make.ask(gone, "ns.svc.Z").rcode == 3


def test_pods_are_known_by_address_while_they_live(make: Any) -> None:
    pod, host = make.pod("a", "10.244.1.5"), make.pod("h", "172.30.0.1", hostNetwork=True)
    zone = make.zone(pods=(pod, host))
    assert zone.pod_at("10.244.1.5") == ("ns", "a")
    assert zone.pod_at("172.30.0.1") is None
    older = make.zone(pods=(make.pod("a", "10.244.1.5", status={"podIPs": None}),))
    assert older.pod_at("10.244.1.5") == ("ns", "a")
    assert make.zone(pods=(make.pod("a", "", status={"podIPs": []}),)).pods == {}
    finished = make.pod("a", "10.244.1.5", status={"phase": "Succeeded"})
    heir = make.pod("b", "10.244.1.5")
    zone = zone.with_changes([(PODS, None, heir), (PODS, pod, finished)])
    assert zone.pod_at("10.244.1.5") == ("ns", "b")
    assert zone.with_changes([(PODS, heir, None)]).pod_at("10.244.1.5") is None


def test_a_change_of_no_name_is_no_change(make: Any) -> None:
    """D-91: so what is remembered of the zone stays good."""
    service, slice_ = make.service("web", "10.96.0.20"), make.slice("web", "1.2.3.4")
    pod = make.pod("a", "10.244.1.5")
    zone = make.zone(service, slices=(slice_,), pods=(pod,))
    labelled = {**service, "metadata": {**service["metadata"], "annotations": {"a": "b"}}}
    unchanged = zone.with_changes(
        [
            (SERVICES, service, labelled),
            (ENDPOINT_SLICES, slice_, dict(slice_)),
            (PODS, pod, make.pod("a", "10.244.1.5", status={"phase": "Running"})),
            (NAMESPACES, make.namespace("ns"), make.namespace("ns")),
            (NODES, None, {"metadata": {"name": "n"}}),
        ]
    )
    assert unchanged is zone


def test_each_change_has_a_serial_of_its_own(make: Any) -> None:
    """D-5."""
    zone = make.zone()
    changed = zone.with_changes([(SERVICES, None, make.service("web", "10.96.0.20"))])
    assert changed.serial == zone.serial + 1


def test_any_order_of_changes_gives_the_zone_built_whole(make: Any) -> None:
    """Random histories; the seed is the test's."""
    dice = random.Random(7)
    for _ in range(30):
        zone, services, slices = make.zone(), dict[str, Any](), dict[str, Any]()
        for _ in range(40):
            name = f"s{dice.randrange(4)}"
            if dice.random() < 0.4:
                new = dice.choice(
                    [None, make.headless(name), make.service(name, f"10.96.0.{name[1:]}")]
                )
                zone = zone.with_changes([(SERVICES, services.pop(name, None), new)])
                services.update({name: new} if new else {})
            else:
                ips = [f"10.244.1.{n}" for n in range(5) if dice.random() < 0.4]
                key = f"{name}-{dice.randrange(2)}"
                new = make.slice(name, *ips, name=key) if dice.random() < 0.8 else None
                zone = zone.with_changes([(ENDPOINT_SLICES, slices.pop(key, None), new)])
                slices.update({key: new} if new else {})
        whole = make.zone(*services.values(), slices=tuple(slices.values()))
        assert _names(make, zone) == _names(make, whole)


def _names(make: Any, zone: Zone) -> list[Any]:
    asked = [(f"s{n}.ns.svc.Z", "A") for n in range(4)]
    asked += [(f"{n}.1.244.10.in-addr.arpa", "PTR") for n in range(5)]
    asked += [(f"{n}.0.96.10.in-addr.arpa", "PTR") for n in range(4)]
    return [(make.ask(zone, *each).rcode, sorted(make.data(zone, *each))) for each in asked]
