"""What a probe asks over the network, and how it words the answer."""

import asyncio
import errno

import pytest
from aiohttp import web

from cluster.wire.flow import FlowKind
from node_agent.kubelet.probe_calls import Target, ask
from node_agent.kubelet.probes import Broken, Exec, Grpc, HttpGet, TcpSocket
from node_agent.workloads.workload import ExecResult

IP = "10.244.1.5"


async def nothing(command):
    raise AssertionError("no command is expected")


@pytest.fixture
def target(network):
    return Target(network=network, ip=IP, execute=nothing)


@pytest.fixture
async def server():
    """Answers with the status that the path names, and keeps the requests."""
    seen, over = [], asyncio.Event()

    async def answer(request):
        seen.append(request)
        match request.path:
            case "/away":
                raise web.HTTPFound("http://elsewhere.example/")
            case "/moved":
                raise web.HTTPFound("/200")
            case "/slow":
                await over.wait()
        return web.Response(status=int(request.path.strip("/slow") or 200), text="body")

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner.addresses[0][1], seen
    over.set()
    await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "ok"),
    [("/200", True), ("/204", True), ("/399", True), ("/400", False), ("/500", False)],
)
async def test_status_codes_from_200_to_399_are_success(target, server, path, ok):
    """P-47."""
    outcome = await ask(HttpGet(server[0], path), target, 1)
    assert outcome.ok is ok
    if not ok:
        assert outcome.text == f"HTTP probe failed with statuscode: {path[1:]}"


async def test_the_request_names_its_sender_and_its_address(target, server, network):
    """P-48, P-49: from the node to the pod's address, as kube-probe, path / by default."""
    port, seen = server
    handler = HttpGet(port, headers=(("X-Token", "t"), ("host", "shop.example")))
    assert (await ask(handler, target, 1)).ok
    request = seen[0]
    assert request.path == "/"
    assert request.headers["User-Agent"].startswith("kube-probe/")
    assert (request.headers["X-Token"], request.headers["Host"]) == ("t", "shop.example")
    assert network.dialled == [(IP, port, FlowKind.PROBE, None)]


async def test_a_host_of_its_own_is_dialled_instead_of_the_pod(target, server, network):
    """P-48."""
    await ask(HttpGet(server[0], host="10.9.9.9"), target, 1)
    assert network.dialled[0][0] == "10.9.9.9"


async def test_redirects_to_the_same_host_are_followed(target, server):
    """P-47."""
    assert (await ask(HttpGet(server[0], "/moved"), target, 1)).ok
    assert [request.path for request in server[1]] == ["/moved", "/200"]


async def test_a_redirect_to_another_host_is_a_success_with_a_warning(target, server):
    """P-47."""
    outcome = await ask(HttpGet(server[0], "/away"), target, 1)
    assert outcome.ok
    assert "redirect" in outcome.warning


async def test_a_refused_http_probe_is_worded_as_kubelet_words_it(target, free_port):
    """P-55."""
    outcome = await ask(HttpGet(free_port), target, 1)
    assert outcome.text == (
        f'Get "http://{IP}:{free_port}/": dial tcp {IP}:{free_port}: connect: connection refused'
    )


async def test_a_probe_without_an_answer_ends_at_its_timeout(target, server):
    outcome = await ask(HttpGet(server[0], "/slow"), target, 0.01)
    assert "context deadline exceeded" in outcome.text


async def test_a_server_that_does_not_speak_http_fails_the_probe(target):
    async def babble(reader, writer):
        writer.write(b"SSH-2.0-x\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        outcome = await ask(HttpGet(port), target, 1)
    assert not outcome.ok
    assert "malformed HTTP response" in outcome.text


async def test_a_tcp_probe_is_a_connection(target, server, free_port):
    """P-47."""
    assert (await ask(TcpSocket(server[0]), target, 1)).ok
    refused = await ask(TcpSocket(free_port), target, 1)
    assert refused.text == f"dial tcp {IP}:{free_port}: connect: connection refused"


async def test_silence_and_missing_routes_are_told_apart(target, network):
    network.dial_failure = TimeoutError(errno.ETIMEDOUT, "Connection timed out")
    assert (await ask(TcpSocket(1), target, 1)).text.endswith("i/o timeout")
    network.dial_failure = OSError(errno.EHOSTUNREACH, "No route to host")
    assert (await ask(TcpSocket(1), target, 1)).text.endswith("connect: no route to host")


async def test_an_exec_probe_succeeds_with_exit_code_0(network):
    """P-47."""

    async def execute(command):
        return ExecResult(0 if command == ("ok",) else 2, "said")

    target = Target(network=network, ip=IP, execute=execute)
    assert (await ask(Exec(("ok",)), target, 1)).ok
    failed = await ask(Exec(("no",)), target, 1)
    assert (failed.ok, failed.text) == (False, "said")


async def test_an_exec_probe_ends_at_its_timeout(network):
    async def execute(command):
        await asyncio.get_running_loop().create_future()

    target = Target(network=network, ip=IP, execute=execute)
    assert (await ask(Exec(("wait",)), target, 0.01)).text == 'command "wait" timed out'


async def test_grpc_says_that_it_is_not_supported_but_a_stand_in_passes(network, target):
    stand_in = Target(network=network, ip=IP, execute=nothing, stand_in=True)
    assert "not supported" in (await ask(Grpc(1), target, 1)).text
    assert (await ask(Grpc(1), stand_in, 1)).ok


async def test_https_to_a_stand_in_is_a_connection(network, server):
    stand_in = Target(network=network, ip=IP, execute=nothing, stand_in=True)
    assert (await ask(HttpGet(server[0], scheme="https"), stand_in, 1)).ok


async def test_a_broken_probe_fails_with_its_reason(target):
    assert (await ask(Broken("no such port"), target, 1)).text == "no such port"
