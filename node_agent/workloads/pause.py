"""Workloads `pause` and `sleep`: wait for SIGTERM, or for the seconds given (`sleep 5`)."""

import asyncio

from node_agent.workloads.workload import ContainerContext


async def run(ctx: ContainerContext) -> int:
    """Do nothing, for as long as is asked."""
    seconds = next(
        (float(word) for word in ctx.words if word.replace(".", "", 1).isdecimal()), None
    )
    try:
        async with asyncio.timeout(seconds):
            await ctx.until_terminated()
    except TimeoutError:
        pass  # slept well
    return 0
