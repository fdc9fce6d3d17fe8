"""The objects that a test applies: a file, YAML text, or documents.

A text with a line end is YAML; one without is a path, looked for in the test's `app_dir` and then
in the current directory.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cluster.errors import ConfigError
from cluster.launcher.manifests import parse_manifests

Document = Mapping[str, Any]
Manifests = str | Path | Document | Iterable[Document]
Placed = tuple[str, Document]  # where it stands, for error messages; the object


def read_manifests(what: Manifests, directory: Path) -> list[Placed]:
    """The objects in order, namespaces first; ConfigError says which file or object is wrong."""
    found = [(place, _checked(each, place)) for place, each in _read(what, directory)]
    if not found:
        raise ConfigError(f"there is no object in {what!r}")
    return found


def _read(what: Manifests, directory: Path) -> list[Placed]:
    if isinstance(what, Mapping):
        return [("document", what)]
    if isinstance(what, str) and "\n" in what:
        return parse_manifests(what, "text")
    if isinstance(what, str | Path):
        path = _find(Path(what), directory)
        return parse_manifests(path.read_text(), str(path))
    return [(f"document {number}", each) for number, each in enumerate(what, 1)]


def _find(path: Path, directory: Path) -> Path:
    tried = [directory / path, Path.cwd() / path]
    for candidate in tried:
        if candidate.is_file():
            return candidate
    places = " nor ".join(dict.fromkeys(map(str, tried)))
    raise ConfigError(f"no manifest: neither {places} is a file")


def _checked(document: Document, place: str) -> Document:
    metadata = document.get("metadata")
    named = {
        "apiVersion": document.get("apiVersion"),
        "kind": document.get("kind"),
        "metadata.name": metadata.get("name") if isinstance(metadata, Mapping) else None,
    }
    for field, value in named.items():
        if not isinstance(value, str) or not value:
            raise ConfigError(f"{place} is no Kubernetes object: it has no {field}")
    return document
