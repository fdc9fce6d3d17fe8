"""Answers, statement by statement."""

from typing import Any

import pytest

from cluster.dns.answer import CNAMES_MAX, Answer
from cluster.dns.zone import PodNames, Zone, ZoneSettings
from cluster.wire.dns import Question, Rcode, RRType, Soa, Text

NOERROR, NXDOMAIN, REFUSED = Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.REFUSED


def is_nodata(answer: Answer) -> bool:
    return answer.rcode == NOERROR and not answer.answers and bool(answer.authority)


# Schema version and zone


def test_the_schema_version_is_a_txt_record(make: Any, worked: Zone) -> None:
    """D-1."""
    (record,) = make.ask(worked, "dns-version.Z", "TXT").answers
    assert (record.data, record.ttl) == (Text((b"1.1.0",)), 28800)
    assert is_nodata(make.ask(worked, "dns-version.Z", "A"))


def test_names_compare_without_case_and_keep_their_spelling(make: Any, worked: Zone) -> None:
    """D-2, D-4."""
    (record,) = make.ask(worked, "WeB.nS.SVC.Cluster.Local").answers
    assert record.name == "WeB.nS.SVC.Cluster.Local"
    assert str(record.data) == "10.96.0.20"


@pytest.mark.parametrize("ttl", [0, 30, 3600])
def test_the_ttl_is_the_administrators(make: Any, ttl: int) -> None:
    """D-3, D-5: the SOA's own is 300 at most."""
    zone = make.zone(make.service("web", "10.96.0.20"), settings=ZoneSettings(ttl=ttl))
    assert make.ask(zone, "web.ns.svc.Z").answers[0].ttl == ttl
    soa = make.ask(zone, "nope.ns.svc.Z").authority[0]
    assert soa.ttl == min(ttl, 300)
    assert isinstance(soa.data, Soa) and soa.data.minimum == ttl


def test_the_apex_has_an_soa(make: Any, worked: Zone) -> None:
    """D-5."""
    (record,) = make.ask(worked, "Z", "SOA").answers
    assert record.data == Soa(
        mname="ns.dns.cluster.local",
        rname="hostmaster.cluster.local",
        serial=worked.serial,
        refresh=7200,
        retry=1800,
        expire=86400,
        minimum=30,
    )
    assert record.ttl == 30


def test_the_apex_names_the_service_that_fronts_the_dns(make: Any) -> None:
    """D-6: with glue."""
    zone = make.zone(make.service("kube-dns", "10.96.0.10", namespace="kube-system"))
    answer = make.ask(zone, "Z", "NS")
    assert [str(each.data) for each in answer.answers] == ["kube-dns.kube-system.svc.cluster.local"]
    assert [str(each) for each in answer.additional] == [
        "kube-dns.kube-system.svc.cluster.local. 30 IN A 10.96.0.10"
    ]


def test_without_such_a_service_the_server_names_itself(make: Any) -> None:
    """D-6."""
    zone = make.zone(settings=ZoneSettings(addresses=("127.64.0.254",)))
    answer = make.ask(zone, "Z", "NS")
    assert [str(each.data) for each in answer.answers] == ["ns.dns.cluster.local"]
    assert make.data(zone, "ns.dns.Z") == ["127.64.0.254"]
    assert is_nodata(make.ask(zone, "ns.dns.Z", "AAAA"))


@pytest.mark.parametrize("name", ["web.ns.svc.Z", "nope.ns.svc.Z", "foo.Z"])
def test_an_soa_below_the_apex_is_nodata(make: Any, worked: Zone, name: str) -> None:
    """D-7: whether or not the name exists."""
    assert is_nodata(make.ask(worked, name, "SOA"))


@pytest.mark.parametrize("type_", ["AXFR", "IXFR"])
def test_zone_transfers_are_refused(make: Any, worked: Zone, type_: str) -> None:
    """D-8: and are no business of another server."""
    answer = make.ask(worked, "Z", type_)
    assert answer.rcode == REFUSED
    assert not answer.wants_another


# ClusterIP Services


def test_a_dual_stack_service_has_both_families(make: Any) -> None:
    """D-9."""
    zone = make.zone(make.service("web", "10.96.0.20", "fd00::20"))
    assert make.data(zone, "web.ns.svc.Z", "A") == ["10.96.0.20"]
    assert make.data(zone, "web.ns.svc.Z", "AAAA") == ["fd00::20"]


def test_a_service_without_pods_has_its_name(make: Any) -> None:
    """D-10, D-146."""
    assert make.data(make.zone(make.service("web", "10.96.0.20")), "web.ns.svc.Z") == ["10.96.0.20"]


def test_the_family_a_service_lacks_is_nodata(make: Any, worked: Zone) -> None:
    """D-11, D-145."""
    assert is_nodata(make.ask(worked, "web.ns.svc.Z", "AAAA"))
    assert is_nodata(make.ask(worked, "hl.ns.svc.Z", "AAAA"))


def test_a_named_port_has_an_srv_with_the_services_own_port(make: Any, worked: Zone) -> None:
    """D-12, D-138, D-147."""
    answer = make.ask(worked, "_http._tcp.web.ns.svc.Z", "SRV")
    assert [str(each.data) for each in answer.answers] == ["0 100 80 web.ns.svc.cluster.local"]
    assert [str(each) for each in answer.additional] == [
        "web.ns.svc.cluster.local. 30 IN A 10.96.0.20"
    ]


def test_an_unnamed_port_has_no_name(make: Any) -> None:
    """D-13."""
    zone = make.zone(make.service("web", "10.96.0.20", ports=[{"port": 80}]))
    assert make.ask(zone, "_http._tcp.web.ns.svc.Z", "SRV").rcode == NXDOMAIN


@pytest.mark.parametrize("name", ["_foo._tcp.web", "_http._udp.web", "_foo._tcp.hl"])
def test_an_unknown_port_or_protocol_does_not_exist(make: Any, worked: Zone, name: str) -> None:
    """D-14."""
    assert make.ask(worked, f"{name}.ns.svc.Z", "SRV").rcode == NXDOMAIN


def test_srv_at_the_plain_name_has_every_port(make: Any) -> None:
    """D-15, D-16: two ports, weight 50 each; unnamed ones too."""
    ports = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
    zone = make.zone(make.service("web", "10.96.0.20", ports=ports))
    assert make.data(zone, "web.ns.svc.Z", "SRV") == [
        "0 50 80 web.ns.svc.cluster.local",
        "0 50 443 web.ns.svc.cluster.local",
    ]


def test_srv_weights_share_a_hundred_before_duplicates_go(make: Any) -> None:
    """D-16: six entries give 16 each, also when two share a host name and collapse."""
    ips = [f"10.244.1.{n}" for n in range(1, 7)]
    shared = [make.endpoint(ip, hostname="same") for ip in ips[:2]]
    zone = make.zone(make.headless("hl"), slices=(make.slice("hl", *shared, *ips[2:]),))
    answers = make.data(zone, "_http._tcp.hl.ns.svc.Z", "SRV")
    assert len(answers) == 5
    assert all(each.startswith("0 16 8080 ") for each in answers)
    ips = [f"10.244.1.{n}" for n in range(1, 151)]
    many = make.zone(make.headless("hl"), slices=(make.slice("hl", *ips),))
    assert make.data(many, "hl.ns.svc.Z", "SRV")[0].startswith("0 1 8080")


def test_a_port_name_has_the_services_address(make: Any, worked: Zone) -> None:
    """D-17, D-18: with or without underscores."""
    assert make.data(worked, "_http._tcp.web.ns.svc.Z") == ["10.96.0.20"]
    assert make.data(worked, "http.tcp.web.ns.svc.Z") == ["10.96.0.20"]


def test_a_cluster_ip_has_the_services_name(make: Any) -> None:
    """D-19, D-36: and endpoints are not searched for it."""
    zone = make.zone(
        make.service("web", "10.96.0.20", "fd00::20"),
        make.headless("odd"),
        slices=(make.slice("odd", "10.96.0.20"),),
    )
    assert make.data(zone, "20.0.96.10.in-addr.arpa", "PTR") == ["web.ns.svc.cluster.local"]
    backwards = ".".join(reversed("fd00" + "0" * 26 + "20")) + ".ip6.arpa"
    assert make.data(zone, backwards, "PTR") == ["web.ns.svc.cluster.local"]


@pytest.mark.parametrize("type_", ["MX", "TXT", "CAA", "HTTPS", "CNAME", "NS", "PTR", "ANY"])
@pytest.mark.parametrize("name", ["web.ns.svc.Z", "hl.ns.svc.Z", "10-244-1-5.ns.pod.Z"])
def test_other_types_at_an_existing_name_are_nodata(
    make: Any, worked: Zone, name: str, type_: str
) -> None:
    """D-21."""
    assert is_nodata(make.ask(worked, name, type_))


def test_endpoint_labels_work_below_cluster_ip_services_too(make: Any, worked: Zone) -> None:
    """D-22."""
    assert make.data(worked, "10-244-1-5.web.ns.svc.Z") == ["10.244.1.5"]
    assert make.ask(worked, "anything.web.ns.svc.Z").rcode == NXDOMAIN


# Headless Services


def test_a_headless_service_has_each_ready_address_once(make: Any) -> None:
    """D-24, D-40: all of them, duplicates removed."""
    ips = [f"10.244.1.{n}" for n in range(1, 21)]
    ports = [{"name": "a", "port": 1}, {"name": "b", "port": 2}]
    zone = make.zone(
        make.headless("hl"),
        slices=(make.slice("hl", *ips, ports=ports), make.slice("hl", ips[0], name="again")),
    )
    assert make.data(zone, "hl.ns.svc.Z") == ips


def test_a_headless_service_without_ready_endpoints_does_not_exist(make: Any) -> None:
    """D-25, D-26, D-92, D-146."""
    waiting = make.slice("hl", make.endpoint("10.244.1.5", ready=False))
    assert (
        make.ask(make.zone(make.headless("hl"), slices=(waiting,)), "hl.ns.svc.Z").rcode == NXDOMAIN
    )


def test_a_hostname_names_its_endpoints(make: Any) -> None:
    """D-28, D-29, D-39, D-86: several endpoints may share one."""
    zone = make.zone(
        make.headless("nginx"),
        slices=(
            make.slice(
                "nginx",
                make.endpoint("10.244.1.5", hostname="web-0"),
                make.endpoint("10.244.1.6", hostname="web-1"),
                make.endpoint("10.244.2.6", hostname="web-1"),
            ),
        ),
    )
    assert make.data(zone, "web-0.nginx.ns.svc.Z") == ["10.244.1.5"]
    assert make.data(zone, "web-1.nginx.ns.svc.Z") == ["10.244.1.6", "10.244.2.6"]
    assert make.ask(zone, "10-244-1-5.nginx.ns.svc.Z").rcode == NXDOMAIN
    assert make.data(zone, "5.1.244.10.in-addr.arpa", "PTR") == ["web-0.nginx.ns.svc.cluster.local"]


def test_srv_of_a_headless_service_leads_to_each_endpoints_own_port(
    make: Any, worked: Zone
) -> None:
    """D-31, D-32, D-139, D-147."""
    answer = make.ask(worked, "_http._tcp.hl.ns.svc.Z", "SRV")
    assert [str(each.data) for each in answer.answers] == [
        "0 50 8080 10-244-1-5.hl.ns.svc.cluster.local",
        "0 50 8080 10-244-2-6.hl.ns.svc.cluster.local",
    ]
    assert [str(each) for each in answer.additional] == [
        "10-244-1-5.hl.ns.svc.cluster.local. 30 IN A 10.244.1.5",
        "10-244-2-6.hl.ns.svc.cluster.local. 30 IN A 10.244.2.6",
    ]


def test_additional_addresses_come_once_however_many_ports_lead_there(make: Any) -> None:
    """D-32."""
    ports = [{"name": "a", "port": 1}, {"name": "b", "port": 2}]
    zone = make.zone(make.headless("hl"), slices=(make.slice("hl", "10.244.1.5", ports=ports),))
    answer = make.ask(zone, "hl.ns.svc.Z", "SRV")
    assert len(answer.answers) == 2
    assert len(answer.additional) == 1


def test_srv_at_an_endpoints_name_has_its_ports(make: Any, worked: Zone) -> None:
    """D-33."""
    assert make.data(worked, "10-244-1-5.hl.ns.svc.Z", "SRV") == [
        "0 100 8080 10-244-1-5.hl.ns.svc.cluster.local"
    ]


def test_without_ports_there_are_addresses_but_no_srv(make: Any) -> None:
    """D-34."""
    zone = make.zone(
        make.headless("hl", ports=[]), slices=(make.slice("hl", "10.244.1.5", ports=[]),)
    )
    assert make.data(zone, "hl.ns.svc.Z") == ["10.244.1.5"]
    assert is_nodata(make.ask(zone, "hl.ns.svc.Z", "SRV"))


def test_an_endpoints_address_has_a_name_for_each_of_its_services(make: Any, worked: Zone) -> None:
    """D-35, D-141, D-152: ClusterIP Services included."""
    assert make.data(worked, "5.1.244.10.in-addr.arpa", "PTR") == [
        "10-244-1-5.web.ns.svc.cluster.local",
        "10-244-1-5.hl.ns.svc.cluster.local",
    ]


def test_a_bare_pod_has_no_reverse_name(make: Any) -> None:
    """D-37, D-152."""
    zone = make.zone(pods=(make.pod("a", "10.244.1.9"),))
    assert make.ask(zone, "9.1.244.10.in-addr.arpa", "PTR").rcode == NXDOMAIN


def test_a_service_without_selector_answers_its_manual_slices(make: Any) -> None:
    """D-38."""
    zone = make.zone(
        make.headless("db"),
        slices=(
            make.slice("db", "192.0.2.7", name="v4"),
            make.slice("db", "2001:db8::7", name="v6", address_type="IPv6"),
            make.slice("db", {"addresses": ["db.test"]}, name="fq", address_type="FQDN"),
        ),
    )
    assert make.data(zone, "db.ns.svc.Z", "A") == ["192.0.2.7"]
    assert make.data(zone, "db.ns.svc.Z", "AAAA") == ["2001:db8::7"]


# ExternalName


def test_an_external_name_is_an_alias(make: Any) -> None:
    """D-42, D-43, D-44: who can look the target up appends it."""
    zone = make.zone(make.alias("db", "db.example.com"))
    answer = make.ask(zone, "db.ns.svc.Z", "A")
    assert [str(each.data) for each in answer.answers] == ["db.example.com"]
    assert answer.external == "db.example.com"
    cname = make.ask(zone, "db.ns.svc.Z", "CNAME")
    assert [str(each.data) for each in cname.answers] == ["db.example.com"]
    assert cname.external is None


def test_an_alias_inside_the_zone_brings_its_target(make: Any) -> None:
    """D-43, D-44."""
    zone = make.zone(make.service("web", "10.96.0.20"), make.alias("a", "web.ns.svc.cluster.local"))
    assert [str(each) for each in make.ask(zone, "a.ns.svc.Z").answers] == [
        "a.ns.svc.cluster.local. 30 IN CNAME web.ns.svc.cluster.local",
        "web.ns.svc.cluster.local. 30 IN A 10.96.0.20",
    ]
    assert make.data(zone, "a.ns.svc.Z", "CNAME") == ["web.ns.svc.cluster.local"]


@pytest.mark.parametrize("target", ["web.ns.svc.cluster.local", "nope.ns.svc.cluster.local"])
def test_an_alias_whose_target_has_no_such_record_is_empty(make: Any, target: str) -> None:
    """D-45: the CNAME is left out too."""
    zone = make.zone(make.service("web", "10.96.0.20"), make.alias("a", target))
    assert is_nodata(make.ask(zone, "a.ns.svc.Z", "AAAA"))


def test_chains_of_aliases_are_followed_up_to_ten(make: Any) -> None:
    """D-46."""

    def chain(length: int) -> Zone:
        aliases = [make.alias(f"a{n}", f"a{n + 1}.ns.svc.cluster.local") for n in range(length)]
        end = make.service(f"a{length}", "10.96.0.20")
        zone: Zone = make.zone(*aliases, end)
        return zone

    assert make.data(chain(CNAMES_MAX), "a0.ns.svc.Z")[-1] == "10.96.0.20"
    assert len(make.data(chain(CNAMES_MAX), "a0.ns.svc.Z")) == CNAMES_MAX + 1
    assert is_nodata(make.ask(chain(CNAMES_MAX + 1), "a0.ns.svc.Z"))


def test_loops_of_aliases_are_cut(make: Any) -> None:
    """D-46."""
    zone = make.zone(
        make.alias("a", "b.ns.svc.cluster.local"),
        make.alias("b", "A.ns.svc.cluster.local"),
        make.alias("self", "self.ns.svc.cluster.local"),
    )
    assert is_nodata(make.ask(zone, "a.ns.svc.Z"))
    assert is_nodata(make.ask(zone, "self.ns.svc.Z"))


def test_an_external_name_that_is_an_address_does_not_exist(make: Any) -> None:
    """D-47."""
    zone = make.zone(make.alias("a", "192.0.2.1"), make.alias("b", "2001:db8::1"))
    assert make.ask(zone, "a.ns.svc.Z").rcode == NXDOMAIN
    assert make.ask(zone, "b.ns.svc.Z", "AAAA").rcode == NXDOMAIN


def test_nothing_lies_below_an_alias(make: Any) -> None:
    """D-48."""
    zone = make.zone(make.alias("db", "db.example.com"))
    assert make.ask(zone, "_http._tcp.db.ns.svc.Z", "SRV").rcode == NXDOMAIN
    assert make.ask(zone, "x.db.ns.svc.Z").rcode == NXDOMAIN
    assert is_nodata(make.ask(zone, "db.ns.svc.Z", "SRV"))


# Pods


def test_insecure_pod_names_echo_their_address(make: Any, worked: Zone) -> None:
    """D-52, D-142, D-150: without any pod."""
    assert make.data(worked, "10-244-1-5.ns.pod.Z") == ["10.244.1.5"]
    assert make.data(worked, "192-0-2-1.ns.pod.Z") == ["192.0.2.1"]
    assert make.ask(worked, "10-244-1-5.nons.pod.Z").rcode == NXDOMAIN


def test_disabled_pod_names_do_not_exist(make: Any) -> None:
    """D-51, D-142."""
    zone = make.zone(settings=ZoneSettings(pods=PodNames.DISABLED))
    assert make.ask(zone, "10-244-1-5.ns.pod.Z").rcode == NXDOMAIN


def test_verified_pod_names_need_the_pod(make: Any) -> None:
    """D-53."""
    zone = make.zone(
        pods=(make.pod("a", "10.244.1.5"), make.pod("b", "10.244.1.6", namespace="kube-system")),
        settings=ZoneSettings(pods=PodNames.VERIFIED),
    )
    assert make.data(zone, "10-244-1-5.ns.pod.Z") == ["10.244.1.5"]
    assert make.ask(zone, "10-244-1-6.ns.pod.Z").rcode == NXDOMAIN
    assert make.ask(zone, "10-244-1-7.ns.pod.Z").rcode == NXDOMAIN


def test_an_ipv6_pod_name_has_an_aaaa(make: Any, worked: Zone) -> None:
    """D-54."""
    assert make.data(worked, "fd00--5.ns.pod.Z", "AAAA") == ["fd00::5"]
    assert is_nodata(make.ask(worked, "fd00--5.ns.pod.Z", "A"))


@pytest.mark.parametrize("label", ["1-2-3", "1-2-3-256", "web", "1--2-3-4-5--6"])
def test_a_malformed_pod_label_does_not_exist(make: Any, worked: Zone, label: str) -> None:
    """D-55."""
    assert make.ask(worked, f"{label}.ns.pod.Z").rcode == NXDOMAIN


# Negative answers


@pytest.mark.parametrize(
    "name",
    ["nope.ns.svc.Z", "web.nons.svc.Z", "foo.Z", "*.ns.svc.Z", "x.1-2-3-4.ns.pod.Z",
     "zone-a.pin._zone.web.ns.svc.Z"],
)  # fmt: skip
def test_a_name_that_does_not_exist_carries_the_soa(make: Any, worked: Zone, name: str) -> None:
    """D-57, D-59, D-64, D-131, D-137, D-148."""
    answer = make.ask(worked, name)
    assert answer.rcode == NXDOMAIN and answer.authoritative
    assert [(each.name, each.type) for each in answer.authority] == [("cluster.local", RRType.SOA)]


@pytest.mark.parametrize("name", ["Z", "svc.Z", "pod.Z", "ns.svc.Z", "ns.pod.Z"])
def test_a_name_that_leads_to_others_is_nodata(make: Any, worked: Zone, name: str) -> None:
    """D-56, D-58, D-143."""
    answer = make.ask(worked, name)
    assert is_nodata(answer) and answer.authoritative


@pytest.mark.parametrize("name", ["a.b.c.web.ns.svc.Z", "nons.svc.Z", "nons.pod.Z"])
def test_too_many_labels_and_missing_namespaces_do_not_exist(
    make: Any, worked: Zone, name: str
) -> None:
    """D-56, D-59, D-144."""
    assert make.ask(worked, name).rcode == NXDOMAIN


def test_before_the_first_sync_a_missing_name_is_a_failure(make: Any, worked: Zone) -> None:
    """D-62: what is known is answered all the same."""
    early = worked.with_synced(False)
    answer = make.ask(early, "nope.ns.svc.Z")
    assert answer.rcode == Rcode.SERVFAIL
    assert answer.reason == "not synced with the API: no Service nope in namespace ns"
    assert make.ask(worked, "nope.ns.svc.Z").reason == "no Service nope in namespace ns"
    assert make.data(early, "web.ns.svc.Z") == ["10.96.0.20"]


def test_names_outside_the_zone_are_refused_and_are_anothers_business(
    make: Any, worked: Zone
) -> None:
    """D-66, D-120, D-128: a miss of the zone's own is not."""
    answer = make.ask(worked, "example.com")
    assert answer.rcode == REFUSED and not answer.authoritative
    assert answer.wants_another
    assert not make.ask(worked, "nope.ns.svc.Z").wants_another
    assert not make.ask(worked, "web.ns.svc.Z").wants_another


def test_where_the_outside_is_empty_its_names_do_not_exist(make: Any) -> None:
    """D-79: the last name of a search is asked as it is, and a cluster's upstream says NXDOMAIN."""
    zone = make.zone(settings=ZoneSettings(outside_empty=True))
    answer = make.ask(zone, "example.com")
    assert answer.rcode == NXDOMAIN and not answer.authoritative
    assert answer.wants_another, "a forwarder that is configured is asked first"
    assert [(each.name, each.data.mname) for each in answer.authority] == [("", "ns.dns")]
    assert answer.reason == (
        "example.com is outside cluster.local, and the emulated outside has no names"
    )


def test_a_reverse_miss_may_be_known_elsewhere(make: Any, worked: Zone) -> None:
    """D-67."""
    miss = make.ask(worked, "1.2.0.192.in-addr.arpa", "PTR")
    assert miss.rcode == NXDOMAIN and miss.wants_another
    assert miss.authority[0].name == "in-addr.arpa"
    assert not make.ask(worked, "20.0.96.10.in-addr.arpa", "PTR").wants_another


def test_other_types_at_a_reverse_name_are_nodata(make: Any, worked: Zone) -> None:
    """D-21."""
    assert is_nodata(make.ask(worked, "20.0.96.10.in-addr.arpa", "A"))


def test_only_class_in_is_served(worked: Zone) -> None:
    """D-101."""
    answer = worked.answer(Question("web.ns.svc.cluster.local", RRType.A, 3))
    assert answer.rcode == REFUSED and not answer.wants_another


def test_another_domain_is_another_zone(make: Any) -> None:
    """D-134: a mismatch gives no names."""
    settings = ZoneSettings(domain="corp.internal")
    zone = make.zone(make.service("web", "10.96.0.20"), settings=settings)
    assert make.data(zone, "web.ns.svc.corp.internal") == ["10.96.0.20"]
    assert make.ask(zone, "web.ns.svc.cluster.local").rcode == REFUSED


def test_the_api_servers_service_has_its_names(make: Any) -> None:
    """D-136."""
    https = [{"name": "https", "port": 443, "protocol": "TCP"}]
    zone = Zone.build(
        namespaces=[make.namespace("default")],
        services=[make.service("kubernetes", "10.96.0.1", namespace="default", ports=https)],
    )
    assert make.data(zone, "kubernetes.default.svc.Z") == ["10.96.0.1"]
    assert make.data(zone, "_https._tcp.kubernetes.default.svc.Z", "SRV") == [
        "0 100 443 kubernetes.default.svc.cluster.local"
    ]


def test_the_worked_endpoint_names(make: Any, worked: Zone) -> None:
    """D-140."""
    assert make.data(worked, "10-244-1-5.hl.ns.svc.Z") == ["10.244.1.5"]
    assert make.ask(worked, "10-244-9-9.hl.ns.svc.Z").rcode == NXDOMAIN
