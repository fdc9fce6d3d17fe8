"""dig, nslookup and host in a pod: their command lines, their layouts, how they end."""

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.dns.resolv_conf import ResolvConf
from cluster.wire.addresses import SocketAddress
from cluster.wire.dns import (
    Address,
    Edns,
    Message,
    Question,
    Rcode,
    Record,
    RRType,
    Soa,
    Srv,
    Target,
    decode,
    encode,
)
from node_agent.workloads.tools.dns import answers, dig_layout, records
from node_agent.workloads.tools.dns.ask import Answer, Asked, query
from node_agent.workloads.tools.dns.dig import candidates
from node_agent.workloads.tools.dns.dig_options import DigUsage, Lookup, parse_dig
from node_agent.workloads.tools.dns.host import shown as host_shown
from node_agent.workloads.tools.dns.nslookup import parse_nslookup

DNS, CLIENT = "10.96.0.10", "10.244.1.9"
WEB = "web.default.svc.cluster.local"
SERVER = SocketAddress(DNS, 53)
CONF = ResolvConf.parse(f"nameserver {DNS}\nsearch default.svc.cluster.local\noptions ndots:5\n")


def test_digs_words() -> None:
    (lookup,) = parse_dig(["@10.0.0.1", "-p", "54", "web", "AAAA", "+short", "+time=2"]).lookups
    assert (lookup.server, lookup.port, lookup.name) == ("10.0.0.1", 54, "web")
    assert (lookup.type, lookup.seconds) == (RRType.AAAA, 2)
    assert "short" in lookup


def test_a_switch_before_the_names_is_for_all_and_one_after_for_its_own() -> None:
    first, second = parse_dig(["+noall", "+answer", "one", "+tcp", "two"]).lookups
    assert "answer" in first
    assert "question" not in second
    assert ("tcp" in first, "tcp" in second) == (True, False)


@pytest.mark.parametrize(
    ("words", "name", "kind"),
    [
        ([], ".", RRType.NS),
        (["-x", "10.96.0.20"], "20.0.96.10.in-addr.arpa", RRType.PTR),
        (["-t", "srv", "web"], "web", RRType.SRV),
        (["-q", "mx", "txt"], "mx", RRType.TXT),
        (["web", "IN", "TYPE99"], "web", 99),
    ],
)
def test_the_question(words: list[str], name: str, kind: int) -> None:
    (lookup,) = parse_dig(words).lookups
    assert (lookup.name, lookup.type) == (name, kind)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["+trace", "x"], "Invalid option: +trace"),
        (["-Z", "x"], "Invalid option: -Z"),
        (["-x", "web"], "Invalid IP address web"),
        (["-p", "0", "x"], "Couldn't parse port number '0'"),
        (["+time=x"], "Couldn't parse time 'x'"),
        (["+tries=" + "9" * 5000], "Couldn't parse tries '9"),
    ],
)
def test_what_dig_does_not_take(words: list[str], said: str) -> None:
    with pytest.raises(DigUsage, match=re.escape(said)):
        parse_dig(words)


@given(st.lists(st.text(alphabet="-+=@xtpq1.:aANY é", max_size=6), max_size=6))
def test_no_command_line_of_digs_is_too_odd(words: list[str]) -> None:
    try:
        assert parse_dig(words).lookups
    except DigUsage as error:
        assert str(error)


def test_the_search_list_is_gone_through_only_when_asked() -> None:
    assert candidates(Lookup(name="web."), CONF) == ("web",)
    search = Lookup(name="web", switches=frozenset({"search"}))
    assert candidates(search, CONF) == (WEB, "web")
    assert candidates(replace(search, ndots=0, name="a.b"), CONF)[0] == "a.b"


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (Record("example.com", RRType.A, 3600, Address("192.0.2.1")),
         "example.com.\t\t3600\tIN\tA\t192.0.2.1"),
        (Record(WEB, RRType.A, 5, Address("10.96.0.20")),
         f"{WEB}. 5 IN\tA\t10.96.0.20"),
        (Record("a.b.example", RRType.SRV, 30, Srv(0, 100, 80, WEB)),
         f"a.b.example.\t\t30\tIN\tSRV\t0 100 80 {WEB}."),
        (Record("www.example.com", RRType.CNAME, 60, Target("example.com")),
         "www.example.com.\t60\tIN\tCNAME\texample.com."),
    ],
)  # fmt: skip
def test_records_stand_in_columns(record: Record, line: str) -> None:
    assert records.record_line(record) == line


def test_questions_stand_in_columns() -> None:
    assert records.question_line("example.com", RRType.A, 1) == ";example.com.\t\t\tIN\tA"


def test_names_of_types_classes_and_addresses() -> None:
    assert records.type_number("aaaa") == 28
    assert records.type_number("TYPE65") == 65
    assert records.type_number("nope") is None
    assert records.class_number("ch") == 3
    assert records.reverse_name("10.96.0.10") == "10.0.96.10.in-addr.arpa"
    assert records.reverse_name("web") is None


def reply(**more: Any) -> Message:
    return Message(
        id=4711,
        response=True,
        authoritative=True,
        recursion_desired=True,
        questions=(Question(WEB, RRType.A),),
        answers=(Record(WEB, RRType.A, 5, Address("10.96.0.20")),),
        edns=Edns(udp_bytes=1232),
        **more,
    )


def test_digs_whole_output() -> None:
    answer = Answer(message=reply(), server=SERVER, tcp=False, seconds=0.0012, size=89)
    assert dig_layout.full(answer, Lookup(name=WEB), "Wed Nov 25 06:33:28 UTC 2026") == (
        ";; Got answer:\n"
        ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 4711\n"
        ";; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1\n"
        ";; WARNING: recursion requested but not available\n\n"
        ";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n"
        f";; QUESTION SECTION:\n;{WEB}.\tIN\tA\n\n"
        f";; ANSWER SECTION:\n{WEB}. 5 IN\tA\t10.96.0.20\n\n"
        ";; Query time: 1 msec\n;; SERVER: 10.96.0.10#53(10.96.0.10) (UDP)\n"
        ";; WHEN: Wed Nov 25 06:33:28 UTC 2026\n;; MSG SIZE  rcvd: 89\n\n"
    )


def test_the_answer_alone() -> None:
    answer = Answer(message=reply(), server=SERVER, tcp=False, seconds=0, size=89)
    (lookup,) = parse_dig(["+noall", "+answer", WEB]).lookups
    assert dig_layout.full(answer, lookup, "") == f"{WEB}. 5 IN\tA\t10.96.0.20\n"


def test_what_host_and_nslookup_say_of_records() -> None:
    pointer = Record("20.0.96.10.in-addr.arpa", RRType.PTR, 5, Target(WEB))
    assert answers.host_record(pointer) == f"{pointer.name} domain name pointer {WEB}.\n"
    assert answers.nslookup_record(pointer) == f"{pointer.name}\tname = {WEB}.\n"
    soa = Soa(mname="ns", rname="me", serial=1, refresh=2, retry=3, expire=4, minimum=5)
    said = answers.nslookup_record(Record("x", RRType.SOA, 5, soa))
    assert "\torigin = ns\n\tmail addr = me\n\tserial = 1\n" in said
    empty = replace(reply(), answers=())
    assert answers.nslookup_failure("web", empty) == "*** Can't find web: No answer\n"
    answer = Answer(message=empty, server=SERVER, tcp=False, seconds=0, size=1)
    assert host_shown("web", [answer], (RRType.A,)) == ("web has no A record\n", 0)


def test_nslookups_words() -> None:
    wanted = parse_nslookup(["-type=srv", "-timeout=1", "web", "10.0.0.1"])
    assert (wanted.types, wanted.seconds, wanted.server) == ((RRType.SRV,), 1, "10.0.0.1")


def test_a_query_without_edns_has_no_ad_flag() -> None:
    message = query(Question("web", RRType.A), Asked(server=SERVER, edns=False, recursion=False))
    assert (message.edns, message.authentic, message.recursion_desired) == (None, False, False)


# In a pod


class Server(asyncio.DatagramProtocol):
    """Knows one name; truncates its datagrams when told so, or says nothing."""

    def __init__(self) -> None:
        self.truncating = self.silent = False
        self.asked: list[str] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.silent:
            self.transport.sendto(self.answer(data, self.truncating), addr)

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        answer = self.answer(await reader.readexactly(length), False)
        writer.write(len(answer).to_bytes(2, "big") + answer)
        writer.close()

    def answer(self, data: bytes, truncated: bool) -> bytes:
        asked = decode(data)
        (question,) = asked.questions
        self.asked.append(f"{question.name} {RRType(question.type).name}")
        known = {
            (WEB, RRType.A): Address("10.96.0.20"),
            ("20.0.96.10.in-addr.arpa", RRType.PTR): Target(WEB),
        }
        names = {name for name, _ in known}
        found = known.get((question.name, RRType(question.type)))
        record = Record(question.name, question.type, 5, found) if found else None
        return encode(
            replace(
                asked.reply(Rcode.NOERROR if question.name in names else Rcode.NXDOMAIN),
                authoritative=True,
                truncated=truncated,
                answers=(record,) if record and not truncated else (),
            )
        )


@pytest.fixture
async def server(fabric: Any) -> Server:
    made, pod = Server(), fabric.pod("dns", DNS)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: made, ("0.0.0.0", 53))
        await asyncio.start_server(made.stream, "0.0.0.0", 53)

    await fabric.run(pod, work)
    return made


@pytest.fixture
async def client(podded: Any) -> Any:
    return podded("client", CLIENT)


async def test_dig_short(client: Any, server: Server) -> None:
    result = await client.run("dig", "+short", WEB)
    assert (result.code, result.out, result.err) == (0, "10.96.0.20\n", "")
    assert (await client.run("dig", "+short", "-x", "10.96.0.20")).out == f"{WEB}.\n"
    assert (await client.run("dig", "+search", "+short", "web")).out == "10.96.0.20\n"


async def test_dig_says_what_it_was_told(client: Any, server: Server) -> None:
    result = await client.run("dig", "web")
    assert result.code == 0
    assert result.out.startswith("\n; <<>> DiG 9.18.28 <<>> web\n;; global options: +cmd\n;; Got")
    assert "status: NXDOMAIN" in result.out
    assert server.asked == ["web A"]


async def test_dig_turns_to_tcp_when_the_answer_is_cut(client: Any, server: Server) -> None:
    server.truncating = True
    result = await client.run("dig", WEB)
    assert ";; Truncated, retrying in TCP mode.\n" in result.out
    assert "(TCP)" in result.out
    assert "10.96.0.20" in result.out
    kept = await client.run("dig", "+ignore", WEB)
    assert "flags: qr aa tc rd" in kept.out


async def test_dig_without_a_server_is_9(client: Any) -> None:
    result = await client.run("dig", "@10.244.1.77", "+tries=2", "web")
    assert result.code == 9
    assert result.out.startswith(
        ";; communications error to 10.244.1.77#53: connection refused\n" * 2
    )
    assert result.out.endswith(";; no servers could be reached\n")


async def test_dig_waits_as_long_as_it_is_told(client: Any, server: Server) -> None:
    server.silent = True
    result = await client.run("dig", "+time=1", "+tries=1", "web")
    assert (result.code, "#53: timed out\n" in result.out) == (9, True)


async def test_nslookup(client: Any, server: Server) -> None:
    result = await client.run("nslookup", "web")
    assert (result.code, result.out) == (
        0,
        f"Server:\t\t{DNS}\nAddress:\t{DNS}#53\n\nName:\t{WEB}\nAddress: 10.96.0.20\n\n",
    )
    unknown = await client.run("nslookup", "nope")
    assert unknown.code == 1
    assert unknown.out.endswith("** server can't find nope: NXDOMAIN\n\n")
    back = await client.run("nslookup", "10.96.0.20")
    assert back.out == f"20.0.96.10.in-addr.arpa\tname = {WEB}.\n\n"


async def test_host(client: Any, server: Server) -> None:
    assert (await client.run("host", "web")).out == f"{WEB} has address 10.96.0.20\n"
    unknown = await client.run("host", "nope")
    assert (unknown.code, unknown.out) == (1, "Host nope not found: 3(NXDOMAIN)\n")
    back = await client.run("host", "10.96.0.20")
    assert back.out == f"20.0.96.10.in-addr.arpa domain name pointer {WEB}.\n"


async def test_nobody_to_ask(client: Any) -> None:
    said = ";; connection timed out; no servers could be reached\n"
    for words in (("host", "web"), ("nslookup", "web")):
        result = await client.run(*words)
        assert (result.code, result.out.strip("\n") + "\n") == (1, said)
