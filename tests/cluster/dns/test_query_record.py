"""A query as a trace record."""

from typing import Any

from cluster.dataplane.decision import Action, Code, Stage
from cluster.dns.query_record import origin_of, query_detail, segment_of_query
from cluster.dns.zone import Zone
from cluster.trace.record import Outcome, Segment
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.dns import Question, RRType
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind

CLIENT, SERVER = SocketAddress("10.244.1.5", 4000), SocketAddress("10.244.2.3", 53)


def recorded(zone: Zone, name: str) -> Segment:
    question = Question(name, RRType.A)
    answer = zone.answer(question)
    return segment_of_query(
        Flow(Protocol.UDP, CLIENT, SERVER),
        Origin(OriginKind.POD, "ns/client"),
        query_detail(question, answer.rcode, answer.answers),
        flow_id="4c1f9a2b7d3e6f80",
        process="dns",
        rcode=answer.rcode,
        why=answer.reason,
        at=5.0,
        seconds=0.25,
    )


def test_an_answered_query_says_what_it_was_answered_and_why(worked: Zone) -> None:
    """O-12, O-13."""
    segment = recorded(worked, "web.ns.svc.cluster.local")
    (hop,) = segment.hops
    assert (segment.kind, segment.outcome, segment.code) == (
        FlowKind.DNS,
        Outcome.DELIVERED,
        None,
    )
    assert (hop.step.stage, hop.step.action) == (Stage.RESOLVE, Action.DELIVERED)
    assert segment.reason == (
        "web.ns.svc.cluster.local A is 10.96.0.20 (ClusterIP of Service ns/web)"
    )
    assert hop.step.detail == {
        "name": "web.ns.svc.cluster.local",
        "type": "A",
        "rcode": "NOERROR",
        "answers": ["10.96.0.20"],
    }
    assert (segment.started, segment.ended) == (5.0, 5.25)
    assert Segment.from_json(segment.to_json()) == segment


def test_a_name_that_does_not_exist_is_a_refusal_with_its_code(worked: Zone) -> None:
    """O-12, O-20."""
    segment = recorded(worked, "nope.ns.svc.cluster.local")
    assert (segment.outcome, segment.code) == (Outcome.REFUSED, Code.NXDOMAIN)
    assert segment.hops[0].step.action is Action.REJECTED
    assert segment.reason == (
        "nope.ns.svc.cluster.local A is NXDOMAIN (no Service nope in namespace ns)"
    )


def test_no_data_is_an_answer(worked: Zone) -> None:
    """D-145."""
    segment = recorded(worked, "ns.svc.cluster.local")
    assert segment.outcome is Outcome.DELIVERED
    assert "is NODATA" in segment.reason


def test_the_client_is_a_pod_if_the_zone_knows_its_address(make: Any) -> None:
    """O-16."""
    zone = make.zone(pods=(make.pod("client", "10.244.1.5"),))
    assert origin_of(CLIENT, zone) == Origin(OriginKind.POD, "ns/client")
    elsewhere = SocketAddress("127.0.0.1", 9)
    assert origin_of(elsewhere, zone) == Origin(OriginKind.OUTSIDE, "127.0.0.1")
