"""Label selectors of documents.

Pure: documents in, causes out. Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cluster.objects.selectors import label_selector_from
from control.resources.causes import Cause
from control.resources.validation.metadata import label_causes
from control.resources.validation.names import label_value_faults, qualified_faults
from control.resources.validation.refusals import forbidden, invalid, required

OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def selector_causes(selector: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """What is wrong with a `metav1.LabelSelector`."""
    yield from label_causes(selector.get("matchLabels") or {}, f"{path}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        yield from _expression_causes(expression, f"{path}.matchExpressions[{index}]")


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a selector takes some labels; one that is wrong is refused elsewhere."""
    try:
        return label_selector_from(selector).matches(labels)
    except ValueError:
        return True


def _expression_causes(expression: Mapping[str, Any], path: str) -> Iterator[Cause]:
    operator, values = expression.get("operator"), expression.get("values") or []
    if operator in ("In", "NotIn") and not values:
        yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist") and values:
        words = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        yield forbidden(f"{path}.values", words)
    elif operator not in OPERATORS:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    key = expression.get("key") or ""
    for fault in qualified_faults(key):
        yield invalid(f"{path}.key", key, fault)
    for index, value in enumerate(values):
        for fault in label_value_faults(value):
            yield invalid(f"{path}.values[{index}]", value, fault)
