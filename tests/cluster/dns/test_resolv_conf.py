"""resolv.conf, read as libc reads it and written as kubelet writes it."""

from typing import Any

import pytest

from cluster.dns.resolv_conf import (
    SEARCH_CHARACTERS_MAX,
    ClusterDns,
    PodDns,
    ResolvConf,
    pod_resolv_conf,
)

HOST = ResolvConf.parse("nameserver 192.0.2.53\nsearch corp.example\noptions edns0\n")
CLUSTER_FIRST = """\
nameserver 10.96.0.10
search ns.svc.cluster.local svc.cluster.local cluster.local corp.example
options ndots:5
"""


def written(**more: Any) -> PodDns:
    given: dict[str, Any] = {"namespace": "ns", "cluster": ClusterDns(), "host": HOST}
    return pod_resolv_conf(**(given | more))


def test_it_is_read_as_libc_reads_it() -> None:
    conf = ResolvConf.parse(
        "# a comment\nnameserver 10.96.0.10 ; behind\ndomain old.example\n"
        "search a.example b.example.\n\noptions ndots:5 rotate\noptions timeout:3\nnonsense\n"
        "nameserver\nnameserver 192.0.2.53\n"
    )
    assert conf.nameservers == ("10.96.0.10", "192.0.2.53")
    assert conf.searches == ("a.example", "b.example")
    assert conf.options == (("ndots", "5"), ("rotate", None), ("timeout", "3"))
    assert (conf.ndots, conf.timeout_seconds, conf.attempts) == (5, 3, 2)


def test_what_is_written_reads_the_same() -> None:
    assert ResolvConf.parse(CLUSTER_FIRST).format() == CLUSTER_FIRST
    assert ResolvConf().format() == ""


def test_libc_has_defaults_and_limits() -> None:
    """D-83, D-84."""
    conf = ResolvConf.parse("")
    assert (conf.servers, conf.ndots, conf.timeout_seconds, conf.attempts) == (
        ("127.0.0.1",),
        1,
        5,
        2,
    )
    wild = ResolvConf.parse("options ndots:99 timeout:99 attempts:99 use-vc ndots:x")
    assert (wild.ndots, wild.timeout_seconds, wild.attempts) == (15, 30, 5)
    assert wild.uses_tcp and not conf.uses_tcp
    least = ResolvConf.parse("options timeout:0 attempts:0 ndots:0 rotate")
    assert (least.ndots, least.timeout_seconds, least.attempts) == (0, 1, 1)
    assert not least.uses_tcp
    many = ResolvConf(nameservers=("1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"))
    assert many.servers == ("1.1.1.1", "2.2.2.2", "3.3.3.3")


def test_a_name_with_few_dots_is_searched_first() -> None:
    """D-78, D-79, D-82, D-151: all of these are asked for, in this order."""
    conf = ResolvConf.parse(CLUSTER_FIRST)
    assert conf.candidates("example.com") == (
        "example.com.ns.svc.cluster.local",
        "example.com.svc.cluster.local",
        "example.com.cluster.local",
        "example.com.corp.example",
        "example.com",
    )
    assert conf.candidates("web")[0] == "web.ns.svc.cluster.local"
    assert "web.other.svc.cluster.local" in conf.candidates("web.other")
    assert "web.other.svc.cluster.local" in conf.candidates("web.other.svc")


def test_a_name_with_enough_dots_is_tried_as_it_is_first() -> None:
    """D-78."""
    conf = ResolvConf.parse("search a.example\noptions ndots:2\n")
    assert conf.candidates("x.y.z") == ("x.y.z", "x.y.z.a.example")
    assert conf.candidates("x.y") == ("x.y.a.example", "x.y")


def test_a_final_dot_stops_the_search() -> None:
    """D-78."""
    assert ResolvConf.parse(CLUSTER_FIRST).candidates("example.com.") == ("example.com",)


def test_a_namespace_called_com_takes_names_of_the_world() -> None:
    """D-135: the search asks the cluster first."""
    assert "foo.com.svc.cluster.local" in ResolvConf.parse(CLUSTER_FIRST).candidates("foo.com")


def test_the_root_and_underscores_may_be_searched() -> None:
    """D-76."""
    conf = ResolvConf.parse("search . _sip.example\noptions ndots:5")
    assert conf.candidates("a") == ("a", "a._sip.example")
    assert conf.format().startswith("search . _sip.example")


@pytest.mark.parametrize("policy", [{}, {"policy": "ClusterFirst"}])
def test_cluster_first_is_the_default(policy: dict[str, str]) -> None:
    """D-68, D-69."""
    assert written(**policy) == PodDns(ResolvConf.parse(CLUSTER_FIRST))


def test_default_is_the_nodes_own_file() -> None:
    """D-70."""
    assert written(policy="Default").conf == HOST


def test_host_network_turns_cluster_first_into_default() -> None:
    """D-71, D-149, P-36."""
    assert written(host_network=True).conf == HOST
    for host_network in (True, False):
        kept = written(policy="ClusterFirstWithHostNet", host_network=host_network)
        assert kept.conf.format() == CLUSTER_FIRST


def test_none_is_what_dns_config_says_alone() -> None:
    """D-72."""
    config = {
        "nameservers": ["192.0.2.1"],
        "searches": ["x.example."],
        "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
    }
    conf = written(policy="None", dns_config=config).conf
    assert conf.format() == "nameserver 192.0.2.1\nsearch x.example\noptions ndots:2 edns0\n"


def test_dns_config_is_merged_on_top() -> None:
    """D-73: lists joined without doubles, options replaced by name."""
    config = {
        "nameservers": ["10.96.0.10", "192.0.2.1"],
        "searches": ["corp.example", "x.example"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
    }
    conf = written(dns_config=config).conf
    assert conf.nameservers == ("10.96.0.10", "192.0.2.1")
    assert conf.searches[-2:] == ("corp.example", "x.example")
    assert conf.searches.count("corp.example") == 1
    assert conf.options == (("ndots", "2"), ("edns0", None))


def test_what_exceeds_the_limits_is_cut_with_an_event() -> None:
    """D-74."""
    many = {"nameservers": [f"192.0.2.{n}" for n in range(5)], "searches": ["a.example"] * 2}
    pod = written(dns_config=many)
    assert pod.conf.nameservers == ("10.96.0.10", "192.0.2.0", "192.0.2.1")
    assert [reason for reason, _ in pod.events] == ["DNSConfigForming"]
    assert "192.0.2.1" in pod.events[0][1]
    wide = {"searches": [f"s{n}.example" for n in range(40)]}
    assert len(written(dns_config=wide).conf.searches) == 32
    long = {"searches": [f"{n:02}{'x' * 60}.{'y' * 60}.example" for n in range(20)]}
    cut = written(dns_config=long)
    size = len(" ".join(cut.conf.searches))
    assert SEARCH_CHARACTERS_MAX - 134 < size <= SEARCH_CHARACTERS_MAX, "one more would not fit"
    assert cut.events


def test_without_a_cluster_dns_the_pod_falls_back_to_default() -> None:
    """D-75."""
    pod = written(cluster=ClusterDns(servers=()))
    assert pod.conf == HOST
    assert [reason for reason, _ in pod.events] == ["MissingClusterDNS"]


def test_another_cluster_domain_is_searched() -> None:
    """D-134."""
    conf = written(cluster=ClusterDns(domain="corp.internal")).conf
    assert conf.searches[:3] == ("ns.svc.corp.internal", "svc.corp.internal", "corp.internal")
