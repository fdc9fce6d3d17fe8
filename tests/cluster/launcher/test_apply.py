"""Manifests handed to a cluster that somebody else starts."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.aio.process import Lifecycle, ProcessConfig
from cluster.client.interface import Listing
from cluster.errors import ConfigError
from cluster.launcher.apply import ASK_SECONDS, ApplyConfig, serve, served
from cluster.objects.resources import NODES, Resource


class Growing:
    """An API whose answers to `list` come one after the other; the last one stays.

    So many nodes are ready; one is not, and one is but for its taint.
    """

    def __init__(self, *answers: Exception | int) -> None:
        self._answers = list(answers)

    async def list(self, resource: Resource) -> Listing:
        assert resource == NODES
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        tainted = _node("True", {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"})
        other = _node("True", {"key": "dedicated", "value": "x", "effect": "NoSchedule"})
        ready = [other, *[_node("True")] * answer][:answer]
        return Listing([*ready, _node("False"), tainted], "1")


def _node(ready: str, *taints: dict[str, str]) -> dict[str, Any]:
    status = {"conditions": [{"type": "Ready", "status": ready}]}
    return {"metadata": {}, "spec": {"taints": list(taints)}, "status": status}


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


async def test_it_waits_for_the_api_and_for_the_nodes_and_says_each_reason_once(
    lifecycle: Lifecycle, caplog: pytest.LogCaptureFixture
) -> None:
    away = ConnectionError("no answer")
    api: Any = Growing(away, away, TimeoutError("too slow"), 0, 2, 2, 3)
    clock = ManualClock()
    with caplog.at_level(logging.INFO):
        assert await served(api, 3, lifecycle, clock)
    assert clock.elapsed == pytest.approx(6 * ASK_SECONDS)
    assert [record.getMessage().partition("reason=")[2] for record in caplog.records] == [
        "no answer",
        "too slow",
        "0 of 3 nodes are ready",
        "2 of 3 nodes are ready",
    ]


async def test_without_wishes_an_answer_is_enough(lifecycle: Lifecycle) -> None:
    api: Any = Growing(0)
    clock = ManualClock()
    assert await served(api, 0, lifecycle, clock)
    assert clock.elapsed == 0


async def test_it_stops_asking_when_told_to(lifecycle: Lifecycle) -> None:
    api: Any = Growing(ConnectionError("refused"))
    assert not await served(api, 0, lifecycle, ManualClock(lifecycle.stopping.set))


async def test_a_manifest_that_is_not_there_is_the_users_to_mend(
    lifecycle: Lifecycle, tmp_path: Path
) -> None:
    arguments = ["--api", "unix:/nowhere", str(tmp_path / "shop.yaml")]
    with pytest.raises(ConfigError, match=r"shop\.yaml cannot be read"):
        await serve(ApplyConfig.parse(arguments), lifecycle)


def test_the_command_line() -> None:
    api = ["--api", "https://control:6443", "--kubeconfig", "/k", "--await-files", "60"]
    config = ApplyConfig.parse([*api, "--await-nodes", "3", "a", "b"])
    assert config.manifests == (Path("a"), Path("b"))
    assert config.kubeconfig == Path("/k")
    assert config.await_nodes == 3
    assert config.process.await_files_seconds == 60
