"""Whether rules allow something, and whether rules cover other rules.

Pure. Source: kubernetes.io, "Using RBAC Authorization"; k8s.io/component-helpers/auth/rbac.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from control.apiserver.access.attributes import Attributes

ALL = "*"
Rule = Mapping[str, Any]
EVERYTHING: tuple[Rule, ...] = (
    {"verbs": [ALL], "apiGroups": [ALL], "resources": [ALL]},
    {"verbs": [ALL], "nonResourceURLs": [ALL]},
)


def allows(rule: Rule, wanted: Attributes) -> bool:
    """Whether one rule allows what is wanted."""
    if wanted.path:
        return _has(rule.get("verbs"), wanted.verb) and any(
            _path_fits(each, wanted.path) for each in rule.get("nonResourceURLs") or ()
        )
    return (
        _has(rule.get("verbs"), wanted.verb)
        and _has(rule.get("apiGroups"), wanted.group)
        and _resource_fits(rule.get("resources") or (), wanted.resource)
        and _name_fits(rule.get("resourceNames") or (), wanted.name)
    )


def uncovered(owned: Sequence[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """The rules that somebody with the owned ones may not hand on, taken apart."""
    return [
        part
        for rule in wanted
        for part in _parts(rule)
        if not any(_covers(each, part) for each in owned)
    ]


def _parts(rule: Rule) -> list[Rule]:
    """One rule for each verb, group, resource, name or path."""
    verbs = rule.get("verbs") or ()
    paths = [
        {"verbs": [verb], "nonResourceURLs": [path]}
        for verb, path in product(verbs, rule.get("nonResourceURLs") or ())
    ]
    names = rule.get("resourceNames") or (None,)
    found = product(verbs, rule.get("apiGroups") or (), rule.get("resources") or (), names)
    return [
        *paths,
        *(
            {
                "verbs": [verb],
                "apiGroups": [group],
                "resources": [resource],
                **({"resourceNames": [name]} if name is not None else {}),
            }
            for verb, group, resource, name in found
        ),
    ]


def _covers(owned: Rule, part: Rule) -> bool:
    (verb,) = part["verbs"]
    if not _has(owned.get("verbs"), verb):
        return False
    if "nonResourceURLs" in part:
        (path,) = part["nonResourceURLs"]
        return any(_path_fits(each, path) for each in owned.get("nonResourceURLs") or ())
    (group,), (resource,) = part["apiGroups"], part["resources"]
    names = owned.get("resourceNames") or ()
    wanted = part.get("resourceNames")
    return (
        _has(owned.get("apiGroups"), group)
        and _resource_fits(owned.get("resources") or (), resource)
        and (not names or (wanted is not None and wanted[0] in names))
    )


def _has(values: Any, wanted: str) -> bool:
    return bool(values) and (wanted in values or ALL in values)


def _resource_fits(resources: Sequence[str], wanted: str) -> bool:
    if wanted in resources or ALL in resources:
        return True
    _, slash, subresource = wanted.partition("/")
    return bool(slash) and f"{ALL}/{subresource}" in resources


def _name_fits(names: Sequence[str], wanted: str) -> bool:
    return not names or wanted in names


def _path_fits(pattern: str, path: str) -> bool:
    if pattern.endswith(ALL):
        return path.startswith(pattern.rstrip(ALL))
    return pattern == path
