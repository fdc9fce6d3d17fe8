"""How long a client waits, and what it says then."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from cluster.traffic.access import Access
from cluster.traffic.attempt import Attempt
from cluster.traffic.patience import patient
from cluster.traffic.place import Place
from cluster.traffic.resolve import Target
from cluster.traffic.unreached import Symptom, Unreached
from cluster.wire.addresses import SocketAddress


def attempt(**known: Any) -> Attempt:
    return Attempt(place=Place.parse("internet"), host="frontend", port=80, started=1.0, **known)


async def test_silence_at_a_front_that_lets_nobody_in_is_explained(
    access: Access, machine: Any, made: Any
) -> None:
    """No process saw the connection: the front's own decision is asked for (S-107)."""

    def answer(_: web.Request) -> web.Response:
        told = made.segment(
            "203.0.113.1:1", "127.65.0.1:80", outcome="dropped", reason="no node is healthy"
        )
        return web.json_response(told.to_json())

    await machine.process("gateway", explain=answer)
    tried = attempt(target=Target(real=SocketAddress("127.65.0.1", 80), what="x"))
    with pytest.raises(Unreached, match=r"within 0\.01 s: no node is healthy") as caught:
        async with patient(access, tried, 0.01):
            await asyncio.Event().wait()
    assert caught.value.kind is Symptom.TIMEOUT
    assert caught.value.trace is not None and caught.value.flow_id == ""


async def test_an_unreached_that_knows_no_flow_is_given_it(
    access: Access, machine: Any, made: Any
) -> None:
    gateway = await machine.process("gateway")
    gateway.record(made.segment("203.0.113.1:40001", "127.65.0.1:80", flow_id="ours"))
    with pytest.raises(Unreached) as caught:
        async with patient(access, attempt(source=SocketAddress("127.0.0.1", 40001)), 10):
            raise Unreached("reset", "cut off")
    assert caught.value.flow_id == "ours"


async def test_an_unreached_that_knows_its_flow_keeps_it(access: Access) -> None:
    with pytest.raises(Unreached) as caught:
        async with patient(access, attempt(), 10):
            raise Unreached("reset", "cut off", "told")
    assert caught.value.flow_id == "told"


async def test_other_errors_are_nobodys_silence(access: Access) -> None:
    with pytest.raises(LookupError):
        async with patient(access, attempt(), 10):
            raise LookupError
