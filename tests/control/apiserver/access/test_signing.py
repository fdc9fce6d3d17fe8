"""Who may decide for a signer."""

from typing import Any

import pytest

from cluster.errors import ApiError
from control.apiserver.access.role_book import RoleBook
from control.apiserver.access.signing import check_approval
from control.apiserver.identity import ADMIN, User
from control.apiserver.registry import Registry
from control.resources.kinds import find_kind

JANE = User("jane")
SIGNER = "kubernetes.io/kube-apiserver-client"


def request(*types: str) -> dict[str, Any]:
    conditions = [{"type": each, "status": "True"} for each in types]
    status = {"conditions": conditions}
    return {"metadata": {"name": "jane"}, "spec": {"signerName": SIGNER}, "status": status}


class Roles(RoleBook):
    """Lets approve for one name, whoever asks."""

    def __init__(self, name: str) -> None:
        self._name = name

    def allows(self, user: User, wanted: Any) -> bool:
        return bool(
            (wanted.verb, wanted.resource, wanted.name) == ("approve", "signers", self._name)
        )


async def test_who_is_not_trusted_decides_nothing(registry: Registry) -> None:
    kind = find_kind("certificates.k8s.io", "v1", "certificatesigningrequests")
    assert kind is not None
    book = RoleBook(registry.store)
    check_approval(book, ADMIN, kind, request("Approved"), request())
    with pytest.raises(ApiError) as refused:
        check_approval(book, JANE, kind, request("Denied"), request())
    assert refused.value.code == 403
    assert str(refused.value).endswith(
        f'"jane" is forbidden: user not permitted to approve requests with signerName "{SIGNER}"'
    )
    check_approval(book, JANE, kind, request("Approved", "Failed"), request("Approved"))
    check_approval(book, JANE, kind, request("Approved"), None)


@pytest.mark.parametrize("name", [SIGNER, "kubernetes.io/*"])
def test_a_signer_is_trusted_by_name_or_by_domain(name: str) -> None:
    kind = find_kind("certificates.k8s.io", "v1", "certificatesigningrequests")
    assert kind is not None
    check_approval(Roles(name), JANE, kind, request("Approved"), request())
    with pytest.raises(ApiError):
        check_approval(Roles("example.com/*"), JANE, kind, request("Approved"), request())
