"""PodDisruptionBudgets: what is refused.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/policy/validation.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.refusals import invalid, unsupported

Document = Mapping[str, Any]
EVICTIONS = ("AlwaysAllow", "IfHealthyBudget")
_PERCENT = re.compile(r"[0-9]+%")
_PERCENT_WORDS = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
    "'93%', regex used for validation is '[0-9]+%')"
)


def budget_causes(budget: Document) -> Iterator[Cause]:
    """What is wrong with a PodDisruptionBudget."""
    spec = budget.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        words = "minAvailable and maxUnavailable cannot be both set"
        yield invalid("spec", spec, words)
    for key in ("minAvailable", "maxUnavailable"):
        yield from _amount_causes(spec.get(key), f"spec.{key}")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy and policy not in EVICTIONS:
        yield unsupported("spec.unhealthyPodEvictionPolicy", policy, EVICTIONS)


def _amount_causes(amount: Any, path: str) -> Iterator[Cause]:
    if isinstance(amount, int) and amount < 0:
        yield invalid(path, amount, "must be greater than or equal to 0")
    if not isinstance(amount, str):
        return
    if not _PERCENT.fullmatch(amount):
        yield invalid(path, amount, _PERCENT_WORDS)
    elif len(amount) > len("100%") or int(amount[:-1]) > 100:
        yield invalid(path, amount, "must not be greater than 100%")
