"""A program in a pod asks the API as its ServiceAccount: refused, then allowed by a RoleBinding.

The program (`programs/asking.py`) is what a user of kubernetes_asyncio or of aiohttp writes.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.objects.resources import CONFIG_MAPS, LEASES, STATEFUL_SETS
from cluster.testing.guard import Guard
from cluster.testing.names import cluster_name
from cluster.testing.start import apart, start, stop
from cluster.testing.under_test import ClusterUnderTest
from cluster.testing.wishes import Wishes

HERE = Path(__file__).parent
WAIT_SECONDS = 60.0  # before a test that waits for an event gives up
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


async def heard(running: ClusterUnderTest, name: str) -> str:
    """Who answered a new ConfigMap."""
    metadata = {"name": name, "namespace": "electing", "labels": {"heard": "wanted"}}
    made = await running.api.create(CONFIG_MAPS, {"metadata": metadata})
    async with asyncio.timeout(WAIT_SECONDS):
        async for event in running.api.watch(
            CONFIG_MAPS,
            resource_version=made["metadata"]["resourceVersion"],
            namespace="electing",
            field_selector=f"metadata.name={name}",
        ):
            if by := (event.document.get("data") or {}).get("by"):
                return str(by)
    raise AssertionError("the watch ended")


def test_of_two_pods_one_leads_and_follows_objects_then_the_other(
    running: ClusterUnderTest,
) -> None:
    apart(running.apply((HERE / "electing.yaml").read_text()))
    first = apart(heard(running, "one"))
    assert apart(heard(running, "two")) == first
    lease = apart(running.api.get(LEASES, "leader", namespace="electing"))
    assert lease["spec"]["holderIdentity"] == first

    (second,) = {"candidate-0", "candidate-1"} - {first}
    fewer = {"replicas": 1, "ordinals": {"start": int(second[-1])}}
    apart(running.api.patch(STATEFUL_SETS, "candidate", {"spec": fewer}, namespace="electing"))
    assert apart(heard(running, "three")) == second
