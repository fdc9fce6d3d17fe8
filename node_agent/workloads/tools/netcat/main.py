"""`nc [-klnuvz] [-p PORT] [-w SECONDS] [HOST] PORT`"""

import asyncio
import socket

from node_agent.workloads.tools.netcat.options import Wanted, failed, parse_nc, succeeded
from node_agent.workloads.tools.netcat.streams import Datagrams, exchange_datagrams, relay
from node_agent.workloads.tools.process import Failed, Process

EXIT_FAILED = 1
PROBE = b"X"
PROBE_SECONDS = 1.0  # without an answer for so long a UDP port counts as open
BACKLOG_MAX = 16

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def run(process: Process) -> int:
    """Listen, look whether ports are open, or connect."""
    wanted = parse_nc(process.arguments)
    if wanted.listen:
        return await (_listen_udp if wanted.udp else _listen)(process, wanted)
    addresses = await _resolved(wanted)
    statuses = [await _try(process, wanted, addresses, port) for port in wanted.ports]
    return min(statuses)


async def _resolved(wanted: Wanted) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            wanted.host, None, family=socket.AF_INET, type=socket.SOCK_STREAM,
            flags=socket.AI_NUMERICHOST if wanted.numeric else 0,
        )  # fmt: skip
    except socket.gaierror as error:
        where = f'getaddrinfo for host "{wanted.host}" port {wanted.ports[0]}'
        raise Failed(f"{where}: {error.strerror}") from None
    return [str(each[4][0]) for each in found]


async def _try(process: Process, wanted: Wanted, addresses: list[str], port: int) -> int:
    """One port: 0 when it took the connection."""
    for ip in addresses:
        try:
            async with asyncio.timeout(wanted.seconds or None) as timer:
                if wanted.udp:
                    return await _udp(process, wanted, ip, port, timer)
                streams = await asyncio.open_connection(ip, port, local_addr=_local(wanted))
        except OSError as error:
            why = None if timer.expired() else error.strerror or str(error)
            await _tell(process, wanted, failed(wanted.host, ip, port, why, udp=wanted.udp))
            continue
        await _say(process, wanted, ip, port)
        return await _carry(process, wanted, streams)
    return EXIT_FAILED


def _local(wanted: Wanted) -> tuple[str, int] | None:
    return ("0.0.0.0", wanted.source_port) if wanted.source_port else None


async def _carry(process: Process, wanted: Wanted, streams: Streams) -> int:
    reader, writer = streams
    if wanted.scan:
        writer.close()
        return 0
    await relay(
        reader,
        writer,
        process.stdin,
        process.stdout,
        seconds=wanted.seconds,
        linger=wanted.linger,
        half_close=wanted.half_close,
    )
    return 0


async def _say(process: Process, wanted: Wanted, ip: str, port: int) -> None:
    if wanted.verbose:
        text = succeeded(wanted.host, ip, port, udp=wanted.udp, numeric=wanted.numeric)
        await process.stderr.write(text.encode())


async def _tell(process: Process, wanted: Wanted, text: str) -> None:
    if wanted.verbose:
        await process.complain(text)


# UDP


async def _udp(process: Process, wanted: Wanted, ip: str, port: int, timer: asyncio.Timeout) -> int:
    timer.reschedule(None)  # silence is nothing special here
    transport, datagrams = await asyncio.get_running_loop().create_datagram_endpoint(
        Datagrams, local_addr=_local(wanted), remote_addr=(ip, port)
    )
    try:
        if wanted.scan or wanted.verbose:
            transport.sendto(PROBE)
            await _unless_refused(datagrams, min(wanted.seconds or PROBE_SECONDS, PROBE_SECONDS))
            await _say(process, wanted, ip, port)
        if wanted.scan:
            return 0
        taken = await exchange_datagrams(
            transport,
            datagrams,
            process.stdin,
            process.stdout,
            seconds=wanted.seconds,
            connected=True,
        )
        return 0 if taken else EXIT_FAILED
    finally:
        transport.close()


async def _unless_refused(datagrams: Datagrams, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await datagrams.refused.wait()
    except TimeoutError:
        return
    raise ConnectionRefusedError(111, "Connection refused")


async def _listen_udp(process: Process, wanted: Wanted) -> int:
    transport, datagrams = await asyncio.get_running_loop().create_datagram_endpoint(
        Datagrams, local_addr=(wanted.host or "0.0.0.0", wanted.ports[0])
    )
    if wanted.verbose:
        await process.stderr.write(f"Bound on 0.0.0.0 {wanted.ports[0]}\n".encode())
    await exchange_datagrams(
        transport,
        datagrams,
        process.stdin,
        process.stdout,
        seconds=wanted.seconds,
        connected=False,
    )
    return 0


# A server


async def _listen(process: Process, wanted: Wanted) -> int:
    waiting: asyncio.Queue[Streams] = asyncio.Queue(BACKLOG_MAX)

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if wanted.keep or waiting.empty():
            try:
                waiting.put_nowait((reader, writer))
            except asyncio.QueueFull:
                writer.close()
        else:
            writer.close()

    host = wanted.host or "0.0.0.0"
    server = await asyncio.start_server(take, host, wanted.ports[0])
    if wanted.verbose:
        await process.stderr.write(f"Listening on {host} {wanted.ports[0]}\n".encode())
    try:
        while True:
            streams = await waiting.get()
            if not wanted.keep:
                server.close()
            await _received(process, wanted, streams)
            if not wanted.keep:
                return 0
    finally:
        server.close()
        while not waiting.empty():
            waiting.get_nowait()[1].close()


async def _received(process: Process, wanted: Wanted, streams: Streams) -> None:
    if wanted.verbose:
        ip, port = streams[1].get_extra_info("peername")[:2]
        await process.stderr.write(f"Connection received on {ip} {port}\n".encode())
    await _carry(process, wanted, streams)
