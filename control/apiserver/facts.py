"""What the API says of itself: version, health, discovery, OpenAPI, newest versions of objects."""

import platform
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from cluster import __version__
from control.apiserver import discovery, statuses
from control.apiserver.answer import Answer, answer_json, answer_text
from control.apiserver.codec import media_types
from control.store.store import Store

KUBERNETES = ("1", "37")
HEALTH_PATHS = frozenset({"/healthz", "/livez", "/readyz"})
IMMUTABLE_SECONDS = 31_536_000

Query = Mapping[str, str]


class Facts:
    """GET of everything that is no resource."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cached: dict[tuple[str, str], Answer] = {}

    def answer(self, path: str, accept: str, query: Query) -> Answer:
        """The answer to a GET, or ApiError 404."""
        trimmed = path.rstrip("/") or "/"
        if trimmed in HEALTH_PATHS:
            return answer_text("ok")
        if trimmed == "/kubehop/v1/resource-versions":
            return answer_json(newest_versions(self._store))
        if trimmed == "/openapi/v2":
            return _openapi_v2()
        if trimmed.startswith("/openapi/v3/"):
            return _openapi_v3(trimmed.removeprefix("/openapi/v3/"))
        key = trimmed, accept
        if key not in self._cached:
            self._cached[key] = self._make(trimmed, accept)
            if len(self._cached) > 256:  # Accept headers are the clients': bounded
                self._cached.pop(next(iter(self._cached)))
        return self._cached[key]

    def _make(self, path: str, accept: str) -> Answer:
        if path in ("/api", "/apis"):
            return _roots(path, accept)
        simple: dict[str, Callable[[], Any]] = {
            "/version": version,
            "/": _paths,
            "/openapi/v3": _openapi_index,
        }
        if path in simple:
            return answer_json(simple[path]())
        parts = path.strip("/").split("/")
        document: Any = None
        if parts[0] == "api" and len(parts) == 2:
            document = discovery.api_resource_list("", parts[1])
        elif parts[0] == "apis" and len(parts) == 2:
            document = discovery.api_group(parts[1])
        elif parts[0] == "apis" and len(parts) == 3:
            document = discovery.api_resource_list(parts[1], parts[2])
        if document is None:
            raise statuses.no_such_path()
        return answer_json(document)


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


def _roots(path: str, accept: str) -> Answer:
    """Aggregated discovery where the client knows it, the legacy form elsewhere."""
    for media_type, parameters in media_types(accept):
        if media_type not in ("application/json", "*/*"):
            continue
        form = parameters.get("as"), parameters.get("g"), parameters.get("v", "")
        if form[:2] == ("APIGroupDiscoveryList", "apidiscovery.k8s.io"):
            if form[2] in ("v2", "v2beta1"):
                document = discovery.aggregated(path == "/api", form[2])
                content_type = f"application/json;g={form[1]};v={form[2]};as={form[0]}"
                return Answer(orjson.dumps(document), 200, content_type)
        elif "as" not in parameters:
            break
    legacy = discovery.api_versions() if path == "/api" else discovery.api_group_list()
    return answer_json(legacy)


def _paths() -> dict[str, Iterable[str]]:
    groups = discovery.api_group_list()["groups"]
    versions = [f"/apis/{each['groupVersion']}" for group in groups for each in group["versions"]]
    fixed = ["/api", "/api/v1", "/apis", *sorted(HEALTH_PATHS), "/openapi/v3", "/version"]
    return {"paths": sorted([*fixed, *versions])}


def _openapi_index() -> Any:
    from control.resources import openapi

    return openapi.v3_index()


def _openapi_v3(path: str) -> Answer:
    from control.resources import openapi

    body = openapi.v3_document(path)
    if body is None:
        raise statuses.no_such_path()
    headers = {"Cache-Control": f"public, immutable, max-age={IMMUTABLE_SECONDS}"}
    return Answer(body, headers=headers)


def _openapi_v2() -> Answer:
    from control.resources import openapi

    body = openapi.v2_protobuf()
    if body is None:
        raise statuses.no_such_path()
    return Answer(body, 200, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
