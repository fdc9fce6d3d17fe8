"""A terminal that remembers, options as people type them, flows as processes record them."""

import argparse
import importlib
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cluster.cli.main import VERBS, parser_of
from cluster.cli.terminal import Terminal
from cluster.dataplane.decision import Action, Stage, Step
from cluster.trace.record import ClientSaw, Hop, Outcome, Segment
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind


class Stream(io.TextIOWrapper):
    """A text stream over bytes, as standard output is; perhaps a terminal."""

    def __init__(self, is_terminal: bool) -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding="utf-8", write_through=True, newline="")
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    @property
    def text(self) -> str:
        return self.bytes.getvalue().decode()


@pytest.fixture
def terminal_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Make a terminal: its streams' `text`, and what its environment says."""
    monkeypatch.setenv("COLUMNS", "80")

    def make(*, out: bool = False, err: bool = False, **environ: str) -> Terminal:
        return Terminal(Stream(out), Stream(err), environ)

    return make


@pytest.fixture
def terminal(terminal_of: Callable[..., Terminal]) -> Any:
    """Not a terminal at all: a file, a pipe."""
    return terminal_of()


@pytest.fixture
def options_of() -> Callable[..., argparse.Namespace]:
    """The options of a verb and its words."""

    def parse(name: str, *words: str) -> argparse.Namespace:
        verb = next(each for each in VERBS if each.name == name)
        return parser_of(verb, importlib.import_module(verb.module)).parse_args(words)

    return parse


INTERNET = Origin(OriginKind.OUTSIDE, "203.0.113.1")
FLOW = Flow(Protocol.TCP, SocketAddress("203.0.113.1", 40000), SocketAddress("127.65.0.1", 80))


@pytest.fixture
def segment() -> Callable[..., Segment]:
    """A segment of a flow from the internet that the gateway has passed on to node-1."""

    def make(
        process: str = "node-1",
        *,
        flow_id: str = "4c1f9a2b7d3e6f80",
        hop: int = 0,
        origin: Origin = INTERNET,
        **more: Any,
    ) -> Segment:
        step = Step(
            Stage.ROUTE, Action.FORWARDED, before=FLOW, after=FLOW, reason="as it should be"
        )
        made = Segment(
            flow_id=flow_id,
            process=process,
            kind=FlowKind.TRAFFIC,
            origin=origin,
            original=FLOW,
            hops=(Hop(hop, process, step, 100.0),),
            outcome=Outcome.DELIVERED,
            client_saw=ClientSaw.CONNECTED,
            endpoint={
                "namespace": "shop",
                "pod": "frontend-1",
                "node": process,
                "ip": "10.244.1.2",
                "port": "8080",
            },
            started=100.0,
        )
        return replace(made, **more)

    return make
