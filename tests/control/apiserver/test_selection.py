"""Who is selected, and what a change is for those who watch a selection."""

from collections.abc import Callable
from typing import Any

import pytest

from cluster.client.interface import EventType
from cluster.errors import ApiError
from cluster.objects.resources import PODS, Resource
from cluster.objects.selectors import parse_label_selector
from control.apiserver.selection import Selection
from control.resources.kinds import Kind
from control.store.record import Change, ObjectKey, Record

Kinds = Callable[[Resource], Kind]
ADDED, MODIFIED, DELETED = EventType.ADDED, EventType.MODIFIED, EventType.DELETED


def pod(version: int, name: str = "a", app: str = "cart", node: str = "") -> Record:
    metadata = {"name": name, "labels": {"app": app}, "resourceVersion": str(version)}
    document: dict[str, Any] = {"metadata": metadata, "spec": {"nodeName": node}}
    return Record(ObjectKey("shop", name), version, document, b"{}")


def selection(kind: Kind, labels: str = "", fields: str = "") -> Selection:
    return Selection(kind, parse_label_selector(labels) if labels else None, fields)


def test_without_selectors_everything_is_wanted(kind: Kinds) -> None:
    chosen = selection(kind(PODS))
    assert chosen.everything
    assert chosen.name is None
    assert chosen.wants(pod(1))


def test_labels_and_fields_must_both_hold(kind: Kinds) -> None:
    chosen = selection(kind(PODS), "app=cart", "spec.nodeName=node-1")
    assert chosen.wants(pod(1, node="node-1"))
    assert not chosen.wants(pod(1, node="node-2"))
    assert not chosen.wants(pod(1, app="web", node="node-1"))
    assert not chosen.everything


def test_a_name_in_the_fields_is_known_for_the_index(kind: Kinds) -> None:
    assert selection(kind(PODS), fields="metadata.name=a").name == "a"
    assert selection(kind(PODS), fields="metadata.name!=a").name is None
    assert selection(kind(PODS), "app=cart").name is None


def test_selections_of_the_same_are_equal_by_identity(kind: Kinds) -> None:
    one, two = (selection(kind(PODS), "app=cart", "status.phase=Running") for _ in range(2))
    assert one.identity == two.identity
    assert one.identity != selection(kind(PODS), "app=cart").identity


def test_unknown_fields_and_bad_selectors_are_refused_before_any_object_is_seen(
    kind: Kinds,
) -> None:
    for fields in ("spec.nothing=1", "no operator"):
        with pytest.raises(ApiError) as caught:
            selection(kind(PODS), fields=fields)
        assert caught.value.code == 400


@pytest.mark.parametrize(
    ("change", "event"),
    [
        (Change(ADDED, None, pod(2)), ADDED),
        (Change(ADDED, None, pod(2, app="web")), None),
        (Change(MODIFIED, pod(1), pod(2)), MODIFIED),
        (Change(MODIFIED, pod(1, app="web"), pod(2)), ADDED),
        (Change(MODIFIED, pod(1), pod(2, app="web")), DELETED),
        (Change(MODIFIED, pod(1, app="web"), pod(2, app="web")), None),
        (Change(DELETED, pod(1), pod(2)), DELETED),
        (Change(DELETED, pod(1, app="web"), pod(2, app="web")), None),
    ],
)
def test_a_change_is_what_it_means_for_the_selection(
    kind: Kinds, change: Change, event: EventType | None
) -> None:
    assert selection(kind(PODS), "app=cart").event(change) == event


def test_who_ceases_to_match_is_shown_as_it_matched_with_its_new_version(kind: Kinds) -> None:
    chosen = selection(kind(PODS), "app=cart")
    told = chosen.told(Change(MODIFIED, pod(1), pod(2, app="web")))
    assert told is not None
    event, record = told
    assert (event, record.version) == (DELETED, 2)
    assert record.document["metadata"]["labels"] == {"app": "cart"}
    assert record.document["metadata"]["resourceVersion"] == "2"
    assert b'"resourceVersion":"2"' in record.body


def test_everything_else_is_shown_as_it_is(kind: Kinds) -> None:
    chosen = selection(kind(PODS), "app=cart")
    last = pod(2)
    assert chosen.told(Change(DELETED, pod(1), last)) == (DELETED, last)
    assert chosen.told(Change(MODIFIED, pod(1), last)) == (MODIFIED, last)
    assert chosen.told(Change(MODIFIED, pod(1, app="web"), pod(2, app="web"))) is None
