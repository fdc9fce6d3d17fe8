"""`hostname`, `getent`: the pod's own name, and names by the pod's resolver."""

import asyncio
import socket
from typing import Any

from node_agent.cni.numeric import numeric
from node_agent.cni.pod_context import POD
from node_agent.workloads.tools.options import UsageError, parse
from node_agent.workloads.tools.process import Failed, Process
from node_agent.workloads.tools.running import files_of

HOSTS_BYTES_MAX = 1 << 20
EXIT_NOT_FOUND = 2


def own_name(hosts: str, ip: str, name: str) -> str:
    """The full name that /etc/hosts gives an address; `name` without one."""
    for line in hosts.splitlines():
        words = line.partition("#")[0].split()
        if len(words) > 1 and words[0] == ip and name in words[1:]:
            return words[1]
    return name


async def hostname(process: Process) -> int:
    """The pod's name, or its address."""
    long = "all-ip-addresses=I ip-address=i fqdn=f long=f short=s domain=d all-fqdns=A"
    options = parse(process.arguments, "IifsdAy", long)
    if options.operands:
        raise Failed("you must be root to change the host name")
    pod = POD.get()
    assert pod is not None, "tools run in a pod"
    name = pod.spec.hostname or process.ctx.pod_name
    hosts = files_of(process).read("/etc/hosts", HOSTS_BYTES_MAX).decode("utf-8", "replace")
    full = own_name(hosts, pod.ip, name)
    if "I" in options:
        text = f"{pod.ip} "
    elif "i" in options:
        text = pod.ip
    elif "d" in options:
        text = full.partition(".")[2]
    elif options.any_of("fA"):
        text = full
    else:
        text = name.partition(".")[0] if "s" in options else name
    await process.write(f"{text}\n")
    return 0


async def getent(process: Process) -> int:
    """`getent hosts NAME...`, `getent ahosts NAME`; and the files of users and groups."""
    operands = parse(process.arguments, "s:i").operands
    if not operands:
        raise UsageError("wrong number of arguments")
    database, keys = operands[0], operands[1:]
    if database in ("hosts", "ahosts", "ahostsv4"):
        found = [await _looked_up(database, key) for key in keys]
        await process.write("".join(found))
        return 0 if all(found) else EXIT_NOT_FOUND
    if database in ("passwd", "group", "services"):
        return await _file(process, database, keys)
    raise Failed(f"Unknown database: {database}")


async def _file(process: Process, database: str, keys: tuple[str, ...]) -> int:
    text = files_of(process).read(f"/etc/{database}", HOSTS_BYTES_MAX).decode("utf-8", "replace")
    lines = text.splitlines(keepends=True)
    chosen = [line for line in lines if not keys or line.replace(":", " ").split()[0] in keys]
    await process.write("".join(chosen))
    return 0 if chosen else EXIT_NOT_FOUND


async def _looked_up(database: str, key: str) -> str:
    loop, pod = asyncio.get_running_loop(), POD.get()
    assert pod is not None, "tools run in a pod"
    try:
        if numeric(key):
            name, _ = await loop.getnameinfo((key, 0), socket.NI_NAMEREQD)
            return f"{key:<15} {name}\n"
        found = await loop.getaddrinfo(key, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return ""
    addresses = [str(each[4][0]) for each in found]
    if database == "hosts":
        return "".join(
            f"{ip:<15} {canonical(pod.names.resolved(ip), ip, key)}\n" for ip in addresses
        )
    kinds = ("STREAM", "DGRAM", "RAW")
    return "".join(
        f"{ip:<15} {kind:<6} {key if kind == 'STREAM' else ''}\n"
        for ip in addresses
        for kind in kinds
    )


def canonical(resolved: dict[str, Any] | None, ip: str, asked: str) -> str:
    """The full name that led to an address, of the queries that a resolution took."""
    queries = resolved["queries"] if resolved and resolved["name"] == asked else ()
    return next((str(each["name"]) for each in queries if ip in each["answers"]), asked)
