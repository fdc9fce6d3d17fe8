"""TCP through the load balancer, on real sockets: what the client sees, and what the trace says."""

import asyncio
import socket
from typing import Any

import pytest

from cluster.aio.streams import close, reset
from cluster.dataplane.decision import Action, Code, Stage
from cluster.gateway import carrier, tcp_flows
from cluster.trace.record import ClientSaw, Outcome
from cluster.wire.flow import Entry, OriginKind
from cluster.wire.preamble import Answer, AnswerOutcome

REFUSED = Answer(outcome=AnswerOutcome.REFUSED, code="PORT_CLOSED", reason="nothing listens")
DROPPED = Answer(outcome=AnswerOutcome.DROPPED, code="POLICY_DENIED", reason="default deny")


@pytest.fixture
async def served(world: Any, make: Any, port: int) -> Any:
    """A world with one node and a Service on it."""
    world.only = world.node()
    world.put(make.service(port=port))
    world.put(make.slice("10.244.1.5"))
    return world


async def test_a_connection_reaches_its_node_with_the_clients_name_on_it(
    served: Any, talk: Any, port: int
) -> None:
    client = await served.connect(port, source="127.66.0.7")
    context, far = await served.only.next_flow()
    number = client.getsockname()[1]
    assert str(context.flow) == f"TCP 203.0.113.7:{number} -> 127.65.211.1:{port}"
    assert context.entry is Entry.FRONT
    assert (context.sender, context.hops) == ("gateway", 1)
    assert context.origin.kind is OriginKind.OUTSIDE
    await talk.send(client, b"GET /")
    assert await talk.receive(far) == b"GET /"
    await talk.send(far, b"200 OK")
    assert await talk.receive(client) == b"200 OK"


async def test_the_trace_tells_the_choice_the_client_and_the_bytes(
    served: Any, talk: Any, port: int
) -> None:
    """O-4, O-12, O-20."""
    client = await served.connect(port)
    context, far = await served.only.next_flow()
    await talk.send(client, b"request")
    assert await talk.receive(far) == b"request"
    await talk.send(far, b"the answer")
    assert await talk.receive(client) == b"the answer"
    close(client)
    assert await talk.receive(far) == b""
    close(far)
    await served.settle(lambda: served.segments()[0].ended is not None)
    (segment,) = served.segments(id=context.flow_id)
    assert (segment.outcome, segment.next_process) == (Outcome.PASSED, "node-1")
    assert segment.client_saw is ClientSaw.CONNECTED
    assert (segment.bytes_in, segment.bytes_out) == (7, 10)
    assert segment.endpoint == {"pod": "web", "node": "node-1"}
    assert segment.reason == "node-1, 1 of 1 healthy node, node port 30080"
    assert segment.ended == served.clock.now()


async def test_bytes_that_the_pod_says_first_reach_the_client(
    served: Any, talk: Any, port: int
) -> None:
    served.only.greeting = b"220 ready"
    client = await served.connect(port)
    assert await talk.receive(client) == b"220 ready"


async def test_bytes_that_the_client_says_first_reach_the_pod(
    served: Any, talk: Any, port: int
) -> None:
    client = await served.connect(port)
    await talk.send(client, b"early")
    _, far = await served.only.next_flow()
    assert await talk.receive(far) == b"early"


async def test_a_refused_flow_is_a_reset_for_who_has_shaken_hands_already(
    served: Any, talk: Any, port: int
) -> None:
    served.only.verdict = REFUSED
    with pytest.raises(ConnectionResetError):
        await talk.receive(await served.connect(port))
    (segment,) = served.segments()
    assert (segment.outcome, segment.client_saw) == (Outcome.PASSED, ClientSaw.RESET)


async def test_a_dropped_flow_is_silence_for_a_while(
    served: Any, talk: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.gateway.tcp, "_silence_seconds", 0.1)
    served.only.verdict = DROPPED
    client = await served.connect(port)
    await served.only.next_flow()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 10), 0.02)
    (segment,) = served.segments()
    assert (segment.client_saw, segment.ended) == (ClientSaw.TIMEOUT, None)
    with pytest.raises(ConnectionResetError):
        await talk.receive(client)


async def test_a_client_that_hears_nothing_costs_one_socket_and_not_the_way_to_its_node(
    served: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[socket.socket] = []
    reach = carrier.reach

    async def noted(*args: Any, **kwargs: Any) -> socket.socket:
        ways.append(await reach(*args, **kwargs))
        return ways[-1]

    monkeypatch.setattr(carrier, "reach", noted)
    served.only.verdict = DROPPED
    await served.connect(port)
    await served.settle(lambda: served.segments() and served.segments()[0].client_saw)
    assert served.segments()[0].client_saw is ClientSaw.TIMEOUT
    assert [way.fileno() for way in ways] == [-1]
    assert served.gateway.tcp.live == 1


async def test_a_reset_of_the_pod_resets_the_client_and_the_trace_says_so(
    served: Any, talk: Any, port: int
) -> None:
    client = await served.connect(port)
    _, far = await served.only.next_flow()
    await served.settle(lambda: len(served.gateway.relays))
    reset(far)
    with pytest.raises(ConnectionResetError):
        await talk.receive(client)
    await served.settle(lambda: served.segments()[0].ended is not None)
    assert served.segments()[0].client_saw is ClientSaw.RESET


async def test_a_half_close_passes_through(served: Any, talk: Any, port: int) -> None:
    client = await served.connect(port)
    _, far = await served.only.next_flow()
    client.shutdown(socket.SHUT_WR)
    assert await talk.receive(far) == b""
    await talk.send(far, b"the whole answer")
    close(far)
    assert await talk.receive(client) == b"the whole answer"
    assert await talk.receive(client) == b""


async def test_a_dead_node_is_skipped_for_the_next_and_the_trace_says_so(
    served: Any, talk: Any, make: Any, port: int
) -> None:
    dead = served.node(2)
    await dead.stop()
    for _ in range(8):  # whichever is drawn first
        await served.connect(port)
        await served.only.next_flow()
    skipped = [s for s in served.segments() if "node-2 was skipped" in s.reason]
    assert len(skipped) == 1, "the first failure is enough: nobody else is sent there"
    assert "Connection refused" in skipped[0].reason
    assert skipped[0].next_process == "node-1"
    assert not served.gateway.health.healthy("node-2")


async def test_when_every_node_is_dead_the_client_waits_and_the_trace_says_why(
    served: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await served.only.stop()
    client = await served.connect(port)
    await served.settle(served.segments)
    (segment,) = served.segments()
    assert (segment.outcome, segment.code) == (Outcome.DROPPED, Code.NO_NODE)
    assert "none of 1 nodes answers; node-1 was skipped" in segment.reason
    assert segment.client_saw is ClientSaw.TIMEOUT
    assert served.gateway.fronts.states()["silent"] == 1, "the next client gets no handshake"
    close(client)


@pytest.mark.parametrize(
    ("error", "outcome", "saw"),
    [
        (ConnectionResetError(104, "closed after 0 bytes of its answer"), Outcome.REFUSED,
         ClientSaw.RESET),
        (TimeoutError(110, "gave no answer in 130 s"), Outcome.DROPPED, ClientSaw.TIMEOUT),
    ],
)  # fmt: skip
async def test_a_node_that_dies_with_the_flow_in_hand_is_not_skipped_but_told(
    served: Any,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
    error: OSError,
    outcome: Outcome,
    saw: ClientSaw,
) -> None:
    """O-11, O-20: a hop of its own ends the flow, dropped in silence or rejected with a reset."""

    async def fail(*_: Any, **__: Any) -> Answer:
        raise error

    monkeypatch.setattr(carrier, "ask", fail)
    await served.connect(port)
    await served.settle(lambda: served.segments() and served.segments()[0].client_saw)
    (segment,) = served.segments()
    assert (segment.outcome, segment.code) == (outcome, Code.NODE_UNREACHABLE)
    last = segment.hops[-1]
    assert (last.number, last.process, last.step.stage) == (1, "gateway", Stage.TUNNEL)
    assert (last.step.action is Action.DROPPED) is (saw is ClientSaw.TIMEOUT)
    assert segment.reason == last.step.reason == f"node-1 did not answer: {error.strerror}"
    assert segment.client_saw is saw
    assert segment.next_process == ""


async def test_one_connection_too_many_is_reset_and_counted(
    served: Any, talk: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.gateway.tcp, "_connections_max", 1)
    await served.connect(port)
    await served.only.next_flow()
    with pytest.raises(ConnectionResetError):
        await talk.receive(await served.connect(port))
    assert served.gateway.tcp.turned_away == 1


async def test_one_relay_too_many_is_reset_and_counted(
    served: Any, talk: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.gateway.relays, "_relays_max", 0)
    with pytest.raises(ConnectionResetError):
        await talk.receive(await served.connect(port))
    assert served.gateway.tcp.turned_away == 1
    await served.settle(lambda: served.segments()[0].client_saw is ClientSaw.RESET)


async def test_two_hundred_clients_are_served_at_once_by_all_nodes(
    served: Any, talk: Any, port: int
) -> None:
    nodes = [served.only, served.node(2), served.node(3)]

    async def echo(node: Any) -> None:
        while True:
            _, sock = await node.flows.get()
            await talk.send(sock, (await talk.receive(sock)).upper())

    echoing = [asyncio.ensure_future(echo(node)) for node in nodes]

    async def visit(number: int) -> None:
        client = await served.connect(port, source=f"127.66.0.{number % 250 + 1}")
        await talk.send(client, b"client %d" % number)
        assert await talk.receive(client) == b"CLIENT %d" % number
        close(client)

    await asyncio.gather(*map(visit, range(200)))
    for each in echoing:
        each.cancel()
    chosen = {segment.next_process for segment in served.segments()}
    assert chosen == {"node-1", "node-2", "node-3"}


async def test_a_gateway_that_stops_resets_its_connections(
    build: Any, make: Any, talk: Any, port: int
) -> None:
    world = build()
    await world.start()
    node = world.node()
    world.put(make.service(port=port))
    world.put(make.slice("10.244.1.5"))
    client = await world.connect(port)
    _, far = await node.next_flow()
    await world.settle(lambda: len(world.gateway.relays))
    await world.gateway.close()
    for sock in (client, far):
        with pytest.raises(ConnectionResetError):
            await talk.receive(sock)
    assert world.gateway.tcp.live == 0


def test_the_silence_is_as_long_as_linux_waits_for_a_handshake() -> None:
    assert tcp_flows.SILENCE_SECONDS == 127
