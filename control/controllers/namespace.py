"""Namespaces: what every one holds from the start, and how one goes.

Pure: `reconcile` from a view to writes. Spec: kube_api section 6 (namespace delete); kubernetes.io,
"Namespaces", "Service Accounts", "Kubernetes API access control".
"""

from collections.abc import Iterable, Sequence

from cluster.client.interface import Document
from cluster.objects.resources import (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    SERVICE_ACCOUNTS,
    Resource,
)
from control.controllers.custom_resources import custom_resources
from control.controllers.definition import Controller, itself, present
from control.controllers.settings import ControllerSettings
from control.controllers.times import timestamp
from control.controllers.view import Key, Objects, View, deleting
from control.controllers.writes import Create, DeleteAll, FinalizeNamespace, Patch, Write

ROOT_CA = "kube-root-ca.crt"
ROOT_CA_NOTE = "The CA that signs the API server's certificate, for kubernetes.default.svc."
ACCOUNT = "default"


class Namespaces:
    """Knows what a namespace may hold, and the certificate it is given."""

    def __init__(self, settings: ControllerSettings, resources: Iterable[Resource]) -> None:
        self._ca_certificate = settings.ca_certificate
        namespaced = [each for each in resources if each.namespaced]
        self._resources = tuple(dict.fromkeys((*namespaced, *settings.more_namespaced, EVENTS)))

    def reconcile(self, view: View, key: Key) -> Sequence[Write]:
        """Furnish a namespace, or empty one that goes."""
        namespace = view.objects.at(key)
        if namespace is None:
            return ()
        if deleting(namespace):
            # Last the events: emptying the rest makes some.
            custom = [each for each in custom_resources(view.objects) if each.namespaced]
            resources = (*custom, *self._resources)
            clearing = [DeleteAll(resource, key.name) for resource in resources]
            final = FinalizeNamespace(namespace, resources, timestamp(view.now))
            return [*clearing, final]
        return [*self._account(view.objects, key.name), *self._certificate(view.objects, key.name)]

    def _account(self, objects: Objects, namespace: str) -> Sequence[Write]:
        if objects.get(SERVICE_ACCOUNTS, namespace, ACCOUNT) is not None:
            return ()
        metadata = {"name": ACCOUNT, "namespace": namespace}
        document = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
        return [Create(SERVICE_ACCOUNTS, document)]

    def _certificate(self, objects: Objects, namespace: str) -> Sequence[Write]:
        data = {"ca.crt": self._ca_certificate}
        held = objects.get(CONFIG_MAPS, namespace, ROOT_CA)
        if held is not None:
            same = held.get("data") == data
            return () if same else [Patch(CONFIG_MAPS, namespace, ROOT_CA, {"data": data})]
        notes = {"kubernetes.io/description": ROOT_CA_NOTE}
        metadata = {"name": ROOT_CA, "namespace": namespace, "annotations": notes}
        document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        return [Create(CONFIG_MAPS, document)]


def _furniture(objects: Objects, old: Document | None, new: Document | None) -> Iterable[Key]:
    """The namespace of an account or certificate that was changed or taken away."""
    metadata = present(old, new)["metadata"]
    if metadata["name"] in (ACCOUNT, ROOT_CA):
        yield Key(NAMESPACES, "", metadata["namespace"])


def controller(settings: ControllerSettings, resources: Sequence[Resource]) -> Controller:
    """The namespace controller, the ServiceAccount controller and the root CA publisher in one."""
    return Controller(
        name="namespace",
        reconcile=Namespaces(settings, resources).reconcile,
        watches={
            NAMESPACES: itself(NAMESPACES),
            SERVICE_ACCOUNTS: _furniture,
            CONFIG_MAPS: _furniture,
        },
    )
