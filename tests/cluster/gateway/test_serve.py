"""The gateway as a process: ready, asked over its sockets, gone without a trace."""

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cluster.aio.process import Lifecycle
from cluster.errors import ConfigError
from cluster.gateway import serve as serve_module
from cluster.gateway.config import GatewayConfig
from cluster.gateway.serve import serve


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    key = tmp_path / "cluster.key"
    key.write_bytes(bytes(range(32)))
    return ["--api", "unix:/nowhere", "--run-dir", str(tmp_path), "--cluster-key", str(key)]


@pytest.fixture
def empty_api(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An API that holds nothing."""
    world = build()

    class Client:
        @staticmethod
        @asynccontextmanager
        async def of(_: str, *, kubeconfig: Path | None = None) -> AsyncIterator[Any]:
            yield world.api

    def informer(_: Any, resource: Any, *, clock: Any) -> Any:
        world.informers[resource].synced.set()
        return world.informers[resource]

    monkeypatch.setattr(serve_module, "ApiClient", Client)
    monkeypatch.setattr(serve_module, "Informer", informer)


async def get(connector: aiohttp.BaseConnector, url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession(connector=connector) as session, session.get(url) as response:
        return response.status, await response.text()


async def test_it_serves_diagnostics_until_it_is_told_to_stop(
    empty_api: None, arguments: list[str], tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    config = GatewayConfig.parse([*arguments, "--status-port", "0", "--ready-fd", str(writing)])
    lifecycle = Lifecycle(config.process)
    serving = asyncio.ensure_future(serve(config, lifecycle))
    with os.fdopen(reading) as ready:
        facts = json.loads(await asyncio.to_thread(ready.readline))
    path = tmp_path / "gateway.sock"
    assert facts["ready"] and facts["diagnostics"] == f"unix:{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await get(aiohttp.UnixConnector(str(path)), "http://gateway/healthz") == (200, "ok")
    status = f"http://127.0.0.1:{facts['status_port']}/fronts"
    assert await get(aiohttp.TCPConnector(), status) == (200, "[]")
    lifecycle.stopping.set()
    await asyncio.wait_for(serving, 10)
    assert not path.exists()


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["--bind", "everywhere"], "everywhere"),
        (["--status-port", "70000"], "--status-port 70000 is not a port: 0 to 65535"),
        (["--outside-clients", "127.66.0.0/24"], "REAL-CIDR=EMULATED-CIDR"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(
    arguments: list[str], more: list[str], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        GatewayConfig.parse([*arguments, *more])


def test_a_key_that_is_none_is_refused(arguments: list[str], tmp_path: Path) -> None:
    config = GatewayConfig.parse(arguments)
    assert config.read_key() == bytes(range(32))
    config.cluster_key.write_bytes(b"short")
    with pytest.raises(ConfigError, match="has 5 bytes, not 32"):
        config.read_key()
    config.cluster_key.unlink()
    with pytest.raises(ConfigError, match="No such file"):
        config.read_key()
