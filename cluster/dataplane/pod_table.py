"""Who has an address: the pods of the cluster, by name and by IP.

Pure: built whole from Pods; a change builds a new table that shares the rest.
An address names a live pod only. A finished pod keeps its address in its status while another pod
may have it already (P-16, N-25); of two live pods that claim one address (an old pod's object
lingers), the younger that is not being deleted has it (N-88). The node's own attachments are known
here before the API hears of them, and count for more. Pods of the host's network have the node's
address, and are not found by it (N-65).
"""

from collections.abc import Mapping
from dataclasses import field, replace

from cluster.dataclass import dataclass
from cluster.dataplane.decision import PodRef
from cluster.dataplane.shared_map import SharedMap
from cluster.objects.core import Pod
from cluster.objects.meta import Key


@dataclass(frozen=True, slots=True)
class PodTable:
    """Pods by key and by address, for the data plane of `node`."""

    node: str
    by_key: SharedMap[Key, Pod] = field(default_factory=SharedMap)
    by_ip: SharedMap[str, tuple[Pod, ...]] = field(default_factory=SharedMap)
    attached: SharedMap[str, Key] = field(default_factory=SharedMap)  # of this node, from its CNI
    host_pods: SharedMap[Key, Pod] = field(default_factory=SharedMap)  # this node's, hostNetwork

    def at(self, ip: str) -> Pod | None:
        """The live pod that has this address."""
        key = self.attached.get(ip)
        if key is not None:
            held = self.by_key.get(key)
            if held is not None and not held.terminal:
                return held
        claims = self.by_ip.get(ip)
        return claims[0] if claims and not claims[0].terminal else None

    def finished_at(self, ip: str) -> Pod | None:
        """A pod that had this address and has finished."""
        claims = self.by_ip.get(ip)
        return claims[-1] if claims and claims[-1].terminal else None

    def named(self, name: str) -> Pod | None:
        """The pod called "namespace/name"."""
        namespace, _, pod = name.partition("/")
        return self.by_key.get((namespace, pod))

    def with_pod(self, key: Key, pod: Pod | None) -> "PodTable":
        """A table in which one pod is as given, or gone."""
        return self.with_pods({key: pod})

    def with_pods(self, pods: Mapping[Key, Pod | None]) -> "PodTable":
        """A table with these pods changed; a pod that reads as it did stays the same object."""
        pods = {key: pod for key, pod in pods.items() if self.by_key.get(key) != pod}
        if not pods:
            return self
        return replace(
            self,
            by_key=self.by_key.updated(pods),
            by_ip=self.by_ip.updated(self._claims(pods)),
            host_pods=self.host_pods.updated(
                {
                    key: pod if pod is not None and self._hosts(pod) else None
                    for key, pod in pods.items()
                }
            ),
        )

    def with_attached(self, ip: str, key: Key | None) -> "PodTable":
        """A table that knows which pod of this node has an address, or (None) that none has."""
        return replace(self, attached=self.attached.updated({ip: key}))

    def _hosts(self, pod: Pod) -> bool:
        return pod.host_network and pod.node == self.node and not pod.terminal

    def _claims(self, pods: Mapping[Key, Pod | None]) -> dict[str, tuple[Pod, ...] | None]:
        """Who claims each address that a change touches, the rightful one first."""
        claims: dict[str, dict[Key, Pod]] = {}
        for key, pod in pods.items():
            old = self.by_key.get(key)
            for ip in _addresses(old) | _addresses(pod):
                held = claims.setdefault(ip, {p.meta.key: p for p in self.by_ip.get(ip) or ()})
                held.pop(key, None)
                if pod is not None and ip in _addresses(pod):
                    held[key] = pod
        return {ip: _ranked(held) or None for ip, held in claims.items()}


def _addresses(pod: Pod | None) -> frozenset[str]:
    return frozenset() if pod is None or pod.host_network else frozenset(pod.ips)


def _ranked(claims: Mapping[Key, Pod]) -> tuple[Pod, ...]:
    youngest = sorted(claims.values(), key=lambda p: (p.meta.created, p.meta.key), reverse=True)
    return tuple(sorted(youngest, key=lambda pod: (pod.terminal, pod.meta.deleting)))


def pod_ref(pod: Pod, ip: str) -> PodRef:
    """A pod as a decision names it."""
    return PodRef(pod.meta.namespace, pod.meta.name, pod.meta.uid, ip, pod.node)
