"""Applies manifests given to `up -f`: creates what is missing, updates what differs.

The same as `kubectl apply` for what a start needs, without a kubectl on the machine.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cluster.client.api import ApiClient
from cluster.client.interface import PatchType
from cluster.errors import ApiError, ConfigError
from cluster.objects.resources import Resource

Document = Mapping[str, Any]
FIRST = ("Namespace", "CustomResourceDefinition")


def read_manifests(paths: Iterable[Path]) -> list[tuple[str, Document]]:
    """The documents of files and of directories' files, each with where it stands."""
    found = [pair for path in paths for file in _files(path) for pair in _read(file)]
    return sorted(found, key=lambda pair: pair[1].get("kind") not in FIRST)


def parse_manifests(text: str, name: str = "manifest") -> list[tuple[str, Document]]:
    """The documents of a text, with their places."""
    found = list(_documents(text, name))
    return sorted(found, key=lambda pair: pair[1].get("kind") not in FIRST)


async def apply(api: ApiClient, documents: Iterable[tuple[str, Document]]) -> list[str]:
    """Make the cluster hold these objects; what was done, as "Deployment shop/cart created"."""
    resources: dict[tuple[str, str], Resource] = {}
    done = []
    for place, document in documents:
        key = str(document.get("apiVersion")), str(document.get("kind"))
        if key not in resources:
            resources[key] = await _resource(api, *key, place)
        done.append(await _apply(api, resources[key], document, place))
    return done


async def delete(api: ApiClient, documents: Iterable[tuple[str, Document]]) -> None:
    """Take these objects away; what is not there is fine."""
    for place, document in documents:
        api_version, kind = str(document.get("apiVersion")), str(document.get("kind"))
        resource = await _resource(api, api_version, kind, place)
        metadata = document["metadata"]
        namespace = metadata.get("namespace", "default") if resource.namespaced else None
        try:
            await api.delete(resource, metadata["name"], namespace=namespace)
        except ApiError as error:
            if error.code != 404:
                raise ConfigError(f"{place}: {error}") from error


async def _apply(api: ApiClient, resource: Resource, document: Document, place: str) -> str:
    metadata = document.get("metadata") or {}
    name = str(metadata.get("name", ""))
    namespace = str(metadata.get("namespace") or "default") if resource.namespaced else None
    full = f"{resource.kind} {namespace}/{name}" if namespace else f"{resource.kind} {name}"
    # What was written out of a cluster has a version, which what is new has not.
    named = {key: value for key, value in metadata.items() if key != "resourceVersion"}
    wanted = {**document, "metadata": {**named, **({"namespace": namespace} if namespace else {})}}
    try:
        try:
            await api.create(resource, wanted)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            await api.patch(
                resource, name, document, namespace=namespace, patch_type=PatchType.STRATEGIC
            )
            return f"{full} configured"
    except ApiError as error:
        raise ConfigError(f"{place}: {full}: {error}") from error
    return f"{full} created"


async def _resource(api: ApiClient, api_version: str, kind: str, place: str) -> Resource:
    """Ask the API under which name it serves a kind."""
    group, _, version = api_version.rpartition("/")
    path = f"/apis/{api_version}" if group else f"/api/{version}"
    try:
        listed = await api.call("GET", path)
    except ApiError as error:
        raise ConfigError(f"{place}: apiVersion {api_version} is not served: {error}") from error
    for each in listed["resources"]:
        if each["kind"] == kind and "/" not in each["name"]:
            return Resource(group, version, each["name"], kind, each["namespaced"])
    kinds = sorted({each["kind"] for each in listed["resources"]})
    raise ConfigError(f"{place}: {api_version} has no kind {kind!r}; it has {', '.join(kinds)}")


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(each for each in path.iterdir() if each.suffix in (".yaml", ".yml", ".json"))
    return [path]


def _read(path: Path) -> Iterator[tuple[str, Document]]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the manifest {path} cannot be read: {error}") from error
    yield from _documents(text, str(path))


def _documents(text: str, name: str) -> Iterator[tuple[str, Document]]:
    import yaml

    try:
        # the loader in C, where PyYAML was built with it, takes a tenth of the time
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        documents = list(yaml.load_all(text, loader))
    except yaml.YAMLError as error:
        raise ConfigError(f"{name} is not YAML: {error}") from error
    for number, document in enumerate(documents, start=1):
        if document is None:
            continue
        place = f"{name}, document {number}"
        if not isinstance(document, dict) or not document.get("kind"):
            raise ConfigError(f"{place} is no Kubernetes object: it has no kind")
        if document["kind"] == "List":
            yield from ((place, each) for each in document.get("items") or ())
        else:
            yield place, document
