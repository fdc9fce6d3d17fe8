"""`env`, `printenv`, `which`, `id`, `whoami`, `uname`, `tty`, `nproc`: what is around a command."""

import os

from node_agent.workloads.tools import running
from node_agent.workloads.tools.options import UsageError, parse
from node_agent.workloads.tools.process import Process
from node_agent.workloads.workload import EXIT_FAILED

EXIT_USAGE = 125


async def env(process: Process) -> int:
    """Tell the environment, or run a command in another one."""
    options = parse(
        process.arguments, "iu:0", "ignore-environment=i unset:=u null=0", mixed=False, code=125
    )
    environ = {} if "i" in options or options.operands[:1] == ("-",) else dict(process.environ)
    words = [each for each in options.operands if each != "-"]
    for name in options.values("u"):
        environ.pop(name, None)
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environ[name] = value
    if words:
        return await running.run(process.fork(words, environ=environ))
    end = "\0" if "0" in options else "\n"
    await process.write("".join(f"{name}={value}{end}" for name, value in environ.items()))
    return 0


async def printenv(process: Process) -> int:
    """Tell the values of variables."""
    names = parse(process.arguments, "0").operands
    if not names:
        return await env(process.fork(("env",)))
    known = [process.environ[name] for name in names if name in process.environ]
    await process.write("".join(f"{value}\n" for value in known))
    return 0 if len(known) == len(names) else EXIT_FAILED


async def which(process: Process) -> int:
    """Where commands are found."""
    status = 0
    for name in parse(process.arguments, "a").operands:
        try:
            path = running.which(process, name)
            running.files_of(process).stat(path)
        except (running.NotFound, OSError):
            status = EXIT_FAILED
        else:
            await process.write(path + "\n")
    return status


async def id_(process: Process) -> int:
    """Who runs this: root, in every container."""
    options = parse(process.arguments, "ugnGr", "user=u group=g name=n groups=G real=r")
    if options.any_of("ugG"):
        await process.write("root\n" if "n" in options else "0\n")
    else:
        await process.write("uid=0(root) gid=0(root) groups=0(root)\n")
    return 0


async def whoami(process: Process) -> int:
    """The user's name."""
    await process.write("root\n")
    return 0


async def uname(process: Process) -> int:
    """The system's name."""
    options = parse(
        process.arguments,
        "asnrvmpio",
        "all=a kernel-name=s nodename=n kernel-release=r kernel-version=v machine=m "
        "operating-system=o",
    )
    if options.operands:
        raise UsageError(f"extra operand '{options.operands[0]}'")
    system = os.uname()
    known = {
        "s": "Linux",
        "n": process.environ.get("HOSTNAME", process.ctx.pod_name),
        "r": system.release,
        "v": system.version,
        "m": system.machine,
        "o": "GNU/Linux",
    }
    chosen = known if "a" in options else {k: v for k, v in known.items() if k in options}
    await process.write(" ".join(chosen.values() or ["Linux"]) + "\n")
    return 0


async def tty(process: Process) -> int:
    """The terminal on standard input."""
    known = process.tty and process.stdin is process.terminal
    await process.write("/dev/pts/0\n" if known else "not a tty\n")
    return 0 if known else EXIT_FAILED


async def nproc(process: Process) -> int:
    """How many processors there are."""
    await process.write(f"{os.cpu_count() or 1}\n")
    return 0
