"""The whole load balancer: objects in, clients served, refused or met with silence."""

import asyncio
import errno
import socket
from typing import Any

import pytest

from cluster.gateway import front as front_module
from cluster.gateway.announcer import REAL_ADDRESSES
from cluster.gateway.fronts import RETRY_SECONDS
from cluster.wire.addresses import SocketAddress


async def test_a_service_is_served_as_soon_as_everything_is_there(
    world: Any, make: Any, port: int
) -> None:
    """S-85, S-108: no front, then closed, then open, then closed again."""
    node = world.node()
    with pytest.raises(ConnectionRefusedError):
        await world.connect(port)
    world.put(make.service(port=port))
    with pytest.raises(ConnectionRefusedError):
        await world.connect(port)
    world.put(make.slice("10.244.1.5"))
    await world.connect(port)
    await node.next_flow()
    world.put(make.slice())
    with pytest.raises(ConnectionRefusedError):
        await world.connect(port)


async def test_a_service_without_a_node_meets_its_clients_with_silence(
    world: Any, make: Any, port: int
) -> None:
    """S-111, S-122: nobody to send to is not a refusal."""
    world.put(make.service(port=port))
    world.put(make.slice("10.244.1.5"))
    connecting = asyncio.ensure_future(world.connect(port))
    await asyncio.sleep(0.05)  # an answering kernel needs no such time
    assert not connecting.done()
    node = world.node()
    await connecting
    await node.next_flow()
    await world.settle(lambda: world.api.events)
    assert world.api.events[0]["reason"] == "NoHealthyNode"
    assert "the cluster has no node" in world.api.events[0]["message"]


async def test_with_policy_local_every_flow_goes_to_a_node_with_an_endpoint(
    world: Any, make: Any, port: int
) -> None:
    """S-122."""
    world.node(1)
    second = world.node(2)
    world.node(3)
    world.put(make.service(port=port, externalTrafficPolicy="Local"))
    world.put(make.slice("10.244.2.5"))
    for _ in range(10):
        await world.connect(port)
        await second.next_flow()


async def test_connections_outlive_their_front(world: Any, make: Any, talk: Any, port: int) -> None:
    """S-125: what is established lives on."""
    node = world.node()
    world.put(make.service(port=port))
    world.put(make.slice("10.244.1.5"))
    client = await world.connect(port)
    _, far = await node.next_flow()
    world.put(make.service(port=port), gone=True)
    await talk.send(client, b"still here")
    assert await talk.receive(far) == b"still here"


async def test_a_moved_port_is_annotated_and_the_annotation_goes_with_it(
    world: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = front_module._try

    def _try(address: SocketAddress, kind: socket.SocketKind) -> SocketAddress:
        if address.port == 82:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(address, kind)

    monkeypatch.setattr(front_module, "_try", _try)
    world.node()
    world.put(make.slice("10.244.1.5"))
    world.put(make.service(port=82))
    await world.settle(lambda: world.api.patches)
    world.gateway.watch.flush()
    expected = {REAL_ADDRESSES: '{"82/TCP": "127.65.211.1:8082"}'}
    assert world.api.patches == [("shop/web", {"metadata": {"annotations": expected}})]
    await world.connect(8082)
    world.put(make.service(port=8083, annotations=expected))
    await world.settle(lambda: len(world.api.patches) == 2)
    assert world.api.patches[1][1]["metadata"]["annotations"] == {REAL_ADDRESSES: None}


async def test_a_port_that_becomes_free_is_taken(world: Any, make: Any) -> None:
    node = world.node()
    with socket.create_server(("127.65.211.1", 0)) as holder:
        port = holder.getsockname()[1]
        world.put(make.slice("10.244.1.5"))
        world.put(make.service(port=port))
        assert world.gateway.fronts.states()["failed"] == 1
        await world.settle(lambda: world.api.events)
        assert world.api.events[0]["reason"] == "LoadBalancerPortUnavailable"
    world.clock.advance(RETRY_SECONDS)
    await world.settle(lambda: world.gateway.fronts.states()["serving"])
    await world.connect(port)
    await node.next_flow()


async def test_bound_to_every_address_clients_are_known_as_they_are(
    build: Any, make: Any, port: int
) -> None:
    world = build(bind="0.0.0.0")
    await world.start()
    node = world.node()
    world.put(make.slice("10.244.1.5"))
    world.put(make.service(port=port))
    await world.connect(port, ip="127.0.0.1", source="127.0.0.2")
    context, _ = await node.next_flow()
    assert context.flow.source.ip == "127.0.0.2"
    assert context.flow.destination == ("127.65.211.1", port)


async def test_the_last_state_is_served_while_the_api_is_gone(
    world: Any, make: Any, port: int
) -> None:
    """The data plane outlives the control plane."""
    node = world.node()
    world.put(make.slice("10.244.1.5"))
    world.put(make.service(port=port))
    world.api.failures += [ConnectionRefusedError("control is gone")] * 5
    await world.connect(port)
    await node.next_flow()
