"""The control plane, put together: store, API server, controllers, scheduler.

Order: the store is read, the sockets listen, the first objects stand, controllers and scheduler
run; ready is said when the API answers, for everything else can wait for it.
"""

import ipaddress
import logging
import random
import ssl
from collections.abc import Callable, Sequence
from random import SystemRandom
from typing import Any

from aiohttp import web

from cluster.aio.clock import Clock, SystemClock
from cluster.aio.hosts import HostPort
from cluster.aio.process import Lifecycle
from cluster.aio.tasks import Tasks
from cluster.errors import ConfigError
from cluster.objects.resources import SERVICES
from cluster.wire.addresses import SocketAddress
from cluster.wire.keys import ACCOUNT_KEY, ADMIN_TOKEN, KUBELET_TOKEN, derived_token
from control.apiserver.app import ApiServer
from control.apiserver.audit import AuditLog
from control.apiserver.identity import ADMIN, MASTERS
from control.apiserver.kubelets import Kubelets
from control.apiserver.local import LocalApi
from control.apiserver.pod_log import PodLogs
from control.apiserver.registry import Registry
from control.apiserver.streams.front import FrontServer
from control.certificates import Authority, Pair
from control.collector import leave_alone, look_seldom
from control.config import ControlConfig
from control.controllers.bootstrap import bootstrap
from control.controllers.controller import ControllerManager
from control.controllers.settings import WATCHED, ControllerSettings
from control.credentials import cluster_key, kubeconfig, write_kubeconfig
from control.expiry import expire_events
from control.resources.kinds import kinds
from control.resources.service_addresses import ServiceAddresses
from control.scheduler.scheduler import Scheduler
from control.store.journal import journal_of
from control.store.store import Store

log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 1.0
ADDRESS_ANNOTATION = "kubehop.dev/address"
API_ADDRESS, API_PORT = "172.30.255.254", 6443


async def serve(config: ControlConfig, lifecycle: Lifecycle) -> None:
    """Run until told to stop."""
    look_seldom()
    clock = SystemClock(config.time_scale)
    key = cluster_key(config.cluster_key)
    authority = Authority(config.pki, now=clock.now())
    token = derived_token(key, ADMIN_TOKEN) if key else ""
    advertised = config.advertise or (HostPort(*config.bind),)
    pair = authority.server(_names(config, advertised))
    store = Store(journal_of(config.data))
    registry = _registry(config, store, clock)
    kubelets = Kubelets(store, token=derived_token(key, KUBELET_TOKEN) if key else "")
    tokens = {token: ADMIN} if token else {}
    api_server = ApiServer(
        registry,
        PodLogs(store, kubelets),
        clock,
        SystemRandom(),
        tokens=tokens,
        account_key=derived_token(key, ACCOUNT_KEY).encode() if key else b"",
    )
    audit = AuditLog(config.audit_log, clock) if config.audit_log else None
    tasks = Tasks(clock)
    http = web.ServerRunner(
        FrontServer(
            audit.around(api_server.handle) if audit else api_server.handle,
            handler_cancellation=True,
            access_log=None,
        ),
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    try:
        port = await _listen(http, config, pair, authority)
        local = LocalApi(registry)
        reached = _reached(advertised[0], port).resolve()
        settings = _settings(config, authority, reached)
        await bootstrap(local, settings)
        await _tell_address(local, reached)
        _start(tasks, local, settings, clock, store)
        server = f"https://{config.kubeconfig_server or _reached(advertised[0], port)}"
        kubeconfig_of = _kubeconfigs(config, authority, server)
        api_server.kubeconfig_of = kubeconfig_of
        if config.kubeconfig is not None:
            admin = kubeconfig_of("kubernetes-admin", [MASTERS], token)
            write_kubeconfig(config.kubeconfig, admin)
        leave_alone()
        lifecycle.ready(api=server, socket=f"unix:{config.socket}", objects=store.version)
        await lifecycle.stopping.wait()
    finally:
        await tasks.close()
        store.close()
        await http.cleanup()
        if audit:
            audit.close()
        config.socket.unlink(missing_ok=True)


def _kubeconfigs(
    config: ControlConfig, authority: Authority, server: str
) -> Callable[..., dict[str, Any]]:
    """Makes kubeconfigs for this server: of a user, groups, and a token if there is one."""

    def kubeconfig_of(user: str, groups: Sequence[str], token: str = "") -> dict[str, Any]:
        return kubeconfig(
            name=config.name,
            server=server,
            authority=authority.certificate,
            client=authority.client(user, groups),
            token=token,
        )

    return kubeconfig_of


def _registry(config: ControlConfig, store: Store, clock: Clock) -> Registry:
    dice = random.Random(SystemRandom().getrandbits(128))
    addresses = ServiceAddresses(config.service_cidr, dice.randrange)
    services = store.list((SERVICES.group, SERVICES.plural))
    for conflict in addresses.restore([each.document for each in services]):
        log.error("stored Services contradict each other: %s", conflict)
    return Registry(store, addresses, clock, dice)


async def _listen(
    http: web.ServerRunner, config: ControlConfig, pair: Pair, authority: Authority
) -> int:
    """Open the socket of this machine and the TLS port; the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.load_verify_locations(authority.pair.certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    config.socket.unlink(missing_ok=True)  # of a process that was killed
    await http.setup()
    await web.UnixSite(http, str(config.socket)).start()
    config.socket.chmod(0o600)
    try:
        await web.TCPSite(http, config.bind.ip, config.bind.port, ssl_context=context).start()
    except OSError as error:
        raise ConfigError(f"the API cannot listen on {config.bind}: {error}") from error
    port: int = http.addresses[-1][1]
    return port


async def _tell_address(local: LocalApi, address: SocketAddress) -> None:
    """Where pods' connections to `kubernetes.default` really go (read by the nodes' routers)."""
    told = {"metadata": {"annotations": {ADDRESS_ANNOTATION: str(address)}}}
    await local.patch(SERVICES, "kubernetes", told, namespace="default")


def _start(
    tasks: Tasks, local: LocalApi, settings: ControllerSettings, clock: Clock, store: Store
) -> None:
    manager = ControllerManager(local, clock, settings)
    scheduler = Scheduler(local, manager.caches, clock)
    tasks.supervise(manager.run, name="controllers")
    tasks.supervise(scheduler.run, name="scheduler")
    tasks.supervise(lambda: expire_events(local, store, clock), name="event expiry")


def _settings(
    config: ControlConfig, authority: Authority, reached: SocketAddress
) -> ControllerSettings:
    stored = (each.resource for each in kinds() if each.storage is None)
    others = tuple(each for each in stored if each not in WATCHED)
    return ControllerSettings(
        pod_cidr=config.pod_cidr,
        node_mask=config.node_mask,
        service_cidr=config.service_cidr,
        load_balancer_addresses=config.load_balancer_addresses,
        api_address=API_ADDRESS,
        api_port=API_PORT,
        api_reached=str(reached),
        cluster_domain=config.cluster_domain,
        ca_certificate=authority.certificate.decode("ascii"),
        more_namespaced=tuple(each for each in others if each.namespaced),
    )


def _names(config: ControlConfig, advertised: tuple[HostPort, ...]) -> list[str]:
    """Everything by which the API server may be called."""
    service = "kubernetes.default.svc"
    first_service_ip = _first_address(config.service_cidr)
    names = ["localhost", "kubernetes", "kubernetes.default", service]
    names.append(f"{service}.{config.cluster_domain}")
    names += ["127.0.0.1", API_ADDRESS, first_service_ip]
    told = [*advertised, config.kubeconfig_server] if config.kubeconfig_server else advertised
    return [*names, config.bind.ip, *(each.host for each in told)]


def _first_address(cidr: str) -> str:
    return str(ipaddress.ip_network(cidr).network_address + 1)


def _reached(advertised: HostPort, port: int) -> HostPort:
    """What to dial: with the port that was given when none was asked for."""
    return advertised if advertised.port else HostPort(advertised.host, port)
