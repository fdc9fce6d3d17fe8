"""Send a request from a place in the cluster network, and show the way it took.

    kubehop curl http://frontend.shop/cart              from the internet
    kubehop curl http://frontend.shop/ --from 203.0.113.7
    kubehop curl http://cart/ --from deploy/frontend -n shop --trace
    kubehop curl http://10.96.0.20/ --from node/node-2
    kubehop curl udp://clock.shop:9999 -d now           a datagram and its reply

The answer goes to standard output, as with curl; traces and errors to standard
error. A request that gets no answer always shows its trace, with curl's own
exit status.
"""

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.cli.curl_request import CurlRequest, add_request_arguments, request_of
from cluster.cli.exits import HTTP_ERROR, NAME_UNKNOWN, OK, REFUSED, RESET, TIMED_OUT, WEIRD_ANSWER
from cluster.cli.opened import add_name, opened
from cluster.cli.terminal import Terminal
from cluster.errors import ConfigError, WireError

if TYPE_CHECKING:
    from cluster.trace.join import Trace
    from cluster.traffic.access import Access
    from cluster.traffic.place import Place
    from cluster.traffic.response import Response
    from cluster.traffic.unreached import Unreached

NAME = "curl"
STATUSES = {
    "refused": REFUSED,
    "unreachable": REFUSED,
    "timeout": TIMED_OUT,
    "nxdomain": NAME_UNKNOWN,
    "reset": RESET,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where from, what, and how it is shown."""
    add_name(parser)
    add = parser.add_argument
    add("url", metavar="URL", help="http://HOST[:PORT]/PATH, or udp://HOST:PORT")
    add(
        "--from",
        dest="source",
        default="internet",
        metavar="PLACE",
        help="internet (default), 203.0.113.N, pod/NAME, deploy/NAME, node/NAME",
    )
    add("-n", "--namespace", default="default", help="of the pod, and of short Service names")
    traced = parser.add_mutually_exclusive_group()
    traced.add_argument("--trace", action="store_true", default=None, help="show the way it took")
    traced.add_argument(
        "--no-trace", dest="trace", action="store_false", help="not even of a failure"
    )
    add_request_arguments(parser)
    shown = parser.add_argument_group("the answer, as curl has it")
    add = shown.add_argument
    add("-i", "--include", action="store_true", help="the headers too")
    add("-o", "--output", type=Path, metavar="FILE", help="the answer goes there")
    add("-s", "--silent", action="store_true", help="no error text (a failure's trace stays)")
    add("-S", "--show-error", action="store_true", help="the error text even with -s")
    add("-f", "--fail", action="store_true", help="exit 22, and no body, from status 400 on")
    add("-w", "--write-out", metavar="FORMAT", help="then this: %%{http_code}, %%{flow_id}, ...")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Send it and put the answer out."""
    request = request_of(options, _read_file)
    return asyncio.run(_run(request, options, terminal))


async def _run(request: CurlRequest, options: argparse.Namespace, terminal: Terminal) -> int:
    from cluster.traffic.place import Place

    place = Place.parse(options.source, options.namespace)
    async with opened(options.name) as cluster:
        return await perform(cluster.access, place, request, options, terminal)


async def perform(
    access: "Access",
    place: "Place",
    request: CurlRequest,
    options: argparse.Namespace,
    terminal: Terminal,
) -> int:
    """One request, its answer and its traces; the exit status is curl's."""
    from cluster.traffic.unreached import Unreached

    try:
        response = await send(access, place, request)
    except Unreached as error:
        return await _failed(access, error, options, terminal)
    except WireError as error:
        _complain(options, terminal, WEIRD_ANSWER, str(error))
        return WEIRD_ANSWER
    _put_out(response, options, terminal)
    if options.trace:
        await _show_traces(access, response, terminal)
    if options.fail and response.status >= 400:
        text = f"the server answered {response.status} {response.reason}".rstrip()
        _complain(options, terminal, HTTP_ERROR, text)
        return HTTP_ERROR
    return OK


async def send(access: "Access", place: "Place", request: CurlRequest) -> "Response":
    """The answer, or Unreached; a datagram's reply is an answer of status 0."""
    from cluster.traffic.http import fetch

    if request.datagram:
        return await _send_datagram(access, place, request)
    return await fetch(
        access,
        place,
        request.url,
        method=request.method,
        headers=request.headers,
        body=request.body,
        timeout_seconds=request.timeout_seconds,
    )


async def _send_datagram(access: "Access", place: "Place", request: CurlRequest) -> "Response":
    """One datagram; its reply is shown as a body is."""
    from urllib.parse import urlsplit

    from cluster.traffic.datagram import send_datagram
    from cluster.traffic.response import Response

    try:
        parts = urlsplit(request.url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"{request.url!r} is no URL: {error}") from error
    if not host or not port:
        raise ConfigError(f"{request.url!r} is not udp://HOST:PORT")
    seconds = request.timeout_seconds
    reply = await send_datagram(access, place, host, port, request.body, timeout_seconds=seconds)
    return Response(
        status=0,
        reason="",
        headers=(),
        body=reply.payload,
        flow_ids=(reply.flow_id,) if reply.flow_id else (),
        seconds=reply.seconds,
    )


def _put_out(response: "Response", options: argparse.Namespace, terminal: Terminal) -> None:
    from cluster.cli.curl_answer import output_of, variables_of, write_out

    datagram = not response.status
    head_only = options.head and not datagram
    include = options.include and not datagram
    data = output_of(response, include=include, head_only=head_only, fail=options.fail)
    if options.output is not None:
        options.output.write_bytes(data)
    else:
        terminal.write_bytes(data)
    if options.write_out:
        terminal.write_bytes(write_out(options.write_out, variables_of(response)).encode())
    if terminal.out.isatty() and options.output is None and data and not data.endswith(b"\n"):
        terminal.say()  # the trace or the prompt begins on a line of its own


async def _show_traces(access: "Access", response: "Response", terminal: Terminal) -> None:
    from cluster.cli.flow_traces import traces_of
    from cluster.traffic.traces import NoTrace

    if not response.flow_ids:
        terminal.note("note: no process of the cluster has recorded this flow: is it one of its?")
        return
    try:
        traces = await traces_of(access, response.flow_ids, response.seconds)
    except NoTrace as error:
        terminal.note(f"note: {error}")
        return
    for trace in traces:
        _show(trace, terminal)


async def _failed(
    access: "Access", error: "Unreached", options: argparse.Namespace, terminal: Terminal
) -> int:
    """No answer: say so as curl does, and show why."""
    from cluster.cli.flow_traces import trace_if_any

    status = STATUSES[str(error.kind)]
    _complain(options, terminal, status, error.message)
    if options.trace is False:
        return status
    trace = error.trace
    if trace is None and error.flow_id:
        trace = await trace_if_any(access, error.flow_id)
    if trace is not None:
        _show(trace, terminal)
    return status


def _show(trace: "Trace", terminal: Terminal) -> None:
    from cluster.trace.tree import render

    terminal.tell("\n" + render(trace, width=terminal.width, colour=terminal.colour_err).rstrip())


def _complain(options: argparse.Namespace, terminal: Terminal, status: int, text: str) -> None:
    if not options.silent or options.show_error:
        terminal.complain(f"({status}) {text}", who=NAME)


def _read_file(name: str) -> bytes:
    """For -d @FILE; "-" is standard input."""
    import sys

    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {name} for the request's body: {error.strerror}") from error
