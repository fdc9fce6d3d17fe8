"""Pods assigned to this node against pods that run on it.

Fed by an informer (`pod_changed`), which goes on holding what it knew while the API is away; so a
node runs its pods without a control plane. A pod is a uid: a name deleted and made again is two.
Pods that had an address before the agent began start first, so that no new pod is given it (P-8).
Spec: P-8, P-26, P-45, P-72, P-74.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator

from cluster.aio.clock import Clock
from cluster.aio.tasks import Tasks
from cluster.client.interface import Document
from node_agent.kubelet.pod_worker import PodWorker

log = logging.getLogger(__name__)

WORKER_RETRY_SECONDS = 1.0

MakeWorker = Callable[[Document], PodWorker]


class SyncLoop:
    """One worker per pod of this node."""

    def __init__(self, node_name: str, make: MakeWorker, clock: Clock, tasks: Tasks) -> None:
        self._node_name = node_name
        self._make = make
        self._clock = clock
        self._tasks = tasks
        self._workers: dict[str, PodWorker] = {}
        self._waiting: list[PodWorker] = []  # not started yet
        self._ready = False

    def network_ready(self) -> None:
        """The node can attach pods now (P-26): the ones that wait begin."""
        self._ready = True
        self._start_waiting()

    def pod_changed(self, old: Document | None, new: Document | None) -> None:
        """For `Informer.on_change`: a pod is new, has changed, or is gone."""
        before = self._uid_here(old)
        after = self._uid_here(new)
        if before is not None and before != after:
            worker = self._workers.get(before)
            if worker is not None:
                worker.gone()
        if after is None or new is None:
            return
        worker = self._workers.get(after)
        if worker is not None:
            worker.update(new)
        else:
            self._begin(new)

    def _uid_here(self, pod: Document | None) -> str | None:
        if pod is None or pod["spec"].get("nodeName") != self._node_name:
            return None
        return str(pod["metadata"]["uid"])

    def _begin(self, pod: Document) -> None:
        worker = self._make(pod)
        self._workers[worker.uid] = worker
        self._waiting.append(worker)
        if self._ready and len(self._waiting) == 1:
            self._start_waiting()

    def _start_waiting(self) -> None:
        self._tasks.start(self._start_together(), name="start pods")

    async def _start_together(self) -> None:
        """What arrived in one turn of the loop, such as a whole list, starts in order."""
        waiting, self._waiting = self._waiting, []
        for worker in sorted(waiting, key=lambda each: not each.had_address):
            meta = worker.pod["metadata"]
            self._tasks.start(self._run(worker), name=f"pod {meta['namespace']}/{meta['name']}")

    async def _run(self, worker: PodWorker) -> None:
        uid = worker.uid
        try:
            await worker.run()
        except Exception:
            log.exception("pod worker failed pod=%s", worker.pod["metadata"]["name"])
            await self._clock.sleep(WORKER_RETRY_SECONDS)
            if not worker.is_gone:
                self._begin(worker.pod)
                return
        if self._workers.get(uid) is worker:
            del self._workers[uid]

    async def told(self) -> None:
        """Wait until the API has the status of every pod that is here now.

        After a start it shows the pods as another agent left them, ready perhaps: they are not.
        """
        await asyncio.gather(*(worker.told() for worker in self))

    def find(self, namespace: str, name: str) -> PodWorker | None:
        """The pod of that name that runs here; of two, the newer one."""
        found = None
        for worker in self._workers.values():
            meta = worker.pod["metadata"]
            if (meta["namespace"], meta["name"]) == (namespace, name):
                found = worker
        return found

    def __iter__(self) -> Iterator[PodWorker]:
        return iter(list(self._workers.values()))

    def __len__(self) -> int:
        return len(self._workers)
