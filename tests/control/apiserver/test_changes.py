"""Patches as requests: types, what is done, and refusals that kubectl can show."""

from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import SERVICES
from control.apiserver.changes import patch_of, replacement
from control.resources.kinds import find_kind

KIND = find_kind(SERVICES.group, SERVICES.version, SERVICES.plural)
JSON, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
OLD: dict[str, Any] = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80, "name": "a"}]}}


def patched(content_type: str, patch: Any) -> Any:
    assert KIND is not None
    return patch_of(KIND, content_type, patch)(OLD)


def refused(content_type: str, patch: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        patched(content_type, patch)
    return caught.value


def test_each_type_of_patch_has_its_own_idea_of_lists() -> None:
    change = {"spec": {"ports": [{"port": 81}]}}
    assert patched(MERGE, change)["spec"]["ports"] == [{"port": 81}]
    both = patched(f"{STRATEGIC}; charset=utf-8", change)["spec"]["ports"]
    assert {each["port"] for each in both} == {80, 81}
    removal = [{"op": "remove", "path": "/spec/ports/0"}]
    assert patched(JSON, removal)["spec"]["ports"] == []
    assert replacement({"a": 1})(OLD) == {"a": 1}


def test_a_patch_that_does_not_fit_has_no_details_so_that_kubectl_shows_the_message() -> None:
    error = refused(JSON, [{"op": "test", "path": "/spec/type", "value": "x"}])
    assert (error.code, error.reason) == (422, "Invalid")
    assert "details" not in error.status
    assert str(error) == (
        "the server rejected our request due to an error in our request: "
        "testing value /spec/type failed: test failed"
    )


@pytest.mark.parametrize(
    ("content_type", "patch", "code"),
    [
        (JSON, {"spec": {}}, 400),
        (JSON, [{"op": "frob", "path": ""}], 400),
        (JSON, [{"op": "replace", "path": "", "value": 5}], 400),
        (JSON, [{"op": "test", "path": "", "value": 5}] * 10_001, 413),
        (MERGE, [1], 400),
        (STRATEGIC, {"spec": {"ports": [{"name": "no port"}]}}, 400),
        ("application/apply-patch+yaml", {}, 415),
        ("text/plain", {}, 415),
    ],
)
def test_refusals(content_type: str, patch: Any, code: int) -> None:
    assert refused(content_type, patch).code == code
