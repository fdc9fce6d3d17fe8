"""What a program finds around it is its container's, and nobody else's."""

import asyncio
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from node_agent.workloads import surroundings


def module(run):
    return SimpleNamespace(run=run)


@contextmanager
def installed() -> Iterator[None]:
    """Inside of a test: between its phases pytest puts its own sys.stdout back."""
    undo = surroundings.install(asyncio.get_running_loop())
    try:
        yield
    finally:
        undo()


async def test_print_goes_to_the_containers_log(pods, capsys):
    async def run(ctx):
        print("out")
        print("err", file=sys.stderr)
        sys.stdout.buffer.write(b"bytes\n")
        sys.stdout.flush()
        return 0

    with installed():
        started = pods.start(module(run))
        assert await started.exit_code() == 0
        assert started.log.text() == "out\nerr\nbytes\n"
        print("the node's own")
    assert capsys.readouterr().out == "the node's own\n"


async def test_two_containers_do_not_share_their_output(pods):
    async def run(ctx):
        print(ctx.env["NAME"])
        await asyncio.sleep(0)
        print(ctx.env["NAME"])
        return 0

    with installed():
        one, two = (pods.start(module(run), env={"NAME": name}) for name in ("one", "two"))
        await one.exit_code(), await two.exit_code()
    assert (one.log.text(), two.log.text()) == ("one\none\n", "two\ntwo\n")


async def test_the_environment_is_the_containers(pods, monkeypatch):
    monkeypatch.setenv("OF_THE_NODE", "yes")

    async def run(ctx):
        assert os.environ["CART"] == os.getenv("CART") == "http://cart"
        assert "OF_THE_NODE" not in os.environ
        os.environ["ADDED"] = "1"
        del os.environ["CART"]
        assert dict(os.environ) == {"HOSTNAME": "web-1", "ADDED": "1"}
        assert os.environ.copy() | {"a": "b"} == {"a": "b"} | os.environ | {"a": "b"}
        return 0

    started = pods.start(module(run), env={"CART": "http://cart"})
    assert await started.exit_code() == 0, started.log.text()
    assert "ADDED" not in os.environ and os.environ["OF_THE_NODE"] == "yes"


async def test_logging_goes_to_the_containers_standard_error(pods, caplog):
    async def run(ctx):
        logging.getLogger("shop.cart").warning("three left")
        logging.getLogger("cluster.aio").warning("of the node")
        return 0

    started = pods.start(module(run))
    await started.exit_code()
    assert started.log.text() == "WARNING:shop.cart:three left\n"


async def test_a_task_that_failed_unseen_is_told_in_the_containers_log(pods):
    async def run(ctx):
        async def forgotten():
            raise ValueError("nobody awaits me")

        task = asyncio.create_task(forgotten())
        await asyncio.wait({task})
        del task
        await asyncio.sleep(0)
        return 0

    started = pods.start(module(run))
    await started.exit_code()
    assert "ValueError: nobody awaits me" in started.log.text()


async def test_a_callback_that_fails_is_told_there_too(pods):
    async def run(ctx):
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return 0

    started = pods.start(module(run))
    await started.exit_code()
    assert "ZeroDivisionError" in started.log.text()


async def test_what_fails_outside_of_containers_is_the_nodes(pods, caplog):
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_streams_answer_as_files_that_are_no_terminal(pods, stream):
    async def run(ctx):
        file = getattr(sys, stream)
        assert file.writable() and not file.isatty() and file.encoding == "utf-8"
        return 0

    with installed():
        started = pods.start(module(run))
        assert await started.exit_code() == 0, started.log.text()
