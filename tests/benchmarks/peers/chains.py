"""Relays in a row in front of a target: three for TCP and two for UDP, as between user and pod.

with chain("HAProxy", target, directory) as relays:
    ...  # ask relays.address; relays.pids() is whose CPU time it costs
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.benchmarks.peers import configurations
from tests.benchmarks.peers.ports import LOOPBACK, Address, free_port
from tests.benchmarks.peers.process import family, serving
from tests.benchmarks.peers.programs import NGINX_STREAM, found, needed

TCP_LENGTH = 3
UDP_LENGTH = 2
SOCAT_IDLE_SECONDS = 60

# From (listen, target, directory) to the command; what it reads is written into the directory.
_Command = Callable[[Address, Address, Path], list[str]]


@dataclass(slots=True)
class Chain:
    """Running relays."""

    name: str
    address: Address  # of the first
    commands: list[str] = field(default_factory=list)  # the last one's first
    _roots: list[int] = field(default_factory=list)

    def pids(self) -> list[int]:
        """Of every process, workers counted."""
        return [pid for root in self._roots for pid in family(root)]


@contextmanager
def chain(kind: str, target: Address, directory: Path, length: int = TCP_LENGTH) -> Iterator[Chain]:
    """So many of TCP_KINDS in front of the target, all of them ready."""
    with _chain(TCP_KINDS[kind], "tcp", kind, target, directory, length) as relays:
        yield relays


@contextmanager
def udp_chain(
    kind: str, target: Address, directory: Path, length: int = UDP_LENGTH
) -> Iterator[Chain]:
    """So many of UDP_KINDS in front of the target, all of them bound."""
    with _chain(UDP_KINDS[kind], "udp", kind, target, directory, length) as relays:
        yield relays


@contextmanager
def _chain(
    command: _Command, protocol: str, kind: str, target: Address, directory: Path, length: int
) -> Iterator[Chain]:
    relays = Chain(f"{kind} x{length}", target)
    with ExitStack() as stack:
        for _ in range(length):
            listen = (LOOPBACK, free_port())
            words = command(listen, relays.address, directory)
            process = stack.enter_context(serving(words, listen[1], protocol, directory))
            relays.commands.append(" ".join(words))
            relays._roots.append(process.pid)
            relays.address = listen
        yield relays


def available(kinds: dict[str, _Command]) -> list[str]:
    """Those whose program is installed."""
    return [kind for kind in kinds if found(_PROGRAM[kind]) is not None]


def _haproxy(listen: Address, target: Address, directory: Path, buffer: int | None) -> list[str]:
    text = configurations.haproxy(listen, target, buffer)
    return [needed("haproxy"), "-db", "-f", _written(directory, f"haproxy-{listen[1]}.cfg", text)]


def _nginx(listen: Address, target: Address, directory: Path, udp: bool) -> list[str]:
    pid_file = str(directory / f"nginx-{listen[1]}.pid")
    text = configurations.nginx(listen, target, str(NGINX_STREAM), pid_file, udp)
    path = _written(directory, f"nginx-{listen[1]}.conf", text)
    return [needed("nginx"), "-e", "stderr", "-p", str(directory), "-c", path]


def _envoy(listen: Address, target: Address, directory: Path, udp: bool) -> list[str]:
    write = configurations.envoy_udp if udp else configurations.envoy
    path = _written(directory, f"envoy-{listen[1]}.json", write(listen, target))
    alone = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    return [needed("envoy"), *alone, "-c", path]


def _socat(listen: Address, target: Address, _: Path) -> list[str]:
    return [needed("socat"), *socat_line(listen, target)[1:]]


def socat_line(listen: Address, target: Address) -> list[str]:
    """As it stands in the document."""
    heard = f"UDP4-LISTEN:{listen[1]},bind={listen[0]},reuseaddr,fork"
    return ["socat", "-T", str(SOCAT_IDLE_SECONDS), heard, f"UDP4:{target[0]}:{target[1]}"]


def _written(directory: Path, name: str, text: str) -> str:
    path = directory / name
    path.write_text(text)
    return str(path)


LARGE_BUFFERS = "HAProxy, 256 KiB buffers"
TCP_KINDS: dict[str, _Command] = {
    "HAProxy": partial(_haproxy, buffer=None),
    LARGE_BUFFERS: partial(_haproxy, buffer=configurations.BUFFER),
    "nginx": partial(_nginx, udp=False),
    "Envoy": partial(_envoy, udp=False),
}
UDP_KINDS: dict[str, _Command] = {
    "Envoy": partial(_envoy, udp=True),
    "nginx": partial(_nginx, udp=True),
    "socat": _socat,
}
_PROGRAM = {
    "HAProxy": "haproxy",
    LARGE_BUFFERS: "haproxy",
    "nginx": "nginx",
    "Envoy": "envoy",
    "socat": "socat",
}
