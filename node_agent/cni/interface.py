"""What the kubelet and the workloads know of a pod's network.

Pure: types only. Nothing but `cni/` and `loop.py` knows how a pod is attached; today every pod is a
context of the agent's event loop, later a pod may be a process or a namespace.
"""

import contextvars
import socket
from collections.abc import Callable
from dataclasses import field
from typing import Any, Protocol

from cluster.dataclass import dataclass
from cluster.wire.flow import FlowKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSpec:
    """What the network needs to know of a pod."""

    namespace: str
    name: str
    uid: str
    hostname: str
    labels: dict[str, str] = field(default_factory=dict)
    host_network: bool = False
    wanted_ip: str | None = None  # the address it had before the agent restarted
    dns_policy: str = "ClusterFirst"
    dns_config: dict[str, Any] = field(default_factory=dict)  # nameservers, searches, options
    host_aliases: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (ip, names)
    subdomain: str = ""


class PodAttachment(Protocol):
    """A pod's place in the network, from ADD to DEL."""

    @property
    def ip(self) -> str:
        """The pod's address."""

    def context(self) -> contextvars.Context:
        """A fresh context in which everything that runs uses this pod's network."""

    def resolv_conf(self) -> str:
        """/etc/resolv.conf as the pod sees it (D-68 to D-75)."""

    def hosts_file(self) -> str:
        """/etc/hosts as the pod sees it (D-87)."""

    def listening(self) -> frozenset[tuple[str, str, int]]:
        """(protocol, address bound, port) of every listening socket of the pod."""

    def release(self, container: object) -> None:
        """Close what one container opened and end its connections; the pod's network stays.

        `container` is the SignalTable of the container's contexts (`pod_context.SIGNALS`): what was
        opened in a context that holds it goes, as a kernel closes a dead process's descriptors.
        """


class Network(Protocol):
    """The CNI plugin of this node, and the node's own access to its pods."""

    async def add(self, pod: PodSpec) -> PodAttachment:
        """ADD: an address and a network; PoolExhausted when the node has no address left."""

    async def delete(self, uid: str) -> None:
        """DEL: close listeners, end connections, free the address; idempotent (P-100)."""

    async def dial(
        self,
        ip: str,
        port: int,
        *,
        kind: FlowKind = FlowKind.PROBE,
        from_pod: str | None = None,
        localhost: bool = False,
    ) -> socket.socket:
        """A connected non-blocking TCP socket from this node to a pod, Service or address.

        The node itself is the client, or the pod with uid `from_pod`; `localhost` dials 127.0.0.1
        inside that pod (port-forward). OSErrors are those that Linux gives: ConnectionRefusedError,
        TimeoutError.
        """

    def flow_id_of(self, sock: socket.socket) -> str:
        """The flow id of a socket that `dial` returned; "" if it is not one.

        An OSError that `dial` raised carries it as its attribute `flow_id`, where there is one.
        """


ExitHook = Callable[[], None]
