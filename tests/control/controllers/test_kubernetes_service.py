"""The Service `kubernetes` comes back, with the address at which the API is really reached."""

from typing import Any

import pytest

from cluster.objects.core import ADDRESS_ANNOTATION
from cluster.objects.resources import ENDPOINT_SLICES, ENDPOINTS, SERVICES, Resource
from control.controllers import first_objects, kubernetes_service
from control.controllers.settings import ControllerSettings
from control.controllers.view import Key

SETTINGS = ControllerSettings(api_reached="127.64.0.254:6443")
KEEPER = kubernetes_service.controller(SETTINGS)
DOCUMENTS = {
    SERVICES: first_objects.api_service(SETTINGS),
    ENDPOINT_SLICES: first_objects.api_slice(SETTINGS),
    ENDPOINTS: first_objects.api_endpoints(SETTINGS),
}


@pytest.mark.parametrize("resource", DOCUMENTS)
def test_what_is_deleted_is_made_again(simulation: Any, view: Any, resource: Resource) -> None:
    """S-21."""
    document = DOCUMENTS[resource]
    keys = KEEPER.watches[resource](view().objects, document, None)
    assert list(keys) == [Key(resource, "default", "kubernetes")]
    simulation.look(KEEPER.reconcile, Key(resource, "default", "kubernetes"))
    made = simulation.store.get(resource, "kubernetes", "default")
    assert {key: made[key] for key in document if key != "metadata"} == {
        key: value for key, value in document.items() if key != "metadata"
    }
    assert simulation.look(KEEPER.reconcile, Key(resource, "default", "kubernetes")) == []


def test_another_service_stays_deleted_and_a_change_is_none_of_its_business(
    build: Any, view: Any
) -> None:
    concerned, held = KEEPER.watches[SERVICES], view().objects
    assert list(concerned(held, build.service("web"), None)) == []
    kubernetes = DOCUMENTS[SERVICES]
    assert list(concerned(held, kubernetes, kubernetes)) == []
    elsewhere = {**kubernetes, "metadata": {"name": "kubernetes", "namespace": "shop"}}
    assert list(concerned(held, elsewhere, None)) == []


def test_the_service_tells_where_the_api_is_reached() -> None:
    assert DOCUMENTS[SERVICES]["metadata"]["annotations"] == {
        ADDRESS_ANNOTATION: "127.64.0.254:6443"
    }
