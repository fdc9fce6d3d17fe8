"""Which pods stand behind a Service, on which ports, in which condition.

Pure: no I/O. Spec: S-12, S-17 to S-20, S-139 to S-143, S-152. What EndpointSlices and the older
Endpoints have in common.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from control.controllers.pods import finished, ips_of, ready
from control.controllers.view import Objects, deleting, spec_of

HEADLESS_LABEL = "service.kubernetes.io/headless"


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of an endpoint: the Service port's name, resolved for one pod."""

    name: str
    protocol: str
    port: int
    app_protocol: str | None = None

    def document(self) -> dict[str, Any]:
        """As EndpointSlices and Endpoints spell it."""
        result: dict[str, Any] = {"name": self.name, "protocol": self.protocol, "port": self.port}
        return {**result, "appProtocol": self.app_protocol} if self.app_protocol else result


def selected_pods(objects: Objects, service: Document) -> Iterator[Document]:
    """The pods that the selector takes and that may be reached at all (S-139)."""
    selector = spec_of(service).get("selector")
    wanted = {"matchLabels": selector} if selector else None
    for pod in objects.pods_selected(service["metadata"]["namespace"], wanted):
        if not finished(pod) and ips_of(pod):
            yield pod


def resolved_ports(service: Document, pod: Document) -> tuple[Port, ...]:
    """The Service's ports on this pod; a name that the pod does not know is left out (S-19)."""
    resolved = ((port, target_port(port, pod)) for port in spec_of(service).get("ports") or ())
    return tuple(
        Port(
            name=port.get("name") or "",
            protocol=port.get("protocol") or "TCP",
            port=number,
            app_protocol=port.get("appProtocol"),
        )
        for port, number in resolved
        if number is not None
    )


def target_port(port: Mapping[str, Any], pod: Document) -> int | None:
    """The number of a Service port's target on one pod (S-17, S-18); None: it has no such name."""
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    protocol = port.get("protocol") or "TCP"
    for container in _containers(pod):
        for each in container.get("ports") or ():
            if each.get("name") == target and (each.get("protocol") or "TCP") == protocol:
                return int(each["containerPort"])
    return None


def _containers(pod: Document) -> Iterator[Mapping[str, Any]]:
    spec = spec_of(pod)
    yield from spec.get("containers") or ()
    for each in spec.get("initContainers") or ():
        if each.get("restartPolicy") == "Always":  # a sidecar lives as long as the pod
            yield each


def conditions(service: Document, pod: Document) -> dict[str, bool]:
    """ready, serving and terminating of an endpoint (S-140, S-141)."""
    serving, terminating = ready(pod), deleting(pod)
    published = bool(spec_of(service).get("publishNotReadyAddresses"))
    return {
        "ready": published or (serving and not terminating),
        "serving": serving,
        "terminating": terminating,
    }


def headless(service: Document) -> bool:
    """Whether the Service has no virtual address (S-10)."""
    return spec_of(service).get("clusterIP") == "None"


def families(service: Document) -> tuple[str, ...]:
    """The Service's address families, the primary first (S-51)."""
    return tuple(spec_of(service).get("ipFamilies") or ("IPv4",))


def family_of(ip: str) -> str:
    """IPv4 or IPv6."""
    return f"IPv{ipaddress.ip_address(ip).version}"


def address_in(pod: Document, family: str) -> str | None:
    """The pod's address of a family."""
    return next((ip for ip in ips_of(pod) if family_of(ip) == family), None)


def hostname_for(service: Document, pod: Document) -> str | None:
    """The name under which DNS shows this pod of the Service (S-142)."""
    spec = spec_of(pod)
    named = spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]
    return str(spec["hostname"]) if named else None


def pod_reference(pod: Document) -> dict[str, Any]:
    """The targetRef of an endpoint."""
    metadata = pod["metadata"]
    return {
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata.get("uid"),
    }
