"""Names of ports."""

from node_agent.workloads.tools.service_names import port_number, service_name


def test_both_ways() -> None:
    assert (service_name(443), service_name(4711)) == ("https", "*")
    assert (port_number("http"), port_number("81"), port_number("70000")) == (80, 81, None)
