"""What the gateway writes to the API: once, in order, again where it failed."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.gateway import announcer as announcer_module
from cluster.gateway.announcer import REAL_ADDRESSES, Announcer
from cluster.gateway.front_plans import FrontPlans
from cluster.gateway.health import NodeHealth

WEB = ("shop", "web")
TEXT = '{"80/TCP": "127.65.0.1:8080"}'
PORT = 18080  # that everybody may open: the gateway of the world has nothing to announce


@pytest.fixture
async def announcing(world: Any, clock: Any) -> Any:
    """An announcer of its own beside the world's API, running."""
    made = SimpleNamespace(announcer=Announcer(world.api, clock), api=world.api)
    made.task = asyncio.ensure_future(made.announcer.run())
    yield made
    made.task.cancel()
    await asyncio.wait([made.task])


async def test_an_event_names_the_service_it_is_about(
    world: Any, make: Any, announcing: Any, clock: Any
) -> None:
    world.put(make.service(port=PORT))
    (plan,) = FrontPlans().follow(world.gateway.watch.current, NodeHealth()).values()
    announcing.announcer.event(plan, "Warning", "LoadBalancerPortUnavailable", "in use")
    await world.settle(lambda: announcing.api.events)
    event = announcing.api.events[-1]
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Service",
        "namespace": "shop",
        "name": "web",
        "uid": "uid-web",
    }
    assert (event["type"], event["reason"], event["message"]) == (
        "Warning",
        "LoadBalancerPortUnavailable",
        "in use",
    )
    assert event["metadata"]["namespace"] == "shop"
    assert event["lastTimestamp"] == "2027-01-15T08:00:00Z"


async def test_an_annotation_is_written_once_until_it_is_seen(
    world: Any, make: Any, announcing: Any
) -> None:
    world.put(make.service(port=PORT))
    for _ in range(3):
        announcing.announcer.real_addresses({WEB: None}, {WEB: TEXT})
    await world.settle(lambda: announcing.api.patches)
    patch = {"metadata": {"annotations": {REAL_ADDRESSES: TEXT}}}
    assert announcing.api.patches == [("shop/web", patch)]
    announcing.announcer.real_addresses({WEB: TEXT}, {WEB: TEXT})
    announcing.announcer.real_addresses({WEB: TEXT}, {})
    await world.settle(lambda: len(announcing.api.patches) == 2)
    assert announcing.api.patches[1][1]["metadata"]["annotations"] == {REAL_ADDRESSES: None}


@pytest.mark.parametrize(
    "failure",
    [
        ApiError({"code": 409, "reason": "Conflict", "message": "changed"}),
        ConnectionRefusedError("control is gone"),
    ],
)
async def test_an_annotation_that_was_not_written_is_written_at_the_next_occasion(
    world: Any,
    make: Any,
    announcing: Any,
    failure: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    world.put(make.service(port=PORT))
    announcing.api.failures.append(failure)
    with caplog.at_level(logging.WARNING):
        announcing.announcer.real_addresses({WEB: None}, {WEB: TEXT})
        await world.settle(lambda: "annotation not written" in caplog.text)
    announcing.announcer.real_addresses({WEB: None}, {WEB: TEXT})
    await world.settle(lambda: announcing.api.patches)


async def test_a_service_that_is_gone_needs_no_annotation(
    world: Any, announcing: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        announcing.announcer.real_addresses({WEB: None}, {WEB: TEXT})
        await world.settle(lambda: announcing.api.patches)
        announcing.announcer.real_addresses({WEB: None}, {WEB: TEXT})
        await asyncio.sleep(0)
    assert len(announcing.api.patches) == 1
    assert caplog.text == ""


async def test_an_event_that_the_api_does_not_take_holds_nothing_up(
    world: Any, make: Any, announcing: Any
) -> None:
    world.put(make.service(port=PORT))
    (plan,) = FrontPlans().follow(world.gateway.watch.current, NodeHealth()).values()
    announcing.api.failures.append(OSError("control is gone"))
    for message in ("lost", "kept"):
        announcing.announcer.event(plan, "Normal", "Test", message)
    await world.settle(lambda: announcing.api.events)
    assert [event["message"] for event in announcing.api.events] == ["kept"]


async def test_the_queue_is_bounded(
    world: Any,
    make: Any,
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(announcer_module, "QUEUE_MAX", 1)
    announcer = Announcer(world.api, clock)
    world.put(make.service(port=PORT))
    (plan,) = FrontPlans().follow(world.gateway.watch.current, NodeHealth()).values()
    announcer.event(plan, "Normal", "Test", "first")
    with caplog.at_level(logging.WARNING):
        announcer.event(plan, "Normal", "Test", "second")
    assert "1 wait already" in caplog.text
