"""A program in a pod asks the API as its ServiceAccount: refused, then allowed by a RoleBinding.

The program (`programs/asking.py`) is what a user of kubernetes_asyncio or of aiohttp writes.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.testing.guard import Guard
from cluster.testing.names import cluster_name
from cluster.testing.start import apart, start, stop
from cluster.testing.under_test import ClusterUnderTest
from cluster.testing.wishes import Wishes

HERE = Path(__file__).parent
ACCOUNT = "system:serviceaccount:inside:asker"


@pytest.fixture(scope="module")
def running() -> Iterator[ClusterUnderTest]:
    guard = Guard()
    made: ClusterUnderTest | None = None
    try:
        wishes = Wishes(nodes=1, app_dir=HERE / "programs")
        made = start(cluster_name("inside", os.getpid(), 1), wishes, guard)
        apart(made.apply((HERE / "manifest.yaml").read_text()))
        yield made
    finally:
        if made is not None:
            stop(made)
        guard.close()


def ask(running: ClusterUnderTest, path: str) -> Any:
    return apart(running.curl(f"http://asking.inside{path}", source="internet"))


def test_a_pod_may_do_what_is_granted_to_its_account_and_nothing_else(
    running: ClusterUnderTest,
) -> None:
    """Its token, the CA and the API's addresses are those that every client library expects."""
    refused = ask(running, "/library")
    assert refused.status == 403, refused.text
    assert json.loads(refused.text)["message"] == (
        f'pods is forbidden: User "{ACCOUNT}" cannot list resource "pods" in API group "" '
        'in the namespace "inside"'
    )
    by_hand = json.loads(ask(running, "/hand").text)
    assert {status for status, _ in by_hand.values()} == {403}

    apart(running.apply((HERE / "binding.yaml").read_text()))

    allowed = ask(running, "/library")
    assert allowed.status == 200, allowed.text
    assert json.loads(allowed.text) == {"host": "https://10.96.0.1:443", "pods": ["asking"]}
    by_hand = json.loads(ask(running, "/hand").text)
    assert by_hand == {
        "kubernetes.default.svc": [200, ["asking"]],
        "kubernetes.default.svc.cluster.local": [200, ["asking"]],
        "10.96.0.1": [200, ["asking"]],
    }
    elsewhere = ask(running, "/library?namespace=kube-system")
    assert elsewhere.status == 403, elsewhere.text


def test_the_api_server_is_known_by_its_names_only(running: ClusterUnderTest) -> None:
    told = ask(running, "/stranger").text
    assert told.startswith("refused:") and "bank.example.com" in told
