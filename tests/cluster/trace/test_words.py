"""Flows in words."""

from dataclasses import replace
from typing import Any

import pytest

from cluster.dataplane.decision import Code
from cluster.trace.join import join
from cluster.trace.record import ClientSaw, Outcome
from cluster.trace.words import (
    clock_time,
    duration,
    explanation,
    verdict,
    where_to,
    who,
)
from cluster.wire.flow import Origin, OriginKind


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (Origin(OriginKind.POD, "shop/client"), "pod shop/client"),
        (Origin(OriginKind.NODE, "node-1"), "node node-1"),
        (Origin(OriginKind.OUTSIDE, "203.0.113.7"), "internet"),
    ],
)
def test_who_opened_a_flow(origin: Origin, words: str) -> None:
    """O-16."""
    assert who(origin) == words


def test_a_flow_is_for_a_service_a_question_a_pod_or_an_address(path: Any) -> None:
    assert where_to(join(path("balanced"))) == "service shop/frontend"
    assert where_to(join(path("unknown_name"))) == "nope.shop.svc.cluster.local A"
    last = path("balanced")[-1]
    assert where_to(join([last])) == "pod shop/frontend-7d4b9c-x2x1p"
    assert where_to(join([replace(last, endpoint={})])) == "127.65.0.1:80"


def test_a_name_that_was_not_found_is_what_its_flow_was_for(path: Any) -> None:
    """O-13: recorded by the node whose pod asked in vain."""
    (segment,) = path("unknown_name")
    step = replace(segment.hops[0].step, detail={"name": "nope", "queries": []})
    hops = (replace(segment.hops[0], step=step),)
    trace = join([replace(segment, hops=hops, client_saw=ClientSaw.UNRESOLVED)])
    assert where_to(trace) == "nope"
    assert dict(explanation(trace))["client saw"] == "name not known"


@pytest.mark.parametrize(
    ("code", "outcome", "words", "label", "said"),
    [
        (Code.NXDOMAIN, Outcome.REFUSED, "no such name", "answered", "NXDOMAIN by 10.96.0.10:53"),
        (
            Code.NODATA,
            Outcome.REFUSED,
            "name without address",
            "answered",
            "NODATA by 10.96.0.10:53",
        ),
        (
            Code.DNS_UNANSWERED,
            Outcome.DROPPED,
            "name not answered",
            "dropped",
            "in silence by dns, DNS_UNANSWERED",
        ),
    ],
)
def test_names_that_lead_nowhere_are_told_apart(
    path: Any, code: Code, outcome: Outcome, words: str, label: str, said: str
) -> None:
    """O-13, O-20: it does not exist, it has no address, nobody answered."""
    (segment,) = path("unknown_name")
    queries = [{"name": "nope.", "type": "A", "rcode": str(code), "server": "10.96.0.10:53"}]
    step = replace(segment.hops[0].step, code=code, detail={"name": "nope", "queries": queries})
    hops = (replace(segment.hops[0], step=step),)
    trace = join([replace(segment, hops=hops, code=code, outcome=outcome)])
    assert (verdict(trace), where_to(trace)) == (words, "nope")
    told = dict(explanation(trace))
    assert told[label] == said
    assert ("would help" in told) is (code is Code.DNS_UNANSWERED)


@pytest.mark.parametrize(
    ("name", "words"),
    [("balanced", "delivered"), ("denied", "dropped"), ("closed_port", "refused")],
)
def test_refused_and_dropped_are_told_apart(path: Any, name: str, words: str) -> None:
    """O-11, O-110."""
    assert verdict(join(path(name))) == words


def test_the_sender_of_a_dropped_datagram_saw_nothing(path: Any) -> None:
    """O-20: no process has to report a silence."""
    (whole,) = path("datagrams")
    unreported = replace(whole, client_saw=ClientSaw.UNKNOWN)
    dropped = replace(unreported, outcome=Outcome.DROPPED, code=Code.POLICY_DENIED)
    assert dict(explanation(join([dropped])))["client saw"] == "no reply"
    refused = replace(unreported, outcome=Outcome.REFUSED, code=Code.PORT_CLOSED)
    assert dict(explanation(join([refused])))["client saw"] == "not reported"


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (Code.NO_LOCAL_ENDPOINT_EXTERNAL, "externalTrafficPolicy Cluster"),
        (Code.NO_LOCAL_ENDPOINT_INTERNAL, "internalTrafficPolicy Cluster"),
        (Code.SOURCE_RANGE, "loadBalancerSourceRanges"),
        (Code.UNDEFINED_SERVICE_PORT, "ports"),
    ],
)
def test_a_code_says_what_would_help(path: Any, code: Code, hint: str) -> None:
    trace = join([replace(path("without_endpoints")[0], code=code)])
    assert hint in dict(explanation(trace))["would help"]


def test_a_steps_own_hint_comes_first(path: Any) -> None:
    (segment,) = path("without_endpoints")
    step = replace(segment.hops[0].step, detail={"hint": "turn it off and on"})
    trace = join([replace(segment, hops=(replace(segment.hops[0], step=step),))])
    assert dict(explanation(trace))["would help"] == "turn it off and on"


def test_policies_that_the_reason_leaves_out_are_named(path: Any) -> None:
    """O-8: all that isolate the pod."""
    *before, last = path("denied")
    step = last.hops[-1].step
    detail = {**step.detail, "isolating": ["shop/default-deny", "shop/other"]}
    hops = (*last.hops[:-1], replace(last.hops[-1], step=replace(step, detail=detail)))
    rows = dict(explanation(join([*before, replace(last, hops=hops)])))
    assert rows["policy"] == (
        "shop/default-deny, shop/other isolate shop/frontend-7d4b9c-x2x1p for ingress"
    )


def test_an_egress_rule_leads_the_other_way(path: Any) -> None:
    *before, last = path("denied")
    hop = last.hops[-1]
    step = replace(hop.step, stage="egress", detail={**hop.step.detail, "direction": "Egress"})
    rows = dict(
        explanation(join([*before, replace(last, hops=(*last.hops[:-1], replace(hop, step=step)))]))
    )
    assert rows["would help"].startswith("an egress rule to shop/client on TCP 8080")


def test_numbers_are_short() -> None:
    assert [duration(seconds) for seconds in (0.00042, 0.25, 12.34)] == [
        "0.42 ms",
        "250.00 ms",
        "12.3 s",
    ]
    assert clock_time(1_790_000_000.1239) == "14:13:20.123"
