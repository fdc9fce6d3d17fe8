"""The fronts follow the plans, and people hear of what is not as they expect."""

import errno
import json
import socket
from dataclasses import replace
from typing import Any

import pytest

from cluster.dataplane.decision import Code
from cluster.gateway import front as front_module
from cluster.gateway.backend_nodes import BackendNode
from cluster.gateway.balancer import FrontPlan, FrontState, Place
from cluster.gateway.fronts import Fronts
from cluster.wire.addresses import Protocol, SocketAddress

IP = "127.65.211.1"


def plan_at(port: int, state: FrontState = FrontState.SERVING, service: str = "web") -> FrontPlan:
    return FrontPlan(
        place=Place(SocketAddress(IP, port), Protocol.TCP),
        service=("shop", service),
        uid="uid",
        port="http",
        node_port=30080,
        local_only=False,
        state=state,
        reason="" if state is FrontState.SERVING else "none of 1 nodes answers health checks",
        code=None if state is FrontState.SERVING else Code.NO_NODE,
        nodes=(BackendNode("node-1"),),
    )


class Told:
    """Fronts, and the Events they caused."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str]] = []
        self.fronts = Fronts(None, lambda _, sock, __: sock.close(), lambda *_: None, self._tell)

    def _tell(self, plan: FrontPlan, kind: str, reason: str, message: str) -> None:
        self.events.append((kind, reason, message))

    def apply(self, *plans: FrontPlan) -> None:
        self.fronts.apply({plan.place: plan for plan in plans})


@pytest.fixture
async def told() -> Any:
    made = Told()
    yield made
    made.fronts.close()


def can_connect(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((IP, port)) == 0


async def test_fronts_come_and_go_with_their_plans(told: Any, port: int) -> None:
    told.apply(plan_at(port))
    assert can_connect(port)
    assert len(told.fronts) == 1
    told.apply()
    assert not can_connect(port)
    assert len(told.fronts) == 0
    assert told.events == []


async def test_a_front_is_found_by_its_address(told: Any, port: int) -> None:
    told.apply(plan_at(port))
    assert told.fronts.find(SocketAddress(IP, port), "TCP") == plan_at(port)
    assert told.fronts.find(SocketAddress(IP, port), "UDP") is None
    assert told.fronts.find(SocketAddress(IP, 1), "TCP") is None
    assert told.fronts.endpoint_of(plan_at(port).place) is None
    assert told.fronts.endpoint_of(plan_at(1).place) is None


async def test_a_moved_port_is_told_once_annotated_and_found_by_either_address(
    told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-108: shown by Event and annotation, with the setting that makes the real one work."""
    real = front_module._try

    def _try(address: SocketAddress, kind: socket.SocketKind) -> SocketAddress:
        if address.port == 81:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(address, kind)

    monkeypatch.setattr(front_module, "_try", _try)
    told.apply(plan_at(81))
    told.apply(replace(plan_at(81), nodes=()))
    ((kind, reason, message),) = told.events
    assert (kind, reason) == ("Normal", "LoadBalancerPortMoved")
    assert message.startswith(f"81/TCP is served at {IP}:8081: port 81 may not be bound")
    addresses = told.fronts.real_addresses()
    assert json.loads(addresses["shop", "web"]) == {"81/TCP": f"{IP}:8081"}
    found = [told.fronts.find(SocketAddress(IP, port), "TCP") for port in (81, 8081)]
    assert found[0] is found[1] is not None


async def test_a_published_port_is_annotated_listed_and_found_where_it_is_offered(
    port: int,
) -> None:
    offered = SocketAddress("127.0.0.1", 8080)
    name = f"{port}/TCP"
    fronts = Fronts(
        "0.0.0.0",
        lambda _, sock, __: sock.close(),
        lambda *_: None,
        lambda *_: None,
        published={name: offered},
    )
    plan = plan_at(port)
    fronts.apply({plan.place: plan})
    try:
        assert json.loads(fronts.real_addresses()["shop", "web"]) == {name: "127.0.0.1:8080"}
        assert [each["realAddress"] for each in fronts.listing()] == ["127.0.0.1:8080"]
        assert fronts.find(offered, "TCP") == plan
        assert fronts.find(offered, "UDP") is None
    finally:
        fronts.close()


async def test_a_port_somebody_else_holds_is_told_once_and_tried_again(told: Any) -> None:
    with socket.create_server((IP, 0)) as holder:
        port = holder.getsockname()[1]
        told.apply(plan_at(port))
        told.fronts.retry()
        ((kind, reason, message),) = told.events
        assert (kind, reason) == ("Warning", "LoadBalancerPortUnavailable")
        assert message == (
            f"{port}/TCP is not served: {IP}:{port}: Address already in use; trying again every 5 s"
        )
        assert told.fronts.states()["failed"] == 1
    told.fronts.retry()
    assert can_connect(port)
    assert told.fronts.states() == {"serving": 1, "closed": 0, "silent": 0, "failed": 0}


async def test_a_front_that_falls_silent_says_why(told: Any, port: int) -> None:
    told.apply(plan_at(port))
    for _ in range(2):
        told.apply(plan_at(port, FrontState.SILENT))
    assert told.events == [
        ("Warning", "NoHealthyNode", f"{port}/TCP: none of 1 nodes answers health checks")
    ]


async def test_services_at_their_own_addresses_need_no_annotation(told: Any, port: int) -> None:
    told.apply(plan_at(port))
    assert told.fronts.real_addresses() == {}


async def test_the_listing_says_what_each_front_is(told: Any, port: int) -> None:
    told.apply(plan_at(port, FrontState.CLOSED))
    (front,) = told.fronts.listing()
    assert front == {
        "service": "shop/web",
        "port": f"{port}/TCP",
        "address": f"{IP}:{port}",
        "realAddress": f"{IP}:{port}",
        "state": "closed",
        "reason": "none of 1 nodes answers health checks",
        "moved": "",
        "problem": "",
        "nodes": ["node-1"],
    }
