"""What can be asked of a recorder."""

from dataclasses import replace
from typing import Any

import pytest

from cluster.errors import ConfigError
from cluster.trace.query import LIMIT_DEFAULT, LIMIT_MAX, Query
from cluster.trace.record import Outcome
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import FlowKind

ALL = {
    "id": "feed",
    "source": "10.244.1.5:4000",
    "destination": "10.96.0.20",
    "protocol": "TCP",
    "kind": "traffic",
    "outcome": "dropped",
    "since": "1790000000.5",
    "limit": "5",
}


def test_a_query_is_read_from_parameters_and_written_back() -> None:
    """O-48."""
    query = Query.parse(ALL)
    assert query == Query(
        id="feed",
        source=SocketAddress("10.244.1.5", 4000),
        destination=SocketAddress("10.96.0.20", 0),
        protocol=Protocol.TCP,
        kind=FlowKind.TRAFFIC,
        outcome=Outcome.DROPPED,
        since=1790000000.5,
        limit=5,
    )
    assert query.to_parameters() == ALL
    assert Query.parse(Query(source=SocketAddress("fd00::5", 0)).to_parameters()).source == (
        SocketAddress("fd00::5", 0)
    )


def test_empty_parameters_ask_for_everything() -> None:
    assert Query.parse({"id": "", "limit": "", "kind": ""}) == Query(limit=LIMIT_DEFAULT)
    assert Query.parse({"protocol": "udp"}).protocol is Protocol.UDP
    assert [Query.parse({"limit": text}).limit for text in ("1", "10000")] == [1, LIMIT_MAX]


@pytest.mark.parametrize(
    ("parameter", "text", "message"),
    [
        ("source", "nowhere", "source=nowhere: 'nowhere' does not appear to be an IPv4"),
        ("destination", "10.0.0.1:99999", "the port must be a number from 0 to 65535"),
        ("protocol", "ICMP", "protocol=ICMP: must be one of TCP, UDP, SCTP"),
        ("kind", "all", "kind=all: must be one of traffic, dns, probe"),
        ("outcome", "lost", "must be one of passed, delivered, refused, dropped"),
        ("since", "noon", "since=noon: must be a number of seconds since 1970"),
        ("limit", "0", f"limit=0: must be a number from 1 to {LIMIT_MAX}"),
        ("limit", "10001", "must be a number"),
        ("pod", "x", "pod is not a parameter of /flows; it has destination, id, kind"),
    ],
)
def test_what_is_wrong_with_a_query_is_said(parameter: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Query.parse({parameter: text})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "matches"),
    [
        ({}, True),
        ({"id": "4c1f9a2b7d3e6f80"}, True),
        ({"id": "feed"}, False),
        ({"kind": "traffic"}, True),
        ({"kind": "dns"}, False),
        ({"outcome": "passed"}, True),
        ({"outcome": "dropped"}, False),
        ({"protocol": "TCP"}, True),
        ({"protocol": "UDP"}, False),
        ({"source": "203.0.113.1:40312"}, True),
        ({"source": "203.0.113.1"}, True),
        ({"source": "203.0.113.1:1"}, False),
        ({"source": "172.30.0.1"}, True),  # after masquerade
        ({"destination": "127.65.0.1:80"}, True),
        ({"destination": "10.244.2.7:8080"}, True),  # after the Service's choice
        ({"destination": "10.244.2.7:80"}, False),
        ({"source": "10.244.2.7"}, False),
        ({"since": "1790000000"}, True),
        ({"since": "1790000001"}, False),
    ],
)
def test_an_address_matches_before_and_after_every_translation(
    path: Any, parameters: dict[str, str], matches: bool
) -> None:
    """O-3, O-48."""
    node_1 = path("balanced")[1]
    assert Query.parse(parameters).matches(node_1) is matches


def test_a_flow_without_hops_is_found_by_what_its_client_sent(path: Any) -> None:
    bare = replace(path("balanced")[0], hops=())
    assert Query.parse({"destination": "127.65.0.1:80"}).matches(bare)


def test_since_includes_the_moment_itself(segment: Any) -> None:
    """O-48."""
    assert Query(since=5.0).matches(segment(started=5.0))
    assert not Query(since=5.0).matches(segment(started=4.9))
