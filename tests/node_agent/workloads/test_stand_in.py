"""The stand-in: any image comes up and answers."""

import asyncio
import json

import pytest

from node_agent.workloads import echo, stand_in

PORTS = (
    {"containerPort": 80},
    {"containerPort": 6379},
    {"containerPort": 53, "protocol": "UDP"},
    {"containerPort": 7, "protocol": "SCTP"},
)


@pytest.fixture
async def nginx(pods):
    probe = {"httpGet": {"port": 8081, "path": "/ready"}}
    started = pods.start(
        stand_in, image="nginx:1.27", ports=PORTS, container={"readinessProbe": probe}
    )
    await started.said("stand-in for image nginx:1.27: listening on 80/TCP, 6379/TCP, 53/UDP, 8081")
    return started


async def test_http_says_what_it_stands_for(pods, nginx):
    status, headers, text = await pods.http("/any?x=1", port=80)
    told = json.loads(text)
    assert status == 200
    assert headers["Kubehop-Stand-In"] == "true"
    assert told["standIn"] is True and told["image"] == "nginx:1.27"
    assert "no program for image nginx:1.27" in told["message"]
    assert (told["pod"], told["path"]) == ("web-1", "/any")
    assert told["client"].startswith("10.244.1.9:")


async def test_what_is_not_http_comes_back(pods, nginx):
    data = b"*1\r\n$4\r\nPING\r\n"
    assert await pods.tcp(data, port=6379) == data
    assert await pods.tcp(b"", port=6379) == b""
    assert await pods.udp(b"\x01\x02", port=53) == b"\x01\x02"


@pytest.mark.parametrize("data", [b"hi", b"QUIT", b"lowercase words", b"ABCDEFGHIJKLMNOP", b"GET"])
async def test_what_only_begins_like_http_comes_back_too(pods, nginx, data):
    """A half-close ends the doubt, as does a method that is none."""
    assert await pods.tcp(data, port=6379) == data


async def test_http_may_arrive_byte_by_byte(pods, nginx):
    async def slowly():
        reader, writer = await asyncio.open_connection("10.244.1.5", 80)
        for letter in b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":
            writer.write(bytes([letter]))
            await asyncio.sleep(0)
        answer = await reader.read()
        writer.close()
        return answer

    assert (await pods.ask(slowly)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_probes_port_is_answered_though_nobody_declared_it(pods, nginx):
    """P-49: so that any manifest comes up."""
    assert (await pods.http("/ready", port=8081))[0] == 200


async def test_a_declared_port_that_is_taken_fails_and_a_probes_port_does_not(pods):
    """P-6: another container of the pod answers the probe."""
    await pods.start(echo).said("listening on 0.0.0.0:8080")
    probe = {"tcpSocket": {"port": 8080}}
    second = pods.start(stand_in, ports=[{"containerPort": 81}], container={"livenessProbe": probe})
    await second.said("listening on 81/TCP\n")
    third = pods.start(stand_in, ports=[{"containerPort": 8080}])
    assert await third.exit_code() == 1


async def test_without_ports_it_waits(pods):
    started = pods.start(stand_in, image="worker")
    await started.said("stand-in for image worker: listening on no port\n")
    assert await started.end() == 0


async def test_it_ends_in_order_and_lets_go_of_its_ports(pods, nginx):
    assert await nginx.end() == 0
    assert pods.network("10.244.1.5").listening() == frozenset()


@pytest.mark.parametrize("command", [["redis-cli", "ping"], ["cat", "/tmp/healthy"]])
async def test_an_exec_probe_that_asks_for_the_real_program_passes(pods, nginx, command):
    result = await stand_in.execute(nginx.ctx, command)
    assert (result.exit_code, result.output) == (0, f"stand-in: {' '.join(command)} was not run")


async def test_a_client_that_does_not_read_holds_the_echo_back(pods, nginx):
    """No unbounded buffer: what was sent comes back once it is read."""
    data = bytes(range(128, 256)) * 32 * 1024  # 4 MiB

    async def late():
        reader, writer = await asyncio.open_connection("10.244.1.5", 6379)
        writer.write(data)
        answer = await reader.readexactly(len(data))
        writer.close()
        return answer

    assert await pods.ask(late) == data
