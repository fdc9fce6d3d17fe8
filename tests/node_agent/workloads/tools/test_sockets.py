"""ss and netstat in a pod."""

import asyncio
from typing import Any

import pytest

from node_agent.workloads.tools.interfaces import ethernet, routes
from node_agent.workloads.tools.sockets.table import (
    BadFilter,
    Socket,
    filtered,
    netstat_routes,
    netstat_table,
    sockets,
    ss_table,
)

IP = "10.244.1.5"
SERVER = Socket("tcp", "LISTEN", ("0.0.0.0", 80))
CALL = Socket("tcp", "ESTAB", (IP, 80), ("10.244.1.9", 40000))
DNS = Socket("udp", "UNCONN", ("0.0.0.0", 53))
ALL = [CALL, SERVER, DNS]


def test_what_a_pod_has() -> None:
    found = sockets(
        [("TCP", "0.0.0.0", 80), ("UDP", "0.0.0.0", 53)], [((IP, 80), ("10.244.1.9", 40000))]
    )
    assert found == ALL


def test_sss_columns_are_as_wide_as_what_stands_in_them() -> None:
    table = ss_table([SERVER], netid=False, state=True, numeric=True, header=True)
    assert table == (
        "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n"
        "LISTEN 0      128          0.0.0.0:80        0.0.0.0:*          \n"
    )
    named = ss_table([DNS], netid=True, state=False, numeric=False, header=False)
    assert named == "udp 0 0 0.0.0.0:domain 0.0.0.0:*       \n"


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["state", "established"], [CALL]),
        (["sport", "=", ":http"], [CALL, SERVER]),
        (["dst", "10.244.1.9:40000"], [CALL]),
        (["(", "dport", "=", ":40000", ")"], [CALL]),
        (["state", "time-wait"], []),
    ],
)
def test_filters(words: list[str], left: list[Socket]) -> None:
    assert filtered(ALL, words) == left


def test_a_filter_that_is_none() -> None:
    with pytest.raises(BadFilter):
        filtered(ALL, ["bogus"])


def test_netstats_columns() -> None:
    table = netstat_table([SERVER, CALL], what="x", numeric=True, programs=True)
    assert table.splitlines()[2:] == [
        f"tcp        0      0 0.0.0.0:80              {'0.0.0.0:*':<23} LISTEN      -{' ' * 19}",
        f"tcp        0      0 {IP}:80           10.244.1.9:40000        ESTABLISHED -{' ' * 19}",
    ]
    lines = netstat_routes(routes(ethernet(IP, host_network=False))).splitlines()
    assert lines[2].split() == ["0.0.0.0", "10.244.1.1", "0.0.0.0", "UG", "0", "0", "0", "eth0"]


@pytest.fixture
async def web(podded: Any, fabric: Any) -> Any:
    made = podded("web", IP)

    async def work() -> None:
        await asyncio.start_server(lambda *_: None, "0.0.0.0", 80)
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("0.0.0.0", 53))

    async def call() -> None:
        client.streams = await asyncio.open_connection(IP, 80)

    await fabric.run(made.pod, work)
    client = fabric.pod("client", "10.244.1.9")
    await fabric.run(client, call)
    await fabric.until(lambda: made.pod.connections.names())
    return made


async def test_ss(web: Any) -> None:
    listening = await web.run("ss", "-tln")
    assert [line.split()[:5] for line in listening.out.splitlines()[1:]] == [
        ["LISTEN", "0", "128", "0.0.0.0:80", "0.0.0.0:*"]
    ]
    all_of_them = await web.run("ss", "-anH")
    assert [line.split()[0:2] for line in all_of_them.out.splitlines()] == [
        ["tcp", "ESTAB"], ["tcp", "LISTEN"], ["udp", "UNCONN"],
    ]  # fmt: skip
    assert "estab 1" in (await web.run("ss", "-s")).out
    established = await web.run("ss", "-tnH", "state", "established")
    assert established.out.split()[2:3] == [f"{IP}:80"]


async def test_netstat(web: Any) -> None:
    result = await web.run("netstat", "-tulpn")
    lines = result.out.splitlines()
    assert lines[0] == "Active Internet connections (only servers)"
    assert [line.split()[0] for line in lines[2:]] == ["tcp", "udp"]
    assert "10.244.1.1" in (await web.run("netstat", "-rn")).out
    assert "10.244.1.1" in (await web.run("route", "-n")).out


async def test_what_makes_no_sense(web: Any) -> None:
    bogus = await web.run("ss", "--bogus")
    assert (bogus.code, bogus.err.splitlines()[0]) == (255, "ss: unrecognized option '--bogus'")
    bad = await web.run("ss", "-t", "bogus")
    assert (bad.code, "syntax error" in bad.err) == (255, True)
