"""Containers: what is refused.

Pure: documents in, causes out. Spec: P-29. Source: Kubernetes' pkg/apis/core/validation.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.environment import env_causes, env_from_causes
from control.resources.validation.mounts import device_causes, mount_causes
from control.resources.validation.names import label_faults, port_faults, port_name_faults
from control.resources.validation.probes import hook_causes, probe_causes
from control.resources.validation.refusals import (
    duplicate,
    forbidden,
    invalid,
    required,
    unsupported,
)
from control.resources.validation.resources import resource_causes
from control.resources.validation.security import container_security_causes
from control.resources.validation.service_ports import PROTOCOLS

Container = Mapping[str, Any]
PULLS = ("Always", "IfNotPresent", "Never")
MESSAGES = ("File", "FallbackToLogsOnError")
RESTARTS = ("Always", "OnFailure", "Never")
RESIZED, RESIZES = ("cpu", "memory"), ("NotRequired", "RestartContainer")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
ONLY_LONG = "may not be set for init containers without restartPolicy=Always"


def container_causes(
    container: Container,
    path: str,
    volumes: Collection[str],
    *,
    host_network: bool,
    grace: int | None = None,
    claims: Collection[str] = (),
) -> Iterator[Cause]:
    """What is wrong with a container, whatever it is for."""
    name, image = container.get("name") or "", container.get("image") or ""
    if not name:
        yield required(f"{path}.name")
    for fault in label_faults(name) if name else ():
        yield invalid(f"{path}.name", name, fault)
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    yield from _choice_causes(container, path)
    yield from _port_causes(container, path, host_network=host_network)
    yield from env_causes(container.get("env") or (), f"{path}.env")
    yield from env_from_causes(container.get("envFrom") or (), f"{path}.envFrom")
    yield from mount_causes(container, path, volumes)
    yield from device_causes(container, path, volumes)
    yield from resource_causes(container.get("resources") or {}, f"{path}.resources", claims)
    yield from _resize_causes(container, path)
    security = container.get("securityContext") or {}
    yield from container_security_causes(security, f"{path}.securityContext")
    yield from hook_causes(container.get("lifecycle") or {}, f"{path}.lifecycle", grace)
    for key in PROBES:
        if container.get(key) is not None:
            yield from probe_causes(container[key], f"{path}.{key}", readiness=key == PROBES[1])


def init_causes(container: Container, path: str) -> Iterator[Cause]:
    """What one that runs before the others may not have, unless it runs on beside them."""
    if container.get("restartPolicy") == "Always":
        return
    for key in ("lifecycle", *PROBES):
        if container.get(key) is not None:
            yield forbidden(f"{path}.{key}", ONLY_LONG)


def _choice_causes(container: Container, path: str) -> Iterator[Cause]:
    for key, known in (
        ("terminationMessagePolicy", MESSAGES),
        ("imagePullPolicy", PULLS),
        ("restartPolicy", RESTARTS),
    ):
        if container.get(key) and container[key] not in known:
            yield unsupported(f"{path}.{key}", container[key], known)


def _port_causes(container: Container, path: str, *, host_network: bool) -> Iterator[Cause]:
    names: set[str] = set()
    for index, port in enumerate(container.get("ports") or ()):
        place, name = f"{path}.ports[{index}]", port.get("name") or ""
        faults = port_name_faults(name) if name else []
        for fault in faults:
            yield invalid(f"{place}.name", name, fault)
        if name and not faults and name in names:
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
            words = "must match `containerPort` when `hostNetwork` is true"
            yield invalid(f"{place}.hostPort", host, words)
        if not port.get("protocol"):
            yield required(f"{place}.protocol")
        elif port["protocol"] not in PROTOCOLS:
            yield unsupported(f"{place}.protocol", port["protocol"], PROTOCOLS)


def _resize_causes(container: Container, path: str) -> Iterator[Cause]:
    """Told of the list, but for what stands twice in it."""
    seen: set[str] = set()
    place = f"{path}.resizePolicy"
    for index, policy in enumerate(container.get("resizePolicy") or ()):
        name, restart = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if name in seen:
            yield duplicate(f"{place}[{index}]", name)
        seen.add(name)
        for value, known in ((name, RESIZED), (restart, RESIZES)):
            if not value:
                yield required(place)
            elif value not in known:
                yield unsupported(place, value, known)
