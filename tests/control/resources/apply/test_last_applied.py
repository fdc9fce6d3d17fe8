"""What client-side apply left as it was."""

import json
from typing import Any

import pytest

from control.resources.apply.field_set import paths
from control.resources.apply.last_applied import ANNOTATION, still_as_applied
from tests.control.resources.apply.schemas import CONFIG_MAP


def live(config: Any, **data: str) -> dict[str, Any]:
    text = config if isinstance(config, str) else json.dumps(config)
    return {"apiVersion": "v1", "metadata": {"annotations": {ANNOTATION: text}}, "data": data}


def test_fields_that_nobody_has_changed_since_are_free() -> None:
    config = {"apiVersion": "v1", "data": {"a": "1", "b": "2"}}
    free = {path[-1] for path in paths(still_as_applied(CONFIG_MAP, live(config, a="1", b="9")))}
    assert "f:a" in free and "f:b" not in free


@pytest.mark.parametrize(
    "config", ["{", "5", {"apiVersion": "v2", "data": {"a": "1"}}, {"data": {"a": "1"}}]
)
def test_what_is_no_such_annotation_frees_nothing(config: Any) -> None:
    assert still_as_applied(CONFIG_MAP, live(config, a="1")) is None
    assert still_as_applied(CONFIG_MAP, {"apiVersion": "v1", "metadata": {}}) is None
