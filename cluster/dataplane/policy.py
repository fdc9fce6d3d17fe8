"""NetworkPolicies: may this pod talk to that one, by which rule, and what would have allowed it?

Pure: built whole from NetworkPolicies and Namespaces; a change builds a new table that shares the
rest. A policy lies under a label that its selector asks for, so that only those are looked at which
ask for one that a pod has, or for none. Which select it is found once per set of labels in a
namespace and remembered until a policy of that namespace changes: pods of one Deployment share it,
and a decision costs the policies that select its pod, however many others there are.
Spec: N-1 to N-60, N-83, N-134 to N-149; kubernetes.io, "Network Policies".
"""

from collections.abc import Iterator, Mapping
from dataclasses import field, replace

from cluster.dataclass import dataclass
from cluster.dataplane.shared_map import SharedMap
from cluster.objects.core import Namespace, Pod
from cluster.objects.meta import Key
from cluster.objects.networking import (
    NetworkPolicy,
    PolicyPeer,
    PolicyPort,
    PolicyRule,
    PolicyType,
)
from cluster.objects.selectors import Operator
from cluster.wire.addresses import Protocol

LABEL_SETS_MAX = 4096  # remembered per namespace; beyond it the memory starts again
NEAR_MISSES_MAX = 5

Label = tuple[str, str]
LabelSet = frozenset[Label]


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a flow as the check point sees it: an address, and the pod that has it."""

    ip: str
    pod: Pod | None = None

    def __str__(self) -> str:
        return str(self.pod) if self.pod is not None else self.ip


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVerdict:
    """Allowed or not, and why (O-7, O-8)."""

    allowed: bool
    reason: str
    policy: NetworkPolicy | None = None  # the first that allows
    rule: int | None = None  # which of its rules, counted from 0
    isolating: tuple[NetworkPolicy, ...] = ()
    near_misses: tuple[str, ...] = ()  # rules that would have allowed a slightly different flow


@dataclass(frozen=True, slots=True)
class NamespacePolicies:
    """The policies of one namespace, and which of them select which labels."""

    by_name: SharedMap[str, NetworkPolicy] = field(default_factory=SharedMap)
    by_label: SharedMap[Label | None, tuple[NetworkPolicy, ...]] = field(default_factory=SharedMap)
    selected: dict[LabelSet, tuple[NetworkPolicy, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def selecting(self, pod: Pod) -> tuple[NetworkPolicy, ...]:
        """The policies that select a pod of this namespace, by name."""
        found = self.selected.get(pod.label_set)
        if found is None:
            labels = pod.meta.labels
            asking = (self.by_label.get(each) or () for each in (None, *pod.label_set))
            selecting = (
                each for group in asking for each in group if each.selector.matches(labels)
            )
            found = tuple(sorted(selecting, key=_name))
            if len(self.selected) >= LABEL_SETS_MAX:
                self.selected.clear()
            self.selected[pod.label_set] = found
        return found

    def with_policies(
        self, policies: Mapping[str, NetworkPolicy | None]
    ) -> "NamespacePolicies | None":
        """With these changed; None if none is left."""
        groups: dict[Label | None, dict[str, NetworkPolicy]] = {}
        for name, new in policies.items():
            for each, there in ((self.by_name.get(name), False), (new, True)):
                if each is None:
                    continue
                label = _label_asked_for(each)
                if label not in groups:
                    held = self.by_label.get(label) or ()
                    groups[label] = {one.meta.name: one for one in held}
                if there:
                    groups[label][name] = each
                else:
                    groups[label].pop(name, None)
        by_name = self.by_name.updated(policies)
        regrouped = {
            label: tuple(held[name] for name in sorted(held)) or None
            for label, held in groups.items()
        }
        return NamespacePolicies(by_name, self.by_label.updated(regrouped)) if by_name else None


def _name(policy: NetworkPolicy) -> str:
    return policy.meta.name


def _label_asked_for(policy: NetworkPolicy) -> Label | None:
    """A label that every pod has which the policy selects; None if there is no such."""
    wanted = (
        (each.key, each.values[0])
        for each in policy.selector.requirements
        if each.operator is Operator.IN and len(each.values) == 1
    )
    return next(wanted, None)


NO_POLICIES = NamespacePolicies()


@dataclass(frozen=True, slots=True)
class PolicyTable:
    """Every policy of the cluster, and the namespaces' labels that their peers ask for."""

    by_namespace: SharedMap[str, NamespacePolicies] = field(default_factory=SharedMap)
    namespaces: SharedMap[str, Namespace] = field(default_factory=SharedMap)

    def with_policy(self, key: Key, policy: NetworkPolicy | None) -> "PolicyTable":
        """A table in which one policy is as given, or gone."""
        return self.with_policies({key: policy})

    def with_policies(self, policies: Mapping[Key, NetworkPolicy | None]) -> "PolicyTable":
        """A table with these policies changed; this one if all read as they did."""
        edited: dict[str, dict[str, NetworkPolicy | None]] = {}
        for (namespace, name), policy in policies.items():
            held = self.by_namespace.get(namespace) or NO_POLICIES
            if held.by_name.get(name) != policy:
                edited.setdefault(namespace, {})[name] = policy
        if not edited:
            return self
        changes = {
            namespace: (self.by_namespace.get(namespace) or NO_POLICIES).with_policies(changed)
            for namespace, changed in edited.items()
        }
        return replace(self, by_namespace=self.by_namespace.updated(changes))

    def with_namespace(self, name: str, namespace: Namespace | None) -> "PolicyTable":
        """A table in which one namespace has other labels, or is gone."""
        return self.with_namespaces({name: namespace})

    def with_namespaces(self, namespaces: Mapping[str, Namespace | None]) -> "PolicyTable":
        """A table with these namespaces changed; this one if all read as they did."""
        known = self.namespaces
        namespaces = {name: each for name, each in namespaces.items() if known.get(name) != each}
        return replace(self, namespaces=known.updated(namespaces)) if namespaces else self

    def isolating(self, pod: Pod, direction: PolicyType) -> tuple[NetworkPolicy, ...]:
        """The policies that isolate a pod in a direction (N-12)."""
        policies = self.by_namespace.get(pod.meta.namespace)
        if policies is None:
            return ()
        return tuple(each for each in policies.selecting(pod) if direction in each.types)

    def judge(
        self, direction: PolicyType, pod: Pod, peer: Party, port: int, protocol: Protocol
    ) -> PolicyVerdict:
        """Whether policy lets `pod` accept from (Ingress) or open to (Egress) its peer."""
        isolating = self.isolating(pod, direction)
        if not isolating:
            reason = f"allowed: no policy selects {pod} for {direction.lower()}"
            return PolicyVerdict(allowed=True, reason=reason)
        question = _Question(direction, pod, peer, port, protocol, self.namespaces)
        for policy in isolating:
            for index, rule in enumerate(policy.rules(direction)):
                if question.allowed_by(policy, rule):
                    return PolicyVerdict(
                        allowed=True,
                        reason=f"allowed: {policy}, rule {index}",
                        policy=policy,
                        rule=index,
                        isolating=isolating,
                    )
        return PolicyVerdict(
            allowed=False,
            reason=question.denial(isolating),
            isolating=isolating,
            near_misses=question.near_misses(isolating),
        )


@dataclass(frozen=True, slots=True)
class _Question:
    """One flow put to the rules of one pod, in one direction."""

    direction: PolicyType
    pod: Pod
    peer: Party
    port: int
    protocol: Protocol
    namespaces: SharedMap[str, Namespace]

    def allowed_by(self, policy: NetworkPolicy, rule: PolicyRule) -> bool:
        """One peer and one port of the rule match (N-19, N-20)."""
        ports = [each for each in rule.ports if self._port_matches(each)] if rule.ports else ()
        if rule.ports and not ports:
            return False
        # A named port belongs to a pod: it says nothing of a block of addresses (N-46).
        named = bool(ports) and self.direction is PolicyType.EGRESS and all(p.name for p in ports)
        for peer in rule.peers:
            if self._peer_matches(peer, policy) and not (named and peer.block):
                return True
        return not rule.peers

    def _peer_matches(self, peer: PolicyPeer, policy: NetworkPolicy) -> bool:
        if peer.block is not None:
            return peer.block.matches(self.peer.ip)
        pod = self.peer.pod
        if pod is None:
            return False
        if peer.namespaces is None:
            here = pod.meta.namespace == policy.meta.namespace  # N-36
        else:
            here = peer.namespaces.matches(self._labels_of(pod.meta.namespace))
        return here and (peer.pods is None or peer.pods.matches(pod.meta.labels))

    def _labels_of(self, namespace: str) -> Mapping[str, str]:
        known = self.namespaces.get(namespace)
        return known.labels if known else {"kubernetes.io/metadata.name": namespace}  # N-40

    def _port_matches(self, port: PolicyPort) -> bool:
        if port.protocol is not self.protocol:
            return False
        if port.name:
            return self._named_port_matches(port.name)
        if port.first is None or port.last is None:
            return True
        return port.first <= self.port <= port.last

    def _named_port_matches(self, name: str) -> bool:
        """Resolved in the destination pod, by name and protocol (N-44, N-45, N-47)."""
        target = self.pod if self.direction is PolicyType.INGRESS else self.peer.pod
        ports = target.ports if target is not None else ()
        return any((p.name, p.protocol, p.port) == (name, self.protocol, self.port) for p in ports)

    def denial(self, isolating: tuple[NetworkPolicy, ...]) -> str:
        """No rule denies: policies isolate, and none allows (O-8)."""
        names = ", ".join(map(str, isolating[:NEAR_MISSES_MAX]))
        more = len(isolating) - NEAR_MISSES_MAX
        names += f" and {more} more" if more > 0 else ""
        selects = "selects" if len(isolating) == 1 else "select"
        word = "from" if self.direction is PolicyType.INGRESS else "to"
        what = f"{self.direction.lower()} {word} {self.peer} on {self.protocol} {self.port}"
        return f"denied: {names} {selects} {self.pod}, and no rule allows {what}"

    def near_misses(self, isolating: tuple[NetworkPolicy, ...]) -> tuple[str, ...]:
        """The rules of which one half matches, and what the other half would need."""
        misses: list[str] = []
        for policy in isolating:
            for index, rule in enumerate(policy.rules(self.direction)):
                misses += [f"{policy}, rule {index}: {text}" for text in self._miss(policy, rule)]
                if len(misses) >= NEAR_MISSES_MAX:
                    return tuple(misses[:NEAR_MISSES_MAX])
        return tuple(misses)

    def _miss(self, policy: NetworkPolicy, rule: PolicyRule) -> Iterator[str]:
        peer_matches = any(self._peer_matches(each, policy) for each in rule.peers)
        port_matches = any(map(self._port_matches, rule.ports))
        flow = f"{self.protocol} {self.port}"
        if (peer_matches or not rule.peers) and not port_matches:
            ports = ", ".join(map(str, rule.ports))
            yield f"allows {self.peer} on {ports}, not on {flow}"
        elif (port_matches or not rule.ports) and not peer_matches:
            peers = " or ".join(_describe(each, policy) for each in rule.peers)
            word = "from" if self.direction is PolicyType.INGRESS else "to"
            yield f"allows {flow} {word} {peers} only"


def _describe(peer: PolicyPeer, policy: NetworkPolicy) -> str:
    """A peer in words: "pods app=web in namespaces team=a"."""
    if peer.block is not None:
        return f"addresses in {peer.block}"
    pods = f"pods {peer.pods}" if peer.pods is not None and not peer.pods.everything else "any pod"
    if peer.namespaces is None:
        return f"{pods} in {policy.meta.namespace}"
    return f"{pods} in " + (
        "any namespace" if peer.namespaces.everything else f"namespaces {peer.namespaces}"
    )
