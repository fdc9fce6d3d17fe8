"""What the API says of itself: version, health, discovery, OpenAPI, newest versions of objects.

Each answer has an ETag: a client that sends it back in If-None-Match gets 304 and no body.
"""

import hashlib
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from cluster import KUBERNETES, __version__
from control.apiserver import discovery, statuses
from control.apiserver.access.virtual import virtual_kinds
from control.apiserver.answer import Answer, answer_json, answer_text
from control.apiserver.codec import media_types
from control.resources import openapi
from control.resources.catalogue import Catalogue
from control.resources.kinds import Kind
from control.resources.openapi import V3_ROOT, OpenApi
from control.store.store import Store

HEALTH_PATHS = frozenset({"/healthz", "/livez", "/readyz"})
IMMUTABLE_SECONDS = 31_536_000

ANSWERS_MAX = 256  # Accept headers are the clients'

Query = Mapping[str, str]


class Facts:
    """GET of everything that is no resource."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue
        self._openapi = OpenApi(catalogue)
        self._generation = catalogue.generation
        self._cached: dict[tuple[str, str], Answer] = {}

    def answer(self, path: str, accept: str, query: Query, if_none_match: str = "") -> Answer:
        """The answer to a GET, or ApiError 404 or 406."""
        trimmed = path.rstrip("/") or "/"
        if trimmed in HEALTH_PATHS:
            return answer_text("ok")
        if trimmed == "/kubehop/v1/resource-versions":
            return answer_json(newest_versions(self._store))
        if trimmed == "/openapi/v2":
            return openapi_v2(self._openapi, accept, if_none_match)
        if trimmed.startswith(f"{V3_ROOT}/"):
            document = trimmed.removeprefix(f"{V3_ROOT}/")
            return openapi_v3(self._openapi, document, query.get("hash", ""), if_none_match)
        return _unless_known(self._remembered(trimmed, accept), if_none_match)

    def _remembered(self, path: str, accept: str) -> Answer:
        if self._generation != self._catalogue.generation:
            self._generation = self._catalogue.generation
            self._cached.clear()
        key = path, accept
        if key not in self._cached:
            served = (*self._catalogue, *virtual_kinds())
            self._cached[key] = _made(served, self._openapi, path, accept)
            if len(self._cached) > ANSWERS_MAX:
                self._cached.pop(next(iter(self._cached)))
        return self._cached[key]


def version() -> dict[str, str]:
    """As kubectl prints it: the Kubernetes whose API this is, built by kubehop."""
    major, minor = KUBERNETES
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"v{major}.{minor}.0+kubehop.{__version__}",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": platform.python_implementation(),
        "platform": f"linux/{_architecture()}",
    }


def newest_versions(store: Store) -> dict[str, str]:
    """The version of the last change of each resource, by plural."""
    return {plural: str(store.feed((group, plural)).newest) for group, plural in store.resources()}


def openapi_v3(documents: OpenApi, path: str, wanted_hash: str, if_none_match: str) -> Answer:
    """A group version's document; at its hash it may be kept for good."""
    current = documents.v3_hash(path)
    if current is None:
        raise statuses.no_such_path()
    if wanted_hash not in ("", current):
        return Answer(b"", 301, headers={"Location": documents.v3_address(path)})
    headers = {"ETag": f'"{current}"', "Vary": "Accept"}
    if wanted_hash:
        headers["Cache-Control"] = f"public, immutable, max-age={IMMUTABLE_SECONDS}"
    if _names(if_none_match, headers["ETag"]):
        return Answer(b"", 304, headers=headers)
    body = documents.v3_document(path)
    assert body is not None, f"{path} has a hash and no document"
    return Answer(body, headers=headers)


def openapi_v2(documents: OpenApi, accept: str, if_none_match: str) -> Answer:
    """The Swagger document, in protobuf alone: whoever asks for JSON is told so."""
    types = {media_type for media_type, _ in media_types(accept)}
    if not types & {*openapi.V2_ASKED_FOR, "application/*", "*/*", ""}:
        raise statuses.not_acceptable((openapi.V2_MEDIA_TYPE,))
    headers = {"ETag": f'"{documents.v2_hash()}"', "Vary": "Accept"}
    if _names(if_none_match, headers["ETag"]):
        return Answer(b"", 304, headers=headers)
    return Answer(documents.v2_protobuf(), 200, openapi.V2_MEDIA_TYPE, headers)


# -- what is made once


def _made(kinds: Sequence[Kind], documents: OpenApi, path: str, accept: str) -> Answer:
    if path in ("/api", "/apis"):
        return _tagged(_root(kinds, path, accept))
    simple: dict[str, Callable[[], Any]] = {
        "/version": version,
        "/": lambda: _paths(kinds, documents),
        V3_ROOT: documents.v3_index,
    }
    document = simple[path]() if path in simple else _group_document(kinds, path)
    if document is None:
        raise statuses.no_such_path()
    return _tagged(answer_json(document))


def _group_document(kinds: Sequence[Kind], path: str) -> Any:
    match path.strip("/").split("/"):
        case ["api", name]:
            return discovery.api_resource_list(kinds, "", name)
        case ["apis", group]:
            return discovery.api_group(kinds, group)
        case ["apis", group, name] if group:
            return discovery.api_resource_list(kinds, group, name)
    return None


def _root(kinds: Sequence[Kind], path: str, accept: str) -> Answer:
    """Aggregated discovery where the client knows it, the legacy form elsewhere."""
    for media_type, parameters in media_types(accept):
        if media_type not in ("application/json", "*/*"):
            continue
        form = parameters.get("as"), parameters.get("g"), parameters.get("v", "")
        if form[:2] == ("APIGroupDiscoveryList", "apidiscovery.k8s.io"):
            if form[2] in ("v2", "v2beta1"):
                document = discovery.aggregated(kinds, path == "/api", form[2])
                content_type = f"application/json;g={form[1]};v={form[2]};as={form[0]}"
                return Answer(orjson.dumps(document), 200, content_type)
        elif "as" not in parameters:
            break
    legacy = discovery.api_versions() if path == "/api" else discovery.api_group_list(kinds)
    return answer_json(legacy)


def _paths(kinds: Sequence[Kind], openapi_documents: OpenApi) -> dict[str, Iterable[str]]:
    groups = discovery.api_group_list(kinds)["groups"]
    roots = [f"/apis/{group['name']}" for group in groups]
    versions = [f"/apis/{each['groupVersion']}" for group in groups for each in group["versions"]]
    documents = [f"{V3_ROOT}/{path}" for path in openapi_documents.v3_index()["paths"]]
    fixed = ["/api", "/api/v1", "/apis", *HEALTH_PATHS, "/openapi/v2", V3_ROOT, "/version"]
    return {"paths": sorted([*fixed, *roots, *versions, *documents])}


# -- what clients know already


def _tagged(answer: Answer) -> Answer:
    digest = hashlib.sha256(answer.body).hexdigest().upper()
    return replace(answer, headers={**answer.headers, "ETag": f'"{digest}"', "Vary": "Accept"})


def _unless_known(answer: Answer, if_none_match: str) -> Answer:
    known = _names(if_none_match, answer.headers["ETag"])
    return replace(answer, body=b"", code=304) if known else answer


def _names(if_none_match: str, tag: str) -> bool:
    """Whether a client's list of tags has this one (RFC 9110, section 13.1.2)."""
    given = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return tag in given or given == ["*"]


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
