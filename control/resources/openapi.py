"""The OpenAPI documents that the API server publishes, made ahead of time and read when asked for.

Pure: data. A v3 document's address carries its hash, so clients may keep it for good; kubectl does,
on disk. Nothing is kept here: each is asked for once by each client.
Source: kubernetes.io, "OpenAPI V3"; k8s.io/kube-openapi/pkg/handler3.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson

from control.resources.data import read_data

V3_ROOT = "/openapi/v3"
# The answer's type. Clients ask with an @, which Go's own parser of types does not take back.
V2_MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
V2_ASKED_FOR = frozenset({V2_MEDIA_TYPE, V2_MEDIA_TYPE.replace("v2.v1", "v2@v1")})


def v3_index() -> dict[str, Any]:
    """Where each group version's document is, at its present hash."""
    paths = {path: {"serverRelativeURL": v3_address(path)} for path in _hashes()}
    return {"paths": paths}


def v3_address(path: str) -> str:
    """The address of the document of `api/v1` or `apis/apps/v1`."""
    return f"{V3_ROOT}/{path}?hash={_hashes()[path]}"


def v3_hash(path: str) -> str | None:
    """The hash of a document; None if there is none for this path."""
    return _hashes().get(path)


def v3_document(path: str) -> bytes | None:
    """The document of `api/v1` or `apis/apps/v1`, as JSON; None if that is not served."""
    if path not in _hashes():
        return None
    return read_data(f"openapi-v3/{path.replace('/', '_')}.json")


def v2_protobuf() -> bytes:
    """All definitions, as Swagger in gnostic's protobuf encoding."""
    return read_data("openapi-v2.pb")


@cache
def v2_hash() -> str:
    """Changes when the document does."""
    return str(orjson.loads(read_data("digests.json"))["openapi-v2.pb"])


@cache
def _hashes() -> Mapping[str, str]:
    found: dict[str, str] = orjson.loads(read_data("openapi-v3.json"))
    return found
