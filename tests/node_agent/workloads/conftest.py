"""Workloads as programs of pods: real HTTP, TCP and UDP between pods that nothing routes."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

import aiohttp
import pytest

from node_agent.cni.pod_network import PodNetwork
from node_agent.kubelet.logs import ContainerLogs, RunLog
from node_agent.workloads import surroundings
from node_agent.workloads.program import Program
from node_agent.workloads.workload import ContainerContext, Workload

IP, CLIENT = "10.244.1.5", "10.244.1.9"


class StoppedClock:
    """Time that does not pass."""

    scale = 1.0

    def now(self) -> float:
        return 1_800_000_000.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.get_running_loop().create_future()


@dataclass(frozen=True, slots=True)
class Started:
    """A container that runs."""

    ctx: ContainerContext
    program: Program
    log: RunLog

    async def said(self, text: str) -> None:
        """Wait until its log holds a text."""
        async with asyncio.timeout(5):
            while True:
                if text in self.log.text():
                    return
                if self.program.exited:
                    raise AssertionError(f"ended without {text!r}: {self.log.text()}")
                await asyncio.sleep(0)

    async def exit_code(self) -> int:
        async with asyncio.timeout(5):
            return await self.program.wait()

    async def end(self) -> int:
        """SIGTERM once it waits for it, and the exit code."""
        async with asyncio.timeout(5):
            while True:
                if self.ctx.catches_termination or self.program.exited:
                    break
                await asyncio.sleep(0)
        self.program.signal(15)
        return await self.exit_code()


class Pods:
    """Pods on loopback, and what runs in them."""

    def __init__(self, fabric: Any, app_dir: str) -> None:
        self.fabric = fabric
        self.app_dir = app_dir
        self.client = fabric.pod("client", CLIENT)
        self._networks: dict[str, PodNetwork] = {}
        self._started: list[Started] = []

    def network(self, ip: str, name: str = "web-1") -> PodNetwork:
        if ip not in self._networks:
            self._networks[ip] = self.fabric.pod(name, ip)
        return self._networks[ip]

    def start(
        self,
        workload: ModuleType,
        *words: str,
        ip: str = IP,
        image: str = "image",
        target: str = "",
        env: dict[str, str] | None = None,
        ports: Sequence[dict[str, Any]] = (),
        container: dict[str, Any] | None = None,
        **given: Any,
    ) -> Started:
        """Start a workload in a pod."""
        document = {"name": "app", "image": image, "ports": list(ports), **(container or {})}
        log = ContainerLogs(StoppedClock()).begin()
        ctx = ContainerContext(
            pod={"metadata": {"name": "web-1", "namespace": "shop", "uid": "u"}, "spec": {}},
            container=document,
            target=target,
            args=words,
            env={"HOSTNAME": "web-1", **(env or {})},
            node_name="node-1",
            pod_ip=ip,
            stdout=cast(Any, log.stdout),
            stderr=cast(Any, log.stderr),
            app_dir=self.app_dir,
            **given,
        )
        program = Program(cast(Workload, workload), ctx, self.network(ip).context())
        program.start()
        started = Started(ctx, program, log)
        self._started.append(started)
        return started

    async def ask(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Run a coroutine function as the client pod's program."""
        async with asyncio.timeout(5):
            return await asyncio.get_running_loop().create_task(
                work(),  # type: ignore[arg-type]
                context=self.client.context(),
            )

    async def http(self, path: str = "/", *, port: int = 8080, ip: str = IP, **options: Any) -> Any:
        """(status, headers, text) of one request by the client pod."""

        async def work() -> Any:
            method = options.pop("method", "GET")
            async with (
                aiohttp.ClientSession() as session,
                session.request(method, f"http://{ip}:{port}{path}", **options) as answer,
            ):
                return answer.status, dict(answer.headers), await answer.text()

        return await self.ask(work)

    async def tcp(self, data: bytes, *, port: int, ip: str = IP) -> bytes:
        """What comes back for some bytes and a half-close."""

        async def work() -> bytes:
            reader, writer = await asyncio.open_connection(ip, port)
            writer.write(data)
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            return answer

        return cast(bytes, await self.ask(work))

    async def udp(self, data: bytes, *, port: int, ip: str = IP) -> bytes:
        """The datagram that answers a datagram."""

        async def work() -> bytes:
            received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

            class Reply(asyncio.DatagramProtocol):
                def datagram_received(self, data: bytes, addr: Any) -> None:
                    received.set_result(data)

            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(Reply, remote_addr=(ip, port))
            transport.sendto(data)
            try:
                return await received
            finally:
                transport.close()

        return cast(bytes, await self.ask(work))

    async def close(self) -> None:
        for each in self._started:
            each.program.kill()
            await each.exit_code()
        for network in self.fabric.pods.values():
            network.close()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def pods(fabric: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pods]:
    """A place to run workloads; programs of `python://` lie in tmp_path."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    undo = surroundings.install(asyncio.get_running_loop())
    made = Pods(fabric, str(tmp_path))
    yield made
    await made.close()
    undo()
