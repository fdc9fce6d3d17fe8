"""What is in a container's root directory from the beginning, besides its volumes.

The tools lie in one directory of the node, seen read-only at /bin of every container; /usr/bin and
its like are links there, so that scripts find their interpreter wherever they look.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from node_agent.workloads.tools.names import TOOLS
from node_agent.workloads.tools.root import Mount

DIRECTORIES = (
    "bin", "dev", "etc", "home", "mnt", "opt", "proc/1", "proc/net", "proc/self", "root", "run",
    "srv", "sys", "tmp", "usr/local/bin", "usr/share", "var/lib", "var/log", "var/run", "var/tmp",
)  # fmt: skip
LINKS = {"usr/bin": "../bin", "usr/sbin": "../bin", "sbin": "bin"}
STICKY = ("tmp", "var/tmp")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "stdin", "stdout", "stderr")
TEXTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnobody:x:65534:\n",
    "etc/os-release": 'NAME="kubehop"\nID=kubehop\nPRETTY_NAME="kubehop container"\n',
    "etc/nsswitch.conf": "hosts: files dns\n",
    "etc/services": "domain 53/udp\nhttp 80/tcp\nhttps 443/tcp\nssh 22/tcp\n",
}


def furnish(
    directory: Path, texts: Mapping[str, str], virtual: Mapping[str, Callable[[], bytes]]
) -> None:
    """Make a root directory with its files; `texts` are the pod's own (etc/hosts ...)."""
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    for name in DIRECTORIES:
        (directory / name).mkdir(parents=True, exist_ok=True)
    for name in STICKY:
        (directory / name).chmod(0o1777)
    (directory / "root").chmod(0o700)
    for name, target in LINKS.items():
        (directory / name).symlink_to(target)
    for name in DEVICES:
        (directory / "dev" / name).touch()
    for name, text in {**TEXTS, **texts}.items():
        (directory / name).write_text(text)
    for path in virtual:
        place = directory / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch(mode=0o444)


def tools_mount(parent: Path) -> Mount:
    """The directory of tools, made when it is not there; another version's is another directory."""
    names = sorted(TOOLS)
    version = hashlib.sha256(" ".join(names).encode()).hexdigest()[:12]
    directory = parent / f"tools-{version}"
    if not directory.is_dir():
        _make_tools(directory, names)
    return Mount("/bin", directory, read_only=True)


def _make_tools(directory: Path, names: list[str]) -> None:
    """Make all of it, then give it its name: other nodes of the machine share the directory."""
    fresh = directory.with_name(f"{directory.name}.{os.getpid()}")
    fresh.mkdir(parents=True, mode=0o755)
    for name in names:  # there are many: without a Path for each
        descriptor = os.open(f"{fresh}/{name}", os.O_CREAT | os.O_WRONLY)
        os.fchmod(descriptor, 0o755)
        os.close(descriptor)
    try:
        fresh.rename(directory)
    except OSError:  # another node was faster
        for each in fresh.iterdir():
            each.unlink()
        fresh.rmdir()
