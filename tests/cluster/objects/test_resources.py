import pytest

from cluster.objects.resources import DEPLOYMENTS, NODES, PODS, Resource


@pytest.mark.parametrize(
    ("resource", "namespace", "name", "path"),
    [
        (PODS, None, None, "/api/v1/pods"),
        (PODS, "shop", None, "/api/v1/namespaces/shop/pods"),
        (PODS, "shop", "cart-1", "/api/v1/namespaces/shop/pods/cart-1"),
        (DEPLOYMENTS, "shop", "cart", "/apis/apps/v1/namespaces/shop/deployments/cart"),
        (NODES, None, "node-1", "/api/v1/nodes/node-1"),
        (NODES, "ignored", "node-1", "/api/v1/nodes/node-1"),
    ],
)
def test_a_resource_has_its_path(
    resource: Resource, namespace: str | None, name: str | None, path: str
) -> None:
    assert resource.path(namespace, name) == path


def test_a_resource_has_the_api_version_that_objects_spell() -> None:
    assert (PODS.api_version, DEPLOYMENTS.api_version) == ("v1", "apps/v1")
