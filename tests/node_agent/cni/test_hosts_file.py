"""The /etc/hosts that the kubelet writes for a pod, and what a resolver reads in it."""

from node_agent.cni.hosts_file import HEAD, hosts_file, hosts_table

IP = "10.244.1.5"


def test_it_names_localhost_and_the_pod() -> None:
    """D-87."""
    text = hosts_file(IP, "web-1")
    assert text.startswith(f"{HEAD}\n127.0.0.1\tlocalhost\n")
    assert text.endswith(f"{IP}\tweb-1\n")
    assert hosts_table(text) == {"localhost": "127.0.0.1", "web-1": IP}


def test_a_subdomain_gives_the_pod_its_full_name_too() -> None:
    """D-87."""
    text = hosts_file(IP, "web-1", subdomain="web", namespace="shop")
    assert f"{IP}\tweb-1.web.shop.svc.cluster.local\tweb-1\n" in text


def test_host_aliases_come_last_under_their_own_heading() -> None:
    """D-87."""
    text = hosts_file(IP, "web-1", aliases=[("203.0.113.9", ("db", "Legacy.example"))])
    assert text.endswith("\n\n# Entries added by HostAliases.\n203.0.113.9\tdb\tLegacy.example\n")
    assert hosts_table(text)["legacy.example"] == "203.0.113.9"


def test_the_first_line_of_a_name_counts_and_comments_and_six_do_not() -> None:
    text = "10.0.0.1 web # 10.0.0.9 other\n10.0.0.2 web cart\n\n# nothing\n::1 six\n"
    assert hosts_table(text) == {"web": "10.0.0.1", "cart": "10.0.0.2"}
