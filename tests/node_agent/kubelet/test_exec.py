"""exec: a command's streams on channels, its exit code as a Status, its end with its client."""

import asyncio
import json

import pytest

from cluster.objects.resources import PODS
from cluster.wire.channels import Channel
from node_agent.kubelet.exec import exit_status, resize
from node_agent.workloads.tools.process import Window

EXEC = "/exec/shop/web/app?stdin=true&stdout=true&stderr=true"
BOX = {"name": "app", "image": "busybox", "command": ["sleep", "infinity"]}


@pytest.fixture
async def run(kubelet, api, field):
    """The running container of the pod shop/web."""
    kubelet.pods.pod_changed(None, api.put(PODS, field.pod(containers=[BOX])))
    worker = kubelet.pods.find("shop", "web")
    await field.until(worker.runs.live)
    (live,) = worker.runs.live()
    return live


async def finished(channels):
    """What was written on each channel, and the Status at the end."""
    said = {Channel.STDOUT: b"", Channel.STDERR: b""}
    async with asyncio.timeout(5):
        while (frame := await channels.receive()) is not None:
            if frame.channel is Channel.STATUS:
                return said[Channel.STDOUT], said[Channel.STDERR], json.loads(frame.data)
            said[frame.channel] += frame.data
    raise AssertionError("the channels ended without a Status")


async def test_output_errors_and_the_exit_code(run, streams):
    words = "&command=sh&command=-c&command=echo+out;+echo+err+>%262;+exit+3"
    channels = await streams(EXEC + words)
    await channels.send(Channel.STATUS)
    out, err, status = await finished(channels)
    assert (out, err) == (b"out\n", b"err\n")
    assert status == exit_status(3)
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]
    assert await channels.receive() is None


async def test_input_ends_as_the_client_says(run, streams):
    channels = await streams(EXEC + "&command=cat")
    await channels.send(Channel.STATUS)
    await channels.send(Channel.STDIN, b"typed")
    await channels.send(Channel.STDIN, end=True)
    assert await finished(channels) == (b"typed", b"", exit_status(0))


async def test_without_input_a_command_reads_the_end_at_once(run, streams):
    channels = await streams("/exec/shop/web/app?stdout=true&command=cat")
    await channels.send(Channel.STATUS)
    assert await finished(channels) == (b"", b"", exit_status(0))


async def test_nothing_runs_before_the_client_begins(run, streams, field):
    channels = await streams(EXEC + "&command=cat")
    await field.turns()
    assert run.commands.table.all() == run.commands.table.all()[:1]  # the container's own
    await channels.send(Channel.STATUS)
    await field.until(lambda: len(run.commands.table.all()) == 2)


async def test_the_clients_going_ends_the_command(run, streams, field):
    channels = await streams(EXEC + "&command=cat")
    await channels.send(Channel.STATUS)
    await field.until(lambda: len(run.commands.table.all()) == 2)
    channels.abort()
    await field.until(lambda: len(run.commands.table.all()) == 1)


async def test_the_containers_end_ends_its_commands(run, streams, field):
    channels = await streams(EXEC + "&command=cat")
    await channels.send(Channel.STATUS)
    await field.until(lambda: len(run.commands.table.all()) == 2)
    run.program.kill()
    _, _, status = await finished(channels)
    assert status == exit_status(137)


async def test_a_terminal_echoes_and_has_one_screen(run, streams):
    channels = await streams(EXEC + "&tty=true&command=cat")
    await channels.send(Channel.STATUS)
    await channels.send(Channel.RESIZE, b'{"Width":123,"Height":40}')
    await channels.send(Channel.STDIN, b"hi\r\x04")
    out, err, status = await finished(channels)
    assert (out, err, status) == (b"hi\r\nhi\r\n", b"", exit_status(0))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"Width":123,"Height":40}', (123, 40)),
        (b'{"Width":0,"Height":40}', (80, 24)),
        (b'{"Width":99999999,"Height":1}', (80, 24)),
        (b'{"Width":"wide"}', (80, 24)),
        (b"[]", (80, 24)),
        (b"\xff", (80, 24)),
    ],
)
def test_a_window_takes_a_size_and_nothing_else(data, expected):
    window = Window()
    resize(window, data)
    assert (window.columns, window.rows) == expected
