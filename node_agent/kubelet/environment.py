"""The environment of a container: Services, envFrom, env, the downward API, $(NAME) references.

Pure: documents in, names and values out; the shell fetches the ConfigMaps and Secrets that
`sources_of` names. Later entries win: Services first, then envFrom, then env.
Spec: P-14, S-22, D-85; kubernetes.io, "Define Dependent Environment Variables".
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, NamedTuple

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.errors import ConfigError
from node_agent.kubelet.quantities import resource_field

HOSTNAME_CHARS_MAX = 63
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_REFERENCE = re.compile(r"\$(\$|\(([^)]*)\))")


class Source(NamedTuple):
    """A ConfigMap or Secret of the pod's namespace."""

    kind: str  # "configmap" or "secret", as messages spell it
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the environment depends on besides the pod's own document."""

    pod_ip: str
    host_ip: str
    services: Sequence[Document] = ()  # all that exist now
    sources: Mapping[Source, Mapping[str, str]] = field(default_factory=dict)  # decoded


def hostname_of(pod: Document) -> str:
    """The pod's host name: spec.hostname, else its name, cut to 63 characters (D-85)."""
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:HOSTNAME_CHARS_MAX]


def sources_of(container: Document) -> frozenset[Source]:
    """The ConfigMaps and Secrets that a container's environment names."""
    found = set()
    for each in container.get("envFrom") or ():
        for key, kind in (("configMapRef", "configmap"), ("secretRef", "secret")):
            if key in each:
                found.add(Source(kind, each[key]["name"]))
    for each in container.get("env") or ():
        for key, kind in (("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")):
            if key in (each.get("valueFrom") or {}):
                found.add(Source(kind, each["valueFrom"][key]["name"]))
    return frozenset(found)


def environment(pod: Document, container: Document, around: Surroundings) -> dict[str, str]:
    """Names and values; ConfigError says what is missing (CreateContainerConfigError)."""
    env = {"PATH": PATH, "HOSTNAME": hostname_of(pod)}
    env |= service_variables(pod, around.services)
    for each in container.get("envFrom") or ():
        env |= _all_of(pod, each, around)
    for each in container.get("env") or ():
        value = _value(pod, container, each, env, around)
        if value is not None:
            env[each["name"]] = value
    return env


def expand(text: str, env: Mapping[str, str]) -> str:
    """Replace $(NAME) where NAME is known; $$ is a dollar sign; the rest stays as it is."""

    def known(found: re.Match[str]) -> str:
        if found[1] == "$":
            return "$"
        return env.get(found[2], found[0])

    return _REFERENCE.sub(known, text)


# Services


def service_variables(pod: Document, services: Iterable[Document]) -> dict[str, str]:
    """NAME_SERVICE_HOST and its kin, of the pod's namespace and of `kubernetes` (S-22)."""
    links = pod["spec"].get("enableServiceLinks", True)
    namespace = pod["metadata"]["namespace"]
    env: dict[str, str] = {}
    for service in sorted(services, key=lambda each: str(each["metadata"]["name"])):
        meta = service["metadata"]
        of_cluster = (meta["namespace"], meta["name"]) == ("default", "kubernetes")
        if of_cluster or (links and meta["namespace"] == namespace):
            env |= _variables(service)
    return env


def _variables(service: Document) -> dict[str, str]:
    spec, name = service["spec"], _upper(service["metadata"]["name"])
    ip, ports = spec.get("clusterIP"), spec.get("ports") or ()
    if not ip or ip == "None" or not ports:
        return {}
    env = {f"{name}_SERVICE_HOST": ip, f"{name}_SERVICE_PORT": str(ports[0]["port"])}
    for port in ports:
        number, protocol = str(port["port"]), port.get("protocol", "TCP")
        url, link = f"{protocol.lower()}://{ip}:{number}", f"{name}_PORT_{number}_{protocol}"
        env.setdefault(f"{name}_PORT", url)
        if port.get("name"):
            env[f"{name}_SERVICE_PORT_{_upper(port['name'])}"] = number
        env |= {
            link: url,
            f"{link}_PROTO": protocol.lower(),
            f"{link}_PORT": number,
            f"{link}_ADDR": ip,
        }
    return env


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")


# envFrom and env


def _all_of(pod: Document, entry: Mapping[str, Any], around: Surroundings) -> dict[str, str]:
    key, kind = "configMapRef", "configmap"
    if key not in entry:
        key, kind = "secretRef", "secret"
    data = _data(Source(kind, entry[key]["name"]), entry[key], around)
    prefix = entry.get("prefix") or ""
    return {prefix + name: value for name, value in (data or {}).items()}


def _data(
    source: Source, reference: Mapping[str, Any], around: Surroundings
) -> Mapping[str, str] | None:
    data = around.sources.get(source)
    if data is None and not reference.get("optional"):
        raise ConfigError(f'{source.kind} "{source.name}" not found')
    return data


def _value(
    pod: Document,
    container: Document,
    entry: Mapping[str, Any],
    env: Mapping[str, str],
    around: Surroundings,
) -> str | None:
    origin = entry.get("valueFrom") or {}
    if not origin:
        return expand(str(entry.get("value", "")), env)
    if "fieldRef" in origin:
        return pod_field(pod, origin["fieldRef"]["fieldPath"], around)
    if "resourceFieldRef" in origin:
        return resource_field(pod, container, origin["resourceFieldRef"])
    for key, kind in (("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")):
        if key in origin:
            return _one_of(pod, Source(kind, origin[key]["name"]), origin[key], around)
    raise ConfigError(f"env {entry['name']}: valueFrom {', '.join(origin)} is not supported")


def _one_of(
    pod: Document, source: Source, reference: Mapping[str, Any], around: Surroundings
) -> str | None:
    data = _data(source, reference, around)
    value = None if data is None else data.get(reference["key"])
    if value is None and not reference.get("optional"):
        kind = {"configmap": "ConfigMap", "secret": "Secret"}[source.kind]
        where = f"{pod['metadata']['namespace']}/{source.name}"
        raise ConfigError(f"couldn't find key {reference['key']} in {kind} {where}")
    return value


def pod_field(pod: Document, path: str, around: Surroundings) -> str:
    """The downward API's fieldRef (P-14)."""
    meta, spec = pod["metadata"], pod["spec"]
    fields = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta.get("uid", ""),
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.podIP": around.pod_ip,
        "status.podIPs": around.pod_ip,
        "status.hostIP": around.host_ip,
        "status.hostIPs": around.host_ip,
    }
    if path in fields:
        return str(fields[path])
    for part in ("labels", "annotations"):
        prefix = f"metadata.{part}['"
        if path.startswith(prefix) and path.endswith("']"):
            return str((meta.get(part) or {}).get(path[len(prefix) : -2], ""))
    raise ConfigError(f"fieldPath {path!r} is not one that the downward API knows")
