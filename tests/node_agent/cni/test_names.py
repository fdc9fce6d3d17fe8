"""Names as a pod sees them: glibc's answers and errors, over the pod's own network."""

import asyncio
import socket
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from cluster.dns.resolver import EAI_NODATA
from cluster.wire.dns import Rcode
from cluster.wire.flow import FlowKind
from node_agent.cni.names import RESOLVED_REMEMBERED_MAX, FlowNotResolved
from node_agent.cni.pod_network import PodNetwork

CLIENT, CART = "10.244.1.9", "10.244.2.6"
NAME = "cart.default.svc.cluster.local"
ONE_TRY = "nameserver 10.96.0.10\noptions timeout:1 attempts:1\n"


@pytest.fixture
async def client(fabric: Any) -> PodNetwork:
    pod: PodNetwork = fabric.pod("client", CLIENT, {"db": "203.0.113.9"})
    return pod


@pytest.fixture
def look(fabric: Any, client: PodNetwork) -> Any:
    """getaddrinfo as the client's program: only the addresses."""

    async def lookup(host: Any, port: Any = 80, pod: PodNetwork = client, **hints: Any) -> Any:
        loop = asyncio.get_running_loop()
        hints.setdefault("type", socket.SOCK_STREAM)
        found = await fabric.run(pod, lambda: loop.getaddrinfo(host, port, **hints))
        return [each[4] for each in found]

    return lookup


async def test_a_short_name_is_searched_and_asked_over_the_pods_network(
    fabric: Any, dns: Any, client: PodNetwork, look: Any
) -> None:
    """D-78, D-81: A and AAAA; the queries are flows of the pod."""
    dns.addresses[NAME] = ["10.96.0.20"]
    assert await look("cart") == [("10.96.0.20", 80)]
    assert sorted(dns.asked) == [f"udp {NAME} A", f"udp {NAME} AAAA"]
    assert {flow.source.ip for flow in fabric.datagrams} == {CLIENT, dns.pod.ip}
    resolved = client.names.resolved("10.96.0.20")
    assert resolved is not None and resolved["name"] == "cart"
    assert {each["server"] for each in resolved["queries"]} == {"10.96.0.10:53"}


async def test_one_family_asks_one_question(dns: Any, look: Any) -> None:
    dns.addresses[NAME] = ["10.96.0.20", "fd00::20"]
    assert await look("cart", family=socket.AF_INET) == [("10.96.0.20", 80)]
    assert await look("cart", family=socket.AF_INET6) == [("fd00::20", 80, 0, 0)]
    assert dns.asked == [f"udp {NAME} A", f"udp {NAME} AAAA"]
    dns.asked.clear()
    await look("cart", flags=socket.AI_ADDRCONFIG)
    assert dns.asked == [f"udp {NAME} A"]  # the host has no six


async def test_a_truncated_answer_is_asked_for_again_by_tcp(dns: Any, look: Any) -> None:
    """D-93."""
    dns.addresses[NAME] = ["10.96.0.20"]
    dns.truncating = True
    assert await look("cart", family=socket.AF_INET) == [("10.96.0.20", 80)]
    assert dns.asked == [f"udp {NAME} A", f"tcp {NAME} A"]


async def test_numbers_and_the_hosts_file_ask_nobody(dns: Any, look: Any) -> None:
    """D-87."""
    assert await look("10.244.2.6", "80") == [("10.244.2.6", 80)]
    assert await look("DB.", b"http") == [("203.0.113.9", 80)]
    assert await look("localhost") == [("127.0.0.1", 80)]
    assert await look(None) == await look("") == [("127.0.0.1", 80)]
    assert await look(None, None, flags=socket.AI_PASSIVE) == [("0.0.0.0", 0)]
    assert await look("::1", family=socket.AF_INET6) == [("::1", 80, 0, 0)]
    assert dns.asked == []


async def test_every_kind_of_socket_is_offered_when_none_is_asked_for(look: Any) -> None:
    assert await look("10.244.2.6", type=0) == [("10.244.2.6", 80)] * 3


@pytest.mark.parametrize(
    ("hints", "number"),
    [
        ({"host": "10.244.2.6", "family": socket.AF_INET6}, socket.EAI_ADDRFAMILY),
        ({"host": "localhost", "family": socket.AF_INET6}, socket.EAI_ADDRFAMILY),
        ({"host": "cart", "flags": socket.AI_NUMERICHOST}, socket.EAI_NONAME),
        ({"host": "10.244.2.6", "family": socket.AF_UNIX}, socket.EAI_FAMILY),
        ({"host": "10.244.2.6", "port": "no-such-service"}, socket.EAI_SERVICE),
    ],
)
async def test_hints_that_contradict_fail_as_glibc_has_it(
    look: Any, hints: dict[str, Any], number: int
) -> None:
    with pytest.raises(socket.gaierror) as caught:
        await look(**hints)
    assert caught.value.errno == number


async def test_an_unknown_name_is_none_and_its_failure_has_a_trace(
    fabric: Any, dns: Any, look: Any
) -> None:
    """O-13, D-79: every name tried; the error carries the flow's name."""
    with pytest.raises(FlowNotResolved, match="Name or service not known") as caught:
        await look("nowhere", family=socket.AF_INET)
    assert caught.value.errno == socket.EAI_NONAME
    assert dns.asked == ["udp nowhere.default.svc.cluster.local A", "udp nowhere A"]
    ((origin, flow, error),) = fabric.unknown
    assert caught.value.flow_id == f"{1:016x}"
    assert (origin.name, flow.source.ip, str(flow.destination)) == (
        "default/client",
        CLIENT,
        "10.96.0.10:53",
    )
    assert [each.rcode for each in error.resolution.queries] == ["NXDOMAIN", "NXDOMAIN"]


async def test_a_name_without_addresses_has_no_data(dns: Any, look: Any) -> None:
    dns.addresses[NAME] = ["10.96.0.20"]
    with pytest.raises(socket.gaierror) as caught:
        await look("cart", family=socket.AF_INET6)
    assert caught.value.errno == EAI_NODATA


async def test_servers_that_fail_or_cannot_be_reached_say_try_again(
    fabric: Any, dns: Any, look: Any
) -> None:
    """D-80, D-83."""
    dns.rcodes = {"down.default.svc.cluster.local": Rcode.SERVFAIL, "down": Rcode.SERVFAIL}
    with pytest.raises(socket.gaierror) as caught:
        await look("down", family=socket.AF_INET)
    assert caught.value.errno == socket.EAI_AGAIN
    dns.pod.close()  # nothing listens any more: refused at once
    with pytest.raises(socket.gaierror, match="Temporary failure in name resolution") as caught:
        await look("cart", family=socket.AF_INET)
    assert caught.value.errno == socket.EAI_AGAIN
    assert fabric.unknown[-1][2].resolution.queries[0].rcode == "UNREACHABLE"


async def test_no_answer_is_waited_for_and_then_try_again(fabric: Any, dns: Any, look: Any) -> None:
    """D-83: what a policy that cuts DNS looks like."""
    dns.silent = True
    pod = fabric.pod("patient", "10.244.1.10", conf=ONE_TRY)
    with pytest.raises(socket.gaierror) as caught:
        await look("cart", pod=pod, family=socket.AF_INET)
    assert caught.value.errno == socket.EAI_AGAIN
    assert fabric.unknown[-1][2].resolution.queries[0].rcode == "TIMEOUT"


async def test_an_unmodified_aiohttp_reaches_a_name_and_names_the_error(
    fabric: Any, dns: Any, client: PodNetwork
) -> None:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text=f"hello {request.remote}")

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/", hello)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, None, 80).start()

    async def ask(host: str) -> str:
        async with aiohttp.ClientSession() as session, session.get(f"http://{host}/") as answer:
            return await answer.text()

    dns.addresses[NAME] = [CART]
    await fabric.run(fabric.pod("cart", CART), serve)
    assert await fabric.run(client, lambda: ask("cart")) == f"hello {CLIENT}"
    http = [kind for _, flow, kind in fabric.connections if flow.destination.port == 80]
    assert http == [FlowKind.TRAFFIC]
    assert fabric.resolved[-1]["name"] == "cart"  # O-13
    with pytest.raises(aiohttp.ClientConnectorDNSError):
        await fabric.run(client, lambda: ask("nowhere"))


async def test_names_of_addresses(fabric: Any, dns: Any, client: PodNetwork) -> None:
    loop = asyncio.get_running_loop()
    dns.pointers["20.0.96.10.in-addr.arpa"] = NAME

    async def name(ip: str, flags: int = 0) -> Any:
        return await fabric.run(client, lambda: loop.getnameinfo((ip, 80), flags))

    assert await name("10.96.0.20") == (NAME, "80")
    assert await name("10.96.0.21") == ("10.96.0.21", "80")
    with pytest.raises(socket.gaierror) as caught:
        await name("10.96.0.21", socket.NI_NAMEREQD)
    assert caught.value.errno == socket.EAI_NONAME


async def test_what_is_remembered_is_bounded_and_the_newest_stays(
    dns: Any, client: PodNetwork, look: Any
) -> None:
    addresses = [f"10.96.{n // 250}.{n % 250 + 1}" for n in range(RESOLVED_REMEMBERED_MAX + 2)]
    for index in range(0, len(addresses), 43):
        dns.addresses["many"] = addresses[index : index + 43]
        await look("many.", family=socket.AF_INET)
    assert client.names.resolved(addresses[0]) is None
    assert client.names.resolved(addresses[-1]) is not None
