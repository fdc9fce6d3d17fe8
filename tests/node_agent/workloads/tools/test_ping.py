"""ping in a pod: who answers, who is silent, and what it says of both."""

from typing import Any

import pytest

from node_agent.workloads.tools.options import UsageError
from node_agent.workloads.tools.ping.echo import Echo, Lost, echo
from node_agent.workloads.tools.ping.report import Statistics, answered, head, parse_ping

ABSENT, VIP = "10.244.2.99", "10.96.0.20"


def test_the_command_line() -> None:
    wanted = parse_ping(["-c", "3", "-i0.2", "-W", "1", "-q", "web"])
    assert (wanted.count, wanted.interval, wanted.wait, wanted.quiet) == (3, 0.2, 1.0, True)


@pytest.mark.parametrize(
    "words", [[], ["-c", "0", "x"], ["-c", "x", "y"], ["-Z"], ["-i", "-1", "x"]]
)
def test_what_makes_no_sense(words: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_ping(words)


def test_lines() -> None:
    assert head("web", "10.0.0.1", 56) == "PING web (10.0.0.1) 56(84) bytes of data.\n"
    assert answered("10.0.0.1", 56, 2, 64, 0.000456) == (
        "64 bytes from 10.0.0.1: icmp_seq=2 ttl=64 time=0.456 ms\n"
    )
    assert "time=12.3 ms" in answered("web (10.0.0.1)", 56, 1, 64, 0.01234)


def test_statistics() -> None:
    assert Statistics(sent=3, times=[0.001, 0.003]).text("web", 2.0025) == (
        "\n--- web ping statistics ---\n"
        "3 packets transmitted, 2 received, 33.3333% packet loss, time 2002ms\n"
        "rtt min/avg/max/mdev = 1.000/2.000/3.000/1.000 ms\n"
    )
    assert "100% packet loss" in Statistics(sent=2).text("web", 1)


async def test_pods_of_both_nodes_and_nodes_answer(world: Any) -> None:
    client, near, far = [
        await world.pod(name, number) for name, number in (("client", 1), ("near", 1), ("far", 2))
    ]
    for ip in (near.ip, far.ip, client.ip, "127.0.0.1", "172.30.0.2", "172.30.0.1"):
        assert isinstance(await world.run(client, lambda ip=ip: echo(ip, 5)), Echo), ip


async def test_a_cluster_ip_and_an_address_of_nobody_are_silent(world: Any) -> None:
    client, web = await world.pod("client"), await world.pod("web", 2)
    world.service("web", VIP, web.ip)
    for ip in (VIP, ABSENT):
        assert await world.run(client, lambda ip=ip: echo(ip, 0.05)) == Lost()


async def test_a_policy_that_lets_nobody_in_silences_a_pod(world: Any) -> None:
    client, web = await world.pod("client"), await world.pod("web", 2, app="web")
    world.isolate("web", {"matchLabels": {"app": "web"}})
    assert await world.run(client, lambda: echo(web.ip, 0.05)) == Lost()
    segment = world.node(1).segments()[-1]
    assert segment.original.destination == (web.ip, 0), "the attempt has a trace"


async def test_ping(podded: Any, fabric: Any) -> None:
    fabric.pod("web", "10.244.1.5")
    client = podded("client", "10.244.1.9", hosts={"web": "10.244.1.5"})
    result = await client.run("ping", "-c", "2", "-i", "0.01", "web")
    assert result.code == 0
    assert result.out.startswith(
        "PING web (10.244.1.5) 56(84) bytes of data.\n64 bytes from web (10.244.1.5): icmp_seq=1 "
    )
    assert "2 packets transmitted, 2 received, 0% packet loss" in result.out
    unknown = await client.run("ping", "-c1", "nowhere")
    assert unknown.code == 2
    assert unknown.err.startswith("ping: nowhere: ")


async def test_the_deadline_ends_it(podded: Any, fabric: Any) -> None:
    client = podded("client", "10.244.1.9")
    result = await client.run("ping", "-w", "0.05", "-i", "10", "127.0.0.1")
    assert (result.code, "1 packets transmitted, 1 received" in result.out) == (0, True)
