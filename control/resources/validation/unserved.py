"""What would be stored and then do nothing where people count on it: refused, and why.

Pure: documents in, causes out. Admission decides about other people's writes, an APIService about
who answers a group; an API server that takes them and does nothing would be a hole, or a lie.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from control.resources.causes import Cause
from control.resources.validation.refusals import forbidden

Document = Mapping[str, Any]


def webhook_causes(configuration: Document) -> Iterator[Cause]:
    """A configuration without webhooks does no harm."""
    if configuration.get("webhooks"):
        yield forbidden("webhooks", "this API server calls no admission webhooks")


def policy_causes(policy: Document) -> Iterator[Cause]:
    """Policies, and what binds them."""
    yield forbidden("spec", "this API server runs no admission policies")


def api_service_causes(service: Document) -> Iterator[Cause]:
    """One that is local says nothing that is not so."""
    if (service.get("spec") or {}).get("service"):
        yield forbidden("spec.service", "this API server passes no requests on to others")
