"""What the kubelet's tests stand on: a manual clock, an API in memory, a network on loopback."""

import asyncio
import contextvars
import heapq
import itertools
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from cluster.aio.channels import Channels
from cluster.aio.tasks import Tasks
from cluster.client.interface import Listing, PatchType
from cluster.errors import ApiError
from cluster.objects.resources import Resource
from cluster.wire.channels import UPGRADE
from cluster.wire.flow import FlowKind
from node_agent.kubelet.kubelet import Kubelet
from node_agent.kubelet.node_document import NodeFacts
from node_agent.kubelet.pod_files import NodeFiles
from node_agent.workloads import surroundings

START = 1_800_000_000.0  # seconds since 1970


class ManualClock:
    """Time that moves when a test says so."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self._at = START
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        return self._at

    def monotonic(self) -> float:
        return self._at

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._at + seconds, next(self._order), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move time on, waking sleepers in order and letting each one's work happen."""
        end = self._at + seconds
        await turns()
        while self._sleepers and self._sleepers[0][0] <= end:
            at, _, future = heapq.heappop(self._sleepers)
            self._at = max(self._at, at)
            if not future.done():
                future.set_result(None)
                await turns()
        self._at = end
        await turns()


async def turns(count: int = 30) -> None:
    """Let what is ready in the loop run."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(claim: Callable[[], object]) -> None:
    """Wait for a claim to come true, over real sockets too."""
    async with asyncio.timeout(5):
        while True:
            if claim():
                return
            await asyncio.sleep(0)


class FakeApi:
    """Objects in memory; strategic patches merge conditions by type, everything else by key."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.patches: list[tuple[str, str, Mapping[str, Any]]] = []
        self.deleted: list[tuple[str, int | None, str | None]] = []
        self.failing: Exception | None = None
        self.on_change: Callable[[Any, Any], None] | None = None
        self.before_patch: Callable[[Any], Any] | None = None  # what another writes just before
        self._version = itertools.count(1)

    def put(self, resource: Resource, document: dict[str, Any]) -> dict[str, Any]:
        meta = dict(document["metadata"], resourceVersion=str(next(self._version)))
        stored = {**document, "metadata": meta}
        key = (resource.plural, meta.get("namespace", ""), meta["name"])
        self.objects[key] = stored
        return stored

    def find(self, resource: Resource, name: str, namespace: str = "") -> dict[str, Any]:
        try:
            return self.objects[(resource.plural, namespace, name)]
        except KeyError:
            message = f'{resource.plural} "{name}" not found'
            raise ApiError({"code": 404, "reason": "NotFound", "message": message}) from None

    def of(self, resource: Resource) -> list[dict[str, Any]]:
        return [value for key, value in self.objects.items() if key[0] == resource.plural]

    def _check(self) -> None:
        if self.failing is not None:
            raise self.failing

    async def get(self, resource: Resource, name: str, *, namespace: str | None = None) -> Any:
        self._check()
        return self.find(resource, name, namespace or "")

    async def list(self, resource: Resource, **_: Any) -> Listing:
        self._check()
        return Listing(list(self.of(resource)), "1")

    async def create(self, resource: Resource, document: Any) -> Any:
        self._check()
        meta = document["metadata"]
        if (resource.plural, meta.get("namespace", ""), meta["name"]) in self.objects:
            raise ApiError({"code": 409, "reason": "AlreadyExists", "message": "it exists"})
        return self.put(resource, {**document, "metadata": {"uid": f"uid-{meta['name']}", **meta}})

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Any,
        *,
        namespace: str | None = None,
        patch_type: PatchType = PatchType.MERGE,
        **_: Any,
    ) -> Any:
        self._check()
        before = self.find(resource, name, namespace or "")
        uid = (patch.get("metadata") or {}).get("uid")
        if uid not in (None, before["metadata"].get("uid")):
            message = f"Precondition failed: UID in precondition: {uid}"
            raise ApiError({"code": 409, "reason": "Conflict", "message": message})
        self.patches.append((resource.plural, name, patch))
        if self.before_patch is not None:
            before = self.before_patch(before) or before
        strategic = patch_type is PatchType.STRATEGIC
        after = self.put(resource, _merge(before, patch, strategic=strategic))
        if self.on_change is not None and resource.plural == "pods":
            self.on_change(before, after)
        return after

    async def delete(
        self,
        resource: Resource,
        name: str,
        *,
        namespace: str | None = None,
        grace_seconds: int | None = None,
        uid: str | None = None,
        **_: Any,
    ) -> Any:
        self._check()
        before = self.find(resource, name, namespace or "")
        self.deleted.append((name, grace_seconds, uid))
        del self.objects[(resource.plural, namespace or "", name)]
        if self.on_change is not None and resource.plural == "pods":
            self.on_change(before, None)
        return {}


def _merge(before: Any, patch: Any, *, strategic: bool) -> Any:
    if not isinstance(before, Mapping) or not isinstance(patch, Mapping):
        return patch
    merged = dict(before)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif strategic and name == "conditions":
            known = {each["type"]: each for each in before.get(name) or ()}
            for each in value:
                known[each["type"]] = _merge(known.get(each["type"], {}), each, strategic=True)
            merged[name] = list(known.values())
        elif isinstance(value, list):
            merged[name] = [each for each in value if "$patch" not in each]
        else:
            merged[name] = _merge(before.get(name, {}), value, strategic=strategic)
    return merged


class FakeAttachment:
    """A pod's network that is the machine's loopback."""

    def __init__(self, ip: str, namespace: str, name: str) -> None:
        self.ip = ip
        self.pod = f"{namespace}/{name}"
        self.released: list[object] = []

    def context(self) -> contextvars.Context:
        return contextvars.Context()

    def resolv_conf(self) -> str:
        return ""

    def hosts_file(self) -> str:
        return ""

    def listening(self) -> frozenset[tuple[str, str, int]]:
        return frozenset()

    def release(self, container: object) -> None:
        self.released.append(container)


class FakeNetwork:
    """Gives addresses, and dials loopback whatever address is asked for."""

    def __init__(self) -> None:
        self.attached: dict[str, FakeAttachment] = {}
        self.deleted: list[str] = []
        self.dialled: list[tuple[str, int, FlowKind, str | None]] = []
        self.failures: list[Exception] = []  # of the next ADDs
        self.dial_failure: Exception | None = None
        self._next = itertools.count(5)

    async def add(self, pod: Any) -> FakeAttachment:
        if self.failures:
            raise self.failures.pop(0)
        ip = pod.wanted_ip or f"10.244.1.{next(self._next)}"
        self.attached[pod.uid] = FakeAttachment(ip, pod.namespace, pod.name)
        return self.attached[pod.uid]

    async def delete(self, uid: str) -> None:
        if self.attached.pop(uid, None) is not None:
            self.deleted.append(uid)

    async def dial(
        self,
        ip: str,
        port: int,
        *,
        kind: FlowKind = FlowKind.PROBE,
        from_pod: str | None = None,
        localhost: bool = False,
    ) -> socket.socket:
        self.dialled.append((ip, port, kind, from_pod))
        if self.dial_failure is not None:
            raise self.dial_failure
        sock = socket.socket()
        try:
            sock.connect(("127.0.0.1", port))  # at once, so that it takes no turns of the loop
        except OSError:
            sock.close()
            raise
        sock.setblocking(False)
        return sock

    def flow_id_of(self, sock: socket.socket) -> str:
        return "00c0ffee00c0ffee"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def network() -> FakeNetwork:
    return FakeNetwork()


@pytest.fixture
async def tasks(clock: ManualClock) -> AsyncIterator[Tasks]:
    started = Tasks(clock)
    yield started
    await started.close()


@pytest.fixture
async def programs() -> AsyncIterator[None]:
    """Programs have their own sys.stdout, environment and tasks, as in the agent."""
    undo = surroundings.install(asyncio.get_running_loop())
    yield
    undo()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def node_facts() -> NodeFacts:
    return NodeFacts(
        name="node-1",
        internal_ip="172.30.0.1",
        external_ip="127.64.0.1",
        tunnel="127.64.0.1:4789",
        kubelet="unix:/run/node-1.sock",
        zone="zone-a",
        labels={"disk": "ssd"},
        cpus=2,
        memory_bytes=1 << 30,
        disk_bytes=1 << 34,
    )


@pytest.fixture
async def kubelet(
    api: FakeApi,
    network: FakeNetwork,
    clock: ManualClock,
    tasks: Tasks,
    node_facts: NodeFacts,
    programs: None,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Kubelet]:
    """A kubelet whose network is ready and whose pods come from `bind`."""
    import sys

    monkeypatch.setattr(sys, "path", list(sys.path))
    made = Kubelet(
        api=api,
        network=network,
        clock=clock,
        tasks=tasks,
        facts=node_facts,
        app_dir=str(tmp_path),
        files=NodeFiles(tmp_path / "pods", "node-1"),
    )
    tasks.supervise(made.events.run, name="events")
    api.on_change = made.pods.pod_changed
    made.pods.network_ready()
    yield made
    await tasks.close()


@pytest.fixture
async def streams(kubelet: Kubelet, tmp_path: Any) -> AsyncIterator[Callable[[str], Any]]:
    """Asks the kubelet API to turn a connection into channels: those, or what it refuses with."""
    runner = web.AppRunner(kubelet.app(), shutdown_timeout=0)
    await runner.setup()
    path = str(tmp_path / "streams.sock")
    await web.UnixSite(runner, path).start()
    opened: list[Channels] = []

    async def ask(target: str, upgrade: str = UPGRADE) -> Channels | tuple[int, str]:
        reader, writer = await asyncio.open_unix_connection(path)
        head = f"POST {target} HTTP/1.1\r\nHost: kubelet\r\nConnection: Upgrade\r\n"
        writer.write(f"{head}Content-Length: 0\r\nUpgrade: {upgrade}\r\n\r\n".encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        channels = Channels(reader, writer)
        opened.append(channels)
        code = int(answer.split(" ")[1])
        if code == 101:
            return channels
        length = int(answer.partition("content-length: ")[2].partition("\r")[0])
        return code, (await reader.readexactly(length)).decode()

    yield ask
    for channels in opened:
        channels.abort()
        await channels.close()
    await runner.cleanup()


@pytest.fixture
def field() -> Iterator[SimpleNamespace]:
    """The helpers above, for test modules."""
    yield SimpleNamespace(
        START=START,
        ManualClock=ManualClock,
        FakeApi=FakeApi,
        FakeNetwork=FakeNetwork,
        turns=turns,
        until=until,
        pod=make_pod,
    )


def make_pod(name: str = "web", **spec: Any) -> dict[str, Any]:
    """A pod bound to node-1."""
    containers = spec.pop("containers", [{"name": "app", "image": "pause"}])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{name}", "labels": {}},
        "spec": {"nodeName": "node-1", "containers": containers, **spec},
    }
