"""Segments become a trace."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from cluster.dataplane.decision import Code
from cluster.trace.join import Endpoint, by_flow, join, trace_to_json
from cluster.trace.record import ClientSaw, Outcome, Segment


def test_hops_are_in_causal_order_whatever_order_they_arrive_in(path: Any) -> None:
    """O-1, O-2."""
    segments = path("balanced")
    for order in permutations(segments):
        trace = join(order)
        assert [hop.number for hop in trace.hops] == list(range(7))
        assert [each.process for each in trace.segments] == ["gateway", "node-1", "node-2"]
        assert trace.complete and trace.missing == ()


def test_clocks_that_disagree_change_nothing(path: Any) -> None:
    """O-2: hop numbers order, not time."""
    skewed = [replace(each, started=-index) for index, each in enumerate(path("balanced"))]
    assert [each.process for each in join(skewed).segments] == ["gateway", "node-1", "node-2"]


def test_the_end_is_what_the_last_process_says(path: Any) -> None:
    """O-11, O-12, O-20: verdict and what the client saw are separate, from different ends."""
    trace = join(path("denied"))
    assert (trace.outcome, trace.code) == (Outcome.DROPPED, Code.POLICY_DENIED)
    assert trace.reason.startswith("denied: shop/default-deny")
    assert trace.client_saw is ClientSaw.TIMEOUT
    assert trace.endpoint is None


def test_a_delivered_flow_has_its_endpoint(path: Any) -> None:
    """O-16, O-17: who opened it stays, whatever the addresses became."""
    trace = join(path("balanced"))
    assert trace.endpoint == Endpoint(
        namespace="shop", pod="frontend-7d4b9c-x2x1p", node="node-2", ip="10.244.2.7", port=8080
    )
    assert str(trace.endpoint) == "shop/frontend-7d4b9c-x2x1p"
    assert str(trace.original.destination) == "127.65.0.1:80"
    assert str(trace.flow) == "TCP 172.30.0.1:40312 -> 10.244.2.7:8080"
    assert trace.origin.name == "203.0.113.1"
    assert trace.decided_seconds == pytest.approx(0.00042)


def test_a_process_that_was_passed_the_flow_and_says_nothing_is_missing(path: Any) -> None:
    trace = join(path("balanced")[:2])
    assert trace.missing == ("node-2 has not reported: the flow was passed to it by node-1",)
    assert trace.outcome is Outcome.PASSED and not trace.complete


def test_where_a_socket_was_handed_over_its_holder_tells_what_the_client_saw(path: Any) -> None:
    """O-12, O-20."""
    gateway, middle, last = path("balanced")
    gateway = replace(gateway, client_saw=ClientSaw.UNKNOWN, handed_over=True)
    silent = join([gateway, replace(middle, handed_over=True), last])
    assert silent.client_saw is ClientSaw.UNKNOWN and not silent.complete
    told = join([gateway, middle, replace(last, client_saw=ClientSaw.CONNECTED)])
    assert told.client_saw is ClientSaw.CONNECTED and told.complete


def test_hops_that_nobody_tells_of_are_missing(path: Any) -> None:
    gateway, _, node = path("balanced")
    assert join([gateway, node]).missing == (
        "hops 1 to 3 are not reported: node-2 had the flow from node-1",
    )
    first = replace(node, hops=node.hops[1:])
    assert join([first]).missing == (
        "hops 0 to 4 are not reported: node-2 was not the first to see the flow",
    )
    one = replace(gateway, hops=tuple(replace(hop, number=1) for hop in gateway.hops))
    assert join([one]).missing[0].startswith("hop 0 is not reported")


def test_a_flow_that_comes_back_to_a_process_has_two_parts_there(path: Any) -> None:
    first, second, last = path("balanced")
    again = replace(last, process="gateway")
    assert [each.process for each in join([again, first, second]).segments] == [
        "gateway",
        "node-1",
        "gateway",
    ]


def test_of_two_reports_of_one_part_the_last_counts(path: Any) -> None:
    *before, last = path("denied")
    updated = replace(before[0], client_saw=ClientSaw.RESET)
    trace = join([before[0], last, updated])
    assert trace.client_saw is ClientSaw.RESET
    assert len(trace.segments) == 2


def test_a_trace_waits_for_what_the_client_saw(path: Any) -> None:
    first, last = path("denied")
    waiting = replace(first, client_saw=ClientSaw.UNKNOWN)
    assert not join([waiting, last]).complete
    assert join([first, last]).complete


def test_segments_of_several_flows_are_sorted_out_first(path: Any) -> None:
    mine = path("denied")
    other = [replace(each, flow_id="feed", started=1.0) for each in path("datagrams")]
    with pytest.raises(ValueError, match="2"):
        join([*mine, *other])
    with pytest.raises(ValueError, match="0"):
        join([])
    flows = by_flow([*mine, *other])
    assert list(flows) == ["feed", mine[0].flow_id]
    assert flows["feed"] == other


def test_the_json_holds_all_of_it(path: Any) -> None:
    """O-1, O-3, O-12, O-20."""
    segments = path("balanced")
    document = trace_to_json(join(segments))
    assert [Segment.from_json(each) for each in document["segments"]] == segments
    assert document["endpoint"]["node"] == "node-2"
    assert document["complete"] is True and document["missing"] == []
    assert document["origin"] == {"kind": "outside", "name": "203.0.113.1", "node": ""}
    denied = trace_to_json(join(path("denied")))
    assert (denied["outcome"], denied["code"], denied["clientSaw"]) == (
        "dropped",
        "POLICY_DENIED",
        "timeout",
    )
    assert denied["endpoint"] is None


def test_a_part_without_hops_is_no_gap(path: Any) -> None:
    """A process that only noted the flow's end has made no step."""
    (whole,) = path("datagrams")
    bare = replace(whole, process="gateway", hops=(), outcome=Outcome.PASSED, started=0.0)
    trace = join([replace(bare, next_process="node-1"), whole])
    assert trace.missing == () and trace.outcome is Outcome.DELIVERED
    alone = join([replace(bare, next_process="node-1")])
    assert alone.missing == ("node-1 has not reported: the flow was passed to it by gateway",)
    assert alone.flow == whole.original


def test_a_flow_passed_to_nobody_by_name_misses_nobody(path: Any) -> None:
    first = replace(path("balanced")[0], next_process="")
    assert join([first]).missing == ()


def test_the_sender_of_a_gap_is_not_named_if_it_has_reported(path: Any) -> None:
    _, node_1, node_2 = path("balanced")
    later = tuple(replace(hop, number=hop.number + 2) for hop in node_2.hops)
    assert join([node_1, replace(node_2, hops=later)]).missing[1] == (
        "hops 4 to 5 are not reported: node-2 was not the first to see the flow"
    )


def test_an_endpoint_without_a_port_has_none(path: Any) -> None:
    (whole,) = path("datagrams")
    trace = join([replace(whole, endpoint={"namespace": "shop", "pod": "clock-0"})])
    assert trace.endpoint is not None and trace.endpoint.port == 0
    assert trace_to_json(trace)["code"] is None
