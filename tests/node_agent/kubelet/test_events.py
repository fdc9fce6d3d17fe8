"""Events in the API."""

import pytest

from cluster.objects.resources import EVENTS
from node_agent.kubelet import events as module
from node_agent.kubelet.events import WARNING, Events


@pytest.fixture
async def events(api, clock, tasks):
    made = Events(api, clock, "node-1")
    tasks.supervise(made.run, name="events")
    return made


async def test_an_event_names_its_object_its_source_and_its_place(events, api, clock, field):
    events.pod(field.pod(), "Started", "Container started: app", container="app")
    await clock.advance(1)
    (event,) = api.of(EVENTS)
    assert event["involvedObject"] == {
        "kind": "Pod",
        "apiVersion": "v1",
        "name": "web",
        "namespace": "shop",
        "uid": "uid-web",
        "fieldPath": "spec.containers{app}",
    }
    assert event["source"] == {"component": "kubelet", "host": "node-1"}
    assert event["metadata"]["namespace"] == "shop"
    assert (event["type"], event["reason"], event["count"]) == ("Normal", "Started", 1)


async def test_a_repeated_event_is_counted_in_place(events, api, clock, field):
    for _ in range(2):
        events.pod(field.pod(), "BackOff", "Back-off", kind=WARNING)
        await clock.advance(1)
    (event,) = api.of(EVENTS)
    assert event["count"] == 2
    assert event["lastTimestamp"] > event["firstTimestamp"]


async def test_equal_events_of_one_moment_are_written_once(events, api, clock, field):
    for _ in range(3):
        events.pod(field.pod(), "BackOff", "Back-off")
    await clock.advance(1)
    assert [event["count"] for event in api.of(EVENTS)] == [3]
    assert api.patches == []


async def test_events_of_the_node_live_in_default(events, api, clock):
    events.node({"metadata": {"name": "node-1", "uid": "n1"}}, "Starting", "Starting kubelet.")
    await clock.advance(1)
    (event,) = api.of(EVENTS)
    assert event["metadata"]["namespace"] == "default"
    assert event["involvedObject"]["kind"] == "Node"


async def test_an_event_that_the_api_refuses_holds_nothing_up(events, api, clock, field):
    api.failing = OSError("no API")
    events.pod(field.pod(), "One", "one")
    await clock.advance(1)
    api.failing = None
    events.pod(field.pod(), "Two", "two")
    await clock.advance(1)
    assert [event["reason"] for event in api.of(EVENTS)] == ["Two"]


async def test_more_than_the_queue_holds_is_dropped_with_a_log_line(
    api, clock, field, caplog, monkeypatch
):
    monkeypatch.setattr(module, "QUEUE_MAX", 1)
    events = Events(api, clock, "node-1")
    events.pod(field.pod(), "One", "one")
    events.pod(field.pod(), "Two", "two")
    assert "event dropped" in caplog.text
