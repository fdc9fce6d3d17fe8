"""A container without a pod: its root in a temporary directory, and commands that run in it."""

import asyncio
import contextvars
import io
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from node_agent.workloads.tools.container import ContainerCommands
from node_agent.workloads.tools.furnishing import furnish, tools_mount
from node_agent.workloads.tools.proc_files import proc_files
from node_agent.workloads.tools.process import Bytes, Captured, Input
from node_agent.workloads.tools.root import Mount, Root
from node_agent.workloads.workload import ContainerContext

POD = {"metadata": {"name": "web-1", "namespace": "shop", "uid": "u"}, "spec": {}}


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


class Container:
    """A container, and its files on the disk."""

    def __init__(self, directory: Path, mounts: Sequence[Mount] = ()) -> None:
        self.directory = directory / "root"
        self.env = {"PATH": "/usr/bin:/bin", "HOSTNAME": "web-1"}
        virtual = proc_files(0.0, "app\0")
        furnish(self.directory, {"etc/hosts": "127.0.0.1\tlocalhost\n"}, virtual)
        self.root = Root.of(self.directory, [tools_mount(directory), *mounts], virtual)
        self.ctx = ContainerContext(
            pod=POD,
            container={"name": "app", "image": "busybox"},
            env=self.env,
            stdout=io.StringIO(),
            stderr=io.StringIO(),
        )
        context = contextvars.copy_context()
        self.commands = ContainerCommands(self.ctx, context, self._root)
        self.ctx.commands = self.commands

    async def _root(self) -> Root:
        return self.root

    def put(self, path: str, text: str | bytes, mode: int = 0o644) -> None:
        place = self.directory / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode() if isinstance(text, str) else text)
        place.chmod(mode)

    def read(self, path: str) -> str:
        return (self.directory / path.lstrip("/")).read_text()

    async def run(self, *words: str, stdin: str | bytes | Input = b"", **options: object) -> Result:
        out, err = Captured(), Captured()
        source = stdin.encode() if isinstance(stdin, str) else stdin
        given = Bytes(source) if isinstance(source, bytes) else source
        async with asyncio.timeout(10):
            code = await self.commands.run(words, stdin=given, stdout=out, stderr=err, **options)
        return Result(code, out.text, err.text)

    async def sh(self, script: str, *words: str, stdin: str | bytes = b"") -> Result:
        return await self.run("sh", "-c", script, *words, stdin=stdin)


@pytest.fixture
async def container(tmp_path: Path) -> Container:
    return Container(tmp_path)


def real(command: Sequence[str], directory: Path, stdin: str = "") -> Result:
    """What the machine's own tool says; skips where there is none."""
    found = shutil.which(command[0])
    if found is None:
        pytest.skip(f"this machine has no {command[0]}")
    environ = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/root", "TZ": "UTC"}
    done = subprocess.run(
        command, cwd=directory, input=stdin, capture_output=True, text=True, timeout=10,
        env=environ, check=False,
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def machine() -> SimpleNamespace:
    """The machine's own tools, to compare with; and a container with mounts."""
    return SimpleNamespace(run=real, container=Container)


@pytest.fixture
def podded(tmp_path: Path, fabric: Any) -> Callable[[str, str], Container]:
    """Makes containers of pods on the fabric: their commands run on the pod's network."""

    def make(name: str, ip: str, **given: Any) -> Container:
        made = Container(tmp_path / name)
        made.ctx.pod_ip = ip
        pod = given.pop("pod", None) or fabric.pods.get(ip)
        made.pod = pod or fabric.pod(name, ip, **given)
        context = made.pod.context()
        made.commands = ContainerCommands(made.ctx, context, made._root)
        made.ctx.commands = made.commands
        made.put("/etc/resolv.conf", made.pod.resolv_conf())
        made.put("/etc/hosts", f"127.0.0.1\tlocalhost\n{ip}\t{name}\n")
        return made

    return make


@pytest.fixture
def same(container: Container, tmp_path: Path) -> Callable[[str], Awaitable[Result]]:
    """Runs a script here and by the machine's own tools, each in an empty directory, and compares
    output and exit code; whether something was said on standard error too."""

    async def compare(script: str) -> Result:
        (container.directory / "w").mkdir()
        (tmp_path / "w").mkdir()
        here = await container.sh("cd /w\n" + script)
        there = real(["dash", "-c", script], tmp_path / "w")
        assert (here.out, here.code) == (there.out, there.code), here.err
        assert bool(here.err) == bool(there.err), (here.err, there.err)
        return here

    return compare
