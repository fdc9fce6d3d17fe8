"""A launcher with two children, one of which only SIGKILL ends: prints the pids, and stays."""

import asyncio
import sys

from cluster.launcher.commands import Command
from cluster.launcher.supervisor import Supervisor
from cluster.launcher.zygote import fork_zygote


async def stay(sock, zygote):
    supervisor = Supervisor(sock)
    for mode in ("serve", "stubborn"):
        supervisor.add(Command(mode, "child", (mode,)))
        supervisor.start(mode)
    pids = [(await supervisor.ready(mode)).pid for mode in ("serve", "stubborn")]
    print(zygote, *pids, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    forked = fork_zygote("test", ahead="", modules=(), stop_seconds=float(sys.argv[1]))
    asyncio.run(stay(*forked))
