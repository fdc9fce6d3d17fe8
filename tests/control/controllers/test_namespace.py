"""What a namespace holds from the start, and how it goes."""

from typing import Any

from cluster.objects.resources import (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    PODS,
    SERVICE_ACCOUNTS,
    Resource,
)
from control.controllers import namespace
from control.controllers.namespace import Namespaces
from control.controllers.settings import WATCHED, ControllerSettings
from control.controllers.view import Key
from control.controllers.writes import DeleteAll, FinalizeNamespace

SETTINGS = ControllerSettings(ca_certificate="PEM")
SHOP = Key(NAMESPACES, "", "shop")


def test_a_namespace_gets_an_account_and_the_certificate(simulation: Any) -> None:
    """kube_api section 6."""
    simulation.store.create(NAMESPACES, {"metadata": {"name": "shop"}})
    reconcile = Namespaces(SETTINGS, WATCHED).reconcile
    simulation.look(reconcile, SHOP)
    assert simulation.store.get(SERVICE_ACCOUNTS, "default", "shop")
    made = simulation.store.get(CONFIG_MAPS, "kube-root-ca.crt", "shop")
    assert made["data"] == {"ca.crt": "PEM"}
    assert simulation.look(reconcile, SHOP) == []


def test_a_changed_or_deleted_certificate_is_set_right(simulation: Any) -> None:
    simulation.store.create(NAMESPACES, {"metadata": {"name": "shop"}})
    reconcile = Namespaces(SETTINGS, WATCHED).reconcile
    simulation.look(reconcile, SHOP)
    simulation.store.patch(CONFIG_MAPS, "kube-root-ca.crt", {"data": {"ca.crt": "x"}}, "shop")
    simulation.look(reconcile, SHOP)
    assert simulation.store.get(CONFIG_MAPS, "kube-root-ca.crt", "shop")["data"]["ca.crt"] == "PEM"
    simulation.store.delete(SERVICE_ACCOUNTS, "default", "shop")
    simulation.look(reconcile, SHOP)
    assert simulation.store.get(SERVICE_ACCOUNTS, "default", "shop")


def test_a_namespace_that_goes_is_emptied_then_finalized(build: Any, view: Any) -> None:
    """kube_api section 6: every namespaced resource, the events last, then the end."""
    going = {
        "kind": "Namespace",
        "metadata": {"name": "shop", "uid": "x", "deletionTimestamp": build.stamp()},
    }
    plan = Namespaces(SETTINGS, WATCHED).reconcile(view(going), SHOP)
    *clearing, final = plan
    emptied = [write.resource for write in clearing if isinstance(write, DeleteAll)]
    assert set(emptied) == {each for each in (*WATCHED, EVENTS) if each.namespaced}
    assert emptied[-1] == EVENTS
    assert isinstance(final, FinalizeNamespace)
    assert set(final.resources) == set(emptied)


def test_an_account_that_goes_concerns_its_namespace(build: Any, view: Any) -> None:
    watches = namespace.controller(SETTINGS, WATCHED).watches
    held = view().objects
    account = {"metadata": {"name": "default", "namespace": "shop"}}
    other = {"metadata": {"name": "robot", "namespace": "shop"}}
    assert list(watches[SERVICE_ACCOUNTS](held, account, None)) == [SHOP]
    assert list(watches[SERVICE_ACCOUNTS](held, other, None)) == []
    assert PODS not in watches


def test_custom_objects_go_with_their_namespace(build: Any, view: Any) -> None:
    names = {"plural": "widgets", "kind": "Widget"}
    definition = {
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com", "uid": "d", "resourceVersion": "1"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": names,
            "versions": [{"name": "v1", "served": True, "storage": True}],
        },
        "status": {
            "acceptedNames": names,
            "conditions": [{"type": "Established", "status": "True"}],
        },
    }
    going = {
        "kind": "Namespace",
        "metadata": {"name": "shop", "uid": "x", "deletionTimestamp": build.stamp()},
    }
    plan = Namespaces(SETTINGS, WATCHED).reconcile(view(going, definition), SHOP)
    assert DeleteAll(Resource("example.com", "v1", "widgets", "Widget"), "shop") in plan
