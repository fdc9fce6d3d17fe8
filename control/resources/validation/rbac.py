"""Roles and their bindings: what is refused.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/rbac/validation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.refusals import invalid, required, unsupported

Document = Mapping[str, Any]
GROUP = "rbac.authorization.k8s.io"
SUBJECTS = ("Group", "ServiceAccount", "User")
_OF_RESOURCES = ("apiGroups", "resources", "resourceNames")


def role_causes(role: Document) -> Iterator[Cause]:
    """What is wrong with a Role, which is of one namespace."""
    for index, rule in enumerate(role.get("rules") or ()):
        yield from _rule_causes(rule, f"rules[{index}]", namespaced=True)


def cluster_role_causes(role: Document) -> Iterator[Cause]:
    """What is wrong with a ClusterRole."""
    for index, rule in enumerate(role.get("rules") or ()):
        yield from _rule_causes(rule, f"rules[{index}]", namespaced=False)


def role_binding_causes(binding: Document) -> Iterator[Cause]:
    """What is wrong with a RoleBinding."""
    yield from _binding_causes(binding, ("ClusterRole", "Role"), namespaced=True)


def cluster_role_binding_causes(binding: Document) -> Iterator[Cause]:
    """What is wrong with a ClusterRoleBinding."""
    yield from _binding_causes(binding, ("ClusterRole",), namespaced=False)


def _rule_causes(rule: Document, path: str, *, namespaced: bool) -> Iterator[Cause]:
    if not rule.get("verbs"):
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            words = "namespaced rules cannot apply to non-resource URLs"
            yield invalid(f"{path}.nonResourceURLs", urls, words)
        if any(rule.get(key) for key in _OF_RESOURCES):
            words = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid(f"{path}.nonResourceURLs", urls, words)
        return
    if not rule.get("apiGroups"):
        yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(f"{path}.resources", "resource rules must supply at least one resource")


def _binding_causes(
    binding: Document, kinds: tuple[str, ...], *, namespaced: bool
) -> Iterator[Cause]:
    role = binding.get("roleRef") or {}
    if role.get("apiGroup") != GROUP:
        yield unsupported("roleRef.apiGroup", role.get("apiGroup") or "", (GROUP,))
    if role.get("kind") not in kinds:
        yield unsupported("roleRef.kind", role.get("kind") or "", kinds)
    if not role.get("name"):
        yield required("roleRef.name")
    for index, subject in enumerate(binding.get("subjects") or ()):
        yield from _subject_causes(subject, f"subjects[{index}]", namespaced=namespaced)


def _subject_causes(subject: Document, path: str, *, namespaced: bool) -> Iterator[Cause]:
    if not subject.get("name"):
        yield required(f"{path}.name")
    kind, group = subject.get("kind") or "", subject.get("apiGroup") or ""
    if kind not in SUBJECTS:
        yield unsupported(f"{path}.kind", kind, SUBJECTS)
        return
    wanted = "" if kind == "ServiceAccount" else GROUP
    if group != wanted:
        yield unsupported(f"{path}.apiGroup", group, (wanted,))
    if kind == "ServiceAccount" and not namespaced and not subject.get("namespace"):
        yield required(f"{path}.namespace")
