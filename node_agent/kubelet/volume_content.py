"""What is in a volume that the API fills: configMap, secret, downwardAPI, projected.

Pure: documents in, files out; the shell (`volumes`) fetches what `sources_of` and `tokens_of` name.
Spec: kubernetes.io, "Volumes", "Projected Volumes"; messages are the kubelet's.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, NamedTuple

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.errors import ConfigError
from node_agent.kubelet.environment import Source, Surroundings, pod_field
from node_agent.kubelet.quantities import resource_field

DEFAULT_MODE = 0o644
TOKEN_SECONDS = 3600
API_KINDS = ("configMap", "secret", "downwardAPI", "projected")
AUTOMATIC = "kube-api-access-"  # the volume that admission adds to each pod
Data = Mapping[str, bytes]


class TokenWish(NamedTuple):
    """A token of the pod's ServiceAccount that a volume holds."""

    audience: str
    seconds: int


@dataclass(frozen=True, slots=True)
class FileContent:
    """One file."""

    data: bytes
    mode: int = DEFAULT_MODE


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was fetched for a pod's volumes."""

    sources: Mapping[Source, Data] = field(default_factory=dict)
    tokens: Mapping[TokenWish, str] = field(default_factory=dict)
    around: Surroundings


def kind_of(volume: Document) -> str:
    """The volume's plugin: "configMap", "emptyDir" ..."""
    return next((key for key in volume if key != "name"), "emptyDir")


def is_filled(volume: Document) -> bool:
    """Whether the API fills it."""
    return kind_of(volume) in API_KINDS


def parts_of(volume: Document) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(kind, reference) of everything that fills a volume."""
    kind = kind_of(volume)
    if kind != "projected":
        yield kind, volume[kind] or {}
        return
    for source in (volume[kind] or {}).get("sources") or ():
        for key, reference in source.items():
            yield key, reference or {}


def sources_of(volume: Document) -> frozenset[Source]:
    """The ConfigMaps and Secrets that fill a volume."""
    return frozenset(
        _source(kind, reference)
        for kind, reference in parts_of(volume)
        if kind in ("configMap", "secret")
    )


def _source(kind: str, reference: Mapping[str, Any]) -> Source:
    name = reference.get("name") or reference.get("secretName") or ""
    return Source(kind.lower(), str(name))


def tokens_of(volume: Document) -> frozenset[TokenWish]:
    """The tokens that a volume holds."""
    return frozenset(
        TokenWish(
            reference.get("audience") or "",
            int(reference.get("expirationSeconds") or TOKEN_SECONDS),
        )
        for kind, reference in parts_of(volume)
        if kind == "serviceAccountToken"
    )


def data_of(kind: str, document: Document) -> dict[str, bytes]:
    """The keys of a ConfigMap or Secret as bytes."""
    if kind == "secret":
        return {key: b64decode(value) for key, value in (document.get("data") or {}).items()}
    text = {key: str(value).encode() for key, value in (document.get("data") or {}).items()}
    return text | {key: b64decode(v) for key, v in (document.get("binaryData") or {}).items()}


def content(pod: Document, volume: Document, known: Known) -> dict[str, FileContent]:
    """The files by path; ConfigError says what is missing (FailedMount)."""
    kind = kind_of(volume)
    default = int((volume[kind] or {}).get("defaultMode") or DEFAULT_MODE)
    files: dict[str, FileContent] = {}
    for part, reference in parts_of(volume):
        files |= _part(pod, part, reference, default, known)
    return files


def _part(
    pod: Document, kind: str, reference: Mapping[str, Any], mode: int, known: Known
) -> dict[str, FileContent]:
    match kind:
        case "configMap" | "secret":
            return _keys(kind, reference, mode, known)
        case "downwardAPI":
            return {
                item["path"]: FileContent(
                    _downward(pod, item, known.around).encode(), int(item.get("mode") or mode)
                )
                for item in reference.get("items") or ()
            }
        case "serviceAccountToken":
            seconds = int(reference.get("expirationSeconds") or TOKEN_SECONDS)
            token = known.tokens[TokenWish(reference.get("audience") or "", seconds)]
            return {reference["path"]: FileContent(token.encode(), mode)}
    raise ConfigError(f"a projected source {kind} is not supported by kubehop")


def _keys(
    kind: str, reference: Mapping[str, Any], mode: int, known: Known
) -> dict[str, FileContent]:
    source = _source(kind, reference)
    optional = bool(reference.get("optional"))
    data = known.sources.get(source)
    if data is None:
        if optional:
            return {}
        raise ConfigError(f'{source.kind} "{source.name}" not found')
    items: Sequence[Mapping[str, Any]] = reference.get("items") or ()
    if not items:
        return {key: FileContent(value, mode) for key, value in data.items()}
    files = {}
    for item in items:
        if item["key"] in data:
            own = int(item.get("mode") or mode)
            files[str(item["path"])] = FileContent(data[item["key"]], own)
        elif not optional:
            what = "config" if kind == "configMap" else "secret"
            raise ConfigError(f"references non-existent {what} key: {item['key']}")
    return files


def _downward(pod: Document, item: Mapping[str, Any], around: Surroundings) -> str:
    if "resourceFieldRef" in item:
        return resource_field(pod, {}, item["resourceFieldRef"])
    path = item["fieldRef"]["fieldPath"]
    if path in ("metadata.labels", "metadata.annotations"):
        mapping = pod["metadata"].get(path.partition(".")[2]) or {}
        return "\n".join(f"{key}={_quoted(mapping[key])}" for key in sorted(mapping))
    return pod_field(pod, path, around)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
