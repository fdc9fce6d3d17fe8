"""Containers: what is refused.

Pure: documents in, causes out. Spec: P-29. Source: Kubernetes' pkg/apis/core/validation.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.quantities import canonical_quantity
from control.resources.validation.amounts import greater
from control.resources.validation.names import (
    env_name_faults,
    label_faults,
    port_faults,
    port_name_faults,
)
from control.resources.validation.probes import hook_causes, probe_causes
from control.resources.validation.refusals import duplicate, invalid, required, unsupported
from control.resources.validation.service_ports import PROTOCOLS

Container = Mapping[str, Any]
PULLS = ("Always", "IfNotPresent", "Never")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
NOT_FOUND = "FieldValueNotFound"


def container_causes(
    container: Container, path: str, volumes: Collection[str], *, host_network: bool
) -> Iterator[Cause]:
    """What is wrong with a container."""
    name, image = container.get("name") or "", container.get("image") or ""
    if not name:
        yield required(f"{path}.name")
    for fault in label_faults(name) if name else ():
        yield invalid(f"{path}.name", name, fault)
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    policy = container.get("imagePullPolicy")
    if policy and policy not in PULLS:
        yield unsupported(f"{path}.imagePullPolicy", policy, PULLS)
    yield from _port_causes(container, path, host_network=host_network)
    yield from _env_causes(container, path)
    yield from _mount_causes(container, path, volumes)
    yield from _resource_causes(container.get("resources") or {}, f"{path}.resources")
    for key in PROBES:
        if container.get(key) is not None:
            yield from probe_causes(container[key], f"{path}.{key}", readiness=key == PROBES[1])
    yield from hook_causes(container.get("lifecycle") or {}, f"{path}.lifecycle")


def _port_causes(container: Container, path: str, *, host_network: bool) -> Iterator[Cause]:
    names: set[str] = set()
    for index, port in enumerate(container.get("ports") or ()):
        place, name = f"{path}.ports[{index}]", port.get("name") or ""
        for fault in port_name_faults(name) if name else ():
            yield invalid(f"{place}.name", name, fault)
        if name and name in names:
            yield duplicate(f"{place}.name", name)
        names.add(name)
        number, host = port.get("containerPort") or 0, port.get("hostPort") or 0
        if not number:
            yield required(f"{place}.containerPort")
        for fault in port_faults(number) if number else ():
            yield invalid(f"{place}.containerPort", number, fault)
        for fault in port_faults(host) if host else ():
            yield invalid(f"{place}.hostPort", host, fault)
        if host_network and host and host != number:
            words = "must match `hostPort` when `hostNetwork` is true"
            yield invalid(f"{place}.containerPort", number, words)
        if port.get("protocol") not in PROTOCOLS:
            yield unsupported(f"{place}.protocol", port.get("protocol"), PROTOCOLS)


def _env_causes(container: Container, path: str) -> Iterator[Cause]:
    for index, variable in enumerate(container.get("env") or ()):
        place, name = f"{path}.env[{index}]", variable.get("name") or ""
        if not name:
            yield required(f"{place}.name")
        for fault in env_name_faults(name) if name else ():
            yield invalid(f"{place}.name", name, fault)
        source = variable.get("valueFrom")
        if source is not None and variable.get("value"):
            words = "may not be specified when `value` is not empty"
            yield invalid(f"{place}.valueFrom", "", words)
        elif source is not None and len(source) != 1:
            words = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or "
            yield invalid(f"{place}.valueFrom", source, words + "`secretKeyRef`")


def _mount_causes(container: Container, path: str, volumes: Collection[str]) -> Iterator[Cause]:
    places: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        place = f"{path}.volumeMounts[{index}]"
        name, target = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            yield required(f"{place}.name")
        elif name not in volumes:
            yield Cause(NOT_FOUND, f'Not found: "{name}"', f"{place}.name")
        if not target:
            yield required(f"{place}.mountPath")
        elif target in places:
            yield invalid(f"{place}.mountPath", target, "must be unique")
        places.add(target)


def _resource_causes(resources: Mapping[str, Any], path: str) -> Iterator[Cause]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for which, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            spelled = canonical_quantity(str(amount))
            if spelled is not None and spelled.startswith("-"):
                words = "must be greater than or equal to 0"
                yield invalid(f"{path}.{which}[{name}]", amount, words)
    for name, amount in requests.items():
        if name in limits and greater(amount, limits[name]):
            words = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid(f"{path}.requests", amount, words)
