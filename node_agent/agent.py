"""The agent of one node, put together: data plane, pods' network, kubelet, proxy, diagnostics.

Order of a start: the tunnel listens, the node registers and its views fill, the pod range comes,
the network is ready, and only then pods run. Ready is said when all of that is done.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from aiohttp import web

from cluster.aio.awaited_files import await_files
from cluster.aio.clock import Clock, SystemClock
from cluster.aio.process import Lifecycle
from cluster.aio.streams import outside
from cluster.aio.tasks import Tasks
from cluster.client.api import ApiClient
from cluster.client.interface import NodeApi
from cluster.dataplane.node_view import NetworkSettings, NodeView, empty_view
from cluster.dns.resolv_conf import ClusterDns, ResolvConf, pod_resolv_conf
from cluster.ipam import IpPool, Order
from cluster.objects.resources import NODES, PODS, SERVICES
from cluster.trace.endpoint import add_routes
from cluster.trace.recorder import Recorder
from cluster.wire.clients import OutsideClients
from node_agent.cni.escapes import Escapes
from node_agent.cni.hosts_file import hosts_file, hosts_table
from node_agent.cni.interface import PodSpec
from node_agent.cni.metrics import metrics_text
from node_agent.cni.names import PodNames
from node_agent.cni.network import NodeNetwork
from node_agent.cni.pod_network import PodNetwork
from node_agent.config import AgentConfig
from node_agent.connections_route import ConnectionsRoute
from node_agent.data_plane import DataPlane
from node_agent.explain import Explain
from node_agent.kubelet.events import WARNING
from node_agent.kubelet.kubelet import Kubelet
from node_agent.kubelet.node_document import NodeFacts
from node_agent.kubelet.node_status import machine_facts
from node_agent.kubelet.pod_files import NodeFiles
from node_agent.kubelet.server import metrics_of
from node_agent.kubelet_server import KubeletServer
from node_agent.loop import NodeLoop
from node_agent.proxy.health_servers import HealthServers
from node_agent.proxy.node_ports import PortPlan
from node_agent.proxy.proxier import Proxier, log_failed
from node_agent.view import ClusterView
from node_agent.workloads.images import Alias
from node_agent.zone import NodeZone

log = logging.getLogger(__name__)


async def serve(config: AgentConfig, lifecycle: Lifecycle) -> None:
    """Run until told to stop."""
    clock = SystemClock(config.time_scale)
    if not await await_files([config.cluster_key, config.kubeconfig], lifecycle, clock):
        return
    key = config.read_key()
    async with ApiClient.of(config.api, kubeconfig=config.kubeconfig) as api:
        agent = Agent(config, key, api, clock)
        try:
            await agent.start()
            lifecycle.ready(**agent.addresses())
            await lifecycle.stopping.wait()
        finally:
            await agent.close()


class Agent:
    """Everything of one node."""

    def __init__(self, config: AgentConfig, key: bytes, api: NodeApi, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._tasks = Tasks(clock)
        self._clients = OutsideClients.parse(config.outside_clients)
        self.recorder = Recorder(config.name, clock)
        self.view = ClusterView(api, _empty_view(config), clock, self._tasks)
        self.network = NodeNetwork(config.name, config.internal_ip)
        self._data_plane = DataPlane(
            config, key, self.view, self.network, self.recorder, clock, self._tasks
        )
        self._proxier = Proxier(
            bind=config.bind,
            internal_ip=config.internal_ip,
            clients=self._clients,
            take_stream=self._data_plane.arrivals.front,
            take_datagrams=self._data_plane.datagrams.front,
            failed=self._port_failed,
            clock=clock,
            around=self._data_plane.around,
        )
        self._health = HealthServers(bind=config.bind, clock=clock)
        self._zone = NodeZone(self.view.informers, config.cluster_domain)
        self._server = KubeletServer(config, key)
        self._facts = self._node_facts()
        self._kubelet = Kubelet(
            api=api,
            network=self.network,
            clock=clock,
            tasks=self._tasks,
            facts=self._facts,
            aliases=tuple(Alias.parse(each) for each in config.images),
            services=lambda: self.view.informers[SERVICES].objects.values(),
            zone_source=self._zone.source,
            recorder=self.recorder,
            app_dir=str(config.app_dir),
            files=NodeFiles(config.run_dir / "pods", config.name),
        )
        self._undo_streams: Callable[[], None] = lambda: None
        self._host_dns = ResolvConf.parse(_read_resolv_conf())

    def addresses(self) -> dict[str, str]:
        """Where this node is reached, for the ready message."""
        return {
            "node": self._config.name,
            "address": self._config.advertise,
            "tunnel": self._facts.tunnel,
            "kubelet": self._facts.kubelet,
        }

    async def start(self) -> None:
        """Serve."""
        Escapes(partial(self._escaped, self._loop())).install()
        self._data_plane.start()
        await self._server.start(self._app())
        self.view.own[PODS].on_change(self._kubelet.pods.pod_changed)
        self.view.own[NODES].on_change(self._kubelet.node.node_changed)
        datagrams = self._data_plane.datagrams
        self.view.subscribe(datagrams.follow, lambda: datagrams.live > 0)
        self.view.subscribe(self._proxier.follow, lambda: self._proxier.wanted)
        self.view.subscribe(self._health.follow, lambda: self._health.wanted)
        self.view.start()
        self._undo_streams = self._kubelet.start()
        self._tasks.supervise(self._proxier.retry_forever, name="retry node ports")
        await self.view.synced()
        cidr = await self._kubelet.node.pod_cidr()
        pool = IpPool(cidr, order=Order.ROUND_ROBIN)
        self.network.start(pool, self._data_plane.router, self._build_pod, self._pod_detached)
        self._kubelet.network_ready()

    async def close(self) -> None:
        """Stop: no new flows, no pods, no tasks."""
        await self._proxier.close()
        await self._health.close()
        await self._data_plane.stop()
        await self._tasks.close()
        await self.network.close()
        self._data_plane.close()
        self._undo_streams()
        await self._server.close()
        self.recorder.close()

    # -- pods

    def _build_pod(self, spec: PodSpec, ip: str) -> PodNetwork:
        """A pod's network; the node decides by it from this moment on."""
        loop = self._loop()
        network = PodNetwork(
            spec,
            ip,
            router=self._data_plane.routes,
            names=self._names(spec, ip),
            calls=loop,
            node_name=self._config.name,
        )
        if not spec.host_network:
            self.view.attached(ip, spec.namespace, spec.name)
        return network

    def _pod_detached(self, network: PodNetwork) -> None:
        if not network.spec.host_network:
            self.view.detached(network.ip)

    def _names(self, spec: PodSpec, ip: str) -> PodNames:
        config = self._config
        dns = pod_resolv_conf(
            namespace=spec.namespace,
            cluster=ClusterDns(servers=(config.cluster_dns,), domain=config.cluster_domain),
            host=self._host_dns,
            policy=spec.dns_policy,
            host_network=spec.host_network,
            dns_config=spec.dns_config,
        )
        for reason, message in dns.events:
            self._warn(spec, reason, message)
        text = hosts_file(
            ip,
            spec.hostname,
            subdomain=spec.subdomain,
            namespace=spec.namespace,
            cluster_domain=config.cluster_domain,
            aliases=spec.host_aliases,
        )
        return PodNames(dns.conf, hosts_table(text), text)

    def _escaped(self, loop: NodeLoop, network: PodNetwork, what: str) -> None:
        """A pod's code went past the event loop, in whichever thread; it was refused."""
        outside(loop.call_soon_threadsafe, self._tell_escaped, network, what)

    def _tell_escaped(self, network: PodNetwork, what: str) -> None:
        text = f"Refused {what}: it leaves the pod. Only asyncio's calls use the pod's network"
        self._warn(network.spec, "EscapeRefused", text)

    def _warn(self, spec: PodSpec, reason: str, message: str) -> None:
        """Tell the operator, and whoever describes the pod."""
        log.warning("pod=%s/%s reason=%s message=%s", spec.namespace, spec.name, reason, message)
        pod = self.view.own[PODS].objects.get((spec.namespace, spec.name))
        if pod is not None:
            self._kubelet.events.pod(pod, reason, message, kind=WARNING)

    def _port_failed(self, plan: PortPlan, error: OSError) -> None:
        """Somebody else has a node port: tell the operator, and whoever describes the node."""
        log_failed(plan, error)
        node = self.view.informers[NODES].objects.get(("", self._config.name))
        if node is not None:
            port = f"Node port {plan.port}/{plan.protocol} of {'/'.join(plan.service)}"
            text = f"{port} cannot be opened here: {error.strerror or error}; it is tried again"
            self._kubelet.events.node(node, "NodePortUnavailable", text, kind=WARNING)

    # -- the node about itself

    def _node_facts(self) -> NodeFacts:
        config = self._config
        return NodeFacts(
            name=config.name,
            internal_ip=config.internal_ip,
            external_ip=config.advertise,
            tunnel=f"{config.advertise}:{self._data_plane.address.port}",
            kubelet=self._server.advertised,
            zone=config.zone,
            labels=dict(config.labels),
            **machine_facts(),
        )

    def _app(self) -> web.Application:
        explain = Explain(
            self._config.name,
            self._config.internal_ip,
            self._config.bind,
            self._data_plane.rulings,
            self._clients,
            self._clock,
            self._pod_with,
        )
        app = self._kubelet.app(
            lambda app: add_routes(
                app, self.recorder, programmed=self._programmed, metrics=self._metrics
            )
        )
        explain.add_to(app)
        ConnectionsRoute(self._data_plane.established, self._pod_with).add_to(app)
        return app

    async def _programmed(self, wanted: Mapping[str, int], seconds: float) -> bool:
        """Whether decisions are made by these versions, and the API knows how each pod is."""
        try:
            async with asyncio.timeout(seconds):
                if not await self.view.programmed(wanted, seconds):
                    return False
                await self._kubelet.pods.told()
        except TimeoutError:
            return False
        return True

    def _metrics(self) -> str:
        """What the node counts, besides its traces."""
        counts = self._data_plane.counts()
        counts["connections_reset_total"] += self._proxier.turned_away
        counts["datagrams_dropped_total"] += self._proxier.datagrams_lost
        return metrics_of(self._kubelet.pods) + metrics_text(counts)

    def _pod_with(self, ip: str) -> str:
        network = self.network.pod_with(ip)
        return network.origin.name if network is not None else ""

    def _loop(self) -> NodeLoop:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, NodeLoop), "a node runs on its own loop"
        return loop


def _empty_view(config: AgentConfig) -> NodeView:
    settings = NetworkSettings(
        pod_cidr=config.pod_cidr.text,
        service_cidr=config.service_cidr.text,
        cluster_domain=config.cluster_domain,
    )
    return empty_view(config.name, config.internal_ip, settings)


def _read_resolv_conf() -> str:
    """The machine's own, for pods with dnsPolicy Default; a machine may have none."""
    try:
        return Path("/etc/resolv.conf").read_text()
    except OSError:
        return ""
