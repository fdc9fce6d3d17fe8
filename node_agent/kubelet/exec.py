"""exec: one command in a container, its streams on channels, its end as a Status.

Input waits in a bounded pipe for the command; output waits for the client. The client's going
cancels the command, and the container's end does, too.
"""

import contextlib
import json
from collections.abc import Sequence
from typing import Any

from cluster.aio.channels import Channels
from cluster.aio.first import first_of
from cluster.wire.channels import Channel, ChannelFrame
from node_agent.kubelet.runtime import ContainerRun
from node_agent.workloads.tools.process import Pipe, Window

SIDE_MAX = 0xFFFF  # columns or rows: what an unsigned short holds


class ChannelOutput:
    """Output of a command, to a channel."""

    def __init__(self, channels: Channels, channel: Channel, *, isatty: bool) -> None:
        self.isatty = isatty
        self._channels = channels
        self._channel = channel

    async def write(self, data: bytes) -> None:
        """Send it; BrokenPipeError when the client is gone."""
        try:
            await self._channels.send(self._channel, data)
        except ConnectionError as error:
            raise BrokenPipeError("the client of the command is gone") from error


async def executed(
    channels: Channels, run: ContainerRun, command: Sequence[str], *, stdin: bool, tty: bool
) -> None:
    """Run a command and tell how it ended."""
    keyboard, window = Pipe(), Window()
    if not stdin:
        keyboard.close_write()
    outputs = [
        ChannelOutput(channels, channel, isatty=tty) for channel in (Channel.STDOUT, Channel.STDERR)
    ]

    async def work() -> None:
        code = await run.commands.run(
            command, stdin=keyboard, stdout=outputs[0], stderr=outputs[1], tty=tty, resize=window
        )
        keyboard.close_read()
        await channels.send(Channel.STATUS, json.dumps(exit_status(code)).encode())

    await first_of(work(), receive_input(channels, keyboard, window))


async def receive_input(channels: Channels, keyboard: Pipe, window: Window) -> None:
    """Take what the client sends; return when it is gone."""
    while (frame := await channels.receive()) is not None:
        if frame.channel is Channel.RESIZE:
            resize(window, frame.data)
        elif frame.channel is Channel.STDIN:
            await _type(keyboard, frame)


async def _type(keyboard: Pipe, frame: ChannelFrame) -> None:
    if frame.end:
        keyboard.close_write()
        return
    with contextlib.suppress(BrokenPipeError):  # the command reads no more
        await keyboard.write(frame.data)


def resize(window: Window, data: bytes) -> None:
    """Set a window to the size that a client tells; what is no size changes nothing."""
    try:
        size = json.loads(data)
        columns, rows = int(size["Width"]), int(size["Height"])
    except (ValueError, KeyError, TypeError):
        return
    if 0 < columns <= SIDE_MAX and 0 < rows <= SIDE_MAX:
        window.columns, window.rows = columns, rows


def exit_status(code: int) -> dict[str, Any]:
    """How a command ended, as clients read it (metav1.Status)."""
    status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}}
    if code == 0:
        return {**status, "status": "Success"}
    return {
        **status,
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failure_status(message: str) -> dict[str, Any]:
    """Why streams ended that nobody meant to end."""
    status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}}
    return {
        **status,
        "status": "Failure",
        "message": message,
        "reason": "InternalError",
        "code": 500,
    }
