"""Tokens of service accounts: asked for, shown, worth nothing after a while."""

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest

from tests.control.apiserver.conftest import Client, Reply

ACCOUNTS = "/api/v1/namespaces/shop/serviceaccounts"
REVIEW = "/apis/authentication.k8s.io/v1/tokenreviews"


async def token(client: Client, **spec: Any) -> Reply:
    await client("POST", ACCOUNTS, {"metadata": {"name": "robot"}})
    return await client("POST", f"{ACCOUNTS}/robot/token", {"spec": spec})


async def reviewed(client: Client, text: str, **spec: Any) -> dict[str, Any]:
    reply = await client("POST", REVIEW, {"spec": {"token": text, **spec}})
    assert reply.status == 201
    status: dict[str, Any] = reply.document["status"]
    return status


async def test_a_token_is_its_accounts(client: Client) -> None:
    reply = await token(client)
    assert reply.status == 201 and reply.document["kind"] == "TokenRequest"
    assert reply.document["spec"]["expirationSeconds"] == 3600
    assert reply.document["status"]["expirationTimestamp"] == "2026-01-01T13:00:00Z"
    status = await reviewed(client, reply.document["status"]["token"])
    user = status["user"]
    assert status["authenticated"] and user["username"] == "system:serviceaccount:shop:robot"
    assert user["groups"] == [
        "system:serviceaccounts",
        "system:serviceaccounts:shop",
        "system:authenticated",
    ]


async def test_a_token_says_whose_it_is_to_who_reads_it(client: Client) -> None:
    text = (await token(client)).document["status"]["token"]
    payload = text.split(".")[1]
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["sub"] == "system:serviceaccount:shop:robot"
    assert claims["kubernetes.io"]["serviceaccount"]["name"] == "robot"


async def test_a_token_ends_with_its_account_and_its_pod(client: Client) -> None:
    spec = {"serviceAccountName": "robot", "containers": [{"name": "a", "image": "echo"}]}
    await client("POST", ACCOUNTS, {"metadata": {"name": "robot"}})
    pod = {"metadata": {"name": "web"}, "spec": spec}
    assert (await client("POST", "/api/v1/namespaces/shop/pods", pod)).status == 201
    reference = {"kind": "Pod", "apiVersion": "v1", "name": "web"}
    bound = (await token(client, boundObjectRef=reference)).document["status"]["token"]
    extra = (await reviewed(client, bound))["user"]["extra"]
    assert extra["authentication.kubernetes.io/pod-name"] == ["web"]
    free = (await token(client)).document["status"]["token"]
    await client("DELETE", "/api/v1/namespaces/shop/pods/web?gracePeriodSeconds=0")
    gone = await reviewed(client, bound)
    assert "authenticated" not in gone and "pod web of the token is gone" in gone["error"]
    assert (await reviewed(client, free))["authenticated"]
    await client("DELETE", f"{ACCOUNTS}/robot")
    assert "error" in await reviewed(client, free)
    await client("POST", ACCOUNTS, {"metadata": {"name": "robot"}})  # another one of that name
    assert "error" in await reviewed(client, free)


async def test_a_token_is_not_bound_to_a_pod_of_another_account(client: Client) -> None:
    spec = {"serviceAccountName": "other", "containers": [{"name": "a", "image": "echo"}]}
    await client("POST", ACCOUNTS, {"metadata": {"name": "other"}})
    pod = {"metadata": {"name": "web"}, "spec": spec}
    assert (await client("POST", "/api/v1/namespaces/shop/pods", pod)).status == 201
    reply = await token(client, boundObjectRef={"kind": "Pod", "name": "web"})
    assert reply.status == 400 and "different serviceaccount name" in reply.document["message"]


async def test_a_token_is_for_its_audiences(client: Client) -> None:
    text = (await token(client, audiences=["vault"])).document["status"]["token"]
    assert "error" in await reviewed(client, text)
    assert (await reviewed(client, text, audiences=["x", "vault"]))["audiences"] == ["vault"]


async def test_time_ends_it(client: Client, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (await token(client, expirationSeconds=600)).document["status"]["token"]
    assert (await reviewed(client, text))["authenticated"]
    later = clock.now() + 700
    monkeypatch.setattr(type(clock), "now", lambda self: later)
    assert "token has expired" in (await reviewed(client, text))["error"]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"expirationSeconds": 5}, 422),
        ({"expirationSeconds": 2**40}, 422),
        ({"expirationSeconds": "soon"}, 422),
        ({"boundObjectRef": {"kind": "Service", "name": "x"}}, 422),
        ({"boundObjectRef": {"kind": "Pod", "name": "nobody"}}, 404),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(
    client: Client, spec: Any, code: int
) -> None:
    assert (await token(client, **spec)).status == code


async def test_nobodys_token_is_not_made(client: Client) -> None:
    assert (await client("POST", f"{ACCOUNTS}/nobody/token", {})).status == 404
    await client("POST", ACCOUNTS, {"metadata": {"name": "robot"}})
    assert (await client("GET", f"{ACCOUNTS}/robot/token")).status == 405
    assert "error" in await reviewed(client, "a.b.c")
