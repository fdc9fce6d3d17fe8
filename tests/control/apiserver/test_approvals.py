"""Requests for certificates, approved and denied; the server says who asked."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
APPROVAL = f"{REQUESTS}/jane/approval"
DECIDED = {"status": "True", "reason": "KubectlApprove", "message": "fine"}


def pem():
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jane")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


@pytest.fixture
async def asked(client):
    spec = {
        "request": pem(),
        "signerName": "kubernetes.io/kube-apiserver-client",
        "usages": ["client auth"],
        "username": "somebody else",
        "groups": ["system:masters-of-the-universe"],
    }
    reply = await client("POST", REQUESTS, {"metadata": {"name": "jane"}, "spec": spec})
    assert reply.status == 201
    return reply.document


def decided(document, *types):
    conditions = [{**DECIDED, "type": each} for each in types]
    return {**document, "status": {"conditions": conditions}}


async def test_the_server_says_who_asks_and_that_nobody_signs(client, asked):
    assert asked["spec"]["username"] != "somebody else"
    assert "system:masters-of-the-universe" not in asked["spec"]["groups"]
    changed = {**asked, "spec": {**asked["spec"], "username": "eve"}}
    reply = await client("PUT", f"{REQUESTS}/jane", changed)
    assert reply.document["spec"] == asked["spec"]


async def test_a_request_is_approved(client, asked):
    """kubectl certificate approve: a PUT of the object with one more condition."""
    reply = await client("PUT", APPROVAL, decided(asked, "Approved"))
    assert reply.status == 200
    (condition,) = reply.document["status"]["conditions"]
    assert (condition["type"], condition["reason"]) == ("Approved", "KubectlApprove")
    read = await client("GET", APPROVAL)
    assert read.document["status"]["conditions"] == [condition]


async def test_a_decision_is_for_good(client, asked):
    denied = (await client("PUT", APPROVAL, decided(asked, "Denied"))).document
    back = await client("PUT", APPROVAL, decided(denied))
    assert back.status == 422
    assert 'updates may not remove a condition of type "Denied"' in back.document["message"]
    both = await client("PUT", APPROVAL, decided(denied, "Denied", "Approved"))
    assert "Approved and Denied conditions are mutually exclusive" in both.document["message"]


async def test_nothing_but_the_decision_changes(client, asked):
    more = {**decided(asked, "Approved"), "spec": {"request": "x"}}
    more["status"]["certificate"] = "eA=="
    reply = await client("PUT", APPROVAL, more)
    assert reply.status == 200
    assert reply.document["spec"] == asked["spec"]
    assert "certificate" not in reply.document["status"]


async def test_a_decision_about_what_has_changed_since_is_refused(client, asked):
    await client("PUT", APPROVAL, decided(asked, "Approved"))
    assert (await client("PUT", APPROVAL, decided(asked, "Approved", "Failed"))).status == 409


async def test_odd_decisions_are_refused_in_words(client, asked):
    odd = {"metadata": {"name": "jane"}, "status": {"conditions": "yes"}}
    assert (await client("PUT", APPROVAL, odd)).status == 400


async def test_other_kinds_have_no_such_thing(client):
    await client("POST", "/api/v1/namespaces", {"metadata": {"name": "x"}})
    reply = await client("PUT", "/api/v1/nodes/x/approval", {"metadata": {"name": "x"}})
    assert reply.status in (404, 405)
