"""Carries out what a controller decided: the one place where controllers touch the API.

Neighbouring writes of one kind go out together, so that one commit takes them all. What the API
answers goes straight into the caches. An object that is gone already needs no write.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from itertools import groupby
from typing import Any, Protocol, assert_never

from cluster.client.interface import Api, Document
from cluster.errors import ApiError
from cluster.objects.resources import CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES
from control.controllers.caches import Caches
from control.controllers.namespace_conditions import Remaining, deletion_conditions
from control.controllers.view import Key, deleting, uid_of
from control.controllers.writes import (
    WARNING,
    Absent,
    Create,
    Delete,
    DeleteAll,
    EmitEvent,
    FinalizeDefinition,
    FinalizeNamespace,
    LookAgain,
    Patch,
    Update,
    Write,
    patch_of,
)
from control.resources.custom.acceptance import FINALIZER

log = logging.getLogger(__name__)

DELETIONS_TOGETHER_MAX = 100
NOT_FOUND = 404
NAMESPACE_FINALIZER = "kubernetes"


class NotYet(Exception):
    """A write waits for something that is no failure: the key is looked at again soon."""


class Events(Protocol):
    """Who takes Events."""

    def record(self, event: EmitEvent) -> None:
        """Take one; it is written beside the work."""


class Carrier:
    """Carries out the plans of a controller."""

    def __init__(self, api: Api, caches: Caches, events: Events) -> None:
        self._api = api
        self._caches = caches
        self._events = events

    async def carry(self, plan: Sequence[Write]) -> float | None:
        """Carry out a plan; returns in how many seconds its key wants to be looked at again."""
        again: float | None = None
        for kind, group in groupby(plan, key=type):
            if kind is LookAgain:
                dates = [write.seconds for write in group if isinstance(write, LookAgain)]
                again = min(dates) if again is None else min(again, *dates)
            else:
                await _together([self._carry_one(write) for write in group])
        return again

    async def _carry_one(self, write: Write) -> None:
        match write:
            case Create() | Update() | Patch() | Delete():
                await self._announced(write)
            case DeleteAll():
                await self._delete_all(write)
            case FinalizeNamespace():
                await self._finalize(write)
            case FinalizeDefinition():
                await self._finalize_definition(write)
            case EmitEvent():
                self._events.record(write)
            case LookAgain():
                pass
            case unreachable:
                assert_never(unreachable)

    async def _announced(self, write: Create | Update | Patch | Delete) -> None:
        announce = write.announce
        try:
            name = await self._written(write)
        except ApiError as error:
            if announce and announce.refused and error.reason != "Conflict":
                self._tell(announce.about, announce.refused, WARNING, error=str(error))
            raise
        if announce and announce.done and name:
            self._tell(announce.about, announce.done, announce.type, name=name)

    async def _written(self, write: Create | Update | Patch | Delete) -> str | None:
        match write:
            case Create():
                return self._took(write, await self._api.create(write.resource, write.document))
            case Update():
                answer = await self._api.update(
                    write.resource, write.document, subresource=write.subresource
                )
                return self._took(write, answer)
            case Patch():
                return await self._patch(write)
            case Delete():
                return await self._delete(write)
            case unreachable:
                assert_never(unreachable)

    def _took(self, write: Create | Update | Patch, answer: Document) -> str:
        self._caches.wrote(write.resource, answer)
        return str(answer["metadata"]["name"])

    async def _patch(self, write: Patch) -> str | None:
        try:
            answer = await self._api.patch(
                write.resource,
                write.name,
                write.changes,
                namespace=write.namespace or None,
                subresource=write.subresource,
            )
        except ApiError as error:
            if error.code != NOT_FOUND:
                raise
            return None
        return self._took(write, answer)

    async def _delete(self, write: Delete) -> str | None:
        for absent in write.provided:
            if await self._exists(absent):
                return None
        try:
            await self._api.delete(
                write.resource,
                write.name,
                namespace=write.namespace or None,
                grace_seconds=write.grace_seconds,
                uid=write.uid,
                propagation=write.propagation,
            )
        except ApiError as error:
            if error.code != NOT_FOUND:
                raise
            return None
        self._caches.deleted(Key(write.resource, write.namespace, write.name), write.uid)
        return write.name

    async def _exists(self, absent: Absent) -> bool:
        try:
            found = await self._api.get(
                absent.resource, absent.name, namespace=absent.namespace or None
            )
        except ApiError as error:
            if error.code != NOT_FOUND:
                raise
            return False
        return absent.uid in ("", uid_of(found))

    async def _delete_all(self, write: DeleteAll) -> None:
        listing = await self._api.list(write.resource, namespace=write.namespace or None)
        doomed = [each for each in listing.items if not deleting(each)]
        for start in range(0, len(doomed), DELETIONS_TOGETHER_MAX):
            await _together(
                [
                    self._delete(
                        Delete(
                            resource=write.resource,
                            namespace=each["metadata"].get("namespace") or "",
                            name=each["metadata"]["name"],
                            uid=uid_of(each),
                        )
                    )
                    for each in doomed[start : start + DELETIONS_TOGETHER_MAX]
                ]
            )

    async def _finalize(self, write: FinalizeNamespace) -> None:
        name = write.document["metadata"]["name"]
        remaining = {
            resource: (await self._api.list(resource, namespace=name)).items
            for resource in write.resources
        }
        try:
            held = await self._told_conditions(write, remaining)
            for resource, left in remaining.items():
                if left:
                    raise NotYet(f"namespace {name} still holds {len(left)} {resource.plural}")
            await self._api.update(NAMESPACES, _without_ours(held), subresource="finalize")
        except ApiError as error:
            if error.code != NOT_FOUND:
                raise

    async def _told_conditions(self, write: FinalizeNamespace, remaining: Remaining) -> Document:
        """The namespace with what is left in it in its conditions."""
        held = write.document
        conditions = deletion_conditions(held, remaining, write.now)
        if conditions == (held.get("status") or {}).get("conditions"):
            return held
        name, changes = held["metadata"]["name"], {"status": {"conditions": conditions}}
        answer = await self._api.patch(NAMESPACES, name, changes, subresource="status")
        self._caches.wrote(NAMESPACES, answer)
        return answer

    async def _finalize_definition(self, write: FinalizeDefinition) -> None:
        metadata = write.document["metadata"]
        if write.resource is not None:
            listing = await self._api.list(write.resource)
            if listing.items:
                raise NotYet(f"{metadata['name']} still has {len(listing.items)} objects")
        rest = [each for each in metadata["finalizers"] if each != FINALIZER]
        changes = {"metadata": {"finalizers": rest or None}}
        await self._patch(patch_of(CUSTOM_RESOURCE_DEFINITIONS, write.document, changes))

    def _tell(
        self, about: Document, words: tuple[str, str], kind: str, *, name: str = "", error: str = ""
    ) -> None:
        reason, message = words
        text = message.replace("{name}", name).replace("{error}", error)
        self._events.record(EmitEvent(about, reason, text, kind))


def _without_ours(namespace: Document) -> Document:
    """Without our own finalizer; those of others hold the namespace on."""
    spec = namespace.get("spec") or {}
    rest = [each for each in spec.get("finalizers") or () if each != NAMESPACE_FINALIZER]
    return {**namespace, "spec": {**spec, "finalizers": rest}}


async def _together(works: list[Coroutine[Any, Any, Any]]) -> None:
    """Do all of it, then raise the first failure: none may cut another short."""
    if len(works) == 1:
        await works[0]
        return
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
