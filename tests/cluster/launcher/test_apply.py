"""Manifests handed to a cluster that somebody else starts."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.aio.process import Lifecycle, ProcessConfig
from cluster.client.interface import Document
from cluster.errors import ConfigError
from cluster.launcher.apply import ApplyConfig, apply_when_served, serve
from cluster.launcher.manifests import parse_manifests
from cluster.objects.resources import Resource

SHOP = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
"""


class AwayAtFirst:
    """An API that does not answer its first calls."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.created: list[str] = []

    async def call(self, method: str, path: str) -> Any:
        assert (method, path) == ("GET", "/api/v1")
        if self._failures:
            raise self._failures.pop(0)
        return {"resources": [{"name": "namespaces", "kind": "Namespace", "namespaced": False}]}

    async def create(self, resource: Resource, document: Document) -> Document:
        assert resource.plural == "namespaces"
        self.created.append(document["metadata"]["name"])
        return document


class ManualClock:
    scale = 1.0

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.elapsed = 0.0
        self._meanwhile = meanwhile

    def now(self) -> float:
        return self.elapsed

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.elapsed += seconds
        self._meanwhile()


@pytest.fixture
def lifecycle() -> Lifecycle:
    return Lifecycle(ProcessConfig(title="kubehop apply"))


async def test_an_api_that_is_away_is_asked_until_it_answers(
    lifecycle: Lifecycle, caplog: pytest.LogCaptureFixture
) -> None:
    api: Any = AwayAtFirst(ConnectionError("refused"), TimeoutError("no answer"))
    clock = ManualClock()
    with caplog.at_level(logging.INFO):
        await apply_when_served(api, parse_manifests(SHOP), lifecycle, clock)
    assert api.created == ["shop"]
    assert clock.elapsed == 1.0
    assert [record.getMessage() for record in caplog.records] == [
        "waiting for the API error=refused",
        "applied Namespace shop created",
        "ready applied=1",
    ]


async def test_it_stops_asking_when_told_to(lifecycle: Lifecycle) -> None:
    api: Any = AwayAtFirst(*[ConnectionError("refused")] * 5)
    await apply_when_served(
        api, parse_manifests(SHOP), lifecycle, ManualClock(lifecycle.stopping.set)
    )
    assert api.created == []


async def test_a_manifest_that_is_not_there_is_the_users_to_mend(
    lifecycle: Lifecycle, tmp_path: Path
) -> None:
    arguments = ["--api", "unix:/nowhere", str(tmp_path / "shop.yaml")]
    with pytest.raises(ConfigError, match=r"shop\.yaml cannot be read"):
        await serve(ApplyConfig.parse(arguments), lifecycle)


def test_the_command_line(tmp_path: Path) -> None:
    config = ApplyConfig.parse(
        ["--api", "https://control:6443", "--kubeconfig", "/k", "--await-files", "60", "a", "b"]
    )
    assert config.manifests == (Path("a"), Path("b"))
    assert config.kubeconfig == Path("/k")
    assert config.process.await_files_seconds == 60
