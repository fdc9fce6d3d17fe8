"""Channels to a kubelet, on its Unix socket and over TLS, and what stands in their way."""

import asyncio
import hashlib
import ssl

import pytest
from aiohttp import web

from cluster.aio.channels import Channels, taken_over
from cluster.errors import ApiError, WireError
from cluster.wire.channels import UPGRADE, Channel, ChannelFrame
from control.apiserver import kubelet_channels
from control.apiserver.kubelet_channels import KubeletAddress, open_channels
from control.certificates import Authority


class Kubelet:
    """Greets on a channel, and tells what it was asked."""

    def __init__(self):
        self.asked = []
        self.refusal = None

    async def handle(self, request):
        self.asked.append((request.path_qs, request.headers.get("Authorization", "")))
        assert request.headers["Upgrade"] == UPGRADE
        if self.refusal is not None:
            return self.refusal
        greeting = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
        former = request.transport.get_protocol()
        channels = Channels(*taken_over(request.transport, former, greeting))
        while (frame := await channels.receive()) is not None:
            await channels.send(Channel.STDOUT, frame.data)
        await channels.close()
        return web.Response()


@pytest.fixture
async def served():
    kubelet = Kubelet()
    runner = web.ServerRunner(web.Server(kubelet.handle), shutdown_timeout=0)
    await runner.setup()
    yield kubelet, runner
    await runner.cleanup()


@pytest.fixture
async def unix(served, directory):
    path = str(directory / "kubelet.sock")
    await web.UnixSite(served[1], path).start()
    return KubeletAddress(unix=path)


@pytest.fixture
async def tls(served, tmp_path):
    pair = Authority(tmp_path / "pki", now=1_767_268_800.0).server(["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    await web.TCPSite(served[1], "127.0.0.1", 0, ssl_context=context).start()
    der = ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())
    url = f"https://127.0.0.1:{served[1].addresses[0][1]}"
    return KubeletAddress(url=url, fingerprint=hashlib.sha256(der).digest())


async def echoed(channels):
    await channels.send(Channel.STDIN, b"hello")
    async with asyncio.timeout(5):
        assert await channels.receive() == ChannelFrame(Channel.STDOUT, b"hello")
    channels.abort()
    await channels.close()


async def test_channels_on_a_unix_socket(served, unix):
    query = [("command", "echo"), ("command", "a b"), ("stdin", "true")]
    await echoed(await open_channels(unix, "secret", "/exec/shop/web/app", query))
    asked = "/exec/shop/web/app?command=echo&command=a+b&stdin=true"
    assert served[0].asked == [(asked, "Bearer secret")]


async def test_channels_over_tls(served, tls):
    await echoed(await open_channels(tls, "secret", "/exec/shop/web/app", []))


async def test_only_the_certificate_that_is_known_gets_the_token(served, tls):
    stranger = KubeletAddress(url=tls.url, fingerprint=bytes(32))
    with pytest.raises(ConnectionAbortedError, match="its certificate is not"):
        await open_channels(stranger, "secret", "/exec/shop/web/app", [])
    assert served[0].asked == []


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (404, 404, "NotFound"),
        (400, 400, "BadRequest"),
        (500, 500, "InternalError"),
        (418, 500, "InternalError"),
    ],
)
async def test_a_refusal_becomes_a_status(served, unix, status, code, reason):
    served[0].refusal = web.Response(status=status, text="no such thing")
    with pytest.raises(ApiError, match="no such thing") as refused:
        await open_channels(unix, "", "/exec/shop/web/app", [])
    assert (refused.value.code, refused.value.reason) == (code, reason)


async def test_a_kubelet_that_closes_or_keeps_silent(directory, monkeypatch):
    async def close(reader, writer):
        writer.close()

    path = str(directory / "k.sock")
    server = await asyncio.start_unix_server(close, path)
    with pytest.raises((WireError, ConnectionError)):
        await open_channels(KubeletAddress(unix=path), "", "/", [])
    server.close()
    await server.wait_closed()
    monkeypatch.setattr(kubelet_channels, "ANSWER_SECONDS_MAX", 0.0)
    asked = []
    quiet = await asyncio.start_unix_server(lambda reader, writer: asked.append(writer), path)
    with pytest.raises(TimeoutError):
        await open_channels(KubeletAddress(unix=path), "", "/", [])
    quiet.close()
    for writer in asked:
        writer.close()
        await writer.wait_closed()
