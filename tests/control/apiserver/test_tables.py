"""Tables: rows with their objects as the client asked for them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import CONFIG_MAPS, PODS
from control.apiserver.tables import table
from control.resources.kinds import Kind

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
KIND = Kind(CONFIG_MAPS, "configmap")


def config_map(name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "creationTimestamp": "2026-01-01T11:55:00Z"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}}


def shown(include: str) -> Any:
    return table(KIND, [config_map("one")], now=NOW, include_object=include)["rows"][0]["object"]


def test_a_table_has_columns_rows_and_a_version() -> None:
    documents = [config_map("one"), config_map("two")]
    made = table(KIND, documents, now=NOW, include_object="None", resource_version="17")
    assert (made["kind"], made["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert made["metadata"] == {"resourceVersion": "17"}
    assert [each["name"] for each in made["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert [each["cells"] for each in made["rows"]] == [["one", 1, "5m"], ["two", 1, "5m"]]


def test_a_row_carries_metadata_the_whole_object_or_nothing() -> None:
    metadata = {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": config_map("one")["metadata"],
    }
    assert shown("Metadata") == shown("") == metadata
    assert shown("Object") == config_map("one")
    assert shown("None") is None


def test_another_wish_is_refused() -> None:
    with pytest.raises(ApiError, match='unrecognized includeObject value: "Everything"') as caught:
        shown("Everything")
    assert caught.value.code == 400


def test_columns_may_be_left_out_for_a_watch_that_has_them() -> None:
    made = table(KIND, [config_map("a")], now=NOW, include_object="", with_columns=False)
    assert made["columnDefinitions"] == []
    assert len(made["rows"]) == 1


def test_rows_of_pods_that_are_over_are_marked() -> None:
    pods = [
        {"metadata": {"name": name}, "status": {"phase": phase}}
        for name, phase in (("done", "Succeeded"), ("web", "Running"))
    ]
    done, web = table(Kind(PODS, "pod"), pods, now=NOW, include_object="None")["rows"]
    assert done["conditions"][0]["type"] == "Completed"
    assert "conditions" not in web
