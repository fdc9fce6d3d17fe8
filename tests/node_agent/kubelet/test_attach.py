"""attach: what a container's program writes and reads, for as long as it runs."""

import asyncio
import json

import pytest

from cluster.objects.resources import PODS
from cluster.wire.channels import Channel, ChannelFrame
from node_agent.kubelet.attach import TAP_CHARS_MAX, Tap
from node_agent.kubelet.exec import exit_status

ATTACH = "/attach/shop/web/app?stdin=true&stdout=true&stderr=true"


@pytest.fixture
def started(kubelet, api, field):
    async def start(**container):
        document = {"name": "app", "image": "busybox", **container}
        pod = field.pod(containers=[document], restartPolicy="Never")
        kubelet.pods.pod_changed(None, api.put(PODS, pod))
        worker = kubelet.pods.find("shop", "web")
        await field.until(worker.runs.live)
        return worker.runs.live()[0]

    return start


async def attached(streams, run, field, target=ATTACH):
    channels = await streams(target)
    taps = len(run.log.taps)
    await channels.send(Channel.STATUS)
    await field.until(lambda: len(run.log.taps) > taps)
    return channels


async def receive(channels):
    async with asyncio.timeout(5):
        return await channels.receive()


async def test_input_goes_to_the_program_and_its_output_comes_back(started, streams, field):
    run = await started(command=["cat"], stdin=True, stdinOnce=True)
    channels = await attached(streams, run, field)
    await channels.send(Channel.STDIN, b"hello\n")
    assert await receive(channels) == ChannelFrame(Channel.STDOUT, b"hello\n")
    await channels.send(Channel.STDIN, end=True)
    last = await receive(channels)
    assert (last.channel, json.loads(last.data)) == (Channel.STATUS, exit_status(0))
    assert run.log.text() == "hello\n"  # and the log has it too


async def test_without_stdin_once_the_program_outlives_its_clients(started, streams, field):
    run = await started(command=["cat"], stdin=True)
    first = await attached(streams, run, field)
    await first.send(Channel.STDIN, end=True)
    first.abort()
    await field.until(lambda: not run.log.taps)
    second = await attached(streams, run, field)
    await second.send(Channel.STDIN, b"again\n")
    assert await receive(second) == ChannelFrame(Channel.STDOUT, b"again\n")


async def test_who_attaches_to_a_terminal_sees_the_prompt(started, streams, field):
    run = await started(command=["sh"], stdin=True, tty=True)
    await field.until(lambda: run.log.unfinished("stdout"))
    channels = await attached(streams, run, field)
    assert (await receive(channels)).data.endswith(b"# ")
    await channels.send(Channel.RESIZE, b'{"Width":123,"Height":40}')
    await field.until(lambda: run.program.ctx.window.columns == 123)


async def test_several_clients_hear_the_same(started, streams, field):
    run = await started(command=["sleep", "infinity"])
    both = [await attached(streams, run, field) for _ in range(2)]
    print("told", file=run.program.ctx.stderr)
    heard = [await receive(each) for each in both]
    assert b"".join(each.data for each in heard).count(b"told") == 2
    assert {each.channel for each in heard} == {Channel.STDERR}


async def test_input_to_a_container_without_stdin_goes_nowhere(started, streams, field):
    run = await started(command=["sleep", "infinity"])
    channels = await attached(streams, run, field)
    for _ in range(8):
        await channels.send(Channel.STDIN, bytes(65536))
    print("alive", file=run.program.ctx.stdout)
    assert (await receive(channels)).data.startswith(b"alive")


async def test_a_tap_is_bounded_and_says_that_it_ran_over():
    tap = Tap()
    tap.put("stdout", "x" * TAP_CHARS_MAX)
    tap.put("stdout", "y")
    assert await tap.get() == ("stdout", "x" * TAP_CHARS_MAX)
    assert await tap.get() is None


async def test_what_is_left_in_a_tap_is_told_at_the_end():
    tap = Tap()
    tap.put("stdout", "a")
    tap.put("stderr", "b")
    assert tap.rest() == [("stdout", "a"), ("stderr", "b")]
    assert tap.rest() == []
