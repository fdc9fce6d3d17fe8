"""Which nodes a load balancer may use."""

from typing import Any

import pytest

from cluster.gateway.backend_nodes import AUTOSCALER_TAINT, EXCLUDE_LABEL, parse_backend_node
from cluster.wire.addresses import SocketAddress


def test_a_node_is_reached_at_its_tunnel(make: Any) -> None:
    node = parse_backend_node(make.node(2, "127.64.0.2:7000"))
    assert node.name == "node-2"
    assert node.tunnel == SocketAddress("127.64.0.2", 7000)
    assert node.internal_ip == "172.30.0.2"
    assert node.excluded == ""


def test_readiness_does_not_shape_the_set(make: Any) -> None:
    """S-111: health checks do."""
    assert parse_backend_node(make.node(ready="False")).excluded == ""


@pytest.mark.parametrize(
    ("value", "excluded"),
    [("true", True), ("", True), ("yes", True), ("false", False), ("F", False), ("0", False)],
)
def test_the_label_excludes_with_any_value_but_false(make: Any, value: str, excluded: bool) -> None:
    """S-111."""
    node = parse_backend_node(make.node(labels={EXCLUDE_LABEL: value}))
    assert node.excluded == (f"label {EXCLUDE_LABEL}" if excluded else "")


def test_the_autoscalers_taint_excludes_and_no_other(make: Any) -> None:
    """S-111."""
    assert AUTOSCALER_TAINT in parse_backend_node(make.node(taints=[AUTOSCALER_TAINT])).excluded
    assert parse_backend_node(make.node(taints=["example.com/gpu"])).excluded == ""


def test_a_node_being_deleted_is_excluded(make: Any) -> None:
    """S-111."""
    assert parse_backend_node(make.node(deleting=True)).excluded == "it is being deleted"


def test_a_node_that_nobody_can_reach_says_why(make: Any) -> None:
    assert "not announced kubehop.dev/tunnel" in parse_backend_node(make.node(tunnel="")).excluded
    node = parse_backend_node(make.node(tunnel="node-1"))
    assert node.tunnel is None
    assert node.excluded == "kubehop.dev/tunnel: 'node-1' is not ADDRESS:PORT"
