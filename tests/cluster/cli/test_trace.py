"""`kubehop trace`: one flow, the newest ones, or each as it is made."""

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.cli import trace as module
from cluster.cli.trace import LAST_MAX, Notes, assembled, follow, shower, wanted
from cluster.errors import ConfigError
from cluster.trace import client
from cluster.trace.client import Collected
from cluster.trace.join import join
from cluster.trace.query import Query
from cluster.trace.record import Outcome
from cluster.traffic import traces
from cluster.traffic.traces import NoTrace
from cluster.wire.flow import FlowKind

ID = "4c1f9a2b7d3e6f80"


@pytest.fixture
def access(monkeypatch) -> SimpleNamespace:
    """Processes that have recorded `recorded`, and note what they were asked."""
    found = SimpleNamespace(recorded=[], queries=[], remote=None, clock=asyncio)

    async def endpoints() -> dict[str, str]:
        return {}

    async def collect(endpoints, query, *, access) -> Collected:
        found.queries.append(query)
        return Collected(tuple(each for each in found.recorded if query.matches(each)))

    async def trace_of(access, what, wait):
        parts = [each for each in found.recorded if each.flow_id == what]
        if not parts:
            raise NoTrace(f"no process has recorded a flow with {what}")
        return join(parts)

    monkeypatch.setattr(client, "collect", collect)
    monkeypatch.setattr(traces, "trace_of", trace_of)
    found.endpoints = endpoints
    return found


async def test_a_flow_is_found_by_its_id(access, segment, options_of):
    access.recorded += [segment(), segment(flow_id="f" * 16, started=101.0)]
    assert [each.flow_id for each in await wanted(access, options_of("trace", ID))] == [ID]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "c"),
        (("--last",), "c"),
        (("--last", "2"), "bc"),  # the newest comes last, next to the prompt
        (("--last", "9"), "abc"),
        (("--last", "9", "--outcome", "dropped"), "a"),
    ],
)
async def test_the_newest_are_shown_the_newest_last(access, segment, options_of, words, expected):
    access.recorded += [
        segment(flow_id="b" * 16, started=102.0),
        segment(flow_id="c" * 16, started=103.0),
        segment(flow_id="a" * 16, started=101.0, outcome=Outcome.DROPPED),
    ]
    found = await wanted(access, options_of("trace", *words))
    assert "".join(each.flow_id[0] for each in found) == expected


async def test_where_nothing_was_recorded_it_says_what_there_is_not(access, options_of):
    with pytest.raises(NoTrace, match="no process has recorded a flow"):
        await wanted(access, options_of("trace"))


def test_an_id_that_is_none_and_filters_beside_one_are_refused(options_of, terminal):
    with pytest.raises(ConfigError, match="'frontend' is no flow's ID"):
        module.run(options_of("trace", "frontend"), terminal)
    with pytest.raises(ConfigError, match="leave the filters out"):
        module.run(options_of("trace", ID, "--outcome", "dropped"), terminal)


@pytest.mark.parametrize("text", ["0", "-1", str(LAST_MAX + 1), "many"])
def test_a_count_that_is_none_is_refused(options_of, text, capsys):
    with pytest.raises(SystemExit):
        options_of("trace", f"--last={text}")
    assert f"'{text}' is no number from 1 to {LAST_MAX}" in capsys.readouterr().err


# -- shown


def test_a_tree_a_line_and_json_are_three_ways_to_show_it(terminal_of, segment):
    trace = join([segment()])
    shown = {}
    for output in ("tree", "line", "json"):
        terminal = terminal_of()
        shower(output, terminal)(trace)
        shown[output] = terminal.out.text
        assert terminal.err.text == ""
    assert shown["tree"].count("\n") > 5
    assert "● node-1" in shown["tree"]
    assert shown["line"].count("\n") == 1
    assert ID in shown["line"]
    assert json.loads(shown["json"])["flowId"] == ID
    assert shown["json"].count("\n") == 1


# -- followed


class Stream:
    """Segments as they come; then silence until the test has seen enough."""

    def __init__(self, *segments: Any) -> None:
        self.segments = list(segments)
        self.unreachable: dict[str, str] = {}
        self.lost = 0

    async def __aenter__(self) -> "Stream":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if not self.segments:
            await asyncio.Event().wait()
        return self.segments.pop(0)


async def test_flows_are_put_together_as_their_parts_come(segment):
    gateway = {"outcome": Outcome.PASSED, "next_process": "node-1"}
    stream = Stream(
        segment("gateway", **gateway),
        segment("gateway", flow_id="f" * 16, **gateway),
        segment("node-1", flow_id="f" * 16, hop=1),
        segment("node-1", hop=1),
    )
    whole = assembled(stream, lambda: 0.0)
    assert [(await anext(whole)).flow_id for _ in range(2)] == ["f" * 16, ID]


async def test_a_part_that_does_not_come_is_told_when_it_is_late(segment, monkeypatch):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
    stream = Stream(segment("gateway", outcome=Outcome.PASSED, next_process="node-1"))
    times = iter(range(100))
    trace = await anext(assembled(stream, lambda: float(next(times))))
    assert not trace.complete


async def test_following_chooses_whole_flows_not_the_parts_that_match(
    access, segment, terminal, monkeypatch
):
    asked: list[Query] = []
    dropped = [
        segment("gateway", outcome=Outcome.PASSED, next_process="node-1"),
        segment("node-1", hop=1, outcome=Outcome.DROPPED),
    ]
    stream = Stream(segment(flow_id="f" * 16), *dropped)

    def opened(endpoints, query, *, access):
        asked.append(query)
        return stream

    monkeypatch.setattr(client, "FlowStream", opened)
    access.clock = SimpleNamespace(monotonic=lambda: 0.0)
    seen: asyncio.Queue[Any] = asyncio.Queue()
    query = Query(kind=FlowKind.TRAFFIC, outcome=Outcome.DROPPED)
    following = asyncio.ensure_future(follow(access, query, seen.put_nowait, terminal))
    trace = await seen.get()
    following.cancel()
    assert trace.flow_id == ID
    assert [each.process for each in trace.segments] == ["gateway", "node-1"]
    assert seen.empty()
    assert asked == [Query(kind=FlowKind.TRAFFIC)]


def test_what_is_not_seen_is_said_once(terminal):
    notes = Notes(terminal)
    notes.take({"node-1": "refused"}, 0)
    notes.take({"node-1": "refused"}, 0)
    notes.take({"node-1": "refused"}, 3)
    notes.take({}, 5)
    notes.take({}, 5)
    assert terminal.err.text.splitlines() == [
        "note: node-1 cannot be asked (refused)",
        "note: 3 parts of flows came too fast, and are lost",
        "note: node-1 answers again",
        "note: 2 parts of flows came too fast, and are lost",
    ]
