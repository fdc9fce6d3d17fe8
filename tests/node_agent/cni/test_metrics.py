"""The node's own lines of /metrics."""

from node_agent.cni.metrics import METRICS, metrics_text


def test_every_count_has_its_line_and_its_kind() -> None:
    text = metrics_text({"relays": 3, "hand_over_void_total": 2})
    lines = text.splitlines()
    assert len(lines) == 3 * len(METRICS)
    assert "kubehop_node_relays 3" in lines
    assert "kubehop_node_hand_over_void_total 2" in lines
    assert "kubehop_node_connections 0" in lines
    assert "# TYPE kubehop_node_hand_over_void_total counter" in lines
