"""Services of every kind over the shop's pods: what a client gets, from each place."""

from typing import Any

import pytest

from cluster.objects.resources import PODS, SERVICES
from cluster.traffic.unreached import Unreached

PORT = 8080


def service(name: str, **spec: Any) -> dict[str, Any]:
    """A Service of the shop for the cart's pods."""
    given = {
        "selector": {"app": "cart"},
        "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        **spec,
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {key: value for key, value in given.items() if value is not None},
    }


# Affinity


async def test_affinity_keeps_a_client_at_one_pod(shop: Any, read: Any) -> None:
    """S-68, S-71, O-4: per node and source as the proxy sees it; the trace says why."""
    pinned = service("pinned", sessionAffinity="ClientIP")
    async with shop.applied(pinned):
        served = set()
        for number in range(12):
            answer = await shop.curl("http://pinned/", "pod/visitor-1")
            served.add(answer.json()["servedBy"])
            reason = read.hop(answer.trace, "service").step.reason
            assert ("session affinity" in reason) is (number > 0), reason
        assert len(served) == 1


async def test_affinity_draws_anew_when_its_pod_is_gone(shop: Any) -> None:
    """S-70."""
    async with shop.applied(service("pinned", sessionAffinity="ClientIP")):
        first = (await shop.curl("http://pinned/", "pod/visitor-1")).json()["servedBy"]
        await shop.cluster.api.delete(PODS, first, namespace="shop")
        await shop.until(PODS, lambda found: first not in {p["metadata"]["name"] for p in found})
        await shop.cluster.settled()
        second = (await shop.curl("http://pinned/", "pod/visitor-1")).json()["servedBy"]
        assert second != first
        again = (await shop.curl("http://pinned/", "pod/visitor-1")).json()["servedBy"]
        assert again == second


# Traffic policies


async def test_internal_policy_local_reaches_the_nodes_own_pods_only(shop: Any, read: Any) -> None:
    """S-86, S-89, S-59, S-170: elsewhere there is silence, not a refusal."""
    homes = {pod.node: pod for pod in await shop.pods("cart")}
    (without,) = set(await shop.nodes()) - set(homes)
    async with shop.applied(service("near", internalTrafficPolicy="Local")):
        for node, pod in homes.items():
            answer = await shop.curl("http://near/", f"pod/visitor-{node[-1]}")
            assert answer.json()["servedBy"] == pod.name
            assert read.processes(answer.trace) == [node]
        failure = await shop.failure("http://near/", f"pod/visitor-{without[-1]}")
        assert failure.kind == "timeout"
        assert failure.trace.code == "NO_LOCAL_ENDPOINT_INTERNAL"


async def test_external_policy_local_shows_the_client_and_short_cuts_pods(
    shop: Any, read: Any
) -> None:
    """S-88, S-102, S-103, S-122, S-171: the gateway uses only nodes with a pod."""
    homes = {pod.node for pod in await shop.pods("cart")}
    (without,) = set(await shop.nodes()) - homes
    local = service(
        "front",
        type="LoadBalancer",
        externalTrafficPolicy="Local",
        ports=[{"name": "http", "port": 8090, "targetPort": "http"}],
    )
    async with shop.applied(local):
        for number in range(8):
            client = f"203.0.113.{20 + number}"
            answer = await shop.curl("http://front:8090/", client)
            assert answer.json()["client"] == client
            assert read.processes(answer.trace)[1] in homes
            assert len(read.processes(answer.trace)) == 2, "it stays on its node"
        front = (await shop.curl("http://front:8090/")).trace.original.destination
        answer = await shop.curl(f"http://{front}/", f"pod/visitor-{without[-1]}")
        visitor = next(
            pod for pod in await shop.pods("visitor") if pod.name == f"visitor-{without[-1]}"
        )
        assert answer.json()["client"] == visitor.ip


async def test_the_health_check_tells_the_balancer_where_pods_are(shop: Any) -> None:
    """S-43, S-118, S-119, S-120."""
    homes = [pod.node for pod in await shop.pods("cart")]
    local = service(
        "checked",
        type="LoadBalancer",
        externalTrafficPolicy="Local",
        ports=[{"name": "http", "port": 8091, "targetPort": "http"}],
    )
    async with shop.applied(local):
        port = (await shop.document(SERVICES, "checked"))["spec"]["healthCheckNodePort"]
        for node in await shop.nodes():
            answer = await shop.curl(f"http://{node}:{port}/")
            count = homes.count(node)
            assert answer.status == (200 if count else 503)
            assert answer.json() == {
                "service": {"namespace": "shop", "name": "checked"},
                "localEndpoints": count,
                "serviceProxyHealthy": True,
            }
            assert answer.header("X-Load-Balancing-Endpoint-Weight") == str(count)
            assert answer.header("X-Content-Type-Options") == "nosniff"


async def test_source_ranges_guard_the_load_balancers_address_alone(shop: Any) -> None:
    """S-115, S-172, O-23: silence for the others; the node port is open to everybody."""
    guarded = service(
        "guarded",
        type="LoadBalancer",
        loadBalancerSourceRanges=["203.0.113.64/26"],
        ports=[{"name": "http", "port": 8092, "targetPort": "http", "nodePort": 30092}],
    )
    async with shop.applied(guarded):
        answer = await shop.curl("http://guarded:8092/", "203.0.113.70")
        assert answer.status == 200
        failure = await shop.failure("http://guarded:8092/", "203.0.113.7")
        assert failure.kind == "timeout"
        assert failure.trace.code == "DENIED_BY_LB_SRC_RANGE_CHECK"
        assert (await shop.curl("http://node-1:30092/", "203.0.113.7")).status == 200


# Names without a virtual address


async def test_a_headless_service_is_its_pods_and_maps_no_port(shop: Any, read: Any) -> None:
    """S-10, S-12, S-176, D-24: no proxy; the name is the pods, on their own port."""
    async with shop.applied(service("direct", clusterIP="None")):
        carts = {pod.ip: pod.name for pod in await shop.pods("cart")}
        answer = await shop.curl(f"http://direct:{PORT}/", "pod/visitor-1")
        assert answer.trace.original.destination.ip in carts
        assert "service" not in read.stages(answer.trace)
        resolve = read.hop(answer.trace, "resolve").step.detail
        assert set(resolve["queries"][-1]["answers"]) == set(carts)
        failure = await shop.failure("http://direct:80/", "pod/visitor-1", 5)
        assert (failure.kind, failure.trace.code) == ("refused", "PORT_CLOSED")


async def test_an_external_name_leads_to_where_it_points(shop: Any, read: Any) -> None:
    """S-9, D-42, D-43, D-49: a CNAME and nothing else; the client still says its alias."""
    alias = service(
        "alias", type="ExternalName", selector=None, externalName="echo.shop.svc.cluster.local"
    )
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "echo", "namespace": "shop", "labels": {"app": "echo"}},
        "spec": {
            "containers": [
                {
                    "name": "echo",
                    "image": "echo",
                    "ports": [{"name": "http", "containerPort": PORT}],
                }
            ]
        },
    }
    async with shop.applied([pod, service("echo", selector={"app": "echo"}), alias]):
        answer = await shop.curl("http://alias/", "pod/visitor-1")
        assert answer.json()["headers"]["Host"] == "alias"
        assert answer.trace.original.destination.ip == await shop.cluster_ip("echo")
        assert read.hop(answer.trace, "service").step.detail["service"]["name"] == "echo"


async def test_hand_made_endpoints_serve_a_service_without_a_selector(shop: Any) -> None:
    """S-13, S-14, S-150: by the slice's label, not by its name."""
    cart = await shop.pod("cart")
    by_hand = service("by-hand", selector=None, ports=[{"name": "http", "port": 80}])
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "anything",
            "namespace": "shop",
            "labels": {"kubernetes.io/service-name": "by-hand"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": PORT, "protocol": "TCP"}],
        "endpoints": [{"addresses": [cart.ip]}],
    }
    unlabelled = {
        **slice_,
        "metadata": {"name": "by-hand", "namespace": "shop"},
        "endpoints": [{"addresses": ["10.244.1.250"]}],
    }
    async with shop.applied([by_hand, slice_, unlabelled]):
        for _ in range(6):
            answer = await shop.curl("http://by-hand/", "pod/visitor-1")
            assert answer.json()["servedBy"] == cart.name


# Over time


async def test_a_pod_reaches_itself_through_its_service(shop: Any, read: Any) -> None:
    """S-105, N-64, O-6: hairpin, so the pod sees its node as the client."""
    (clock,) = await shop.pods("clock")
    answer = await shop.datagram("clock", 9999, b"me", f"pod/{clock.name}")
    client = answer.payload.decode().split()[1]
    assert client.startswith(f"{await shop.internal_ip(clock.node)}:")
    assert "masquerade" in read.stages(answer.trace)


async def test_a_connection_outlives_its_endpoint_and_ends_with_its_pod(shop: Any) -> None:
    """S-125, S-177, P-62: the proxy cuts nothing; the pod's end does."""
    victim = await shop.pod("cart")
    request = b"GET / HTTP/1.1\r\nHost: cart\r\n\r\n"
    await shop.curl(f"http://{victim.ip}:{PORT}/drain", f"node/{victim.node}", method="POST")
    stream = await shop.cluster.connect(victim.ip, PORT, source="pod/shop/visitor-1")
    async with stream:
        stream.writer.write(request)
        assert (await stream.reader.readline()).startswith(b"HTTP/1.1 200")
        await shop.cluster.api.delete(PODS, victim.name, namespace="shop")
        rest = await stream.reader.read()
        assert b"servedBy" in rest
    await shop.cluster.settled()


async def test_an_unknown_type_of_traffic_is_refused_by_the_virtual_address(shop: Any) -> None:
    """S-94: a TCP Service takes no datagram to the same number."""
    with pytest.raises(Unreached) as caught:
        await shop.datagram("frontend", 80, b"hello", "pod/visitor-1")
    assert caught.value.kind == "refused"
