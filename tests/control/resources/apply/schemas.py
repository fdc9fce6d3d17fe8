"""Schemas that the tests of apply use."""

from control.resources.kinds import kinds
from control.resources.schema import Node, element_schema


def root(plural: str) -> Node:
    """The schema of a kind."""
    kind = next(each for each in kinds() if each.resource.plural == plural)
    node = element_schema(kind)
    assert node is not None
    return node


def place(node: Node, *names: str) -> Node:
    """A place in it; "[]" is a list's items."""
    for name in names:
        inner = node.items if name == "[]" else node.properties.get(name) or node.additional
        assert inner is not None, names
        node = inner
    return node


POD, SERVICE, DEPLOYMENT = root("pods"), root("services"), root("deployments")
CONFIG_MAP = root("configmaps")
