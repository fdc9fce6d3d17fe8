"""The sockets of a pod, chosen and laid out as ss and netstat do.

Pure: values in, text out. Source: ss(8) of iproute2, netstat(8) of net-tools.
"""

import ipaddress
from collections.abc import Iterable, Sequence

from cluster.dataclass import dataclass
from node_agent.workloads.tools.interfaces import Route
from node_agent.workloads.tools.service_names import port_number, service_name

Address = tuple[str, int]
BACKLOG = 128
ANY: Address = ("0.0.0.0", 0)


@dataclass(frozen=True, slots=True, order=True)
class Socket:
    """One socket."""

    protocol: str  # "tcp" or "udp"
    state: str  # ss's: LISTEN, ESTAB, UNCONN
    own: Address
    peer: Address = ANY

    @property
    def listens(self) -> bool:
        """Whether -l shows it."""
        return self.state in ("LISTEN", "UNCONN")


def sockets(
    listening: Iterable[tuple[str, str, int]], connections: Iterable[tuple[Address, Address]]
) -> list[Socket]:
    """All of a pod's sockets."""
    found = [
        Socket(protocol.lower(), "LISTEN" if protocol == "TCP" else "UNCONN", (ip, port))
        for protocol, ip, port in listening
    ]
    found += [Socket("tcp", "ESTAB", own, peer) for own, peer in connections]
    return sorted(found)


class BadFilter(ValueError):
    """A filter that is not understood."""


STATES = {
    "established": {"ESTAB"},
    "listening": {"LISTEN"},
    "connected": {"ESTAB"},
    "all": {"ESTAB", "LISTEN", "UNCONN"},
    "unconnected": {"UNCONN"},
    "time-wait": set(),
    "close-wait": set(),
    "syn-sent": set(),
    "syn-recv": set(),
    "fin-wait-1": set(),
    "fin-wait-2": set(),
    "last-ack": set(),
    "closing": set(),
    "closed": {"UNCONN"},
}


def filtered(found: Sequence[Socket], words: Sequence[str]) -> list[Socket]:
    """ss's filters: `state NAME`, `sport = :80`, `dport = :http`, `src IP`, `dst IP[:PORT]`."""
    words = [each for each in words if each not in ("(", ")", "and")]
    kept = list(found)
    while words:
        match words:
            case ["state", name, *rest] if name in STATES:
                kept = [each for each in kept if each.state in STATES[name]]
            case [("sport" | "dport") as end, "=" | "==" | "eq", text, *rest]:
                port = port_number(text.rpartition(":")[2])
                if port is None:
                    raise BadFilter(text)
                kept = [each for each in kept if _end(each, end)[1] == port]
            case [("src" | "dst") as end, text, *rest]:
                kept = [each for each in kept if _matches(_end(each, end), text)]
            case _:
                raise BadFilter(words[0])
        words = rest
    return kept


def _end(each: Socket, name: str) -> Address:
    return each.own if name.startswith("s") else each.peer


def _matches(address: Address, text: str) -> bool:
    ip, _, port = text.partition(":")
    return ip in ("", address[0]) and port in ("", str(address[1]))


def _port(port: int, *, numeric: bool) -> str:
    if not port:
        return "*"
    name = service_name(port)
    return str(port) if numeric or name == "*" else name


def ss_table(
    found: Sequence[Socket], *, netid: bool, state: bool, numeric: bool, header: bool
) -> str:
    """ss's columns, as wide as what stands in them."""
    rows = [_ss_row(each, numeric) for each in found]
    heads = ("Netid", "State", "Recv-Q", "Send-Q", "Local Address", "Port", "Peer Address", "Port")
    counted = [heads, *rows] if header else rows
    widths = [max((len(row[index]) for row in counted), default=0) for index in range(8)]
    lines = [_ss_line(row, widths, netid, state, "") for row in rows]
    if header:
        lines.insert(0, _ss_line(heads, widths, netid, state, "Process").rstrip())
    return "".join(f"{line}\n" for line in lines)


def _ss_row(each: Socket, numeric: bool) -> tuple[str, ...]:
    queue = str(BACKLOG) if each.state == "LISTEN" else "0"
    own = (each.own[0], _port(each.own[1], numeric=numeric))
    peer = (each.peer[0], _port(each.peer[1], numeric=numeric))
    return (each.protocol, each.state, "0", queue, *own, *peer)


def _ss_line(
    row: Sequence[str], widths: Sequence[int], netid: bool, state: bool, process: str
) -> str:
    first = f"{row[0]:<{widths[0]}} " if netid else ""
    first += f"{row[1]:<{widths[1]}} " if state else ""
    queues = f"{row[2]:<{widths[2]}} {row[3]:<{widths[3]}} "
    own = f"{row[4]:>{widths[4]}}:{row[5]:<{widths[5]}} "
    peer = f"{row[6]:>{widths[6]}}:{row[7]:<{widths[7]}}"
    return f"{first}{queues}{own}{peer}{process:<7}"


NETSTAT_STATES = {"LISTEN": "LISTEN", "ESTAB": "ESTABLISHED", "UNCONN": ""}


def netstat_table(found: Sequence[Socket], *, what: str, numeric: bool, programs: bool) -> str:
    """netstat's columns; the program of a socket is not told ("-")."""
    text = f"Active Internet connections ({what})\n"
    text += "Proto Recv-Q Send-Q Local Address           Foreign Address         State      "
    text += " PID/Program name    \n" if programs else "\n"
    for each in found:
        own = f"{each.own[0]}:{_port(each.own[1], numeric=numeric)}"
        peer = f"{each.peer[0]}:{_port(each.peer[1], numeric=numeric)}"
        state = NETSTAT_STATES[each.state]
        text += f"{each.protocol:<5} {0:>6} {0:>6} {own:<23} {peer:<23} {state:<11}"
        text += f" {'-':<20}\n" if programs else "\n"
    return text


def netstat_routes(found: Sequence[Route]) -> str:
    """`netstat -rn`, and `route -n`."""
    text = "Kernel IP routing table\n"
    text += "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n"
    for each in found:
        target, mask = _target(each.target)
        gateway = each.gateway or "0.0.0.0"
        flags = "UG" if each.gateway else "U"
        text += f"{target:<15} {gateway:<15} {mask:<15} {flags:<8} 0 0          0 {each.device}\n"
    return text


def _target(text: str) -> tuple[str, str]:
    network = ipaddress.IPv4Network("0.0.0.0/0" if text == "default" else text)
    return str(network.network_address), str(network.netmask)
