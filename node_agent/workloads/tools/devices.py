"""Files that are devices: /dev/null, /dev/zero, /dev/stdin and their like; any other is a file."""

import asyncio
import errno
import os
from collections.abc import Mapping
from typing import Any, cast

from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.process import (
    READ_BYTES,
    BufferedInput,
    Bytes,
    Discarded,
    Input,
    Output,
)

OUTPUTS = {"/dev/stdout": 1, "/dev/fd/1": 1, "/proc/self/fd/1": 1, "/proc/1/fd/1": 1,
           "/dev/stderr": 2, "/dev/fd/2": 2, "/proc/self/fd/2": 2, "/proc/1/fd/2": 2,
           "/dev/tty": 1}  # fmt: skip
INPUTS = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "/dev/tty")
PROC = "/proc/"


class Zero(BufferedInput):
    """/dev/zero."""

    async def more(self) -> bytes:
        await asyncio.sleep(0)  # it never ends: others get their turn
        return bytes(READ_BYTES)


class Random(BufferedInput):
    """/dev/urandom."""

    async def more(self) -> bytes:
        await asyncio.sleep(0)
        return os.urandom(READ_BYTES)


class Full:
    """/dev/full."""

    isatty = False

    async def write(self, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def open_input(files: Files, path: str, stdin: Input) -> Input:
    """Open a path for reading."""
    where = _device(files, path)
    if where in INPUTS:
        return stdin
    match where:
        case "/dev/null":
            return Bytes()
        case "/dev/zero" | "/dev/full":
            return Zero()
        case "/dev/random" | "/dev/urandom":
            return Random()
    return files.open(path)


def open_output(
    files: Files, path: str, streams: Mapping[int, Any], *, append: bool = False
) -> Output:
    """Open a path for writing."""
    where = _device(files, path)
    if where in OUTPUTS:
        found = streams.get(OUTPUTS[where])
        if found is None:
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO), path)
        return cast(Output, found)
    match where:
        case "/dev/null" | "/dev/zero" | "/dev/random" | "/dev/urandom":
            return Discarded()
        case "/dev/full":
            return Full()
    return files.create(path, append=append)


def _device(files: Files, path: str) -> str:
    """The path if it may be a device."""
    absolute = path if path.startswith("/") else f"{files.directory.rstrip('/')}/{path}"
    return absolute if absolute.startswith(("/dev/", PROC)) else ""
