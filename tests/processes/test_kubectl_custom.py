"""CustomResourceDefinitions and their objects, as a person handles them with kubectl."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Colour, type: string, jsonPath: .spec.colour, priority: 1}
    - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    selectableFields: [{jsonPath: .spec.colour}]
    subresources:
      status: {}
      scale:
        specReplicasPath: .spec.replicas
        statusReplicasPath: .status.replicas
    schema:
      openAPIV3Schema: &schema
        type: object
        description: A widget is something that a shop sells.
        properties:
          spec:
            type: object
            description: What is wanted of the widget.
            required: [size]
            properties:
              size: {type: integer, minimum: 1, maximum: 10, description: How big it is.}
              colour: {type: string, enum: [red, blue], default: red}
              replicas: {type: integer, default: 1}
          status:
            type: object
            x-kubernetes-preserve-unknown-fields: true
  - name: v1alpha1
    served: true
    storage: false
    deprecated: true
    schema: {openAPIV3Schema: *schema}
"""
WIDGET = """
apiVersion: GROUP/v1
kind: Widget
metadata: {name: NAME}
spec: {size: 3}
"""


class Shop:
    """A kubectl that knows the kind Widget, in a group of its own."""

    def __init__(self, kubectl: Any) -> None:
        self.kubectl = kubectl
        self.group = f"k{kubectl.namespace}.example.com"

    def text(self, manifest: str, name: str = "one") -> str:
        """A manifest for this group."""
        return manifest.replace("GROUP", self.group).replace("NAME", name)

    def apply(self, manifest: str, name: str = "one") -> str:
        """kubectl apply."""
        said: str = self.kubectl("apply", "--filename=-", stdin=self.text(manifest, name))
        return said


@pytest.fixture
def shop(kubectl: Any) -> Iterator[Shop]:
    """The kind is defined before the test and gone after it."""
    made = Shop(kubectl)
    made.apply(DEFINITION)
    yield made
    kubectl("delete", "crd", f"widgets.{made.group}", "--ignore-not-found", "--timeout=30s")


def test_a_kind_can_be_used_as_soon_as_it_is_defined(shop: Shop) -> None:
    said = shop.apply(WIDGET)
    assert said == f"widget.{shop.group}/one created\n"
    kubectl = shop.kubectl
    kubectl("wait", "--for=condition=Established", f"crd/widgets.{shop.group}", "--timeout=5s")
    assert shop.apply(WIDGET) == f"widget.{shop.group}/one unchanged\n"


def test_its_columns_short_name_and_category_are_known(shop: Shop) -> None:
    shop.apply(WIDGET)
    header, row = [line.split() for line in shop.kubectl("get", "wd").splitlines()]
    assert (header, row[:2]) == (["NAME", "SIZE", "READY", "AGE"], ["one", "3"])
    wide = shop.kubectl("get", f"widgets.{shop.group}", "-o", "wide").split()
    assert {"COLOUR", "red"} <= set(wide)
    assert f"widget.{shop.group}/one" in shop.kubectl("get", "all", "-o", "name")
    listed = shop.kubectl("api-resources", f"--api-group={shop.group}", "--no-headers").split()
    assert listed == ["widgets", "wd", f"{shop.group}/v1", "true", "Widget"]


def test_its_fields_are_explained(shop: Shop) -> None:
    whole = shop.kubectl("explain", "--api-version", f"{shop.group}/v1", "widgets")
    assert "A widget is something that a shop sells." in whole
    field = shop.kubectl("explain", "--api-version", f"{shop.group}/v1", "widgets.spec.size")
    assert "How big it is." in field
    assert "<integer>" in field


def test_what_its_schema_forbids_is_refused_in_words(shop: Shop) -> None:
    kubectl = shop.kubectl
    wrong = shop.text(WIDGET).replace("size: 3", "size: 30, colour: green")
    said = kubectl.fails("create", "--filename=-", stdin=wrong)
    assert "spec.size: Invalid value: 30: spec.size in body should be less than or" in said
    assert 'spec.colour: Unsupported value: "green": supported values: "red", "blue"' in said
    unknown = shop.text(WIDGET).replace("size: 3", "size: 3, weight: 1")
    assert 'unknown field "spec.weight"' in kubectl.fails("create", "-f", "-", stdin=unknown)
    kubectl("create", "--validate=ignore", "--filename=-", stdin=unknown)
    assert "weight" not in kubectl("get", "wd/one", "-o", "yaml", "--show-managed-fields=false")


def test_status_and_scale_are_places_of_their_own(shop: Shop) -> None:
    kubectl = shop.kubectl
    shop.apply(WIDGET)
    kubectl("scale", "widget/one", "--replicas=4")
    ready = {"status": {"replicas": 2, "conditions": [{"type": "Ready", "status": "True"}]}}
    patch = f"--patch={json.dumps(ready)}"
    kubectl("patch", "widget/one", "--type=merge", "--subresource=status", patch)
    kubectl("wait", "widget/one", "--for=condition=Ready", "--timeout=5s")
    kubectl("patch", "widget/one", "--type=merge", '--patch={"spec":{"size":5},"status":{}}')
    shown = json.loads(kubectl("get", "widget/one", "-o", "json"))
    assert shown["spec"] == {"size": 5, "colour": "red", "replicas": 4}
    assert shown["status"] == ready["status"]
    assert shown["metadata"]["generation"] == 3
    scale = json.loads(kubectl("get", "widget/one", "--subresource=scale", "-o", "json"))
    assert (scale["spec"], scale["status"]) == ({"replicas": 4}, {"replicas": 2})


def test_it_is_described_edited_labelled_and_selected(shop: Shop) -> None:
    kubectl = shop.kubectl
    shop.apply(WIDGET)
    shop.apply(WIDGET.replace("size: 3", "size: 4, colour: blue"), "two")
    assert "Colour:    blue" in kubectl("describe", "widget", "two")
    kubectl("label", "widget/two", "shelf=top")
    assert kubectl("get", "wd", "-l", "shelf=top", "-o", "name").endswith("/two\n")
    chosen = kubectl("get", "wd", "--field-selector=spec.colour=red", "-o", "name")
    assert chosen == f"widget.{shop.group}/one\n"
    kubectl("edit", "widget/one", KUBE_EDITOR="sed -i s/red/blue/")
    assert kubectl("get", "wd/one", "-o", "jsonpath={.spec.colour}") == "blue"


def test_another_version_shows_the_same_object_and_warns(shop: Shop) -> None:
    shop.apply(WIDGET)
    ran = shop.kubectl.run("get", f"widgets.v1alpha1.{shop.group}/one", "-o", "yaml")
    assert f"apiVersion: {shop.group}/v1alpha1" in ran.out
    assert f"Widget is deprecated; use {shop.group}/v1 Widget" in ran.err


def test_its_objects_go_with_the_definition_and_do_not_come_back(shop: Shop) -> None:
    kubectl = shop.kubectl
    shop.apply(WIDGET)
    kubectl("delete", "crd", f"widgets.{shop.group}", "--timeout=30s")
    kubectl.fails("get", f"widgets.{shop.group}")
    assert shop.group not in kubectl("api-versions")
    shop.apply(DEFINITION)
    assert kubectl("get", f"widgets.{shop.group}", "-o", "name") == ""


def test_a_custom_object_takes_along_what_it_owns(shop: Shop) -> None:
    kubectl = shop.kubectl
    shop.apply(WIDGET)
    uid = kubectl("get", "wd/one", "-o", "jsonpath={.metadata.uid}")
    owner = {"apiVersion": f"{shop.group}/v1", "kind": "Widget", "name": "one", "uid": uid}
    metadata = {"name": "owned", "ownerReferences": [owner]}
    owned = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    kubectl("create", "--filename=-", stdin=json.dumps(owned))
    kubectl("delete", "widget/one")
    kubectl("wait", "configmap/owned", "--for=delete", "--timeout=30s")


def test_a_definition_that_is_wrong_says_why(shop: Shop) -> None:
    wrong = shop.text(DEFINITION).replace("storage: false", "storage: true")
    said = shop.kubectl.fails("apply", "--filename=-", stdin=wrong)
    assert "must have exactly one version marked as storage version" in said
    webhook = shop.text(DEFINITION).replace(
        "  scope: Namespaced", "  scope: Namespaced\n  conversion: {strategy: Webhook}"
    )
    said = shop.kubectl.fails("apply", "--filename=-", stdin=webhook)
    assert "spec.conversion.strategy: Forbidden: conversion by webhook is not served" in said


def test_an_applier_owns_what_it_said_and_no_default(shop: Shop) -> None:
    kubectl = shop.kubectl
    server_side = ("apply", "--server-side", "--filename=-")
    kubectl(*server_side, stdin=shop.text(WIDGET))
    kubectl("scale", "widget/one", "--replicas=4")
    kubectl(*server_side, stdin=shop.text(WIDGET))
    assert kubectl("get", "wd/one", "-o", "jsonpath={.spec.replicas}") == "4"
    other = shop.text(WIDGET).replace("size: 3", "size: 5")
    said = kubectl.fails(*server_side, "--field-manager=other", stdin=other)
    assert 'conflict with "kubectl"' in said
    assert ".spec.size" in said
