"""The stage over an API of the test's own: what it shows, what it claims, what it waits for."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.cli.demo.answer import Answer
from cluster.cli.demo.scenario import DoesNotHold
from cluster.cli.demo.stage import Stage, node_healthy
from cluster.client.interface import EventType, Listing, WatchEvent
from cluster.errors import ApiError
from cluster.objects.resources import ENDPOINT_SLICES, NODES, PODS
from cluster.trace.join import join


def document(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name}, **more}


class Api:
    """Objects of one kind, and the events of each watch in turn."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = list(items)
        self.watches: list[list[WatchEvent]] = []
        self.lists = 0

    async def list(self, resource: Any, **_: Any) -> Listing:
        self.lists += 1
        return Listing(list(self.items), str(self.lists))

    async def watch(self, resource: Any, **_: Any) -> AsyncIterator[WatchEvent]:
        for event in self.watches.pop(0):
            yield event

    async def delete(self, resource: Any, name: str, **_: Any) -> None:
        raise ApiError({"code": 404, "reason": "NotFound", "message": f"{name} is not there"})

    async def call(self, method: str, path: str) -> dict[str, str]:
        return {}


class Launcher:
    """Tells of its processes, each time a bit more."""

    name = "demo"

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.orders: list[tuple[str, dict[str, Any]]] = []

    async def call(self, verb: str, **arguments: Any) -> Any:
        self.orders.append((verb, arguments))
        if verb != "status":
            return None
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return {"processes": [{"name": "gateway", "pid": 7, **found}]}


class Access:
    """Nobody to ask."""

    async def endpoints(self) -> dict[str, str]:
        return {}


def stage(terminal: Any, api: Api | None = None, launcher: Launcher | None = None) -> Stage:
    opened: Any = SimpleNamespace(
        api=api or Api(), running=launcher or Launcher({}), access=Access()
    )
    return Stage(opened, terminal, Path("examples"))


def test_a_claim_that_holds_is_shown_and_counted(terminal: Any) -> None:
    made = stage(terminal)
    made.claim("the shop answers", True)
    assert terminal.out.text == "✓ the shop answers\n" and made.claims == 1


def test_one_that_does_not_ends_the_scenario_with_what_was_found(terminal: Any) -> None:
    with pytest.raises(DoesNotHold, match="the shop answers: found 502"):
        stage(terminal).claim("the shop answers", False, 502)
    assert terminal.out.text == "✗ the shop answers\n"


def test_a_trace_is_set_off_and_fits(terminal: Any, segment: Any) -> None:
    stage(terminal).show(Answer(trace=join([segment("node-1")])))
    lines = terminal.out.text.rstrip("\n").split("\n")
    assert lines[0] == "" and lines[1].startswith("  internet → ")
    assert all(len(line) <= 80 for line in lines)


def test_without_a_trace_nothing_is_shown(terminal: Any) -> None:
    stage(terminal).show(Answer())
    assert terminal.out.text == ""


async def test_waiting_ends_when_it_holds_already(terminal: Any) -> None:
    made = stage(terminal, Api(document("a")))
    assert await made.until(PODS, bool, "a pod") == [document("a")]


async def test_waiting_follows_what_comes_changes_and_goes(terminal: Any) -> None:
    api = Api(document("a"), document("b"))
    api.watches = [
        [
            WatchEvent(EventType.BOOKMARK, {"metadata": {"resourceVersion": "9"}}),
            WatchEvent(EventType.ADDED, document("c")),
            WatchEvent(EventType.MODIFIED, document("a", new=True)),
            WatchEvent(EventType.DELETED, document("b")),
        ]
    ]
    found = await stage(terminal, api).until(
        PODS, lambda all_: len(all_) == 2 and "new" in all_[0], "c"
    )
    assert [each["metadata"]["name"] for each in found] == ["a", "c"]


async def test_a_watch_that_ends_is_begun_anew(terminal: Any) -> None:
    api = Api()
    api.watches = [[], [WatchEvent(EventType.ADDED, document("a"))]]
    assert await stage(terminal, api).until(PODS, bool, "a pod") == [document("a")]
    assert api.lists == 2


async def test_waiting_in_vain_says_for_what(terminal: Any) -> None:
    made = stage(terminal, Api(document("a")))

    async def nothing(*_: Any, **__: Any) -> AsyncIterator[WatchEvent]:
        await asyncio.Event().wait()
        yield WatchEvent(EventType.BOOKMARK, {})

    made.api.watch = nothing  # type: ignore[method-assign,assignment]
    with pytest.raises(DoesNotHold, match="in vain for another pod"):
        await made.until(PODS, lambda found: len(found) > 1, "another pod", seconds=0.01)


async def test_endpoints_are_waited_for_until_everybody_knows(terminal: Any) -> None:
    def slice_of(service: str, *ips: str) -> dict[str, Any]:
        found = document(service, ports=[{"port": 80}], endpoints=[{"addresses": list(ips)}])
        found["metadata"]["labels"] = {"kubernetes.io/service-name": service}
        return found

    api = Api(slice_of("cart", "10.244.1.2"), slice_of("web", "10.244.1.9"))
    api.watches = [[WatchEvent(EventType.MODIFIED, slice_of("cart", "10.244.1.2", "10.244.2.2"))]]
    made = stage(terminal, api)
    found = await made.endpoints_become("cart", lambda found: len(found) == 2, "two")
    assert found == ["10.244.1.2:80", "10.244.2.2:80"]
    assert ENDPOINT_SLICES.kind == "EndpointSlice" and await made.endpoints("web") == [
        "10.244.1.9:80"
    ]


async def test_nodes_are_told_by_name(terminal: Any) -> None:
    made = stage(terminal, Api(document("node-2"), document("node-1")))
    assert await made.node_names() == ["node-1", "node-2"]
    assert NODES.namespaced is False


async def test_a_process_is_back_when_it_is_ready_and_was_restarted(terminal: Any) -> None:
    launcher = Launcher(
        {"state": "ready", "restarts": 0},
        {"state": "waiting", "restarts": 1},
        {"state": "starting", "restarts": 1},
        {"state": "ready", "restarts": 1},
    )
    made = stage(terminal, launcher=launcher)
    back = await made.restarted("gateway", {"restarts": 0})
    assert (back["state"], back["restarts"]) == ("ready", 1)


async def test_killing_and_stopping_are_shown_as_one_would_type_them(terminal: Any) -> None:
    launcher = Launcher({"state": "ready", "restarts": 0})
    made = stage(terminal, launcher=launcher)
    await made.kill("gateway")
    await made.stop_node("node-2", "power-off")
    assert "$ kill -9 7  # gateway" in terminal.out.text
    assert "$ kubehop node stop node-2 --power-off" in terminal.out.text
    assert launcher.orders[1:] == [
        ("kill", {"name": "gateway"}),
        ("stop_node", {"name": "node-2", "how": "power-off"}),
    ]


def test_a_nodes_health_is_read_from_the_gateways_metrics() -> None:
    metrics = (
        'kubehop_gateway_node_healthy{node="node-1"} 1\n'
        'kubehop_gateway_node_healthy{node="node-2"} 0\n'
    )
    assert node_healthy(metrics, "node-1") and not node_healthy(metrics, "node-2")
