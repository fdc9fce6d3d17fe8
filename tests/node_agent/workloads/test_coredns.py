"""The workload `coredns`: the cluster DNS as a pod."""

import pytest

from cluster.dns.zone import Zone
from cluster.objects.resources import SERVICES
from cluster.trace.query import Query
from cluster.trace.record import Outcome
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol
from cluster.wire.dns import Message, Question, Rcode, decode, encode
from cluster.wire.flow import FlowKind
from node_agent.workloads import coredns

CART = {
    "metadata": {"name": "cart", "namespace": "shop"},
    "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.20", "ports": [{"port": 80}]},
}
CART_NAME = "cart.shop.svc.cluster.local"


def asking(name):
    return encode(Message(id=7, recursion_desired=True, questions=(Question(name, 1),)))


class Names:
    """What the node knows."""

    def __init__(self):
        self.zone = Zone.build(
            services=[CART],
            endpoint_slices=[],
            namespaces=[{"metadata": {"name": "shop"}}],
            pods=[],
        )

    def __call__(self):
        return self.zone


@pytest.fixture
def names():
    return Names()


@pytest.fixture
def recorder(clock):
    return Recorder("node-1", clock)


@pytest.fixture
async def dns(pods, names, recorder):
    started = pods.start(coredns, zone_source=names, recorder=recorder)
    await started.said("listening on 10.244.1.5:53, UDP and TCP\n")
    return started


async def test_it_answers_by_udp_at_the_pods_address(pods, dns):
    """D-93."""
    answer = decode(await pods.udp(asking(CART_NAME), port=53))
    assert (answer.id, answer.rcode) == (7, Rcode.NOERROR)
    assert [str(each.data) for each in answer.answers] == ["10.96.0.20"]


async def test_it_answers_by_tcp_too(pods, dns):
    query = asking(CART_NAME)
    raw = await pods.tcp(len(query).to_bytes(2, "big") + query, port=53)
    assert int.from_bytes(raw[:2], "big") == len(raw) - 2
    assert [str(each.data) for each in decode(raw[2:]).answers] == ["10.96.0.20"]


async def test_a_change_of_names_counts_from_the_next_query_on(pods, dns, names):
    assert decode(await pods.udp(asking("new." + CART_NAME[5:]), port=53)).rcode == Rcode.NXDOMAIN
    new = {**CART, "metadata": {"name": "new", "namespace": "shop"}}
    names.zone = names.zone.with_changes([(SERVICES, None, new)])
    assert decode(await pods.udp(asking("new." + CART_NAME[5:]), port=53)).rcode == Rcode.NOERROR


async def test_each_query_is_a_flow_of_its_own_kind(pods, dns, recorder):
    """O-13: name, type, answer; the server's address is the pod's."""
    await pods.udp(asking(CART_NAME), port=53)
    (segment,) = recorder.find(Query(kind=FlowKind.DNS))
    assert segment.process == "node-1"
    assert segment.original.protocol is Protocol.UDP
    assert segment.original.source.ip == "10.244.1.9"
    assert segment.original.destination == ("10.244.1.5", 53)
    assert segment.outcome is Outcome.DELIVERED
    assert segment.hops[0].step.detail["answers"] == ["10.96.0.20"]


async def test_what_coredns_serves_besides(pods, dns, names):
    """D-123, O-68: health, readiness by what is synced, metrics."""
    assert (await pods.http("/health", port=8080))[::2] == (200, "OK")
    assert (await pods.http("/ready", port=8181))[0] == 200
    names.zone = names.zone.with_synced(False)
    assert (await pods.http("/ready", port=8181))[0] == 503
    await pods.udp(asking(CART_NAME), port=53)
    assert "coredns_dns_requests_total" in (await pods.http("/metrics", port=9153))[2]


async def test_it_ends_in_order_and_lets_go_of_its_ports(pods, dns):
    assert await dns.end() == 0
    assert pods.network("10.244.1.5").listening() == frozenset()


async def test_a_port_that_is_taken_fails_the_container_and_leaves_nothing(pods, names):
    """P-6: the second DNS of a pod."""
    first = pods.start(coredns, zone_source=names)
    await first.said("listening")
    second = pods.start(coredns, zone_source=names)
    assert await second.exit_code() == 1
    assert "in use" in second.program.failure
    assert decode(await pods.udp(asking(CART_NAME), port=53)).rcode == Rcode.NOERROR


async def test_without_names_it_says_so(pods):
    started = pods.start(coredns)
    assert await started.exit_code() == 1
    assert started.log.text() == "coredns: this node gives no zone to serve\n"
