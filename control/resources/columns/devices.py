"""The rows of claims for devices, and of what drivers say they have.

Pure: documents in, text out. Source: Kubernetes API reference, resource.k8s.io/v1.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row
from control.resources.columns.reading import deleting, items, name_of, part, spec_of, status_of


def _claim(claim: Document, now: datetime) -> Row:
    return [name_of(claim), _state(claim), age(claim, now)]


def _state(claim: Document) -> str:
    """`allocated,reserved`, or pending."""
    status = status_of(claim)
    told = [
        *(["deleted"] if deleting(claim) else []),
        *(["allocated"] if status.get("allocation") else []),
        *(["reserved"] if items(status, "reservedFor") else []),
    ]
    return ",".join(told) if status.get("allocation") or told else "pending"


def _slice(resource_slice: Document, now: datetime) -> Row:
    spec = spec_of(resource_slice)
    node = "<all nodes>" if spec.get("allNodes") else spec.get("nodeName") or "<unset>"
    return [
        name_of(resource_slice),
        node,
        spec.get("driver", ""),
        part(spec, "pool").get("name", ""),
        age(resource_slice, now),
    ]


RESOURCE_CLAIMS = Printer(
    (NAME, Column("State", "Whether it has its devices, and who uses them."), AGE), _claim
)
RESOURCE_SLICES = Printer(
    (
        NAME,
        Column("Node", "Where the devices are."),
        Column("Driver", "Whose they are."),
        Column("Pool", "The pool that they belong to."),
        AGE,
    ),
    _slice,
)
