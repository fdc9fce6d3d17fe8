"""Processes that die in the middle of connections: who passed them ends, who did not lives on.

Each test leaves the cluster whole: what was killed is up again and works.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from cluster.dataplane.decision import Code
from cluster.objects.resources import PODS
from cluster.trace.record import ClientSaw
from tests.processes.flows.client import Client, dial
from tests.processes.flows.ground import WAYS, Ground, passed_by, until
from tests.processes.flows.held import holders
from tests.processes.flows.objects import nobody_enters, pod

HOMES = {"node-1": "talker-1", "node-2": "talker-2", "node-3": "talker-3"}
BEGUN = 20
UNANSWERED = f"{Code.NODE_UNREACHABLE}, {ClientSaw.TIMEOUT}"
KILLED, CRASHED = signal.SIGKILL, signal.SIGQUIT
signals = pytest.mark.parametrize("number", [KILLED, CRASHED], ids=["killed", "crashed"])


@pytest.fixture(autouse=True)
async def whole(own_ground: Ground) -> None:
    """Each test begins with every process ready, whatever became of the one before."""

    async def ready() -> bool:
        found = await own_ground.cluster.processes()
        return all(each["state"] == "ready" for each in found.values())

    await until(ready, bool)
    await own_ground.cluster.settled()


@asynccontextmanager
async def living(ground: Ground) -> AsyncIterator[dict[str, Client]]:
    """Established connections by the processes they pass, each of which has carried bytes.

    Named by them: "gateway node-1 node-2" came by the gateway and node-1 to the pod on node-2.
    """
    async with AsyncExitStack() as stack:
        made: dict[str, Client] = {}
        for entry in ("node-1", "node-2", "node-3"):
            client = await stack.enter_async_context(ground.connected("solo", entry))
            made[" ".join(passed_by(await client.ask("who a"), entry))] = client
        while not {"gateway node-1 node-2", "gateway node-2"} <= set(made):
            client = await stack.enter_async_context(ground.connected("solo", "gateway"))
            made[" ".join(passed_by(await client.ask("who a"), "gateway"))] = client
        assert {"node-1 node-2", "node-2", "node-3 node-2"} <= set(made)
        yield made


async def ended(made: dict[str, Client]) -> dict[str, str]:
    """How each connection ended; each does, or the test fails."""
    return {name: await client.met() for name, client in made.items()}


async def assert_alive(made: dict[str, Client]) -> None:
    """They carry bytes as before."""
    for name, client in made.items():
        assert await client.ask(f"alive {name}") == f"alive {name}"


def split(made: dict[str, Client], process: str) -> tuple[dict[str, Client], dict[str, Client]]:
    """Those that passed a process, and the others."""
    passed = {name: each for name, each in made.items() if process in name.split()}
    return passed, {name: each for name, each in made.items() if name not in passed}


async def killed(ground: Ground, process: str, number: signal.Signals) -> tuple[int, int]:
    """Kill it; how often it and its pod have been started again before."""
    before = await restarts(ground, process)
    await ground.cluster.kill(process, number)
    return before


async def back(ground: Ground, process: str, before: tuple[int, int]) -> None:
    """Wait until it serves again, its pod too, and everybody knows."""

    async def again() -> bool:
        ready = (await ground.cluster.processes())[process]["state"] == "ready"
        after = await restarts(ground, process)
        return ready and all(now > old for now, old in zip(after, before, strict=True))

    await until(again, bool)
    await ground.cluster.settled()


async def restarts(ground: Ground, process: str) -> tuple[int, int]:
    """Those of a process, and of the container of the talker on it, if it is a node."""
    of_process = int((await ground.cluster.processes())[process]["restarts"])
    if process not in HOMES:
        return of_process, of_process
    found = await ground.cluster.api.get(PODS, HOMES[process], namespace="default")
    return of_process, sum(each["restartCount"] for each in found["status"]["containerStatuses"])


@signals
async def test_a_dead_gateway_ends_what_came_by_it_and_nothing_else(
    own_ground: Ground, number: signal.Signals
) -> None:
    async with living(own_ground) as made:
        passed, others = split(made, "gateway")
        before = await killed(own_ground, "gateway", number)
        assert {"gateway node-1 node-2", "gateway node-2"} <= set(await ended(passed))
        await assert_alive(others)
        await back(own_ground, "gateway", before)
        await assert_alive(others)
        assert (await own_ground.ask("who b", way="gateway")).startswith("talker-2 ")


@signals
async def test_a_dead_entry_node_ends_what_came_by_it_and_nothing_else(
    own_ground: Ground, number: signal.Signals
) -> None:
    """Its pods are others' business here: talker-2 is not on it."""
    async with living(own_ground) as made:
        passed, others = split(made, "node-1")
        before = await killed(own_ground, "node-1", number)
        await ended(passed)
        await assert_alive(others)
        await back(own_ground, "node-1", before)
        await assert_alive(others)
        assert (await own_ground.ask("who b", way="node-1")).startswith("talker-2 ")


@signals
async def test_a_dead_node_ends_all_that_its_pod_held(
    own_ground: Ground, number: signal.Signals
) -> None:
    """Connections to pods of other nodes live on; a crash resets."""
    async with living(own_ground) as made, own_ground.connected("third", "node-1") as other:
        assert (await other.ask("who a")).startswith("talker-3 ")
        before = await killed(own_ground, "node-2", number)
        how = await ended(made)
        assert set(how) == set(made)
        if number == CRASHED:
            assert set(how.values()) == {"reset"}
        assert await other.ask("alive") == "alive"
        await back(own_ground, "node-2", before)
        assert (await own_ground.ask("who b", way="node-1")).startswith("talker-2 ")
        assert await other.ask("alive") == "alive"


@pytest.mark.parametrize("how", ["shutdown", "crash"])
async def test_a_node_that_is_taken_away_resets_what_came_by_it(
    own_ground: Ground, how: str
) -> None:
    """It only let them in, and their pod is elsewhere; those that it had no part in live on."""
    async with living(own_ground) as made:
        passed, others = split(made, "node-1")
        await own_ground.cluster.stop_node("node-1", how=how)
        assert set((await ended(passed)).values()) == {"reset"}
        await assert_alive(others)
        await own_ground.cluster.start_node("node-1")
        await assert_alive(others)
        assert (await own_ground.ask("who b", way="node-1")).startswith("talker-2 ")


@signals
async def test_a_cluster_is_settled_once_the_pods_of_a_node_that_died_serve_again(
    own_ground: Ground, number: signal.Signals
) -> None:
    """Not before the API has heard that they ended, and then that they are ready."""
    await own_ground.cluster.kill("node-2", number)
    await own_ground.cluster.settled()
    for way in WAYS:
        assert (await own_ground.ask("who a", way=way)).startswith("talker-2 ")


async def test_a_pod_that_is_deleted_ends_its_connections(own_ground: Ground) -> None:
    """P-62: whether they came by the gateway, by another node's port or by its own node's."""
    await own_ground.cluster.apply(pod("short", "node-3", app="short", seat="short"))
    async with AsyncExitStack() as stack:
        clients = {
            way: await stack.enter_async_context(own_ground.connected("short", way))
            for way in ("gateway", "node-1", "node-3")
        }
        for client in clients.values():
            assert (await client.ask("who a")).startswith("short ")
        await own_ground.cluster.api.delete(PODS, "short", namespace="default", grace_seconds=0)
        assert set(await ended(clients)) == {"gateway", "node-1", "node-3"}
    await own_ground.cluster.settled()


async def test_a_policy_leaves_alone_what_is_established(own_ground: Ground) -> None:
    """N-84: these go on, as by connection tracking; new ones meet silence."""
    async with living(own_ground) as made:
        await own_ground.cluster.apply(nobody_enters(2))
        try:
            await assert_alive(made)
            async with own_ground.connected("solo", "node-1") as refused:
                refused.send("who a\n")
                assert (await own_ground.trace(refused)).code == "POLICY_DENIED"
                refused.reset()
        finally:
            await own_ground.cluster.delete(nobody_enters(2))
        await assert_alive(made)
        assert (await own_ground.ask("who b", way="node-1")).startswith("talker-2 ")


async def begun(ground: Ground, way: str) -> list[Client]:
    """Connections to talker-2 with a request that nobody has answered yet."""
    front = await ground.front("solo", way)
    clients = [await dial(front) for _ in range(BEGUN)]
    for client in clients:
        client.send("who a\n")
        await client.sent()
    return clients


@pytest.mark.parametrize("way", WAYS)
async def test_a_node_that_dies_before_it_takes_what_was_sent_to_it_leaves_nothing_undecided(
    own_ground: Ground, way: str
) -> None:
    """It ends, or the process before says that the node does not answer: silence, as of a host."""
    async with own_ground.stopped("node-2"):
        clients = await begun(own_ground, way)
        before = await killed(own_ground, "node-2", KILLED)
    for client in clients:
        assert await over(own_ground, client) in ("reset", "end", UNANSWERED)
        await client.close()
    await back(own_ground, "node-2", before)
    assert (await own_ground.ask("who b", way=way)).startswith("talker-2 ")


async def over(ground: Ground, client: Client) -> str:
    """Wait for a connection's end, or for the news that nobody answers it; which it was."""
    ways = [asyncio.create_task(client.met()), asyncio.create_task(_unanswered(ground, client))]
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in ways:
            task.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _unanswered(ground: Ground, client: Client) -> str:
    found = await until(
        lambda: ground.told(client), lambda trace: trace is not None and trace.outcome == "dropped"
    )
    assert found is not None
    return f"{found.code}, {found.client_saw}"


@pytest.mark.parametrize("process", ["gateway", "node-1"])
async def test_who_dies_after_it_sent_a_connection_on_ends_that(
    own_ground: Ground, process: str
) -> None:
    """Sent on to a node that stands still, which finds it when it goes on."""
    way = {"node-1": "far"}.get(process, process)
    async with own_ground.stopped("node-2"):
        clients = await begun(own_ground, way)
        before = await killed(own_ground, process, KILLED)
    for client in clients:
        assert await client.met() in ("reset", "end")
        await client.close()
    await back(own_ground, process, before)
    assert (await own_ground.ask("who b", way=way)).startswith("talker-2 ")


@pytest.mark.parametrize("way", WAYS)
async def test_after_all_deaths_connections_go_the_way_they_went(
    own_ground: Ground, way: str
) -> None:
    """Who came back is known to the others again: sockets change hands as before."""
    async with own_ground.connected(way=way) as client:
        passed = passed_by(await client.ask("who a"), way)
        holder = passed[-1] if own_ground.path == "hand-over" else passed[0]
        assert await holders(own_ground, client) == [holder]
