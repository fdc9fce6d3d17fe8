"""The same application outside the cluster: plain aiohttp on uvloop, on 127.0.0.1.

python -m tests.benchmarks.direct        prints its port, serves until its input ends
"""

import asyncio
import sys

import uvloop
from aiohttp import web


async def serve() -> None:
    """Serve the shop's frontend."""
    from shop.frontend import app

    runner = web.AppRunner(app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(serve())
