"""Security contexts of pods and containers: what is refused.

Pure: documents in, causes out. Here nothing acts on them, yet what makes no sense is told.
Source: Kubernetes' pkg/apis/core/validation, ValidateSecurityContext.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.mounts import descending_causes
from control.resources.validation.refusals import invalid, required, unsupported

Context = Mapping[str, Any]
ID_MAX = (1 << 31) - 1
PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
GROUP_CHANGES = ("Always", "OnRootMismatch")
GROUP_POLICIES = ("Merge", "Strict")
PROC_MOUNTS = ("Default", "Unmasked")
SYS_ADMIN = "CAP_SYS_ADMIN"


def container_security_causes(context: Context, path: str) -> Iterator[Cause]:
    """What is wrong with a container's `securityContext`."""
    yield from _id_causes(context, path, ("runAsUser", "runAsGroup"))
    mount = context.get("procMount")
    if mount is not None and mount not in PROC_MOUNTS:
        yield unsupported(f"{path}.procMount", mount, PROC_MOUNTS)
    if context.get("allowPrivilegeEscalation") is False:
        words = "cannot set `allowPrivilegeEscalation` to false and "
        if context.get("privileged"):
            yield invalid(path, context, words + "`privileged` to true")
        if SYS_ADMIN in ((context.get("capabilities") or {}).get("add") or ()):
            yield invalid(path, context, words + f"`capabilities.Add` {SYS_ADMIN}")
    yield from _profile_causes(context, path)


def pod_security_causes(spec: Context, path: str) -> Iterator[Cause]:
    """What is wrong with a pod's `securityContext`, given the rest of its spec."""
    context = spec.get("securityContext") or {}
    yield from _id_causes(context, path, ("fsGroup", "runAsUser", "runAsGroup"))
    for group in context.get("supplementalGroups") or ():
        yield from _range_cause(group, f"{path}.supplementalGroups")
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        words = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{path}.shareProcessNamespace", True, words)
    for key, known in (
        ("fsGroupChangePolicy", GROUP_CHANGES),
        ("supplementalGroupsPolicy", GROUP_POLICIES),
    ):
        if context.get(key) is not None and context[key] not in known:
            yield unsupported(f"{path}.{key}", context[key], known)
    yield from _profile_causes(context, path)


def _id_causes(context: Context, path: str, keys: tuple[str, ...]) -> Iterator[Cause]:
    for key in keys:
        if context.get(key) is not None:
            yield from _range_cause(context[key], f"{path}.{key}")


def _range_cause(number: int, path: str) -> Iterator[Cause]:
    if not 0 <= number <= ID_MAX:
        yield invalid(path, number, f"must be between 0 and {ID_MAX}, inclusive")


def _profile_causes(context: Context, path: str) -> Iterator[Cause]:
    for key, called in (("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")):
        if context.get(key) is not None:
            yield from _one_profile(context[key], f"{path}.{key}", key, called)


def _one_profile(profile: Context, path: str, field: str, called: str) -> Iterator[Cause]:
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    if not kind:
        yield required(f"{path}.type", f"type is required when {field} is set")
    elif kind not in PROFILES:
        yield unsupported(f"{path}.type", kind, PROFILES)
    if kind == "Localhost" and not local:
        words = f"must be set when {called} type is Localhost"
        yield required(f"{path}.localhostProfile", words)
    elif kind == "Localhost" and field == "seccompProfile":
        yield from descending_causes(local or "", f"{path}.localhostProfile")
    elif kind != "Localhost" and local is not None:
        words = f"can only be set when {called} type is Localhost"
        yield invalid(f"{path}.localhostProfile", local, words)
