"""Names found and missing, and why: an answer that is no must say what is missing."""

from typing import Any

import pytest

from cluster.dns.lookup import Found, Missing, look_up
from cluster.dns.schema import origin_of


def found(zone: Any, name: str) -> Found | Missing:
    full = name + "cluster.local" if name.endswith(".") else name
    origin = origin_of(full, "cluster.local")
    assert origin is not None
    return look_up(zone, full, origin)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("web.nons.svc.", "no namespace nons"),
        ("nope.ns.svc.", "no Service nope in namespace ns"),
        ("_x._tcp.web.ns.svc.", "Service ns/web has no port x/tcp"),
        ("_http._udp.hl.ns.svc.", "Service ns/hl has no port http/udp"),
        ("a.hl.ns.svc.", "Service ns/hl has no ready endpoint called a"),
        ("idle.ns.svc.", "Service ns/idle has no ready endpoint"),
        ("db.ip.ns.svc.", "Service ns/ip is an alias: nothing lies below it"),
        ("ip.ns.svc.", "Service ns/ip is an alias for an address, not for a name"),
        ("x.ns.pod.", "x is not an address"),
        ("9.9.9.9.in-addr.arpa", "9.9.9.9 belongs to no Service"),
        ("9.in-addr.arpa", "not a whole address"),
        ("foo.", "foo is neither svc nor pod"),
    ],
)
def test_what_is_missing_is_named(make: Any, name: str, reason: str) -> None:
    zone = make.zone(
        make.service("web", "10.96.0.20"),
        make.headless("hl"),
        make.headless("idle"),
        make.alias("ip", "192.0.2.1"),
        slices=(make.slice("hl", "10.244.1.5"),),
    )
    assert found(zone, name) == Missing(reason)


def test_what_is_found_says_what_it_is(worked: Any) -> None:
    answer = found(worked, "web.ns.svc.")
    assert isinstance(answer, Found)
    assert answer.reason == "ClusterIP of Service ns/web"
    assert [(each.ip, each.port) for each in answer.entries] == [("10.96.0.20", 80)]
    headless = found(worked, "hl.ns.svc.")
    assert headless.reason == "2 ready endpoints of Service ns/hl"


def test_a_service_that_waits_for_its_address_exists(make: Any) -> None:
    zone = make.zone(make.service("new"))
    assert found(zone, "new.ns.svc.") == Found(reason="Service ns/new has no address yet")
