"""The generated data: whole, consistent, and what the generator makes."""

import hashlib
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from control.resources.catalogue import Catalogue
from control.resources.data import FOLDER, read_data
from control.resources.data.generator import gnostic, inputs
from control.resources.data.generator.__main__ import generate
from control.resources.data.generator.kinds import kind_rows
from control.resources.data.generator.openapi import document, v3
from control.resources.data.generator.stripped import short, stripped
from control.resources.kinds import kinds
from control.resources.openapi import OpenApi

DIGESTS: dict[str, str] = orjson.loads(read_data("digests.json"))
openapi = OpenApi(Catalogue())
DOCUMENTS = sorted(openapi.v3_index()["paths"])

# -- what is stored


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_a_file_is_what_the_generator_wrote(name: str) -> None:
    assert hashlib.sha256(read_data(name)).hexdigest() == DIGESTS[name]


def test_nothing_is_stored_that_the_generator_did_not_write() -> None:
    files = {
        str(path.relative_to(FOLDER)).removesuffix(".z")
        for path in FOLDER.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert files == {*DIGESTS, "digests.json", "NOTICE"}


def test_the_data_say_whose_they_are() -> None:
    notice = (FOLDER / "NOTICE").read_text()
    assert "Copyright The Kubernetes Authors" in notice
    assert "Apache License, Version 2.0" in notice


def test_what_start_up_reads_is_small() -> None:
    assert (FOLDER / "schema.json.z").stat().st_size < 30_000
    assert (FOLDER / "kinds.json").stat().st_size < 20_000


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    schema = orjson.loads(read_data("schema.json"))
    definitions = schema["definitions"]
    assert {each["ref"] for each in dicts(definitions) if "ref" in each} <= set(definitions)
    assert set(schema["roots"].values()) <= set(definitions)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_reference_of_a_document_leads_somewhere(path: str) -> None:
    read = orjson.loads(openapi.v3_document(path) or b"")
    schemas = read["components"]["schemas"]
    references = {each["$ref"] for each in dicts(read) if isinstance(each.get("$ref"), str)}
    assert references
    assert {each.removeprefix("#/components/schemas/") for each in references} <= set(schemas)


def test_the_swagger_document_has_every_kind_with_its_merge_keys_and_texts() -> None:
    """Read field by field from the protobuf, as gnostic's clients do."""
    definitions = swagger_definitions(openapi.v2_protobuf())
    named = {text(fields, 1): message(fields, 2) for fields in definitions}
    pod = named["io.k8s.api.core.v1.Pod"]
    assert text(pod, 4).startswith("Pod is a collection of containers")
    spec = named["io.k8s.api.core.v1.PodSpec"]
    assert [each.decode() for each in values(spec, 19)] == ["containers"]
    containers = properties(spec)["containers"]
    assert extensions(containers)["x-kubernetes-patch-merge-key"] == '"name"\n'
    assert text(message(containers, 22), 1) == "array"
    item = message(message(containers, 23), 1)
    assert text(item, 1) == "#/definitions/io.k8s.api.core.v1.Container"
    kinds_found = {
        (each["group"], each["version"], each["kind"])
        for fields in named.values()
        for each in orjson.loads(extensions(fields).get("x-kubernetes-group-version-kind", "[]"))
    }
    served = {(each.resource.group, each.resource.version, each.resource.kind) for each in kinds()}
    assert served <= kinds_found


@pytest.mark.skipif(
    inputs.package_folder("kubernetes_validate") is None or inputs.package_folder("kmock") is None,
    reason="the generator's inputs are not installed: see control/resources/data/generator",
)
def test_the_generator_makes_what_is_stored() -> None:
    made = generate()
    assert set(made) == {*DIGESTS, "digests.json"}
    assert [name for name, body in made.items() if read_data(name) != body] == []


# -- the generator, on definitions of three lines

TREE = {
    "description": "A tree.",
    "type": ["object", "null"],
    "properties": {
        "kind": {"type": ["string", "null"], "enum": ["Tree"]},
        "leaves": {"$ref": "#/$defs/io.k8s.apimachinery.pkg.util.intstr.IntOrString"},
        "branches": {
            "type": ["array", "null"],
            "items": {"$ref": "#/$defs/io.k8s.api.forest.v1.Branch"},
            "x-kubernetes-patch-merge-key": "name",
            "x-kubernetes-patch-strategy": "merge,retainKeys",
        },
        "status": {"$ref": "#/$defs/io.k8s.api.forest.v1.TreeStatus", "description": "Seen."},
    },
    "required": ["branches"],
    "x-kubernetes-group-version-kind": [{"group": "forest", "kind": "Tree", "version": "v1"}],
}
BRANCH = {
    "type": ["object", "null"],
    "properties": {
        "name": {"type": "string"},
        "weight": {"$ref": "#/$defs/io.k8s.apimachinery.pkg.api.resource.Quantity"},
        "grown": {"$ref": "#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.Time"},
        "notes": {"type": ["object", "null"], "additionalProperties": {"type": ["string", "null"]}},
        "raw": {"type": ["object", "null"]},
    },
    "required": ["name"],
}
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
GIVEN: dict[str, Any] = {
    "io.k8s.api.forest.v1.Tree": TREE,
    "io.k8s.api.forest.v1.TreeList": {"type": ["object", "null"]},
    "io.k8s.api.forest.v1.TreeStatus": {
        "type": ["object", "null"],
        "properties": {"height": {"type": "integer", "format": "int32"}},
        "required": ["height"],
    },
    "io.k8s.api.forest.v1.Branch": BRANCH,
    "io.k8s.api.forest.v1.Unused": {"type": ["object", "null"]},
    inputs.INT_OR_STRING: {"oneOf": [{"type": "string"}, {"type": "integer"}]},
    inputs.QUANTITY: {"oneOf": [{"type": "string"}, {"type": "number"}]},
    f"{META}Time": {"type": ["string", "null"], "format": "date-time"},
    f"{META}Status": {"type": ["object", "null"]},
    f"{META}DeleteOptions": {"type": ["object", "null"]},
    f"{META}Patch": {"type": ["object", "null"]},
}
DEFINITIONS = {name: inputs.plain(name, each) for name, each in GIVEN.items()}
ROOT = "io.k8s.api.forest.v1.Tree"
ROW = {
    "group": "forest",
    "version": "v1",
    "plural": "trees",
    "kind": "Tree",
    "namespaced": True,
    "singular": "tree",
    "subresources": ["status"],
}


def test_definitions_get_upstream_s_form_back() -> None:
    tree, branch = DEFINITIONS[ROOT], DEFINITIONS["io.k8s.api.forest.v1.Branch"]
    assert tree["type"] == "object"
    assert tree["properties"]["kind"] == {"type": "string"}
    assert tree["properties"]["branches"]["items"] == {
        "$ref": "#/definitions/io.k8s.api.forest.v1.Branch"
    }
    assert branch["properties"]["notes"]["additionalProperties"] == {"type": "string"}
    assert DEFINITIONS[inputs.QUANTITY]["type"] == "string"
    assert DEFINITIONS[inputs.INT_OR_STRING]["format"] == "int-or-string"


def test_only_what_is_referred_to_is_kept() -> None:
    assert set(inputs.closure(DEFINITIONS, [ROOT])) == {
        ROOT,
        "io.k8s.api.forest.v1.TreeStatus",
        "io.k8s.api.forest.v1.Branch",
        inputs.INT_OR_STRING,
        inputs.QUANTITY,
        f"{META}Time",
    }


def test_the_stripped_schema_has_real_types_and_requires_nothing_of_a_status() -> None:
    made = stripped(DEFINITIONS, {"forest/v1/Tree": ROOT})
    assert made["roots"] == {"forest/v1/Tree": "forest.v1.Tree"}
    assert made["definitions"] == {
        "forest.v1.Tree": {
            "type": "object",
            "properties": {
                "kind": {"type": "string"},
                "leaves": {"type": "int-or-string"},
                "branches": {
                    "type": "array",
                    "items": {"ref": "forest.v1.Branch"},
                    "merge": True,
                    "retain_keys": True,
                    "merge_key": "name",
                },
                "status": {"ref": "forest.v1.TreeStatus"},
            },
            "required": ["branches"],
        },
        "forest.v1.Branch": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "weight": {"type": "quantity"},
                "grown": {"type": "string", "format": "time"},
                "notes": {"type": "object", "additional": {"type": "string"}},
                "raw": {"type": "any"},
            },
            "required": ["name"],
        },
        "forest.v1.TreeStatus": {
            "type": "object",
            "properties": {"height": {"type": "integer", "format": "int32"}},
        },
    }


def test_names_are_short_and_stay_apart() -> None:
    assert short("io.k8s.api.core.v1.Event") == "core.v1.Event"
    assert short("io.k8s.api.events.v1.Event") == "events.v1.Event"
    assert short(f"{META}ObjectMeta") == "meta.v1.ObjectMeta"


def test_a_v3_document_has_the_paths_of_its_kinds() -> None:
    made = document([ROW], DEFINITIONS, {"forest/v1/Tree": ROOT})
    collection = "/apis/forest/v1/namespaces/{namespace}/trees"
    assert set(made["paths"]) == {
        "/apis/forest/v1/trees",
        collection,
        collection + "/{name}",
        collection + "/{name}/status",
    }
    assert set(made["paths"][collection]) == {"get", "post", "delete", "parameters"}
    item = made["paths"][collection + "/{name}"]
    assert [each["name"] for each in item["parameters"]] == ["namespace", "name"]
    assert "application/strategic-merge-patch+json" in item["patch"]["requestBody"]["content"]


def test_a_v3_reference_that_says_more_is_wrapped() -> None:
    schemas = document([ROW], DEFINITIONS, {"forest/v1/Tree": ROOT})["components"]["schemas"]
    properties = schemas[ROOT]["properties"]
    status = {"$ref": "#/components/schemas/io.k8s.api.forest.v1.TreeStatus"}
    assert properties["status"] == {"description": "Seen.", "allOf": [status]}
    assert properties["leaves"] == {"$ref": f"#/components/schemas/{inputs.INT_OR_STRING}"}
    assert "io.k8s.api.forest.v1.Unused" not in schemas


def test_v3_spells_amounts_as_alternatives_and_has_the_defaults_of_keys() -> None:
    quantity = v3(inputs.QUANTITY, DEFINITIONS[inputs.QUANTITY])
    assert quantity["oneOf"] == [{"type": "string"}, {"type": "number"}]
    port = {"type": "object", "properties": {"protocol": {"type": "string"}}}
    made = v3("io.k8s.api.core.v1.ContainerPort", port)
    assert made["properties"]["protocol"] == {"type": "string", "default": "TCP"}


def test_rows_leave_out_what_cannot_be_stored_and_what_is_not_answered() -> None:
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    pods = {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod"}
    resources: list[dict[str, Any]] = [
        {**pods, "verbs": verbs, "shortNames": ["po"]},
        {**pods, "name": "pods/proxy", "verbs": ["create", "get"]},
        {**pods, "name": "pods/log", "verbs": ["get"]},
        {**pods, "name": "bindings", "kind": "Binding", "verbs": ["create"]},
    ]
    empty = {each: {"groupVersion": each, "resources": []} for each in DOCUMENT_VERSIONS}
    lists = [*empty.values(), {"groupVersion": "v1", "resources": resources}]
    rows = [each for each in kind_rows(lists) if not each["group"]]
    assert rows == [
        {
            "group": "",
            "version": "v1",
            "plural": "pods",
            "kind": "Pod",
            "namespaced": True,
            "singular": "pod",
            "short_names": ["po"],
            "verbs": verbs,
            "subresources": ["log"],
        }
    ]


DOCUMENT_VERSIONS = [path.split("/", 1)[1] for path in DOCUMENTS if path != "api/v1"]


def test_documents_can_be_added_to_by_appending_another() -> None:
    first = gnostic.swagger({"a": {"type": "object"}})
    second = gnostic.swagger({"b": {"type": "string", "x-note": {"deep": [1]}}})
    read = {text(each, 1): message(each, 2) for each in swagger_definitions(first + second)}
    assert set(read) == {"a", "b"}
    assert text(message(read["b"], 22), 1) == "string"
    assert orjson.loads(extensions(read["b"])["x-note"]) == {"deep": [1]}


# -- reading protobuf

Fields = list[tuple[int, bytes]]


def fields_of(content: bytes) -> Fields:
    found: Fields = []
    position = 0
    while position < len(content):
        key, position = varint(content, position)
        assert key & 7 == 2, "only lengths and their bytes occur"
        length, position = varint(content, position)
        found.append((key >> 3, content[position : position + length]))
        position += length
    assert position == len(content)
    return found


def varint(content: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position


def values(fields: Fields, number: int) -> list[bytes]:
    return [content for each, content in fields if each == number]


def message(fields: Fields, number: int) -> Fields:
    (only,) = values(fields, number)
    return fields_of(only)


def text(fields: Fields, number: int) -> str:
    (only,) = values(fields, number)
    return only.decode()


def swagger_definitions(content: bytes) -> list[Fields]:
    """The named schemas of a document, or of several that follow each other."""
    return [
        fields_of(named)
        for definitions in values(fields_of(content), 9)
        for named in values(fields_of(definitions), 1)
    ]


def properties(schema: Fields) -> dict[str, Fields]:
    named = [fields_of(each) for each in values(message(schema, 25), 1)]
    return {text(each, 1): message(each, 2) for each in named}


def extensions(schema: Fields) -> dict[str, str]:
    named = [fields_of(each) for each in values(schema, 31)]
    return {text(each, 1): text(message(each, 2), 2) for each in named}


def dicts(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
    if isinstance(tree, dict | list):
        for inner in tree.values() if isinstance(tree, dict) else tree:
            yield from dicts(inner)
