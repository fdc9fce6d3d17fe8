"""Killed at any moment while clients write in every way: nothing told is lost, nothing is half.

Beside `test_control_crash`, which asks the same of plain objects: applies and their managers,
objects of a definition, deletions of many, and the tokens that were given out before.
"""

import http.client
import json
import random
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

SECONDS_MAX = 30.0
GENERATIONS = 3
NAMESPACE = "/api/v1/namespaces/default"
MAPS = f"{NAMESPACE}/configmaps"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
THINGS = "/apis/test.kubehop.dev/v1/namespaces/default/things"
TOKEN = f"{NAMESPACE}/serviceaccounts/default/token"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
JSON, MERGE = "application/json", "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
GONE = (OSError, http.client.HTTPException)
SPEC_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
DEFINITION = {
    "metadata": {"name": "things.test.kubehop.dev"},
    "spec": {
        "group": "test.kubehop.dev",
        "scope": "Namespaced",
        "names": {"plural": "things", "kind": "Thing"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC_SCHEMA}}
                },
            }
        ],
    },
}


class Control(Protocol):
    directory: Path
    more: dict[str, Any]

    def start(self) -> dict[str, Any]: ...
    def kill(self) -> None: ...
    def stop(self) -> int: ...
    def connect(self) -> http.client.HTTPConnection: ...
    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any: ...
    def faults(self) -> list[str]: ...


@dataclass(slots=True)
class Told:
    """What a writer was told of each path: the document, or None that it is gone."""

    documents: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    asked: dict[str, dict[str, Any] | None] = field(default_factory=dict)  # and not answered


class Writer:
    """Writes in one way until nobody answers."""

    def __init__(self, control: Control, told: Told, count: "Count", prefix: str) -> None:
        self._connection = control.connect()
        self._told = told
        self._count = count
        self._prefix = prefix
        self._number = 0

    def run(self) -> None:
        try:
            while True:
                self._number += 1
                self._write(f"{self._prefix}-{self._number}")
        except GONE:
            self._connection.close()

    def _write(self, name: str) -> None:
        raise NotImplementedError

    def _ask(
        self, method: str, path: str, body: Any, media_type: str, kept: str, wanted: Any
    ) -> None:
        """One request; `wanted` is what is at `kept` once it is done."""
        self._told.asked = {kept: wanted}
        headers = {"Content-Type": media_type}
        self._connection.request(method, path, json.dumps(body), headers)
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status in (200, 201), text
        self._told.documents[kept] = None if method == "DELETE" else json.loads(text)
        self._told.asked = {}
        self._count.add()


class Applier(Writer):
    """Two managers that apply to one object after the other, both fields in one write each."""

    def _write(self, name: str) -> None:
        path = f"{MAPS}/{name}"
        for manager, key in (("first", "a"), ("second", "b"), ("first", "a")):
            value = f"{manager}-{self._number}"
            document = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "labels": {key: value}},
                "data": {key: value},
            }
            asked = f"{path}?fieldManager={manager}"
            self._ask("PATCH", asked, document, APPLY, path, {key: value})


class Changer(Writer):
    """Creates, patches and replaces objects of a definition; both fields always agree."""

    def _write(self, name: str) -> None:
        path = f"{THINGS}/{name}"
        thing = {"apiVersion": "test.kubehop.dev/v1", "kind": "Thing", "metadata": {"name": name}}
        spec = {"a": "1", "b": "1"}
        self._ask("POST", THINGS, {**thing, "spec": spec}, JSON, path, spec)
        spec = {"a": "2", "b": "2"}
        self._ask("PATCH", path, {"spec": spec}, MERGE, path, spec)
        spec = {"a": "3", "b": "3"}
        self._ask("PUT", path, {**thing, "spec": spec}, JSON, path, spec)


class Deleter(Writer):
    """Creates two and deletes the one before."""

    def _write(self, name: str) -> None:
        path = f"{MAPS}/{name}"
        data = {"a": "x" * 2_000}
        self._ask("POST", MAPS, {"metadata": {"name": name}, "data": data}, JSON, path, data)
        if self._number % 2 == 0:
            before = f"{MAPS}/{self._prefix}-{self._number - 1}"
            self._ask("DELETE", before, {}, JSON, before, None)


class Count:
    """How much was written, and the moment of enough."""

    def __init__(self, enough: int) -> None:
        self.enough = threading.Event()
        self._left = enough
        self._lock = threading.Lock()

    def add(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left <= 0:
                self.enough.set()


def written_until_killed(control: Control, prefix: str, writes: int) -> list[Told]:
    """Six writers, two of each way; the kill comes with the write of that number."""
    count, told = Count(writes), [Told() for _ in range(6)]
    ways = (Applier, Changer, Deleter, Applier, Changer, Deleter)
    writers = [
        way(control, each, count, f"{prefix}-{number}")
        for number, (way, each) in enumerate(zip(ways, told, strict=True))
    ]
    with ThreadPoolExecutor(len(writers)) as pool:
        runs = [pool.submit(each.run) for each in writers]
        enough = count.enough.wait(SECONDS_MAX)
        control.kill()
        for run in runs:
            run.result(SECONDS_MAX)
    assert enough, "the writers were not answered"
    return told


def stored(control: Control, *collections: str) -> dict[str, dict[str, Any]]:
    """Every object by its path."""
    return {
        f"{path}/{each['metadata']['name']}": each
        for path in collections
        for each in control.ask("GET", path)["items"]
    }


def content(document: dict[str, Any]) -> Any:
    return document.get("data") or document.get("spec")


def check_kept(told: list[Told], found: dict[str, dict[str, Any]]) -> None:
    """What was told is there as told; what was asked for is there whole or not at all."""
    for each in told:
        for path, document in each.documents.items():
            there = found.get(path)
            if path in each.asked:
                wanted = each.asked[path]
                assert there == document or _is_of(there, wanted), (path, there, document)
            elif document is None:
                assert there is None, path
            else:
                assert there is not None, path
                assert there["metadata"] == document["metadata"], path
                assert content(there) == content(document), path


def _is_of(there: dict[str, Any] | None, wanted: dict[str, Any] | None) -> bool:
    """An object in the state of a write that nobody was told of."""
    if there is None or wanted is None:
        return there is None and wanted is None
    return {**content(there), **wanted} == content(there)


def check_whole(found: dict[str, dict[str, Any]]) -> None:
    """No object is half of a write: fields and managers that are written together agree."""
    for path, document in found.items():
        if path.startswith(THINGS):
            assert document["spec"]["a"] == document["spec"]["b"], document
        elif "labels" in document["metadata"]:
            assert document["metadata"]["labels"] == document["data"], document
            managed = document["metadata"]["managedFields"]
            owned = {each["manager"]: each["fieldsV1"]["f:data"] for each in managed}
            keys = {"first": "a", "second": "b"}
            assert {name: {f"f:{keys[name]}": {}} for name in owned} == owned, document
            assert {keys[name] for name in owned} == set(document["data"]), document


def newest(found: dict[str, dict[str, Any]], told: list[Told]) -> int:
    documents = [*found.values(), *(d for each in told for d in each.documents.values() if d)]
    return max(int(each["metadata"]["resourceVersion"]) for each in documents)


@pytest.fixture
def defined(control_process: Control) -> Iterator[Control]:
    """A control plane with a cluster's key and a definition that is served."""
    control_process.more = {"--cluster-key": control_process.directory / "cluster-key"}
    control_process.start()
    control_process.ask("POST", CRDS, DEFINITION)
    _await_served(control_process)
    yield control_process
    assert control_process.stop() == 0
    assert control_process.faults() == []


def _await_served(control: Control) -> None:
    """The definition's Established condition, as its watch tells it."""
    connection = control.connect()
    connection.request("GET", f"{CRDS}?watch=true&resourceVersion=0&timeoutSeconds=30")
    answer = connection.getresponse()
    while line := answer.readline():
        status = json.loads(line)["object"].get("status") or {}
        if any(each["type"] == "Established" for each in status.get("conditions") or ()):
            connection.close()
            return
    raise AssertionError("the definition was never established")


def test_whatever_was_told_is_there_after_a_kill_at_any_moment(defined: Control) -> None:
    dice = random.Random(secrets.randbits(64))
    before = 0
    kept: list[Told] = []
    for generation in range(GENERATIONS):
        told = written_until_killed(defined, f"g{generation}", dice.randrange(1, 250))
        defined.start()
        found = stored(defined, MAPS, THINGS)
        for older in kept:  # nothing is asked any more of what older generations wrote
            check_kept([older], found)
        check_kept(told, found)
        check_whole({path: each for path, each in found.items() if "/g" in path})
        last = newest(found, told)
        assert last > before
        made = defined.ask("POST", THINGS, {"metadata": {"name": f"after-{generation}"}})
        assert int(made["metadata"]["resourceVersion"]) > last
        before = last
        settled = Told({path: found.get(path) for each in told for path in each.documents})
        kept.append(settled)


def test_a_service_accounts_token_and_a_definition_outlive_a_kill(defined: Control) -> None:
    token = defined.ask("POST", TOKEN, {"spec": {"expirationSeconds": 3_600}})["status"]["token"]
    thing = {"metadata": {"name": "one"}, "spec": {"a": "1", "b": "1", "pruned": 5}}
    made = defined.ask("POST", THINGS, thing)
    defined.kill()
    defined.start()
    review = defined.ask("POST", REVIEWS, {"spec": {"token": token}})["status"]
    assert review["authenticated"] is True
    assert review["user"]["username"] == "system:serviceaccount:default:default"
    forged = token[:-8] + "AAAAAAAA"
    review = defined.ask("POST", REVIEWS, {"spec": {"token": forged}})["status"]
    assert not review.get("authenticated")
    assert defined.ask("GET", f"{THINGS}/one") == made
    assert made["spec"] == {"a": "1", "b": "1"}
    served = defined.ask("GET", "/apis/test.kubehop.dev/v1")["resources"]
    assert [each["kind"] for each in served] == ["Thing"]
    changed = defined.ask("PATCH", f"{THINGS}/one", {"spec": {"a": "2"}}, **{"Content-Type": MERGE})
    assert changed["spec"] == {"a": "2", "b": "1"}
    assert changed["metadata"]["generation"] == made["metadata"]["generation"] + 1
