from typing import Any

import pytest

from cluster.dataplane.conntrack import AffinityTable, Conntrack, Direction, Entry, FlowState
from cluster.dataplane.decision import AffinityKey, Code, Drop, Local, Pin, Via
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow

VIP, POD, OTHER = "10.96.0.10:53", "10.244.2.2:53", "10.244.3.2:53"
CLIENT = "10.244.1.2:5000"


@pytest.fixture
def table() -> Conntrack:
    return Conntrack()


def opened(
    make: Any,
    table: Conntrack,
    *,
    source: str = CLIENT,
    front: str = VIP,
    endpoint: str = POD,
    translated_source: str = "",
    protocol: str = "UDP",
    now: float = 0.0,
) -> Entry:
    context = make.context(source, front, protocol=protocol)
    onward = make.flow(translated_source or source, endpoint, protocol)
    entry = table.open(context.flow, onward, context, Via("node-2"), now=now)
    assert isinstance(entry, Entry)
    return entry


def test_a_flow_is_found_by_its_own_tuple_and_by_its_replys(make: Any, table: Conntrack) -> None:
    """S-84, N-15: the reply comes from the endpoint and is known all the same."""
    entry = opened(make, table)
    assert table.find(make.flow(CLIENT, VIP, "UDP"), now=1.0) == (entry, Direction.ORIGINAL)
    assert table.find(make.flow(POD, CLIENT, "UDP"), now=1.0) == (entry, Direction.REPLY)


def test_a_reply_gives_no_right_to_a_new_flow_back(make: Any, table: Conntrack) -> None:
    """N-16."""
    opened(make, table)
    assert table.find(make.flow("10.244.2.2:9999", CLIENT, "UDP"), now=1.0) is None
    assert table.find(make.flow(POD, CLIENT, "TCP"), now=1.0) is None


def test_a_flow_without_a_reply_lives_thirty_seconds(make: Any, table: Conntrack) -> None:
    """S-129, N-86."""
    flow = opened(make, table).original
    assert table.find(flow, now=29.9) is not None
    assert table.find(flow, now=30.0) is None


def test_a_client_that_keeps_sending_keeps_its_flow(make: Any, table: Conntrack) -> None:
    """S-129."""
    flow = opened(make, table).original
    for now in (20.0, 40.0, 60.0):
        assert table.seen(flow, now=now) is not None
    assert table.find(flow, now=89.0) is not None
    assert table.find(flow, now=90.0) is None


def test_a_reply_makes_a_stream_that_lives_two_minutes(make: Any, table: Conntrack) -> None:
    """S-129."""
    entry = opened(make, table)
    table.seen(make.flow(POD, CLIENT, "UDP"), now=10.0)
    assert entry.state is FlowState.STREAM
    assert table.find(entry.original, now=129.9) is not None
    assert table.find(entry.original, now=130.0) is None


def test_a_known_flow_is_touched_without_being_looked_for(make: Any, table: Conntrack) -> None:
    """S-129: as if it was found, in either direction, until it is live no more."""
    entry = opened(make, table)
    assert table.touch(entry, Direction.ORIGINAL, now=20.0)
    assert (entry.state, entry.expires) == (FlowState.UNREPLIED, 50.0)
    assert table.touch(entry, Direction.REPLY, now=40.0)
    assert (entry.state, entry.expires) == (FlowState.STREAM, 160.0)
    assert not table.touch(entry, Direction.REPLY, now=160.0)
    assert table.expire(160.0) == [entry] and entry.closed


def test_a_flow_that_was_closed_is_not_touched(make: Any, table: Conntrack) -> None:
    entry = opened(make, table)
    table.close(entry)
    assert not table.touch(entry, Direction.ORIGINAL, now=1.0)
    anew = opened(make, table, now=2.0)
    assert not table.touch(entry, Direction.ORIGINAL, now=3.0)
    assert (anew.last_seen, len(table)) == (2.0, 1)


def test_expired_flows_are_named_once_and_forgotten(make: Any, table: Conntrack) -> None:
    first, second = opened(make, table), opened(make, table, source="10.244.1.2:5001", now=5.0)
    third = opened(make, table, source="10.244.1.2:5002", now=6.0)
    table.seen(make.flow(POD, "10.244.1.2:5002", "UDP"), now=7.0)
    assert table.expire(29.0) == []
    assert table.expire(36.0) == [first, second]
    assert table.expire(36.0) == []
    assert list(table.entries(now=36.0)) == [third] and len(table) == 1


def test_expiry_looks_only_at_what_expires(make: Any, table: Conntrack) -> None:
    """O(1) amortised: the last to be seen is the last to expire, whenever it was opened."""
    entries = [opened(make, table, source=f"10.244.1.2:{port}") for port in range(1000, 1100)]
    table.seen(entries[0].original, now=20.0)
    assert table.expire(30.0) == entries[1:]


def test_an_established_tcp_flow_outlives_every_udp_time_out(make: Any, table: Conntrack) -> None:
    entry = opened(make, table, protocol="TCP")
    assert entry.state is FlowState.ESTABLISHED
    assert table.find(entry.original, now=3600.0) is not None
    table.close(entry)
    assert table.find(entry.original, now=0.0) is None and len(table) == 0
    table.close(entry)


def test_a_full_table_drops_new_flows_and_keeps_old_ones(make: Any) -> None:
    """O-28."""
    table = Conntrack(entries_max=2)
    first = opened(make, table)
    opened(make, table, source="10.244.1.2:5001")
    context = make.context("10.244.1.2:5002", VIP, protocol="UDP")
    full = table.open(context.flow, context.flow, context, Local(), now=1.0)
    assert isinstance(full, Drop) and full.code is Code.TABLE_FULL
    assert "2 of 2" in full.reason
    assert table.find(first.original, now=1.0) is not None
    room = table.open(context.flow, context.flow, context, Local(), now=30.0)
    assert isinstance(room, Entry), "what has expired makes room"


def test_opening_a_flow_again_replaces_it(make: Any, table: Conntrack) -> None:
    opened(make, table)
    again = opened(make, table, endpoint=OTHER)
    assert len(table) == 1
    assert table.find(make.flow(CLIENT, VIP, "UDP"), now=1.0) == (again, Direction.ORIGINAL)
    assert table.find(make.flow(POD, CLIENT, "UDP"), now=1.0) is None


def test_a_socket_that_talks_to_itself_is_one_flow(make: Any, table: Conntrack) -> None:
    itself = opened(make, table, source=CLIENT, front=CLIENT, endpoint=CLIENT)
    assert table.find(itself.original, now=1.0) is not None
    table.close(itself)
    assert len(table) == 0 and table.find(itself.original, now=1.0) is None


def test_a_source_port_is_rewritten_where_two_translated_flows_collide(
    make: Any, table: Conntrack
) -> None:
    """S-106: two clients with one port, behind one address, at one endpoint."""
    snat = "172.30.0.1:5000"
    first = opened(make, table, source="203.0.113.1:5000", translated_source=snat)
    second = opened(make, table, source="203.0.113.2:5000", translated_source=snat)
    assert first.translated.source == ("172.30.0.1", 5000)
    assert second.translated.source.ip == "172.30.0.1"
    assert second.translated.source.port != 5000
    for entry in (first, second):
        found = table.find(entry.translated.reply(), now=1.0)
        assert found == (entry, Direction.REPLY)


def test_a_node_out_of_source_ports_drops(make: Any, table: Conntrack) -> None:
    """O-28: bounded search, then a named drop."""
    dropped = None
    for client in range(200):
        context = make.context(f"203.0.113.{client}:5000", VIP, protocol="UDP")
        onward = make.flow("172.30.0.1:5000", POD, "UDP")
        answer = table.open(context.flow, onward, context, Local(), now=0.0)
        dropped = answer if isinstance(answer, Drop) else dropped
    assert dropped is not None and dropped.code is Code.NO_MAPPING
    assert len(table) == 129


def test_udp_flows_to_an_endpoint_that_is_gone_are_forgotten(make: Any, table: Conntrack) -> None:
    """S-126, S-177, S-125: the next datagram is decided anew; TCP is left alone."""
    gone = opened(make, table)
    kept = opened(make, table, source="10.244.1.2:5001", endpoint=OTHER)
    tcp = opened(make, table, protocol="TCP")
    assert table.forget_endpoint(SocketAddress.parse(POD), Protocol.UDP) == [gone]
    assert table.forget_endpoint(SocketAddress.parse(POD), Protocol.TCP) == []
    assert set(table.entries(now=0.0)) == {kept, tcp}


def test_flows_to_endpoints_that_still_serve_go_on(make: Any, table: Conntrack) -> None:
    """S-126, S-128."""
    gone = opened(make, table)
    kept = opened(make, table, source="10.244.1.2:5001", endpoint=OTHER)
    direct = opened(make, table, source="10.244.1.2:5002", front=POD, endpoint=POD)
    serving = {SocketAddress.parse(OTHER)}
    assert table.forget_except(SocketAddress.parse(VIP), Protocol.UDP, serving) == [gone]
    assert set(table.entries(now=0.0)) == {kept, direct}


def test_a_flow_from_before_the_endpoints_is_forgotten(make: Any, table: Conntrack) -> None:
    """S-127: it went to the front's own address, untranslated, into a black hole."""
    hole = opened(make, table, front=VIP, endpoint=VIP)
    serving = {SocketAddress.parse(POD)}
    assert table.forget_except(SocketAddress.parse(VIP), Protocol.UDP, serving) == [hole]


def pin(client: str, endpoint: str, timeout: float = 100.0) -> Pin:
    key = AffinityKey("shop/cart:http/TCP", client)
    return Pin(key, SocketAddress.parse(endpoint), timeout)


def test_affinity_lasts_its_timeout_from_the_last_connection() -> None:
    """S-69."""
    table, first = AffinityTable(), pin("203.0.113.1", POD)
    table.remember(first, now=0.0)
    assert table.lookup(first.key, now=99.0) == first.endpoint
    table.remember(first, now=99.0)
    assert table.lookup(first.key, now=198.0) == first.endpoint
    assert table.lookup(first.key, now=199.0) is None


def test_each_client_and_each_service_port_has_its_own_record() -> None:
    """S-68."""
    table, held = AffinityTable(), pin("203.0.113.1", POD)
    table.remember(held, now=0.0)
    assert table.lookup(AffinityKey(held.key.service, "203.0.113.2"), now=1.0) is None
    assert table.lookup(AffinityKey("shop/cart:admin/TCP", "203.0.113.1"), now=1.0) is None


def test_affinity_is_bounded_and_the_one_used_longest_ago_goes() -> None:
    table = AffinityTable(records_max=2)
    pins = [pin(f"203.0.113.{number}", POD) for number in range(3)]
    table.remember(pins[0], now=0.0)
    table.remember(pins[1], now=1.0)
    table.remember(pins[0], now=2.0)
    table.remember(pins[2], now=3.0)
    assert len(table) == 2
    assert [table.lookup(each.key, now=4.0) is not None for each in pins] == [True, False, True]


def test_expired_affinity_is_dropped_as_new_comes() -> None:
    table = AffinityTable()
    for number in range(100):
        table.remember(pin(f"203.0.113.{number}", POD, timeout=1.0), now=0.0)
    for number in range(60):
        table.remember(pin(f"198.51.100.{number}", POD), now=5.0)
    assert len(table) == 60


def test_a_flow_knows_its_reply() -> None:
    flow = Flow(Protocol.UDP, SocketAddress("a", 1), SocketAddress("b", 2))
    assert flow.reply().reply() == flow
