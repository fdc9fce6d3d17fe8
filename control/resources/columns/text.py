"""Labels, selectors, containers and long lists as cells show them.

Pure: documents in, text out. Source: k8s.io/apimachinery, labels.Selector and FormatLabels.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NONE, UNSET = "<none>", "<unset>"
LISTED_MAX = 3


def labels_text(labels: Mapping[str, str] | None) -> str:
    """`app=cart,tier=web`."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """A label selector as a query spells it; nothing at all where it has no requirement."""
    given = selector or {}
    pairs = [(key, f"{key}={value}") for key, value in (given.get("matchLabels") or {}).items()]
    expressions = given.get("matchExpressions") or ()
    pairs += [(each.get("key", ""), _expression(each)) for each in expressions]
    return ",".join(text for _, text in sorted(pairs))


def _expression(expression: Mapping[str, Any]) -> str:
    key, values = expression.get("key", ""), sorted(expression.get("values") or ())
    match expression.get("operator"):
        case "In":
            return f"{key} in ({','.join(values)})"
        case "NotIn":
            return f"{key} notin ({','.join(values)})"
        case "DoesNotExist":
            return f"!{key}"
        case _:
            return str(key)


def containers_text(containers: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The names and the images of containers."""
    names = ",".join(str(each.get("name", "")) for each in containers)
    return names, ",".join(str(each.get("image", "")) for each in containers)


def template_text(document: Mapping[str, Any]) -> tuple[str, str]:
    """The names and the images of the containers that a workload's template has."""
    template = (document.get("spec") or {}).get("template") or {}
    return containers_text((template.get("spec") or {}).get("containers") or ())


def listed(texts: Iterable[str], *, empty: str) -> str:
    """The first few, and how many more there are: `a,b,c + 2 more...`."""
    every = list(texts)
    if not every:
        return empty
    more = len(every) - LISTED_MAX
    first = ",".join(every[:LISTED_MAX])
    return f"{first} + {more} more..." if more > 0 else first
