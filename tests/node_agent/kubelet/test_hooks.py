"""Lifecycle hooks."""

import asyncio

import pytest

from node_agent.kubelet.hooks import hook_of, run_hook
from node_agent.kubelet.probe_calls import Target
from node_agent.workloads.workload import ExecResult

CONTAINER = {"name": "app", "lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}


@pytest.fixture
def target(network):
    async def execute(command):
        return ExecResult(0) if command == ("drain",) else ExecResult(3)

    return Target(network=network, ip="10.244.1.5", execute=execute)


def test_a_hook_is_found_by_its_name():
    assert hook_of(CONTAINER, "preStop") == {"sleep": {"seconds": 5}}
    assert hook_of(CONTAINER, "postStart") is None


async def test_the_built_in_sleep_is_scaled(target, field):
    """P-58."""
    clock = field.ManualClock(scale=0.1)
    hook = asyncio.create_task(run_hook({"sleep": {"seconds": 20}}, CONTAINER, target, clock))
    await clock.advance(1.9)
    assert not hook.done()
    await clock.advance(0.2)
    assert await hook == ""


async def test_an_exec_hook_fails_by_its_exit_code(target, clock):
    """P-57."""
    assert await run_hook({"exec": {"command": ["drain"]}}, CONTAINER, target, clock) == ""
    said = await run_hook({"exec": {"command": ["other"]}}, CONTAINER, target, clock)
    assert said == "exit code 3"


async def test_an_http_hook_fails_as_a_probe_would(target, clock, free_port):
    """P-57."""
    said = await run_hook({"httpGet": {"port": free_port}}, CONTAINER, target, clock)
    assert "connection refused" in said
