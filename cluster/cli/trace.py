"""The way of a connection through the cluster, hop by hop, and why it took it.

    kubehop trace                        the newest connection
    kubehop trace 4c1f9a2b7d3e6f80       this one
    kubehop trace --last 5 --outcome dropped
    kubehop trace --follow               each connection as it is made

The nodes, the gateway and the DNS are asked directly: it works with the API
server dead too.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from cluster.cli.exits import OK
from cluster.cli.opened import add_name, reached
from cluster.cli.terminal import Terminal
from cluster.cli.trace_query import add_filters, check_id, query_of

if TYPE_CHECKING:
    from cluster.trace.join import Trace
    from cluster.trace.query import Query
    from cluster.trace.record import Segment
    from cluster.traffic.access import Access

LAST_MAX = 1000
WAIT_SECONDS = 2.0
LOOK_SECONDS = 0.5  # between looks for flows whose processes keep silent
TREE, JSON, LINE = "tree", "json", "line"

Show = Callable[["Trace"], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which flows, and how they are shown."""
    add_name(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("id", nargs="?", metavar="ID", help="a flow's id, 16 hexadecimal digits")
    which.add_argument(
        "--last",
        nargs="?",
        type=_count,
        const=1,
        metavar="COUNT",
        help="the newest, or so many of them (what happens without an ID)",
    )
    which.add_argument("--follow", action="store_true", help="show flows as they are made")
    parser.add_argument(
        "-o",
        "--output",
        choices=[TREE, JSON, LINE],
        help="default: tree; with --follow: line. json is one object a line",
    )
    add_filters(parser)


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Ask, and show."""
    if options.id:
        check_id(options)
    asyncio.run(_run(options, terminal))
    return OK


async def _run(options: argparse.Namespace, terminal: Terminal) -> None:
    async with reached(options.name) as access:
        if options.follow:
            show = shower(options.output or LINE, terminal)
            await follow(access, query_of(options), show, terminal)
            return
        show = shower(options.output or TREE, terminal)
        for trace in await wanted(access, options):
            show(trace)


async def wanted(access: "Access", options: argparse.Namespace) -> "list[Trace]":
    """The flow of the id; else the newest ones, the newest last."""
    from cluster.traffic.traces import trace_of

    if options.id:
        return [await trace_of(access, options.id, WAIT_SECONDS)]
    return await newest(access, query_of(options), options.last or 1)


async def newest(access: "Access", query: "Query", count: int) -> "list[Trace]":
    """The newest flows that a query finds, whole; NoTrace when there is none."""
    from cluster.trace.client import collect
    from cluster.trace.join import by_flow
    from cluster.traffic.traces import trace_of

    found = await collect(await access.endpoints(), query, access=access.remote)
    ids = list(by_flow(found.segments))[-count:]
    if not ids:
        return [await trace_of(access, query, 0.0)]  # says what there is not, and why
    return [await trace_of(access, each, WAIT_SECONDS) for each in ids]


async def follow(access: "Access", query: "Query", show: Show, terminal: Terminal) -> None:
    """Show each flow once, when it is whole; ends with Ctrl-C.

    Every segment of the kind is read, and flows are chosen here: a filter would keep the parts
    away that do not match themselves, such as the gateway's part of a flow that a node dropped.
    """
    from cluster.trace.client import FlowStream
    from cluster.trace.query import Query

    of_kind = Query(kind=query.kind)
    async with FlowStream(await access.endpoints(), of_kind, access=access.remote) as stream:
        notes = Notes(terminal)
        async for trace in assembled(aiter(stream), access.clock.monotonic):
            if any(query.matches(segment) for segment in trace.segments):
                show(trace)
            notes.take(stream.unreachable, stream.lost)


class Notes:
    """Says what is not seen, once: processes that cannot be asked, segments that were lost."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._gone: set[str] = set()
        self._lost = 0

    def take(self, unreachable: Mapping[str, str], lost: int) -> None:
        """Compare with what has been said already."""
        for name in sorted(set(unreachable) - self._gone):
            self._terminal.note(f"note: {name} cannot be asked ({unreachable[name]})")
        for name in sorted(self._gone - set(unreachable)):
            self._terminal.note(f"note: {name} answers again")
        self._gone = set(unreachable)
        if lost > self._lost:
            self._terminal.note(
                f"note: {lost - self._lost} parts of flows came too fast, and are lost"
            )
            self._lost = lost


async def assembled(
    segments: "AsyncIterator[Segment]", now: Callable[[], float]
) -> "AsyncIterator[Trace]":
    """Whole traces from a stream of segments; late ones as far as they are known."""
    from cluster.cli.trace_assembly import Assembly

    assembly = Assembly()
    while True:
        trace = None
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                trace = assembly.add(await anext(segments), now())
        if trace is not None:
            yield trace
        for late in assembly.overdue(now()):
            yield late


def shower(output: str, terminal: Terminal) -> Show:
    """How a trace is put out."""
    from cluster.trace.join import trace_to_json
    from cluster.trace.tree import render, render_line

    def tree(trace: "Trace") -> None:
        terminal.say(render(trace, width=terminal.width, colour=terminal.colour_out))

    def line(trace: "Trace") -> None:
        width = terminal.width if terminal.out.isatty() else 0
        terminal.say(render_line(trace, width=width, colour=terminal.colour_out))

    def document(trace: "Trace") -> None:
        terminal.say(json.dumps(trace_to_json(trace)))

    return {TREE: tree, LINE: line, JSON: document}[output]


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= LAST_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {LAST_MAX}")
    return int(text)
