"""Requests for certificates: who asked, and certificatesigningrequests/approval.

Pure: values in, values or refusals out. Source: kubernetes.io, "Certificates and Certificate
Signing Requests".
"""

from collections.abc import Callable
from typing import Any

from cluster.client.interface import Document
from cluster.objects.resources import Resource
from control.apiserver import statuses
from control.apiserver.identity import User
from control.resources.validation.signing_requests import decision_causes

Change = Callable[[Document], Document]

SIGNING_REQUESTS = Resource(
    "certificates.k8s.io",
    "v1",
    "certificatesigningrequests",
    "CertificateSigningRequest",
    namespaced=False,
)
APPROVAL = "approval"


def requested_by(request: Document, user: User) -> dict[str, Any]:
    """A new request, which says who asks, whatever he says himself."""
    asker = {key: value for key, value in user.document().items() if value}
    kept = {
        key: value
        for key, value in (request.get("spec") or {}).items()
        if key not in ("username", "uid", "groups", "extra")
    }
    return {**request, "spec": {**kept, **asker}}


def decisions_only(change: Change) -> Change:
    """The change's conditions, and nothing else of it."""

    def changed(old: Document) -> dict[str, Any]:
        new, name = change(old), old["metadata"]["name"]
        version = (new.get("metadata") or {}).get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise statuses.modified(SIGNING_REQUESTS, name)
        wanted, held = _conditions(new), _conditions(old)
        causes = list(decision_causes(wanted, held))
        if causes:
            raise statuses.invalid(SIGNING_REQUESTS, name, causes)
        return {**old, "status": {**(old.get("status") or {}), "conditions": wanted}}

    return changed


def _conditions(request: Document) -> list[Document]:
    """A list of conditions; what is none is refused in words."""
    status = request.get("status") or {}
    held = (status.get("conditions") if isinstance(status, dict) else status) or []
    if not isinstance(held, list) or not all(isinstance(each, dict) for each in held):
        raise statuses.bad_request("status.conditions is not a list of conditions")
    return held
