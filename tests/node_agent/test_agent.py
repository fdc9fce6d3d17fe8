"""The agent of one node, put together: real sockets, an API in memory."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cluster.aio.clock import SystemClock
from cluster.objects.resources import (
    ENDPOINT_SLICES,
    EVENTS,
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
)
from cluster.trace.query import Query
from cluster.trace.record import Outcome
from cluster.wire.addresses import Protocol
from node_agent.agent import Agent
from node_agent.config import AgentConfig
from node_agent.proxy.node_ports import PortState

KEY = bytes(range(32))
PATIENCE_SECONDS = 30  # how long a test waits before it is called failed
PROGRAM = """
import asyncio, socket

async def leave():
    await asyncio.to_thread(socket.create_connection, ("127.0.0.1", 9))

async def exit():
    await asyncio.start_server(lambda reader, writer: None, None, 8080)
    raise SystemExit(7)

async def serve():
    async def hello(reader, writer):
        writer.write(writer.get_extra_info("peername")[0].encode())
        writer.close()
    async with await asyncio.start_server(hello, None, 8080) as server:
        await server.serve_forever()
"""


class Field:
    """One agent, and what the control plane does for it."""

    def __init__(self, api: Any, path: Path) -> None:
        self.api = api
        (path / "shop.py").write_text(PROGRAM)
        self.config = AgentConfig.parse(
            [
                *("--name", "node-1", "--bind", "127.0.0.1", "--internal-ip", "172.30.0.1"),
                *("--api", "unix:/nowhere", "--run-dir", str(path), "--cluster-key", "/nowhere"),
                *("--app-dir", str(path)),
            ]
        )
        self.agent = Agent(self.config, KEY, api, SystemClock())

    async def start(self) -> None:
        await self.api.put(NAMESPACES, {"metadata": {"name": "shop", "labels": {}}})
        starting = asyncio.create_task(self.agent.start())
        await self.until(lambda: self.api.of(NODES))
        await self.api.patch(NODES, "node-1", {"spec": {"podCIDR": "10.244.1.0/24"}})
        await asyncio.wait_for(starting, PATIENCE_SECONDS)

    async def until(self, claim: Callable[[], Any]) -> Any:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = claim()
                if found:
                    return found
                await asyncio.sleep(0.001)

    async def bind(self, name: str, image: str, policy: str = "Always") -> None:
        await self.api.put(
            PODS,
            {
                "metadata": {"namespace": "shop", "name": name, "uid": name, "labels": {}},
                "spec": {
                    "nodeName": "node-1",
                    "restartPolicy": policy,
                    "containers": [{"name": "main", "image": image}],
                },
                "status": {"phase": "Pending"},
            },
        )

    def status(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.find(PODS, name, "shop").get("status") or {}
        return found

    async def running(self, name: str) -> str:
        """The address of a pod once it runs."""
        await self.until(lambda: self.status(name).get("phase") == "Running")
        return str(self.status(name)["podIP"])

    async def hello(self, ip: str, **options: Any) -> bytes:
        sock = await self.agent.network.dial(ip, 8080, **options)
        with sock:
            return await asyncio.get_running_loop().sock_recv(sock, 100)

    async def get(self, path: str) -> Any:
        connector = aiohttp.UnixConnector(str(self.config.socket))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"http://node{path}") as answer,
        ):
            assert answer.status == 200
            return await answer.text()


@pytest.fixture
async def field(
    memory_api: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Field]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = Field(memory_api, tmp_path)
    await made.start()
    yield made
    await made.agent.close()


async def test_a_started_node_is_ready_and_says_where_it_is(field: Field) -> None:
    await field.until(lambda: _ready(field.api.find(NODES, "node-1")))
    annotations = field.api.find(NODES, "node-1")["metadata"]["annotations"]
    said = field.agent.addresses()
    assert said["node"] == "node-1" and said["kubelet"] == f"unix:{field.config.socket}"
    assert annotations["kubehop.dev/tunnel"] == said["tunnel"]
    host, _, port = said["tunnel"].rpartition(":")
    with socket.create_connection((host, int(port))):  # TCP and UDP on one port
        pass
    assert await field.get("/healthz")


def _ready(node: dict[str, Any]) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def test_a_pod_serves_and_the_flow_can_be_asked_for(field: Field) -> None:
    await field.bind("web", "python://shop:serve")
    ip = await field.running("web")
    await field.until(lambda: field.agent.network.pod_with(ip).listening())
    assert await field.hello(ip) == b"172.30.0.1"
    assert '"name":"node-1"' in await field.get("/flows")
    explained = await field.get(f"/explain?destination={ip}:8080&source={ip}")
    assert '"shop/web"' in explained and '"delivered"' in explained


async def test_system_exit_ends_the_container_and_not_the_node(field: Field) -> None:
    """P-62: its listener is gone, its exit code stays."""
    await field.bind("quits", "python://shop:exit", "Never")
    await field.bind("web", "python://shop:serve")
    await field.until(lambda: field.status("quits").get("phase") == "Failed")
    (container,) = field.status("quits")["containerStatuses"]
    assert container["state"]["terminated"]["exitCode"] == 7
    ip = await field.running("web")
    await field.until(lambda: field.agent.network.pod_with(ip).listening())
    assert await field.hello(ip) == b"172.30.0.1"


async def test_a_program_that_leaves_its_pod_is_refused_and_an_event_says_so(field: Field) -> None:
    await field.bind("leaver", "python://shop:leave", "Never")
    found = await field.until(
        lambda: [each for each in field.api.of(EVENTS) if each["reason"] == "EscapeRefused"]
    )
    assert found[0]["involvedObject"]["name"] == "leaver" and found[0]["type"] == "Warning"
    assert "socket.connect ('127.0.0.1', 9)" in found[0]["message"]
    await field.until(lambda: field.status("leaver").get("phase") == "Failed")


async def test_a_resolver_file_beyond_its_limits_is_cut_and_the_pod_is_told(field: Field) -> None:
    """D-74: what was left out is an event of the pod."""
    pod = {
        "metadata": {"namespace": "shop", "name": "wide", "uid": "wide", "labels": {}},
        "spec": {
            "nodeName": "node-1",
            "dnsConfig": {"nameservers": ["192.0.2.1", "192.0.2.2", "192.0.2.3"]},
            "containers": [{"name": "main", "image": "python://shop:serve"}],
        },
        "status": {"phase": "Pending"},
    }
    await field.api.put(PODS, pod)
    (told,) = await field.until(
        lambda: [each for each in field.api.of(EVENTS) if each["reason"] == "DNSConfigForming"]
    )
    assert (told["type"], told["involvedObject"]["name"]) == ("Warning", "wide")
    assert "192.0.2.2" in told["message"] and "192.0.2.3" not in told["message"]


async def test_a_client_of_a_node_port_reaches_the_pod(field: Field, node_port: int) -> None:
    await field.bind("web", "python://shop:serve")
    ip = await field.running("web")
    await field.until(lambda: field.agent.network.pod_with(ip).listening())
    await _publish(field.api, ip, node_port)
    serving = {(node_port, Protocol.TCP): PortState.SERVING}
    await field.until(lambda: field.agent._proxier.states() == serving)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", node_port, local_addr=("127.66.0.7", 0)
    )
    assert await reader.read() == b"203.0.113.7"
    writer.close()
    (segment,) = field.agent.recorder.find(Query(outcome=Outcome.DELIVERED))[-1:]
    assert segment.origin.name == "203.0.113.7" and segment.endpoint["pod"] == "web"


async def test_a_node_port_that_somebody_else_holds_is_told_at_the_node(
    field: Field, node_port: int
) -> None:
    with socket.create_server(("127.0.0.1", node_port)):
        await _publish(field.api, "10.244.1.9", node_port)
        (told,) = await field.until(
            lambda: [e for e in field.api.of(EVENTS) if e["reason"] == "NodePortUnavailable"]
        )
    assert (told["type"], told["involvedObject"]["kind"]) == ("Warning", "Node")
    assert told["message"] == (
        f"Node port {node_port}/TCP of shop/web cannot be opened here: "
        "Address already in use; it is tried again"
    )


async def _publish(api: Any, ip: str, node_port: int) -> None:
    meta = {"namespace": "shop", "name": "web"}
    port = {"name": "main", "port": 80, "protocol": "TCP", "targetPort": 8080}
    spec = {
        "type": "NodePort",
        "externalTrafficPolicy": "Local",
        "clusterIP": "10.96.0.20",
        "clusterIPs": ["10.96.0.20"],
        "ports": [{**port, "nodePort": node_port}],
    }
    await api.put(SERVICES, {"metadata": meta, "spec": spec})
    endpoint = {"addresses": [ip], "conditions": {"ready": True}, "nodeName": "node-1"}
    labels = {"kubernetes.io/service-name": "web"}
    await api.put(
        ENDPOINT_SLICES,
        {
            "metadata": {**meta, "labels": labels},
            "addressType": "IPv4",
            "ports": [{"name": "main", "port": 8080, "protocol": "TCP"}],
            "endpoints": [endpoint],
        },
    )


async def test_the_end_of_an_agent_leaves_nothing(memory_api: Any, tmp_path: Path) -> None:
    path = list(sys.path)
    field = Field(memory_api, tmp_path)
    try:
        await field.start()
        await field.bind("web", "python://shop:serve")
        await field.running("web")
        tunnel = field.agent.addresses()["tunnel"]
        await field.agent.close()
    finally:
        sys.path[:] = path
    host, _, port = tunnel.rpartition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
    assert not field.config.socket.exists()
    assert field.agent.network.pods() == []


async def test_a_tunnel_port_that_is_taken_is_told(memory_api: Any, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        field_config = AgentConfig.parse(
            [
                *("--name", "node-1", "--bind", "127.0.0.1", "--internal-ip", "172.30.0.1"),
                *("--api", "unix:/nowhere", "--run-dir", str(tmp_path)),
                *("--cluster-key", "/nowhere", "--tunnel-port", str(port)),
            ]
        )
        with pytest.raises(OSError, match="in use"):
            Agent(field_config, KEY, memory_api, SystemClock())
