"""port-forward: a connection to what listens on localhost inside a pod, on channels.

The pod itself dials 127.0.0.1 in its own network, so that the trace shows the flow. STDIN carries
what goes to the pod, STDOUT what comes from it; the end of either is a half-close.
"""

import asyncio
import contextlib
import socket

from aiohttp import web

from cluster.aio.channels import READ_BYTES, Channels
from cluster.aio.first import first_of
from cluster.wire.channels import Channel
from cluster.wire.flow import FlowKind
from node_agent.cni.interface import Network
from node_agent.kubelet.pod_worker import PodWorker


async def dialled(network: Network, worker: PodWorker, port: int) -> socket.socket:
    """The connection; HTTP 500 with kubectl's usual words when there is none."""
    assert worker.attachment is not None, "the route finds attached pods only"
    try:
        return await network.dial(
            worker.attachment.ip,
            port,
            kind=FlowKind.TRAFFIC,
            from_pod=worker.uid,
            localhost=True,
        )
    except (OSError, LookupError) as error:
        name = "_".join((worker.pod["metadata"]["name"], worker.pod["metadata"]["namespace"]))
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        text = (
            f"error forwarding port {port} to pod {name}, uid {worker.uid}: "
            f"failed to connect to localhost:{port} inside the pod: connect: {why.lower()}"
        )
        raise web.HTTPInternalServerError(text=text) from error


async def forwarded(channels: Channels, sock: socket.socket) -> None:
    """Pass bytes both ways until the pod has said all it will, or the client is gone.

    A client may end its half first. The pod's end is the end: kubectl closes its own client's
    connection only when it hears of that.
    """
    reader, writer = await asyncio.open_connection(sock=sock, limit=READ_BYTES)
    try:
        await first_of(_from_pod(reader, channels), _to_pod(channels, writer))
    finally:
        writer.transport.abort()


async def _to_pod(channels: Channels, writer: asyncio.StreamWriter) -> None:
    """Pass on what the client sends; return when it is gone."""
    while (frame := await channels.receive()) is not None:
        if frame.channel is not Channel.STDIN:
            continue
        with contextlib.suppress(ConnectionError):  # what the pod still says comes first
            if frame.end:
                writer.write_eof()
            else:
                writer.write(frame.data)
                await writer.drain()


async def _from_pod(reader: asyncio.StreamReader, channels: Channels) -> None:
    with contextlib.suppress(ConnectionError):  # reset by the pod: over, too
        while data := await reader.read(READ_BYTES):
            await channels.send(Channel.STDOUT, data)
    await channels.send(Channel.STDOUT, end=True)
