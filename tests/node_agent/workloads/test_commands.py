"""The few commands that containers know of themselves."""

import asyncio

import pytest

from node_agent.workloads import commands


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [
        (["true"], 0),
        (["/bin/true"], 0),
        ([":"], 0),
        (["false"], 1),
        (["sh", "-c", "false"], 1),
        (["/bin/bash", "-c", "/bin/true"], 0),
        (["sleep", "0"], 0),
    ],
)
async def test_the_exit_codes_of_a_shell(command, exit_code):
    assert (await commands.execute(command)).exit_code == exit_code


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (["pg_isready", "-q"], "pg_isready"),
        (["sh", "-c", "true && false"], "sh"),
        (["sh", "-c", "echo $HOME"], "sh"),
        (["sh", "-c", "unclosed 'quote"], "sh"),
        (["sleep", "soon"], "sleep"),
        (["sleep", "-1"], "sleep"),
        ([], ""),
    ],
)
async def test_what_is_not_held_is_not_found(command, missing):
    """A shell's 127; a shell itself is not there for more than one plain command."""
    result = await commands.execute(command)
    assert result.exit_code == 127
    assert result.output == f'exec: "{missing}": executable file not found in $PATH'


async def test_a_sleep_is_scaled():
    async with asyncio.timeout(5):
        assert (await commands.execute(["sleep", "3600"], scale=1e-9)).exit_code == 0


async def test_sleep_infinity_never_ends():
    asleep = asyncio.ensure_future(commands.execute(["sleep", "infinity"]))
    done, _ = await asyncio.wait({asleep}, timeout=0)
    assert not done
    asleep.cancel()


@pytest.mark.parametrize(
    ("command", "known"),
    [
        (["true"], True),
        (["sh", "-c", "sleep 5"], True),
        (["sh", "-c", "sleep 5; true"], False),
        (["nginx"], False),
        ([], False),
    ],
)
def test_what_is_known_can_be_asked(command, known):
    assert commands.known(command) is known
