"""The resolver asks as glibc does, and says what it asked."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from cluster.dns import resolver
from cluster.dns.resolv_conf import ResolvConf
from cluster.dns.resolver import NameNotResolved, Resolution, resolve, resolve_address
from cluster.dns.zone import Zone
from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import (
    Address,
    Message,
    Question,
    Rcode,
    Record,
    RRType,
    Target,
    decode,
    encode,
)

CONF = ResolvConf.parse(
    "nameserver 10.96.0.10\nsearch ns.svc.cluster.local svc.cluster.local cluster.local\n"
    "options ndots:5\n"
)
TWO = replace(CONF, nameservers=("10.96.0.10", "192.0.2.53"), searches=())

Answering = Callable[[str, Message], Message | bytes | Exception]


class Servers:
    """Name servers in memory; `answering(server, query)` says what each does."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self.asked: list[tuple[str, str, str]] = []  # transport, server, question

    async def udp(self, server: SocketAddress, query: bytes) -> bytes:
        return self._answer("udp", server, query, 512)

    async def tcp(self, server: SocketAddress, query: bytes) -> bytes:
        return self._answer("tcp", server, query, 65535)

    def _answer(self, how: str, server: SocketAddress, query: bytes, limit: int) -> bytes:
        message = decode(query)
        assert message.recursion_desired
        self.asked.append((how, str(server), str(message.questions[0])))
        answer = self._answering(server.ip, message)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else encode(answer, limit)


def zone_of(zone: Zone) -> Answering:
    def answering(_: str, query: Message) -> Message:
        found = zone.answer(query.questions[0])
        return replace(query.reply(found.rcode), answers=found.answers)

    return answering


def always(rcode: int) -> Answering:
    return lambda _, query: query.reply(rcode)


def with_addresses(query: Message, *ips: str) -> Message:
    name = query.questions[0].name
    records = tuple(Record(name, RRType.A, 30, Address(ip)) for ip in ips)
    return replace(query.reply(), answers=records)


async def failure(servers: Servers, name: str, conf: ResolvConf = CONF) -> NameNotResolved:
    with pytest.raises(socket.gaierror) as caught:
        await resolve(name, conf, servers)
    assert isinstance(caught.value, NameNotResolved)
    return caught.value


def questions(resolution: Resolution) -> list[tuple[str, str]]:
    return [(each.name, each.rcode) for each in resolution.queries]


async def test_a_short_name_is_found_through_the_search_list(worked: Zone) -> None:
    """D-78, D-82."""
    found = await resolve("web", CONF, Servers(zone_of(worked)))
    assert found.addresses == ("10.96.0.20",)
    assert questions(found) == [("web.ns.svc.cluster.local", "NOERROR")]
    assert found.queries[0].to_json() == {
        "name": "web.ns.svc.cluster.local",
        "type": "A",
        "server": "10.96.0.10:53",
        "rcode": "NOERROR",
        "answers": ["10.96.0.20"],
    }


async def test_an_unknown_name_is_asked_for_with_every_suffix(worked: Zone) -> None:
    """D-79, D-80, D-151, O-13: NXDOMAIN goes on, the last one refused: try again."""
    error = await failure(Servers(zone_of(worked)), "example.com")
    assert questions(error.resolution) == [
        ("example.com.ns.svc.cluster.local", "NXDOMAIN"),
        ("example.com.svc.cluster.local", "NXDOMAIN"),
        ("example.com.cluster.local", "NXDOMAIN"),
        ("example.com", "REFUSED"),
    ]
    assert error.errno == socket.EAI_AGAIN


async def test_a_name_nobody_has_is_not_known() -> None:
    """D-80: as glibc words it."""
    error = await failure(Servers(always(Rcode.NXDOMAIN)), "nope")
    assert error.errno == socket.EAI_NONAME
    assert error.strerror == "Name or service not known"
    assert len(error.resolution.queries) == 4


async def test_the_search_goes_on_after_no_data() -> None:
    """D-80: a name that exists without an address is told from one that does not."""

    def answering(_: str, query: Message) -> Message:
        name = query.questions[0].name
        if name == "web.svc.cluster.local":
            return with_addresses(query, "10.96.0.20")
        return query.reply()

    assert (await resolve("web", CONF, Servers(answering))).addresses == ("10.96.0.20",)
    error = await failure(Servers(always(Rcode.NOERROR)), "web")
    assert error.errno == resolver.EAI_NODATA


async def test_a_failing_server_is_remembered_while_the_search_goes_on() -> None:
    """D-80."""

    def answering(_: str, query: Message) -> Message:
        name = query.questions[0].name
        first = name == "web.ns.svc.cluster.local"
        return query.reply(Rcode.SERVFAIL if first else Rcode.NXDOMAIN)

    error = await failure(Servers(answering), "web")
    assert error.errno == socket.EAI_AGAIN
    assert error.strerror == "Temporary failure in name resolution"
    assert error.resolution.queries[-1].name == "web"


async def test_silence_ends_the_search() -> None:
    """D-80, D-83: two attempts, then try again later."""
    servers = Servers(lambda *_: TimeoutError())
    error = await failure(servers, "web")
    assert error.errno == socket.EAI_AGAIN
    assert questions(error.resolution) == [("web.ns.svc.cluster.local", "TIMEOUT")] * 2


async def test_a_server_that_hangs_is_left_after_its_time() -> None:
    """D-83."""

    class Hangs:
        async def udp(self, server: SocketAddress, query: bytes) -> bytes:
            await asyncio.Event().wait()
            raise AssertionError

        tcp = udp

    conf = replace(CONF, options=(("timeout", "1"), ("attempts", "1")), searches=())
    before = asyncio.get_running_loop().time()
    with pytest.raises(NameNotResolved) as caught:
        await resolve("web", conf, Hangs())
    assert questions(caught.value.resolution) == [("web", "TIMEOUT")]
    assert 0.9 < asyncio.get_running_loop().time() - before < 4


@pytest.mark.parametrize(
    ("trouble", "rcode"),
    [
        (TimeoutError(), "TIMEOUT"),
        (ConnectionRefusedError(), "UNREACHABLE"),
        (b"\x00\x01garbage", "MALFORMED"),
    ],
)
async def test_the_next_server_is_asked_when_one_fails(
    trouble: Exception | bytes, rcode: str
) -> None:
    """D-83."""

    def answering(server: str, query: Message) -> Message | bytes | Exception:
        return trouble if server == "10.96.0.10" else with_addresses(query, "192.0.2.7")

    found = await resolve("web", TWO, Servers(answering))
    assert found.addresses == ("192.0.2.7",)
    assert [(each.server, each.rcode) for each in found.queries] == [
        ("10.96.0.10:53", rcode),
        ("192.0.2.53:53", "NOERROR"),
    ]


@pytest.mark.parametrize("rcode", [Rcode.SERVFAIL, Rcode.NOTIMP, Rcode.REFUSED])
async def test_a_refusal_leads_to_the_next_server(rcode: Rcode) -> None:
    def answering(server: str, query: Message) -> Message:
        known = server != "10.96.0.10"
        return with_addresses(query, "192.0.2.7") if known else query.reply(rcode)

    assert (await resolve("web", TWO, Servers(answering))).addresses == ("192.0.2.7",)


async def test_nxdomain_is_an_answer_and_asks_nobody_else() -> None:
    servers = Servers(always(Rcode.NXDOMAIN))
    await failure(servers, "web", TWO)
    assert [server for _, server, _ in servers.asked] == ["10.96.0.10:53"]


async def test_a_truncated_answer_is_asked_for_by_tcp() -> None:
    """D-93."""
    ips = [f"10.244.1.{n}" for n in range(100)]
    servers = Servers(lambda _, query: with_addresses(query, *ips))
    found = await resolve("hl", replace(CONF, searches=()), servers)
    assert found.addresses == tuple(ips)
    assert [how for how, _, _ in servers.asked] == ["udp", "tcp"]


async def test_use_vc_asks_by_tcp_from_the_start() -> None:
    servers = Servers(lambda _, query: with_addresses(query, "192.0.2.7"))
    await resolve("web", replace(TWO, options=(("use-vc", None),)), servers)
    assert [how for how, _, _ in servers.asked] == ["tcp"]


async def test_both_families_are_asked_for_at_once() -> None:
    """D-81."""

    def answering(_: str, query: Message) -> Message:
        (question,) = query.questions
        if question.type == RRType.A:
            return with_addresses(query, "10.96.0.20")
        record = Record(question.name, RRType.AAAA, 30, Address("fd00::20"))
        return replace(query.reply(), answers=(record,))

    servers = Servers(answering)
    found = await resolve("web", TWO, servers, both_families=True)
    assert found.addresses == ("10.96.0.20", "fd00::20")
    assert [question for *_, question in servers.asked] == ["web A", "web AAAA"]
    only = await resolve("web", TWO, servers, family=socket.AF_INET6)
    assert only.addresses == ("fd00::20",)


async def test_no_data_for_one_family_does_not_hide_the_other(worked: Zone) -> None:
    """D-11, D-145."""
    found = await resolve("web", CONF, Servers(zone_of(worked)), both_families=True)
    assert found.addresses == ("10.96.0.20",)


async def test_addresses_are_found_along_aliases() -> None:
    """D-42, D-43."""

    def answering(_: str, query: Message) -> Message:
        name = query.questions[0].name
        return replace(
            query.reply(),
            answers=(
                Record(name, RRType.CNAME, 30, Target("b.example")),
                Record("B.example", RRType.CNAME, 30, Target("c.example")),
                Record("c.example", RRType.A, 30, Address("192.0.2.7")),
                Record("unasked.example", RRType.A, 30, Address("192.0.2.66")),
            ),
        )

    assert (await resolve("a", TWO, Servers(answering))).addresses == ("192.0.2.7",)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda query: replace(query.reply(), id=query.id ^ 1),
        lambda query: replace(query.reply(), questions=(Question("other", 1),)),
        lambda query: query,
    ],
)
async def test_an_answer_to_another_question_is_no_answer(
    wrong: Callable[[Message], Message],
) -> None:
    error = await failure(Servers(lambda _, query: wrong(query)), "web", TWO)
    assert {each.rcode for each in error.resolution.queries} == {"MALFORMED"}


async def test_an_address_is_resolved_to_its_name(worked: Zone) -> None:
    """D-19."""
    servers = Servers(zone_of(worked))
    assert await resolve_address("10.96.0.20", CONF, servers) == "web.ns.svc.cluster.local"
    assert await resolve_address("10.96.0.99", CONF, servers) is None
