"""The rows of priority classes and runtime classes, which pods name.

Pure: documents in, text out. Source: Kubernetes API reference, scheduling.k8s.io, node.k8s.io.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row, integer
from control.resources.columns.reading import name_of


def _priority_class(priority_class: Document, now: datetime) -> Row:
    return [
        name_of(priority_class),
        priority_class.get("value", 0),
        bool(priority_class.get("globalDefault")),
        age(priority_class, now),
        priority_class.get("preemptionPolicy", ""),
    ]


def _runtime_class(runtime_class: Document, now: datetime) -> Row:
    return [name_of(runtime_class), runtime_class.get("handler", ""), age(runtime_class, now)]


PRIORITY_CLASSES = Printer(
    (
        NAME,
        integer("Value", "The priority of pods of the class; the greater goes first."),
        Column("Global-Default", "Whether pods that name no class are of this one.", "boolean"),
        AGE,
        Column("PreemptionPolicy", "Whether its pods may push out others."),
    ),
    _priority_class,
)
RUNTIME_CLASSES = Printer(
    (NAME, Column("Handler", "What runs the containers."), AGE), _runtime_class
)
