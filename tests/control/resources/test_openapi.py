"""OpenAPI documents as clients read them."""

import orjson
import pytest

from control.resources.catalogue import Catalogue
from control.resources.kinds import Kind, kinds
from control.resources.openapi import OpenApi

openapi = OpenApi(Catalogue())


def document(path: str) -> dict[str, object]:
    body = openapi.v3_document(path)
    assert body is not None
    read: dict[str, object] = orjson.loads(body)
    return read


def test_the_index_names_each_group_version_at_its_hash() -> None:
    paths = openapi.v3_index()["paths"]
    served = {each.resource.path().removesuffix(f"/{each.resource.plural}") for each in kinds()}
    assert {f"/{path}" for path in paths} == served
    address = paths["apis/apps/v1"]["serverRelativeURL"]
    assert address == f"/openapi/v3/apis/apps/v1?hash={openapi.v3_hash('apis/apps/v1')}"
    hashes = [openapi.v3_hash(path) for path in paths]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("path", ["", "api", "api/v2", "apis/apps", "../digests", "apis/apps/v1/"])
def test_there_is_no_document_for_what_is_not_served(path: str) -> None:
    assert openapi.v3_document(path) is None
    assert openapi.v3_hash(path) is None


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: str(kind.resource.plural))
def test_kubectl_finds_how_each_kind_is_patched(kind: Kind) -> None:
    """kubectl leaves validation to a server whose PATCH says that it knows fieldValidation."""
    resource = kind.resource
    prefix = resource.path("{namespace}", "{name}")
    read = document(resource.path().removesuffix(f"/{resource.plural}").removeprefix("/"))
    paths = read["paths"]
    assert isinstance(paths, dict)
    patch = paths[prefix]["patch"]
    named = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    assert patch["x-kubernetes-group-version-kind"] == named
    assert {"fieldValidation", "dryRun"} <= {each["name"] for each in patch["parameters"]}
    assert paths[prefix]["get"]["x-kubernetes-group-version-kind"] == named
    for subresource in {"status", "scale"} & set(kind.subresources):
        assert "patch" in paths[f"{prefix}/{subresource}"]


def test_the_swagger_document_changes_with_its_hash() -> None:
    assert openapi.v2_protobuf().startswith(b"\x0a\x032.0")
    assert len(openapi.v2_hash()) == 64
