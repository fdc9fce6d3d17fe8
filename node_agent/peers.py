"""Where other processes really are: read from what they write on their Node and Service objects.

Nodes tell the address of their tunnel by the annotation `kubehop.dev/tunnel`; the control plane
tells its own by `kubehop.dev/address` on the Service `default/kubernetes`.
"""

import logging
from collections.abc import Mapping
from functools import lru_cache

from cluster.client.interface import Document
from cluster.objects.resources import NODES, SERVICES
from cluster.wire.addresses import SocketAddress
from node_agent.view import ClusterView

log = logging.getLogger(__name__)

TUNNEL_ANNOTATION = "kubehop.dev/tunnel"
ADDRESS_ANNOTATION = "kubehop.dev/address"
API_SERVICE = ("default", "kubernetes")


class ClusterPeers:
    """Looks addresses up for each new flow, so that a process may move."""

    def __init__(self, view: ClusterView, node: str, bind: str) -> None:
        self._nodes: Mapping[tuple[str, str], Document] = view.informers[NODES].objects
        self._services: Mapping[tuple[str, str], Document] = view.informers[SERVICES].objects
        self._node = node
        self._bind = bind
        self.own_tunnel: SocketAddress | None = None

    def tunnel(self, node: str) -> SocketAddress | None:
        """Where a node takes flows; None while it has not said so."""
        if node == self._node:
            return self.own_tunnel
        return _address(self._nodes.get(("", node)), TUNNEL_ANNOTATION)

    def host(self, node: str, address: SocketAddress) -> SocketAddress | None:
        """The real address behind an emulated one of a node or of the control plane ("")."""
        if node == self._node:
            return SocketAddress(self._bind, address.port)
        if node == "":
            return _address(self._services.get(API_SERVICE), ADDRESS_ANNOTATION)
        document = self._nodes.get(("", node))
        text = _annotation(document, ADDRESS_ANNOTATION)
        return SocketAddress(text, address.port) if text else None


def _annotation(document: Document | None, name: str) -> str:
    annotations = (document or {}).get("metadata", {}).get("annotations") or {}
    return str(annotations.get(name, ""))


def _address(document: Document | None, annotation: str) -> SocketAddress | None:
    text = _annotation(document, annotation)
    if not text:
        return None
    try:
        return _parsed(text)
    except ValueError as error:
        log.warning("annotation not read annotation=%s error=%s", annotation, error)
        return None


@lru_cache(maxsize=1024)
def _parsed(text: str) -> SocketAddress:
    """Asked for each new flow, of as many texts as there are nodes."""
    return SocketAddress.parse(text)
