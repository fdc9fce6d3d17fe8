"""Node IPAM: gives each node its share of the pod range.

Pure: `reconcile` from a view to writes. Spec: P-18 to P-20.

Node N of the node range is given the Nth share when that is free, so that addresses stay the same
from one cluster to the next and can be read: node 172.30.0.2 has 10.244.2.0/24. Others get the
lowest free share, number 0 last.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from functools import lru_cache

from cluster.client.interface import Document
from cluster.objects.resources import NODES
from control.controllers.definition import Controller, itself
from control.controllers.settings import ControllerSettings
from control.controllers.view import Key, Objects, View, deleting, spec_of, status_of
from control.controllers.writes import NORMAL, EmitEvent, Patch, Write


class NodeIpam:
    """The pod range cut into shares; which are taken is what the Nodes say."""

    def __init__(self, settings: ControllerSettings) -> None:
        self._range = ipaddress.ip_network(settings.pod_cidr)
        self._mask = settings.node_mask
        self._nodes = ipaddress.ip_network(settings.node_range)
        self._count = 1 << (self._mask - self._range.prefixlen)
        self._size = 1 << (self._range.max_prefixlen - self._mask)

    def reconcile(self, view: View, key: Key) -> Sequence[Write]:
        """Give one node its range, once and for good (P-19)."""
        node = view.objects.at(key)
        if node is None or deleting(node) or spec_of(node).get("podCIDR"):
            return ()
        share = self.choose(node, taken(view.objects))
        if share is None:
            text = f"Node {key.name} status is now: CIDRNotAvailable"
            return [EmitEvent(node, "CIDRNotAvailable", text, NORMAL)]
        return [Patch(NODES, "", key.name, {"spec": {"podCIDR": share, "podCIDRs": [share]}})]

    def choose(self, node: Document, used: set[str]) -> str | None:
        """The node's own share if it is free, else the lowest free one; None when all are taken."""
        full = {index for share in used for index in self._covered(share)}
        free = (index for index in self._indexes(node) if index not in full)
        return next(map(self._share, free), None)

    def _covered(self, share: str) -> range:
        """The shares that lie in a range or around it: it may be of another size, or elsewhere."""
        first, last = _ends(share)
        start = int(self._range.network_address)
        return range(max((first - start) // self._size, 0), (last - start) // self._size + 1)

    def _indexes(self, node: Document) -> Iterator[int]:
        wished = self._number(node)
        if wished is not None and 0 < wished < self._count:
            yield wished
        yield from range(1, self._count)
        yield 0

    def _number(self, node: Document) -> int | None:
        for each in status_of(node).get("addresses") or ():
            if each.get("type") == "InternalIP":
                address = ipaddress.ip_address(each["address"])
                if address in self._nodes:
                    return int(address) - int(self._nodes.network_address)
        return None

    def _share(self, index: int) -> str:
        first = ipaddress.ip_address(int(self._range.network_address) + index * self._size)
        return f"{first}/{self._mask}"


@lru_cache(maxsize=4096)
def _ends(share: str) -> tuple[int, int]:
    network = ipaddress.ip_network(share)
    return int(network.network_address), int(network.broadcast_address)


def taken(objects: Objects) -> set[str]:
    """The ranges that Nodes have; a deleted Node's is free again (P-19)."""
    return {
        share
        for node in objects.each(NODES)
        for share in (spec_of(node).get("podCIDRs") or [spec_of(node).get("podCIDR")])
        if share
    }


def _waiting(objects: Objects, old: Document | None, new: Document | None) -> list[Key]:
    """The changed node; when one goes, also those that wait for a range."""
    if new is not None:
        return list(itself(NODES)(objects, old, new))
    nodes = objects.each(NODES)
    return [Key(NODES, "", n["metadata"]["name"]) for n in nodes if not spec_of(n).get("podCIDR")]


def controller(settings: ControllerSettings) -> Controller:
    """The node IPAM controller; one worker, for two nodes must not draw the same share."""
    ipam = NodeIpam(settings)
    return Controller(
        name="node-ipam",
        component="cidrAllocator",
        reconcile=ipam.reconcile,
        watches={NODES: _waiting},
        workers=1,
    )
