"""Answers ready to be sent."""

from random import Random
from typing import Any

from cluster.dns.prepared import Prepared
from cluster.dns.response import respond
from cluster.dns.zone import Zone
from cluster.objects.resources import SERVICES
from cluster.wire.dns import Edns, Message, Question, RRType, encode


def prepared(zone: Zone, name: str, type_: int = 1, **more: Any) -> tuple[bytes, Prepared]:
    full = name[:-1] + "cluster.local" if name.endswith("Z") else name
    query = encode(Message(id=0, questions=(Question(full, type_),), **more))
    response = respond(query, zone, udp=True)
    assert response is not None
    return encode(response.message, response.bytes_max), Prepared.of(
        query, response, zone, Random(1)
    )


def test_the_rest_is_the_response_without_its_id(worked: Zone) -> None:
    whole, made = prepared(worked, "web.ns.svc.Z")
    assert whole == b"\0\0" + made.rest
    assert (made.truncated, made.bytes_sent, made.bytes_held) == (False, len(whole), len(made.rest))
    assert made.told.asked and made.told.why == "ClusterIP of Service ns/web"
    made.turn()
    assert whole == b"\0\0" + made.rest, "one address has one order"


def test_a_later_zone_changes_the_serial_alone(make: Any, worked: Zone) -> None:
    """D-5, D-57."""
    later = worked.with_changes([(SERVICES, None, make.service("other", "10.96.0.40"))])
    edns = Edns(udp_bytes=1232)
    for name, type_ in (
        ("nope.ns.svc.Z", RRType.A),
        ("web.ns.svc.Z", RRType.AAAA),
        ("Z", RRType.SOA),
        ("9.0.96.10.in-addr.arpa", RRType.PTR),
        ("web.ns.svc.Z", RRType.A),
    ):
        for more in ({}, {"edns": edns}):
            _, made = prepared(worked, name, type_, **more)
            made.renew(later.serial, 5)
            assert b"\0\0" + made.rest == prepared(later, name, type_, **more)[0]
            assert made.epoch == 5


def test_several_addresses_take_turns(make: Any, worked: Zone) -> None:
    """D-102."""
    _, made = prepared(worked, "hl.ns.svc.Z")
    seen = [made.rest]
    for _ in range(3):
        made.turn()
        seen.append(made.rest)
    assert len(set(seen)) == 2 and len({len(each) for each in seen}) == 1
    assert made.bytes_held == 32 * len(made.rest)


def test_what_does_not_fit_is_truncated(make: Any) -> None:
    """D-93."""
    ips = [f"10.244.0.{number}" for number in range(100)]
    zone = make.zone(make.headless("hl"), slices=(make.slice("hl", *ips),))
    assert prepared(zone, "hl.ns.svc.Z")[1].truncated
    assert not prepared(zone, "hl.ns.svc.Z", edns=Edns(udp_bytes=4096))[1].truncated
