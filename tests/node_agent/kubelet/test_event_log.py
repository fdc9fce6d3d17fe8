"""Which Events are written."""

from node_agent.kubelet.event_log import BURST_MAX, EventKey, EventLog

KEY = EventKey("u1", "Warning", "Unhealthy", "Readiness probe failed")


def test_equal_events_are_one_with_a_count():
    log = EventLog()
    first = log.observe(KEY, "a", 10.0)
    log.wrote(KEY)
    second = log.observe(KEY, "b", 20.0)
    assert (first.count, second.count) == (1, 2)
    assert second.name == "a"
    assert (second.first, second.last) == (10.0, 20.0)
    assert log.written(KEY)


def test_another_message_is_another_event():
    log = EventLog()
    log.observe(KEY, "a", 0.0)
    assert log.observe(KEY._replace(message="other"), "b", 0.0).count == 1


def test_an_object_has_25_events_at_once_and_then_one_every_five_minutes():
    log = EventLog()
    for number in range(BURST_MAX):
        assert log.observe(KEY, str(number), 0.0) is not None
    assert log.observe(KEY, "x", 0.0) is None
    assert log.observe(KEY._replace(uid="u2"), "y", 0.0) is not None
    assert log.observe(KEY, "z", 299.0) is None
    assert log.observe(KEY, "z", 301.0) is not None


def test_an_event_that_the_api_lost_begins_anew():
    log = EventLog()
    log.observe(KEY, "a", 0.0)
    log.forget(KEY)
    assert log.observe(KEY, "b", 0.0).count == 1
