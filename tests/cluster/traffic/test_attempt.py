"""Which flow an attempt turns out to be, found among what the processes recorded."""

from dataclasses import replace
from typing import Any

import pytest

from cluster.dataplane.decision import Code
from cluster.traffic.access import Access, Station
from cluster.traffic.attempt import Attempt, name_flow
from cluster.traffic.place import Place
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import FlowKind

STARTED = 1_800_000_000.0


def outside(source: str | None = "127.66.0.7:40001") -> Attempt:
    return Attempt(
        place=Place.parse("203.0.113.7"),
        host="frontend",
        port=80,
        started=STARTED,
        source=SocketAddress.parse(source) if source else None,
    )


def inside(host: str = "cart", port: int = 80) -> Attempt:
    return Attempt(
        place=Place.parse("pod/shop/web"),
        host=host,
        port=port,
        started=STARTED,
        station=Station(node="node-1", origin="pod/shop/web", ip="10.244.1.5"),
    )


async def test_an_outside_clients_flow_is_found_by_its_emulated_source(
    access: Access, machine: Any, made: Any
) -> None:
    """Who dials from 127.66.0.7 is the outside client 203.0.113.7."""
    gateway, node = await machine.process("gateway"), await machine.process("node-1")
    flow = ("203.0.113.7:40001", "127.65.0.1:80")
    gateway.record(made.segment(*flow, flow_id="ours", started=STARTED + 1))
    node.record(made.segment(*flow, flow_id="ours", started=STARTED + 2, first=1))
    gateway.record(made.segment("203.0.113.8:40001", "127.65.0.1:80", started=STARTED + 3))
    gateway.record(made.segment("203.0.113.7:40002", "127.65.0.1:80", started=STARTED + 3))
    attempt = outside()
    assert await name_flow(access, attempt) == "ours" == attempt.flow_id


async def test_an_earlier_flow_of_the_same_port_is_another(
    access: Access, machine: Any, made: Any
) -> None:
    gateway = await machine.process("gateway")
    flow = ("203.0.113.7:40001", "127.65.0.1:80")
    gateway.record(made.segment(*flow, flow_id="before", started=STARTED - 10))
    assert await name_flow(access, outside()) == ""
    gateway.record(made.segment(*flow, flow_id="first", started=STARTED))
    gateway.record(made.segment(*flow, flow_id="second", started=STARTED + 1))
    assert await name_flow(access, outside()) == "second"


async def test_datagrams_and_connections_have_ports_of_their_own(
    access: Access, machine: Any, made: Any
) -> None:
    gateway = await machine.process("gateway")
    flow = ("203.0.113.7:40001", "127.65.0.1:80")
    gateway.record(made.segment(*flow, protocol="UDP", started=STARTED + 1))
    assert await name_flow(access, outside()) == ""


@pytest.mark.parametrize(
    ("attempt", "found"),
    [
        (inside("10.96.0.20", 80), "by address"),
        (inside("cart", 80), "by name"),
        (inside("gone", 80), "unknown name"),
        (inside("10.96.0.20", 81), ""),
        (inside("blog", 80), ""),
    ],
)
async def test_a_pods_flow_is_found_by_where_it_went(
    access: Access, machine: Any, made: Any, attempt: Attempt, found: str
) -> None:
    """Its port is not known here; other flows of the pod are not this one (O-13)."""
    node = await machine.process("node-1")
    source = "10.244.1.5:33001"
    for flow_id, ip, detail in (
        ("by name", "10.96.0.21", {"name": "cart"}),
        ("by address", "10.96.0.20", {}),
        ("other port", "10.96.0.20", {"name": "other"}),
    ):
        node.record(
            made.segment(source, f"{ip}:80", flow_id=flow_id, started=STARTED + 1, **detail)
        )
    node.record(
        made.segment(
            source,
            "10.96.0.10:53",
            flow_id="unknown name",
            started=STARTED + 1,
            code=Code.NXDOMAIN,
            outcome="refused",
            name="gone",
        )
    )
    assert await name_flow(access, attempt) == found


async def test_a_name_without_an_answer_is_found_by_its_lost_query(
    access: Access, machine: Any, made: Any
) -> None:
    """The connection has not begun; answers of other names are not its reason (O-13)."""
    node = await machine.process("node-1")
    for flow_id, code, outcome in (
        ("answered", Code.NXDOMAIN, "refused"),
        ("lost", Code.POLICY_DENIED, "dropped"),
    ):
        query = made.segment(
            "10.244.1.5:33001",
            "10.96.0.10:53",
            flow_id=flow_id,
            started=STARTED + 1,
            code=code,
            outcome=outcome,
            protocol="UDP",
        )
        node.record(replace(query, kind=FlowKind.DNS))
    assert await name_flow(access, inside("cart")) == "lost"


async def test_what_is_named_already_is_not_looked_for(access: Access) -> None:
    attempt = outside()
    attempt.flow_id = "told by the kubelet"
    assert await name_flow(access, attempt) == "told by the kubelet"


async def test_without_a_source_there_is_nothing_to_look_for(access: Access, machine: Any) -> None:
    await machine.process("gateway")
    assert await name_flow(access, outside(source=None)) == ""


def test_an_attempt_reads_as_people_say_it() -> None:
    assert str(inside()) == "cart:80 from pod/shop/web"
