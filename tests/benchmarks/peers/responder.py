"""dnsmasq, answering for names from a file, to compare a resolver with."""

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.peers.ports import LOOPBACK, Address, free_port
from tests.benchmarks.peers.process import serving
from tests.benchmarks.peers.programs import needed

CACHE_SIZE = 10_000


@contextmanager
def dnsmasq(hosts: Mapping[str, str], directory: Path) -> Iterator[tuple[Address, int]]:
    """It, with these names and addresses: where it answers, and its pid."""
    path = directory / "dnsmasq.hosts"
    path.write_text("".join(f"{ip} {name}\n" for name, ip in hosts.items()))
    port = free_port()
    command = [needed("dnsmasq"), *command_line(str(path), port)[1:]]
    with serving(command, port, "udp", directory) as process:
        yield (LOOPBACK, port), process.pid


def command_line(hosts: str, port: int) -> list[str]:
    """As it stands in the document."""
    return [
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--no-resolv",
        "--no-hosts",
        f"--addn-hosts={hosts}",
        f"--cache-size={CACHE_SIZE}",
        f"--user={pwd.getpwuid(os.getuid()).pw_name}",
        f"--listen-address={LOOPBACK}",
        f"--port={port}",
        "--bind-interfaces",
    ]
