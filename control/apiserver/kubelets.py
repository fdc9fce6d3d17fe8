"""Reaching the kubelet of a node, as its annotation says where it is.

`unix:PATH` on one machine; `https://IP:PORT` between machines, with the token that both sides
derive from the cluster key and without a CA: the token goes only to the certificate whose
SHA-256 the annotation carries (`https://IP:PORT#sha256:HEX`).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp

from cluster.aio.channels import Channels
from cluster.errors import WireError
from cluster.objects.resources import NODES
from control.apiserver import statuses
from control.apiserver.kubelet_channels import KubeletAddress, open_channels
from control.store.record import ObjectKey
from control.store.store import Store

KUBELET_ANNOTATION = "kubehop.dev/kubelet"
CONNECT_SECONDS_MAX = 5.0
NODE_KEY = (NODES.group, NODES.plural)


class Kubelets:
    """Sessions to kubelets, one a request: logs are rare and long."""

    def __init__(self, store: Store, *, token: str = "") -> None:
        self._store = store
        self._token = token

    @asynccontextmanager
    async def get(
        self, node: str, path: str, query: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask a node's kubelet; ApiError 503 when it cannot be reached."""
        base, connector = self._reach(node)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS_MAX)
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, headers=headers
        ) as session:
            try:
                response = await session.get(base + path, params=query)
            except (aiohttp.ClientError, TimeoutError) as error:
                raise _silent(node, error) from error
            async with response:
                try:
                    yield response
                except aiohttp.ClientPayloadError as error:
                    raise _silent(node, error) from error

    async def channels(self, node: str, path: str, query: Sequence[tuple[str, str]]) -> Channels:
        """Streams to a node's kubelet; ApiError when it refuses, 503 when it is not reached."""
        try:
            return await open_channels(self._address(node), self._token, path, query)
        except (OSError, TimeoutError, WireError) as error:
            raise _silent(node, error) from error

    def _reach(self, node: str) -> tuple[str, aiohttp.BaseConnector]:
        address = self._address(node)
        if address.unix:
            return "http://kubelet", aiohttp.UnixConnector(address.unix)
        return address.url, aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(address.fingerprint))

    def _address(self, node: str) -> KubeletAddress:
        record = self._store.get(NODE_KEY, ObjectKey("", node))
        annotations = (record.document["metadata"].get("annotations") or {}) if record else {}
        address = annotations.get(KUBELET_ANNOTATION, "")
        if address.startswith("unix:"):
            return KubeletAddress(unix=address.removeprefix("unix:"))
        where, _, fingerprint = address.partition("#sha256:")
        if where.startswith("https://") and fingerprint:
            try:
                pin = aiohttp.Fingerprint(bytes.fromhex(fingerprint)).fingerprint
            except ValueError as error:
                raise statuses.unavailable(f"node {node} tells a bad address: {error}") from error
            return KubeletAddress(url=where, fingerprint=pin)
        raise statuses.unavailable(f"node {node} does not tell where its kubelet is")


def _silent(node: str, error: Exception) -> Exception:
    why = str(error) or type(error).__name__
    return statuses.unavailable(f"the kubelet of {node} does not answer: {why}")
