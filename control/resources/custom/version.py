"""What a CustomResourceDefinition says of one version, beyond what every kind has.

Pure: values only, made by `control.resources.custom.served`.
"""

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from cluster.dataclass import dataclass
from control.resources.columns.printer import Printer
from control.resources.schema import Node

Getter = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a custom kind keeps what a Scale shows: keys from the top of the document."""

    replicas: tuple[str, ...]
    status_replicas: tuple[str, ...]
    selector: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CustomVersion:
    """One served version of a custom kind."""

    definition: str  # its CustomResourceDefinition's name
    root: Node
    schema: Mapping[str, Any]  # as the definition has it; empty where it has none
    printer: Printer
    scale: ScalePaths | None = None
    selectable: Mapping[str, Getter] = field(default_factory=dict)  # fields, by selectors' names
    deprecation: str = ""  # the warning that requests are answered with
    list_kind: str = ""
    rules: bool = False  # whether its schema has any written in CEL
    terminating: bool = False  # the definition is going: nothing new may be created
