"""A recorder's own metrics."""

from typing import Any

from cluster.trace.metrics import metrics_text
from cluster.trace.recorder import Recorder


def test_what_is_held_and_what_was_forgotten_is_counted(clock: Any, segment: Any) -> None:
    """O-49."""
    recorder = Recorder("node-1", clock, delivered_max=2)
    for number in range(5):
        recorder.record(segment(f"t{number}"))
    lines = metrics_text(recorder).splitlines()
    assert 'kubehop_flows_held{ring="delivered"} 2' in lines
    assert 'kubehop_flows_lost_total{ring="delivered"} 3' in lines
    assert 'kubehop_flows_lost_total{ring="refused"} 0' in lines
    assert "kubehop_flows_recorded_total 5" in lines
    assert sum(line.startswith("# TYPE ") for line in lines) == 3
