"""Documents to print, and the moment of printing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def ago(seconds: float) -> str:
    """A timestamp so long before the printing."""
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def before() -> Callable[[float], str]:
    """Makes timestamps so many seconds before the printing."""
    return ago


@pytest.fixture
def document() -> Callable[..., dict[str, Any]]:
    """Makes an object that was created five minutes ago."""

    def make(name: str = "it", **fields: Any) -> dict[str, Any]:
        metadata = {"name": name, "namespace": "default", "creationTimestamp": ago(300)}
        return {**fields, "metadata": {**metadata, **fields.get("metadata", {})}}

    return make
