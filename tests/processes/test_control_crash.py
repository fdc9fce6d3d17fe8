"""The control plane killed while clients write: what it acknowledged is there when it is back."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

WRITERS = 4
WRITES_BEFORE_THE_KILL = 150
COLLECTION = "/api/v1/namespaces/default/configmaps"
CHOSEN = "labelSelector=chosen"  # the control plane itself writes one there
GONE = (OSError, http.client.HTTPException)  # what a client sees of a process that was killed
EVENT_SECONDS_MAX = 30.0


class Control(Protocol):
    def start(self) -> dict[str, Any]: ...
    def kill(self) -> None: ...
    def stop(self) -> int: ...
    def connect(self) -> http.client.HTTPConnection: ...
    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any: ...
    def faults(self) -> list[str]: ...


@dataclass(slots=True)
class Ledger:
    """What one writer was told."""

    held: dict[str, tuple[int, str]] = field(default_factory=dict)  # name -> version, value
    deleted: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)  # asked for, and never answered
    versions: list[int] = field(default_factory=list)


class Writer:
    """Creates objects, changes every second one, deletes every fifth, until nobody answers."""

    def __init__(self, control: Control, prefix: str, written: Callable[[], None]) -> None:
        self.ledger = Ledger()
        self._prefix = prefix
        self._connection = control.connect()
        self._written = written

    def run(self) -> None:
        number = 0
        while True:
            number += 1
            name = f"{self._prefix}-{number}"
            self.ledger.doubtful = {name}
            try:
                self._life_of(name, number)
            except GONE:
                self._connection.close()
                return
            self.ledger.doubtful = set()

    def _life_of(self, name: str, number: int) -> None:
        document = {"metadata": {"name": name}, "data": {"value": "created"}}
        self._hold(name, self._ask("POST", COLLECTION, document), "created")
        if number % 2 == 0:
            changed = self._ask("PATCH", f"{COLLECTION}/{name}", {"data": {"value": "changed"}})
            self._hold(name, changed, "changed")
        if number % 5 == 0:
            self._ask("DELETE", f"{COLLECTION}/{name}")
            del self.ledger.held[name]
            self.ledger.deleted.add(name)

    def _hold(self, name: str, document: dict[str, Any], value: str) -> None:
        version = int(document["metadata"]["resourceVersion"])
        self.ledger.versions.append(version)
        self.ledger.held[name] = version, value

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        content = None if body is None else json.dumps(body)
        self._connection.request(method, path, content, {"Content-Type": kind})
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status in (200, 201), text
        self._written()
        document: dict[str, Any] = json.loads(text)
        return document


def write_until_killed(control: Control, generation: int) -> list[Ledger]:
    """Concurrent writers, and a kill once they have written enough."""
    count, enough, lock = 0, threading.Event(), threading.Lock()

    def written() -> None:
        nonlocal count
        with lock:
            count += 1
            if count >= WRITES_BEFORE_THE_KILL:
                enough.set()

    writers = [Writer(control, f"g{generation}-w{each}", written) for each in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        runs = [pool.submit(each.run) for each in writers]
        assert enough.wait(EVENT_SECONDS_MAX), "the writers were not answered"
        control.kill()
        for run in runs:
            run.result(EVENT_SECONDS_MAX)
    return [each.ledger for each in writers]


def stored(control: Control) -> dict[str, tuple[int, str]]:
    return {
        each["metadata"]["name"]: (int(each["metadata"]["resourceVersion"]), each["data"]["value"])
        for each in control.ask("GET", COLLECTION)["items"]
        if each["metadata"]["name"].startswith("g")
    }


def test_every_acknowledged_write_survives_a_kill_and_versions_go_on_rising(
    control_process: Control,
) -> None:
    control_process.start()
    held: dict[str, tuple[int, str]] = {}
    newest = 0
    for generation in (1, 2):
        ledgers = write_until_killed(control_process, generation)
        control_process.start()
        found = stored(control_process)
        doubtful = set().union(*(each.doubtful for each in ledgers))
        for ledger in ledgers:
            held |= ledger.held
            assert ledger.deleted.isdisjoint(found)
        certain = {name: value for name, value in held.items() if name not in doubtful}
        assert {name: found[name] for name in certain if name in found} == certain
        assert set(found) - set(certain) <= doubtful  # nothing that nobody asked for
        newest = max(newest, *(version for each in ledgers for version in each.versions))
        document = {"metadata": {"name": f"after-{generation}"}}
        made = control_process.ask("POST", COLLECTION, document)
        assert int(made["metadata"]["resourceVersion"]) > newest
        held = {name: found[name] for name in found}
    assert control_process.stop() == 0
    assert control_process.faults() == []


def create(control: Control, name: str) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"chosen": "yes"}}
    made: dict[str, Any] = control.ask("POST", COLLECTION, {"metadata": metadata})
    return made


def lines(control: Control, query: str) -> Iterator[dict[str, Any]]:
    """The events of a watch, as they come; the end of the process is its end."""
    connection = control.connect()
    try:
        connection.request("GET", f"{COLLECTION}?{CHOSEN}&watch=true&{query}")
        answer = connection.getresponse()
        assert answer.status == 200
        while line := answer.readline():
            yield json.loads(line)
    except GONE:
        return
    finally:
        connection.close()


def test_a_watcher_that_lost_its_server_misses_nothing_once_it_is_back(
    control_process: Control,
) -> None:
    """It resumes from its last version, or is told 410 in the stream and lists anew."""
    control_process.start()
    listed = control_process.ask("GET", f"{COLLECTION}?{CHOSEN}")
    seen = {each["metadata"]["name"] for each in listed["items"]}
    version = listed["metadata"]["resourceVersion"]
    events = lines(control_process, f"resourceVersion={version}")
    for name in ("one", "two"):
        create(control_process, name)
        event = next(events)
        assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", name)
        seen.add(name)
        version = event["object"]["metadata"]["resourceVersion"]
    create(control_process, "three")
    control_process.kill()
    seen |= {event["object"]["metadata"]["name"] for event in events}

    control_process.start()
    resumed = lines(control_process, f"resourceVersion={version}&timeoutSeconds=20")
    first = next(resumed)
    if first["type"] == "ERROR":
        assert (first["object"]["code"], first["object"]["reason"]) == (410, "Expired")
        assert list(resumed) == []
        listed = control_process.ask("GET", f"{COLLECTION}?{CHOSEN}")
        seen |= {each["metadata"]["name"] for each in listed["items"]}
        version = listed["metadata"]["resourceVersion"]
        resumed = lines(control_process, f"resourceVersion={version}&timeoutSeconds=20")
    else:
        seen.add(first["object"]["metadata"]["name"])
    create(control_process, "four")
    seen.add(next(resumed)["object"]["metadata"]["name"])
    resumed.close()
    assert {"one", "two", "three", "four"} <= seen


def test_a_watch_from_the_last_version_resumes_without_a_new_list(
    control_process: Control,
) -> None:
    control_process.start()
    made = create(control_process, "one")
    control_process.kill()
    control_process.start()
    newest = control_process.ask("GET", f"{COLLECTION}?{CHOSEN}")["metadata"]["resourceVersion"]
    assert int(newest) >= int(made["metadata"]["resourceVersion"])
    events = lines(control_process, f"resourceVersion={newest}&timeoutSeconds=20")
    create(control_process, "two")
    event = next(events)
    events.close()
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "two")


def test_a_process_that_is_asked_to_stop_ends_its_watches_and_itself(
    control_process: Control,
) -> None:
    control_process.start()
    create(control_process, "one")
    events = lines(control_process, "resourceVersion=0")
    assert next(events)["type"] == "ADDED"
    assert control_process.stop() == 0
    assert list(events) == []
    assert control_process.faults() == []
