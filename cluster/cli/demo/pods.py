"""Picking pods for a scenario: by application, by node, pairs on one node and on two.

Pure: documents in, choices out.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cluster.cli.demo.scenario import DoesNotHold
from cluster.dataclass import dataclass

Document = Mapping[str, Any]
SERVICE_NAME = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSeen:
    """A pod that runs, as the scenarios need it."""

    name: str
    app: str
    node: str
    ip: str
    ready: bool
    restarts: int

    @property
    def place(self) -> str:
        """Where to send from."""
        return f"pod/{self.name}"


def pods_seen(documents: Iterable[Document]) -> list[PodSeen]:
    """Those that have an address and are not ending, by name."""
    found = [_seen(each) for each in documents if not each["metadata"].get("deletionTimestamp")]
    return sorted((each for each in found if each.ip), key=lambda pod: pod.name)


def _seen(document: Document) -> PodSeen:
    metadata, status = document["metadata"], document.get("status", {})
    return PodSeen(
        name=metadata["name"],
        app=(metadata.get("labels") or {}).get("app", ""),
        node=document["spec"].get("nodeName", ""),
        ip=status.get("podIP", ""),
        ready=is_ready(document),
        restarts=sum(each["restartCount"] for each in status.get("containerStatuses") or ()),
    )


def nodeis_ready(node: Document) -> bool:
    """Whether a Node says so."""
    return is_ready(node)


def is_ready(document: Document) -> bool:
    conditions = document.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def of_app(pods: Iterable[PodSeen], app: str) -> list[PodSeen]:
    """The ready pods of an application."""
    return [pod for pod in pods if pod.app == app and pod.ready]


def pair(
    sources: Sequence[PodSeen], targets: Sequence[PodSeen], *, same_node: bool
) -> tuple[PodSeen, PodSeen]:
    """A source and another pod as target, on one node or on two; DoesNotHold when there is none."""
    for source in sources:
        for target in targets:
            if source != target and (source.node == target.node) == same_node:
                return source, target
    where = "on one node" if same_node else "on two nodes"
    placed = ", ".join(f"{pod.name} on {pod.node}" for pod in [*sources, *targets])
    raise DoesNotHold(f"no two pods are {where}: {placed}")


def of_service(slices: Iterable[Document], service: str) -> list[Document]:
    """The EndpointSlices of a Service."""
    return [
        each
        for each in slices
        if (each["metadata"].get("labels") or {}).get(SERVICE_NAME) == service
    ]


def endpoint_addresses(slices: Iterable[Document]) -> list[str]:
    """The ready endpoints of EndpointSlices, as "IP:PORT"."""
    found = []
    for each in slices:
        ports = [port["port"] for port in each.get("ports") or () if port.get("port")]
        for endpoint in each.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready") is not False:
                found += [f"{ip}:{port}" for ip in endpoint["addresses"] for port in ports]
    return sorted(found)
