"""A tool as a container's program."""

import asyncio
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


async def test_it_begins_when_its_one_client_is_there(pods, monkeypatch):
    monkeypatch.setattr(tool, "ATTACH_SECONDS", 60.0)
    runs, attached = Runs(), asyncio.Event()
    once = {"stdin": True, "stdinOnce": True}
    started = pods.start(
        tool, "echo", commands=runs, stdin=Pipe(), container=once, attached=attached
    )
    for _ in range(20):
        await asyncio.sleep(0)
    assert runs.asked is None
    attached.set()
    assert await started.exit_code() == 3


async def test_it_begins_without_a_client_after_a_moment(pods, monkeypatch):
    monkeypatch.setattr(tool, "ATTACH_SECONDS", 0.0)
    runs = Runs()
    once = {"stdin": True, "stdinOnce": True}
    assert (
        await pods.start(tool, "echo", commands=runs, stdin=Pipe(), container=once).exit_code() == 3
    )
