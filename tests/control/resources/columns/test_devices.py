"""Claims for devices, and slices of them, as kubectl shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from control.resources.columns import devices

Make = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, "pending"),
        ({"allocation": {"devices": {}}}, "allocated"),
        ({"allocation": {"devices": {}}, "reservedFor": [{"name": "p"}]}, "allocated,reserved"),
    ],
)
def test_a_claim_says_how_far_it_is(
    status: dict[str, Any], expected: str, now: datetime, document: Make
) -> None:
    assert devices.RESOURCE_CLAIMS.row(document(status=status), now) == ["it", expected, "5m"]


def test_a_claim_that_goes_says_so(now: datetime, document: Make) -> None:
    going = document(metadata={"deletionTimestamp": "2026-01-01T12:00:00Z"})
    assert devices.RESOURCE_CLAIMS.row(going, now)[1] == "deleted"


def test_a_slice_is_of_one_node_or_of_all(now: datetime, document: Make) -> None:
    spec = {"driver": "gpu.example.com", "pool": {"name": "one"}}
    row = devices.RESOURCE_SLICES.row(document(spec={**spec, "nodeName": "node-1"}), now)
    assert row == ["it", "node-1", "gpu.example.com", "one", "5m"]
    assert devices.RESOURCE_SLICES.row(document(spec={"allNodes": True}), now)[1] == "<all nodes>"
    assert devices.RESOURCE_SLICES.row(document(spec=spec), now)[1] == "<unset>"
