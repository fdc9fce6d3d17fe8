"""ip in a pod."""

import json
from typing import Any

import pytest

from node_agent.workloads.tools.interfaces import ethernet, interfaces, routes
from node_agent.workloads.tools.ip import report

IP = "10.244.1.5"
ADDRESSES = f"""1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
2: eth0@if8: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UP group default qlen 1000
    link/ether 0a:58:0a:f4:01:05 brd ff:ff:ff:ff:ff:ff link-netnsid 0
    inet {IP}/24 brd 10.244.1.255 scope global eth0
       valid_lft forever preferred_lft forever
"""  # noqa: E501
ROUTES = f"""default via 10.244.1.1 dev eth0{" "}
10.244.1.0/24 dev eth0 proto kernel scope link src {IP}{" "}
"""


def test_links_and_addresses() -> None:
    found = interfaces(IP)
    assert report.addresses(found) == ADDRESSES
    assert "link/" not in report.addresses(found, family=4)
    assert report.addresses(found, family=6) == ""
    assert report.links(found).count("mode DEFAULT") == 2
    assert report.brief_links(found).splitlines()[1].startswith("eth0@if8         UP  ")


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("10.96.0.1", f"10.96.0.1 via 10.244.1.1 dev eth0 src {IP} uid 0 "),
        ("10.244.1.9", f"10.244.1.9 dev eth0 src {IP} uid 0 "),
        (IP, f"local {IP} dev lo src {IP} uid 0 "),
        ("127.0.0.1", "local 127.0.0.1 dev lo src 127.0.0.1 uid 0 "),
    ],
)
def test_which_way_an_address_goes(target: str, line: str) -> None:
    link = ethernet(IP, host_network=False)
    assert report.route_get(target, link, routes(link)).splitlines()[0] == line


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["a"], ADDRESSES),
        (["addr", "show"], ADDRESSES),
        (["address", "show", "dev", "lo"], "".join(ADDRESSES.splitlines(keepends=True)[:4])),
        (["-br", "a"], f"lo               UNKNOWN        127.0.0.1/8 \neth0@if8         UP             {IP}/24 \n"),  # noqa: E501
        (["r"], ROUTES),
        (["route", "show"], ROUTES),
        (["-6", "route"], ""),
        (["neigh"], ""),
        (["-o", "-4", "addr", "show", "eth0"], f"2: eth0    inet {IP}/24 brd 10.244.1.255 scope global eth0\\       valid_lft forever preferred_lft forever\n"),  # noqa: E501
    ],
)  # fmt: skip
async def test_what_is_typed(podded: Any, words: list[str], out: str) -> None:
    result = await podded("web", IP).run("ip", *words)
    assert (result.code, result.out, result.err) == (0, out, "")


async def test_json(podded: Any) -> None:
    result = await podded("web", IP).run("ip", "-j", "addr", "show", "eth0")
    (eth0,) = json.loads(result.out)
    assert eth0["addr_info"][0]["local"] == IP


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["bogus"], 1, 'Object "bogus" is unknown, try "ip help".\n'),
        (["-Z"], 255, 'Option "-Z" is unknown, try "ip -help".\n'),
        (["addr", "show", "eth9"], 1, 'Device "eth9" does not exist.\n'),
        (["link", "set", "eth0", "down"], 2, "RTNETLINK answers: Operation not permitted\n"),
        (["route", "get", "web"], 1, 'Error: any valid prefix is expected rather than "web".\n'),
    ],
)
async def test_what_is_refused(podded: Any, words: list[str], code: int, said: str) -> None:
    result = await podded("web", IP).run("ip", *words)
    assert (result.code, result.err) == (code, said)
