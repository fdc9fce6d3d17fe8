"""What a table shows of one kind: its columns, and the row of one object.

Pure: values only. A column's priority decides who sees it: 0 always, 1 only `kubectl get -o wide`.
Source: meta.k8s.io/v1, Table; columns as kube-apiserver prints them.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass

Row = list[Any]  # a cell for each column, wide ones too


@dataclass(frozen=True, slots=True)
class Column:
    """One column as a table defines it; kubectl prints the name in capitals."""

    name: str
    description: str
    type: str = "string"
    format: str = ""
    priority: int = 0

    def definition(self) -> dict[str, Any]:
        """As a TableColumnDefinition."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


def wide(name: str, description: str, type: str = "string") -> Column:
    """A column for `-o wide`."""
    return Column(name, description, type, priority=1)


def integer(name: str, description: str) -> Column:
    """A column of whole numbers."""
    return Column(name, description, "integer")


NAME = Column("Name", "The name, unique among objects of the kind in a namespace.", format="name")
AGE = Column("Age", "How long ago the object was created.")
CREATED = Column("Created At", "When the object was created.", "date")
CONTAINERS = wide("Containers", "The names of the template's containers.")
IMAGES = wide("Images", "The images of the template's containers.")
SELECTOR = wide("Selector", "Which pods belong to it, by labels.")


def no_conditions(document: Document) -> list[dict[str, str]]:
    """Rows say nothing of most objects' state."""
    return []


@dataclass(frozen=True, slots=True)
class Printer:
    """Prints one kind."""

    columns: tuple[Column, ...]
    row: Callable[[Document, datetime], Row]
    conditions: Callable[[Document], list[dict[str, str]]] = no_conditions

    def definitions(self) -> list[dict[str, Any]]:
        """The columns as a table names them."""
        return [column.definition() for column in self.columns]
