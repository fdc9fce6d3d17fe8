"""wget's command line and messages.

Pure: words in, values out. Source: BusyBox, wget; and those options of GNU's that people type.
"""

from collections.abc import Sequence

from cluster.dataclass import dataclass
from node_agent.workloads.tools.options import UsageError, parse

LETTERS = "cqSO:o:P:T:U:Y:t:nv"
LONG = (
    "continue=c quiet=q server-response=S output-document:=O output-file:=o directory-prefix:=P "
    "timeout:=T user-agent:=U proxy:=Y tries:=t no-verbose verbose=v spider header: post-data: "
    "post-file: no-check-certificate no-proxy ca-certificate: no-hsts no-cache "
    "connect-timeout:=T read-timeout:=T dns-timeout:=T method: body-data: max-redirect: "
    "content-on-error progress: show-progress inet4-only user: password: http-user: http-password:"
)
USAGE = (
    "Usage: wget [-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]\n"
    "\t[--post-data STR | --post-file FILE] [-Y on/off]\n"
    "\t[--no-check-certificate] [-P DIR] [-U AGENT] [-T SEC] URL..."
)
SECONDS = 900.0
BAR = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was given."""

    urls: tuple[str, ...]
    output: str = ""  # "-" is standard output
    directory: str = ""
    quiet: bool = False
    server_response: bool = False
    spider: bool = False
    verify: bool = True
    ca: str = ""
    agent: str = "Wget"
    headers: tuple[str, ...] = ()
    method: str = "GET"
    data: str | None = None
    data_file: str = ""
    seconds: float = SECONDS
    redirects: int = 5
    user: str = ""
    continues: bool = False


def parse_wget(words: Sequence[str]) -> Wanted:
    """Read a command line; UsageError."""
    try:
        words = [each if each not in ("-nv", "-nc") else "--no-verbose" for each in words]
        options = parse(words, LETTERS, LONG)
    except UsageError as error:
        raise UsageError(f"{error}\n{USAGE}") from None
    if not options.operands:
        raise UsageError(f"missing URL\n{USAGE}")
    data = options.value("post-data") if "post-data" in options else None
    data = options.value("body-data") if "body-data" in options else data
    posts = data is not None or "post-file" in options
    name = options.value("http-user") or options.value("user")
    secret = options.value("http-password") or options.value("password")
    return Wanted(
        urls=options.operands,
        output=options.value("O"),
        directory=options.value("P"),
        quiet=any(each in options for each in ("q", "no-verbose")),
        server_response="S" in options,
        spider="spider" in options,
        verify="no-check-certificate" not in options,
        ca=options.value("ca-certificate"),
        agent=options.value("U") or "Wget",
        headers=tuple(options.values("header")),
        method=options.value("method") or ("POST" if posts else "GET"),
        data=data,
        data_file=options.value("post-file"),
        seconds=_seconds(options.value("T", str(int(SECONDS)))),
        redirects=options.number("max-redirect", 5),
        user=f"{name}:{secret}" if name else "",
        continues="c" in options,
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise UsageError(f"invalid number '{text}'") from None
    return seconds if 0 < seconds < 1e9 else SECONDS


def file_name(target: str) -> str:
    """Where a URL's path is saved."""
    return target.partition("?")[0].rstrip("/").rpartition("/")[2] or "index.html"


def progress(name: str, received: int, total: int | None) -> str:
    """The line of a finished transfer."""
    shown = name[:20].ljust(20)
    if total is None:
        return f"{shown} {_size(received)}  0:00:00 ETA\n"
    part = received * 100 // total if total else 100
    bar = ("*" * (part * BAR // 100)).ljust(BAR)
    return f"{shown} {part:3d}% |{bar}| {_size(received)}  0:00:00 ETA\n"


def _size(count: int) -> str:
    if count < 100_000:
        return f"{count:5d}"
    for unit in "kMGT":
        count //= 1024
        if count < 10_000:
            return f"{count:4d}{unit}"
    return f"{count:4d}T"
