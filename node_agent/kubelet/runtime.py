"""The container runtime: from a container's document to a running program.

An image is a workload (`workloads.images`); a run is that workload in the pod's context, with a log
and an environment of its own.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any, cast

from cluster.aio.clock import Clock
from cluster.client.interface import Api, Document
from cluster.dataclass import dataclass
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
from node_agent.kubelet.pod_files import LazyRoot
from node_agent.kubelet.probe_calls import Target
from node_agent.kubelet.volumes import NotMounted, Volumes, host_paths, mounts_of
from node_agent.workloads import commands
from node_agent.workloads.images import TOOL, Alias, Image, resolve
from node_agent.workloads.program import Program
from node_agent.workloads.tools.container import ContainerCommands
from node_agent.workloads.tools.proc_files import proc_files
from node_agent.workloads.tools.process import Pipe, Window
from node_agent.workloads.tools.root import Mount
from node_agent.workloads.workload import ContainerContext, ExecResult, RunsCommands, Workload

FETCH_TIMEOUT_SECONDS = 5.0
PYTHON_WORKLOAD = "python"
TERMINATION_LOG = "/dev/termination-log"
ROOT_VARIABLE = "KUBEHOP_ROOT"  # where a program inside the agent finds its container's files


class NotStarted(ClusterError):
    """A container cannot be started now; `reason` is that of its waiting state."""

    def __init__(self, reason: str, message: str, *, event: str = "Failed") -> None:
        super().__init__(message)
        self.reason = reason
        self.event = event

    @property
    def event_text(self) -> str:
        """What the pod's event says."""
        return f"Error: {self}" if self.event == "Failed" else str(self)

    @property
    def message(self) -> str:
        """What the container's waiting state says."""
        return str(self) if self.event == "Failed" else ""


@dataclass(slots=True, kw_only=True)
class ContainerRun:
    """One run of a container."""

    container: Document
    image: Image
    program: Program
    log: RunLog
    target: Target
    commands: ContainerCommands  # what exec asks; a `tools.process.RunsInContainer`
    root: LazyRoot
    notes: tuple[tuple[str, str], ...] = ()  # (reason, text) of events about its files
    over: asyncio.Event = field(default_factory=asyncio.Event)
    killing: bool = False  # its end has begun
    signalled: bool = False  # SIGTERM was sent

    def termination_log(self) -> str:
        """What its commands left in terminationMessagePath."""
        path = str(self.container.get("terminationMessagePath") or TERMINATION_LOG)
        return self.root.read_now(path).decode("utf-8", "replace")


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
    volumes: Volumes  # of all pods of the node

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
            window=Window() if container.get("tty") else None,
            time_scale=self.clock.scale,
        )
        context = attachment.context()
        program = Program(workload, ctx, context)
        inside = image.workload == PYTHON_WORKLOAD
        eager = inside or bool(mounts_of(container, automatic=False))
        root = self._root(pod, ctx, attachment, strict=eager)
        ctx.commands = ContainerCommands(ctx, context, root)
        if eager:
            await self._mounted(root)
        if inside:
            program.environ[ROOT_VARIABLE] = str(root.directory)
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
            root=root,
            notes=tuple(_notes(pod, container, root.directory if inside else None)),
        )

    async def _mounted(self, root: LazyRoot) -> None:
        """Make the root now, as something in it is to be there when the program starts."""
        try:
            await root()
        except NotMounted as error:
            raise NotStarted("ContainerCreating", str(error), event="FailedMount") from error

    def _root(
        self, pod: Document, ctx: ContainerContext, attachment: PodAttachment, *, strict: bool
    ) -> LazyRoot:
        """The container's files, made when somebody looks."""

        def texts() -> dict[str, str]:
            return {
                "etc/hosts": attachment.hosts_file(),
                "etc/resolv.conf": attachment.resolv_conf(),
                "etc/hostname": f"{ctx.env.get('HOSTNAME', '')}\n",
            }

        async def mounts() -> list[Mount]:
            around = self._around(attachment)
            return await self.volumes.mounts(pod, ctx.container, around, ctx.env, strict=strict)

        words = "\0".join(ctx.words) or ctx.image
        return LazyRoot(
            files=self.volumes.files,
            uid=str(pod["metadata"]["uid"]),
            container=ctx.name,
            texts=texts,
            mounts=mounts,
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
            around = replace(
                self._around(attachment), services=tuple(self.services()), sources=sources
            )
            return environment(pod, container, around)
        except (ConfigError, ApiError) as error:
            raise NotStarted("CreateContainerConfigError", str(error)) from error
        except (OSError, TimeoutError) as error:
            text = f"the API server does not answer: {str(error) or type(error).__name__}"
            raise NotStarted("CreateContainerConfigError", text) from error

    def _around(self, attachment: PodAttachment) -> Surroundings:
        return Surroundings(pod_ip=attachment.ip, host_ip=self.node_ip)

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


def _notes(pod: Document, container: Document, directory: Path | None) -> Iterator[tuple[str, str]]:
    """What a person should know of the container's files; `directory` where a program is inside."""
    name = container["name"]
    paths = sorted(host_paths(pod, container))
    if paths:
        text = f"stands for {', '.join(paths)}: a pod never sees the machine's files"
        yield "HostPathEmulated", f"Container {name}: a directory of the node's own {text}"
    mounts = [str(each["mountPath"]) for each in mounts_of(container, automatic=False)]
    if directory is not None and mounts:
        yield (
            "MountNotVisible",
            f"Container {name}: a program inside the node does not see {', '.join(mounts)} there; "
            f"the directory that ${ROOT_VARIABLE} names has them below it",
        )


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
