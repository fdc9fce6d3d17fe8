"""What the server itself writes into an object's metadata.

Pure: time and chance are handed in. Source: kubernetes.io, "Object Names and IDs".
"""

import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cluster.client.interface import Document

if TYPE_CHECKING:
    import random

# Upstream's alphabet: without vowels and look-alikes, so that no words come out.
SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
SUFFIX_LENGTH = 5
NAME_LENGTH_MAX = 63

# Server-owned: a client's values for these are not taken at creation.
SERVER_OWNED = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
    "generation",
    "selfLink",
)


def timestamp(seconds: float) -> str:
    """RFC 3339 in whole seconds, UTC, as `metav1.Time` is written."""
    return _spelled(int(seconds // 1))


@lru_cache(maxsize=16)  # nearly everything that is written is written now
def _spelled(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def later(stamp: str, seconds: int) -> str:
    """A timestamp so many seconds after another."""
    moment = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return (moment + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def generated_name(prefix: str, dice: "random.Random") -> str:
    """A name from `generateName`: the prefix, shortened where it must be, and five characters."""
    suffix = "".join(dice.choices(SUFFIX_ALPHABET, k=SUFFIX_LENGTH))
    return prefix[: NAME_LENGTH_MAX - SUFFIX_LENGTH] + suffix


def stamped(
    document: Document, *, namespace: str | None, now: str, dice: "random.Random"
) -> dict[str, Any]:
    """A new object with name, namespace, uid and time; what only the server writes is dropped."""
    given = document.get("metadata") or {}
    metadata = {key: value for key, value in given.items() if key not in SERVER_OWNED}
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = generated_name(str(metadata["generateName"]), dice)
    metadata.pop("namespace", None)
    if namespace is not None:
        metadata["namespace"] = namespace
    metadata["uid"] = str(uuid.UUID(int=dice.getrandbits(128), version=4))
    metadata["creationTimestamp"] = now
    return {**document, "metadata": metadata}
