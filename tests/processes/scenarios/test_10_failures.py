"""Scenario 10: what dies comes back; what goes away is noticed; nothing acknowledged is lost."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from cluster.cli.demo.pods import PodSeen
from cluster.errors import ApiError, ClusterError
from cluster.objects.resources import CONFIG_MAPS, ENDPOINT_SLICES, NODES, PODS, SERVICES
from cluster.traffic.resolve import resolve
from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import Message, Question, decode, encode
from cluster.wire.dns_records import RRType

PORT, NODE_PORT = 8080, 30080
POLL_SECONDS = 0.02  # the launcher answers questions; it announces nothing
SILENCE_SECONDS = 0.5
WRITES = 40  # before control is killed

pytestmark = pytest.mark.kubehop(manifests=["shop/shop.yaml"], time_scale=0.05, durable=True)


# Accidents: the launcher starts again what dies


async def test_nothing_acknowledged_is_lost_when_control_is_killed(own_shop: Any) -> None:
    """Writes go on until it dies; the nodes go on forwarding; what was acknowledged is there."""
    cluster = own_shop.cluster
    before = (await cluster.processes())["control"]
    front = await _front(own_shop)
    acknowledged: list[str] = []
    enough = asyncio.Event()
    writers = [
        asyncio.create_task(_write(own_shop, f"w{n}", acknowledged, enough)) for n in range(4)
    ]
    await enough.wait()
    await cluster.kill("control")
    await asyncio.gather(*writers)
    answered = 0
    while not _came_back(await cluster.processes(), "control", before):
        answered += (await cluster.curl(f"http://{front}/")).status == 200
    assert answered > 0, "somebody must have asked while it was gone"
    await cluster.settled()
    there = {each["metadata"]["name"] for each in await _config_maps(own_shop)}
    assert len(acknowledged) >= WRITES
    assert set(acknowledged) <= there
    assert len(there - set(acknowledged)) <= len(writers), "one unanswered write each, at most"
    assert (await cluster.processes())["control"]["facts"]["api"] == before["facts"]["api"]


async def test_the_cluster_is_what_it_was_after_control_has_died(own_shop: Any) -> None:
    """Objects keep their uids and versions go on; pods are not touched, and control works."""
    cluster = own_shop.cluster
    pods = {pod.name: pod for pod in await own_shop.pods()}
    service = await own_shop.document(SERVICES, "cart")
    before = (await cluster.processes())["control"]
    await cluster.kill("control")
    await _back(own_shop, "control", before)
    await cluster.settled()
    assert {pod.name: pod for pod in await own_shop.pods()} == pods
    after = await own_shop.document(SERVICES, "cart")
    assert after == service
    await cluster.kubectl("scale", "deployment", "cart", "-n", "shop", "--replicas=3")
    await cluster.settled()
    assert len(await own_shop.endpoints("cart")) == 3


async def test_nodes_forward_and_policies_hold_while_control_is_away(own_shop: Any) -> None:
    """D-65: killed as often as it comes, so that it stays away; traces need no control either."""
    cluster = own_shop.cluster
    frontend = await own_shop.pod("frontend")
    await cluster.apply("shop/default-deny.yaml")
    await cluster.apply("shop/allow-frontend.yaml")
    async with _without_control(own_shop):
        answer = await own_shop.curl("http://cart/", f"pod/{frontend.name}")
        assert answer.status == 200 and answer.trace.complete
        failure = await own_shop.failure("http://cart/", "pod/twin")
        assert (failure.kind, failure.trace.code) == ("timeout", "POLICY_DENIED")


@pytest.mark.parametrize("name", ["gateway", "dns"])
async def test_gateway_and_dns_come_back_where_they_were(own_shop: Any, name: str) -> None:
    """The same addresses, so nobody has to be told; connections and names work as before."""
    cluster = own_shop.cluster
    before = (await cluster.processes())[name]
    front = await _front(own_shop)
    host_dns = (await cluster.processes())["dns"]["facts"]["dns"]
    cart = await own_shop.cluster_ip("cart")
    assert await _asked(host_dns, "cart.shop.svc.cluster.local") == [cart]
    await cluster.kill(name)
    after = await _back(own_shop, name, before)
    assert after["facts"] == before["facts"] and after["pid"] != before["pid"]
    assert after["restarts"] == before["restarts"] + 1
    await cluster.settled()
    assert await _front(own_shop) == front
    assert await _asked(host_dns, "cart.shop.svc.cluster.local") == [cart]
    assert (await cluster.curl(f"http://{front}/")).status == 200
    assert (await own_shop.curl("http://cart/", "pod/twin")).status == 200


async def test_containers_of_a_killed_agent_count_as_restarted(own_shop: Any) -> None:
    """P-8, P-43, P-45, P-19: the same pods with the same addresses on the same node."""
    cluster = own_shop.cluster
    victim = (await own_shop.pod("cart")).node
    node = await cluster.api.get(NODES, victim)
    old = {pod.name: pod for pod in await own_shop.pods() if pod.node == victim}
    before = (await cluster.processes())[victim]
    await cluster.kill(victim)
    after = await _back(own_shop, victim, before)
    assert after["facts"]["address"] == before["facts"]["address"]
    await own_shop.until(
        PODS, lambda found: all(_restarts(found, name) > old[name].restarts for name in old)
    )
    await cluster.settled()
    new = {pod.name: pod for pod in await own_shop.pods() if pod.node == victim}
    assert set(new) == set(old)
    for name, pod in new.items():
        containers = 2 if name == "twin" else 1
        assert (pod.ip, pod.restarts) == (old[name].ip, old[name].restarts + containers)
    again = await cluster.api.get(NODES, victim)
    assert again["spec"]["podCIDR"] == node["spec"]["podCIDR"]
    assert again["metadata"]["uid"] == node["metadata"]["uid"]
    assert (await own_shop.curl(f"http://{victim}:{NODE_PORT}/")).status == 200
    cart = next(pod for pod in new.values() if pod.app == "cart")
    assert (await own_shop.curl(f"http://{cart.ip}:{PORT}/", f"node/{victim}")).status == 200


# Nodes that are taken away


async def test_a_crash_resets_and_a_power_off_is_silent(own_shop: Any) -> None:
    """P-62, P-75: an outside client, connected through another node, can tell them apart."""
    cluster = own_shop.cluster
    for how, meets in (("crash", "reset"), ("power-off", "silence"), ("shutdown", "end")):
        victim = (await own_shop.pod("frontend")).node
        entry = next(name for name in await own_shop.nodes() if name != victim)
        wanted = victim  # bound for the closure
        stream = await own_shop.connected(
            entry, NODE_PORT, lambda trace, node=wanted: trace.endpoint.node == node
        )
        async with stream:
            await cluster.stop_node(victim, how=how)
            assert await _met(stream) == meets, how
        await cluster.start_node(victim)
        await cluster.settled()


@pytest.mark.parametrize("how", ["crash", "power-off"])
async def test_a_node_that_is_gone_is_noticed_and_others_serve_on(own_shop: Any, how: str) -> None:
    """P-66, P-67, P-68, P-69, P-74, P-152, S-111, S-154."""
    cluster = own_shop.cluster
    victim = await own_shop.pod("cart")
    await cluster.stop_node(victim.node, how=how)
    nodes = await own_shop.until(
        NODES, lambda found: _ready_of(found, victim.node)["status"] == "Unknown", None
    )
    ready = _ready_of(nodes, victim.node)
    assert ready["reason"] == "NodeStatusUnknown"
    assert ready["message"] == "Kubelet stopped posting node status."
    others = {name for name in await own_shop.nodes() if name != victim.node}
    assert all(_ready_of(nodes, name)["status"] == "True" for name in others)
    await own_shop.until(NODES, lambda found: _taints(found, victim.node) == UNREACHABLE, None)
    await own_shop.until(PODS, lambda found: not _pod_ready(found, victim.name))
    await _endpoints_without(own_shop, victim)
    await own_shop.balancer_leaves(victim.node)
    for _ in range(10):
        answer = await own_shop.curl("http://frontend/cart")
        assert answer.status == 200
        assert answer.json()["cart"]["servedBy"] != victim.name
        assert victim.node not in {each.process for each in answer.trace.segments}
    await cluster.start_node(victim.node)
    await cluster.settled()
    nodes = list((await cluster.api.list(NODES)).items)
    assert _ready_of(nodes, victim.node)["status"] == "True"
    assert _taints(nodes, victim.node) == set()


@pytest.mark.kubehop(time_scale=0.03)
async def test_pods_of_a_node_that_stays_away_are_replaced_elsewhere(own_shop: Any) -> None:
    """P-70, P-72: after their toleration of 300 s, in the cluster's time."""
    cluster = own_shop.cluster
    victim = await own_shop.pod("cart")
    await cluster.stop_node(victim.node, how="power-off")
    carts = await own_shop.until(PODS, lambda found: len(_serving(found, victim.node)) == 2)
    assert victim.name not in _serving(carts, victim.node)
    await cluster.settled()
    await own_shop.balancer_leaves(victim.node)
    assert f"{victim.ip}:{PORT}" not in await own_shop.endpoints("cart")
    assert (await own_shop.curl("http://frontend/cart")).status == 200
    going = await own_shop.document(PODS, victim.name)
    assert going["metadata"]["deletionTimestamp"], "it stays until its node returns"
    await cluster.start_node(victim.node)
    await own_shop.until(PODS, lambda found: victim.name not in _names(found))


# How it is seen


UNREACHABLE = {
    ("node.kubernetes.io/unreachable", "NoSchedule"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
}


async def _write(shop: Any, prefix: str, acknowledged: list[str], enough: asyncio.Event) -> None:
    """Create objects until the API does not answer any more."""
    for number in itertools.count():
        name = f"{prefix}-{number}"
        metadata = {"name": name, "namespace": "shop", "labels": {"written": "yes"}}
        document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        try:
            await shop.cluster.api.create(CONFIG_MAPS, document)
        except (ConnectionError, TimeoutError, ApiError):
            return
        acknowledged.append(name)
        if len(acknowledged) >= WRITES:
            enough.set()


async def _config_maps(shop: Any) -> list[dict[str, Any]]:
    found = await shop.cluster.api.list(CONFIG_MAPS, namespace="shop", label_selector="written=yes")
    return list(found.items)


async def _front(shop: Any) -> SocketAddress:
    """Where the load balancer of the frontend really listens."""
    return resolve("frontend", 80, await shop.cluster.access.known(), namespace="shop").real


async def _asked(server: str, name: str) -> list[str]:
    """The addresses of a name, by the cluster's DNS as the host sees it."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, tuple(SocketAddress.parse(server)))
        query = Message(id=7, questions=(Question(name, RRType.A),))
        await loop.sock_sendall(sock, encode(query))
        async with asyncio.timeout(10):
            answer = decode(await loop.sock_recv(sock, 512))
    return [str(record.data) for record in answer.answers]


async def _back(shop: Any, name: str, before: dict[str, Any]) -> dict[str, Any]:
    """Wait until the launcher has started a process again, and it serves."""
    async with asyncio.timeout(30):
        while True:
            found = await shop.cluster.processes()
            if _came_back(found, name, before):
                return dict(found[name])
            await asyncio.sleep(POLL_SECONDS)


def _came_back(found: dict[str, Any], name: str, before: dict[str, Any]) -> bool:
    now = found[name]
    return bool(now["state"] == "ready" and now["restarts"] > before["restarts"])


@asynccontextmanager
async def _without_control(shop: Any) -> AsyncIterator[None]:
    """The control plane killed whenever it is there, until the block ends; then it comes back."""
    ended = asyncio.Event()
    killed = asyncio.Event()

    async def kill() -> None:
        while not ended.is_set():
            if (await shop.cluster.processes())["control"]["pid"]:
                with suppress(ClusterError):  # it is between two lives
                    await shop.cluster.kill("control")
                killed.set()
            await asyncio.sleep(POLL_SECONDS)

    before = (await shop.cluster.processes())["control"]
    task = asyncio.create_task(kill(), name="keep control away")
    try:
        await killed.wait()
        yield
    finally:
        ended.set()
        await task
        await _back(shop, "control", before)


async def _met(stream: Any) -> str:
    """What a client sees that waits for the other side."""
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            return "answer" if await stream.reader.read(1) else "end"
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "silence"


async def _endpoints_without(shop: Any, pod: PodSeen) -> None:
    """Wait until a pod is no ready endpoint, and whoever runs decides by that."""
    await shop.until(ENDPOINT_SLICES, lambda found: not _is_endpoint(found, pod.ip))
    await shop.programmed(but=[pod.node])


def _is_endpoint(slices: list[dict[str, Any]], ip: str) -> bool:
    return any(
        ip in endpoint["addresses"] and endpoint["conditions"]["ready"]
        for each in slices
        for endpoint in each.get("endpoints") or ()
    )


def _ready_of(nodes: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (node,) = (each for each in nodes if each["metadata"]["name"] == name)
    (ready,) = (each for each in node["status"]["conditions"] if each["type"] == "Ready")
    return dict(ready)


def _taints(nodes: list[dict[str, Any]], name: str) -> set[tuple[str, str]]:
    (node,) = (each for each in nodes if each["metadata"]["name"] == name)
    return {(each["key"], each["effect"]) for each in node["spec"].get("taints") or ()}


def _pod_ready(pods: list[dict[str, Any]], name: str) -> bool:
    (pod,) = (each for each in pods if each["metadata"]["name"] == name)
    conditions = pod["status"]["conditions"]
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _restarts(pods: list[dict[str, Any]], name: str) -> int:
    (pod,) = (each for each in pods if each["metadata"]["name"] == name)
    statuses = pod["status"].get("containerStatuses") or ()
    ready = all(each["ready"] for each in statuses)
    return sum(each["restartCount"] for each in statuses) if ready else -1


def _names(documents: list[dict[str, Any]]) -> set[str]:
    return {each["metadata"]["name"] for each in documents}


def _serving(pods: list[dict[str, Any]], away_from: str) -> set[str]:
    """The ready carts on other nodes."""
    return {
        each["metadata"]["name"]
        for each in pods
        if each["metadata"].get("labels", {}).get("app") == "cart"
        and each["spec"].get("nodeName") not in ("", None, away_from)
        and _pod_ready(pods, each["metadata"]["name"])
    }
