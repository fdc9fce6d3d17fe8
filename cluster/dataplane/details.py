"""The JSON beside each step: what a trace shows when asked for more than one clause.

Pure: values in, JSON out.

    service     {"service": {namespace, name, port, protocol}, "front": {kind, address},
                 "trafficPolicy", "endpoint": {address, state, namespace?, pod?, node, zone},
                 "choice", "candidates": {position, count, of, filter, topology, addresses}}
    egress      {"pod", "peer": {kind, ip, name, node, labels?, controller?}, "direction",
    ingress      "policy": {kind, namespace, name, rule} or null, "isolating": ["ns/name"],
                 "nearMisses": ["..."]}
    masquerade  {"rule", "address"}
    route       {"prefix", "kind", "node", "nextHop"}
    deliver     {"pod": {namespace, name, uid, node, labels, controller},
                 "reply"? : what the sender is answered}

Spec: O-4 to O-12, O-16.
"""

from typing import Any

from cluster.dataplane.node_view import NodeView
from cluster.dataplane.policy import Party, PolicyVerdict
from cluster.dataplane.routes import Route
from cluster.dataplane.served_port import Choice, Forward, Front
from cluster.objects.core import Pod
from cluster.objects.networking import PolicyType
from cluster.wire.addresses import Protocol, SocketAddress

ADDRESSES_SHOWN_MAX = 10

Detail = dict[str, Any]


def service_detail(front: Front, address: SocketAddress, choice: Choice, policy: str) -> Detail:
    """Which Service, by which front, and the endpoint among its candidates (O-4, O-5)."""
    served = front.served
    namespace, name = served.service
    detail: Detail = {
        "service": {
            "namespace": namespace,
            "name": name,
            "port": served.port.name or str(served.port.port),
            "protocol": str(served.port.protocol),
        },
        "front": {"kind": str(front.kind), "address": str(address)},
        "trafficPolicy": policy,
    }
    if not isinstance(choice, Forward):
        candidates = served.here if policy == "Local" else served.everywhere
        return {**detail, "candidates": {"count": 0, "of": candidates.of}}
    backend, candidates = choice.backend, choice.candidates
    shown = candidates.backends[:ADDRESSES_SHOWN_MAX]
    where = candidates.where.strip()
    state = "terminating" if candidates.fallback else "ready"
    detail["endpoint"] = {
        "address": str(backend.address),
        "state": state,
        **({"namespace": backend.pod[0], "pod": backend.pod[1]} if backend.pod else {}),
        "node": backend.node,
        "zone": backend.zone,
    }
    detail["choice"] = str(choice.how)
    detail["candidates"] = {
        "position": choice.position,
        "count": len(candidates.backends),
        "of": candidates.of,
        "filter": f"{state} {where}".strip(),
        "topology": candidates.topology,
        "addresses": [str(each.address) for each in shown],
    }
    return detail


def policy_detail(
    verdict: PolicyVerdict, direction: PolicyType, pod: Pod, peer: Party, view: NodeView
) -> Detail:
    """Which policies isolate the pod, which rule allowed, which nearly did (O-7, O-8)."""
    policy = verdict.policy
    return {
        "pod": str(pod),
        "peer": party_detail(peer, view),
        "direction": str(direction),
        "policy": None
        if policy is None
        else {
            "kind": "NetworkPolicy",
            "namespace": policy.meta.namespace,
            "name": policy.meta.name,
            "rule": verdict.rule,
        },
        "isolating": [str(each) for each in verdict.isolating],
        "nearMisses": list(verdict.near_misses),
    }


def party_detail(party: Party, view: NodeView) -> Detail:
    """Who an address is, as the check point sees it: pod, node, or world (O-16, O-17)."""
    if party.pod is not None:
        known = {"kind": "pod", "ip": party.ip, "name": str(party.pod), "node": party.pod.node}
        return {**known, **_workload(party.pod)}
    route = view.routes.find(party.ip)
    if route.node and route.prefix.partition("/")[0] == party.ip:
        return {"kind": "node", "ip": party.ip, "name": route.node, "node": route.node}
    return {"kind": "world", "ip": party.ip, "name": party.ip, "node": ""}


def route_detail(route: Route) -> Detail:
    """The prefix that matched, and the next hop (O-10)."""
    return {
        "prefix": route.prefix,
        "kind": str(route.kind),
        "node": route.node,
        "nextHop": route.next_hop,
    }


def pod_detail(pod: Pod) -> Detail:
    """The pod at the end (O-16)."""
    meta = pod.meta
    known = {"namespace": meta.namespace, "name": meta.name, "uid": meta.uid, "node": pod.node}
    return {"pod": {**known, **_workload(pod)}}


def _workload(pod: Pod) -> Detail:
    """What selectors and people know a pod by."""
    return {"labels": dict(pod.meta.labels), "controller": pod.meta.controller}


def closed_port_reply(protocol: Protocol) -> str:
    """What a pod's kernel answers where nothing listens (O-11)."""
    return "RST" if protocol is Protocol.TCP else "ICMP port-unreachable"
