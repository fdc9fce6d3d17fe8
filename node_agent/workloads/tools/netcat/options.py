"""nc's command line and messages.

Pure: words in, values out. Source: nc(1) of OpenBSD.
"""

from collections.abc import Sequence

from cluster.dataclass import dataclass
from node_agent.workloads.tools.options import UsageError, parse
from node_agent.workloads.tools.service_names import port_number, service_name

USAGE = "usage: nc [-46hklNnuvz] [-p source_port] [-w timeout] [destination] [port]"
REFUSED = "cCDFPSTUXxebdtMmOoVWZsIi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was given."""

    host: str
    ports: tuple[int, ...]
    listen: bool = False
    keep: bool = False
    scan: bool = False
    udp: bool = False
    verbose: bool = False
    numeric: bool = False
    source_port: int = 0
    seconds: float = 0.0  # of -w: to connect, and of silence; 0 is for ever
    linger: float = -1.0  # of -q: after the end of standard input
    half_close: bool = False  # at once when standard input ends


def parse_nc(words: Sequence[str]) -> Wanted:
    """Read a command line; UsageError."""
    options = parse(words, "46hklNnuvzp:w:q:r" + REFUSED)
    given = [each for each, _ in options.given if each in REFUSED]
    if given:
        raise UsageError(f"-{given[0]} is not served here")
    listen = "l" in options
    host, port = _where(options.operands, listen, options.value("p"))
    return Wanted(
        host=host,
        ports=_ports(port),
        listen=listen,
        keep="k" in options,
        scan="z" in options,
        udp="u" in options,
        verbose="v" in options,
        numeric="n" in options,
        source_port=0 if listen else _ports(options.value("p", "0"))[0],
        seconds=_seconds(options.value("w", "0"), "timeout"),
        linger=_seconds(options.value("q"), "quit timer") if "q" in options else -1.0,
        half_close=options.any_of("Nq"),
    )


def _where(operands: tuple[str, ...], listen: bool, port: str) -> tuple[str, str]:
    if listen and len(operands) <= 1:
        if operands:
            return "", operands[0]
        if port:
            return "", port
    elif listen and port and len(operands) == 1:
        return operands[0], port
    elif len(operands) == 2:
        return operands[0], operands[1]
    raise UsageError(USAGE if operands or listen else f"missing destination\n{USAGE}")


def _ports(text: str) -> tuple[int, ...]:
    first, dash, last = text.partition("-")
    low = port_number(first)
    high = port_number(last) if dash else low
    if low is None or high is None:
        raise UsageError(f"port number invalid: {text}")
    return tuple(range(min(low, high), max(low, high) + 1))


def _seconds(text: str, what: str) -> float:
    if not text.lstrip("-").isdecimal() or len(text) > 9:
        raise UsageError(f"{what} invalid: {text}")
    return float(min(int(text), 10**9))


def _named(host: str, ip: str) -> str:
    return host if host == ip else f"{host} ({ip})"


def succeeded(host: str, ip: str, port: int, *, udp: bool, numeric: bool) -> str:
    """-v of a connection."""
    kind = "udp" if udp else "tcp"
    name = "*" if numeric else service_name(port)
    return f"Connection to {_named(host, ip)} {port} port [{kind}/{name}] succeeded!\n"


def failed(host: str, ip: str, port: int, why: str | None, *, udp: bool) -> str:
    """-v of a connection that did not come about; `why` is None when nobody answered."""
    kind = "udp" if udp else "tcp"
    how = f"failed: {why}" if why is not None else "timed out: Operation now in progress"
    return f"connect to {_named(host, ip)} port {port} ({kind}) {how}"
