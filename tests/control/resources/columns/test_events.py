"""Events as `kubectl get events` shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from control.resources.columns.events import EVENTS, event_source

Make = Callable[..., dict[str, Any]]


def test_the_row_of_an_event_that_was_counted(
    now: datetime, document: Make, before: Callable[[float], str]
) -> None:
    event = document(
        "cart.17",
        type="Warning",
        reason="Unhealthy",
        involvedObject={"kind": "Pod", "name": "cart-0", "fieldPath": "spec.containers{web}"},
        source={"component": "kubelet", "host": "node-1"},
        message="Readiness probe failed\n",
        firstTimestamp=before(180),
        lastTimestamp=before(30),
        count=4,
    )
    told = ["30s", "Warning", "Unhealthy", "pod/cart-0", "spec.containers{web}", "kubelet, node-1"]
    assert EVENTS.row(event, now) == [*told, "Readiness probe failed", "3m", 4, "cart.17"]


def test_an_event_of_the_newer_form_counts_in_its_series(
    now: datetime, document: Make, before: Callable[[float], str]
) -> None:
    event = document(
        "cart.18",
        regarding={"kind": "Node"},
        note="told",
        eventTime=before(90),
        reportingController="scheduler",
        series={"count": 7, "lastObservedTime": before(10)},
    )
    told = ["10s", "", "", "node", "", "scheduler", "told", "90s", 7, "cart.18"]
    assert EVENTS.row(event, now) == told
    single = {key: value for key, value in event.items() if key != "series"}
    assert EVENTS.row(single, now)[0] == "90s"
    assert EVENTS.row(single, now)[8] == 1


def test_an_event_without_any_time_is_of_unknown_age(now: datetime, document: Make) -> None:
    assert EVENTS.row(document(), now)[0] == "<unknown>"


def test_the_reporter_stands_for_a_missing_source() -> None:
    reported = {"reportingComponent": "deployment-controller", "reportingInstance": "one"}
    assert event_source(reported) == "deployment-controller, one"
    assert event_source({"source": {"component": "kubelet"}}) == "kubelet"
