"""Pods, alone and in templates: what is refused.

Pure: documents in, causes out. Spec: P-29, P-33, P-42. Source: Kubernetes'
pkg/apis/core/validation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.addresses import ip_faults
from control.resources.validation.containers import container_causes, init_causes
from control.resources.validation.metadata import annotation_causes, label_causes
from control.resources.validation.names import label_faults, subdomain_faults
from control.resources.validation.placement import placement_causes
from control.resources.validation.refusals import (
    duplicate,
    forbidden,
    invalid,
    required,
    unsupported,
)
from control.resources.validation.security import pod_security_causes
from control.resources.validation.volumes import volume_causes

Spec = Mapping[str, Any]
RESTARTS = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
PREEMPTIONS = ("PreemptLowerPriority", "Never")
SYSTEMS = ("linux", "windows")
NAMESERVERS_MAX, SEARCHES_MAX, SEARCH_CHARACTERS_MAX = 3, 32, 2048


def pod_causes(pod: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with a pod."""
    yield from pod_spec_causes(pod.get("spec") or {}, "spec")


def template_causes(template: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """What is wrong with a pod template."""
    metadata = template.get("metadata") or {}
    yield from label_causes(metadata.get("labels") or {}, f"{path}.labels")
    yield from annotation_causes(metadata.get("annotations") or {}, f"{path}.annotations")
    spec = template.get("spec") or {}
    yield from pod_spec_causes(spec, f"{path}.spec")
    if spec.get("ephemeralContainers"):
        words = "ephemeral containers not allowed in pod template"
        yield forbidden(f"{path}.spec.ephemeralContainers", words)


def pod_spec_causes(spec: Spec, path: str) -> Iterator[Cause]:
    """What is wrong with a pod's spec, wherever it stands."""
    yield from volume_causes(spec.get("volumes") or (), f"{path}.volumes")
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    names: set[str] = set()
    for key in ("containers", "initContainers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(key) or ()):
            place = f"{path}.{key}[{index}]"
            yield from _container_causes(spec, key, container, place)
            if container.get("name") and container["name"] in names:
                yield duplicate(f"{place}.name", container["name"])
            names.add(container.get("name") or "")
    yield from _host_port_causes(spec, path)
    yield from _choice_causes(spec, path)
    yield from pod_security_causes(spec, f"{path}.securityContext")
    yield from _dns_causes(spec, path)
    yield from placement_causes(spec, path)


def _container_causes(spec: Spec, key: str, container: Spec, path: str) -> Iterator[Cause]:
    yield from container_causes(
        container,
        path,
        frozenset(volume.get("name") or "" for volume in spec.get("volumes") or ()),
        host_network=bool(spec.get("hostNetwork")),
        grace=spec.get("terminationGracePeriodSeconds"),
        claims=[claim.get("name") or "" for claim in spec.get("resourceClaims") or ()],
    )
    if key == "initContainers":
        yield from init_causes(container, path)


def _choice_causes(spec: Spec, path: str) -> Iterator[Cause]:
    for key, known in (
        ("restartPolicy", RESTARTS),
        ("dnsPolicy", DNS_POLICIES),
        ("preemptionPolicy", PREEMPTIONS),
    ):
        if spec.get(key) and spec[key] not in known:
            yield unsupported(f"{path}.{key}", spec[key], known)
    system = (spec.get("os") or {}).get("name")
    if system is not None and system not in SYSTEMS:
        yield unsupported(f"{path}.os.name" if system else f"{path}.os", system, SYSTEMS)
    seconds = spec.get("terminationGracePeriodSeconds")
    if seconds is not None and seconds < 0:
        words = "must be greater than or equal to 0"
        yield invalid(f"{path}.terminationGracePeriodSeconds", seconds, words)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline < 1 << 31:
        words = f"must be between 1 and {(1 << 31) - 1}, inclusive"
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, words)
    for key in ("serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"):
        for fault in subdomain_faults(spec[key]) if spec.get(key) else ():
            yield invalid(f"{path}.{key}", spec[key], fault)


def _dns_causes(spec: Spec, path: str) -> Iterator[Cause]:
    for key in ("hostname", "subdomain"):
        for fault in label_faults(spec[key]) if spec.get(key) else ():
            yield invalid(f"{path}.{key}", spec[key], fault)
    config = spec.get("dnsConfig") or {}
    servers = config.get("nameservers") or []
    if spec.get("dnsPolicy") == "None" and spec.get("dnsConfig") is None:
        yield required(f"{path}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")
    elif spec.get("dnsPolicy") == "None" and not servers:
        words = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        yield required(f"{path}.dnsConfig.nameservers", words)
    if len(servers) > NAMESERVERS_MAX:
        words = f"must not have more than {NAMESERVERS_MAX} nameservers"
        yield invalid(f"{path}.dnsConfig.nameservers", servers, words)
    for index, server in enumerate(servers):
        for fault in ip_faults(server):
            yield invalid(f"{path}.dnsConfig.nameservers[{index}]", server, fault)
    yield from _search_causes(config.get("searches") or [], f"{path}.dnsConfig.searches")
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            yield required(f"{path}.dnsConfig.options[{index}]", "must not be empty")
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        for fault in ip_faults(alias.get("ip") or ""):
            yield invalid(f"{path}.hostAliases[{index}].ip", alias.get("ip") or "", fault)
        for number, name in enumerate(alias.get("hostnames") or ()):
            for fault in subdomain_faults(name):
                yield invalid(f"{path}.hostAliases[{index}].hostnames[{number}]", name, fault)


def _search_causes(searches: list[str], path: str) -> Iterator[Cause]:
    if len(searches) > SEARCHES_MAX:
        yield invalid(path, searches, f"must not have more than {SEARCHES_MAX} search paths")
    if len(" ".join(searches)) > SEARCH_CHARACTERS_MAX:
        words = f"must not have more than {SEARCH_CHARACTERS_MAX} characters (including spaces) "
        yield invalid(path, searches, words + "in the search list")
    for index, search in enumerate(searches):
        name = search.removesuffix(".").replace("_", "a")  # resolvers take underscores
        for fault in () if search == "." else subdomain_faults(name):
            yield invalid(f"{path}[{index}]", search, fault)


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
