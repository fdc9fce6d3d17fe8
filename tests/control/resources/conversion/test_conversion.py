"""Between versions of one shape, apiVersion and kind are all that changes."""

from control.resources.conversion.conversion import typed_as


def test_what_goes_to_the_store_and_back_is_the_same_document() -> None:
    asked = {"apiVersion": "example.com/v1beta1", "kind": "Widget", "spec": {"size": 3}}
    stored = typed_as("example.com/v1", "Widget")(asked)
    assert stored == {"apiVersion": "example.com/v1", "kind": "Widget", "spec": {"size": 3}}
    assert typed_as("example.com/v1beta1", "Widget")(stored) == asked
    assert asked["apiVersion"] == "example.com/v1beta1", "the document given is left alone"
