"""A small cluster as documents: what a test says of it, it says in one line."""

from collections.abc import Mapping
from typing import Any

import pytest

from cluster.dataplane.conntrack import AffinityTable
from cluster.dataplane.decision import Decision, Local
from cluster.dataplane.node_view import NetworkSettings, NodeView, empty_view
from cluster.dataplane.pipeline import admit, decide
from cluster.objects.resources import (
    ENDPOINT_SLICES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext, Origin, OriginKind

Document = dict[str, Any]
KINDS: dict[str, Resource] = {
    "Node": NODES,
    "Namespace": NAMESPACES,
    "Pod": PODS,
    "Service": SERVICES,
    "EndpointSlice": ENDPOINT_SLICES,
    "NetworkPolicy": NETWORK_POLICIES,
}


class Make:
    """Builds documents, views and flows."""

    def node(self, name: str, *, zone: str = "", external: str = "") -> Document:
        number = int(name.rpartition("-")[2])
        labels = {"topology.kubernetes.io/zone": zone} if zone else {}
        addresses = [{"type": "InternalIP", "address": f"172.30.0.{number}"}]
        if external:
            addresses.append({"type": "ExternalIP", "address": external})
        return {
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "spec": {"podCIDR": f"10.244.{number}.0/24"},
            "status": {"addresses": addresses},
        }

    def namespace(self, name: str, **labels: str) -> Document:
        return {"kind": "Namespace", "metadata": {"name": name, "labels": labels}}

    def pod(
        self,
        name: str,
        ip: str = "",
        *,
        namespace: str = "default",
        node: str = "",
        phase: str = "Running",
        host_network: bool = False,
        ports: list[Document] | None = None,
        labels: Mapping[str, str] | None = None,
        created: str = "2026-01-01T00:00:00Z",
        deleting: bool = False,
    ) -> Document:
        metadata: Document = {
            "namespace": namespace,
            "name": name,
            "uid": f"uid-{namespace}-{name}",
            "labels": dict(labels or {}),
            "creationTimestamp": created,
        }
        if deleting:
            metadata["deletionTimestamp"] = "2026-01-02T00:00:00Z"
        node = node or (f"node-{ip.split('.')[2]}" if ip.startswith("10.244.") else "node-1")
        return {
            "kind": "Pod",
            "metadata": metadata,
            "spec": {
                "nodeName": node,
                "hostNetwork": host_network,
                "containers": [{"name": "main", "ports": ports or []}],
            },
            "status": {"phase": phase, "podIP": ip, "podIPs": [{"ip": ip}] if ip else []},
        }

    def service(
        self, name: str, ip: str = "10.96.1.1", *, namespace: str = "default", **spec: Any
    ) -> Document:
        status = {"loadBalancer": {"ingress": spec.pop("ingress", [])}}
        spec.setdefault("ports", [{"name": "http", "port": 80, "protocol": "TCP"}])
        spec = {"clusterIP": ip, "clusterIPs": [ip], **spec}
        return {
            "kind": "Service",
            "metadata": {"namespace": namespace, "name": name},
            "spec": spec,
            "status": status,
        }

    def endpoint(
        self,
        ip: str,
        *,
        node: str | None = None,
        ready: bool | None = True,
        serving: bool | None = None,
        terminating: bool | None = None,
        **more: Any,
    ) -> Document:
        conditions = {"ready": ready, "serving": serving, "terminating": terminating}
        if node is None:
            node = f"node-{ip.split('.')[2]}" if ip.startswith("10.244.") else ""
        return {
            "addresses": [ip],
            "conditions": {key: value for key, value in conditions.items() if value is not None},
            **({"nodeName": node} if node else {}),
            **more,
        }

    def slice(
        self,
        service: str,
        *endpoints: Document | str,
        name: str = "",
        namespace: str = "default",
        ports: list[Document] | None = None,
        address_type: str = "IPv4",
    ) -> Document:
        return {
            "kind": "EndpointSlice",
            "metadata": {
                "namespace": namespace,
                "name": name or f"{service}-1",
                "labels": {"kubernetes.io/service-name": service} if service else {},
            },
            "addressType": address_type,
            "ports": ports or [{"name": "http", "port": 8080, "protocol": "TCP"}],
            "endpoints": [self.endpoint(e) if isinstance(e, str) else e for e in endpoints],
        }

    def policy(
        self,
        name: str,
        *,
        namespace: str = "default",
        pods: Document | None = None,
        **spec: Any,
    ) -> Document:
        return {
            "kind": "NetworkPolicy",
            "metadata": {"namespace": namespace, "name": name},
            "spec": {"podSelector": pods or {}, **spec},
        }

    def change(self, document: Document, *, gone: bool = False) -> Any:
        resource = KINDS[document["kind"]]
        return (resource, document, None) if gone else (resource, None, document)

    def view(
        self, *documents: Document, node: str = "node-1", settings: NetworkSettings | None = None
    ) -> NodeView:
        number = node.rpartition("-")[2]
        view = empty_view(node, f"172.30.0.{number}", settings or NetworkSettings())
        return view.with_changes([self.change(each) for each in documents])

    def with_documents(self, view: NodeView, *documents: Document) -> NodeView:
        return view.with_changes([self.change(each) for each in documents])

    def without(self, view: NodeView, *documents: Document) -> NodeView:
        return view.with_changes([self.change(each, gone=True) for each in documents])

    def flow(self, source: str, destination: str, protocol: str = "TCP") -> Flow:
        return Flow(
            Protocol(protocol),
            SocketAddress.parse(source, default_port=40000),
            SocketAddress.parse(destination),
        )

    def context(
        self,
        source: str,
        destination: str,
        *,
        protocol: str = "TCP",
        origin: Origin | None = None,
        original: Flow | None = None,
    ) -> FlowContext:
        flow = self.flow(source, destination, protocol)
        ip = flow.source.ip
        kind = OriginKind.POD if ip.startswith("10.244.") else OriginKind.OUTSIDE
        return FlowContext(
            flow_id="0123456789abcdef",
            flow=flow,
            original=original or flow,
            origin=origin or Origin(kind, ip),
            entry=Entry.FRONT,
        )

    def decide(
        self,
        view: NodeView,
        source: str,
        destination: str,
        *,
        draw: float = 0.0,
        now: float = 0.0,
        affinity: AffinityTable | None = None,
        protocol: str = "TCP",
        origin: Origin | None = None,
    ) -> Decision:
        context = self.context(source, destination, protocol=protocol, origin=origin)
        return decide(context, view, affinity or AffinityTable(), now=now, draw=draw)

    def admit(
        self,
        view: NodeView,
        source: str,
        destination: str,
        *,
        listening: bool = True,
        protocol: str = "TCP",
        origin: Origin | None = None,
        original: Flow | None = None,
    ) -> Decision:
        context = self.context(
            source, destination, protocol=protocol, origin=origin, original=original
        )
        return admit(context, view, listening=listening)

    def here(self, decision: Decision) -> bool:
        """Whether a decision ends at this node."""
        return decision.verdict == Local()


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()
