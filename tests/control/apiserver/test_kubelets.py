"""Kubelets are found by what their nodes say, and nobody else gets the token."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cluster.errors import ApiError
from control.apiserver.kubelets import KUBELET_ANNOTATION, Kubelets
from control.certificates import Authority, Pair
from control.store.journal import NoJournal
from control.store.store import Store

NODES = ("", "nodes")


class Kubelet:
    """A kubelet that tells what it was asked."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.tokens.append(request.headers.get("Authorization", ""))
        return web.Response(text=f"{request.path}?{request.query_string}")


@pytest.fixture
async def runner() -> AsyncIterator[tuple[Kubelet, web.ServerRunner]]:
    kubelet = Kubelet()
    made = web.ServerRunner(web.Server(kubelet.handle))
    await made.setup()
    yield kubelet, made
    await made.cleanup()


def store_with(address: str) -> Store:
    store = Store(NoJournal())
    annotations = {KUBELET_ANNOTATION: address} if address else {}
    store.put(NODES, {"metadata": {"name": "node-1", "annotations": annotations}})
    return store


async def asked(kubelets: Kubelets, node: str = "node-1") -> str:
    async with kubelets.get(node, "/pods", {"tail": "3"}) as answer:
        return await answer.text()


async def test_a_kubelet_on_this_machine_is_reached_by_its_socket(
    directory: Path, runner: Any
) -> None:
    kubelet, served = runner
    await web.UnixSite(served, str(directory / "node-1.sock")).start()
    store = store_with(f"unix:{directory / 'node-1.sock'}")
    assert await asked(Kubelets(store, token="secret")) == "/pods?tail=3"
    assert kubelet.tokens == ["Bearer secret"]


async def tls(served: web.ServerRunner, pair: Pair) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    await web.TCPSite(served, "127.0.0.1", 0, ssl_context=context).start()
    return f"https://127.0.0.1:{served.addresses[0][1]}"


def fingerprint(pair: Pair) -> str:
    import hashlib

    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())).hexdigest()


async def test_a_kubelet_elsewhere_is_known_by_its_certificate(tmp_path: Path, runner: Any) -> None:
    kubelet, served = runner
    authority = Authority(tmp_path / "pki", now=1_767_268_800.0)
    pair = authority.server(["127.0.0.1"])
    where = await tls(served, pair)
    known = Kubelets(store_with(f"{where}#sha256:{fingerprint(pair)}"), token="secret")
    assert await asked(known) == "/pods?tail=3"
    assert kubelet.tokens == ["Bearer secret"]
    stranger = Kubelets(store_with(f"{where}#sha256:{'0' * 64}"), token="secret")
    with pytest.raises(ApiError) as caught:
        await asked(stranger)
    assert (caught.value.code, caught.value.reason) == (503, "ServiceUnavailable")
    assert kubelet.tokens == ["Bearer secret"]  # the stranger has not got it


@pytest.mark.parametrize(
    "address",
    ["", "http://127.0.0.1:1", "https://127.0.0.1:1", "https://127.0.0.1:1#sha256:zz"],
)
async def test_a_node_that_does_not_tell_where_its_kubelet_is(address: str) -> None:
    with pytest.raises(ApiError) as caught:
        await asked(Kubelets(store_with(address)))
    assert caught.value.code == 503
    with pytest.raises(ApiError, match="node-9"):
        await asked(Kubelets(store_with(address)), "node-9")


async def test_a_kubelet_that_is_gone_is_unavailable(directory: Path) -> None:
    with pytest.raises(ApiError, match="does not answer") as caught:
        await asked(Kubelets(store_with(f"unix:{directory / 'nobody.sock'}")))
    assert caught.value.code == 503
