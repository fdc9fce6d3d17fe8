"""Requests for certificates: every refusal, with its field and words."""

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from control.resources.validation.signing_requests import decision_causes, signing_request_causes


def pem() -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


REQUEST = pem()


def told(**spec: Any) -> list[str]:
    fine = {"request": REQUEST, "usages": ["client auth"], "signerName": "example.com/mine"}
    causes = signing_request_causes({"spec": {**fine, **spec}})
    return [f"{each.field}: {each.message}" for each in causes]


def of(*types: str, status: str = "True") -> list[dict[str, str]]:
    return [{"type": each, "status": status} for each in types]


def decided(new: list[dict[str, str]], old: list[dict[str, str]]) -> list[str]:
    return [f"{each.field}: {each.message}" for each in decision_causes([*new], [*old])]


@pytest.mark.parametrize(
    ("spec", "cause"),
    [
        ({}, None),
        ({"request": "eA=="}, 'request: Invalid value: "eA==": PEM block type must be CERTIFICATE'),
        ({"request": "%"}, 'request: Invalid value: "%": PEM block type must be CERTIFICATE'),
        ({"usages": []}, "usages: Required value"),
        (
            {"usages": ["fun"]},
            'usages[0]: Unsupported value: "fun": supported values: "any", "cert',
        ),
        ({"usages": ["any", "any"]}, 'usages[1]: Duplicate value: "any"'),
        ({"signerName": ""}, "signerName: Required value"),
        (
            {"signerName": "mine"},
            'signerName: Invalid value: "mine": must be a fully qualified domain and path of the '
            "form 'example.com/signer-name'",
        ),
        ({"signerName": "com/mine"}, 'signerName: Invalid value: "com": should be a domain with'),
        ({"signerName": "example.com/A"}, 'signerName: Invalid value: "A": a lowercase RFC 1123'),
        (
            {"expirationSeconds": 60},
            "expirationSeconds: Invalid value: 60: "
            "may not specify a duration less than 600 seconds",
        ),
    ],
)
def test_requests(spec: dict[str, Any], cause: str | None) -> None:
    causes = told(**spec)
    if cause is None:
        assert causes == []
        return
    (only,) = causes
    assert only.startswith(f"spec.{cause}")


def test_a_request_that_was_changed_on_the_way_is_none() -> None:
    raw = bytearray(base64.b64decode(base64.b64decode(REQUEST).split(b"-----")[2]))
    raw[-1] ^= 1
    text = b"-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(bytes(raw))
    text += b"-----END CERTIFICATE REQUEST-----\n"
    (cause,) = told(request=base64.b64encode(text).decode())
    assert cause.startswith("spec.request: Invalid value")


def test_decisions() -> None:
    assert decided(of("Approved"), []) == decided(of("Approved", "Failed"), of("Approved")) == []
    assert decided(of("Approved", "Denied"), []) == [
        'status.conditions: Invalid value: "Denied": '
        "Approved and Denied conditions are mutually exclusive"
    ]
    assert decided([], of("Denied")) == [
        'status.conditions: Forbidden: updates may not remove a condition of type "Denied"'
    ]
    assert decided(of("Approved", status="False"), []) == [
        'status.conditions[0].status: Unsupported value: "False": supported values: "True"'
    ]
    assert decided([{}], []) == [
        "status.conditions[0].type: Required value",
        "status.conditions[0].status: Required value",
    ]
    assert decided(of("X", "X"), []) == ['status.conditions[1].type: Duplicate value: "X"']
