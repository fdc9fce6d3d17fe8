"""One YAML document as a tree of what JSON can say.

Pure: text in, a tree or a ValueError out. An alias costs a few bytes and stands for as much as its
anchor holds, aliases and all: what a document would be when written out is measured first.
Imported when the first YAML comes, for nearly all bodies are JSON.
"""

from typing import Any

import yaml

SIZE_MAX = 2 * 1024 * 1024  # of nodes and their characters; without aliases no body has as many

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Bounded(Loader):  # type: ignore[misc]
    """Looks at the whole document before it makes anything of it."""

    def construct_document(self, node: yaml.Node) -> Any:
        """The tree, if it is not too large."""
        if _written_out(node, {}) > SIZE_MAX:
            raise ValueError(f"its aliases stand for more than {SIZE_MAX} characters")
        return super().construct_document(node)


def load(text: bytes) -> Any:
    """The only document of a text; ValueError says what is wrong with it."""
    try:
        return yaml.load(text, _Bounded)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _written_out(node: yaml.Node, known: dict[int, int]) -> int:
    """How large a node is with every alias replaced by what it stands for."""
    size = known.get(id(node))
    if size is not None:
        return size
    known[id(node)] = SIZE_MAX + 1  # whatever holds itself has no end
    if isinstance(node, yaml.ScalarNode):
        size = 1 + len(node.value)
    elif isinstance(node, yaml.MappingNode):
        pairs = (each for pair in node.value for each in pair)
        size = 1 + sum(_written_out(each, known) for each in pairs)
    else:
        size = 1 + sum(_written_out(each, known) for each in node.value)
    known[id(node)] = size
    return size
