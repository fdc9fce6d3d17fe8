"""Refusals that no process saw: the decision of whoever owns the front."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from cluster.dataplane.decision import Action, Code, Stage
from cluster.traffic.access import Access
from cluster.traffic.attempt import Attempt
from cluster.traffic.place import Place
from cluster.traffic.refusal import explain
from cluster.traffic.resolve import Target
from cluster.wire.addresses import SocketAddress


def refused(node: str = "") -> Attempt:
    real = SocketAddress("127.65.0.1", 80)
    return Attempt(
        place=Place.parse("internet"),
        host="frontend",
        port=80,
        started=1.0,
        source=SocketAddress("127.0.0.1", 40001),
        target=Target(real=real, what="Service shop/frontend", node=node),
    )


async def test_the_gateway_is_asked_what_it_decides(
    access: Access, machine: Any, made: Any
) -> None:
    """S-107: a Service without endpoints refuses at once; the trace says that it has none."""
    asked: list[dict[str, str]] = []

    def answer(request: web.Request) -> web.Response:
        asked.append(dict(request.query))
        told = made.segment(
            "203.0.113.1:40001",
            "127.65.0.1:80",
            process="gateway",
            outcome="refused",
            code=Code.NO_ENDPOINT,
            reason="shop/frontend has no endpoints",
        )
        return web.json_response(told.to_json())

    await machine.process("gateway", explain=answer)
    reason, trace = await explain(access, refused())
    assert reason == "shop/frontend has no endpoints"
    assert trace is not None and trace.code is Code.NO_ENDPOINT
    assert asked == [
        {"destination": "127.65.0.1:80", "source": "127.0.0.1:40001", "protocol": "TCP"}
    ]


async def test_a_front_that_cannot_be_bound_is_the_reason(access: Access, machine: Any) -> None:
    said = "80/TCP is not served: 127.65.0.1:80: Address already in use"

    def answer(_: web.Request) -> web.Response:
        return web.Response(status=503, text=f"{said}\n")

    await machine.process("gateway", explain=answer)
    assert await explain(access, refused()) == (said, None)


async def test_a_node_port_is_asked_of_its_node(access: Access, machine: Any, made: Any) -> None:
    def answer(_: web.Request) -> web.Response:
        told = made.segment("203.0.113.1:1", "172.30.0.2:80", outcome="refused", reason="empty")
        return web.json_response(told.to_json())

    await machine.process("gateway")
    await machine.process("node-2", explain=answer)
    assert (await explain(access, refused("node-2")))[0] == "empty"


async def test_a_port_of_the_host_itself_is_nobodys(
    access: Access, machine: Any, made: Any
) -> None:
    """No rule is in the way: the host's kernel refused (O-20)."""

    def answer(_: web.Request) -> web.Response:
        told = made.segment("203.0.113.1:1", "172.30.0.2:31000", process="node-2")
        (hop,) = told.hops
        step = replace(hop.step, stage=Stage.ROUTE, action=Action.FORWARDED)
        return web.json_response(replace(told, hops=(replace(hop, step=step),)).to_json())

    await machine.process("node-2", explain=answer)
    reason, trace = await explain(access, refused("node-2"))
    assert reason == "nothing listens on 31000 of node-2, and no Service has this node port"
    assert trace is not None
    assert (trace.outcome, trace.code) == ("refused", Code.PORT_CLOSED)
    assert trace.client_saw == "connection refused"
    assert [each.step.stage for each in trace.hops] == ["route", "deliver"]


@pytest.mark.parametrize("outcome", ["passed", "delivered"])
async def test_a_front_that_has_opened_meanwhile_is_no_explanation(
    access: Access, machine: Any, made: Any, outcome: str
) -> None:
    def answer(_: web.Request) -> web.Response:
        told = made.segment("203.0.113.1:1", "127.65.0.1:80", outcome=outcome)
        return web.json_response(told.to_json())

    await machine.process("gateway", explain=answer)
    assert await explain(access, refused()) == ("by now gateway would take it: try again", None)


async def test_without_an_explanation_it_is_said_why(access: Access, machine: Any) -> None:
    assert await explain(access, refused()) == ("gateway does not run", None)
    await machine.process("gateway")
    reason, trace = await explain(access, refused())
    assert reason == "nothing listens at 127.65.0.1:80" and trace is None
    await machine.stop("gateway")
    reason, trace = await explain(access, refused())
    assert reason.startswith("gateway does not answer either: ") and trace is None
    await machine.process("node-1", explain=lambda _: web.Response(text="[]"))
    reason, trace = await explain(access, refused("node-1"))
    assert reason.startswith("node-1 gave no readable reason") and trace is None
