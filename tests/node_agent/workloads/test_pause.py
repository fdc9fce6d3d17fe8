"""Workloads `pause` and `sleep`."""

import pytest

from node_agent.workloads import pause


async def test_it_waits_for_sigterm(pods):
    started = pods.start(pause)
    assert await started.end() == 0


@pytest.mark.parametrize("words", [("0",), ("sleep", "0.001")])
async def test_it_sleeps_for_as_long_as_is_asked(pods, words):
    assert await pods.start(pause, *words).exit_code() == 0
