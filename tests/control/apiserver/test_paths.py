"""URLs of the API."""

import pytest

from control.apiserver.paths import ResourcePath, flag, parse_path


@pytest.mark.parametrize(
    ("path", "parsed"),
    [
        ("/api/v1/pods", ResourcePath("", "v1", "pods")),
        ("/api/v1/nodes/node-1", ResourcePath("", "v1", "nodes", None, "node-1")),
        ("/api/v1/namespaces", ResourcePath("", "v1", "namespaces")),
        ("/api/v1/namespaces/shop", ResourcePath("", "v1", "namespaces", None, "shop")),
        (
            "/api/v1/namespaces/shop/finalize",
            ResourcePath("", "v1", "namespaces", None, "shop", "finalize"),
        ),
        (
            "/api/v1/namespaces/shop/status",
            ResourcePath("", "v1", "namespaces", None, "shop", "status"),
        ),
        ("/api/v1/namespaces/shop/pods/", ResourcePath("", "v1", "pods", "shop")),
        (
            "/apis/apps/v1/namespaces/shop/deployments/cart/scale",
            ResourcePath("apps", "v1", "deployments", "shop", "cart", "scale"),
        ),
        (
            "/api/v1/namespaces/shop/services/cart/proxy/a/b",
            ResourcePath("", "v1", "services", "shop", "cart", "proxy", ("a", "b")),
        ),
    ],
)
def test_a_path_names_a_resource(path: str, parsed: ResourcePath) -> None:
    assert parse_path(path) == parsed


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/version", "/healthz"]
)
def test_everything_else_names_none(path: str) -> None:
    assert parse_path(path) is None


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ({}, False),
        ({"watch": "0"}, False),
        ({"watch": "False"}, False),
        ({"watch": "false"}, False),
        ({"watch": "True"}, True),
        ({"watch": "1"}, True),
        ({"watch": ""}, True),
        ({"watch": "anything"}, True),
    ],
)
def test_query_booleans_follow_gos_rule(query: dict[str, str], value: bool) -> None:
    assert flag(query, "watch") is value
