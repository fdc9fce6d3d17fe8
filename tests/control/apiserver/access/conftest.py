"""An API server that many users ask: whoever a test says, by impersonation."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.control.apiserver.conftest import Client, Reply

RBAC = "rbac.authorization.k8s.io"
Ask = Callable[..., Awaitable[Reply]]


@pytest.fixture
def as_user(client: Client) -> Callable[[str], Ask]:
    """Requests as somebody else."""

    def of(name: str) -> Ask:
        async def ask(method: str, path: str, body: Any = None, **headers: str) -> Reply:
            return await client(method, path, body, **{"Impersonate_User": name, **headers})  # type: ignore[arg-type]

        return ask

    return of


@pytest.fixture
def grant(client: Client) -> Callable[..., Awaitable[None]]:
    """Give a user rules in the namespace `shop`, or everywhere."""

    async def given(
        user: str, *rules: dict[str, Any], everywhere: bool = False, kind: str = "User"
    ) -> None:
        name = f"of-{user}".replace(":", "-")
        scope = "" if everywhere else "/namespaces/shop"
        prefix = "Cluster" if everywhere else ""
        plural = "clusterrole" if everywhere else "role"
        root = f"/apis/{RBAC}/v1{scope}"
        role = {"metadata": {"name": name}, "rules": list(rules)}
        reference = {"apiGroup": RBAC, "kind": f"{prefix}Role", "name": name}
        subject = {"apiGroup": RBAC, "kind": kind, "name": user}
        binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
        for path, body in ((f"{plural}s", role), (f"{plural}bindings", binding)):
            reply = await client("POST", f"{root}/{path}", body)
            assert reply.status == 201, reply

    return given
