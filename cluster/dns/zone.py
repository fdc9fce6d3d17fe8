"""The names of a cluster: built from Services, EndpointSlices, Namespaces and Pods.

Pure: a change builds a new zone that shares what did not change.
Spec: "Kubernetes DNS-Based Service Discovery" 1.1.0, CoreDNS' `kubernetes` plugin as kubeadm
configures it (pods insecure, ttl 30); D-1 to D-64.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from cluster.dataclass import dataclass
from cluster.dataplane.shared_map import SharedMap
from cluster.dns.answer import Answer, answer
from cluster.dns.zone_objects import (
    DnsEndpoint,
    DnsService,
    parse_dns_endpoints,
    parse_dns_service,
)
from cluster.objects.core import canonical_ip
from cluster.objects.meta import Key, key_of
from cluster.objects.resources import ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES, Resource
from cluster.wire.dns import Question

TTL_SECONDS = 30  # kubeadm's Corefile (D-3)

Document = Mapping[str, Any]
Change = tuple[Resource, Document | None, Document | None]  # what changed: before and after
Slices = Mapping[str, tuple[DnsEndpoint, ...]]  # the endpoints of one Service, by slice

K = TypeVar("K")
V = TypeVar("V")


class PodNames(StrEnum):
    """Which names below `pod` exist (D-50 to D-53)."""

    DISABLED = "disabled"
    INSECURE = "insecure"  # any address, if its namespace exists
    VERIFIED = "verified"  # addresses of pods in that namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSettings:
    """What the administrator of a zone chooses."""

    domain: str = "cluster.local"
    ttl: int = TTL_SECONDS
    pods: PodNames = PodNames.INSECURE
    server: Key = ("kube-system", "kube-dns")  # the Service that fronts the DNS (D-6)
    addresses: tuple[str, ...] = ()  # where the server listens, if no Service fronts it
    outside_empty: bool = False  # no other name exists anywhere: NXDOMAIN instead of REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """The names of one moment."""

    settings: ZoneSettings = field(default_factory=ZoneSettings)
    serial: int = 1
    synced: bool = True  # False: what is missing may only not have been read yet (D-62)
    namespaces: SharedMap[str, bool] = field(default_factory=SharedMap)
    services: SharedMap[Key, DnsService] = field(default_factory=SharedMap)
    slices: SharedMap[Key, Slices] = field(default_factory=SharedMap)
    owners: SharedMap[str, Key] = field(default_factory=SharedMap)  # cluster IP -> Service
    endpoint_owners: SharedMap[str, tuple[Key, ...]] = field(default_factory=SharedMap)
    pods: SharedMap[str, tuple[Key, ...]] = field(default_factory=SharedMap)  # by address

    @classmethod
    def build(
        cls,
        *,
        services: Iterable[Document] = (),
        endpoint_slices: Iterable[Document] = (),
        namespaces: Iterable[Document] = (),
        pods: Iterable[Document] = (),
        settings: ZoneSettings | None = None,
    ) -> "Zone":
        """A zone from whole lists of documents."""
        listed = (
            (SERVICES, services),
            (ENDPOINT_SLICES, endpoint_slices),
            (NAMESPACES, namespaces),
            (PODS, pods),
        )
        changes = [(resource, None, each) for resource, documents in listed for each in documents]
        return cls(settings=settings or ZoneSettings()).with_changes(changes)

    def with_changes(self, changes: Iterable[Change]) -> "Zone":
        """The zone after these changes, in their order; other resources are passed over."""
        draft = _Drafts(self)
        for resource, old, new in changes:
            draft.apply(resource, old, new)
        return draft.zone()

    def with_synced(self, synced: bool) -> "Zone":
        """The same names, all of them read or not."""
        return replace(self, synced=synced)

    def endpoints(self, key: Key) -> tuple[DnsEndpoint, ...]:
        """The ready endpoints of a Service."""
        slices = self.slices.get(key)
        return tuple(each for part in slices.values() for each in part) if slices else ()

    def pod_at(self, ip: str) -> Key | None:
        """The pod that has an address, if the zone was told of pods."""
        keys = self.pods.get(ip)
        return keys[0] if keys else None

    def answer(self, question: Question) -> Answer:
        """What a question gets."""
        return answer(self, question)


class _Draft(Generic[K, V]):
    """A map and the changes to it."""

    def __init__(self, base: SharedMap[K, V]) -> None:
        self._base = base
        self._changes: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        return self._changes[key] if key in self._changes else self._base.get(key)

    def put(self, key: K, value: V | None) -> None:
        if self.get(key) != value:
            self._changes[key] = value

    def map(self) -> SharedMap[K, V]:
        return self._base.updated(self._changes)

    @property
    def changed(self) -> bool:
        return bool(self._changes)


class _Drafts:
    """The successor of a zone, while it is made."""

    def __init__(self, base: Zone) -> None:
        self._base = base
        self._namespaces = _Draft(base.namespaces)
        self._services = _Draft(base.services)
        self._slices = _Draft(base.slices)
        self._owners = _Draft(base.owners)
        self._endpoint_owners = _Draft(base.endpoint_owners)
        self._pods = _Draft(base.pods)

    def zone(self) -> Zone:
        """The same zone if no name has changed: most changes of pods and Services change none."""
        maps = (self._namespaces, self._services, self._slices, self._owners)
        if not any(each.changed for each in (*maps, self._endpoint_owners, self._pods)):
            return self._base
        return replace(
            self._base,
            serial=self._base.serial + 1,
            namespaces=self._namespaces.map(),
            services=self._services.map(),
            slices=self._slices.map(),
            owners=self._owners.map(),
            endpoint_owners=self._endpoint_owners.map(),
            pods=self._pods.map(),
        )

    def apply(self, resource: Resource, old: Document | None, new: Document | None) -> None:
        if resource == NAMESPACES:
            self._namespace(old, new)
        elif resource == SERVICES:
            self._service(old, new)
        elif resource == ENDPOINT_SLICES:
            self._slice(old, new)
        elif resource == PODS:
            self._pod(old, new)

    def _namespace(self, old: Document | None, new: Document | None) -> None:
        document = new or old
        if document is not None:
            self._namespaces.put(document["metadata"]["name"], True if new else None)

    def _service(self, old: Document | None, new: Document | None) -> None:
        document = new or old
        if document is None:
            return
        key = key_of(document)
        before, after = self._services.get(key), parse_dns_service(new) if new else None
        held = after.cluster_ips if after else ()
        for ip in before.cluster_ips if before else ():
            if ip not in held and self._owners.get(ip) == key:
                self._owners.put(ip, None)
        for ip in held:
            self._owners.put(ip, key)
        self._services.put(key, after)

    def _slice(self, old: Document | None, new: Document | None) -> None:
        key, endpoints = parse_dns_endpoints(new) if new is not None else (None, ())
        if old is not None:
            before, _ = parse_dns_endpoints(old)
            if before != key:
                self._endpoints(before, old["metadata"]["name"], ())
        if key is not None and new is not None:
            self._endpoints(key, new["metadata"]["name"], endpoints)

    def _endpoints(self, key: Key, name: str, endpoints: tuple[DnsEndpoint, ...]) -> None:
        """Replace what one slice says of a Service; empty ends it."""
        before = dict(self._slices.get(key) or {})
        after = {each: held for each, held in before.items() if each != name}
        if endpoints:
            after[name] = endpoints
        self._slices.put(key, after or None)
        gone, come = _ips(before) - _ips(after), _ips(after) - _ips(before)
        for ip in gone:
            self._endpoint_owners.put(ip, _without(self._endpoint_owners.get(ip), key))
        for ip in come:
            self._endpoint_owners.put(ip, (*(self._endpoint_owners.get(ip) or ()), key))

    def _pod(self, old: Document | None, new: Document | None) -> None:
        for ip in _pod_ips(old) - _pod_ips(new):
            assert old is not None
            self._pods.put(ip, _without(self._pods.get(ip), key_of(old)))
        for ip in _pod_ips(new) - _pod_ips(old):
            assert new is not None
            self._pods.put(ip, (*(self._pods.get(ip) or ()), key_of(new)))


def _ips(slices: Slices) -> set[str]:
    return {each.ip for part in slices.values() for each in part}


def _without(keys: tuple[Key, ...] | None, gone: Key) -> tuple[Key, ...] | None:
    return tuple(key for key in keys or () if key != gone) or None


def _pod_ips(document: Document | None) -> set[str]:
    """The addresses that are this pod's own; those of its node or of a finished pod are not."""
    if document is None or (document.get("spec") or {}).get("hostNetwork"):
        return set()
    status = document.get("status") or {}
    if status.get("phase") in ("Succeeded", "Failed"):
        return set()
    listed = [each.get("ip") for each in status.get("podIPs") or ()] or [status.get("podIP")]
    return {canonical_ip(ip) for ip in listed if ip}
