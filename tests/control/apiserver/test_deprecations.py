"""Warnings that come with whatever is asked of a kind."""

from collections.abc import Callable
from typing import Any

import pytest

from cluster.objects.resources import ENDPOINT_SLICES, ENDPOINTS, SERVICES, Resource
from control.apiserver.deprecations import deprecations
from control.resources.kinds import Kind

ENDPOINTS_PATH = "/api/v1/namespaces/shop/endpoints"
WORDS = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
SUBSETS = [{"addresses": [{"ip": "10.244.1.2"}], "ports": [{"port": 80}]}]


def test_what_is_on_its_way_out_says_so_and_nothing_else_does(
    kind: Callable[[Resource], Kind],
) -> None:
    """S-148."""
    assert deprecations(kind(ENDPOINTS)) == (WORDS,)
    assert deprecations(kind(SERVICES)) == deprecations(kind(ENDPOINT_SLICES)) == ()


async def test_every_read_and_write_of_endpoints_is_answered_with_a_warning(client: Any) -> None:
    """S-148."""
    made = await client("POST", ENDPOINTS_PATH, {"metadata": {"name": "a"}, "subsets": SUBSETS})
    assert (made.status, made.warnings) == (201, (f'299 - "{WORDS}"',))
    merge = "application/merge-patch+json"
    for method, path, body in (
        ("GET", f"{ENDPOINTS_PATH}/a", None),
        ("GET", ENDPOINTS_PATH, None),
        ("GET", "/api/v1/endpoints", None),
        ("PUT", f"{ENDPOINTS_PATH}/a", {"metadata": {"name": "a"}, "subsets": SUBSETS}),
        ("PATCH", f"{ENDPOINTS_PATH}/a", {"metadata": {"labels": {"b": "c"}}}),
        ("DELETE", f"{ENDPOINTS_PATH}/a", None),
    ):
        kind = {"Content_Type": merge} if method == "PATCH" else {}
        reply = await client(method, path, body, **kind)
        assert (reply.status, reply.warnings) == (200, (f'299 - "{WORDS}"',)), (method, path)


async def test_a_watch_of_endpoints_begins_with_the_warning(client: Any) -> None:
    """S-148."""
    watch = f"http://api{ENDPOINTS_PATH}?watch=true"
    async with client.session.get(watch) as answer:
        assert answer.status == 200
        assert answer.headers.getall("Warning") == [f'299 - "{WORDS}"']


async def test_other_warnings_keep_their_place(client: Any) -> None:
    odd = {"metadata": {"name": "a"}, "subsets": SUBSETS, "odd": 1}
    reply = await client("POST", ENDPOINTS_PATH, odd)
    assert reply.warnings == ('299 - "unknown field \\"odd\\""', f'299 - "{WORDS}"')


@pytest.mark.parametrize("path", ["services", "pods", "configmaps"])
async def test_other_kinds_come_without(client: Any, path: str) -> None:
    reply = await client("GET", f"/api/v1/namespaces/shop/{path}")
    assert (reply.status, reply.warnings) == (200, ())
