"""What names mean."""

import pytest

from cluster.dns.schema import (
    Meaning,
    NameServer,
    PodName,
    Reverse,
    SchemaVersion,
    ServiceName,
    Structure,
    Unknown,
    dashed,
    meaning_of,
    origin_of,
)

Z = "cluster.local"


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("", Structure()),
        ("svc.", Structure()),
        ("pod.", Structure()),
        ("ns.svc.", Structure("ns")),
        ("ns.pod.", Structure("ns")),
        ("dns-version.", SchemaVersion()),
        ("ns.dns.", NameServer()),
        ("web.ns.svc.", ServiceName(namespace="ns", service="web")),
        ("web-0.web.ns.svc.", ServiceName(namespace="ns", service="web", endpoint="web-0")),
        (
            "_http._tcp.web.ns.svc.",
            ServiceName(namespace="ns", service="web", port="http", protocol="tcp"),
        ),
        (
            "http.tcp.web.ns.svc.",
            ServiceName(namespace="ns", service="web", port="http", protocol="tcp"),
        ),
        ("1-2-3-4.ns.pod.", PodName("ns", "1-2-3-4", "1.2.3.4")),
        ("fd00--5.ns.pod.", PodName("ns", "fd00--5", "fd00::5")),
        ("fd00--5-6.ns.pod.", PodName("ns", "fd00--5-6", "fd00::5:6")),
        ("1-2-3-4-5-6-7-8.ns.pod.", PodName("ns", "1-2-3-4-5-6-7-8", "1:2:3:4:5:6:7:8")),
        ("nonsense.ns.pod.", PodName("ns", "nonsense", None)),
    ],
)
def test_the_schema_has_these_names(name: str, meaning: Meaning) -> None:
    """D-1, D-18, D-50, D-54, D-58."""
    assert meaning_of(name + Z, Z) == meaning


@pytest.mark.parametrize(
    "name", ["foo.", "dns.", "web.ns.foo.", "a.b.c.web.ns.svc.", "x.1-2-3-4.ns.pod."]
)
def test_and_no_others(name: str) -> None:
    """D-59, D-144."""
    assert isinstance(meaning_of(name + Z, Z), Unknown)


@pytest.mark.parametrize(
    ("name", "ip"),
    [
        ("20.0.96.10.in-addr.arpa", "10.96.0.20"),
        ("96.10.in-addr.arpa", None),
        ("x.0.96.10.in-addr.arpa", None),
        ("5." + "0." * 29 + "d.f.ip6.arpa", "fd00::5"),
        ("55." + "0." * 29 + "d.f.ip6.arpa", None),
        ("d.f.ip6.arpa", None),
        ("4.3.2.1.ip6.arpa", None),
    ],
)
def test_reverse_names_spell_addresses_backwards(name: str, ip: str | None) -> None:
    """D-19, D-141."""
    origin = origin_of(name, Z)
    assert origin is not None
    assert meaning_of(name, origin) == Reverse(ip)


def test_a_zone_holds_what_ends_in_it_label_by_label() -> None:
    """D-66, D-67."""
    assert origin_of("cluster.local", Z) == Z
    assert origin_of("a.cluster.local", Z) == Z
    assert origin_of("acluster.local", Z) is None
    assert origin_of("example.com", Z) is None
    assert origin_of("in-addr.arpa", Z) == "in-addr.arpa"
    assert meaning_of("in-addr.arpa", "in-addr.arpa") == Structure()


@pytest.mark.parametrize(
    ("ip", "label"),
    [("10.244.1.5", "10-244-1-5"), ("fd00::5", "fd00--5"), ("fd00::", "fd00--0")],
)
def test_an_address_is_a_label_with_dashes(ip: str, label: str) -> None:
    """D-30."""
    assert dashed(ip) == label
