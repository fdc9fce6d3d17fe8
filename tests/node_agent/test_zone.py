"""The cluster's names for DNS pods, from the informers that a node has anyway."""

import asyncio
from collections.abc import Callable
from typing import Any

from cluster.objects.resources import ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES
from cluster.wire.dns import Question, Rcode, RRType
from node_agent.zone import NodeZone

NAME = "cart.shop.svc.cluster.local"


class FedInformer:
    """An informer whose events come from the test."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Any] = {}
        self.callbacks: list[Callable[[Any, Any], None]] = []

    def on_change(self, callback: Callable[[Any, Any], None]) -> None:
        self.callbacks.append(callback)

    def feed(self, namespace: str, name: str, new: Any) -> None:
        old = self.objects.get((namespace, name))
        self.objects[namespace, name] = new
        for callback in self.callbacks:
            callback(old, new)


def service(ip: str) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "shop", "name": "cart"},
        "spec": {"clusterIP": ip, "clusterIPs": [ip], "ports": [{"port": 80, "protocol": "TCP"}]},
    }


def informers() -> dict[Any, Any]:
    made: dict[Any, Any] = {
        each: FedInformer() for each in (NAMESPACES, SERVICES, ENDPOINT_SLICES, PODS)
    }
    made[NAMESPACES].feed("", "shop", {"metadata": {"name": "shop"}})
    made[SERVICES].feed("shop", "cart", service("10.96.0.20"))
    return made


def answers(zone: Any) -> list[str]:
    answer = zone.answer(Question(NAME, RRType.A))
    assert answer.rcode == Rcode.NOERROR
    return [str(each.data) for each in answer.answers]


async def test_it_is_built_when_first_asked_and_follows_from_then_on() -> None:
    """D-1; a node without a DNS pod pays nothing for it."""
    fed = informers()
    zone = NodeZone(fed, "cluster.local")
    assert fed[SERVICES].callbacks == []
    assert answers(zone.source()) == ["10.96.0.20"]
    fed[SERVICES].feed("shop", "cart", service("10.96.0.21"))
    assert answers(zone.source()) == ["10.96.0.21"]
    assert zone.source() is zone.source()


async def test_what_is_pending_does_not_wait_for_a_question() -> None:
    fed = informers()
    zone = NodeZone(fed, "cluster.local")
    before = zone.source()
    for number in range(100):
        fed[SERVICES].feed("shop", "cart", service(f"10.96.1.{number}"))
    assert len(zone._pending) == 100
    await asyncio.sleep(0)
    assert zone._pending == []
    assert answers(zone.source()) == ["10.96.1.99"] and zone.source() is not before
