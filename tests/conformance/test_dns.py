"""Names across the API and the DNS: what the one takes, the other answers for.

Written through the API's own registry, read by the zone, asked over the wire's format.
"""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from cluster.aio.clock import SystemClock
from cluster.dns.zone import Zone
from cluster.errors import ApiError, WireError
from cluster.objects.resources import NAMESPACES, SERVICES, Resource
from cluster.wire.dns import Message, Question, RRType, decode, encode
from control.apiserver.options import WriteOptions
from control.apiserver.registry import Registry
from control.resources.kinds import Kind, find_kind
from control.resources.service_addresses import ServiceAddresses
from control.store.journal import NoJournal
from control.store.store import Store

LONG = "a" * 63
ADDRESS = "10.96.0.20"


def kind_of(resource: Resource) -> Kind:
    kind = find_kind(resource.group, resource.version, resource.plural)
    assert kind is not None
    return kind


class Names:
    """An API with namespaces and Services, and the zone that follows from it."""

    def __init__(self) -> None:
        addresses = ServiceAddresses("10.96.0.0/16", lambda count: 0)
        self._registry = Registry(Store(NoJournal()), addresses, SystemClock(), random.Random(1))
        self._namespaces: list[Mapping[str, Any]] = []
        self._services: list[Mapping[str, Any]] = []

    async def namespace(self, name: str) -> None:
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        options = WriteOptions()
        made = await self._registry.create(kind_of(NAMESPACES), None, document, options)
        self._namespaces.append(made.record.document)

    async def service(self, name: str, namespace: str = "shop", port_name: str = "http") -> None:
        spec = {"clusterIP": ADDRESS, "ports": [{"name": port_name, "port": 80}]}
        metadata = {"name": name, "namespace": namespace}
        document = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
        options = WriteOptions()
        made = await self._registry.create(kind_of(SERVICES), namespace, document, options)
        self._services.append(made.record.document)

    def ask(self, name: str, type_: RRType = RRType.A) -> list[str]:
        """What comes back for a question that has travelled as bytes."""
        zone = Zone.build(namespaces=self._namespaces, services=self._services)
        question = Question(f"{name}.svc.cluster.local", type_)
        (arrived,) = decode(encode(Message(id=7, questions=(question,)))).questions
        return [str(record.data) for record in zone.answer(arrived).answers]


@pytest.fixture
async def names() -> Names:
    made = Names()
    await made.namespace("shop")
    return made


@pytest.mark.parametrize("name", ["cart", "a", "1cart", "cart-2", LONG])
async def test_a_name_the_api_takes_is_a_name_of_the_dns(names: Names, name: str) -> None:
    """D-4, D-132: of a Service, unchanged, up to 63 bytes."""
    await names.service(name)
    assert names.ask(f"{name}.shop") == [ADDRESS]


@pytest.mark.parametrize("name", ["shop-2", "2shops", LONG])
async def test_a_namespace_the_api_takes_is_a_name_of_the_dns(names: Names, name: str) -> None:
    """D-4, D-132."""
    await names.namespace(name)
    await names.service("cart", name)
    assert names.ask(f"cart.{name}") == [ADDRESS]


@pytest.mark.parametrize("name", ["Cart", "cart.eu", "cart-", "-cart", "my_cart", LONG + "a"])
async def test_a_name_that_is_no_label_is_taken_for_neither(names: Names, name: str) -> None:
    """D-132."""
    for write in (names.service(name), names.namespace(name)):
        with pytest.raises(ApiError) as caught:
            await write
        assert caught.value.code == 422 and "metadata.name: Invalid value" in str(caught.value)


async def test_a_ports_name_may_be_asked_for_with_its_underscore_up_to_62_bytes(
    names: Names,
) -> None:
    """D-132: one byte more is a port's name too, but no label with an underscore before it."""
    usable, longest = "p" * 62, "p" * 63
    await names.service("cart", port_name=usable)
    asked = names.ask(f"_{usable}._tcp.cart.shop", RRType.SRV)
    assert asked == ["0 100 80 cart.shop.svc.cluster.local"]
    other = Names()
    await other.namespace("shop")
    await other.service("cart", port_name=longest)
    with pytest.raises(WireError, match="64 bytes, the limit is 63"):
        other.ask(f"_{longest}._tcp.cart.shop", RRType.SRV)


@pytest.mark.parametrize("port_name", ["Http", "a.b", "-a", "p" * 64])
async def test_a_ports_name_is_a_label(names: Names, port_name: str) -> None:
    """D-132."""
    with pytest.raises(ApiError) as caught:
        await names.service("cart", port_name=port_name)
    assert "spec.ports[0].name: Invalid value" in str(caught.value)
