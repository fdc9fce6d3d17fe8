"""Probes and lifecycle hooks: what is refused.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/core/validation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.names import header_name_faults
from control.resources.validation.refusals import forbidden, invalid, required, unsupported
from control.resources.validation.service_ports import target_causes

Probe = Mapping[str, Any]
PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
SCHEMES = ("HTTP", "HTTPS")
SECONDS = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)


def probe_causes(probe: Probe, path: str, *, readiness: bool) -> Iterator[Cause]:
    """What is wrong with a probe."""
    yield from _handler_causes(probe, path, PROBE_HANDLERS)
    for key in SECONDS:
        if (probe.get(key) or 0) < 0:
            yield invalid(f"{path}.{key}", probe[key], "must be greater than or equal to 0")
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0")
    if grace is not None and readiness:
        words = "must not be set for readinessProbes"
        yield invalid(f"{path}.terminationGracePeriodSeconds", grace, words)
    threshold = probe.get("successThreshold")
    if not readiness and threshold not in (None, 1):
        yield invalid(f"{path}.successThreshold", threshold, "must be 1")


def hook_causes(
    lifecycle: Mapping[str, Any], path: str, grace: int | None = None
) -> Iterator[Cause]:
    """What is wrong with a container's hooks; they do not sleep longer than the pod has to end."""
    for key in ("postStart", "preStop"):
        if lifecycle.get(key) is None:
            continue
        yield from _handler_causes(lifecycle[key], f"{path}.{key}", HOOK_HANDLERS)
        seconds = (lifecycle[key].get("sleep") or {}).get("seconds") or 0
        if grace is not None and not 0 <= seconds <= max(grace, 0):
            words = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            yield invalid(f"{path}.{key}.sleep", seconds, words)


def _handler_causes(
    holder: Mapping[str, Any], path: str, known: tuple[str, ...]
) -> Iterator[Cause]:
    chosen = [key for key in known if holder.get(key) is not None]
    if not chosen:
        yield required(path, "must specify a handler type")
    for extra in chosen[1:]:
        yield forbidden(f"{path}.{extra}", "may not specify more than 1 handler type")
    for key in chosen[:1]:
        yield from _details(key, holder[key], f"{path}.{key}")


def _details(kind: str, handler: Mapping[str, Any], path: str) -> Iterator[Cause]:
    if kind == "exec":
        if not handler.get("command"):
            yield required(f"{path}.command")
        return
    if kind == "sleep":
        return
    yield from target_causes(handler.get("port", 0), f"{path}.port")
    if kind != "httpGet":
        return
    if not handler.get("path", "/"):
        yield required(f"{path}.path")
    if handler.get("scheme", "HTTP") not in SCHEMES:
        yield unsupported(f"{path}.scheme", handler["scheme"], SCHEMES)
    for header in handler.get("httpHeaders") or ():
        for fault in header_name_faults(header.get("name") or ""):
            yield invalid(f"{path}.httpHeaders", header.get("name") or "", fault)
