"""What `kubehop status` knows of a cluster, as values: built from what processes and API say.

Pure: documents in, a report out. Source of the annotations: docs/architecture.md, "Addresses".
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from cluster.dataclass import dataclass

RUNS = "ready"
KUBELET_READY = "Ready"
REAL_ADDRESSES = "kubehop.dev/real-addresses"
NODE_ADDRESS = "kubehop.dev/address"

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRow:
    """One process of the cluster."""

    name: str
    state: str  # "starting", "ready", "waiting" (died, comes back), "stopped", "frozen"
    pid: int
    restarts: int
    seconds: float  # since it started; 0 when it does not run


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRow:
    """One node, as the API has it."""

    name: str
    status: str  # "Ready", "NotReady", and ",SchedulingDisabled"
    internal_ip: str  # emulated
    address: str  # real: node ports listen there
    pods: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PortRow:
    """One port of a Service, and where it can be reached for real."""

    port: str  # "80/TCP"
    real: tuple[str, ...]  # load balancer's "IP:PORT"
    node_port: int  # 0: none
    moved: bool  # served elsewhere than on its own port


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """One Service."""

    name: str  # "namespace/name"
    type: str
    cluster_ip: str
    ports: tuple[PortRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it; `problem` says why the API's part is missing."""

    name: str
    kubeconfig: str
    run_dir: str
    api_url: str
    processes: tuple[ProcessRow, ...]
    nodes: tuple[NodeRow, ...] = ()
    services: tuple[ServiceRow, ...] = ()
    programmed: Mapping[str, str]  # process -> "" or why not
    problem: str = ""
    unserved: tuple[str, ...] = ()  # load balancers' ports that could not be bound, and why

    @property
    def nodes_programmed(self) -> int:
        """How many nodes decide by the newest Services and policies."""
        return sum(1 for node in self.nodes if self.programmed.get(node.name) == "")

    @property
    def healthy(self) -> bool:
        """Whether everything runs, every node is Ready and every process up to date."""
        runs = all(process.state == RUNS for process in self.processes)
        ready = all(node.status.split(",")[0] == KUBELET_READY for node in self.nodes)
        return runs and ready and not self.problem and not any(self.programmed.values())

    def to_json(self) -> dict[str, Any]:
        """`kubehop status -o json`."""
        document: dict[str, Any] = _json(self)
        return {**document, "healthy": self.healthy, "nodesProgrammed": self.nodes_programmed}


def _json(value: Any) -> Any:
    """Rows as objects, their names spelled as the API spells names: nodePort."""
    if is_dataclass(value):
        return {_camel(each.name): _json(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [_json(each) for each in value]
    return dict(value) if isinstance(value, Mapping) else value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def node_rows(nodes: Iterable[Document], pods: Iterable[Document]) -> tuple[NodeRow, ...]:
    """The nodes, with the pods that are on them."""
    placed = [pod["spec"].get("nodeName") for pod in pods]
    return tuple(_node_row(node, placed.count(node["metadata"]["name"])) for node in nodes)


def service_rows(services: Iterable[Document]) -> tuple[ServiceRow, ...]:
    """The Services, by namespace and name."""
    rows = [_service_row(service) for service in services]
    return tuple(sorted(rows, key=lambda row: row.name))


def unserved_ports(fronts: Iterable[Document]) -> tuple[str, ...]:
    """Of the gateway's fronts, those that could not be bound."""
    return tuple(
        f"{each['service']} {each['port']} is not served: {each['problem']}"
        for each in fronts
        if each["problem"]
    )


def _node_row(node: Document, pods: int) -> NodeRow:
    status = node.get("status", {})
    addresses = {each["type"]: each["address"] for each in status.get("addresses") or ()}
    annotations = node["metadata"].get("annotations") or {}
    return NodeRow(
        name=node["metadata"]["name"],
        status=_node_status(node),
        internal_ip=addresses.get("InternalIP", ""),
        address=annotations.get(NODE_ADDRESS, addresses.get("ExternalIP", "")),
        pods=pods,
    )


def _node_status(node: Document) -> str:
    conditions = node.get("status", {}).get("conditions") or ()
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    words = [KUBELET_READY if ready else "NotReady"]
    if node["spec"].get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _service_row(service: Document) -> ServiceRow:
    metadata, spec = service["metadata"], service["spec"]
    text = (metadata.get("annotations") or {}).get(REAL_ADDRESSES)
    moved: Mapping[str, str] = json.loads(text) if text else {}
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
    ips = [each["ip"] for each in ingress if each.get("ip")]
    return ServiceRow(
        name=f"{metadata['namespace']}/{metadata['name']}",
        type=spec.get("type", "ClusterIP"),
        cluster_ip=spec.get("clusterIP") or spec.get("externalName", ""),
        ports=tuple(_port_row(port, ips, moved) for port in spec.get("ports") or ()),
    )


def _port_row(port: Document, ips: list[str], moved: Mapping[str, str]) -> PortRow:
    name = f"{port['port']}/{port.get('protocol', 'TCP')}"
    elsewhere = moved.get(name)
    real = (elsewhere,) if elsewhere else tuple(f"{ip}:{port['port']}" for ip in ips)
    return PortRow(
        port=name, real=real, node_port=int(port.get("nodePort") or 0), moved=bool(elsewhere)
    )
