"""The status of a Service that has an external address: where it is served, and what is not.

Pure: values in, a status out. Spec: S-114, S-123; core/v1, PortStatus.

A port whose protocol the load balancer does not carry is named with an error, and a condition says
that there is one; the others are served all the same.
"""

from collections.abc import Mapping
from typing import Any

from cluster.client.interface import Document
from control.controllers.conditions import condition_of, with_condition
from control.controllers.view import spec_of, status_of

CARRIED = ("TCP", "UDP")
PORTS_ERROR = "LoadBalancerPortsError"
REASON = "ProtocolNotSupported"

Status = dict[str, Any]


def served_status(service: Document, address: str, *, when: str) -> Status:
    """What differs from the status that the Service has; empty: nothing does."""
    ports = [_port_status(port) for port in spec_of(service).get("ports") or ()]
    errors = [each for each in ports if "error" in each]
    ingress: dict[str, Any] = {"ip": address, "ipMode": "VIP"}
    if errors:
        ingress["ports"] = ports  # all or none, as core/v1 has it
    wished: Status = {"loadBalancer": {"ingress": [ingress]}}
    if errors or condition_of(service, PORTS_ERROR) is not None:
        held = status_of(service).get("conditions") or ()
        wished["conditions"] = with_condition(held, _condition(errors), when=when)
    return {key: value for key, value in wished.items() if status_of(service).get(key) != value}


def _port_status(port: Mapping[str, Any]) -> dict[str, Any]:
    protocol = port.get("protocol") or "TCP"
    status = {"port": port["port"], "protocol": protocol}
    return status if protocol in CARRIED else {**status, "error": f"kubehop.dev/{REASON}"}


def _condition(errors: list[dict[str, Any]]) -> dict[str, str]:
    if not errors:
        return {"type": PORTS_ERROR, "status": "False", "reason": "AllPortsServed", "message": ""}
    listed = ", ".join(f"{each['port']}/{each['protocol']}" for each in errors)
    message = f"the load balancer carries TCP and UDP; not served: {listed}"
    return {"type": PORTS_ERROR, "status": "True", "reason": REASON, "message": message}
