"""A request's traces, and those of what it set off."""

from types import SimpleNamespace

import pytest

from cluster.aio.clock import SystemClock
from cluster.cli import flow_traces
from cluster.cli.flow_traces import ONWARD_MAX, in_order, set_off, trace_if_any, traces_of
from cluster.trace.client import Collected
from cluster.trace.join import Trace, join
from cluster.trace.record import Outcome
from cluster.traffic.traces import NoTrace
from cluster.wire.flow import Origin, OriginKind

FRONTEND = Origin(OriginKind.POD, "shop/frontend-1")
CART = Origin(OriginKind.POD, "shop/cart-1")
TO_CART = {"namespace": "shop", "pod": "cart-1", "node": "node-2", "ip": "10.0.0.1", "port": "80"}
TO_STORE = {**TO_CART, "pod": "store-1"}


@pytest.fixture
def flow(segment):
    def make(number: int, started: float = 100.0, **more) -> Trace:
        return join([segment(flow_id=f"{number:016}", started=started, **more)])

    return make


def ids(traces) -> list[int]:
    return [int(each.flow_id) for each in traces]


def test_what_the_reached_pod_opened_meanwhile_was_set_off(flow):
    own = flow(1)
    candidates = [own, flow(2, 100.1, origin=FRONTEND), flow(3, 100.2, origin=CART)]
    assert ids(set_off(own, candidates, until=101.0)) == [2]


def test_what_that_set_off_was_too_step_by_step(flow):
    to_cart = flow(2, 100.1, origin=FRONTEND, endpoint=TO_CART)
    to_store = flow(3, 100.2, origin=CART, endpoint=TO_STORE)
    assert ids(set_off(flow(1), [to_store, to_cart], until=101.0)) == [2, 3]


def test_what_was_opened_before_or_after_was_not(flow):
    candidates = [flow(2, 99.9, origin=FRONTEND), flow(3, 101.1, origin=FRONTEND)]
    assert ids(set_off(flow(1), candidates, until=101.0)) == []


def test_a_request_that_reached_no_pod_set_nothing_off(flow):
    own = flow(1, outcome=Outcome.REFUSED, endpoint={})
    assert ids(set_off(own, [flow(2, 100.1, origin=FRONTEND)], until=101.0)) == []


def test_a_node_or_an_outsider_of_the_pods_name_is_not_the_pod(flow):
    node = Origin(OriginKind.NODE, "shop/frontend-1")
    assert ids(set_off(flow(1), [flow(2, 100.1, origin=node)], until=101.0)) == []


def test_failed_ones_come_first_then_by_start(flow):
    traces = [
        flow(1, 100.0),
        flow(2, 100.3, outcome=Outcome.DROPPED),
        flow(3, 100.1),
        flow(4, 100.2, outcome=Outcome.REFUSED),
    ]
    assert ids(in_order(traces)) == [4, 2, 1, 3]


@pytest.fixture
def access(monkeypatch, segment):
    """Processes that have recorded the given segments."""
    recorded: list = []

    async def collect(endpoints, query, *, access) -> Collected:
        return Collected(tuple(each for each in recorded if query.matches(each)))

    async def trace_of(access, flow_id, wait) -> Trace:
        parts = [each for each in recorded if each.flow_id == flow_id]
        if not parts:
            raise NoTrace(f"no process has recorded a flow with id={flow_id}")
        return join(parts)

    async def endpoints() -> dict[str, str]:
        return {"node-1": "unix:/run/node-1.sock"}

    monkeypatch.setattr(flow_traces, "collect", collect)
    monkeypatch.setattr(flow_traces, "trace_of", trace_of)
    return SimpleNamespace(recorded=recorded, endpoints=endpoints, remote=None, clock=SystemClock())


async def test_a_requests_traces_are_its_own_and_its_onward_ones(access, segment):
    access.recorded += [
        segment(flow_id="1" * 16),
        segment(flow_id="2" * 16, started=100.1, origin=FRONTEND, endpoint=TO_CART),
        segment(flow_id="3" * 16, started=100.1, origin=CART),
        segment(flow_id="4" * 16, started=105.0, origin=FRONTEND),
    ]
    found = await traces_of(access, ["1" * 16], 1.0)
    assert [each.flow_id[0] for each in found] == ["1", "2", "3"]


async def test_flows_that_a_request_set_off_are_bounded(access, segment):
    access.recorded.append(segment(flow_id="a" * 16))
    access.recorded += [
        segment(flow_id=f"{n:016}", started=100.1, origin=FRONTEND) for n in range(ONWARD_MAX + 5)
    ]
    assert len(await traces_of(access, ["a" * 16], 1.0)) == 1 + ONWARD_MAX


async def test_a_flow_that_nobody_remembers_has_no_trace(access):
    assert await trace_if_any(access, "f" * 16) is None
    with pytest.raises(NoTrace):
        await traces_of(access, ["f" * 16], 1.0)
