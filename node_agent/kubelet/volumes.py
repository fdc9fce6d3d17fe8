"""The volumes of this node's pods: made before a container that mounts them starts, kept current.

What the API fills (`volume_content`) is fetched, written, and looked at again every few seconds; a
token is asked for anew when four fifths of its life are over. What is missing raises NotMounted:
the container waits, ContainerCreating, and the pod has a FailedMount event.

emptyDir and hostPath are directories of the node's own: a pod never sees the machine's files.
"""

import asyncio
import errno
import logging
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from cluster.aio.clock import Clock
from cluster.client.interface import Api, Document
from cluster.dataclass import dataclass
from cluster.errors import ApiError, ClusterError, ConfigError
from cluster.objects.resources import CONFIG_MAPS, SECRETS, VOLUME_CLAIMS, Resource
from node_agent.kubelet.environment import Source, Surroundings, expand
from node_agent.kubelet.pod_files import NodeFiles
from node_agent.kubelet.volume_content import (
    AUTOMATIC,
    Data,
    Known,
    TokenWish,
    content,
    data_of,
    is_filled,
    kind_of,
    sources_of,
    tokens_of,
)
from node_agent.kubelet.volume_writer import publish
from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.root import Mount, Root

log = logging.getLogger(__name__)

REFRESH_SECONDS = 5.0
FETCH_SECONDS_MAX = 5.0
RENEW_SHARE = 0.8  # of a token's life
DIRECTORY_TYPES = ("", "Directory", "DirectoryOrCreate")
FILE_TYPES = ("File", "FileOrCreate")


class NotMounted(ClusterError):
    """A volume cannot be set up now."""

    def __init__(self, volume: str, why: str) -> None:
        super().__init__(f'MountVolume.SetUp failed for volume "{volume}" : {why}')


@dataclass(slots=True)
class Held:
    """The volumes of one pod that the API fills, and its tokens."""

    pod: Document
    around: Surroundings
    volumes: dict[str, Document] = field(default_factory=dict)
    tokens: dict[TokenWish, tuple[str, float]] = field(default_factory=dict)  # and when to renew


def mounts_of(container: Document, *, automatic: bool) -> list[Mapping[str, Any]]:
    """The container's mounts: all of them, or without what admission adds to each."""
    return [
        each
        for each in container.get("volumeMounts") or ()
        if automatic or not str(each["name"]).startswith(AUTOMATIC)
    ]


@dataclass(slots=True, kw_only=True)
class Volumes:
    """Sets up volumes; `refresh_forever` keeps them current."""

    api: Api
    files: NodeFiles
    clock: Clock
    _held: dict[str, Held] = field(default_factory=dict, init=False)  # by the pod's uid

    async def mounts(
        self,
        pod: Document,
        container: Document,
        around: Surroundings,
        env: Mapping[str, str],
        *,
        strict: bool = True,
    ) -> list[Mount]:
        """What a container mounts, set up; NotMounted says what is missing.

        Unless `strict`, the volume that admission added may stay empty until it can be filled: a
        container that runs already is looked into for the first time.
        """
        volumes = {each["name"]: each for each in pod["spec"].get("volumes") or ()}
        found = []
        for mount in mounts_of(container, automatic=True):
            name = str(mount["name"])
            if name not in volumes:
                raise NotMounted(name, "the pod has no such volume")
            try:
                source, read_only = await self._in_time(pod, volumes[name], around)
            except NotMounted as error:
                if strict or not name.startswith(AUTOMATIC):
                    raise
                log.warning("pod=%s %s", pod["metadata"]["name"], error)
                source, read_only = self.files.volume(str(pod["metadata"]["uid"]), name), True
                source.mkdir(parents=True, exist_ok=True)
            found.append(self._mount(pod, container, mount, source, read_only, env))
        return found

    def forget(self, uid: str) -> None:
        """The pod is gone, with its files."""
        self._held.pop(uid, None)
        self.files.remove(uid)

    def pod_changed(self, pod: Document) -> None:
        """Its labels and annotations may be in a volume."""
        held = self._held.get(str(pod["metadata"]["uid"]))
        if held is not None:
            held.pod = pod

    # Setting up

    async def _in_time(
        self, pod: Document, volume: Document, around: Surroundings
    ) -> tuple[Path, bool]:
        try:
            async with asyncio.timeout(FETCH_SECONDS_MAX):
                return await self._set_up(pod, volume, around)
        except (ConfigError, ApiError) as error:
            raise NotMounted(str(volume["name"]), str(error)) from error
        except (OSError, TimeoutError) as error:
            text = str(error) or type(error).__name__
            raise NotMounted(str(volume["name"]), text) from error

    async def _set_up(
        self, pod: Document, volume: Document, around: Surroundings
    ) -> tuple[Path, bool]:
        """The directory (or file) of a volume, and whether it is read-only by its kind."""
        uid, name, kind = str(pod["metadata"]["uid"]), str(volume["name"]), kind_of(volume)
        directory = self.files.volume(uid, name)
        if is_filled(volume):
            held = self._held.setdefault(uid, Held(pod, around))
            held.volumes[name] = volume
            await self._fill(held, volume, {})
            return directory, True
        match kind:
            case "emptyDir":
                directory.mkdir(parents=True, exist_ok=True)
                return directory, False
            case "hostPath":
                return _host_path(self.files, volume[kind]), False
            case "persistentVolumeClaim":
                claim = volume[kind]
                read_only = bool(claim.get("readOnly"))
                return await self._persistent(pod, claim["claimName"]), read_only
            case "ephemeral":
                return await self._persistent(pod, f"{pod['metadata']['name']}-{name}"), False
        raise ConfigError(f"a volume of kind {kind} is not supported by kubehop")

    async def _persistent(self, pod: Document, claim: str) -> Path:
        namespace = pod["metadata"]["namespace"]
        document = await self.api.get(VOLUME_CLAIMS, claim, namespace=namespace)
        name = (document.get("spec") or {}).get("volumeName")
        if not name:
            raise ConfigError(f'persistentvolumeclaim "{claim}" is not bound')
        directory = self.files.persistent(str(name))
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    async def _fill(
        self, held: Held, volume: Document, fetched: dict[tuple[str, Source], Data | None]
    ) -> None:
        """Fetch what a volume holds and write it."""
        namespace = held.pod["metadata"]["namespace"]
        sources: dict[Source, Data] = {}
        for source in sources_of(volume):
            if (namespace, source) not in fetched:
                fetched[namespace, source] = await self._fetch(namespace, source)
            data = fetched[namespace, source]
            if data is not None:
                sources[source] = data
        tokens = {wish: await self._token(held, wish) for wish in tokens_of(volume)}
        known = Known(sources=sources, tokens=tokens, around=held.around)
        directory = self.files.volume(str(held.pod["metadata"]["uid"]), str(volume["name"]))
        publish(directory, content(held.pod, volume, known))

    async def _fetch(self, namespace: str, source: Source) -> Data | None:
        resource = CONFIG_MAPS if source.kind == "configmap" else SECRETS
        try:
            document = await self.api.get(resource, source.name, namespace=namespace)
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        return data_of(source.kind, document)

    async def _token(self, held: Held, wish: TokenWish) -> str:
        """A token bound to the pod; the one from before while it is young."""
        now = self.clock.now()
        token, renew_at = held.tokens.get(wish, ("", 0.0))
        if token and now < renew_at:
            return token
        meta, spec = held.pod["metadata"], held.pod["spec"]
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {"namespace": meta["namespace"]},
            "spec": {
                "audiences": [wish.audience] if wish.audience else [],
                "expirationSeconds": wish.seconds,
                "boundObjectRef": {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "name": meta["name"],
                    "uid": meta["uid"],
                },
            },
        }
        account = spec.get("serviceAccountName") or "default"
        answer = await self.api.create(_tokens_of_account(account), request)
        token = str(answer["status"]["token"])
        held.tokens[wish] = token, now + wish.seconds * RENEW_SHARE
        return token

    # Mounting

    def _mount(
        self,
        pod: Document,
        container: Document,
        mount: Mapping[str, Any],
        source: Path,
        read_only: bool,
        env: Mapping[str, str],
    ) -> Mount:
        path = os.path.normpath("/" + str(mount["mountPath"]).lstrip("/"))
        below = str(mount.get("subPath") or "") or expand(str(mount.get("subPathExpr") or ""), env)
        top = self.files.host if source.is_relative_to(self.files.host) else source
        if below:
            source = self._below(pod, container, source, below, copied=read_only)
        within = top if source.is_relative_to(top) else None
        return Mount(path, source, read_only or bool(mount.get("readOnly")), within)

    def _below(
        self, pod: Document, container: Document, source: Path, below: str, *, copied: bool
    ) -> Path:
        """The part of a volume that subPath names: never outside it.

        What the API fills is copied: it does not follow later changes, as a bind mount does not.
        """
        files = Files(Root(source))
        if files.find(below) is None:
            if copied:
                raise NotMounted(below, "subPath: no such file in the volume")
            try:
                files.make_directories(below)
            except OSError as error:
                raise NotMounted(below, f"subPath: {error.strerror}") from error
        place = files.place(below)
        if not copied or place.real.is_dir():
            return place.real
        uid, name = str(pod["metadata"]["uid"]), str(container["name"])
        copy = self.files.node / uid / "subpaths" / name / place.path.replace("/", "_")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.unlink(missing_ok=True)  # that of an earlier run may be one that cannot be written
        shutil.copy(place.real, copy)
        return copy

    # Keeping current

    async def refresh_forever(self) -> None:
        """Look again and again at what the API fills."""
        while True:
            await self.clock.sleep(REFRESH_SECONDS * self.clock.scale)
            await self.refresh()

    async def refresh(self) -> None:
        """Look once; what cannot be fetched stays as it is."""
        fetched: dict[tuple[str, Source], Data | None] = {}
        for held in list(self._held.values()):
            for volume in list(held.volumes.values()):
                try:
                    await self._fill(held, volume, fetched)
                except (ClusterError, OSError, TimeoutError) as error:
                    name = held.pod["metadata"]["name"]
                    log.info(
                        "volume not refreshed pod=%s volume=%s error=%s",
                        name,
                        volume["name"],
                        error,
                    )


def _tokens_of_account(account: str) -> Resource:
    """The subresource that tokens are created in."""
    return Resource("", "v1", f"serviceaccounts/{account}/token", "TokenRequest")


def _host_path(files: NodeFiles, source: Mapping[str, Any]) -> Path:
    """A directory or file that stands for one of the node."""
    path, kind = str(source["path"]), str(source.get("type") or "")
    files.host.mkdir(parents=True, exist_ok=True)
    host = Files(Root(files.host))  # links that pods have made there are followed inside it
    if kind in FILE_TYPES:
        host.make_directories(os.path.dirname(path))  # noqa: PTH120
        host.touch(path)
    elif kind in DIRECTORY_TYPES:
        host.make_directories(path)
    else:
        raise OSError(errno.EINVAL, f"hostPath type check failed: {path} is not a {kind}")
    return host.place(path).real


def host_paths(pod: Document, container: Document) -> Iterable[str]:
    """The paths of the node that a container mounts."""
    volumes = {each["name"]: each for each in pod["spec"].get("volumes") or ()}
    for mount in mounts_of(container, automatic=False):
        volume = volumes.get(mount["name"]) or {}
        if "hostPath" in volume:
            yield str(volume["hostPath"]["path"])
