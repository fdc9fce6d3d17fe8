"""Events: told once, counted after."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cluster.objects.resources import EVENTS
from control.controllers.events import (
    EVENTS_PENDING_MAX,
    ComponentEvents,
    EventRecorder,
    event_document,
    event_namespace,
)
from control.controllers.writes import WARNING, EmitEvent


@pytest.fixture
async def recorder(api: Any, clock: Any) -> AsyncIterator[EventRecorder]:
    recorder = EventRecorder(api, clock, component="tester")
    task = asyncio.ensure_future(recorder.run())
    yield recorder
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def written(store: Any, count: int) -> list[Any]:
    for _ in range(200):
        await asyncio.sleep(0)
        held = store.all(EVENTS)
        if sum(event["count"] for event in held) >= count:
            return list(held)
    raise AssertionError(f"{count} events were not written")


def test_an_event_says_about_whom(build: Any) -> None:
    pod = build.pod("a")
    event = EmitEvent(pod, "Killing", "bye", WARNING)
    made = event_document(event, "a.1", "kubelet", 1_767_268_800)
    assert made["involvedObject"]["uid"] == pod["metadata"]["uid"]
    assert made["involvedObject"]["kind"] == "Pod"
    assert (made["type"], made["reason"], made["message"]) == ("Warning", "Killing", "bye")
    assert made["lastTimestamp"] == "2026-01-01T12:00:00Z"
    assert event_namespace(build.node("n")) == "default"


async def test_a_repeated_event_is_counted_up(
    recorder: EventRecorder, store: Any, clock: Any, build: Any
) -> None:
    pod = build.pod("a")
    recorder.record(EmitEvent(pod, "X", "same"))
    await written(store, 1)
    clock.advance(60)
    recorder.record(EmitEvent(pod, "X", "same"))
    [held] = await written(store, 2)
    assert held["count"] == 2
    assert (held["firstTimestamp"], held["lastTimestamp"]) == (build.stamp(), build.stamp(60))


async def test_another_message_is_another_event(
    recorder: EventRecorder, store: Any, build: Any
) -> None:
    pod = build.pod("a")
    recorder.record(EmitEvent(pod, "X", "one"))
    recorder.record(EmitEvent(pod, "X", "two"))
    held = await written(store, 2)
    assert len({event["metadata"]["name"] for event in held}) == 2


async def test_names_tell_when_as_every_components_do(
    recorder: EventRecorder, store: Any, clock: Any, build: Any
) -> None:
    """Clients show Events of one second by name: nanoseconds, as kubelets count them."""
    recorder.record(EmitEvent(build.pod("a"), "X", "one"))
    [held] = await written(store, 1)
    moment = int(held["metadata"]["name"].partition(".")[2], 16)
    assert moment - int(clock.now() * 1e9) == 1


async def test_an_expired_event_is_written_anew(
    recorder: EventRecorder, store: Any, build: Any
) -> None:
    pod = build.pod("a")
    recorder.record(EmitEvent(pod, "X", "same"))
    [first] = await written(store, 1)
    store.delete(EVENTS, first["metadata"]["name"], "default")
    recorder.record(EmitEvent(pod, "X", "same"))
    [held] = await written(store, 1)
    assert held["count"] == 1


def test_what_waits_is_bounded(api: Any, clock: Any, build: Any, caplog: Any) -> None:
    recorder = EventRecorder(api, clock, component="tester")
    for number in range(EVENTS_PENDING_MAX + 1):
        recorder.record(EmitEvent(build.pod("a"), "X", str(number)))
    assert "event dropped reason=X" in caplog.text


async def test_an_event_may_say_which_component_tells(
    recorder: EventRecorder, store: Any, build: Any
) -> None:
    ComponentEvents(recorder, "job-controller").record(EmitEvent(build.pod("a"), "X", "one"))
    ComponentEvents(recorder, "").record(EmitEvent(build.pod("a"), "X", "two"))
    held = await written(store, 2)
    sources = {event["message"]: event["source"]["component"] for event in held}
    assert sources == {"one": "job-controller", "two": "tester"}
