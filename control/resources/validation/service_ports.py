"""The ports of a Service: what is refused.

Pure: documents in, causes out. Spec: S-2, S-11, S-29, S-31.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cluster.wire.addresses import Protocol
from control.resources.causes import Cause
from control.resources.validation.names import (
    label_faults,
    port_faults,
    port_name_faults,
    qualified_faults,
)
from control.resources.validation.refusals import (
    duplicate,
    forbidden,
    invalid,
    required,
    unsupported,
)

Port = Mapping[str, Any]
PROTOCOLS = tuple(sorted(Protocol))


def service_port_causes(spec: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with a Service's ports."""
    ports = spec.get("ports") or []
    headless = (spec.get("clusterIPs") or [None])[0] == "None"
    if not ports and not headless and spec.get("type") != "ExternalName":
        yield required("spec.ports")
    names: set[str] = set()
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        yield from _name_causes(port, path, names, needed=len(ports) > 1)
        yield from _number_causes(port, path)
        if spec.get("type") == "ClusterIP" and port.get("nodePort"):
            yield forbidden(f"{path}.nodePort", "may not be used when `type` is 'ClusterIP'")
    yield from _duplicate_causes(ports)


def target_causes(value: Any, path: str) -> Iterator[Cause]:
    """A port by number or by name."""
    faults = port_faults(value) if isinstance(value, int) else port_name_faults(str(value))
    for fault in faults:
        yield invalid(path, value, fault)


def _name_causes(port: Port, path: str, names: set[str], *, needed: bool) -> Iterator[Cause]:
    name = port.get("name") or ""
    if not name:
        if needed:
            yield required(f"{path}.name")
        return
    for fault in label_faults(name):
        yield invalid(f"{path}.name", name, fault)
    if name in names:
        yield duplicate(f"{path}.name", name)
    names.add(name)


def _number_causes(port: Port, path: str) -> Iterator[Cause]:
    number = port.get("port") or 0
    for fault in port_faults(number):
        yield invalid(f"{path}.port", number, fault)
    protocol = port.get("protocol")
    if protocol not in PROTOCOLS:
        yield unsupported(f"{path}.protocol", protocol, PROTOCOLS)
    if "targetPort" in port:
        yield from target_causes(port["targetPort"], f"{path}.targetPort")
    if "appProtocol" in port:
        for fault in qualified_faults(port["appProtocol"]):
            yield invalid(f"{path}.appProtocol", port["appProtocol"], fault)


def _duplicate_causes(ports: list[Any]) -> Iterator[Cause]:
    """The same number twice for one protocol."""
    node_ports: set[tuple[Any, int]] = set()
    numbers: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        protocol, number, node_port = port.get("protocol"), port.get("port"), port.get("nodePort")
        if node_port and (protocol, node_port) in node_ports:
            yield duplicate(f"spec.ports[{index}].nodePort", node_port)
        node_ports.add((protocol, node_port or 0))
        if (protocol, number) in numbers:
            yield duplicate(f"spec.ports[{index}]", {"protocol": protocol, "port": number})
        numbers.add((protocol, number))
