"""The loop around every pure `reconcile`: queue, view, decide, carry out, again.

A controller is a row in `control.controllers.all_controllers`: what it watches, which keys a change
concerns, and a function from a view and a key to writes.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from cluster.aio.clock import Clock
from cluster.aio.tasks import Tasks
from cluster.client.interface import Api, Document
from cluster.errors import ApiError
from cluster.objects.resources import Resource
from control.controllers import all_controllers
from control.controllers.caches import Caches, SharedInformer
from control.controllers.carry import Carrier, NotYet
from control.controllers.custom_informers import CustomInformers
from control.controllers.definition import Controller
from control.controllers.events import ComponentEvents, EventRecorder
from control.controllers.queue import WorkQueue
from control.controllers.settings import WATCHED, ControllerSettings
from control.controllers.view import Key
from control.controllers.writes import Patch, Write

log = logging.getLogger(__name__)


class ControllerLoop:
    """Runs one controller: its queue and its workers."""

    def __init__(
        self, controller: Controller, caches: Caches, carrier: Carrier, *, clock: Clock
    ) -> None:
        self._controller = controller
        self._caches = caches
        self._carrier = carrier
        self._tasks = Tasks(clock)
        self._queue = WorkQueue(clock, self._tasks, name=controller.name)

    @property
    def resources(self) -> Iterable[Resource] | None:
        """What it has to hear of; None where that may be any resource."""
        return None if self._controller.watches_custom else self._controller.watches.keys()

    def changed(self, resource: Resource, old: Document | None, new: Document | None) -> None:
        """Queue what a change concerns."""
        keys_of = self._controller.watches.get(resource)
        if keys_of is None and resource in self._caches.custom and self._controller.watches_custom:
            keys_of = self._controller.watches_custom(resource)
        if keys_of is not None:
            for key in keys_of(self._caches.objects, old, new):
                self._queue.add(key)

    def start(self) -> None:
        """Start the workers."""
        for number in range(self._controller.workers):
            self._tasks.supervise(self._work, name=f"{self._controller.name} {number}")

    async def close(self) -> None:
        """Stop the workers and forget all dates."""
        await self._tasks.close()

    async def _work(self) -> None:
        while True:
            key = await self._queue.take()
            try:
                await self._once(key)
            except Exception:  # a fault of ours: the key comes back, the worker starts anew
                self._queue.retry(key)
                raise
            finally:
                self._queue.done(key)

    async def _once(self, key: Key) -> None:
        try:
            plan = self._controller.reconcile(self._caches.view(), key)
            again = await self._carrier.carry(plan)
        except NotYet:
            self._queue.retry(key)
        except ApiError as error:
            await self._refused(key, error)
        else:
            self._queue.forget(key)
            if again is not None:
                self._queue.add_after(key, again)

    async def _refused(self, key: Key, error: ApiError) -> None:
        """Try again later; what could not be made is not counted as if it had been."""
        pause = self._queue.retry(key)
        level = logging.DEBUG if error.code == 409 else logging.WARNING
        text = "write refused controller=%s key=%s retry_seconds=%.3f error=%s"
        log.log(level, text, self._controller.name, key, pause, error)
        if self._controller.tells_refusals and error.reason not in ("Conflict", "NotFound"):
            view = replace(self._caches.view(), refusal=str(error))
            await self._tell(self._controller.reconcile(view, key))

    async def _tell(self, plan: Sequence[Write]) -> None:
        """Only how things stand: of a plan, what goes into statuses."""
        told = [each for each in plan if isinstance(each, Patch) and each.subresource == "status"]
        try:
            await self._carrier.carry(told)
        except ApiError as error:
            log.debug("status refused controller=%s error=%s", self._controller.name, error)


class ControllerManager:
    """All controllers over one set of informers."""

    def __init__(
        self,
        api: Api,
        clock: Clock,
        settings: ControllerSettings,
        *,
        caches: Caches | None = None,
    ) -> None:
        resources = (*WATCHED, *settings.more_resources)
        self.caches = caches or informed_caches(api, resources, clock)
        self._api = api
        self._clock = clock
        self._events = EventRecorder(api, clock, component="kube-controller-manager")

        def loop(row: Controller) -> ControllerLoop:
            events = ComponentEvents(self._events, row.component)
            return ControllerLoop(row, self.caches, Carrier(api, self.caches, events), clock=clock)

        self._loops = [loop(row) for row in all_controllers(settings)]
        for each in self._loops:
            self.caches.subscribe(each.changed, each.resources)

    async def run(self) -> None:
        """Run until cancelled; nobody acts before every cache is filled."""
        tasks = Tasks(self._clock)
        try:
            informing = tasks.start(self.caches.run(), name="informers")
            await self.caches.synced()
            CustomInformers(self.caches, tasks, partial(informer_of, self._api, self._clock))
            tasks.supervise(self._events.run, name="events")
            for each in self._loops:
                each.start()
            await informing
        finally:
            for each in self._loops:
                await each.close()
            await tasks.close()


def informed_caches(api: Api, resources: Iterable[Resource], clock: Clock) -> Caches:
    """Caches behind the informers of `cluster.client`."""
    return Caches({each: informer_of(api, clock, each) for each in resources}, clock=clock)


def informer_of(api: Api, clock: Clock, resource: Resource) -> SharedInformer:
    """An informer of `cluster.client`."""
    from cluster.client.informer import Informer

    return Informer(api, resource, clock=clock)
