"""What the server writes into metadata."""

import random
import uuid

from control.apiserver.stamps import generated_name, later, stamped, timestamp

NOW = "2026-01-01T12:00:00Z"


def test_a_new_object_gets_uid_time_and_namespace() -> None:
    document = {"metadata": {"name": "a", "namespace": "other", "labels": {"x": "y"}}}
    made = stamped(document, namespace="shop", now=NOW, dice=random.Random(1))["metadata"]
    assert made["namespace"] == "shop" and made["labels"] == {"x": "y"}
    assert made["creationTimestamp"] == NOW
    assert uuid.UUID(made["uid"]).version == 4


def test_what_only_the_server_writes_is_not_taken_from_clients() -> None:
    given = {
        "name": "a",
        "uid": "mine",
        "creationTimestamp": None,
        "deletionTimestamp": NOW,
        "resourceVersion": "9",
        "generation": 7,
    }
    made = stamped({"metadata": given}, namespace=None, now=NOW, dice=random.Random(1))["metadata"]
    assert made["uid"] != "mine" and made["creationTimestamp"] == NOW
    assert not {"deletionTimestamp", "resourceVersion", "generation", "namespace"} & made.keys()


def test_a_generated_name_has_five_characters_and_fits() -> None:
    dice = random.Random(1)
    name = generated_name("cart-", dice)
    assert name.startswith("cart-") and len(name) == 10
    assert len(generated_name("x" * 70, dice)) == 63
    made = stamped({"metadata": {"generateName": "p-"}}, namespace="shop", now=NOW, dice=dice)
    assert made["metadata"]["name"].startswith("p-")


def test_times_are_whole_seconds_in_utc() -> None:
    assert timestamp(1767268800.9) == NOW
    assert later(NOW, 30) == "2026-01-01T12:00:30Z"
