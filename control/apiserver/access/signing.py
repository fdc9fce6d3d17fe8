"""Who may decide for a signer: approve or deny a request for a certificate.

Pure, given the roles. Source: kubernetes.io, "Certificates and Certificate Signing Requests",
authorization.
"""

from cluster.client.interface import Document
from control.apiserver import statuses
from control.apiserver.access.attributes import Attributes
from control.apiserver.access.role_book import RoleBook
from control.apiserver.identity import User
from control.resources.kinds import Kind
from control.resources.validation.signing_requests import DECISIONS

GROUP, REQUESTS = "certificates.k8s.io", "certificatesigningrequests"


def check_approval(
    roles: RoleBook, user: User, kind: Kind, new: Document, old: Document | None
) -> None:
    """ApiError 403 for a decision by whom the signer, or its whole domain, did not trust."""
    resource = kind.resource
    if (resource.group, resource.plural) != (GROUP, REQUESTS) or old is None:
        return
    if _decided(new) == _decided(old):
        return
    signer = str((old.get("spec") or {}).get("signerName") or "")
    for name in (signer, f"{signer.partition('/')[0]}/*"):
        right = Attributes(verb="approve", group=GROUP, version="v1", resource="signers", name=name)
        if roles.allows(user, right):
            return
    why = f'user not permitted to approve requests with signerName "{signer}"'
    raise statuses.forbidden(resource, str(new["metadata"]["name"]), why)


def _decided(request: Document) -> list[str]:
    held = (request.get("status") or {}).get("conditions") or ()
    return sorted(str(each.get("type")) for each in held if each.get("type") in DECISIONS)
