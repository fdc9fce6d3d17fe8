"""CoreDNS' metrics, under its names."""

from typing import Any

import pytest

from cluster.dns.metrics import DnsMetrics, Histogram
from cluster.wire.dns import RRType

WHERE = 'server="dns://:53",zone=".",view=""'


def served(metrics: DnsMetrics, **more: Any) -> None:
    given: dict[str, Any] = {
        "proto": "udp",
        "family": "1",
        "type_": RRType.A,
        "rcode": 0,
        "plugin": "kubernetes",
        "dnssec_ok": False,
        "sizes": (50, 120),
    }
    metrics.took(more.pop("seconds", 0.0003), more.get("count", 1))
    metrics.served(**(given | more))


def test_requests_are_counted_by_protocol_family_and_type() -> None:
    """O-68: rare types are "other"."""
    metrics = DnsMetrics()
    served(metrics)
    served(metrics)
    served(metrics, proto="tcp", family="2", type_=RRType.SRV)
    served(metrics, type_=99)
    served(metrics, type_=None)
    lines = metrics.text().splitlines()
    name = "coredns_dns_requests_total"
    assert f'{name}{{{WHERE},proto="udp",family="1",type="A"}} 2' in lines
    assert f'{name}{{{WHERE},proto="tcp",family="2",type="SRV"}} 1' in lines
    assert f'{name}{{{WHERE},proto="udp",family="1",type="other"}} 2' in lines
    assert metrics.requests == 5


def test_responses_are_counted_by_rcode_and_plugin() -> None:
    """O-69."""
    metrics = DnsMetrics()
    served(metrics, rcode=3)
    served(metrics, rcode=5, plugin="")
    text = metrics.text()
    assert f'coredns_dns_responses_total{{{WHERE},rcode="NXDOMAIN",plugin="kubernetes"}} 1' in text
    assert f'coredns_dns_responses_total{{{WHERE},rcode="REFUSED",plugin=""}} 1' in text


def test_time_and_sizes_are_histograms() -> None:
    """O-70."""
    metrics = DnsMetrics()
    served(metrics, seconds=0.0003, sizes=(50, 600))
    lines = metrics.text().splitlines()
    duration = f"coredns_dns_request_duration_seconds_bucket{{{WHERE},le="
    assert f'{duration}"0.00025"}} 0' in lines
    assert f'{duration}"0.0005"}} 1' in lines
    assert f'{duration}"+Inf"}} 1' in lines
    size = f'coredns_dns_response_size_bytes_bucket{{{WHERE},proto="udp",le='
    assert f'{size}"511"}} 0' in lines
    assert f'{size}"1023"}} 1' in lines
    assert f'coredns_dns_request_size_bytes_sum{{{WHERE},proto="udp"}} 50' in lines
    assert f'coredns_dns_request_size_bytes_count{{{WHERE},proto="tcp"}} 0' in lines


def test_the_rest_is_there() -> None:
    """O-71."""
    metrics = DnsMetrics()
    served(metrics, dnssec_ok=True)
    metrics.panicked()
    text = metrics.text()
    assert f"coredns_dns_do_requests_total{{{WHERE}}} 1" in text
    assert "coredns_panics_total 1" in text
    assert "coredns_build_info{version=" in text
    assert f'coredns_plugin_enabled{{{WHERE},name="kubernetes"}} 1' in text


@pytest.mark.parametrize(("value", "bucket"), [(1, 0), (1.5, 1), (2, 1), (3, 2)])
def test_a_value_on_a_bound_belongs_to_it(value: float, bucket: int) -> None:
    histogram = Histogram((1, 2))
    histogram.add(value)
    counts = [int(line.rpartition(" ")[2]) for line in list(histogram.lines("x", ""))[:3]]
    assert counts == [1 if index >= bucket else 0 for index in range(3)]


def test_queries_that_are_alike_are_counted_together() -> None:
    one_by_one, together = DnsMetrics(), DnsMetrics()
    for _ in range(3):
        served(one_by_one, dnssec_ok=True)
    served(together, dnssec_ok=True, count=3)
    assert together.text() == one_by_one.text()
    assert together.requests == 3


def test_what_is_not_yet_counted_is_before_anybody_reads() -> None:
    metrics = DnsMetrics()
    metrics.before_reading(lambda: served(metrics))
    assert metrics.requests == 1
    assert f"coredns_dns_do_requests_total{{{WHERE}}} 0" in metrics.text()
    assert metrics.requests == 3
