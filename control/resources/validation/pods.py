"""Pods, alone and in templates: what is refused.

Pure: documents in, causes out. Spec: P-29, P-33, P-42. Source: Kubernetes'
pkg/apis/core/validation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.addresses import ip_faults
from control.resources.validation.containers import container_causes
from control.resources.validation.metadata import annotation_causes, label_causes
from control.resources.validation.names import label_faults, subdomain_faults
from control.resources.validation.refusals import (
    duplicate,
    forbidden,
    invalid,
    required,
    unsupported,
)

Spec = Mapping[str, Any]
RESTARTS = ("Always", "Never", "OnFailure")
DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
EFFECTS = ("NoExecute", "NoSchedule", "PreferNoSchedule")
NAMESERVERS_MAX = 3


def pod_causes(pod: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with a pod."""
    yield from pod_spec_causes(pod.get("spec") or {}, "spec")


def template_causes(template: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """What is wrong with a pod template."""
    metadata = template.get("metadata") or {}
    yield from label_causes(metadata.get("labels") or {}, f"{path}.labels")
    yield from annotation_causes(metadata.get("annotations") or {}, f"{path}.annotations")
    yield from pod_spec_causes(template.get("spec") or {}, f"{path}.spec")


def pod_spec_causes(spec: Spec, path: str) -> Iterator[Cause]:
    """What is wrong with a pod's spec, wherever it stands."""
    volumes = _volume_names(spec)
    yield from _volume_causes(spec, path)
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    names: set[str] = set()
    host = bool(spec.get("hostNetwork"))
    for key in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(key) or ()):
            place = f"{path}.{key}[{index}]"
            yield from container_causes(container, place, volumes, host_network=host)
            if container.get("name") and container["name"] in names:
                yield duplicate(f"{place}.name", container["name"])
            names.add(container.get("name") or "")
    yield from _host_port_causes(spec, path)
    yield from _choice_causes(spec, path)
    yield from _dns_causes(spec, path)
    yield from _placement_causes(spec, path)


def _choice_causes(spec: Spec, path: str) -> Iterator[Cause]:
    for key, known in (("restartPolicy", RESTARTS), ("dnsPolicy", DNS_POLICIES)):
        if spec.get(key) and spec[key] not in known:
            yield unsupported(f"{path}.{key}", spec[key], known)
    seconds = spec.get("terminationGracePeriodSeconds")
    if seconds is not None and seconds < 0:
        words = "must be greater than or equal to 0"
        yield invalid(f"{path}.terminationGracePeriodSeconds", seconds, words)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline < 1 << 31:
        words = f"must be between 1 and {(1 << 31) - 1}, inclusive"
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, words)
    for key in ("serviceAccountName", "nodeName"):
        for fault in subdomain_faults(spec[key]) if spec.get(key) else ():
            yield invalid(f"{path}.{key}", spec[key], fault)


def _dns_causes(spec: Spec, path: str) -> Iterator[Cause]:
    for key in ("hostname", "subdomain"):
        for fault in label_faults(spec[key]) if spec.get(key) else ():
            yield invalid(f"{path}.{key}", spec[key], fault)
    servers = (spec.get("dnsConfig") or {}).get("nameservers") or []
    if spec.get("dnsPolicy") == "None" and not servers:
        words = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield required(f"{path}.dnsConfig.nameservers", words)
    if len(servers) > NAMESERVERS_MAX:
        words = f"must not have more than {NAMESERVERS_MAX} nameservers"
        yield invalid(f"{path}.dnsConfig.nameservers", servers, words)
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        for fault in ip_faults(alias.get("ip") or ""):
            yield invalid(f"{path}.hostAliases[{index}].ip", alias.get("ip") or "", fault)


def _placement_causes(spec: Spec, path: str) -> Iterator[Cause]:
    yield from label_causes(spec.get("nodeSelector") or {}, f"{path}.nodeSelector")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from _toleration_causes(toleration, f"{path}.tolerations[{index}]")


def _toleration_causes(toleration: Mapping[str, Any], path: str) -> Iterator[Cause]:
    operator, effect = toleration.get("operator") or "Equal", toleration.get("effect")
    if operator not in ("Equal", "Exists", "Gt", "Lt"):
        yield unsupported(f"{path}.operator", operator, ("Equal", "Exists"))
    if not toleration.get("key") and operator != "Exists":
        words = 'operator must be Exists when `key` is empty, which means "match all values and '
        yield invalid(f"{path}.operator", operator, words + 'all keys"')
    if operator == "Exists" and toleration.get("value"):
        words = "value must be empty when `operator` is 'Exists'"
        yield invalid(f"{path}.operator", toleration, words)
    if effect and effect not in EFFECTS:
        yield unsupported(f"{path}.effect", effect, EFFECTS)
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        words = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield invalid(f"{path}.effect", effect or "", words)


def _host_port_causes(spec: Spec, path: str) -> Iterator[Cause]:
    """One address, protocol and port of the node twice in a pod (P-33)."""
    seen: set[str] = set()
    for index, container in enumerate(spec.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            named = f"{port.get('protocol')}/{port.get('hostIP') or ''}/{port['hostPort']}"
            if named in seen:
                yield duplicate(f"{path}.containers[{index}].ports[{number}].hostPort", named)
            seen.add(named)


def _volume_names(spec: Spec) -> frozenset[str]:
    return frozenset(volume.get("name") or "" for volume in spec.get("volumes") or ())


def _volume_causes(spec: Spec, path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or ()):
        place, name = f"{path}.volumes[{index}]", volume.get("name") or ""
        if not name:
            yield required(f"{place}.name")
        for fault in label_faults(name) if name else ():
            yield invalid(f"{place}.name", name, fault)
        if name and name in seen:
            yield duplicate(f"{place}.name", name)
        seen.add(name)
        sources = [key for key in volume if key != "name"]
        if not sources:
            yield required(place, "must specify a volume type")
        for source in sources[1:]:
            yield forbidden(f"{place}.{source}", "may not specify more than 1 volume type")
