"""A way sends as long as its flow lives, and counts what it sent."""

from typing import Any

import pytest

from cluster.dataplane.conntrack import Conntrack, Direction, Entry
from cluster.dataplane.decision import Via
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowContext, Origin, OriginKind
from node_agent.cni.datagram_flow import SWEEP_FIRST, Carried, Payloads, Sender, Way, Ways

FLOW = Flow(Protocol.UDP, SocketAddress("10.244.1.9", 4000), SocketAddress("10.244.2.5", 53))
CONTEXT = FlowContext(
    flow_id="0123456789abcdef", flow=FLOW, original=FLOW, origin=Origin(OriginKind.POD, "a/b")
)


class Road:
    """A flow and where its datagrams went."""

    def __init__(self, manual_clock: Any) -> None:
        self.clock = manual_clock
        self.table = Conntrack()
        self.onward: list[tuple[bytes, bool]] = []
        self.back: list[tuple[bytes, bool]] = []
        self.first_replies = 0
        entry = self.table.open(FLOW, FLOW, CONTEXT, Via("node-2"), now=self.clock.monotonic())
        assert isinstance(entry, Entry)
        self.entry = entry
        sender = Sender(self._took(self.back), lambda: None)
        self.carried = Carried(entry, self._took(self.onward), sender, True, self._replied)

    def _took(self, into: list[tuple[bytes, bool]]) -> Any:
        def take(payloads: Payloads, at_once: bool) -> None:
            into.extend((each, at_once) for each in payloads)

        return take

    def _replied(self, _: Carried) -> None:
        self.first_replies += 1

    def way(self, direction: Direction) -> Way:
        return Way(self.table, self.carried, direction, self.clock)


@pytest.fixture
def road(manual_clock: Any) -> Road:
    return Road(manual_clock)


def test_a_way_leads_onward_or_back(road: Road) -> None:
    assert road.way(Direction.ORIGINAL).send([b"one", b"two"], at_once=True)
    assert road.way(Direction.REPLY).send([b"1"])
    assert road.way(Direction.REPLY).send([b"22", b"333"])
    assert road.onward == [(b"one", True), (b"two", True)]
    assert road.back == [(b"1", False), (b"22", False), (b"333", False)]
    assert (road.carried.bytes_in, road.carried.bytes_out) == (6, 6)
    assert road.first_replies == 1


def test_what_is_sent_keeps_the_flow_alive(road: Road) -> None:
    """S-129."""
    way = road.way(Direction.ORIGINAL)
    for _ in range(3):
        road.clock.advance(20)
        assert way.send([b"still here"])
    road.clock.advance(30)
    assert not way.send([b"too late"])
    assert len(road.onward) == 3


def test_a_flow_that_was_closed_has_no_way(road: Road) -> None:
    way = road.way(Direction.ORIGINAL)
    road.table.close(road.entry)
    assert not way.send([b"one"])
    assert (road.onward, road.carried.bytes_in) == ([], 0)


def test_ways_are_found_by_what_they_were_kept_under(road: Road) -> None:
    ways, way = Ways(2), road.way(Direction.ORIGINAL)
    ways.keep("a", way)
    assert ways.find("a") is way and ways.find("b") is None
    ways.keep("a", None)
    assert ways.find("a") is None


def test_the_ways_of_flows_that_ended_are_swept_out(road: Road) -> None:
    """Each holds all of its flow: a client that asks from a new port each time leaves many."""
    ways = Ways(10 * SWEEP_FIRST)
    for number in range(SWEEP_FIRST):
        ways.keep(number, road.way(Direction.ORIGINAL))
    road.table.close(road.entry)
    alive = Road(road.clock).way(Direction.ORIGINAL)
    ways.keep("alive", alive)
    assert len(ways) == 1 and ways.find("alive") is alive
    for number in range(2 * SWEEP_FIRST):
        ways.keep(number, alive)
    assert len(ways) == 2 * SWEEP_FIRST + 1


def test_ways_are_bounded(road: Road) -> None:
    ways, way = Ways(2), road.way(Direction.ORIGINAL)
    for key in "aabcd":
        ways.keep(key, way)
        assert ways.find(key) is way and len(ways) <= 2
