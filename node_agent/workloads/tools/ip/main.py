"""`ip [-4] [-6] [-br] [-o] [-j] OBJECT [COMMAND]`"""

from collections.abc import Sequence

from node_agent.cni.pod_context import POD
from node_agent.workloads.tools.interfaces import Interface, interfaces, routes
from node_agent.workloads.tools.ip import report
from node_agent.workloads.tools.process import Process

EXIT_USAGE, EXIT_REFUSED = 1, 2
USAGE = """Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { address | link | neighbour | route | rule }
       OPTIONS := { -4 | -6 | -br[ief] | -o[neline] | -j[son] | -c[olor] | -V[ersion] }
"""
OBJECTS = ("address", "link", "neighbour", "neighbor", "route", "rule")
SHOWS = ("show", "list", "lst", "ls")
CHANGES = (
    "add", "append", "change", "del", "delete", "flush", "replace", "restore", "save", "set",
)  # fmt: skip
OPTIONS = {"-4": "4", "-6": "6", "-br": "brief", "-brief": "brief", "-o": "oneline",
           "-oneline": "oneline", "-j": "json", "-json": "json", "-p": "", "-pretty": "", "-c": "",
           "-color": "", "-d": "", "-details": "", "-s": "", "-N": "", "-h": ""}  # fmt: skip


class _Error(Exception):
    def __init__(self, text: str, code: int = EXIT_USAGE) -> None:
        super().__init__(text)
        self.code = code


async def run(process: Process) -> int:
    """Tell the pod's addresses, links or routes; what would change them is not permitted."""
    words, options = list(process.arguments), set()
    try:
        while words and words[0].startswith("-"):
            word = words.pop(0)
            if word in ("-V", "-Version"):
                await process.write("ip utility, kubehop\n")
                return 0
            if word not in OPTIONS:
                raise _Error(f'Option "{word}" is unknown, try "ip -help".', 255)
            options.add(OPTIONS[word])
        if not words or words == ["help"]:
            raise _Error(USAGE.rstrip("\n"), 0 if words else 255)
        text = _said(words, options)
    except _Error as error:
        await process.stderr.write(f"{error}\n".encode())
        return error.code
    await process.write(text)
    return 0


def _said(words: Sequence[str], options: set[str]) -> str:
    name = next((each for each in OBJECTS if each.startswith(words[0])), "")
    if not name:
        raise _Error(f'Object "{words[0]}" is unknown, try "ip help".')
    rest = list(words[1:])
    if rest and any(change.startswith(rest[0]) for change in CHANGES) and rest[0] not in ("s",):
        raise _Error("RTNETLINK answers: Operation not permitted", EXIT_REFUSED)
    pod = POD.get()
    assert pod is not None, "tools run in a pod"
    host = pod.spec.host_network
    found = interfaces(pod.ip, host_network=host)
    if name == "route":
        return _routes(rest, found[1], options, host)
    if name == "rule":
        return report.RULES
    if name.startswith("neigh"):
        return ""
    return _interfaces(name, _shown(rest, found), options)


def _shown(rest: list[str], found: Sequence[Interface]) -> Sequence[Interface]:
    """The interfaces that the rest of the words means."""
    if rest and any(show.startswith(rest[0]) for show in SHOWS):
        rest = rest[1:]
    if rest[:1] == ["dev"]:
        rest = rest[1:]
    if not rest or rest[0] in ("up", "scope", "type"):
        wanted = rest[1] if rest[:1] == ["scope"] and len(rest) > 1 else ""
        return [each for each in found if wanted in ("", each.scope)]
    chosen = [each for each in found if each.name == rest[0]]
    if not chosen:
        raise _Error(f'Device "{rest[0]}" does not exist.')
    return chosen


def _interfaces(name: str, found: Sequence[Interface], options: set[str]) -> str:
    family = 6 if "6" in options else 4 if "4" in options else 0
    if "json" in options:
        return report.json_addresses(found, with_addresses=name == "address")
    if name == "link":
        return report.brief_links(found) if "brief" in options else report.links(found)
    if "brief" in options:
        return report.brief_addresses(found, family=family)
    if "oneline" in options:
        return report.one_line_addresses(found, family=family)
    return report.addresses(found, family=family)


def _routes(rest: list[str], link: Interface, options: set[str], host: bool) -> str:
    table = routes(link, host_network=host)
    if "6" in options:
        return ""
    if rest[:1] in (["get"], ["g"]):
        words = [each for each in rest[1:] if each != "to"]
        if not words:
            raise _Error("need at least a destination address")
        try:
            return report.route_get(words[0], link, table)
        except ValueError:
            text = f'Error: any valid prefix is expected rather than "{words[0]}".'
            raise _Error(text) from None
    if rest and any(show.startswith(rest[0]) for show in SHOWS):
        rest = rest[1:]
    if rest == ["default"]:
        table = table[:1]
    elif rest and rest[0] not in ("dev", "table"):
        raise _Error(f'Error: "{rest[0]}" is no command or filter that is served here.')
    return report.route_lines(table)
