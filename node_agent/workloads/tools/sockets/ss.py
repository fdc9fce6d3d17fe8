"""`ss [-tulanHs] [FILTER]`, `netstat [-tulanpr]`, `route [-n]`"""

from node_agent.cni.pod_context import POD
from node_agent.workloads.tools.interfaces import ethernet, routes
from node_agent.workloads.tools.options import Options, UsageError, parse
from node_agent.workloads.tools.process import Failed, Process
from node_agent.workloads.tools.sockets.table import (
    BadFilter,
    Socket,
    filtered,
    netstat_routes,
    netstat_table,
    sockets,
    ss_table,
)

SS_LONG = (
    "tcp=t udp=u listening=l all=a numeric=n processes=p no-header=H summary=s ipv4=4 ipv6=6 "
    "resolve=r extended=e memory=m info=i options=o unix=x raw=w help=h oneline=O"
)
SS_USAGE = "\nUsage: ss [ OPTIONS ] [ FILTER ]\n   -t, -u, -l, -a, -n, -4, -H, -s"
NETSTAT_LONG = (
    "tcp=t udp=u listening=l all=a numeric=n programs=p route=r wide=W extend=e inet=4 interfaces=i"
)


def _all() -> list[Socket]:
    pod = POD.get()
    assert pod is not None, "tools run in a pod"
    return sockets(pod.listening(), pod.connections.names())


def _of_kind(found: list[Socket], options: Options) -> list[Socket]:
    """By -t and -u; with neither, both."""
    kinds = {name for letter, name in (("t", "tcp"), ("u", "udp")) if letter in options}
    other = options.any_of("xw") or ("6" in options and "4" not in options)
    return [each for each in found if each.protocol in kinds or not (kinds or other)]


async def ss(process: Process) -> int:
    """The pod's sockets in ss's columns."""
    try:
        options = parse(process.arguments, "tulanpHs46remioxwhO", SS_LONG, code=255)
    except UsageError as error:
        raise UsageError(f"{error}{SS_USAGE}", 255) from None
    found = _all()
    if "s" in options:
        await process.write(_summary(found))
        return 0
    named = "state" in options.operands
    if "6" in options and "4" not in options:
        found = []
    elif not named and "a" not in options:
        found = [each for each in found if each.listens == ("l" in options)]
    try:
        chosen = filtered(_of_kind(found, options), options.operands)
    except BadFilter:
        text = 'bison bellows (while parsing filter): "syntax error!" Sorry.'
        raise Failed(text, 255) from None
    kinds = sum(letter in options for letter in "tu")
    table = ss_table(
        chosen,
        netid=kinds != 1,
        state=not named,
        numeric="n" in options,
        header="H" not in options,
    )
    await process.write(table)
    return 0


def _summary(found: list[Socket]) -> str:
    tcp = [each for each in found if each.protocol == "tcp"]
    alive = sum(each.state == "ESTAB" for each in tcp)
    udp = len(found) - len(tcp)
    head = "Transport Total     IP        IPv6\n"
    rows = (("RAW", 0), ("UDP", udp), ("TCP", len(tcp)), ("INET", len(found)), ("FRAG", 0))
    table = "".join(f"{name:<9} {count:<9} {count:<9} {0:<9}\n" for name, count in rows)
    return (
        f"Total: {len(found)}\nTCP:   {len(tcp)} (estab {alive}, closed 0, orphaned 0, timewait 0)"
        f"\n\n{head}{table}\n"
    )


async def netstat(process: Process) -> int:
    """The pod's sockets in netstat's columns, or its routes."""
    options = parse(process.arguments, "tulanprWe46iNvw", NETSTAT_LONG)
    if "r" in options:
        return await route(process.fork(("route", "-n")))
    if "i" in options:
        raise UsageError("-i is not served here: ip -s link shows the interfaces")
    found = _of_kind(_all(), options)
    if "l" in options:
        found, what = [each for each in found if each.listens], "only servers"
    elif "a" in options:
        what = "servers and established"
    else:
        found, what = [each for each in found if not each.listens], "w/o servers"
    table = netstat_table(found, what=what, numeric="n" in options, programs="p" in options)
    await process.write(table)
    return 0


async def route(process: Process) -> int:
    """The pod's routes."""
    options = parse(process.arguments, "nevA:46")
    if options.operands:
        raise Failed("SIOCADDRT: Operation not permitted", 7)
    pod = POD.get()
    assert pod is not None, "tools run in a pod"
    host = pod.spec.host_network
    table = routes(ethernet(pod.ip, host_network=host), host_network=host)
    await process.write(netstat_routes(table))
    return 0
