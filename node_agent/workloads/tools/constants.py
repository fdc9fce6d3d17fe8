"""`true`, `false`, `yes`, `clear`."""

import asyncio

from node_agent.workloads.tools.process import Process

YES_LINES = 512


async def true(process: Process) -> int:
    """Succeed."""
    return 0


async def false(process: Process) -> int:
    """Fail."""
    return 1


async def yes(process: Process) -> int:
    """Say the same line for ever."""
    line = (" ".join(process.arguments) or "y").encode() + b"\n"
    while True:
        await process.write(line * YES_LINES)
        await asyncio.sleep(0)  # whoever reads may be /dev/null, which never waits


async def clear(process: Process) -> int:
    """Clear the screen."""
    await process.write("\x1b[H\x1b[2J")
    return 0
