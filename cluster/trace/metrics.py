"""What a recorder tells Prometheus about itself.

Pure: counts in, exposition text out. Nothing is forgotten in silence: `kubehop_flows_lost_total`
counts what full rings dropped (O-49).
"""

from collections.abc import Iterator, Mapping

from cluster.trace.recorder import Recorder


def metrics_text(recorder: Recorder) -> str:
    """The recorder's lines of /metrics."""
    lines = [
        *_family("kubehop_flows_held", "gauge", "Trace segments kept, by ring.", recorder.held),
        *_family(
            "kubehop_flows_lost_total",
            "counter",
            "Trace segments forgotten because their ring was full.",
            recorder.lost,
        ),
        "# HELP kubehop_flows_recorded_total Trace segments ever kept.",
        "# TYPE kubehop_flows_recorded_total counter",
        f"kubehop_flows_recorded_total {recorder.recorded}",
    ]
    return "\n".join(lines) + "\n"


def _family(name: str, kind: str, about: str, values: Mapping[str, int]) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"
    for ring, value in values.items():
        yield f'{name}{{ring="{ring}"}} {value}'
