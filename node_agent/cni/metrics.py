"""What a node tells Prometheus about the connections and datagrams that it carries.

Pure: counts in, exposition text out.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Metric(NamedTuple):
    """One line of the table below."""

    name: str
    kind: str
    about: str


METRICS = (
    Metric("connections", "gauge", "TCP connections that pods of this node hold."),
    Metric("relays", "gauge", "TCP connections relayed to other processes."),
    Metric("handed_over_total", "counter", "Sockets handed over to other nodes."),
    Metric("hand_over_waiting", "gauge", "Sockets that other nodes have not taken yet."),
    Metric("hand_over_void_total", "counter", "Sockets lost for want of a descriptor."),
    Metric("hand_over_unsaid_total", "counter", "Ends of connections that were told to nobody."),
    Metric("connections_reset_total", "counter", "TCP connections reset: there were too many."),
    Metric("udp_flows", "gauge", "UDP flows remembered."),
    Metric("datagrams_dropped_total", "counter", "Datagrams lost here."),
)


def metrics_text(counts: Mapping[str, int]) -> str:
    """The node's lines of /metrics; a count that is not given is zero."""
    lines = []
    for name, kind, about in METRICS:
        lines += [
            f"# HELP kubehop_node_{name} {about}",
            f"# TYPE kubehop_node_{name} {kind}",
            f"kubehop_node_{name} {counts.get(name, 0)}",
        ]
    return "\n".join(lines) + "\n"
