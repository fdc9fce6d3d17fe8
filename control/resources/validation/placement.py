"""Which nodes a pod may come to: tolerations, affinity and spread that are refused.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/core/validation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.metadata import label_causes
from control.resources.validation.names import (
    label_faults,
    label_value_faults,
    qualified_faults,
    subdomain_faults,
)
from control.resources.validation.refusals import (
    duplicate,
    forbidden,
    invalid,
    required,
    unsupported,
)
from control.resources.validation.selectors import selector_causes

Document = Mapping[str, Any]
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
INCLUSIONS = ("Honor", "Ignore")
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_POSITIVE = "must be greater than zero"
_WEIGHTS = "must be in the range 1-100"
_NO_OPERATOR = "not a valid selector operator"


def placement_causes(spec: Document, path: str) -> Iterator[Cause]:
    """What is wrong with where a pod is to be."""
    yield from label_causes(spec.get("nodeSelector") or {}, f"{path}.nodeSelector")
    yield from _affinity_causes(spec.get("affinity") or {}, f"{path}.affinity")
    yield from _spread_causes(spec, f"{path}.topologySpreadConstraints")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from _toleration_causes(toleration, f"{path}.tolerations[{index}]")


def _toleration_causes(toleration: Document, path: str) -> Iterator[Cause]:
    key, value = toleration.get("key") or "", toleration.get("value") or ""
    operator, effect = toleration.get("operator") or "", toleration.get("effect") or ""
    for fault in qualified_faults(key) if key else ():
        yield invalid(f"{path}.key", key, fault)
    if not key and operator != "Exists":
        words = 'operator must be Exists when `key` is empty, which means "match all values and '
        yield invalid(f"{path}.operator", operator, words + 'all keys"')
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        words = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield invalid(f"{path}.effect", effect, words)
    if operator in ("", "Equal"):
        faults = label_value_faults(value)
        if faults:
            yield invalid(f"{path}.operator", value, ";".join(faults))
    elif operator == "Exists" and value:
        yield invalid(f"{path}.operator", value, "value must be empty when `operator` is 'Exists'")
    elif operator not in ("Exists", "Gt", "Lt"):
        yield unsupported(f"{path}.operator", operator, ("Equal", "Exists"))
    if effect and effect not in EFFECTS:
        yield unsupported(f"{path}.effect", effect, EFFECTS)


# -- affinity


def _affinity_causes(affinity: Document, path: str) -> Iterator[Cause]:
    if affinity.get("nodeAffinity") is not None:
        yield from _node_causes(affinity["nodeAffinity"], f"{path}.nodeAffinity")
    for key in ("podAffinity", "podAntiAffinity"):
        held, place = affinity.get(key) or {}, f"{path}.{key}"
        for index, term in enumerate(held.get(REQUIRED) or ()):
            yield from _pod_term_causes(term, f"{place}.{REQUIRED}[{index}]")
        for index, weighted in enumerate(held.get(PREFERRED) or ()):
            where = f"{place}.{PREFERRED}[{index}]"
            yield from _weight_causes(weighted, where)
            term = weighted.get("podAffinityTerm") or {}
            yield from _pod_term_causes(term, f"{where}.podAffinityTerm")


def _node_causes(affinity: Document, path: str) -> Iterator[Cause]:
    needed = affinity.get(REQUIRED)
    if needed is not None:
        place = f"{path}.{REQUIRED}.nodeSelectorTerms"
        if not needed.get("nodeSelectorTerms"):
            yield required(place, "must have at least one node selector term")
        for index, term in enumerate(needed.get("nodeSelectorTerms") or ()):
            yield from _node_term_causes(term, f"{place}[{index}]", values=True)
    for index, weighted in enumerate(affinity.get(PREFERRED) or ()):
        where = f"{path}.{PREFERRED}[{index}]"
        yield from _weight_causes(weighted, where)
        term = weighted.get("preference") or {}
        yield from _node_term_causes(term, f"{where}.preference", values=False)


def _weight_causes(weighted: Document, path: str) -> Iterator[Cause]:
    weight = weighted.get("weight") or 0
    if not 1 <= weight <= 100:
        yield invalid(f"{path}.weight", weight, _WEIGHTS)


def _node_term_causes(term: Document, path: str, *, values: bool) -> Iterator[Cause]:
    """Labels and fields of nodes; values that no label has are let pass where nothing hangs on."""
    for index, expression in enumerate(term.get("matchExpressions") or ()):
        place = f"{path}.matchExpressions[{index}]"
        yield from _node_label_causes(expression, place)
        for number, value in enumerate((expression.get("values") or ()) if values else ()):
            for fault in label_value_faults(value):
                yield invalid(f"{place}.values[{number}]", value, fault)
    for index, expression in enumerate(term.get("matchFields") or ()):
        yield from _node_field_causes(expression, f"{path}.matchFields[{index}]")


def _node_label_causes(expression: Document, path: str) -> Iterator[Cause]:
    operator, values = expression.get("operator") or "", expression.get("values") or []
    if operator in ("In", "NotIn") and not values:
        yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist") and values:
        words = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        yield forbidden(f"{path}.values", words)
    elif operator in ("Gt", "Lt") and len(values) != 1:
        words = "must be specified single value when `operator` is 'Lt' or 'Gt'"
        yield required(f"{path}.values", words)
    elif operator not in ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"):
        yield invalid(f"{path}.operator", operator, _NO_OPERATOR)
    key = expression.get("key") or ""
    for fault in qualified_faults(key):
        yield invalid(f"{path}.key", key, fault)


def _node_field_causes(expression: Document, path: str) -> Iterator[Cause]:
    operator, values = expression.get("operator") or "", expression.get("values") or []
    if operator not in ("In", "NotIn"):
        yield invalid(f"{path}.operator", operator, _NO_OPERATOR)
    elif len(values) != 1:
        words = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(f"{path}.values", words)
    if expression.get("key") != "metadata.name":
        yield invalid(f"{path}.key", expression.get("key") or "", "not a valid field selector key")
        return
    for index, value in enumerate(values):
        for fault in subdomain_faults(value):
            yield invalid(f"{path}.values[{index}]", value, fault)


def _pod_term_causes(term: Document, path: str) -> Iterator[Cause]:
    for key in ("labelSelector", "namespaceSelector"):
        if term.get(key) is not None:
            yield from selector_causes(term[key], f"{path}.{key}")
    for name in term.get("namespaces") or ():
        for fault in label_faults(name):
            yield invalid(f"{path}.namespace", name, fault)
    for key in ("matchLabelKeys", "mismatchLabelKeys"):
        yield from _label_keys_causes(term, path, key)
    topology = term.get("topologyKey") or ""
    if not topology:
        yield required(f"{path}.topologyKey", "can not be empty")
    for fault in qualified_faults(topology):
        yield invalid(f"{path}.topologyKey", topology, fault)


def _label_keys_causes(holder: Document, path: str, field: str) -> Iterator[Cause]:
    keys = holder.get(field) or ()
    if keys and holder.get("labelSelector") is None:
        yield forbidden(f"{path}.{field}", "must not be specified when labelSelector is not set")
    for index, key in enumerate(keys):
        for fault in qualified_faults(key):
            yield invalid(f"{path}.{field}[{index}]", key, fault)


# -- spread


def _spread_causes(spec: Document, path: str) -> Iterator[Cause]:
    seen: set[tuple[str, str]] = set()
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        place = f"{path}[{index}]"
        yield from _constraint_causes(constraint, place)
        pair = constraint.get("topologyKey") or "", constraint.get("whenUnsatisfiable") or ""
        if pair in seen:
            words = f"{{{pair[0]}, {pair[1]}}}"
            yield duplicate(f"{place}.{{topologyKey, whenUnsatisfiable}}", words)
        seen.add(pair)


def _constraint_causes(constraint: Document, path: str) -> Iterator[Cause]:
    skew, action = constraint.get("maxSkew") or 0, constraint.get("whenUnsatisfiable") or ""
    if skew <= 0:
        yield invalid(f"{path}.maxSkew", skew, _POSITIVE)
    if not constraint.get("topologyKey"):
        yield required(f"{path}.topologyKey", "can not be empty")
    if action not in UNSATISFIABLE:
        yield unsupported(f"{path}.whenUnsatisfiable", action, UNSATISFIABLE)
    domains = constraint.get("minDomains")
    if domains is not None and domains <= 0:
        yield invalid(f"{path}.minDomains", domains, _POSITIVE)
    if domains is not None and action != "DoNotSchedule":
        words = "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not "
        yield invalid(f"{path}.minDomains", domains, words + action)
    for key in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        if constraint.get(key) is not None and constraint[key] not in INCLUSIONS:
            yield unsupported(f"{path}.{key}", constraint[key], INCLUSIONS)
    yield from _label_keys_causes(constraint, path, "matchLabelKeys")
    if constraint.get("labelSelector") is not None:
        yield from selector_causes(constraint["labelSelector"], f"{path}.labelSelector")
