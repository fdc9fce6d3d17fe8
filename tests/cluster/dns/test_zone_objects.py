"""Services and EndpointSlices as the DNS reads them."""

from typing import Any

from cluster.dns.zone_objects import (
    NO_PORT,
    DnsEndpoint,
    DnsService,
    NamedPort,
    parse_dns_endpoints,
    parse_dns_service,
)

HTTP = NamedPort("http", "tcp", 80)


def test_a_service_has_addresses_or_is_headless_or_an_alias(make: Any) -> None:
    """D-9, D-24, D-42."""
    plain = parse_dns_service(make.service("web", "10.96.0.20", "FD00::20"))
    assert plain == DnsService(
        key=("ns", "web"), cluster_ips=("10.96.0.20", "fd00::20"), ports=(HTTP,)
    )
    assert parse_dns_service(make.headless("hl")).headless
    alias = parse_dns_service(make.alias("db", "db.example.com."))
    assert alias == DnsService(key=("ns", "db"), external_name="db.example.com")


def test_the_type_decides_which_of_the_fields_counts(make: Any) -> None:
    """D-42: what another type left behind has no meaning."""
    was_plain = make.service("a", "10.96.0.20", type="ExternalName", externalName="b.example")
    assert parse_dns_service(was_plain).cluster_ips == ()
    was_alias = make.service("a", "10.96.0.20", externalName="b.example")
    assert parse_dns_service(was_alias).external_name == ""
    single = make.service("a")
    single["spec"] |= {"clusterIPs": None, "clusterIP": "10.96.0.20"}
    assert parse_dns_service(single).cluster_ips == ("10.96.0.20",)


def test_a_service_without_its_address_yet_has_none(make: Any) -> None:
    service = parse_dns_service(make.service("new"))
    assert not service.cluster_ips and not service.headless


def test_nothing_but_name_type_ports_and_addresses_counts(make: Any) -> None:
    """D-20, D-91: neither annotations nor external addresses make names."""
    bare, adorned = make.service("web", "10.96.0.20"), make.service("web", "10.96.0.20")
    adorned["metadata"]["annotations"] = {"external-dns/hostname": "x.example.com"}
    adorned["spec"] |= {"type": "LoadBalancer", "externalIPs": ["198.51.100.7"]}
    adorned["status"] = {"loadBalancer": {"ingress": [{"ip": "127.65.0.1"}]}}
    assert parse_dns_service(bare) == parse_dns_service(adorned)


def test_only_ready_endpoints_have_names(make: Any) -> None:
    """D-25, D-27: nil counts as ready; terminating ones have ready=false."""
    serving = make.endpoint("10.244.1.4", ready=False)
    serving["conditions"] |= {"serving": True, "terminating": True}
    key, endpoints = parse_dns_endpoints(
        make.slice(
            "hl",
            make.endpoint("10.244.1.1"),
            make.endpoint("10.244.1.2", ready=None),
            make.endpoint("10.244.1.3", ready=False),
            serving,
        )
    )
    assert key == ("ns", "hl")
    assert [each.ip for each in endpoints] == ["10.244.1.1", "10.244.1.2"]


def test_an_endpoint_is_called_by_its_hostname_or_by_its_address(make: Any) -> None:
    """D-28, D-30, D-39, D-90."""
    _, (named, plain) = parse_dns_endpoints(
        make.slice("hl", make.endpoint("10.244.1.1", hostname="web-0"), "10.244.1.2")
    )
    port = NamedPort("http", "tcp", 8080)
    assert named == DnsEndpoint("10.244.1.1", "web-0", (port,))
    assert plain.label == "10-244-1-2"


def test_an_endpoint_without_ports_still_has_an_address(make: Any) -> None:
    """D-34."""
    _, (endpoint,) = parse_dns_endpoints(make.slice("hl", "10.244.1.1", ports=[]))
    assert [port.port for port in endpoint.ports] == [NO_PORT]


def test_slices_of_names_or_of_no_service_give_nothing(make: Any) -> None:
    """D-38."""
    names = make.slice("hl", {"addresses": ["db.example.com"]}, address_type="FQDN")
    orphan = make.slice("", "10.244.1.1")
    assert parse_dns_endpoints(names)[1] == ()
    assert parse_dns_endpoints(orphan)[1] == ()
