"""What a failed test is told of its connections."""

from typing import Any

from cluster.testing.failures import KEPT_MAX, SHOWN_MAX, Failures, failed_flows, report
from cluster.trace.join import join
from cluster.traffic.access import Access
from cluster.traffic.unreached import Symptom, Unreached
from cluster.wire.flow import FlowKind


def unreached(flow_id: str, text: str = "cart:80 from internet: no answer") -> Unreached:
    return Unreached(Symptom.TIMEOUT, text, flow_id)


def test_a_test_hears_of_its_own_failures_and_not_of_those_before_it() -> None:
    failures = Failures()
    before, own = unreached("a"), unreached("b")
    failures.keep(9.9, before)
    failures.keep(10.0, own)
    assert failures.since(10.0) == [own]


def test_the_newest_failures_are_kept_and_no_more() -> None:
    failures = Failures()
    for number in range(KEPT_MAX + 3):
        failures.keep(float(number), unreached(str(number)))
    kept = failures.since(0.0)
    assert len(kept) == KEPT_MAX and kept[-1].flow_id == str(KEPT_MAX + 2)


def test_each_failed_connection_is_shown_once_with_what_the_test_saw_of_it(
    make_segment: Any,
) -> None:
    own, inner = join([make_segment("aaaa")]), join([make_segment("bbbb", port=81)])
    shown = "\n".join(report([unreached("aaaa")], [own, inner]))
    assert shown.startswith("timeout: cart:80 from internet: no answer\n\n")
    assert shown.count("flow aaaa") == 1 and shown.count("flow bbbb") == 1
    assert shown.index("flow aaaa") < shown.index("flow bbbb")


def test_a_failure_that_no_process_recorded_has_its_own_trace_or_none(make_segment: Any) -> None:
    known = unreached("")
    known.trace = join([make_segment("cccc")])
    assert "flow cccc" in "\n".join(report([known], []))
    shown = "\n".join(report([unreached("")], []))
    assert "no process has recorded this connection" in shown


def test_of_many_connections_between_pods_the_last_are_shown(make_segment: Any) -> None:
    traces = [join([make_segment(f"{n:04}", started=float(n))]) for n in range(SHOWN_MAX + 2)]
    shown = "\n".join(report([], traces))
    assert "flow 0001" not in shown and "flow 0002" in shown and "flow 0011" in shown
    assert shown.endswith("and 2 earlier failed connections\n")


async def test_refused_and_dropped_connections_of_a_time_are_found_whole(
    machine: Any, make_segment: Any
) -> None:
    first, second = await machine.process("node-1"), await machine.process("node-2")
    for each in (
        make_segment("early", started=9.0),
        make_segment("served", "delivered", started=12.0),
        make_segment("probed", started=13.0, kind=FlowKind.PROBE),
        make_segment("far", "passed", started=15.0, next_process="node-2"),
        make_segment("closed", "refused", started=11.0),
    ):
        first.record(each)
    second.record(make_segment("far", process="node-2", started=15.1, first=1))
    found = await failed_flows(Access(machine.run_dir, machine.api), since=10.0)
    assert [trace.flow_id for trace in found] == ["closed", "far"]
    assert [each.process for each in found[1].segments] == ["node-1", "node-2"]
    assert found[1].complete


async def test_a_process_that_cannot_be_asked_leaves_a_line_in_the_trace(
    machine: Any, make_segment: Any
) -> None:
    second = await machine.process("node-2")
    second.record(make_segment("far", process="node-2", started=15.1, first=3))
    (machine.run_dir / "node-1.sock").touch()  # nobody listens
    (found,) = await failed_flows(Access(machine.run_dir, machine.api), since=10.0)
    assert "hops 0 to 2 are not reported" in found.missing[0]
    assert "node-1 cannot be asked" in found.missing[0]
