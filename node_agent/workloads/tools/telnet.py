"""`telnet HOST [PORT]`: a connection, as people use it to see whether a port is open."""

import asyncio
import socket

from node_agent.workloads.tools.netcat.streams import relay
from node_agent.workloads.tools.options import UsageError, parse
from node_agent.workloads.tools.process import Failed, Process
from node_agent.workloads.tools.service_names import port_number

PORT = "23"


async def run(process: Process) -> int:
    """Connect, and pass bytes until the peer closes; 1 when it does, as telnet has it."""
    operands = parse(process.arguments, "468EKLacdfrxl:e:").operands
    if not 1 <= len(operands) <= 2:
        raise UsageError("Usage: telnet host-name [port]")
    host, text = operands[0], operands[1] if len(operands) > 1 else PORT
    port = port_number(text)
    if not port:
        raise Failed(f"could not resolve {host}/{text}: Servname not supported for ai_socktype")
    reader, writer = await _connected(process, host, port)
    await process.write(f"Connected to {host}.\nEscape character is '^]'.\n")
    await relay(reader, writer, process.stdin, process.stdout)
    await process.stderr.write(b"Connection closed by foreign host.\n")
    return 1


async def _connected(
    process: Process, host: str, port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, family=socket.AF_INET, type=socket.SOCK_STREAM
        )
    except socket.gaierror as error:
        raise Failed(f"could not resolve {host}/{port}: {error.strerror}") from None
    ip = str(found[0][4][0])
    await process.write(f"Trying {ip}...\n")
    try:
        return await asyncio.open_connection(ip, port)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Failed(f"Unable to connect to remote host: {reason}") from None
