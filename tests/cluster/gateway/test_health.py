"""What checks and connections show of a node."""

from cluster.gateway.health import NodeHealth


def test_a_node_nobody_has_asked_is_healthy() -> None:
    assert NodeHealth().healthy("node-1")


def test_one_silent_check_is_chance_two_are_not() -> None:
    health = NodeHealth()
    assert not health.failed("node-1", "no answer")
    assert health.healthy("node-1")
    assert health.failed("node-1", "no answer")
    assert not health.healthy("node-1")
    assert health.reason("node-1") == "no answer"
    assert not health.failed("node-1", "no answer"), "it is no news any more"


def test_a_refused_connection_is_certain() -> None:
    health = NodeHealth()
    assert health.failed("node-1", "Connection refused", surely=True)
    assert not health.healthy("node-1")


def test_failures_count_only_in_a_row() -> None:
    health = NodeHealth()
    health.failed("node-1", "no answer")
    assert not health.succeeded("node-1")
    health.failed("node-1", "no answer")
    assert health.healthy("node-1")


def test_one_success_heals() -> None:
    health = NodeHealth()
    health.failed("node-1", "refused", surely=True)
    assert health.succeeded("node-1")
    assert health.healthy("node-1")
    assert health.reason("node-1") == ""
    assert not health.succeeded("node-1")


def test_nodes_are_told_apart_and_forgotten() -> None:
    health = NodeHealth()
    health.failed("node-1", "refused", surely=True)
    assert health.healthy("node-2")
    health.keep(["node-2"])
    assert health.healthy("node-1")


def test_every_change_of_health_counts_and_nothing_else_does() -> None:
    """What was made of the health before is out of date exactly then."""
    health = NodeHealth()
    health.failed("node-1", "no answer")
    health.succeeded("node-2")
    assert health.changes == 0
    health.failed("node-1", "no answer")
    health.failed("node-1", "no answer")
    assert health.changes == 1
    health.keep(["node-2"])
    assert health.changes == 2 and health.healthy("node-1")
    health.failed("node-2", "refused", surely=True)
    health.succeeded("node-2")
    assert health.changes == 4
