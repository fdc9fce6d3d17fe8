"""The refusals of the API, in upstream's words: clients decide by `reason` and show `message`.

Pure: values only. Source: k8s.io/apimachinery/pkg/api/errors; kubectl matches on the reasons.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Protocol

from cluster.errors import ApiError
from cluster.objects.resources import Resource
from control.resources.causes import CAUSES_MAX


class CauseLike(Protocol):
    """One field that is wrong (`control.resources.strategy.Cause`)."""

    @property
    def field(self) -> str:
        """Its path, as `spec.ports[0].port`."""

    @property
    def reason(self) -> str:
        """As `FieldValueInvalid`."""

    @property
    def message(self) -> str:
        """In words."""


def refusal(
    code: int, reason: str, message: str, details: Mapping[str, Any] | None = None
) -> ApiError:
    """Any refusal."""
    status: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    if details:
        status["details"] = dict(details)
    return ApiError(status)


def success(details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The Status of something that was done and has nothing to show."""
    status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}}
    return {**status, "status": "Success", **({"details": dict(details)} if details else {})}


def qualified(resource: Resource) -> str:
    """As messages name a resource: `pods`, `deployments.apps`."""
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def details_of(resource: Resource, name: str) -> dict[str, Any]:
    """Which object a Status is about; `kind` holds the plural, as upstream does."""
    return {
        "name": name,
        **({"group": resource.group} if resource.group else {}),
        "kind": resource.plural,
    }


def not_found(resource: Resource, name: str) -> ApiError:
    """There is no such object."""
    message = f'{qualified(resource)} "{name}" not found'
    return refusal(404, "NotFound", message, details_of(resource, name))


def no_such_path() -> ApiError:
    """There is no such resource or path."""
    return refusal(404, "NotFound", "the server could not find the requested resource")


def already_exists(resource: Resource, name: str) -> ApiError:
    """The name is taken."""
    message = f'{qualified(resource)} "{name}" already exists'
    return refusal(409, "AlreadyExists", message, details_of(resource, name))


def conflict(resource: Resource, name: str, why: str) -> ApiError:
    """Somebody else was faster, or a precondition failed."""
    message = f'Operation cannot be fulfilled on {qualified(resource)} "{name}": {why}'
    return refusal(409, "Conflict", message, details_of(resource, name))


def modified(resource: Resource, name: str) -> ApiError:
    """The resourceVersion is no longer the current one."""
    why = (
        "the object has been modified; please apply your changes to the latest version "
        "and try again"
    )
    return conflict(resource, name, why)


def invalid(resource: Resource, name: str, causes: Iterable[CauseLike]) -> ApiError:
    """Fields are wrong; each is named, up to a bound."""
    listed = list(islice(causes, CAUSES_MAX))
    said = [f"{each.field}: {each.message}" if each.field else each.message for each in listed]
    if len(listed) == CAUSES_MAX:
        said.append(f"no more than {CAUSES_MAX} are told")
    words = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    details = {
        **details_of(resource, name),
        "kind": resource.kind,
        "causes": [
            {"reason": each.reason, "message": each.message, "field": each.field} for each in listed
        ],
    }
    return refusal(422, "Invalid", f'{kind} "{name}" is invalid: {words}', details)


def bad_request(message: str) -> ApiError:
    """The request makes no sense."""
    return refusal(400, "BadRequest", message)


def forbidden(resource: Resource, name: str, why: str, cause: str = "") -> ApiError:
    """Understood and not allowed."""
    message = f'{qualified(resource)} "{name}" is forbidden: {why}'
    details = details_of(resource, name)
    if cause:
        details["causes"] = [{"reason": cause, "message": why, "field": "metadata.namespace"}]
    return refusal(403, "Forbidden", message, details)


def unauthorized() -> ApiError:
    """Nobody knows who asks."""
    return refusal(401, "Unauthorized", "Unauthorized")


def method_not_allowed(message: str = "") -> ApiError:
    """The resource does not know this verb."""
    words = message or "the server does not allow this method on the requested resource"
    return refusal(405, "MethodNotAllowed", words)


def not_acceptable(accepted: Iterable[str]) -> ApiError:
    """None of the Accept header's types can be made."""
    listed = ", ".join(accepted)
    words = f"only the following media types are accepted: {listed}"
    return refusal(406, "NotAcceptable", words)


def unsupported_media(content_type: str, accepted: Iterable[str]) -> ApiError:
    """The body's type cannot be read."""
    words = (
        f"the body of the request was in an unknown format ({content_type}) - accepted media "
        f"types include: {', '.join(accepted)}"
    )
    return refusal(415, "UnsupportedMediaType", words)


def too_large(limit: int, how: str = "") -> ApiError:
    """The body is longer than the server reads."""
    words = f"the request body is larger than {limit} bytes" + (f" {how}" if how else "")
    return refusal(413, "RequestEntityTooLarge", words)


def expired(message: str) -> ApiError:
    """A watch or a page whose version is no longer kept."""
    return refusal(410, "Expired", message)


def internal(message: str) -> ApiError:
    """A fault of ours; what it was is in the log."""
    return refusal(500, "InternalError", f"Internal error occurred: {message}")


def unavailable(message: str) -> ApiError:
    """Something the request needs cannot be reached now."""
    return refusal(503, "ServiceUnavailable", message)
