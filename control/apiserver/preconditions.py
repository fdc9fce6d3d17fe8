"""What a write says of the object that it means: its namespace, name, identity, version.

Pure: documents and records in, refusals out. Source: k8s.io/apiserver, `rest.BeforeUpdate`,
`Preconditions`.
"""

from cluster.client.interface import Document
from cluster.objects.resources import NAMESPACES, Resource
from control.apiserver import statuses
from control.apiserver.options import DeleteOptions
from control.store.record import Record

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


def check_namespace(resource: Resource, document: Document, namespace: str | None) -> None:
    """The object's namespace is the one in the path, if it names one."""
    given = (document.get("metadata") or {}).get("namespace")
    if resource.namespaced and given and given != namespace:
        words = "the namespace of the provided object does not match the namespace sent on the "
        raise statuses.bad_request(words + f"request ({given!r} and {namespace!r})")


def check_identity(resource: Resource, given: Document, old: Record) -> None:
    """Name, uid and resourceVersion are those of the object that is there, if they are given."""
    metadata = given.get("metadata") or {}
    name = metadata.get("name", old.key.name)
    if name != old.key.name:
        words = f"the name of the object ({name}) does not match the name on the URL "
        raise statuses.bad_request(words + f"({old.key.name})")
    check_namespace(resource, given, old.key.namespace or None)
    held = old.document["metadata"]
    if metadata.get("uid") not in (None, "", held["uid"]):
        why = f"Precondition failed: UID in precondition: {metadata['uid']}, "
        raise statuses.conflict(resource, name, why + f"UID in object meta: {held['uid']}")
    if metadata.get("resourceVersion") not in (None, "", held["resourceVersion"]):
        raise statuses.modified(resource, name)


def check_mortal(resource: Resource, name: str) -> None:
    """The namespaces that a cluster cannot be without."""
    if resource == NAMESPACES and name in IMMORTAL:
        raise statuses.forbidden(resource, name, "this namespace may not be deleted")


def check_preconditions(resource: Resource, old: Record, options: DeleteOptions) -> None:
    """A deletion may be meant for one object of the name, or for one version of it."""
    held = old.document["metadata"]
    if options.uid not in (None, held["uid"]):
        why = f"Precondition failed: UID in precondition: {options.uid}, "
        raise statuses.conflict(resource, old.key.name, why + f"UID in object meta: {held['uid']}")
    if options.resource_version not in (None, held["resourceVersion"]):
        why = f"Precondition failed: ResourceVersion in precondition: {options.resource_version}, "
        why += f"ResourceVersion in object meta: {held['resourceVersion']}"
        raise statuses.conflict(resource, old.key.name, why)
