"""A flow: who talks to whom, and where it came from.

Pure: no I/O.
A flow is named once, by the process that first sees it, and carries that name (16 hexadecimal
digits) to its end; every process records its own hops under it.
"""

from enum import StrEnum
from typing import NamedTuple

from cluster.dataclass import dataclass
from cluster.wire.addresses import Protocol, SocketAddress


class Flow(NamedTuple):
    """Protocol, source and destination as one process sees them at one moment: the 5-tuple."""

    protocol: Protocol
    source: SocketAddress
    destination: SocketAddress

    def __str__(self) -> str:
        return f"{self.protocol} {self.source} -> {self.destination}"

    def reply(self) -> "Flow":
        """The same flow seen from the other end."""
        return Flow(self.protocol, self.destination, self.source)

    def to(self, destination: SocketAddress) -> "Flow":
        """The flow after destination translation (DNAT)."""
        return Flow(self.protocol, self.source, destination)

    def by(self, source: SocketAddress) -> "Flow":
        """The flow after source translation (SNAT)."""
        return Flow(self.protocol, source, self.destination)


class OriginKind(StrEnum):
    """Who opened a flow."""

    POD = "pod"
    NODE = "node"  # a process of a node: kubelet's probes, `kubehop curl --from node/NAME`
    OUTSIDE = "outside"  # the internet: 203.0.113.0/24


class Origin(NamedTuple):
    """Who opened a flow, for people: stays what it is when addresses are translated.

    `name` is "namespace/pod", a node's name, or the outside client's address; `node` is the node
    whose data plane the flow entered first, empty until it has.
    """

    kind: OriginKind
    name: str
    node: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" if self.kind is not OriginKind.OUTSIDE else "internet"


class FlowKind(StrEnum):
    """What a flow is for; each kind has its own trace ring, so that none crowds out another."""

    TRAFFIC = "traffic"
    DNS = "dns"
    PROBE = "probe"


class Entry(StrEnum):
    """Which half of the data plane a flow asks of the node it arrives at."""

    FRONT = "front"  # all of it: Service, policy, route; what the gateway sends to a node
    ADMIT = "admit"  # the target's half: ingress policy, delivery; what one node sends another


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class FlowContext:
    """What travels with a flow from process to process (msgpack, see `cluster.wire.preamble`).

    A value, never changed once it is made; each new connection makes several, and the guard of a
    frozen class would be most of what that costs.
    `original` is the flow as its client sent it; `hops` counts the hops recorded so far, so that
    the next process numbers its own from there and a reader can tell that one is missing.
    """

    flow_id: str
    flow: Flow
    original: Flow
    origin: Origin
    kind: FlowKind = FlowKind.TRAFFIC
    entry: Entry = Entry.ADMIT
    hops: int = 0
    sender: str = ""  # the process that passed it on: "gateway", "node-1"
