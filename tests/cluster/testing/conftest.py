"""An API and recorders on real sockets, without a cluster; a launcher that notes orders."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from cluster.aio.clock import SystemClock
from cluster.dataplane.decision import Action, Code, Stage, Step
from cluster.trace.endpoint import add_routes
from cluster.trace.record import ClientSaw, Hop, Outcome, Segment
from cluster.trace.recorder import Recorder
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Flow, FlowKind, Origin, OriginKind

ACTIONS = {Outcome.DELIVERED: Action.DELIVERED, Outcome.DROPPED: Action.DROPPED}


def segment(
    flow_id: str,
    outcome: str = "dropped",
    *,
    process: str = "node-1",
    started: float | None = None,
    kind: FlowKind = FlowKind.TRAFFIC,
    port: int = 80,
    first: int = 0,
    next_process: str = "",
    source: str = "10.244.1.2:40000",
) -> Segment:
    """What one process decided of a pod's connection."""
    destination = SocketAddress("10.96.0.20", port)
    flow = Flow(Protocol.TCP, SocketAddress.parse(source), destination)
    what = Outcome(outcome)
    code = Code.POLICY_DENIED if what is Outcome.DROPPED else None
    at = SystemClock().now() if started is None else started
    action = ACTIONS.get(what, Action.REJECTED if what is Outcome.REFUSED else Action.FORWARDED)
    step = Step(Stage.DELIVER, action, flow, flow, "as the test says", code, {})
    return Segment(
        flow_id=flow_id,
        process=process,
        kind=kind,
        origin=Origin(OriginKind.POD, "shop/frontend", "node-1"),
        original=flow,
        hops=(Hop(first, process, step, at),),
        outcome=what,
        next_process=next_process,
        code=code,
        reason="as the test says",
        client_saw=ClientSaw.UNKNOWN if first else ClientSaw.TIMEOUT,
        started=at,
    )


class Api:
    """control.sock: notes each request, answers with the documents that are there."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.answers: dict[str, Any] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.path_qs, body))
        if "watch=" in request.query_string or "watch" in request.query:
            event = b'{"type": "ADDED", "object": {"metadata": {"resourceVersion": "8"}}}\n'
            return web.Response(body=event, content_type="application/json")
        empty = {"items": [], "metadata": {"resourceVersion": "7"}}
        return web.json_response(self.answers.get(request.path, empty))


class Machine:
    """The sockets of a run directory."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.api = Api()
        self.recorders: dict[str, Recorder] = {}
        self._runners: list[web.AppRunner] = []

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.api.handle)
        await self._serve("control", app)

    async def process(self, name: str) -> Recorder:
        app = web.Application()
        recorder = self.recorders[name] = Recorder(name, SystemClock())
        add_routes(app, recorder)
        await self._serve(name, app)
        return recorder

    async def _serve(self, name: str, app: web.Application) -> None:
        runner = web.AppRunner(app, shutdown_timeout=0.05)
        await runner.setup()
        await web.UnixSite(runner, str(self.run_dir / f"{name}.sock")).start()
        self._runners.append(runner)

    async def web(self, text: str) -> int:
        """An HTTP server of this machine, which also says what it is asked to; its port."""

        async def answer(request: web.Request) -> web.Response:
            said = f"{text}{request.headers.get('Say', '')}{await request.text()}"
            return web.Response(text=said)

        app = web.Application()
        app.router.add_route("*", "/", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.05)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self._runners.append(runner)
        port: int = runner.addresses[0][1]
        return port

    async def close(self) -> None:
        for runner in self._runners:
            await runner.cleanup()


class Launched:
    """A `Running` without a launcher: it notes the orders."""

    def __init__(self, run_dir: Path) -> None:
        self.name = "t-1-1"
        self.run_dir = run_dir
        self.kubeconfig = run_dir / "kubeconfig"
        self.places = SimpleNamespace(control_socket=run_dir / "control.sock")
        self.orders: list[dict[str, Any]] = []
        self.answer: Any = None

    async def call(self, verb: str, **arguments: Any) -> Any:
        self.orders.append({"verb": verb, **arguments})
        await asyncio.sleep(0)
        return self.answer


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """Short: the paths of sockets hold 104 bytes."""
    made = Path(tempfile.mkdtemp(prefix="kh-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
async def machine(run_dir: Path) -> AsyncIterator[Machine]:
    made = Machine(run_dir)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def launched(run_dir: Path) -> Launched:
    return Launched(run_dir)


@pytest.fixture
def make_segment() -> Any:
    return segment
