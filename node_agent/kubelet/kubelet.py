"""The kubelet of one node, put together: what the agent's composition root holds.

    kubelet = Kubelet(...)                       then feed it: informers' on_change ->
    kubelet.pods.pod_changed, kubelet.node.node_changed
    kubelet.start()                              registers the node, renews its lease
    await kubelet.node.pod_cidr()                then the network can attach pods:
    kubelet.network_ready()                      the node is Ready, waiting pods start

The agent's own tasks end with `Tasks.close()`: programs are killed, the API is told nothing.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import web

from cluster.aio.clock import Clock
from cluster.aio.tasks import Tasks
from cluster.client.interface import Api, Document
from node_agent.cni.interface import Network
from node_agent.kubelet.events import Events
from node_agent.kubelet.node_document import NodeFacts
from node_agent.kubelet.node_status import NodeStatus
from node_agent.kubelet.pod_files import NodeFiles
from node_agent.kubelet.pod_worker import NodeParts, PodWorker
from node_agent.kubelet.runtime import Runtime
from node_agent.kubelet.server import AddRoutes, make_app
from node_agent.kubelet.sync_loop import SyncLoop
from node_agent.kubelet.volumes import Volumes
from node_agent.workloads import surroundings
from node_agent.workloads.images import Alias


class Kubelet:
    """Node registration, pods, and their API."""

    def __init__(
        self,
        *,
        api: Api,
        network: Network,
        clock: Clock,
        tasks: Tasks,
        facts: NodeFacts,
        aliases: Iterable[Alias] = (),
        services: Callable[[], Iterable[Document]] = tuple,
        zone_source: Any = None,
        recorder: Any = None,
        app_dir: str = "",
        files: NodeFiles,
    ) -> None:
        self.events = Events(api, clock, facts.name)
        self.node = NodeStatus(api, facts, clock)
        self._network = network
        self._clock = clock
        self._tasks = tasks
        self.volumes = Volumes(api=api, files=files, clock=clock)
        runtime = Runtime(
            api=api,
            network=network,
            clock=clock,
            node_name=facts.name,
            node_ip=facts.internal_ip,
            aliases=tuple(aliases),
            services=services,
            zone_source=zone_source,
            recorder=recorder,
            app_dir=app_dir,
            volumes=self.volumes,
        )
        self._parts = NodeParts(
            api=api,
            network=network,
            runtime=runtime,
            events=self.events,
            clock=clock,
            host_ip=facts.internal_ip,
        )
        self.pods = SyncLoop(facts.name, self._worker, clock, tasks)

    def _worker(self, pod: Document) -> PodWorker:
        return PodWorker(pod, self._parts, self._tasks)

    def start(self) -> Callable[[], None]:
        """Begin; the result gives the process its own sys.stdout and so on back."""
        undo = surroundings.install(asyncio.get_running_loop())
        self._tasks.supervise(self.node.run, name="node status")
        self._tasks.supervise(self.events.run, name="events")
        self._tasks.supervise(self.volumes.refresh_forever, name="refresh volumes")
        return undo

    def network_ready(self) -> None:
        """The network can attach pods."""
        self.volumes.files.keep_only(worker.uid for worker in self.pods)
        self.node.network_ready()
        self.pods.network_ready()

    def app(self, add_flows: AddRoutes | None = None) -> web.Application:
        """The kubelet API, with the trace's routes."""
        return make_app(self.pods, self._network, self._clock, add_flows=add_flows)
