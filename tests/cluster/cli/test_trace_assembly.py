"""Live segments put together: each flow is told once, when it is whole."""

import pytest

from cluster.cli import trace_assembly
from cluster.cli.trace_assembly import PATIENCE_SECONDS, Assembly
from cluster.trace.record import Outcome


def test_a_flow_of_one_process_is_told_at_once(segment):
    trace = Assembly().add(segment(), now=0.0)
    assert trace is not None
    assert trace.complete
    assert trace.flow_id == "4c1f9a2b7d3e6f80"


@pytest.mark.parametrize("reverse", [False, True])
def test_a_flow_is_told_when_its_last_part_comes_in_whatever_order(segment, reverse):
    parts = [
        segment("gateway", outcome=Outcome.PASSED, next_process="node-1"),
        segment("node-1", hop=1),
    ]
    assembly = Assembly()
    first, second = reversed(parts) if reverse else parts
    assert assembly.add(first, now=0.0) is None
    trace = assembly.add(second, now=0.5)
    assert trace is not None
    assert [each.process for each in trace.segments] == ["gateway", "node-1"]


def test_a_flow_is_told_once_also_when_more_is_reported_of_it(segment):
    assembly = Assembly()
    assert assembly.add(segment(), now=0.0)
    assert assembly.add(segment(bytes_in=96, ended=101.0), now=1.0) is None
    assert assembly.overdue(now=100.0) == []


def test_flows_do_not_mix(segment):
    assembly = Assembly()
    part = segment("gateway", outcome=Outcome.PASSED, next_process="node-1")
    assert assembly.add(part, now=0.0) is None
    other = assembly.add(segment(flow_id="0" * 16), now=0.0)
    assert other is not None
    assert other.flow_id == "0" * 16


def test_silence_is_waited_for_and_then_told_as_missing(segment):
    assembly = Assembly()
    assembly.add(segment("gateway", outcome=Outcome.PASSED, next_process="node-1"), now=10.0)
    assert assembly.overdue(now=10.0 + PATIENCE_SECONDS - 0.01) == []
    (late,) = assembly.overdue(now=10.0 + PATIENCE_SECONDS)
    assert not late.complete
    assert "node-1" in late.missing[0]
    assert assembly.overdue(now=99.0) == []
    assert assembly.add(segment("node-1", hop=1), now=99.0) is None  # told already


def test_patience_begins_with_the_first_part(segment):
    assembly = Assembly()
    passed = {"outcome": Outcome.PASSED}
    assembly.add(segment("gateway", next_process="node-1", **passed), now=0.0)
    assembly.add(segment("node-1", hop=1, next_process="node-2", **passed), now=1.9)
    (late,) = assembly.overdue(now=PATIENCE_SECONDS)
    assert [each.process for each in late.segments] == ["gateway", "node-1"]


def test_flows_that_are_open_are_bounded_and_the_oldest_goes(segment, monkeypatch):
    monkeypatch.setattr(trace_assembly, "OPEN_MAX", 2)
    assembly = Assembly()
    told = [
        assembly.add(
            segment("gateway", flow_id=f"{n:016}", outcome=Outcome.PASSED, next_process="node-1"),
            now=float(n),
        )
        for n in range(3)
    ]
    assert told[:2] == [None, None]
    assert told[2] is not None
    assert told[2].flow_id == f"{0:016}"
    assert len(assembly.overdue(now=99.0)) == 2


def test_flows_that_are_remembered_as_told_are_bounded(segment, monkeypatch):
    monkeypatch.setattr(trace_assembly, "TOLD_MAX", 1)
    assembly = Assembly()
    assert assembly.add(segment(flow_id="a" * 16), now=0.0)
    assert assembly.add(segment(flow_id="b" * 16), now=0.0)
    assert assembly.add(segment(flow_id="a" * 16), now=0.0)  # forgotten, so told again
    assert assembly.add(segment(flow_id="a" * 16), now=0.0) is None
