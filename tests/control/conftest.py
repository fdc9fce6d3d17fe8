"""A small API in memory, builders of documents, and a clock that the test moves."""

import asyncio
import copy
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from cluster.client.interface import Document, EventType, Listing, PatchType, WatchEvent
from cluster.errors import ApiError
from cluster.objects.resources import (
    DEPLOYMENTS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICA_SETS,
    SERVICES,
    Resource,
)
from control.controllers.caches import Caches
from control.controllers.definition import Controller
from control.controllers.settings import WATCHED
from control.controllers.view import Key, Objects, View, key_of
from control.controllers.writes import (
    Create,
    Delete,
    DeleteAll,
    EmitEvent,
    FinalizeNamespace,
    LookAgain,
    Patch,
    Update,
    Write,
)

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC).timestamp()


def stamp(seconds: float = 0.0) -> str:
    """A timestamp so many seconds after the start."""
    return datetime.fromtimestamp(START + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class ManualClock:
    """Time that stands still until the test moves it."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self.elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return START + self.elapsed

    def monotonic(self) -> float:
        return 1000.0 + self.elapsed

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.elapsed + seconds, woken))
        await woken

    def advance(self, seconds: float) -> None:
        """Let time pass; whoever's sleep ends is woken."""
        self.elapsed += seconds
        for sleeper in list(self._sleepers):
            if sleeper[0] <= self.elapsed:
                self._sleepers.remove(sleeper)
                if not sleeper[1].done():
                    sleeper[1].set_result(None)


def status_error(code: int, reason: str, message: str) -> ApiError:
    return ApiError({"code": code, "reason": reason, "message": message})


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


class MemoryStore:
    """What of the API server's behaviour controllers depend on, synchronously."""

    def __init__(self) -> None:
        self.objects: dict[Key, dict[str, Any]] = {}
        self.version = 0
        self.log: list[tuple[int, EventType, Resource, dict[str, Any]]] = []
        self.listeners: list[Callable[[Resource, Document | None, Document | None], None]] = []
        self.now: Callable[[], float] = lambda: START
        self._serial = itertools.count(1)

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> dict[str, Any]:
        key = Key(resource, namespace or "", name)
        if key not in self.objects:
            raise status_error(404, "NotFound", f'{resource.plural} "{name}" not found')
        return self.objects[key]

    def all(self, resource: Resource, namespace: str | None = None) -> list[dict[str, Any]]:
        return [
            document
            for key, document in sorted(self.objects.items(), key=lambda item: item[0][1:])
            if key.resource == resource and namespace in (None, key.namespace)
        ]

    def create(self, resource: Resource, document: Document) -> dict[str, Any]:
        made = copy.deepcopy(dict(document))
        metadata = made["metadata"]
        serial = next(self._serial)
        if "name" not in metadata:
            metadata["name"] = f"{metadata['generateName']}{serial:05d}"
        if resource.namespaced:
            metadata.setdefault("namespace", "default")
        key = key_of(resource, made)
        if key in self.objects:
            raise status_error(409, "AlreadyExists", f"{key} already exists")
        made.setdefault("apiVersion", resource.api_version)
        made.setdefault("kind", resource.kind)
        metadata.setdefault("uid", f"uid-{serial}")
        metadata.setdefault("creationTimestamp", self._stamp())
        metadata.setdefault("generation", 1)
        made.setdefault("status", {})
        if resource == NAMESPACES:
            made.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
        return self._store(resource, None, made)

    def update(
        self, resource: Resource, document: Document, subresource: str | None = None
    ) -> dict[str, Any]:
        metadata = document["metadata"]
        held = self.get(resource, metadata["name"], metadata.get("namespace"))
        if metadata.get("resourceVersion") not in (None, held["metadata"]["resourceVersion"]):
            raise status_error(409, "Conflict", "the object has been modified")
        if subresource == "finalize":
            made = copy.deepcopy({**held, "spec": document["spec"]})
            return self._store(resource, held, made)
        made = copy.deepcopy(dict(document))
        if subresource == "status":
            made = {**copy.deepcopy(held), "status": made.get("status", {})}
        else:
            made["status"] = held.get("status", {})
        return self._store(resource, held, made)

    def patch(
        self,
        resource: Resource,
        name: str,
        changes: Any,
        namespace: str | None = None,
        subresource: str | None = None,
    ) -> dict[str, Any]:
        held = self.get(resource, name, namespace)
        wanted = changes.get("metadata", {}).get("resourceVersion")
        if wanted not in (None, held["metadata"]["resourceVersion"]):
            raise status_error(409, "Conflict", "the object has been modified")
        made = merged(copy.deepcopy(held), copy.deepcopy(dict(changes)))
        other = "spec" if subresource == "status" else "status"
        if other in held:
            made[other] = held[other]
        return self._store(resource, held, made)

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        grace_seconds: int | None = None,
        uid: str | None = None,
        propagation: str | None = None,
    ) -> dict[str, Any]:
        held = self.get(resource, name, namespace)
        if uid not in (None, held["metadata"]["uid"]):
            raise status_error(409, "Conflict", "the uid differs")
        finalizers = list(held["metadata"].get("finalizers") or ())
        added = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}.get(propagation or "")
        if added and added not in finalizers:
            finalizers.append(added)
        graceful = resource == PODS and held["spec"].get("nodeName") and grace_seconds != 0
        held_back = finalizers or graceful or resource == NAMESPACES
        if not held_back:
            return self._remove(resource, held)
        metadata = {**held["metadata"], "finalizers": finalizers}
        metadata.setdefault("deletionTimestamp", self._stamp())
        return self._store(resource, held, {**held, "metadata": metadata})

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _store(
        self, resource: Resource, old: dict[str, Any] | None, new: dict[str, Any]
    ) -> dict[str, Any]:
        if old is not None:
            if new == old:
                return old
            if new.get("spec") != old.get("spec"):
                new["metadata"]["generation"] = old["metadata"].get("generation", 1) + 1
            if new["metadata"].get("deletionTimestamp") and self._free(resource, new, old):
                return self._remove(resource, new)
        self.version += 1
        new["metadata"] = {**new["metadata"], "resourceVersion": str(self.version)}
        self.objects[key_of(resource, new)] = new
        kind = EventType.ADDED if old is None else EventType.MODIFIED
        self._publish(kind, resource, old, new)
        return new

    def _free(self, resource: Resource, new: dict[str, Any], old: dict[str, Any]) -> bool:
        if resource == NAMESPACES:
            return not new["spec"].get("finalizers")
        released = old["metadata"].get("finalizers") and not new["metadata"].get("finalizers")
        return bool(released)

    def _remove(self, resource: Resource, held: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        gone = {**held, "metadata": {**held["metadata"], "resourceVersion": str(self.version)}}
        del self.objects[key_of(resource, held)]
        self._publish(EventType.DELETED, resource, gone, None)
        return gone

    def _publish(
        self,
        kind: EventType,
        resource: Resource,
        old: dict[str, Any] | None,
        new: dict[str, Any] | None,
    ) -> None:
        document = new if new is not None else old
        assert document is not None
        self.log.append((self.version, kind, resource, document))
        for listener in self.listeners:
            listener(resource, old, new)


class MemoryApi:
    """The store as an `Api`; each verb gives way to the loop once, as a real one does."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.calls: list[tuple[str, str, str]] = []
        self.refuse: Callable[[str, Resource, str], ApiError | None] = lambda *_: None

    async def _turn(self, verb: str, resource: Resource, name: str) -> None:
        self.calls.append((verb, resource.plural, name))
        await asyncio.sleep(0)
        error = self.refuse(verb, resource, name)
        if error is not None:
            raise error

    async def get(self, resource: Resource, name: str, *, namespace: str | None = None) -> Document:
        await self._turn("get", resource, name)
        return self.store.get(resource, name, namespace)

    async def list(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> Listing:
        await self._turn("list", resource, "")
        items: list[Document] = list(self.store.all(resource, namespace))
        return Listing(items, str(self.store.version))

    async def create(self, resource: Resource, document: Document) -> Document:
        metadata = document["metadata"]
        await self._turn("create", resource, metadata.get("name") or metadata["generateName"])
        return self.store.create(resource, document)

    async def update(
        self, resource: Resource, document: Document, *, subresource: str | None = None
    ) -> Document:
        await self._turn("update", resource, document["metadata"]["name"])
        return self.store.update(resource, document, subresource)

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Any,
        *,
        namespace: str | None = None,
        patch_type: PatchType = PatchType.MERGE,
        subresource: str | None = None,
        field_manager: str | None = None,
        force: bool | None = None,
    ) -> Document:
        await self._turn("patch", resource, name)
        return self.store.patch(resource, name, patch, namespace, subresource)

    async def delete(
        self,
        resource: Resource,
        name: str,
        *,
        namespace: str | None = None,
        grace_seconds: int | None = None,
        uid: str | None = None,
        propagation: str | None = None,
    ) -> Document:
        await self._turn("delete", resource, name)
        return self.store.delete(
            resource,
            name,
            namespace,
            grace_seconds=grace_seconds,
            uid=uid,
            propagation=propagation,
        )

    async def bind(self, namespace: str, name: str, node: str) -> Document:
        await self._turn("bind", PODS, name)
        held = self.store.get(PODS, name, namespace)
        if held["spec"].get("nodeName"):
            raise status_error(409, "Conflict", f"pod {name} is already assigned to a node")
        return self.store.patch(PODS, name, {"spec": {"nodeName": node}}, namespace)

    async def watch(
        self,
        resource: Resource,
        *,
        resource_version: str,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> AsyncIterator[WatchEvent]:
        raise NotImplementedError("the fake informer listens to the store itself")
        yield  # pragma: no cover


class MemoryInformer:
    """An informer that is told by the store, one loop turn late."""

    def __init__(self, store: MemoryStore, resource: Resource) -> None:
        self.synced = asyncio.Event()
        self.lag = 1  # loop turns
        self._store = store
        self._resource = resource
        self._callbacks: list[Callable[[Document | None, Document | None], None]] = []
        self._pending: asyncio.Queue[tuple[Document | None, Document | None]] = asyncio.Queue()

    def on_change(self, callback: Callable[[Document | None, Document | None], None]) -> None:
        self._callbacks.append(callback)

    async def run(self) -> None:
        for document in self._store.all(self._resource):
            self._tell(None, document)
        self._store.listeners.append(self._heard)
        self.synced.set()
        while True:
            old, new = await self._pending.get()
            for _ in range(self.lag):
                await asyncio.sleep(0)
            self._tell(old, new)

    def _heard(self, resource: Resource, old: Document | None, new: Document | None) -> None:
        if resource == self._resource:
            self._pending.put_nowait((old, new))

    def _tell(self, old: Document | None, new: Document | None) -> None:
        for callback in self._callbacks:
            callback(old, new)


class Builders:
    """Documents as the API stores them, with the few fields a test names."""

    stamp = staticmethod(stamp)

    def __init__(self) -> None:
        self._serial = itertools.count(1)

    def _metadata(self, name: str, namespace: str | None, **more: Any) -> dict[str, Any]:
        serial = next(self._serial)
        metadata = {"name": name, "uid": f"{name}-{serial}", "resourceVersion": str(serial)}
        metadata["creationTimestamp"] = stamp()
        if namespace is not None:
            metadata["namespace"] = namespace
        return {**metadata, **more}

    def pod(
        self,
        name: str,
        *,
        ip: str | None = None,
        node: str | None = "node-1",
        ready: bool | None = True,
        ready_at: float = 0.0,
        phase: str = "Running",
        labels: dict[str, str] | None = None,
        owner: dict[str, Any] | None = None,
        containers: Sequence[dict[str, Any]] = ({"name": "main"},),
        spec: dict[str, Any] | None = None,
        status: dict[str, Any] | None = None,
        namespace: str = "default",
        **metadata: Any,
    ) -> dict[str, Any]:
        made: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": self._metadata(name, namespace, labels=labels or {}, **metadata),
            "spec": {"containers": list(containers), **(spec or {})},
            "status": {"phase": phase, **(status or {})},
        }
        if owner is not None:
            made["metadata"]["ownerReferences"] = [owner]
        if node:
            made["spec"]["nodeName"] = node
        if ip:
            made["status"].update(podIP=ip, podIPs=[{"ip": ip}])
        if ready is not None:
            condition = {
                "type": "Ready",
                "status": "True" if ready else "False",
                "lastTransitionTime": stamp(ready_at),
            }
            made["status"]["conditions"] = [condition]
        return made

    def node(
        self,
        name: str,
        *,
        ready: str | None = "True",
        since: float = 0.0,
        labels: dict[str, str] | None = None,
        internal_ip: str | None = None,
        status: dict[str, Any] | None = None,
        **spec: Any,
    ) -> dict[str, Any]:
        made: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": self._metadata(name, None, labels=labels or {}),
            "spec": spec,
            "status": dict(status or {}),
        }
        if ready is not None:
            condition = {
                "type": "Ready",
                "status": ready,
                "lastTransitionTime": stamp(since),
                "lastHeartbeatTime": stamp(since),
            }
            made["status"].setdefault("conditions", []).insert(0, condition)
        if internal_ip:
            made["status"]["addresses"] = [{"type": "InternalIP", "address": internal_ip}]
        return made

    def service(
        self,
        name: str,
        *,
        selector: dict[str, str] | None = None,
        ports: Sequence[dict[str, Any]] = ({"port": 80},),
        namespace: str = "default",
        status: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
        **spec: Any,
    ) -> dict[str, Any]:
        made = {"ports": list(ports), "type": "ClusterIP", "clusterIP": "10.96.7.7", **spec}
        if selector is not None:
            made["selector"] = selector
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": self._metadata(name, namespace, **(metadata or {})),
            "spec": made,
            "status": status or {"loadBalancer": {}},
        }

    def deployment(
        self,
        name: str,
        *,
        replicas: int = 3,
        image: str = "echo:1",
        namespace: str = "default",
        strategy: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
        **spec: Any,
    ) -> dict[str, Any]:
        labels = {"app": name}
        template = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "main", "image": image}]},
        }
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": self._metadata(name, namespace, generation=1, **(metadata or {})),
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": template,
                "strategy": strategy or {"type": "RollingUpdate"},
                "progressDeadlineSeconds": 600,
                **spec,
            },
            "status": {},
        }

    def replica_set(
        self,
        name: str,
        *,
        replicas: int = 3,
        labels: dict[str, str] | None = None,
        namespace: str = "default",
        metadata: dict[str, Any] | None = None,
        status: dict[str, Any] | None = None,
        **spec: Any,
    ) -> dict[str, Any]:
        labels = labels or {"app": name}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main"}]}}
        return {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": self._metadata(name, namespace, generation=1, **(metadata or {})),
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": template,
                **spec,
            },
            "status": status or {},
        }

    def owner(self, resource: Resource, document: Document) -> dict[str, Any]:
        return {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "name": document["metadata"]["name"],
            "uid": document["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }


RESOURCE_OF = {
    each.kind: each for each in (*WATCHED, DEPLOYMENTS, REPLICA_SETS, SERVICES, NODES, PODS)
}


def view_of(
    *documents: Document, elapsed: float = 0.0, scale: float = 1.0, objects: Objects | None = None
) -> View:
    """A view that holds these documents."""
    held = objects or Objects()
    for document in documents:
        held.put(RESOURCE_OF[document["kind"]], document)
    return View(objects=held, now=START + elapsed, monotonic=1000.0 + elapsed, scale=scale)


class Simulation:
    """Pure controllers over the store without a loop: the test decides who looks when."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.objects = Objects()
        self.elapsed = 0.0
        self.events: list[EmitEvent] = []
        self.store.listeners.append(self._changed)
        self.store.now = lambda: START + self.elapsed

    def _changed(self, resource: Resource, old: Document | None, new: Document | None) -> None:
        if new is not None:
            self.objects.put(resource, new)
        elif old is not None:
            self.objects.remove(resource, old)

    def view(self) -> View:
        return View(objects=self.objects, now=START + self.elapsed, monotonic=1000.0 + self.elapsed)

    def look(self, reconcile: Callable[[View, Key], Sequence[Write]], key: Key) -> list[Write]:
        """One look: decide, carry out; returns the plan."""
        plan = list(reconcile(self.view(), key))
        for write in plan:
            self._carry(write)
        return plan

    def settle(self, controllers: Iterable[Controller], limit: int = 200) -> None:
        """Let controllers look at everything until nobody has anything to write."""
        rows = list(controllers)
        for _ in range(limit):
            before = self.store.version
            for row in rows:
                for key in self._keys(row):
                    self.look(row.reconcile, key)
            if self.store.version == before:
                return
        raise AssertionError(f"still writing after {limit} rounds")

    def _keys(self, row: Controller) -> list[Key]:
        keys: dict[Key, None] = {}
        for place, document in list(self.store.objects.items()):
            keys_of = row.watches.get(place.resource)
            if keys_of is not None:
                keys.update(dict.fromkeys(keys_of(self.objects, None, document)))
        return list(keys)

    def _carry(self, write: Write) -> None:
        match write:
            case Create(resource, document):
                self.store.create(resource, document)
            case Update(resource, document, subresource):
                self.store.update(resource, document, subresource)
            case Patch(resource, namespace, name, changes, subresource):
                # What a plan wrote before is its own: only the first version is compared.
                plain = merged(changes, {"metadata": {"resourceVersion": None}})
                self.store.patch(resource, name, plain, namespace, subresource)
            case Delete():
                self.store.delete(
                    write.resource,
                    write.name,
                    write.namespace,
                    grace_seconds=write.grace_seconds,
                    uid=write.uid,
                    propagation=write.propagation,
                )
            case EmitEvent():
                self.events.append(write)
            case LookAgain() | DeleteAll() | FinalizeNamespace():
                pass


@pytest.fixture(scope="session")
def build() -> Builders:
    return Builders()


@pytest.fixture(scope="session")
def view() -> Callable[..., View]:
    return view_of


@pytest.fixture
def simulation() -> Simulation:
    return Simulation()


@pytest.fixture(scope="session")
def new_simulation() -> Callable[[], Simulation]:
    return Simulation


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> MemoryStore:
    store = MemoryStore()
    store.now = clock.now
    return store


@pytest.fixture
def api(store: MemoryStore) -> MemoryApi:
    return MemoryApi(store)


@pytest.fixture
def caches(store: MemoryStore, clock: ManualClock) -> Caches:
    return Caches({each: MemoryInformer(store, each) for each in WATCHED}, clock=clock)
