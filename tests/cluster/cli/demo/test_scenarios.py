"""Scenarios on a stage of the test's own: what they claim is found wrong when it is wrong.

That they hold on a cluster is for tests over real processes.
"""

import itertools
import json
from typing import Any

import pytest

from cluster.cli.demo.answer import Answer
from cluster.cli.demo.pods import PodSeen
from cluster.cli.demo.scenario import DoesNotHold
from cluster.cli.demo.scenarios import (
    containers,
    datagrams,
    endpoints,
    failures,
    load_balancer,
    names,
    node_port,
    pod_to_pod,
    policy,
    symptoms,
)
from cluster.cli.demo.stage import Stage
from cluster.dataplane.decision import Action, Step
from cluster.dataplane.decision import Stage as Hop
from cluster.trace.join import Trace, join
from cluster.trace.record import Hop as TraceHop
from cluster.traffic.response import Response

NODES = ["node-1", "node-2", "node-3"]


def pod(name: str, node: str, ip: str = "10.244.1.2") -> PodSeen:
    return PodSeen(name=name, app=name.partition("-")[0], node=node, ip=ip, ready=True, restarts=0)


def answered(body: str = "ok", trace: Trace | None = None, status: int = 200) -> Answer:
    made = Response(
        status=status, reason="", headers=(), body=body.encode(), flow_ids=(), seconds=0.0
    )
    return Answer(response=made, trace=trace)


class Played:
    """A stage without a cluster: requests are answered by the test, claims are real."""

    claim = Stage.claim

    def __init__(self, terminal: Any, pods: list[PodSeen], answer: Any) -> None:
        self.claims = 0
        self._terminal = terminal
        self._colour = False
        self._pods = pods
        self._answer = answer
        self.asked: list[tuple[str, str]] = []

    def say(self, text: str) -> None:
        """Not looked at."""

    command = output = show = say

    async def curl(self, url: str, *, source: str = "internet", **_: Any) -> Answer:
        self.asked.append((url, source))
        made: Answer = self._answer(url, source)
        return made

    ask = curl

    async def pods(self) -> list[PodSeen]:
        return self._pods

    async def pods_of(self, app: str) -> list[PodSeen]:
        return [each for each in self._pods if each.app == app]

    async def node_names(self) -> list[str]:
        return NODES


@pytest.fixture
def passed(segment: Any) -> Any:
    """The trace of a flow that passed processes and hops."""

    def make(*processes: str, hop: Hop = Hop.SERVICE, **detail: Any) -> Trace:
        parts = []
        for number, process in enumerate(processes):
            part = segment(process, hop=number)
            flow = part.original
            step = Step(hop, Action.FORWARDED, flow, flow, "so", detail=detail)
            parts.append(segment(process, hops=(TraceHop(number, process, step, 1.0),)))
        return join(parts)

    return make


async def test_the_load_balancers_requests_go_on_until_chance_has_shown_all(
    terminal: Any, passed: Any
) -> None:
    near, far = passed("gateway", "node-1"), passed("gateway", "node-1", "node-2")
    traces = itertools.cycle([near, far])
    stage = Played(terminal, [], lambda url, source: answered(trace=next(traces)))
    with pytest.raises(DoesNotHold, match="every pod of the Service gets its share"):
        await load_balancer.play(stage)  # type: ignore[arg-type]
    assert len(stage.asked) == 1 + load_balancer.REQUESTS_MAX, "one pod is all that ever answered"


async def test_a_node_that_does_not_answer_on_its_port_is_found(terminal: Any, passed: Any) -> None:
    def answer(url: str, source: str) -> Answer:
        node = url.removeprefix("http://").partition(":")[0]
        return answered(trace=passed("node-1" if node == "node-3" else node))

    stage = Played(terminal, [pod("frontend-1", "node-1")], answer)
    with pytest.raises(DoesNotHold, match="node-3 answers, which has no pod"):
        await node_port.play(stage)  # type: ignore[arg-type]
    assert [url for url, _ in stage.asked] == [f"http://{each}:30080/" for each in NODES]


async def test_a_scenario_needs_a_node_without_a_pod(terminal: Any) -> None:
    stage = Played(terminal, [pod("frontend-1", each) for each in NODES], answered)
    with pytest.raises(DoesNotHold, match="some node has no pod"):
        await node_port.play(stage)  # type: ignore[arg-type]


def test_queries_and_address_are_read_from_the_trace(passed: Any) -> None:
    asked = [{"name": "cart.shop.svc.cluster.local"}]
    answer = answered(trace=passed("node-1", hop=Hop.RESOLVE, queries=asked))
    assert names.queries(answer) == asked and names.address(answer) == "127.65.0.1"
    assert names.queries(Answer()) == [] and names.address(Answer()) == ""


async def test_a_client_that_is_translated_is_found(terminal: Any, passed: Any) -> None:
    pods = [
        pod("cart-1", "node-1", "10.244.1.2"),
        pod("frontend-1", "node-1", "10.244.1.3"),
        pod("frontend-2", "node-2", "10.244.2.3"),
    ]

    def answer(url: str, source: str) -> Answer:
        client = "10.244.1.3" if source == "pod/frontend-1" else "172.30.0.2"
        nodes = ["node-1"] if source == "pod/frontend-1" else ["node-2", "node-1"]
        return answered(json.dumps({"client": client}), passed(*nodes))

    with pytest.raises(DoesNotHold, match=r"no NAT: found 172\.30\.0\.2"):
        await pod_to_pod.play(Played(terminal, pods, answer))  # type: ignore[arg-type]


async def test_a_clock_that_answers_something_else_is_found(terminal: Any) -> None:
    pods = [pod("frontend-1", "node-1"), pod("clock-1", "node-1")]
    heard = {"udp://clock:9999": "clock-1 from a pod", "udp://node-2:30999": "clock-1 nothing"}
    stage = Played(terminal, pods, lambda url, source: answered(heard[url], status=0))
    with pytest.raises(DoesNotHold, match="at the node port of node-2"):
        await datagrams.play(stage)  # type: ignore[arg-type]


def test_the_four_symptoms_differ_in_symptom_or_code() -> None:
    assert len({case[2:] for case in symptoms.CASES}) == 4
    assert policy.PATIENCE < 1


def test_endpoints_are_written_as_slices_list_them() -> None:
    carts = [pod("cart-2", "node-2", "10.244.2.2"), pod("cart-1", "node-1", "10.244.1.2")]
    assert endpoints.addresses(carts) == ["10.244.1.2:8080", "10.244.2.2:8080"]


def test_the_second_container_has_failed_once_it_ended_or_was_started_again() -> None:
    def clash(**second: Any) -> dict[str, Any]:
        statuses = [{"name": "first", "restartCount": 1}, {"name": "second", **second}]
        return {"metadata": {"name": "clash"}, "status": {"containerStatuses": statuses}}

    assert not containers._second_failed({"metadata": {"name": "clash"}})
    assert not containers._second_failed(clash(restartCount=0, state={"running": {}}))
    assert containers._second_failed(clash(restartCount=0, state={"terminated": {}}))
    assert containers._second_failed(clash(restartCount=1, state={"running": {}}))


class Connection:
    """What comes when its reader reads."""

    def __init__(self, came: bytes | Exception) -> None:
        self.reader = self
        self._came = came

    async def read(self, count: int) -> bytes:
        if isinstance(self._came, Exception):
            raise self._came
        return self._came


@pytest.mark.parametrize(
    ("came", "meets"),
    [
        (ConnectionResetError(), "a reset"),
        (TimeoutError(), "silence"),
        (b"", "an orderly end"),
        (b"x", "an answer"),
    ],
)
async def test_what_a_connected_client_meets(came: bytes | Exception, meets: str) -> None:
    assert await failures._seen_by(Connection(came)) == meets  # type: ignore[arg-type]
