"""The Service `kubernetes` and its endpoints come back when somebody deletes them.

Pure: `reconcile` from a view to writes. Spec: S-21. Source: k8s.io/kubernetes,
pkg/controlplane/controller/kubernetesservice, which makes sure of them again and again.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import ENDPOINT_SLICES, ENDPOINTS, SERVICES, Resource
from control.controllers import first_objects
from control.controllers.definition import Controller, KeysOf, present
from control.controllers.settings import ControllerSettings
from control.controllers.view import Key, View, key_of
from control.controllers.writes import Create, Write

NAMESPACE, NAME = "default", "kubernetes"


class KubernetesService:
    """Knows the objects by which pods find the API server."""

    def __init__(self, settings: ControllerSettings) -> None:
        self._documents = {
            SERVICES: first_objects.api_service(settings),
            ENDPOINT_SLICES: first_objects.api_slice(settings),
            ENDPOINTS: first_objects.api_endpoints(settings),
        }

    def reconcile(self, view: View, key: Key) -> Sequence[Write]:
        """Make what is missing."""
        if view.objects.at(key) is not None:
            return ()
        return [Create(key.resource, self._documents[key.resource])]


def _gone(resource: Resource) -> KeysOf:
    def keys(objects: Any, old: Document | None, new: Document | None) -> Iterable[Key]:
        key = key_of(resource, present(old, new))
        if new is None and key == Key(resource, NAMESPACE, NAME):
            yield key

    return keys


def controller(settings: ControllerSettings) -> Controller:
    """The keeper of the Service `kubernetes`."""
    return Controller(
        name="kubernetes-service",
        reconcile=KubernetesService(settings).reconcile,
        watches={each: _gone(each) for each in (SERVICES, ENDPOINT_SLICES, ENDPOINTS)},
        component="kube-apiserver",
    )
