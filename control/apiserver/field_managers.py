"""Who manages which field, at the border of the registry: reads and writes `managedFields`.

Pure: documents and options in, documents out; what cannot be applied is an ApiError in upstream's
words. The rules are in `control.resources.apply`.
"""

from dataclasses import replace
from typing import Any

from cluster.client.interface import Document
from control.apiserver import statuses
from control.apiserver.options import WriteOptions
from control.resources.apply import tracking
from control.resources.apply.apply import Applied, apply
from control.resources.apply.conflicts import conflict_causes, conflict_message
from control.resources.apply.field_set import difference
from control.resources.apply.last_applied import KUBECTL, still_as_applied
from control.resources.apply.managers import (
    NAME_LENGTH_MAX,
    UPDATE,
    Manager,
    Managers,
    read_managers,
    stored_managers,
    written,
)
from control.resources.apply.typed import Unmergeable
from control.resources.kinds import Kind
from control.resources.schema import Node, element_schema

FIELD = "managedFields"
RESET: tuple[Any, ...] = ([], [{}])  # how a client says that nobody manages anything


def with_creator(kind: Kind, made: Document, options: WriteOptions, now: str) -> dict[str, Any]:
    """A new object with its creator as the manager of all of it."""
    node = element_schema(kind)
    writer = _writer(kind, options, now)
    if node is None or not writer.name:
        return _with(made, [])
    apart = _status_apart(kind)
    if options.applied is not None:
        managers: Managers = (_entry(node, options.applied, writer, status_apart=apart),)
    else:
        managers = tracking.created(node, made, writer, status_apart=apart)
    return _with(made, written(managers))


def with_updater(
    kind: Kind,
    old: Document,
    new: Document,
    given: Document,
    options: WriteOptions,
    now: str,
    subresource: str,
) -> Document:
    """An object's next state with its writer as the manager of what changed.

    `given` is what the client wants it to be; it may say who manages what.
    """
    node = element_schema(kind)
    before, held = _managers(old), _given(old, given)
    if options.applied is not None or node is None:
        return _kept(old, new, before, held)
    writer = _writer(kind, options, now, subresource)
    after = tracking.updated(node, old, new, held, writer, status_apart=_status_apart(kind))
    return _kept(old, new, before, after)


def applied(
    kind: Kind, live: Document, config: Document, options: WriteOptions, now: str, subresource: str
) -> Document:
    """The object with a configuration applied to it; ApiError 409 tells the conflicts."""
    node = element_schema(kind)
    if node is None:
        raise statuses.unsupported_media("application/apply-patch+yaml", ())
    writer = _writer(kind, options, now, subresource)
    apart = _status_apart(kind)
    entry = _entry(node, config, writer, status_apart=apart)

    def attempt(*, force: bool) -> Applied:
        try:
            return apply(
                node, live, config, _managers(live), entry, force=force, status_apart=apart
            )
        except Unmergeable as error:
            raise _untyped(error) from error

    result = attempt(force=options.force)
    if result.conflicts:
        result = _taken_over(node, live, writer, result)
        if result.conflicts:
            raise _conflict(result)
        result = attempt(force=True)
    return _kept(live, result.document, _managers(live), result.managers)


def check_applier(options: WriteOptions, config: Document) -> None:
    """What whoever applies has to say, and must not."""
    if not options.manager_given:
        raise _refused("fieldManager: Required value: is required for apply patch")
    if (config.get("metadata") or {}).get(FIELD):
        raise statuses.bad_request("metadata.managedFields must be nil")


def check_manager(options: WriteOptions, *, applies: bool) -> None:
    """A manager's name is short and printable; only who applies can force."""
    name = options.field_manager
    if options.manager_given and len(name.encode()) > NAME_LENGTH_MAX:
        raise _refused(f"fieldManager: Too long: may not be more than {NAME_LENGTH_MAX} bytes")
    if options.manager_given and not name.isprintable():
        words = "should only contain printable characters"
        raise _refused(f"fieldManager: Invalid value: {name!a}: {words}")
    if options.force and not applies:
        raise _refused("force: Forbidden: may not be specified for non-apply patch")


def _refused(why: str) -> Exception:
    return statuses.refusal(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {why}')


# -- inside


def _taken_over(node: Node, live: Document, writer: Manager, result: Applied) -> Applied:
    """kubectl takes what client-side apply left, without force."""
    free = still_as_applied(node, live) if writer.name == KUBECTL else None
    if free is None:
        return result
    left = ((each, difference(fields, free)) for each, fields in result.conflicts)
    return replace(result, conflicts=tuple((each, rest) for each, rest in left if rest is not None))


def _conflict(result: Applied) -> Exception:
    words = conflict_message(result.conflicts)
    details = {"causes": conflict_causes(result.conflicts)}
    return statuses.refusal(409, "Conflict", words, details)


def _entry(node: Node, config: Document, writer: Manager, *, status_apart: bool) -> Manager:
    try:
        return tracking.applied(node, config, writer, status_apart=status_apart)
    except Unmergeable as error:
        raise _untyped(error) from error


def _untyped(error: Unmergeable) -> Exception:
    words = f"failed to create typed patch object: errors:\n  {error}"
    return statuses.refusal(422, "Invalid", words)


def _writer(kind: Kind, options: WriteOptions, now: str, subresource: str = "") -> Manager:
    version = kind.resource.api_version
    endpoint = subresource or options.endpoint
    return Manager(options.field_manager, UPDATE, version, None, now, endpoint)


def _status_apart(kind: Kind) -> bool:
    return "status" in kind.subresources


def _managers(document: Document) -> Managers:
    return stored_managers(document["metadata"].get(FIELD) or ())


def _given(old: Document, given: Document) -> Managers:
    """What the client says of the managers, if it says something sensible; else what was."""
    said = (given.get("metadata") or {}).get(FIELD)
    if said == old["metadata"].get(FIELD):
        return _managers(old)  # nearly always: who writes sends back what was read
    if said in RESET:
        return ()
    return read_managers(said or ()) or _managers(old)


def _kept(old: Document, new: Document, before: Managers, after: Managers) -> Document:
    """With the managers; as they were written before where they are the same."""
    if _identities(before) == _identities(after):
        return _with(new, old["metadata"].get(FIELD) or [])
    return _with(new, written(after))


def _identities(managers: Managers) -> dict[tuple[str, str, str, str], Any]:
    return {
        (each.name, each.operation, each.api_version, each.subresource): each.fields
        for each in managers
        if each.fields is not None
    }


def _with(document: Document, entries: list[dict[str, Any]]) -> dict[str, Any]:
    metadata = {key: value for key, value in document["metadata"].items() if key != FIELD}
    if entries:
        metadata[FIELD] = entries
    return {**document, "metadata": metadata}
