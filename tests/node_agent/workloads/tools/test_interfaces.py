"""A pod's interfaces and routes."""

from node_agent.workloads.tools.interfaces import Route, ethernet, interfaces, mac_of, routes


def test_a_pods_interfaces() -> None:
    lo, eth0 = interfaces("10.244.1.5")
    assert (lo.ip, eth0.name, eth0.prefix, eth0.mac) == (
        "127.0.0.1", "eth0", 24, "0a:58:0a:f4:01:05",
    )  # fmt: skip
    assert mac_of("10.0.0.255") == "0a:58:0a:00:00:ff"


def test_its_routes_go_by_the_nodes_bridge() -> None:
    assert routes(ethernet("10.244.1.5", host_network=False)) == (
        Route("default", "eth0", "10.244.1.1"),
        Route("10.244.1.0/24", "eth0", "", "10.244.1.5"),
    )


def test_a_pod_of_the_hosts_network_has_the_nodes() -> None:
    node = ethernet("172.30.0.2", host_network=True)
    assert (node.peer, node.prefix) == ("", 16)
    assert routes(node, host_network=True)[0] == Route("default", "eth0")
