"""Ingresses: what is refused.

Pure: documents in, causes out. Source: Kubernetes' pkg/apis/networking/validation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.addresses import ip_faults
from control.resources.validation.names import (
    label_faults,
    port_faults,
    subdomain_faults,
    wildcard_faults,
)
from control.resources.validation.refusals import invalid, required, unsupported

Document = Mapping[str, Any]
PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_NOT_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")


def ingress_causes(ingress: Document) -> Iterator[Cause]:
    """What is wrong with an Ingress."""
    spec = ingress.get("spec") or {}
    rules, default = spec.get("rules") or [], spec.get("defaultBackend")
    if not rules and default is None:
        words = "either `defaultBackend` or `rules` must be specified"
        yield invalid("spec", spec, words)
    if default is not None:
        yield from _backend_causes(default, "spec.defaultBackend")
    for index, rule in enumerate(rules):
        yield from _rule_causes(rule, f"spec.rules[{index}]")
    for index, entry in enumerate(spec.get("tls") or ()):
        for number, host in enumerate(entry.get("hosts") or ()):
            yield from _host_causes(host, f"spec.tls[{index}].hosts[{number}]")
    name = spec.get("ingressClassName")
    for fault in subdomain_faults(name) if name else ():
        yield invalid("spec.ingressClassName", name, fault)


def _rule_causes(rule: Document, path: str) -> Iterator[Cause]:
    if rule.get("host"):
        yield from _host_causes(rule["host"], f"{path}.host")
    http = rule.get("http")
    if http is None:
        return
    if not http.get("paths"):
        yield required(f"{path}.http.paths")
    for index, each in enumerate(http.get("paths") or ()):
        yield from _path_causes(each, f"{path}.http.paths[{index}]")


def _host_causes(host: str, path: str) -> Iterator[Cause]:
    if not ip_faults(host):
        yield invalid(path, host, "must be a DNS name, not an IP address")
        return
    for fault in wildcard_faults(host) if "*" in host else subdomain_faults(host):
        yield invalid(path, host, fault)


def _path_causes(entry: Document, path: str) -> Iterator[Cause]:
    kind, given = entry.get("pathType"), entry.get("path") or ""
    if kind is None:
        yield required(f"{path}.pathType", "pathType must be specified")
    elif kind not in PATH_TYPES:
        yield unsupported(f"{path}.pathType", kind, PATH_TYPES)
    elif kind == "ImplementationSpecific":
        if given and not given.startswith("/"):
            yield invalid(f"{path}.path", given, "must be an absolute path")
    else:
        if not given.startswith("/"):
            yield invalid(f"{path}.path", given, "must be an absolute path")
        for part in _NOT_IN_PATHS:
            if part in given:
                yield invalid(f"{path}.path", given, f"must not contain '{part}'")
    yield from _backend_causes(entry.get("backend") or {}, f"{path}.backend")


def _backend_causes(backend: Document, path: str) -> Iterator[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        words = "cannot set both resource and service backends"
        yield invalid(path, "", words)
    elif resource is None and service is None:
        yield required(path, "port name or number is required")
    elif service is not None:
        yield from _service_causes(service, f"{path}.service")


def _service_causes(service: Document, path: str) -> Iterator[Cause]:
    name, port = service.get("name") or "", service.get("port") or {}
    if not name:
        yield required(f"{path}.name")
    for fault in label_faults(name) if name else ():
        yield invalid(f"{path}.name", name, fault)
    if port.get("name") and port.get("number"):
        yield invalid(path, "", "cannot set both port name & port number")
    elif port.get("number"):
        for fault in port_faults(port["number"]):
            yield invalid(f"{path}.port.number", port["number"], fault)
    elif not port.get("name"):
        yield required(path, "port name or number is required")
