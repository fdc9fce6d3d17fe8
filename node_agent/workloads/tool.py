"""Workload `tool`: the container's command is a tool or a script, and that is its program.

    kubectl run x --image=busybox -- sh -c 'echo hi; sleep 1'

It reads what is attached, writes to the container's log, and its exit code is the container's. An
image without a command runs what such an image runs by itself (`images.DEFAULT_COMMANDS`).
"""

import asyncio
from contextlib import suppress

from node_agent.workloads.tools.process import Bytes, Input
from node_agent.workloads.workload import EXIT_NOT_FOUND, ContainerContext

ATTACH_SECONDS = 1.0


class LogOutput:
    """A stream of the container's log."""

    isatty = False

    def __init__(self, stream: object) -> None:
        self._stream = stream

    async def write(self, data: bytes) -> None:
        await asyncio.sleep(0)  # a log never is full: others get their turn
        self._stream.buffer.write(data)  # type: ignore[attr-defined]


async def _until_attached(ctx: ContainerContext) -> None:
    """Wait a moment for the one client that `kubectl run -i` is about to send.

    A program here begins within a millisecond of its container, where a real one takes longer than
    the client: without this, most of `kubectl run --rm -i ... -- echo hi` would be over unheard.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(ATTACH_SECONDS):
            await ctx.attached.wait()


async def run(ctx: ContainerContext) -> int:
    """Run the command to its end."""
    if ctx.commands is None:
        return EXIT_NOT_FOUND
    stdin: Input = ctx.stdin if ctx.stdin is not None else Bytes()
    if ctx.stdin is not None and ctx.container.get("stdinOnce"):
        await _until_attached(ctx)
    return int(
        await ctx.commands.run(
            ctx.words,
            stdin=stdin,
            stdout=LogOutput(ctx.stdout),
            stderr=LogOutput(ctx.stderr),
            tty=bool(ctx.container.get("tty")),
            resize=ctx.window,
            main=True,
        )
    )
