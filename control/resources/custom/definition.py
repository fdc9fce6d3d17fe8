"""CustomResourceDefinitions as documents: what they leave out, and what is wrong with them.

Pure: documents in, documents and causes out. Conversion by webhook is refused, not ignored.
Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions, defaults and validation.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from control.resources.causes import CAUSES_MAX, Cause
from control.resources.custom.json_path import PathFault, names_of, parse_path
from control.resources.custom.keywords import properties_of
from control.resources.custom.structure import structure_causes
from control.resources.validation.names import subdomain_faults
from control.resources.validation.refusals import (
    duplicate,
    forbidden,
    invalid,
    required,
    unchanged,
    unsupported,
)

Document = dict[str, Any]
Given = Mapping[str, Any]

SCOPES = ("Cluster", "Namespaced")
COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
SELECTABLE_MAX = 8
APPROVED = "api-approved.kubernetes.io"
PROTECTED = ("k8s.io", "kubernetes.io")
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_WORDS_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    f"regex used for validation is '{_LABEL_1035.pattern}')"
)


def completed(definition: Document) -> Document:
    """With the names that follow from the kind, and no conversion."""
    spec = definition.get("spec") or {}
    names, kind = dict(spec.get("names") or {}), (spec.get("names") or {}).get("kind") or ""
    names["singular"] = names.get("singular") or kind.lower()
    names["listKind"] = names.get("listKind") or (f"{kind}List" if kind else "")
    conversion = spec.get("conversion") or {"strategy": "None"}
    return {**definition, "spec": {**spec, "names": names, "conversion": conversion}}


def definition_causes(definition: Document) -> list[Cause]:
    """Everything that is wrong with a definition."""
    return list(islice(_causes(definition), CAUSES_MAX))


def definition_update_causes(new: Document, old: Given) -> Iterator[Cause]:
    """What may not change: scope and names once they are established, and versions in use."""
    before, after = old.get("spec") or {}, new.get("spec") or {}
    if established(old):
        yield from unchanged("spec.scope", after.get("scope"), before.get("scope"))
        held, given = before.get("names") or {}, after.get("names") or {}
        for key in ("kind", "plural"):
            yield from unchanged(f"spec.names.{key}", given.get(key), held.get(key))
    yield from unchanged("spec.group", after.get("group"), before.get("group"))
    present = {each.get("name") for each in after.get("versions") or ()}
    for index, version in enumerate((old.get("status") or {}).get("storedVersions") or ()):
        if version not in present:
            words = f"missing from spec.versions; {version} was previously a storage version, and "
            words += "must remain in spec.versions until a storage migration ensures no data "
            words += f"remains persisted in {version} and removes {version} from "
            yield invalid(
                f"status.storedVersions[{index}]", version, words + "status.storedVersions"
            )


def established(definition: Given) -> bool:
    """Whether it is served."""
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(
        each.get("type") == "Established" and each.get("status") == "True" for each in conditions
    )


# -- inside


def _causes(definition: Document) -> Iterator[Cause]:
    spec = definition.get("spec") or {}
    group, names = spec.get("group") or "", spec.get("names") or {}
    name, wanted = definition["metadata"].get("name", ""), f"{names.get('plural')}.{group}"
    if name != wanted:
        words = 'must be spec.names.plural+"."+spec.group'
        yield invalid("metadata.name", name, words)
    yield from _group_causes(group, definition["metadata"].get("annotations") or {})
    if spec.get("scope") not in SCOPES:
        yield unsupported("spec.scope", spec.get("scope") or "", SCOPES)
    yield from _names_causes(names)
    yield from _conversion_causes(spec.get("conversion") or {})
    if spec.get("preserveUnknownFields"):
        words = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
        words += "spec.versions[*].schema instead"
        yield invalid("spec.preserveUnknownFields", True, words)
    yield from _versions_causes(spec.get("versions") or ())


def _group_causes(group: str, annotations: Given) -> Iterator[Cause]:
    if not group:
        yield required("spec.group")
        return
    for fault in subdomain_faults(group):
        yield invalid("spec.group", group, fault)
    if "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")
    protected = any(group == each or group.endswith(f".{each}") for each in PROTECTED)
    if protected and not annotations.get(APPROVED):
        words = f'protected groups must have approval annotation "{APPROVED}", see '
        words += "https://github.com/kubernetes/enhancements/pull/1111"
        yield required(f"metadata.annotations[{APPROVED}]", words)


def _names_causes(names: Given) -> Iterator[Cause]:
    for key in ("plural", "singular", "kind", "listKind"):
        value = names.get(key) or ""
        if not value:
            yield required(f"spec.names.{key}")
        elif fault := _label_1035_fault(value.lower() if "ind" in key else value):
            words = fault if key in ("plural", "singular") else f"may have mixed case, but {fault}"
            words = words.replace("but a DNS", "but should otherwise match: a DNS")
            yield invalid(f"spec.names.{key}", value, words)
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield invalid(
            "spec.names.listKind", names["listKind"], "kind and listKind may not be the same"
        )
    for key in ("shortNames", "categories"):
        for index, value in enumerate(names.get(key) or ()):
            if fault := _label_1035_fault(value):
                yield invalid(f"spec.names.{key}[{index}]", value, fault)


def _label_1035_fault(value: str) -> str:
    if len(value) > 63:
        return "must be no more than 63 bytes"
    return "" if _LABEL_1035.fullmatch(value) else _WORDS_1035


def _conversion_causes(conversion: Given) -> Iterator[Cause]:
    strategy = conversion.get("strategy")
    if strategy == "Webhook":
        words = (
            "conversion by webhook is not served here: versions differ by apiVersion alone (None)"
        )
        yield forbidden("spec.conversion.strategy", words)
    elif strategy != "None":
        yield unsupported("spec.conversion.strategy", strategy or "", ("None", "Webhook"))
    elif conversion.get("webhook"):
        words = "should not be set when strategy is not set to Webhook"
        yield forbidden("spec.conversion.webhook", words)


def _versions_causes(versions: Any) -> Iterator[Cause]:
    names = [each.get("name") or "" for each in versions]
    if len(set(names)) < len(names):
        yield invalid("spec.versions", names, "must contain unique version names")
    if sum(bool(each.get("storage")) for each in versions) != 1:
        words = "must have exactly one version marked as storage version"
        yield invalid("spec.versions", names, words)
    for index, version in enumerate(versions):
        yield from _version_causes(version, f"spec.versions[{index}]")


def _version_causes(version: Given, path: str) -> Iterator[Cause]:
    name = version.get("name") or ""
    if fault := _label_1035_fault(name):
        yield invalid(f"{path}.name", name, fault)
    if version.get("deprecationWarning") is not None and not version.get("deprecated"):
        words = "can only be set for deprecated versions"
        yield invalid(f"{path}.deprecationWarning", version["deprecationWarning"], words)
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    if schema is None:
        yield required(f"{path}.schema.openAPIV3Schema", "schemas are required")
    else:
        yield from structure_causes(schema, f"{path}.schema.openAPIV3Schema")
    yield from _subresource_causes(version.get("subresources") or {}, f"{path}.subresources")
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        yield from _column_causes(column, f"{path}.additionalPrinterColumns[{index}]")
    yield from _selectable_causes(version, schema or {}, f"{path}.selectableFields")


def _subresource_causes(subresources: Given, path: str) -> Iterator[Cause]:
    scale = subresources.get("scale")
    if scale is None:
        return
    places = {
        "specReplicasPath": ("spec",),
        "statusReplicasPath": ("status",),
        "labelSelectorPath": ("spec", "status"),
    }
    for key, roots in places.items():
        given = scale.get(key) or ""
        if not given:
            if key != "labelSelectorPath":
                yield required(f"{path}.scale.{key}")
            continue
        below = " or ".join(f".{each}" for each in roots)
        try:
            names = names_of(given)
        except PathFault:
            names = ()
        if len(names) < 2 or names[0] not in roots:
            yield invalid(f"{path}.scale.{key}", given, f"should be a json path under {below}")


def _column_causes(column: Given, path: str) -> Iterator[Cause]:
    if not column.get("name"):
        yield required(f"{path}.name")
    if column.get("type") not in COLUMN_TYPES:
        words = f"must be one of {','.join(COLUMN_TYPES)}"
        yield invalid(f"{path}.type", column.get("type") or "", words)
    given = column.get("jsonPath") or ""
    if not given:
        yield required(f"{path}.jsonPath")
    else:
        yield from _path_causes(given, f"{path}.jsonPath")


def _path_causes(given: str, path: str) -> Iterator[Cause]:
    if not given.startswith("."):
        yield invalid(path, given, "must be a simple json path starting with .")
        return
    try:
        parse_path(given)
    except PathFault as error:
        yield invalid(path, given, str(error))


def _selectable_causes(version: Given, schema: Given, path: str) -> Iterator[Cause]:
    fields = version.get("selectableFields") or ()
    if len(fields) > SELECTABLE_MAX:
        yield invalid(path, len(fields), f"must have at most {SELECTABLE_MAX} items")
    seen: set[str] = set()
    for index, each in enumerate(fields):
        given, place = each.get("jsonPath") or "", f"{path}[{index}].jsonPath"
        if not given:
            yield required(place)
        elif given in seen:
            yield duplicate(place, given)
        else:
            yield from _field_causes(schema, given, place)
        seen.add(given)


def _field_causes(schema: Given, given: str, path: str) -> Iterator[Cause]:
    try:
        names = names_of(given)
    except PathFault:
        yield invalid(path, given, "must be a simple path of field names")
        return
    for name in names:
        schema = properties_of(schema).get(name) or {}
    if names[:1] == ("metadata",):
        yield invalid(path, given, "must not point to fields in metadata")
    elif schema.get("type") not in ("string", "boolean", "integer"):
        words = "must point to a field of type string, boolean or integer that the schema specifies"
        yield invalid(path, given, words)
