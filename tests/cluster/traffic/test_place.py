"""Places that traffic is sent from."""

import pytest

from cluster.errors import ConfigError
from cluster.traffic.place import Place, PlaceKind


def test_the_internet_is_nobody_in_particular() -> None:
    place = Place.parse("internet", "shop")
    assert place == Place(kind=PlaceKind.INTERNET, namespace="shop")
    assert str(place) == "internet"


def test_an_outside_client_has_an_address_of_the_outside() -> None:
    assert Place.parse("203.0.113.7") == Place(kind=PlaceKind.INTERNET, name="203.0.113.7")
    assert str(Place.parse("203.0.113.7")) == "203.0.113.7"
    with pytest.raises(ConfigError, match=r"198\.51\.100\.3 is no outside client.*203\.0\.113\.0"):
        Place.parse("198.51.100.3")


@pytest.mark.parametrize("kind", ["pod", "po", "deploy", "deployment"])
def test_a_pod_is_named_with_or_without_its_namespace(kind: str) -> None:
    short, full = Place.parse(f"{kind}/cart", "shop"), Place.parse(f"{kind}/shop/cart")
    assert short == full and full.name == "cart" and full.namespace == "shop"
    assert str(full).endswith("/shop/cart")
    assert Place.parse(f"{kind}/cart").namespace == "default"


def test_a_deployment_is_no_pod() -> None:
    assert Place.parse("pod/cart").kind is PlaceKind.POD
    assert Place.parse("deploy/cart").kind is PlaceKind.DEPLOYMENT


def test_a_node_has_no_namespace_in_its_name() -> None:
    place = Place.parse("node/node-2", "shop")
    assert place.kind is PlaceKind.NODE and place.name == "node-2"
    assert str(place) == "node/node-2"


@pytest.mark.parametrize(
    "text", ["", "mars", "pod/", "/web", "pod/a/b/c", "node/shop/node-1", "svc/cart", "pod//web"]
)
def test_anything_else_is_answered_with_the_forms(text: str) -> None:
    with pytest.raises(ConfigError, match=r"pod/NAMESPACE/NAME, deploy/NAME, node/NAME"):
        Place.parse(text)
