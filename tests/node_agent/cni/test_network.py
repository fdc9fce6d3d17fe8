"""The CNI plugin of a node: ADD, DEL, and the node's own way to its pods."""

import asyncio
import socket
from typing import Any

import pytest

from cluster.errors import PoolExhausted
from cluster.ipam import IpPool
from cluster.trace.record import ClientSaw
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind
from node_agent.cni.interface import PodSpec
from node_agent.cni.network import NodeNetwork


def spec(name: str, **more: Any) -> PodSpec:
    return PodSpec(namespace="default", name=name, uid=f"uid-{name}", hostname=name, **more)


async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(str(writer.get_extra_info("peername")[0]).encode())
    writer.close()


async def serve(world: Any, pod: Any, host: str | None = None, port: int = 80) -> None:
    async def start() -> None:
        await asyncio.start_server(hello, host, port)

    await world.run(pod, start)


async def test_an_address_each_the_same_for_the_same_pod(world: Any) -> None:
    """P-1."""
    network = world.node(1).network
    first, second = await network.add(spec("a")), await network.add(spec("b"))
    assert first.ip != second.ip and await network.add(spec("a")) is first
    assert network.pod_with(first.ip) is first
    assert network.pods() == [first, second]


async def test_an_address_from_before_a_restart_is_kept_if_it_is_free(world: Any) -> None:
    network = world.node(1).network
    kept = await network.add(spec("a", wanted_ip="10.244.1.77"))
    other = await network.add(spec("b", wanted_ip="10.244.1.77"))
    assert kept.ip == "10.244.1.77" != other.ip


async def test_a_deleted_pods_address_is_free_and_its_end_is_told_once(world: Any) -> None:
    """P-100."""
    node = world.node(1)
    pod = await node.network.add(spec("a"))
    await serve(world, pod)
    await node.network.delete("uid-a")
    await node.network.delete("uid-a")
    assert pod.listening() == frozenset() and node.detached == [pod.ip]
    assert node.network.pod_with(pod.ip) is None
    assert (await node.network.add(spec("b", wanted_ip=pod.ip))).ip == pod.ip


async def test_no_address_left_is_told(world: Any) -> None:
    """P-23."""
    node = world.node(1)
    network = NodeNetwork("node-1", "172.30.0.1")
    network.start(IpPool("10.244.9.0/30"), node.router, node._build, node._gone)
    with pytest.raises(PoolExhausted):
        for number in range(5):
            await network.add(spec(str(number)))
    await network.close()


async def test_a_pod_of_the_hosts_network_has_the_nodes_address(world: Any) -> None:
    """P-28, P-37: not one of the node's range."""
    node = world.node(1)
    pod = await node.network.add(spec("a", host_network=True))
    other = await node.network.add(spec("b", host_network=True))
    assert pod.ip == other.ip == node.ip
    await node.network.delete("uid-b")
    assert node.network.pod_with(node.ip) is pod


async def test_who_listens_where(world: Any) -> None:
    """P-48: what listens on a pod's localhost listens for nobody else."""
    pod = await world.pod("web")
    network = world.nodes[1].network
    source = SocketAddress("10.244.2.9", 40000)

    def listening(ip: str, port: int, protocol: Protocol = Protocol.TCP) -> bool:
        found: bool = network.listening(Flow(protocol, source, SocketAddress(ip, port)))
        return found

    await serve(world, pod)
    await serve(world, pod, "127.0.0.1", 81)
    assert listening(pod.ip, 80) and not listening(pod.ip, 81)
    assert not listening(pod.ip, 80, Protocol.UDP) and not listening("10.244.1.99", 80)
    assert not listening("10.244.1.99", 80, Protocol.UDP)


async def test_the_node_dials_a_pod_as_itself(world: Any) -> None:
    """P-8: a probe is a flow of the node, named, and no policy blocks it."""
    pod = await world.pod("web")
    await serve(world, pod)
    world.isolate("deny-all")
    network = world.nodes[1].network
    sock = world.keep(await network.dial(pod.ip, 80))
    assert await world.read_all(sock) == b"172.30.0.1"
    segment = world.nodes[1].segments()[-1]
    assert segment.origin == Origin(OriginKind.NODE, "node-1", "node-1")
    assert segment.kind is FlowKind.PROBE and segment.client_saw is ClientSaw.CONNECTED
    assert network.flow_id_of(sock) == segment.flow_id
    with socket.socket() as other:
        assert network.flow_id_of(other) == ""


async def test_a_probe_does_not_reach_what_listens_on_localhost(world: Any) -> None:
    """P-48; the error names its flow."""
    pod = await world.pod("web")
    await serve(world, pod, "127.0.0.1")
    with pytest.raises(ConnectionRefusedError) as caught:
        await world.nodes[1].network.dial(pod.ip, 80)
    assert world.nodes[1].segments(id=caught.value.flow_id)  # type: ignore[attr-defined]


async def test_a_dial_from_inside_a_pod_is_the_pods(world: Any) -> None:
    """Port-forward reaches the pod's localhost; `--from pod/NAME` is the pod's own flow."""
    web, client = await world.pod("web"), await world.pod("client")
    await serve(world, web)
    await serve(world, client, "127.0.0.1", 95)
    network = world.nodes[1].network
    sock = world.keep(
        await network.dial(web.ip, 80, kind=FlowKind.TRAFFIC, from_pod=client.spec.uid)
    )
    assert await world.read_all(sock) == client.ip.encode()
    assert world.nodes[1].segments()[-1].origin.name == "default/client"
    inside = await network.dial("", 95, from_pod=client.spec.uid, localhost=True)
    assert await world.read_all(world.keep(inside)) == b"127.0.0.1"
    with pytest.raises(LookupError, match="no pod with uid nobody"):
        await network.dial(web.ip, 80, from_pod="nobody")


async def test_nobody_is_named_before_the_node_runs() -> None:
    with socket.socket() as sock:
        assert NodeNetwork("node-1", "172.30.0.1").flow_id_of(sock) == ""
