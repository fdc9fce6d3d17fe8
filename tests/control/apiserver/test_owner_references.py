"""An owner that is named twice is one owner."""

from typing import Any

from control.apiserver.owner_references import without_duplicates

Client = Any

OWNER = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "a", "uid": "u"}
MAPS = "/api/v1/namespaces/shop/configmaps"


def test_different_references_stay_as_they_are() -> None:
    other = {**OWNER, "uid": "v"}
    same_uid = {**OWNER, "name": "b"}
    for references in ([], [OWNER], [OWNER, other, same_uid]):
        document = {"metadata": {"ownerReferences": references}}
        assert without_duplicates(document) == (document, [])
    assert without_duplicates({}) == ({}, [])


def test_equal_references_become_one_with_a_warning() -> None:
    document = {"metadata": {"name": "x", "ownerReferences": [OWNER, {**OWNER}, OWNER]}}
    once, (warning,) = without_duplicates(document)
    assert once == {"metadata": {"name": "x", "ownerReferences": [OWNER]}}
    assert warning.endswith("duplicate UID(s) observed: u")


async def test_a_client_is_warned_and_one_is_stored(client: Client) -> None:
    body = {"metadata": {"name": "one", "ownerReferences": [OWNER, OWNER]}}
    reply = await client("POST", MAPS, body)
    assert reply.status == 201
    assert reply.document["metadata"]["ownerReferences"] == [OWNER]
    assert "duplicate UID(s) observed: u" in reply.headers["Warning"]


async def test_an_event_owns_nothing(client: Client) -> None:
    event = {"apiVersion": "v1", "kind": "Event", "name": "e", "uid": "u"}
    reply = await client("POST", MAPS, {"metadata": {"name": "one", "ownerReferences": [event]}})
    assert reply.status == 422
    assert "/v1, Kind=Event is disallowed from being an owner" in reply.document["message"]
