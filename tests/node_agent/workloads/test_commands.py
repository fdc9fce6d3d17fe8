"""Which commands a container can run, and what probes get of them."""

import io

import pytest

from node_agent.workloads import commands
from node_agent.workloads.workload import ContainerContext, ExecResult


class Echoing:
    """Runs every command by saying it."""

    async def run(self, command, *, stdin, stdout, stderr):
        assert await stdin.read() == b""
        await stdout.write(" ".join(command).encode())
        await stderr.write(b"!")
        return 3


def context(runs=None):
    return ContainerContext(
        pod={}, container={}, stdout=io.StringIO(), stderr=io.StringIO(), commands=runs
    )


async def test_a_probe_gets_the_exit_code_and_all_that_was_said():
    ctx = context(Echoing())
    assert await commands.execute(ctx, ["cat", "/x"]) == ExecResult(3, "cat /x!")


@pytest.mark.parametrize(("command", "missing"), [(["pg_isready", "-q"], "pg_isready"), ([], "")])
async def test_where_nothing_can_run_nothing_is_found(command, missing):
    result = await commands.execute(context(), command)
    assert result.exit_code == 127
    assert result.output == f'exec: "{missing}": executable file not found in $PATH'


@pytest.mark.parametrize(
    ("command", "claim"),
    [
        (["true"], True),
        (["/bin/false"], True),
        (["sh", "-c", "sleep 5"], True),
        (["sh", "-c", "sleep 5; true && exit 1"], True),
        (["/bin/bash", "-ec", "exit 3"], True),
        (["cat", "/tmp/healthy"], False),
        (["sh", "-c", "true && pg_isready"], False),
        (["sh", "-c", "$CHECK"], False),
        (["sh", "-c", "unclosed 'quote"], False),
        (["sh", "/check.sh"], False),
        (["nginx"], False),
        ([], False),
    ],
)
def test_a_probe_that_asks_for_nothing_of_the_programs_is_run_in_a_stand_in(command, claim):
    assert commands.independent(command) is claim


@pytest.mark.parametrize(
    ("image", "command", "args", "words"),
    [
        ("busybox", [], [], ("sh",)),
        ("busybox:1.36", [], ["echo", "hi"], ("echo", "hi")),
        ("docker.io/library/alpine:3", ["sleep"], ["60"], ("sleep", "60")),
        ("busybox", ["no-such-thing"], [], ("no-such-thing",)),
        ("curlimages/curl", [], ["-s", "http://web"], ("curl", "-s", "http://web")),
        ("curlimages/curl:8", [], ["sh", "-c", "true"], ("sh", "-c", "true")),
        ("nicolaka/netshoot", [], [], ("sh",)),
        (
            "registry.example/shop",
            ["sh", "-c"],
            ["echo 1; sleep 1"],
            ("sh", "-c", "echo 1; sleep 1"),
        ),
        ("registry.example/shop:1", ["sh", "-c", "exec ./server --port 80"], [], None),
        ("registry.example/shop:1", [], ["serve"], None),
        ("nginx", [], [], None),
    ],
)
def test_tools_are_the_program_where_the_image_or_the_command_says_so(image, command, args, words):
    """An unknown image stays a stand-in where its command is a program that nobody has."""
    assert commands.program(image, command, args) == words
