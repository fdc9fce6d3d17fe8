"""OpenAPI v3, a document a group version: schemas, and paths with the operations kubectl reads.

kubectl takes from the paths which kind lies where (explain) and whether the server validates
fields and can run dry (the PATCH operation's parameters); from the schemas, merge keys and texts.
"""

from typing import Any

from control.resources.data.generator.inputs import (
    INT_OR_STRING,
    QUANTITY,
    Schema,
    closure,
    referenced,
)

Row = dict[str, Any]

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
SCALE = "io.k8s.api.autoscaling.v1.Scale"
# The only defaults that v3 has and v2 lacks: keys of list maps, so clients need them to merge.
KEY_DEFAULTS = {
    "io.k8s.api.core.v1.ContainerPort": {"protocol": "TCP"},
    "io.k8s.api.core.v1.ServicePort": {"protocol": "TCP"},
}
PATCH_TYPES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
_VALIDATION = "How to take unknown and repeated fields: Ignore, Warn (the default), or Strict."
_WRITE_PARAMETERS = (
    ("dryRun", "string", "With All, the request is worked through and nothing is stored."),
    ("fieldManager", "string", "Who makes the change."),
    ("fieldValidation", "string", _VALIDATION),
)
_LIST_PARAMETERS = (
    ("allowWatchBookmarks", "boolean", "Send BOOKMARK events in a watch."),
    ("continue", "string", "The token of the page before."),
    ("fieldSelector", "string", "Choose by fields."),
    ("labelSelector", "string", "Choose by labels."),
    ("limit", "integer", "The most objects of a page."),
    ("resourceVersion", "string", "Where a watch begins."),
    ("timeoutSeconds", "integer", "How long a watch lasts."),
    ("watch", "boolean", "Follow changes."),
)


def document(rows: list[Row], definitions: dict[str, Schema], roots: dict[str, str]) -> Schema:
    """The document of one group version, whose rows these are."""
    paths: Schema = {}
    for row in rows:
        paths |= paths_of(row, roots[key_of(row)])
    named = [roots[key_of(row)] for row in rows]
    needed = [*named, *(f"{name}List" for name in named), f"{META}Status", f"{META}DeleteOptions"]
    if any("scale" in row.get("subresources", ()) for row in rows):
        needed.append(SCALE)
    schemas = closure(definitions, [*needed, f"{META}Patch"])
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.37.0"},
        "paths": paths,
        "components": {"schemas": {name: v3(name, each) for name, each in schemas.items()}},
    }


def key_of(row: Row) -> str:
    """`group/version/kind`."""
    return f"{row['group']}/{row['version']}/{row['kind']}"


def v3(name: str, schema: Schema) -> Schema:
    """A definition as v3 writes it."""
    if name == QUANTITY:
        kept = {key: value for key, value in schema.items() if key == "description"}
        return {**kept, "oneOf": [{"type": "string"}, {"type": "number"}]}
    if name == INT_OR_STRING:
        kept = {key: value for key, value in schema.items() if key == "description"}
        alternatives = [{"type": "integer"}, {"type": "string"}]
        return {**kept, "format": "int-or-string", "oneOf": alternatives}
    made = _v3(schema)
    for key, default in KEY_DEFAULTS.get(name, {}).items():
        made["properties"][key]["default"] = default
    return made


def _v3(schema: Schema) -> Schema:
    target = referenced(schema)
    made: Schema = {}
    for key, value in schema.items():
        if key == "properties":
            made[key] = {name: _v3(each) for name, each in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            made[key] = _v3(value)
        elif key != "$ref":
            made[key] = value
    if target is None:
        return made
    link = _link(target)
    return {**made, "allOf": [link]} if made else link


def _link(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


# -- paths


def paths_of(row: Row, definition: str) -> Schema:
    """The paths of a kind, whose definition this is."""
    version = f"/apis/{row['group']}/{row['version']}" if row["group"] else f"/api/{row['version']}"
    place = "/namespaces/{namespace}" if row["namespaced"] else ""
    collection = f"{version}{place}/{row['plural']}"
    made = {collection: _collection(row, definition)}
    if row["namespaced"]:
        everywhere = {"get": _operation(row, "list", f"{definition}List", _LIST_PARAMETERS)}
        made[f"{version}/{row['plural']}"] = everywhere
    made[collection + "/{name}"] = _item(row, definition)
    for subresource in row.get("subresources", ()):
        if subresource in ("status", "scale"):
            target = SCALE if subresource == "scale" else definition
            path = f"{collection}/{{name}}/{subresource}"
            made[path] = _item(row, target, deletable=False, scale=subresource == "scale")
    return made


def _collection(row: Row, definition: str) -> Schema:
    verbs = _verbs(row)
    made = {"get": _operation(row, "list", f"{definition}List", _LIST_PARAMETERS)}
    made["post"] = _operation(row, "post", definition, _WRITE_PARAMETERS, body=definition)
    if "deletecollection" in verbs:
        parameters = (*_LIST_PARAMETERS, _WRITE_PARAMETERS[0])
        made["delete"] = _operation(row, "deletecollection", f"{META}Status", parameters)
    return {**made, "parameters": _path_parameters(row, named=False)}


def _item(row: Row, definition: str, *, deletable: bool = True, scale: bool = False) -> Schema:
    made = {"get": _operation(row, "get", definition, (), scale=scale)}
    writes = {"put": definition, "patch": f"{META}Patch"}
    for verb, body in writes.items():
        made[verb] = _operation(row, verb, definition, _WRITE_PARAMETERS, body=body, scale=scale)
    if deletable:
        parameters = _WRITE_PARAMETERS[:1]
        body = f"{META}DeleteOptions"
        made["delete"] = _operation(row, "delete", f"{META}Status", parameters, body=body)
    return {**made, "parameters": _path_parameters(row, named=True)}


def _verbs(row: Row) -> list[str]:
    return row.get("verbs") or ["deletecollection"]


def _operation(
    row: Row,
    action: str,
    answer: str,
    parameters: tuple[tuple[str, str, str], ...],
    *,
    body: str = "",
    scale: bool = False,
) -> Schema:
    kind = {key: row[key] for key in ("group", "kind", "version")}
    made: Schema = {
        "responses": {"200": {"description": "OK", "content": _content(answer)}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": (
            {"group": "autoscaling", "kind": "Scale", "version": "v1"} if scale else kind
        ),
    }
    if parameters:
        made["parameters"] = [_query(*each) for each in parameters]
    if body:
        types = PATCH_TYPES if action == "patch" else ("application/json", "application/yaml")
        made["requestBody"] = {"content": _content(body, types)}
        if action != "delete":
            made["requestBody"]["required"] = True
    return made


def _content(
    name: str, types: tuple[str, ...] = ("application/json", "application/yaml")
) -> Schema:
    return {each: {"schema": _link(name)} for each in types}


def _query(name: str, type_: str, description: str) -> Schema:
    schema = {"type": type_, "uniqueItems": True}
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _path_parameters(row: Row, *, named: bool) -> list[Schema]:
    places = [("namespace", "the object's namespace")] if row["namespaced"] else []
    places += [("name", f"name of the {row['kind']}")] if named else []
    schema = {"type": "string", "uniqueItems": True}
    return [
        {"name": name, "in": "path", "required": True, "description": text, "schema": schema}
        for name, text in places
    ]
