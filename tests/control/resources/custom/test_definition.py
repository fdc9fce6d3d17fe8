"""What is wrong with a definition, and what it leaves out."""

import copy
from typing import Any

import pytest

from control.resources.custom.definition import (
    completed,
    definition_causes,
    definition_update_causes,
    established,
)

SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {"type": "object", "properties": {"n": {"type": "integer"}}},
    },
}
DEFINITION: dict[str, Any] = {
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": SCHEMA},
                "subresources": {
                    "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}
                },
            }
        ],
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The definition with another value at a path."""
    made = completed(copy.deepcopy(DEFINITION))
    *way, last = path.split("/")
    place: Any = made
    for step in way:
        place = place[int(step) if step.isdecimal() else step]
    place[last] = value
    return made


def told(definition: dict[str, Any]) -> list[str]:
    return [f"{each.field}: {each.message}" for each in definition_causes(definition)]


def test_names_that_follow_from_the_kind_are_filled_in() -> None:
    spec = completed(DEFINITION)["spec"]
    assert (spec["names"]["singular"], spec["names"]["listKind"]) == ("widget", "WidgetList")
    assert spec["conversion"] == {"strategy": "None"}
    assert told(completed(DEFINITION)) == []
    assert "conversion" not in DEFINITION["spec"]


VERSION = "spec/versions/0"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (
            "metadata/name",
            "other",
            'metadata.name: Invalid value: "other": must be spec.names.plural+"."+spec.group',
        ),
        ("spec/group", "", "spec.group: Required value"),
        ("spec/group", "example", 'spec.group: Invalid value: "example": should be a domain with'),
        ("spec/group", "Example.com", "a lowercase RFC 1123 subdomain must consist of"),
        (
            "spec/group",
            "x.k8s.io",
            "metadata.annotations[api-approved.kubernetes.io]: Required val",
        ),
        ("spec/scope", "World", 'spec.scope: Unsupported value: "World": supported values: "Clus'),
        ("spec/names/plural", "Widgets", 'spec.names.plural: Invalid value: "Widgets": a DNS-1035'),
        ("spec/names/kind", "Wid get", 'spec.names.kind: Invalid value: "Wid get": may have mixed'),
        ("spec/names/listKind", "Widget", "kind and listKind may not be the same"),
        (
            "spec/names/shortNames",
            ["W"],
            'spec.names.shortNames[0]: Invalid value: "W": a DNS-1035',
        ),
        ("spec/names/categories", ["a" * 64], "spec.names.categories[0]: Invalid value"),
        ("spec/conversion", {"strategy": "Webhook"}, "spec.conversion.strategy: Forbidden: conver"),
        (
            "spec/conversion",
            {"strategy": "Magic"},
            'spec.conversion.strategy: Unsupported value: "M',
        ),
        (
            "spec/conversion",
            {"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}},
            "spec.conversion.webhook: Forbidden: should not be set",
        ),
        (
            "spec/preserveUnknownFields",
            True,
            "spec.preserveUnknownFields: Invalid value: true: can",
        ),
        ("spec/versions", [], "spec.versions: Invalid value: []: must have exactly one version"),
        ("spec/versions", DEFINITION["spec"]["versions"] * 2, "must contain unique version names"),
        (f"{VERSION}/name", "V1", 'spec.versions[0].name: Invalid value: "V1": a DNS-1035 label'),
        (f"{VERSION}/schema", None, "openAPIV3Schema: Required value: schemas are required"),
        (
            f"{VERSION}/schema",
            {"openAPIV3Schema": {}},
            "spec.versions[0].schema.openAPIV3Schema.ty",
        ),
        (f"{VERSION}/deprecationWarning", "old", "can only be set for deprecated versions"),
        (f"{VERSION}/subresources", {"scale": {}}, "scale.specReplicasPath: Required value"),
        (
            f"{VERSION}/subresources",
            {"scale": {"specReplicasPath": ".status.n", "statusReplicasPath": ".status.n"}},
            'specReplicasPath: Invalid value: ".status.n": should be a json path under .spec',
        ),
        (
            f"{VERSION}/subresources/scale/labelSelectorPath",
            ".metadata.labels",
            "should be a json path under .spec or .status",
        ),
        (
            f"{VERSION}/additionalPrinterColumns",
            [{"name": "A", "type": "text", "jsonPath": ".a"}],
            "must be one of boolean,date,integer,number,string",
        ),
        (
            f"{VERSION}/additionalPrinterColumns",
            [{"name": "A", "type": "date", "jsonPath": "a"}],
            'additionalPrinterColumns[0].jsonPath: Invalid value: "a": must be a simple json path',
        ),
        (
            f"{VERSION}/additionalPrinterColumns",
            [{"name": "A", "type": "date", "jsonPath": ".a["}],
            'additionalPrinterColumns[0].jsonPath: Invalid value: ".a[": nothing that can be read',
        ),
        (
            f"{VERSION}/selectableFields",
            [{"jsonPath": ".spec.m"}],
            "must point to a field of type string, boolean or integer",
        ),
        (
            f"{VERSION}/selectableFields",
            [{"jsonPath": ".spec.n"}, {"jsonPath": ".spec.n"}],
            "selectableFields[1].jsonPath: Duplicate value",
        ),
        (
            f"{VERSION}/selectableFields",
            [{"jsonPath": ".metadata.name"}],
            "must not point to fields in metadata",
        ),
    ],
)
def test_a_fault_is_told_with_its_place(path: str, value: Any, words: str) -> None:
    found = told(changed(path, value))
    assert any(words in each for each in found), found


def test_a_protected_group_wants_an_approval() -> None:
    made = changed("spec/group", "gateway.networking.k8s.io")
    made["metadata"] = {
        "name": "widgets.gateway.networking.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "https://example.com/1"},
    }
    assert told(made) == []


def test_causes_have_a_bound() -> None:
    columns = [{"name": "A", "type": "odd", "jsonPath": "x"}] * 2_000
    assert len(told(changed(f"{VERSION}/additionalPrinterColumns", columns))) == 1_000


ESTABLISHED = {
    "conditions": [{"type": "Established", "status": "True"}],
    "storedVersions": ["v1alpha1", "v1"],
}


def test_what_is_established_keeps_its_names_and_the_versions_in_use() -> None:
    old = {**completed(DEFINITION), "status": ESTABLISHED}
    new = {**changed("spec/scope", "Cluster"), "status": ESTABLISHED}
    found = [f"{each.field}: {each.message}" for each in definition_update_causes(new, old)]
    assert found[0] == 'spec.scope: Invalid value: "Cluster": field is immutable'
    assert found[1].startswith('status.storedVersions[0]: Invalid value: "v1alpha1": missing from')
    assert len(found) == 2
    assert established(old)
    assert not established(DEFINITION)


def test_before_that_names_may_change() -> None:
    new = changed("spec/names/kind", "Gadget")
    assert list(definition_update_causes(new, completed(DEFINITION))) == []
