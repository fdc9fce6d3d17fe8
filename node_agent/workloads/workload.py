"""What a container's program is given, and what it must be: the interface of every workload.

A workload is a module with `async def run(ctx: ContainerContext) -> int`; its result is the exit
code. It runs in the pod's context, so asyncio's ordinary calls use the pod's network. To be told of
SIGTERM it awaits `ctx.until_terminated()`; a program that neither does so nor sets a handler is
ended at once, as an unhandled signal would end it (exit code 143).

To add one: write `workloads/NAME.py` with `run`, put it into `images.BUILT_IN` (and `PUBLISHED`,
under the image names it answers for), and write `tests/node_agent/workloads/test_NAME.py`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol, TextIO, runtime_checkable

from cluster.client.interface import Document
from cluster.dataclass import dataclass

EXIT_FAILED = 1
EXIT_NOT_FOUND = 127
DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command in a container gave."""

    exit_code: int
    output: str = ""


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A declared port; information only, whatever listens is reachable (P-9)."""

    number: int
    protocol: str = "TCP"
    name: str = ""

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


@dataclass(slots=True, kw_only=True)
class ContainerContext:
    """One container, as its program sees it."""

    pod: Document
    container: Document
    target: str = ""  # what follows the workload's name: "shop.cart:app" of python://shop.cart:app
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    node_name: str = ""
    pod_ip: str = ""
    stdout: TextIO
    stderr: TextIO
    zone_source: Any = None  # the cluster's names, for coredns
    recorder: Any = None  # where coredns records what it was asked
    app_dir: str = ""  # where python:// programs are found
    stdin: Any = None  # a tools.process.Pipe that attach writes to, where `stdin: true`
    window: Any = None  # the tools.process.Window of its terminal, where `tty: true`
    commands: Any = None  # tools.process.RunsInContainer: what exec finds in this container
    attached: asyncio.Event = field(default_factory=asyncio.Event)  # somebody hears it
    time_scale: float = 1.0  # how much slower than real time waits go
    _terminated: asyncio.Event = field(default_factory=asyncio.Event)
    _waits_for_termination: bool = False

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.container["name"])

    @property
    def pod_name(self) -> str:
        """The pod's name."""
        return str(self.pod["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return str(self.pod["metadata"]["namespace"])

    @property
    def image(self) -> str:
        """The image as the pod names it."""
        return str(self.container.get("image", ""))

    @property
    def ports(self) -> tuple[ContainerPort, ...]:
        """The declared ports, in order."""
        return declared_ports(self.container)

    @property
    def words(self) -> tuple[str, ...]:
        """Command and arguments together."""
        return self.command + self.args

    def port(self, protocol: str = "TCP", default: int = DEFAULT_PORT) -> int:
        """Where to listen: --port or -p, else $PORT, else the first declared port, else 8080."""
        chosen = option(self.words, "--port", "-p") or self.env.get("PORT", "")
        if chosen.isdecimal():
            return int(chosen)
        return next((each.number for each in self.ports if each.protocol == protocol), default)

    async def until_terminated(self) -> None:
        """Wait for SIGTERM, and catch it: the program then ends by itself."""
        self._waits_for_termination = True
        await self._terminated.wait()

    @property
    def catches_termination(self) -> bool:
        """Whether the program waits for SIGTERM."""
        return self._waits_for_termination

    def terminate(self) -> None:
        """SIGTERM has arrived."""
        self._terminated.set()


class Workload(Protocol):
    """What an image resolves to."""

    async def run(self, ctx: ContainerContext) -> int:
        """Run the program to its end; the exit code."""


@runtime_checkable
class RunsCommands(Protocol):
    """A workload that can run commands in its container (exec probes, preStop hooks)."""

    async def execute(self, ctx: ContainerContext, command: Sequence[str]) -> ExecResult:
        """Run a command beside the program."""


def declared_ports(container: Document) -> tuple[ContainerPort, ...]:
    """The `ports` of a container document."""
    return tuple(
        ContainerPort(int(each["containerPort"]), each.get("protocol", "TCP"), each.get("name", ""))
        for each in container.get("ports") or ()
    )


def option(words: Sequence[str], *names: str) -> str:
    """The value of a command-line option: `--port 80` or `--port=80`; "" if it is not there."""
    for index, word in enumerate(words):
        for name in names:
            if word == name and index + 1 < len(words):
                return words[index + 1]
            if word.startswith(name + "="):
                return word.removeprefix(name + "=")
    return ""
