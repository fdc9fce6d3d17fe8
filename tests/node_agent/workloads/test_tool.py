"""A tool as a container's program."""

from types import SimpleNamespace

from node_agent.workloads import tool
from node_agent.workloads.tools.process import Pipe


class Runs:
    def __init__(self):
        self.asked = None

    async def run(self, command, **options):
        self.asked = command, options
        await options["stdout"].write("grüße\n".encode())
        await options["stderr"].write(b"err\n")
        return 3


async def test_it_writes_to_the_log_and_its_code_is_the_containers(pods):
    runs = Runs()
    started = pods.start(tool, "sh", "-c", "x", container={"tty": True}, commands=runs)
    assert await started.exit_code() == 3
    assert started.log.text() == "grüße\nerr\n"
    command, options = runs.asked
    assert command == ("sh", "-c", "x")
    assert options["main"] and options["tty"]
    assert await options["stdin"].read() == b""


async def test_it_reads_what_is_attached(pods):
    runs, pipe = Runs(), Pipe()
    await pods.start(tool, "cat", commands=runs, stdin=pipe).exit_code()
    assert runs.asked[1]["stdin"] is pipe


async def test_without_commands_nothing_is_found():
    ctx = SimpleNamespace(commands=None, stdin=None)
    assert await tool.run(ctx) == 127
