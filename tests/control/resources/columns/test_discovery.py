"""EndpointSlices as `kubectl get endpointslices` shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from control.resources.columns.discovery import ENDPOINT_SLICES

Make = Callable[..., dict[str, Any]]


def test_the_row_of_a_slice(now: datetime, document: Make) -> None:
    made = document(
        "cart-abc",
        addressType="IPv4",
        ports=[{"port": 8080}, {"name": "named"}, {}],
        endpoints=[{"addresses": ["10.244.1.2"]}, {"addresses": ["10.244.2.2"]}],
    )
    told = ["cart-abc", "IPv4", "8080,named,*", "10.244.1.2,10.244.2.2", "5m"]
    assert ENDPOINT_SLICES.row(made, now) == told


def test_more_than_three_endpoints_are_counted_and_none_are_unset(
    now: datetime, document: Make
) -> None:
    five = [{"addresses": [f"10.244.1.{number}"]} for number in range(2, 7)]
    shown = ENDPOINT_SLICES.row(document(addressType="IPv4", endpoints=five), now)
    assert shown[2:4] == ["<unset>", "10.244.1.2,10.244.1.3,10.244.1.4 + 2 more..."]
    assert ENDPOINT_SLICES.row(document(addressType="IPv4"), now)[3] == "<unset>"
