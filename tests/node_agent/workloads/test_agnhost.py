"""The workload `agnhost`, which Kubernetes' own network tests use."""

import re

import pytest

from node_agent.workloads import agnhost


@pytest.fixture
async def netexec(pods):
    started = pods.start(agnhost, "netexec")
    await started.said("listening on 0.0.0.0:8080")
    return started


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/", 200, "NOW: web-1"),
        ("/hostname", 200, "web-1"),
        ("/hostName", 200, "web-1"),
        ("/echo?msg=hi", 200, "hi"),
        ("/echo?msg=no&code=503", 503, "no"),
        ("/healthz", 200, "ok"),
        ("/shell", 404, "netexec: /shell is not built\n"),
    ],
)
async def test_netexec_over_http(pods, netexec, path, status, text):
    answer = await pods.http(path)
    assert (answer[0], answer[2]) == (status, text)


async def test_netexec_tells_the_clients_address(pods, netexec):
    """P-2."""
    assert re.fullmatch(r"10\.244\.1\.9:\d+", (await pods.http("/clientip"))[2])
    assert re.fullmatch(rb"10\.244\.1\.9:\d+", await pods.udp(b"clientip\n", port=8081))


async def test_netexec_over_udp(pods, netexec):
    assert await pods.udp(b"hostname", port=8081) == b"web-1"
    assert await pods.udp(b"echo a b", port=8081) == b"a b"


async def test_netexec_exits_when_asked(pods, netexec):
    import aiohttp

    with pytest.raises(aiohttp.ClientError):
        await pods.http("/exit?code=3")
    assert await netexec.exit_code() == 3


async def test_ports_are_chosen_and_udp_turned_off(pods):
    started = pods.start(agnhost, "netexec", "--http-port=90", "--udp-port=-1")
    await started.said("listening on 0.0.0.0:90")
    assert {(p, port) for p, _, port in pods.network("10.244.1.5").listening()} == {("TCP", 90)}


async def test_serve_hostname(pods):
    await pods.start(agnhost, "/agnhost", "serve-hostname").said("listening on 0.0.0.0:9376")
    assert (await pods.http("/", port=9376))[2] == "web-1"


async def test_pause_is_the_default_command(pods):
    assert await pods.start(agnhost).end() == 0


async def test_a_subcommand_that_is_not_built_says_so(pods):
    started = pods.start(agnhost, "liveness")
    assert await started.exit_code() == 1
    assert started.log.text() == "agnhost: subcommand 'liveness' is not built\n"
