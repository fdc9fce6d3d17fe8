"""Between versions of one shape, apiVersion and kind are all that changes."""

from control.resources.conversion.conversion import renaming


def test_what_goes_to_the_store_and_back_is_the_same_document() -> None:
    conversion = renaming(("example.com/v1beta1", "Widget"), ("example.com/v1", "Widget"))
    asked = {"apiVersion": "example.com/v1beta1", "kind": "Widget", "spec": {"size": 3}}
    stored = conversion.to_stored(asked)
    assert stored == {"apiVersion": "example.com/v1", "kind": "Widget", "spec": {"size": 3}}
    assert conversion.from_stored(stored) == asked
    assert asked["apiVersion"] == "example.com/v1beta1", "the document given is left alone"
