"""The container runtime: from a container's document to a running program.

An image is a workload (`workloads.images`); a run is that workload in the pod's context, with a log
and an environment of its own.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from cluster.aio.clock import Clock
from cluster.client.interface import Api, Document
from cluster.errors import ApiError, ClusterError, ConfigError
from cluster.objects.resources import CONFIG_MAPS, SECRETS
from node_agent.cni.interface import Network, PodAttachment
from node_agent.kubelet.environment import (
    Source,
    Surroundings,
    environment,
    expand,
    sources_of,
)
from node_agent.kubelet.logs import ContainerLogs, RunLog
from node_agent.kubelet.pod_files import LazyRoot, NodeFiles
from node_agent.kubelet.probe_calls import Target
from node_agent.workloads import commands
from node_agent.workloads.images import TOOL, Alias, Image, resolve
from node_agent.workloads.program import Program
from node_agent.workloads.tools.container import ContainerCommands
from node_agent.workloads.tools.proc_files import proc_files
from node_agent.workloads.tools.process import Pipe
from node_agent.workloads.workload import ContainerContext, ExecResult, RunsCommands, Workload

FETCH_TIMEOUT_SECONDS = 5.0


class NotStarted(ClusterError):
    """A container cannot be started now; `reason` is that of its waiting state."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class ContainerRun:
    """One run of a container."""

    container: Document
    image: Image
    program: Program
    log: RunLog
    target: Target
    commands: ContainerCommands  # what exec asks; a `tools.process.RunsInContainer`
    over: asyncio.Event = field(default_factory=asyncio.Event)
    killing: bool = False  # its end has begun
    signalled: bool = False  # SIGTERM was sent


@dataclass(slots=True, kw_only=True)
class Runtime:
    """Starts containers of this node."""

    api: Api
    network: Network
    clock: Clock
    node_name: str
    node_ip: str
    aliases: tuple[Alias, ...] = ()
    services: Callable[[], Iterable[Document]] = tuple  # the informer's Services (S-22)
    zone_source: Any = None  # the cluster's names, for the workload coredns
    recorder: Any = None  # where coredns records what it was asked
    app_dir: str = ""  # where python:// programs are found
    files: NodeFiles  # where the pods' files lie

    async def start(
        self, pod: Document, container: Document, attachment: PodAttachment, logs: ContainerLogs
    ) -> ContainerRun:
        """Start a program; NotStarted says why it cannot be."""
        image = self.resolve(container)
        env = await self._environment(pod, container, attachment)
        command, args = _words(container.get("command"), env), _words(container.get("args"), env)
        if image.stand_in:
            words = commands.program(str(container.get("image", "")), command, args)
            if words is not None:
                image, command, args = Image(TOOL), words, ()
        workload = cast(Workload, importlib.import_module(image.module))
        log = logs.begin()
        ctx = ContainerContext(
            pod=pod,
            container=container,
            target=image.target,
            command=command,
            args=args,
            env=env,
            node_name=self.node_name,
            pod_ip=attachment.ip,
            stdout=cast(Any, log.stdout),
            stderr=cast(Any, log.stderr),
            zone_source=self.zone_source,
            recorder=self.recorder,
            app_dir=self.app_dir,
            stdin=Pipe() if container.get("stdin") else None,
            time_scale=self.clock.scale,
        )
        context = attachment.context()
        program = Program(workload, ctx, context)
        ctx.commands = ContainerCommands(ctx, context, self._root(pod, ctx, attachment))
        target = Target(
            network=self.network,
            ip=attachment.ip,
            execute=_executor(workload, ctx),
            stand_in=image.stand_in,
        )
        program.start()
        return ContainerRun(
            container=container,
            image=image,
            program=program,
            log=log,
            target=target,
            commands=ctx.commands,
        )

    def _root(self, pod: Document, ctx: ContainerContext, attachment: PodAttachment) -> LazyRoot:
        """The container's files, made when somebody looks."""

        def texts() -> dict[str, str]:
            return {
                "etc/hosts": attachment.hosts_file(),
                "etc/resolv.conf": attachment.resolv_conf(),
                "etc/hostname": f"{ctx.env.get('HOSTNAME', '')}\n",
            }

        words = "\0".join(ctx.words) or ctx.image
        return LazyRoot(
            files=self.files,
            uid=str(pod["metadata"]["uid"]),
            container=ctx.name,
            texts=texts,
            virtual=proc_files(self.clock.now(), words + "\0"),
        )

    def resolve(self, container: Document) -> Image:
        """The workload of a container's image."""
        try:
            return resolve(str(container.get("image", "")), self.aliases)
        except ConfigError as error:
            raise NotStarted("InvalidImageName", str(error)) from error

    async def _environment(
        self, pod: Document, container: Document, attachment: PodAttachment
    ) -> dict[str, str]:
        namespace = pod["metadata"]["namespace"]
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_SECONDS):
                sources = {
                    source: data
                    for source in sources_of(container)
                    if (data := await self._fetch(source, namespace)) is not None
                }
            around = Surroundings(
                pod_ip=attachment.ip,
                host_ip=self.node_ip,
                services=tuple(self.services()),
                sources=sources,
            )
            return environment(pod, container, around)
        except (ConfigError, ApiError) as error:
            raise NotStarted("CreateContainerConfigError", str(error)) from error
        except (OSError, TimeoutError) as error:
            text = f"the API server does not answer: {str(error) or type(error).__name__}"
            raise NotStarted("CreateContainerConfigError", text) from error

    async def _fetch(self, source: Source, namespace: str) -> dict[str, str] | None:
        resource = CONFIG_MAPS if source.kind == "configmap" else SECRETS
        try:
            document = await self.api.get(resource, source.name, namespace=namespace)
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        data = document.get("data") or {}
        return dict(data) if source.kind == "configmap" else _decoded(data)


def _executor(
    workload: Workload, ctx: ContainerContext
) -> Callable[[Sequence[str]], Awaitable[ExecResult]]:
    async def execute(command: Sequence[str]) -> ExecResult:
        if isinstance(workload, RunsCommands):
            return await workload.execute(ctx, command)
        return await commands.execute(ctx, command)

    return execute


def _decoded(data: Document) -> dict[str, str]:
    from base64 import b64decode

    return {name: b64decode(value).decode("utf-8", "replace") for name, value in data.items()}


def _words(words: Sequence[str] | None, env: dict[str, str]) -> tuple[str, ...]:
    return tuple(expand(word, env) for word in words or ())
