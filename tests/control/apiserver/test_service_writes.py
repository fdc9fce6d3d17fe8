"""Services through the registry: what a write that fails, or is only tried out, leaves behind."""

import random
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cluster.client.interface import Document
from cluster.errors import ApiError
from cluster.objects.resources import NAMESPACES, SERVICES, Resource
from control.apiserver.changes import patch_of, replacement
from control.apiserver.options import DeleteOptions, FieldValidation, WriteOptions
from control.apiserver.registry import Registry
from control.resources.kinds import Kind, find_kind
from control.resources.service_addresses import ServiceAddresses
from control.store.journal import Entry, NoJournal
from control.store.store import Store, StoreFailed

PLAIN = WriteOptions()
TRIED = WriteOptions(dry_run=True)
IP, PORT = "10.96.0.20", 30080


class StillClock:
    scale = 1.0

    def now(self) -> float:
        return 1_767_225_600.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here sleeps")


class Disk(NoJournal):
    """One that can be full."""

    def __init__(self) -> None:
        self.full = False

    def commit(self, entries: Sequence[Entry], version: int) -> None:
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")


def kind_of(resource: Resource) -> Kind:
    found = find_kind(resource.group, resource.version, resource.plural)
    assert found is not None
    return found


SERVICE = kind_of(SERVICES)


class World:
    """A registry with the namespace shop."""

    def __init__(self, cidr: str = "10.96.0.0/16") -> None:
        self.disk = Disk()
        self.store = Store(self.disk)
        addresses = ServiceAddresses(cidr, lambda count: 0)
        self.registry = Registry(self.store, addresses, StillClock(), random.Random(1))

    async def start(self) -> "World":
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
        await self.registry.create(kind_of(NAMESPACES), None, namespace, PLAIN)
        return self

    async def create(
        self, name: str, options: WriteOptions = PLAIN, **spec: Any
    ) -> Mapping[str, Any]:
        written = await self.registry.create(SERVICE, "shop", service(name, **spec), options)
        return written.record.document

    async def patch(
        self, name: str, spec: Mapping[str, Any], options: WriteOptions = PLAIN
    ) -> Mapping[str, Any]:
        change = patch_of(SERVICE, "application/merge-patch+json", {"spec": spec})
        written = await self.registry.update(SERVICE, "shop", name, change, options)
        return written.record.document

    async def takes_both(self) -> None:
        """The address and the node port that all these tests fight for are free."""
        made = await self.create("last", type="NodePort", clusterIP=IP, ports=[port(PORT)])
        assert made["spec"]["clusterIP"] == IP


def port(node_port: int) -> dict[str, Any]:
    return {"port": 80, "nodePort": node_port}


def service(name: str, **spec: Any) -> Document:
    held = {"ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": held}


async def refused(write: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await write
    return caught.value


async def test_a_service_that_is_refused_holds_nothing() -> None:
    """S-41."""
    world = await World().start()
    both = [{**port(PORT), "name": "a"}, {"port": 81, "nodePort": 1, "name": "b"}]
    error = await refused(world.create("bad", type="NodePort", clusterIP=IP, ports=both))
    assert (error.code, error.reason) == (422, "Invalid")
    assert str(error).startswith('Service "bad" is invalid: spec.ports[1].nodePort: Invalid value')
    await world.takes_both()


async def test_a_dry_run_holds_nothing() -> None:
    """S-41."""
    world = await World().start()
    shown = await world.create("try", TRIED, type="NodePort", clusterIP=IP, ports=[port(PORT)])
    assert shown["spec"]["clusterIP"] == IP
    held = await world.create("web")
    tried = await world.patch("web", {"type": "NodePort", "ports": [port(PORT)]}, TRIED)
    assert tried["spec"]["ports"][0]["nodePort"] == PORT
    assert world.registry.get(SERVICE, "shop", "web").document == held
    await world.takes_both()


async def test_an_update_that_is_refused_holds_and_frees_nothing() -> None:
    """S-37, S-41."""
    world = await World().start()
    await world.create("web", type="NodePort", ports=[port(30001)])
    change = {"sessionAffinity": "Often", "ports": [port(PORT)]}
    assert (await refused(world.patch("web", change))).code == 422
    await world.takes_both()
    taken = await refused(world.create("x", type="NodePort", ports=[port(30001)]))
    assert "provided port is already allocated" in str(taken)


async def test_a_deleted_services_addresses_are_free_at_once() -> None:
    """S-30."""
    world = await World().start()
    await world.create("web", type="NodePort", clusterIP=IP, ports=[port(PORT)])
    await world.registry.delete(SERVICE, "shop", "web", DeleteOptions())
    await world.takes_both()


async def test_what_the_store_takes_back_is_free() -> None:
    world = await World().start()
    world.disk.full = True
    with pytest.raises(StoreFailed):
        await world.create("web", type="NodePort", clusterIP=IP, ports=[port(PORT)])
    world.disk.full = False
    await world.takes_both()


async def test_what_the_store_gives_back_is_taken() -> None:
    world = await World().start()
    await world.create("web", clusterIP=IP)
    world.disk.full = True
    with pytest.raises(StoreFailed):
        await world.registry.delete(SERVICE, "shop", "web", DeleteOptions())
    world.disk.full = False
    error = await refused(world.create("other", clusterIP=IP))
    assert str(error) == (
        'Service "other" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.20"]: '
        "failed to allocate IP 10.96.0.20: provided IP is already allocated"
    )


async def test_a_full_range_is_the_servers_fault() -> None:
    """S-35."""
    world = await World("10.96.0.0/30").start()
    await world.create("one")
    error = await refused(world.create("two"))
    assert error.code == 500
    assert str(error) == ("Internal error occurred: failed to allocate a serviceIP: range is full")


async def test_the_same_manifest_again_changes_nothing() -> None:
    """S-32."""
    world = await World().start()
    held = await world.create("web", type="NodePort")
    written = await world.registry.update(
        SERVICE, "shop", "web", replacement(service("web", type="NodePort")), PLAIN
    )
    assert not written.changed
    assert written.record.document == held


async def test_a_field_of_the_wrong_type_is_a_bad_request() -> None:
    world = await World().start()
    error = await refused(world.create("web", ports=[{"port": "http"}]))
    assert (error.code, error.reason) == (400, "BadRequest")
    assert str(error).startswith(
        'Service in version "v1" cannot be handled as a Service: spec.ports[0].port: '
    )
    odd = {**service("web"), "metadata": "web"}
    assert (await refused(world.registry.create(SERVICE, "shop", odd, PLAIN))).code == 400


async def test_unknown_fields_are_refused_told_or_ignored_and_never_stored() -> None:
    world = await World().start()
    strict = WriteOptions(field_validation=FieldValidation.STRICT)
    error = await refused(world.create("web", strict, foo=1))
    assert str(error) == (
        'Service in version "v1" cannot be handled as a Service: '
        'strict decoding error: unknown field "spec.foo"'
    )
    warned = await world.registry.create(SERVICE, "shop", service("a", foo=1), PLAIN)
    assert warned.warnings == ['unknown field "spec.foo"']
    assert "foo" not in warned.record.document["spec"]
    ignoring = WriteOptions(field_validation=FieldValidation.IGNORE)
    ignored = await world.registry.create(SERVICE, "shop", service("b", foo=1), ignoring)
    assert ignored.warnings == []


async def test_external_addresses_are_let_pass_with_a_warning() -> None:
    """S-96: at creation, and at every update that has them."""
    world = await World().start()
    words = ["spec.externalIPs is deprecated"]
    with_them = service("web", externalIPs=["203.0.113.9"])
    made = await world.registry.create(SERVICE, "shop", with_them, PLAIN)
    assert made.warnings == words
    for spec, said in (({"sessionAffinity": "ClientIP"}, words), ({"externalIPs": None}, [])):
        change = patch_of(SERVICE, "application/merge-patch+json", {"spec": spec})
        written = await world.registry.update(SERVICE, "shop", "web", change, PLAIN)
        assert (written.changed, written.warnings) == (True, said)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Web", "a lowercase RFC 1123 label must consist of lower case alphanumeric characters"),
        ("web.shop", "a lowercase RFC 1123 label must consist of lower case alphanumeric "),
        ("web-", "a lowercase RFC 1123 label must consist of lower case alphanumeric characters"),
        ("w" * 64, "must be no more than 63 bytes"),
    ],
)
async def test_a_services_name_is_a_label(name: str, words: str) -> None:
    """S-166."""
    world = await World().start()
    error = await refused(world.create(name))
    assert error.code == 422
    assert f'metadata.name: Invalid value: "{name}": {words}' in str(error)


async def test_that_may_begin_with_a_digit_and_be_63_long() -> None:
    """S-166: as 1.37 has it."""
    world = await World().start()
    for name in ("1web", "7", "w" * 63):
        assert (await world.create(name))["metadata"]["name"] == name


@pytest.mark.parametrize("value", ["a b", "-a", "a/b", "a" * 64])
async def test_a_selectors_values_are_labels(value: str) -> None:
    """S-168."""
    world = await World().start()
    error = await refused(world.create("web", selector={"app": value}))
    assert (error.code, error.reason) == (422, "Invalid")
    assert str(error).startswith(
        f'Service "web" is invalid: spec.selector: Invalid value: "{value}": '
    )
    await world.create("web", selector={"app": "", "tier": "A.b_c"})


STALE = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


async def test_what_is_new_has_no_version_yet() -> None:
    """S-169."""
    world = await World().start()
    versioned = {**service("web"), "metadata": {"name": "web", "resourceVersion": "7"}}
    error = await refused(world.registry.create(SERVICE, "shop", versioned, PLAIN))
    assert (error.code, error.reason) == (409, "Conflict")
    assert str(error).endswith(STALE)
    await world.create("web")


async def test_an_update_of_an_older_version_is_a_conflict() -> None:
    """S-169."""
    world = await World().start()
    held = await world.create("web")
    await world.patch("web", {"sessionAffinity": "ClientIP"})
    stale = {**held, "spec": {**held["spec"], "publishNotReadyAddresses": True}}
    error = await refused(world.registry.update(SERVICE, "shop", "web", replacement(stale), PLAIN))
    assert (error.code, error.reason) == (409, "Conflict")
    assert str(error) == f'Operation cannot be fulfilled on services "web": {STALE}'
