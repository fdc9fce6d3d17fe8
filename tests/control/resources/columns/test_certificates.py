"""Requests for certificates as kubectl shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from control.resources.columns import certificates

Make = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("types", "certificate", "expected"),
    [
        ([], "", "Pending"),
        (["Approved"], "", "Approved"),
        (["Approved"], "QQ==", "Approved,Issued"),
        (["Approved", "Denied"], "", "Denied"),
        (["Approved", "Failed"], "", "Approved,Failed"),
    ],
)
def test_a_request_says_what_became_of_it(
    types: list[str], certificate: str, expected: str, now: datetime, document: Make
) -> None:
    conditions = [{"type": each, "status": "True"} for each in types]
    spec = {"signerName": "a/b", "username": "ada", "expirationSeconds": 3600}
    request = document(spec=spec, status={"conditions": conditions, "certificate": certificate})
    row = certificates.SIGNING_REQUESTS.row(request, now)
    assert row == ["it", "5m", "a/b", "ada", "60m", expected]


def test_a_bundle_names_its_signer_or_none(now: datetime, document: Make) -> None:
    bundle = document(spec={"signerName": "a/b"})
    assert certificates.TRUST_BUNDLES.row(bundle, now) == ["it", "a/b"]
    assert certificates.TRUST_BUNDLES.row(document(), now) == ["it", "<none>"]


def test_a_pods_request_says_for_whom_and_how_far(now: datetime, document: Make) -> None:
    spec = {"podName": "p", "serviceAccountName": "s", "nodeName": "n", "signerName": "a/b"}
    issued = {"conditions": [{"type": "Issued", "status": "True"}]}
    row = certificates.POD_CERTIFICATES.row(document(spec=spec, status=issued), now)
    assert row == ["it", "p", "s", "n", "a/b", "Issued"]
    assert certificates.POD_CERTIFICATES.row(document(spec=spec), now)[-1] == "Pending"
