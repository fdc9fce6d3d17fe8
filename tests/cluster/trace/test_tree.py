"""The tree, as people see it: golden texts."""

import re
from dataclasses import replace
from typing import Any

import pytest

from cluster.dataplane.conntrack import AffinityTable
from cluster.dataplane.node_view import NetworkSettings, empty_view
from cluster.dataplane.pipeline import admit, decide
from cluster.objects.resources import (
    ENDPOINT_SLICES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)
from cluster.trace.join import join
from cluster.trace.record import ClientSaw, Outcome, segment_of
from cluster.trace.tree import render, render_line
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowContext, Origin, OriginKind

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def test_a_delivered_flow_shows_its_way_and_every_translation(path: Any) -> None:
    """O-1, O-3, O-4, O-6, O-7, O-10, O-109: an outside client, a LoadBalancer, a pod elsewhere."""
    assert (
        render(join(path("balanced")))
        == """\
internet → service shop/frontend                            ✓ delivered, 0.42 ms
TCP 203.0.113.1:40312 → 127.65.0.1:80                      flow 4c1f9a2b7d3e6f80

● gateway
│  balance     shop/frontend port http: node-1, 1 of 3 healthy nodes
● node-1
│  service     shop/frontend port http: random, 2 of 3 endpoints
│              destination 127.65.0.1:80 ⇒ 10.244.2.7:8080
│  masquerade  externalTrafficPolicy Cluster: replies return through this node
│              source 203.0.113.1:40312 ⇒ 172.30.0.1:40312
│  route       10.244.2.0/24 via node-2
● node-2  from node-1
│  ingress     allowed: no policy selects shop/frontend-7d4b9c-x2x1p for ingress
✓  deliver     shop/frontend-7d4b9c-x2x1p listens on 8080
"""
    )


def test_a_policy_drop_names_the_policy_the_pod_and_what_would_allow_it(path: Any) -> None:
    """O-7, O-8, O-11, O-13, O-20, O-111: silence for the client."""
    assert (
        render(join(path("denied")))
        == """\
pod shop/client → service shop/frontend                       ✗ dropped, 0.28 ms
TCP 10.244.1.5:40312 → 10.96.1.1:80                        flow 4c1f9a2b7d3e6f80

● node-1
│  resolve     frontend is 10.96.1.1
│              frontend.shop.svc.cluster.local A: 10.96.1.1
│  service     shop/frontend port http: random, 2 of 3 endpoints
│              destination 10.96.1.1:80 ⇒ 10.244.2.7:8080
│  egress      allowed: no policy selects shop/client for egress
│  route       10.244.2.0/24 via node-2
● node-2  from node-1
✗  ingress     denied: shop/default-deny selects shop/frontend-7d4b9c-x2x1p, and
               no rule allows ingress from shop/client on TCP 8080

   dropped     in silence by node-2, POLICY_DENIED
   client saw  timeout
   would help  an ingress rule from shop/client on TCP 8080, in a policy that
               selects shop/frontend-7d4b9c-x2x1p
"""
    )


def test_a_service_without_endpoints_refuses_and_says_so(path: Any) -> None:
    """O-11, O-12, O-20, O-22, O-110: rejected, not dropped."""
    assert (
        render(join(path("without_endpoints")))
        == """\
pod shop/client → service shop/cart                           ✗ refused, 0.14 ms
TCP 10.244.1.5:40312 → 10.96.1.2:80                        flow 4c1f9a2b7d3e6f80

● node-1
✗  service     shop/cart:http has no usable endpoint: none of its 2 is ready

   refused     with ICMP port-unreachable by node-1, SERVICE_BACKEND_NOT_FOUND
   client saw  connection refused
   would help  a ready pod that the Service's selector matches
"""
    )


def test_a_closed_port_is_the_pods_own_refusal(path: Any) -> None:
    """O-11, O-20: a reset from the pod's kernel."""
    assert (
        render(join(path("closed_port")))
        == """\
pod shop/client → service shop/frontend                       ✗ refused, 0.28 ms
TCP 10.244.1.5:40312 → 10.96.1.1:80                        flow 4c1f9a2b7d3e6f80

● node-1
│  resolve     frontend is 10.96.1.1
│              frontend.shop.svc.cluster.local A: 10.96.1.1
│  service     shop/frontend port http: random, 2 of 3 endpoints
│              destination 10.96.1.1:80 ⇒ 10.244.2.7:8080
│  egress      allowed: no policy selects shop/client for egress
│  route       10.244.2.0/24 via node-2
● node-2  from node-1
│  ingress     allowed: no policy selects shop/frontend-7d4b9c-x2x1p for ingress
✗  deliver     nothing listens on 8080: the pod's kernel answers with a reset

   refused     with RST by node-2, PORT_CLOSED
   client saw  connection refused
   would help  a program that listens there, or the targetPort of one that does
"""
    )


def test_a_udp_flow_tells_what_was_exchanged(path: Any) -> None:
    """O-1, O-10: same node, no tunnel."""
    assert (
        render(join(path("datagrams")))
        == """\
pod shop/client → service shop/clock                        ✓ delivered, 0.14 ms
UDP 10.244.1.5:40312 → 10.96.1.3:9000                      flow 4c1f9a2b7d3e6f80

● node-1
│  service     shop/clock port udp: only endpoint
│              destination 10.96.1.3:9000 ⇒ 10.244.1.8:9000
│  egress      allowed: no policy selects shop/client for egress
│  route       10.244.1.0/24 local pods
│  ingress     allowed: shop/allow-clock, rule 0
✓  deliver     shop/clock-0 listens on 9000

   closed      after 30.0 s, 12 bytes in, 480 bytes out
"""
    )


def test_an_unknown_name_says_what_is_missing(path: Any) -> None:
    """O-12, O-13."""
    assert (
        render(join(path("unknown_name")))
        == """\
pod shop/client → nope.shop.svc.cluster.local A          ✗ no such name, 0.14 ms
UDP 10.244.1.5:40312 → 10.244.2.3:53                       flow 4c1f9a2b7d3e6f80

● dns
✗  resolve     nope.shop.svc.cluster.local A is NXDOMAIN (no Service nope in
               namespace shop)

   answered    NXDOMAIN by dns
"""
    )


def test_a_rule_that_nearly_allows_is_named(path: Any) -> None:
    """O-8."""
    near = "shop/allow-gateway, rule 0: allows TCP 8080 from pods app=gateway in shop only"
    text = render(join(path("denied", near_misses=[near])))
    assert text.endswith(
        "   nearest     shop/allow-gateway, rule 0: allows TCP 8080 from pods app=gateway\n"
        "               in shop only\n"
    )
    assert "would help" not in text


def test_a_process_that_has_not_reported_is_named_where_it_is_missing(path: Any) -> None:
    """O-1, O-2: at the end, at the beginning, in the middle."""
    segments = path("balanced")
    lines = render(join(segments[:2])).splitlines()
    assert lines[0].endswith("? end not known, 0.28 ms")
    assert lines[-1] == "? node-2 has not reported: the flow was passed to it by node-1"
    lines = render(join(segments[2:])).splitlines()
    assert lines[3] == "? hops 0 to 3 are not reported: node-2 had the flow from node-1"
    lines = render(join([segments[0], segments[2]])).splitlines()
    assert lines[3:6] == [
        "● gateway",
        "│  balance     shop/frontend port http: node-1, 1 of 3 healthy nodes",
        "? hops 1 to 3 are not reported: node-2 had the flow from node-1",
    ]


def test_every_question_of_a_resolution_is_shown(path: Any) -> None:
    """O-13, D-151."""
    (first, *rest) = path("closed_port")
    asked = [
        {"name": f"n{number}.example", "type": "A", "rcode": "NXDOMAIN", "answers": []}
        for number in range(14)
    ]
    asked[1] |= {"rcode": "NOERROR"}
    step = replace(first.hops[0].step, detail={"name": "x", "queries": asked})
    hops = (replace(first.hops[0], step=step), *first.hops[1:])
    text = render(join([replace(first, hops=hops), *rest]))
    assert "│              n0.example A: NXDOMAIN\n" in text
    assert "│              n1.example A: no record\n" in text
    assert "│              and 2 more\n" in text


def test_what_the_client_saw_is_said_where_it_does_not_follow(path: Any) -> None:
    """O-20: delivered, and yet reset."""
    (only,) = path("datagrams")
    text = render(join([replace(only, client_saw=ClientSaw.RESET)]))
    assert text.endswith("\n   client saw  connection reset\n")
    silent = [replace(each, client_saw=ClientSaw.UNKNOWN) for each in path("denied")]
    assert "client saw  not reported" in render(join(silent))


@pytest.mark.parametrize(
    "name",
    ["balanced", "denied", "without_endpoints", "closed_port", "datagrams", "unknown_name"],
)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_its_width_and_colour_moves_nothing(path: Any, name: str, width: int) -> None:
    trace = join(path(name))
    plain, painted = render(trace, width=width), render(trace, width=width, colour=True)
    assert max(map(len, plain.splitlines())) <= width
    assert "\x1b" not in plain
    assert painted != plain
    assert ANSI.sub("", painted) == plain
    assert ANSI.sub("", render_line(trace, colour=True)) == render_line(trace)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (
            "balanced",
            "14:13:20.120 ✓ delivered     TCP internet → service shop/frontend"
            " → frontend-7d4b9c-x2x1p on node-2  4c1f9a2b7d3e6f80",
        ),
        (
            "without_endpoints",
            "14:13:20.120 ✗ refused       TCP pod shop/client → service shop/cart:"
            " shop/cart:http has no usable endpoint: none of its 2 is ready  4c1f9a2b7d3e6f80",
        ),
        (
            "unknown_name",
            "14:13:20.120 ✗ no such name  UDP pod shop/client → nope.shop.svc.cluster.local A is"
            " NXDOMAIN (no Service nope in namespace shop)  4c1f9a2b7d3e6f80",
        ),
    ],
)
def test_a_followed_flow_is_one_line(path: Any, name: str, line: str) -> None:
    """O-47."""
    assert render_line(join(path(name))) == line


def test_a_followed_flow_that_is_wider_than_its_terminal_hangs(path: Any) -> None:
    trace = join(path("balanced"))
    assert render_line(trace, width=80) == (
        "14:13:20.120 ✓ delivered     TCP                                4c1f9a2b7d3e6f80\n"
        "  internet → service shop/frontend → frontend-7d4b9c-x2x1p on node-2"
    )
    assert render_line(trace, width=200) == render_line(trace)
    assert ANSI.sub("", render_line(trace, width=80, colour=True)) == render_line(trace, width=80)


def test_a_flow_whose_end_is_unknown_says_so_in_its_line(path: Any) -> None:
    first = path("balanced")[0]
    assert first.outcome is Outcome.PASSED
    assert "? end not known TCP internet" in render_line(join([first]))


def test_the_data_planes_own_decisions_read_like_this() -> None:
    """O-4, O-7, O-8: the details that the pipeline gives are those that the tree reads."""
    view = empty_view("node-1", "172.30.0.1", NetworkSettings())
    view = view.with_changes([(resource, None, each) for resource, each in DOCUMENTS])
    source, target = SocketAddress("10.244.1.5", 40312), SocketAddress("10.96.1.1", 80)
    flow = Flow(Protocol.TCP, source, target)
    origin = Origin(OriginKind.POD, "shop/client")
    context = FlowContext(flow_id="feed", flow=flow, original=flow, origin=origin)
    first = decide(context, view, AffinityTable(), now=0.0, draw=0.0)
    then = admit(replace(context, flow=first.flow), view, listening=True)
    whole = replace(then, steps=(*first.steps, *then.steps))
    segment = segment_of(whole, context, process="node-1", at=0.0, outcome=Outcome.DROPPED)
    text = render(join([replace(segment, client_saw=ClientSaw.TIMEOUT)]))
    assert text.startswith("pod shop/client → service shop/cart ")
    assert f"│  service     shop/cart port http: {first.steps[0].reason}\n" in text
    assert "│              destination 10.96.1.1:80 ⇒ 10.244.1.9:8080\n" in text
    assert "   dropped     in silence by node-1, POLICY_DENIED\n" in text
    assert "   client saw  timeout\n" in text
    assert "   nearest     shop/allow-web, rule 0: allows TCP 8080 from pods app=web" in text
    assert max(map(len, text.splitlines())) <= 80


def _named(name: str, **more: Any) -> dict[str, Any]:
    metadata = {"namespace": "shop", "name": name, "uid": name, **more.pop("metadata", {})}
    return {"metadata": metadata, **more}


def _pod(name: str, ip: str) -> dict[str, Any]:
    status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]}
    labels = {"labels": {"app": name}}
    return _named(name, metadata=labels, spec={"nodeName": "node-1"}, status=status)


_HTTP = {"name": "http", "protocol": "TCP"}
DOCUMENTS: list[tuple[Resource, dict[str, Any]]] = [
    (NAMESPACES, {"metadata": {"name": "shop"}}),
    (
        NODES,
        {
            "metadata": {"name": "node-1"},
            "spec": {"podCIDR": "10.244.1.0/24"},
            "status": {"addresses": [{"type": "InternalIP", "address": "172.30.0.1"}]},
        },
    ),
    (PODS, _pod("client", "10.244.1.5")),
    (PODS, _pod("cart", "10.244.1.9")),
    (SERVICES, _named("cart", spec={"clusterIP": "10.96.1.1", "ports": [{**_HTTP, "port": 80}]})),
    (
        ENDPOINT_SLICES,
        _named(
            "cart-1",
            metadata={"labels": {"kubernetes.io/service-name": "cart"}},
            addressType="IPv4",
            ports=[{**_HTTP, "port": 8080}],
            endpoints=[{"addresses": ["10.244.1.9"], "nodeName": "node-1"}],
        ),
    ),
    (
        NETWORK_POLICIES,
        _named(
            "allow-web",
            spec={
                "podSelector": {"matchLabels": {"app": "cart"}},
                "policyTypes": ["Ingress"],
                "ingress": [
                    {
                        "from": [{"podSelector": {"matchLabels": {"app": "web"}}}],
                        "ports": [{"protocol": "TCP", "port": 8080}],
                    }
                ],
            },
        ),
    ),
]
