"""The rows of the networking group.

Pure: documents in, text out. Source: Kubernetes API reference, networking.k8s.io/v1.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row
from control.resources.columns.reading import items, name_of, spec_of
from control.resources.columns.services import balanced_addresses
from control.resources.columns.text import LISTED_MAX, NONE, selector_text


def _policy(policy: Document, now: datetime) -> Row:
    selector = selector_text(spec_of(policy).get("podSelector")) or NONE
    return [name_of(policy), selector, age(policy, now)]


def _ingress(ingress: Document, now: datetime) -> Row:
    spec = spec_of(ingress)
    return [
        name_of(ingress),
        spec.get("ingressClassName") or NONE,
        _hosts(ingress),
        ",".join(balanced_addresses(ingress)),
        "80, 443" if items(spec, "tls") else "80",
        age(ingress, now),
    ]


def _hosts(ingress: Document) -> str:
    """The first hosts; rules beyond them count, whether they name a host or not."""
    hosts: list[str] = []
    rules = items(spec_of(ingress), "rules")
    for rule in rules:
        if len(hosts) == LISTED_MAX:
            return f"{','.join(hosts)} + {len(rules) - LISTED_MAX} more..."
        if rule.get("host"):
            hosts.append(str(rule["host"]))
    return ",".join(hosts) or "*"


def _ingress_class(ingress_class: Document, now: datetime) -> Row:
    spec = spec_of(ingress_class)
    reference = spec.get("parameters")
    parameters = NONE
    if reference:
        kind, group = reference.get("kind", ""), reference.get("apiGroup")
        parameters = f"{kind}.{group}" if group else str(kind)
        parameters += f"/{reference.get('name', '')}"
    controller = spec.get("controller", "")
    return [name_of(ingress_class), controller, parameters, age(ingress_class, now)]


def _ip_address(address: Document, now: datetime) -> Row:
    parent = spec_of(address).get("parentRef") or {}
    resource, group = parent.get("resource", ""), parent.get("group")
    place = f"{parent['namespace']}/" if parent.get("namespace") else ""
    owner = f"{resource}.{group}" if group else str(resource)
    return [name_of(address), f"{owner}/{place}{parent.get('name', '')}"]


def _service_cidr(service_cidr: Document, now: datetime) -> Row:
    ranges = ",".join(spec_of(service_cidr).get("cidrs") or ())
    return [name_of(service_cidr), ranges, age(service_cidr, now)]


NETWORK_POLICIES = Printer(
    (NAME, Column("Pod-Selector", "The pods that it isolates."), AGE), _policy
)
INGRESSES = Printer(
    (
        NAME,
        Column("Class", "The class whose controller serves it."),
        Column("Hosts", "The hosts that its rules are for; * for any."),
        Column("Address", "Where its load balancer is reached."),
        Column("Ports", "The ports that are open."),
        AGE,
    ),
    _ingress,
)
INGRESS_CLASSES = Printer(
    (
        NAME,
        Column("Controller", "Who serves the class."),
        Column("Parameters", "The object that configures the class."),
        AGE,
    ),
    _ingress_class,
)
IP_ADDRESSES = Printer((NAME, Column("ParentRef", "What uses the address.")), _ip_address)
SERVICE_CIDRS = Printer(
    (NAME, Column("CIDRs", "The ranges that cluster IPs come from."), AGE), _service_cidr
)
