"""The rows of Services and Endpoints.

Pure: documents in, text out. Source: kubernetes.io, "Service".
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row, wide
from control.resources.columns.reading import items, name_of, part, spec_of, status_of
from control.resources.columns.text import NONE, labels_text, listed

PENDING = "<pending>"


def _service(service: Document, now: datetime) -> Row:
    spec = spec_of(service)
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return [
        name_of(service),
        spec.get("type", ""),
        addresses[0] or NONE,
        external_ip(service),
        ",".join(map(_port, items(spec, "ports"))) or NONE,
        age(service, now),
        labels_text(spec.get("selector")),
    ]


def external_ip(service: Document) -> str:
    """Where the world outside reaches a Service."""
    spec = spec_of(service)
    given = list(spec.get("externalIPs") or ())
    match spec.get("type"):
        case "ClusterIP" | "NodePort":
            return ",".join(given) or NONE
        case "LoadBalancer":
            return ",".join([*balanced_addresses(service), *given]) or PENDING
        case "ExternalName":
            return str(spec.get("externalName", ""))
        case _:
            return "<unknown>"


def balanced_addresses(document: Document) -> list[str]:
    """The addresses and names of its load balancer."""
    ingress = items(part(status_of(document), "loadBalancer"), "ingress")
    return sorted({each.get("ip") or each.get("hostname") or "" for each in ingress} - {""})


def _port(port: Mapping[str, Any]) -> str:
    number = f"{port.get('port')}:{port['nodePort']}" if port.get("nodePort") else port.get("port")
    return f"{number}/{port.get('protocol', 'TCP')}"


def _endpoints(endpoints: Document, now: datetime) -> Row:
    shown = listed(_socket_addresses(endpoints), empty="")
    if not items(endpoints, "subsets"):
        shown = NONE
    return [name_of(endpoints), shown, age(endpoints, now)]


def _socket_addresses(endpoints: Document) -> Iterator[str]:
    for subset in items(endpoints, "subsets"):
        addresses = [str(each.get("ip", "")) for each in items(subset, "addresses")]
        ports = items(subset, "ports")
        if not ports:  # a headless Service without ports
            yield from addresses
        for port in ports:
            yield from (_joined(each, port.get("port")) for each in addresses)


def _joined(address: str, port: Any) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


SERVICES = Printer(
    (
        NAME,
        Column("Type", "How the Service is reached: ClusterIP, NodePort, LoadBalancer, a name."),
        Column("Cluster-IP", "The address inside the cluster; None for a headless Service."),
        Column("External-IP", "The addresses outside the cluster."),
        Column("Port(s)", "The ports, each with its node port if it has one."),
        AGE,
        wide("Selector", "Which pods serve it, by labels."),
    ),
    _service,
)

ENDPOINTS = Printer(
    (NAME, Column("Endpoints", "The socket addresses that serve it."), AGE), _endpoints
)
