"""The OpenAPI documents of custom kinds."""

from typing import Any

import orjson
import pytest

from control.resources.catalogue import Catalogue
from control.resources.custom.publication import Publication, definition_name, digest
from control.resources.custom.served import kinds_of
from control.resources.data import read_data
from control.resources.kinds import Kind
from control.resources.openapi import OpenApi

SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Something.",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "format": "int32", "description": "How big."},
                "share": {"x-kubernetes-int-or-string": True},
                "note": {"type": "string", "nullable": True},
                "inner": {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "x-kubernetes-preserve-unknown-fields": True,
                },
                "tags": {"type": "array", "items": {"type": "string"}},
                "map": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        }
    },
}
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
NAME = "com.example.v1.Widget"


def widgets(group: str = "example.com") -> Kind:
    names = {"plural": "widgets", "kind": "Widget", "listKind": "WidgetList"}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": SCHEMA},
        "subresources": {"status": {}},
    }
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    status = {
        "acceptedNames": names,
        "conditions": [{"type": "Established", "status": "True"}],
    }
    metadata = {"name": f"widgets.{group}"}
    return kinds_of({"metadata": metadata, "spec": spec, "status": status})[0]


@pytest.fixture
def publication() -> Publication:
    return Publication((widgets(),), read_data("openapi-v3/apis_apps_v1.json"))


def test_a_document_has_the_kind_its_list_and_all_they_refer_to(publication: Publication) -> None:
    document = orjson.loads(publication.documents["apis/example.com/v1"])
    schemas = document["components"]["schemas"]
    kind, spec = schemas[NAME], schemas[NAME]["properties"]["spec"]
    named = [{"group": "example.com", "kind": "Widget", "version": "v1"}]
    assert kind["x-kubernetes-group-version-kind"] == named
    assert spec["properties"]["size"] == SCHEMA["properties"]["spec"]["properties"]["size"]
    inner = spec["properties"]["inner"]["properties"]["metadata"]
    assert inner == kind["properties"]["metadata"]
    assert schemas[f"{NAME}List"]["properties"]["items"]["items"]["$ref"].endswith(NAME)
    text = publication.documents["apis/example.com/v1"].decode()
    referred = {each.split('"')[0] for each in text.split("#/components/schemas/")[1:]}
    assert referred <= schemas.keys()
    assert {f"{META}ObjectMeta", f"{META}ListMeta"} <= referred


def test_its_paths_say_that_the_server_validates(publication: Publication) -> None:
    paths = orjson.loads(publication.documents["apis/example.com/v1"])["paths"]
    item = "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"
    parameters = {each["name"] for each in paths[item]["patch"]["parameters"]}
    assert {"fieldValidation", "dryRun"} <= parameters
    assert "patch" in paths[f"{item}/status"]
    taken = {"application/json-patch+json", "application/merge-patch+json"}
    patch_types = set(paths[item]["patch"]["requestBody"]["content"])
    assert taken <= patch_types
    assert "application/strategic-merge-patch+json" not in patch_types


def test_the_v2_part_names_the_kind_and_its_list(publication: Publication) -> None:
    for name in (NAME, f"{NAME}List"):
        assert name.encode() in publication.v2
    assert b"#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" in publication.v2
    assert b"x-kubernetes-int-or-string" in publication.v2


def test_each_document_is_found_at_its_hash(publication: Publication) -> None:
    body = publication.documents["apis/example.com/v1"]
    assert publication.hashes == {"apis/example.com/v1": digest(body)}
    assert definition_name(widgets("a.example.com")) == "com.example.a.v1.Widget"


def test_documents_come_and_go_with_definitions() -> None:
    catalogue = Catalogue()
    openapi = OpenApi(catalogue)
    before = openapi.v2_hash()
    assert openapi.v3_hash("apis/example.com/v1") is None
    catalogue.define("widgets.example.com", (widgets(),))
    address = openapi.v3_index()["paths"]["apis/example.com/v1"]["serverRelativeURL"]
    assert (
        address == f"/openapi/v3/apis/example.com/v1?hash={openapi.v3_hash('apis/example.com/v1')}"
    )
    assert openapi.v3_document("apis/example.com/v1") is not None
    assert NAME.encode() in openapi.v2_protobuf()
    assert openapi.v2_hash() != before
    catalogue.define("widgets.example.com", ())
    assert openapi.v3_document("apis/example.com/v1") is None
    assert (openapi.v2_hash(), NAME.encode() in openapi.v2_protobuf()) == (before, False)
