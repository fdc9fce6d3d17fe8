"""Scenario 7, further: who may reach whom between namespaces x, y and z."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cluster.objects.resources import NAMESPACES, NETWORK_POLICIES, PODS
from cluster.testing.start import apart
from cluster.traffic.unreached import Unreached

SPACES = ("x", "y", "z")
PORTS = (80, 81)
_numbers = itertools.count(1)
ALL_PODS: dict[str, Any] = {"podSelector": {}}


def world() -> list[dict[str, Any]]:
    """A namespace each, in it pods a and b that listen on 80 and 81."""
    found: list[dict[str, Any]] = []
    for space in SPACES:
        metadata = {"name": space, "labels": {"team": space}}
        found.append({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    for space in SPACES:
        for name in ("a", "b"):
            containers = [
                {"name": f"p{port}", "image": "http", "args": [f"--port={port}"]} for port in PORTS
            ]
            metadata = {"name": name, "namespace": space, "labels": {"pod": name}}
            found.append(
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": metadata,
                    "spec": {"containers": containers},
                }
            )
    return found


@pytest.fixture(scope="session")
def _spaces(shared_cluster: Any) -> None:
    apart(shared_cluster.apply(world()))


class Spaces:
    """The namespaces, and who reaches whom in them."""

    def __init__(self, shop: Any) -> None:
        self.shop = shop
        self.api = shop.cluster.api

    async def ip(self, pod: str) -> str:
        """The address of "namespace/name"."""
        namespace, _, name = pod.partition("/")
        found = await self.api.get(PODS, name, namespace=namespace)
        return str(found["status"]["podIP"])

    async def reaches(self, source: str, target: str, port: int = 80) -> bool:
        """Whether a pod's connection comes through; if not, a policy must be why."""
        url = f"http://{await self.ip(target)}:{port}/"
        try:
            answer = await self.shop.cluster.curl(url, source=f"pod/{source}", timeout_seconds=0.5)
        except Unreached as error:
            assert error.trace is not None, error
            assert (error.kind, error.trace.code) == ("timeout", "POLICY_DENIED")
            return False
        return bool(answer.status == 200)

    @asynccontextmanager
    async def policy(self, namespace: str, **spec: Any) -> AsyncIterator[None]:
        """A NetworkPolicy for the time of a block."""
        metadata = {"name": f"policy-{next(_numbers)}", "namespace": namespace}
        document = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata,
            "spec": {**ALL_PODS, **spec},
        }
        async with self.shop.applied(document):
            yield


@pytest.fixture
def spaces(shop: Any, _spaces: None) -> Spaces:
    return Spaces(shop)


def from_(*peers: dict[str, Any]) -> list[dict[str, Any]]:
    """One ingress rule for these peers."""
    return [{"from": list(peers)}]


def labelled(**labels: str) -> dict[str, Any]:
    """A selector."""
    return {"matchLabels": labels}


async def test_deny_all_but_one_namespace(spaces: Any) -> None:
    """N-73, N-33, N-40: y reaches x, z does not, and x reaches y as before."""
    team = {"namespaceSelector": labelled(**{"kubernetes.io/metadata.name": "y"})}
    async with spaces.policy("x", ingress=from_(team)):
        assert await spaces.reaches("y/a", "x/a") and await spaces.reaches("y/b", "x/b")
        assert not await spaces.reaches("z/a", "x/a")
        assert not await spaces.reaches("x/b", "x/a"), "its own namespace is not selected"
        assert await spaces.reaches("x/a", "y/a")


async def test_every_namespace_and_nothing_outside(spaces: Any) -> None:
    """N-33, N-138: all pods come through; a client outside does not."""
    async with spaces.policy("x", ingress=from_({"namespaceSelector": {}})):
        assert await spaces.reaches("z/a", "x/a") and await spaces.reaches("x/b", "x/a")
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "a", "namespace": "x"},
            "spec": {
                "type": "NodePort",
                "selector": {"pod": "a"},
                "ports": [{"port": 80, "nodePort": 30070}],
            },
        }
        async with spaces.shop.applied(service):
            home = (await spaces.api.get(PODS, "a", namespace="x"))["spec"]["nodeName"]
            other = next(name for name in await spaces.shop.nodes() if name != home)
            failure = await spaces.shop.failure(f"http://{other}:30070/")
            assert failure.trace.code == "POLICY_DENIED"


async def test_two_selectors_in_one_item_are_and_two_items_are_or(spaces: Any) -> None:
    """N-34, N-35, N-36, N-141."""
    team, pod = {"namespaceSelector": labelled(team="y")}, {"podSelector": labelled(pod="b")}
    async with spaces.policy("x", podSelector=labelled(pod="a"), ingress=from_({**team, **pod})):
        assert await spaces.reaches("y/b", "x/a")
        assert not await spaces.reaches("y/a", "x/a")
        assert not await spaces.reaches("x/b", "x/a")
    async with spaces.policy("x", podSelector=labelled(pod="a"), ingress=from_(team, pod)):
        assert await spaces.reaches("y/a", "x/a") and await spaces.reaches("y/b", "x/a")
        assert await spaces.reaches("x/b", "x/a"), "pods b of the policy's own namespace"
        assert not await spaces.reaches("z/b", "x/a"), "not those of others"


async def test_two_policies_on_one_pod_add_up_and_do_not_mix(spaces: Any) -> None:
    """N-76, N-13, N-17."""
    target = {"podSelector": labelled(pod="a")}
    y80 = [{"from": [{"namespaceSelector": labelled(team="y")}], "ports": [{"port": 80}]}]
    z81 = [{"from": [{"namespaceSelector": labelled(team="z")}], "ports": [{"port": 81}]}]
    async with spaces.policy("x", ingress=y80, **target), spaces.policy("x", ingress=z81, **target):
        assert await spaces.reaches("y/a", "x/a", 80) and await spaces.reaches("z/a", "x/a", 81)
        assert not await spaces.reaches("y/a", "x/a", 81)
        assert not await spaces.reaches("z/a", "x/a", 80)


async def test_all_containers_of_a_pod_share_its_policy(spaces: Any) -> None:
    """N-51: two programs on two ports, one verdict."""
    async with spaces.policy("x", podSelector=labelled(pod="a"), policyTypes=["Ingress"]):
        for port in PORTS:
            assert not await spaces.reaches("y/a", "x/a", port)
            assert await spaces.reaches("y/a", "x/b", port)


async def test_allow_all_beats_deny_all(spaces: Any) -> None:
    """N-77, N-29, N-7."""
    async with spaces.policy("x", policyTypes=["Ingress"]):
        assert not await spaces.reaches("y/a", "x/a")
        async with spaces.policy("x", ingress=[{}]):
            assert await spaces.reaches("y/a", "x/a")


async def test_a_pods_own_address_as_a_block_matches_that_pod(spaces: Any) -> None:
    """N-55, N-52, N-54."""
    block = {"ipBlock": {"cidr": f"{await spaces.ip('y/a')}/32"}}
    async with spaces.policy("x", ingress=from_(block)):
        assert await spaces.reaches("y/a", "x/a")
        assert not await spaces.reaches("y/b", "x/a")


async def test_both_sides_must_allow(spaces: Any) -> None:
    """N-14, N-74, N-75."""
    async with spaces.policy("y", policyTypes=["Egress"]):
        assert not await spaces.reaches("y/a", "x/a"), "the client may not leave"
        async with spaces.policy("x", ingress=[{}]):
            assert not await spaces.reaches("y/a", "x/a")
        async with spaces.policy("y", egress=[{}], policyTypes=["Egress"]):
            assert await spaces.reaches("y/a", "x/a")
            async with spaces.policy("x", policyTypes=["Ingress"]):
                assert not await spaces.reaches("y/a", "x/a"), "the server takes nobody"


async def test_replies_need_no_rule(spaces: Any) -> None:
    """N-15, N-16, N-146: y may ask x and is answered; x may not ask y."""
    async with spaces.policy("y", policyTypes=["Ingress"]):
        assert await spaces.reaches("y/a", "x/a")
        assert not await spaces.reaches("x/a", "y/a")


async def test_labels_of_namespaces_and_pods_count_as_they_are_now(spaces: Any) -> None:
    """N-24, N-79."""
    friend = {"namespaceSelector": labelled(team="z"), "podSelector": labelled(pod="a")}
    async with spaces.policy("x", ingress=from_(friend)):
        assert await spaces.reaches("z/a", "x/a") and not await spaces.reaches("y/a", "x/a")
        await _label(spaces, NAMESPACES, "y", None, team="z")
        assert await spaces.reaches("y/a", "x/a")
        await _label(spaces, NAMESPACES, "y", None, team="y")
        assert not await spaces.reaches("y/a", "x/a")
        await _label(spaces, PODS, "a", "z", pod="c")
        assert not await spaces.reaches("z/a", "x/a")
        await _label(spaces, PODS, "a", "z", pod="a")
        assert await spaces.reaches("z/a", "x/a")


async def test_a_policy_can_be_changed_in_place(spaces: Any) -> None:
    """N-96, N-85: other pods, other types, other rules: new connections follow."""
    name = {"name": "changing", "namespace": "x"}
    document = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": name,
        "spec": {"podSelector": labelled(pod="a"), "policyTypes": ["Ingress"]},
    }
    async with spaces.shop.applied(document):
        assert not await spaces.reaches("y/a", "x/a")
        for spec, to_a, from_a in (
            ({"podSelector": labelled(pod="b"), "policyTypes": ["Ingress"]}, True, True),
            ({"podSelector": labelled(pod="a"), "policyTypes": ["Egress"]}, True, False),
            ({"podSelector": labelled(pod="a"), "policyTypes": ["Ingress"]}, False, True),
        ):
            stored = dict(await spaces.api.get(NETWORK_POLICIES, "changing", namespace="x"))
            await spaces.api.update(NETWORK_POLICIES, {**stored, "spec": spec})
            await spaces.shop.programmed()
            assert await spaces.reaches("y/a", "x/a") is to_a
            assert await spaces.reaches("x/a", "y/a") is from_a


async def _label(
    spaces: Any, resource: Any, name: str, namespace: str | None, **labels: str
) -> None:
    patch = {"metadata": {"labels": labels}}
    await spaces.api.patch(resource, name, patch, namespace=namespace)
    await spaces.shop.programmed()
