"""The control plane put together: TLS, who is known, what stands at the start."""

import asyncio
import json
import ssl
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cluster.aio.process import Lifecycle, ProcessConfig
from cluster.client.api import ApiClient
from cluster.errors import ConfigError
from cluster.objects.resources import CONFIG_MAPS
from control.certificates import Authority
from control.config import ControlConfig
from control.plane import serve


class Ready(Lifecycle):
    """Tells the test when the process would have told its launcher."""

    def __init__(self) -> None:
        super().__init__(ProcessConfig(title="control"))
        self.facts: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def ready(self, **facts: Any) -> None:
        self.facts.set_result(facts)


def config(directory: Path, *more: str) -> ControlConfig:
    options = {
        "--bind": "127.0.0.1:0",
        "--socket": directory / "control.sock",
        "--data": directory / "store",
        "--pki": directory / "pki",
        "--kubeconfig": directory / "kubeconfig",
        "--cluster-key": directory / "cluster.key",
    }
    return ControlConfig.parse([*(str(e) for pair in options.items() for e in pair), *more])


@asynccontextmanager
async def running(directory: Path, *more: str) -> AsyncIterator[dict[str, Any]]:
    """A control plane in this process; what it said when it was ready."""
    lifecycle = Ready()
    task = asyncio.create_task(serve(config(directory, *more), lifecycle), name="control")
    await asyncio.wait({task, lifecycle.facts}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    try:
        yield {**lifecycle.facts.result(), "stop": lifecycle.stopping}
    finally:
        lifecycle.stopping.set()
        await task


@pytest.fixture
def directory() -> Any:
    with tempfile.TemporaryDirectory(prefix="kh-", dir="/tmp") as made:  # short: it holds sockets
        yield Path(made)


def trusting(kubeconfig: dict[str, Any], directory: Path, *, certificate: bool) -> ssl.SSLContext:
    """What a client makes of the kubeconfig."""
    import base64

    cluster, user = (kubeconfig[each][0] for each in ("clusters", "users"))
    authority = base64.b64decode(cluster["cluster"]["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    if certificate:
        for name in ("client-certificate", "client-key"):
            (directory / name).write_bytes(base64.b64decode(user["user"][f"{name}-data"]))
        context.load_cert_chain(directory / "client-certificate", directory / "client-key")
    return context


async def asked(url: str, context: ssl.SSLContext, token: str = "") -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/nodes", ssl=context, headers=headers) as answer,
    ):
        await answer.read()
        return answer.status


async def test_the_kubeconfig_opens_the_door_and_nothing_else_does(directory: Path) -> None:
    async with running(directory) as told:
        kubeconfig = json.loads((directory / "kubeconfig").read_text())
        assert (directory / "kubeconfig").stat().st_mode & 0o077 == 0
        url = kubeconfig["clusters"][0]["cluster"]["server"]
        assert url == told["api"]
        token = kubeconfig["users"][0]["user"]["token"]
        with_certificate = trusting(kubeconfig, directory, certificate=True)
        without = trusting(kubeconfig, directory, certificate=False)
        assert await asked(url, with_certificate) == 200
        assert await asked(url, without, token) == 200
        assert await asked(url, without, "wrong") == 401
        assert await asked(url, without, "ü") == 401  # a header's bytes may be any
        assert await asked(url, without) == 403  # the anonymous may next to nothing


async def test_the_socket_is_the_owners_alone_and_gone_afterwards(directory: Path) -> None:
    socket = directory / "control.sock"
    async with running(directory) as told:
        assert told["socket"] == f"unix:{socket}"
        assert socket.stat().st_mode & 0o077 == 0
    assert not socket.exists()


async def listed(directory: Path, path: str) -> dict[str, dict[str, Any]]:
    connector = aiohttp.UnixConnector(str(directory / "control.sock"))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"http://api{path}") as answer,
    ):
        return {each["metadata"]["name"]: each for each in (await answer.json())["items"]}


async def test_the_first_objects_stand_when_it_is_ready(directory: Path) -> None:
    async with running(directory) as told:
        spaces = await listed(directory, "/api/v1/namespaces")
        assert {"default", "kube-system", "kube-public", "kube-node-lease"} <= set(spaces)
        services = await listed(directory, "/api/v1/namespaces/default/services")
        api = services["kubernetes"]
        assert api["spec"]["clusterIP"] == "10.96.0.1"
        address = api["metadata"]["annotations"]["kubehop.dev/address"]
        assert told["api"] == f"https://{address}"


async def test_a_second_start_finds_what_the_first_one_wrote(directory: Path) -> None:
    async with running(directory) as first:
        uid = (await listed(directory, "/api/v1/namespaces"))["default"]["metadata"]["uid"]
    async with running(directory) as second:
        spaces = await listed(directory, "/api/v1/namespaces")
        assert spaces["default"]["metadata"]["uid"] == uid
    assert second["objects"] >= first["objects"]


async def test_a_port_that_is_taken_is_told_and_leaves_no_socket(directory: Path) -> None:
    taken = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"):
        async with running(directory, "--bind", f"127.0.0.1:{port}"):
            raise AssertionError("it must not get ready")
    assert not (directory / "control.sock").exists()
    taken.close()
    await taken.wait_closed()


async def test_a_certificate_of_somebody_else_opens_nothing(directory: Path) -> None:
    async with running(directory) as told:
        kubeconfig = json.loads((directory / "kubeconfig").read_text())
        token = kubeconfig["users"][0]["user"]["token"]
        context = trusting(kubeconfig, directory, certificate=False)
        stranger = Authority(directory / "other", now=time.time())
        pair = stranger.client("kubernetes-admin", ["system:masters"])
        context.load_cert_chain(pair.certificate, pair.key)
        with pytest.raises(aiohttp.ClientError):
            await asked(told["api"], context, token)


async def test_without_a_name_only_health_and_version_are_told(directory: Path) -> None:
    async with running(directory) as told:
        kubeconfig = json.loads((directory / "kubeconfig").read_text())
        context = trusting(kubeconfig, directory, certificate=False)
        async with aiohttp.ClientSession() as session:
            codes = {}
            for path in ("/readyz", "/version", "/api", "/openapi/v3", "/nothing"):
                async with session.get(told["api"] + path, ssl=context) as answer:
                    codes[path] = answer.status
                    body = await answer.read()
        assert codes == {
            "/readyz": 200,
            "/version": 200,
            "/api": 403,
            "/openapi/v3": 403,
            "/nothing": 403,
        }
        assert json.loads(body)["reason"] == "Forbidden"


async def test_watches_over_tls_end_with_the_process(directory: Path) -> None:
    async with running(directory) as told:
        client = ApiClient.of(told["api"], kubeconfig=directory / "kubeconfig")
        async with client as api:
            since = (await api.list(CONFIG_MAPS)).resource_version
            events = api.watch(CONFIG_MAPS, resource_version=since, namespace="default")
            made = {"metadata": {"name": "one", "namespace": "default"}}
            await api.create(CONFIG_MAPS, made)
            while (await anext(events)).document["metadata"]["name"] != "one":
                pass
            rest = asyncio.ensure_future(_all(events))
            told["stop"].set()
            await rest


async def _all(events: Any) -> list[Any]:
    return [each async for each in events]


async def test_a_socket_that_a_killed_process_left_behind_is_replaced(directory: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(directory / "control.sock"))
    async with running(directory):
        assert "default" in await listed(directory, "/api/v1/namespaces")


async def test_without_a_kubeconfig_or_a_key_there_is_no_token(directory: Path) -> None:
    """The socket alone opens the door; a token of nothing is none."""
    bare = ControlConfig.parse(
        [
            *("--bind", "127.0.0.1:0", "--socket", str(directory / "control.sock")),
            *("--data", ":memory:", "--pki", str(directory / "pki")),
        ]
    )
    lifecycle = Ready()
    task = asyncio.create_task(serve(bare, lifecycle), name="control")
    told = await lifecycle.facts
    context = ssl.create_default_context(cadata=(directory / "pki/ca.crt").read_text())
    assert await asked(told["api"], context) == 403
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            f"{told['api']}/api", ssl=context, headers={"Authorization": "Bearer "}
        ) as answer,
    ):
        assert answer.status == 401
    assert "default" in await listed(directory, "/api/v1/namespaces")
    lifecycle.stopping.set()
    await task
    assert _names(directory) == ["pki"]


def _names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


async def test_a_kubeconfig_is_made_for_anybody_by_who_may_make_it(directory: Path) -> None:
    async with running(directory) as told:
        connector = aiohttp.UnixConnector(str(directory / "control.sock"))
        async with aiohttp.ClientSession(connector=connector) as session:
            path = "http://control/kubehop/v1/kubeconfig"
            async with session.get(f"{path}?user=jane&group=dev") as answer:
                jane = await answer.json()
            for odd in ({}, {"user": "é" * 33}, {"user": "jane", "group": ""}):
                async with session.get(path, params=odd) as answer:
                    assert answer.status == 400, odd
            await _let_read_every_path(session, "jane")
        context = trusting(jane, directory, certificate=True)
        async with aiohttp.ClientSession() as session:
            review = f"{told['api']}/apis/authentication.k8s.io/v1/selfsubjectreviews"
            async with session.post(review, ssl=context, json={}) as answer:
                user = (await answer.json())["status"]["userInfo"]
            assert user == {"username": "jane", "groups": ["dev", "system:authenticated"]}
            pods = f"{told['api']}/api/v1/pods"
            async with session.get(pods, ssl=context) as answer:
                assert answer.status == 403
            own = f"{told['api']}/kubehop/v1/kubeconfig?user=root"
            async with session.get(own, ssl=context) as answer:
                assert answer.status == 403
                assert 'users "root" is forbidden' in (await answer.json())["message"]


async def _let_read_every_path(session: aiohttp.ClientSession, user: str) -> None:
    group = "rbac.authorization.k8s.io"
    role = {"rules": [{"verbs": ["get"], "nonResourceURLs": ["*"]}]}
    reference = {"apiGroup": group, "kind": "ClusterRole", "name": user}
    subjects = [{"apiGroup": group, "kind": "User", "name": user}]
    binding = {"roleRef": reference, "subjects": subjects}
    for plural, document in (("clusterroles", role), ("clusterrolebindings", binding)):
        url = f"http://control/apis/{group}/v1/{plural}"
        async with session.post(url, json={"metadata": {"name": user}, **document}) as answer:
            assert answer.status == 201
