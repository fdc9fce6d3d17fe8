"""A DNS server as a pod of the fabric, for the tests of names."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cluster.wire.dns import Address, Question, Rcode, Record, RRType, Target, decode, encode

DNS = "10.96.0.10"


class Dns:
    """Answers by UDP and TCP what the test says; everything else does not exist."""

    def __init__(self, fabric: Any) -> None:
        self.pod = fabric.pod("dns", DNS)
        self.addresses: dict[str, list[str]] = {}
        self.pointers: dict[str, str] = {}
        self.rcodes: dict[str, Rcode] = {}
        self.silent = False
        self.truncating = False
        self.asked: list[str] = []
        self.raw: Callable[[bytes], bytes] | None = None

    async def start(self, fabric: Any) -> None:
        await fabric.run(self.pod, self._serve)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: _Datagrams(self), ("0.0.0.0", 53))
        await asyncio.start_server(self._stream, "0.0.0.0", 53)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        answer = self.answer(await reader.readexactly(length), "tcp")
        if self.raw is not None:
            writer.write(self.raw(answer))
        else:
            writer.write(len(answer).to_bytes(2, "big") + answer)
        writer.close()

    def answer(self, data: bytes, how: str) -> bytes:
        query = decode(data)
        (question,) = query.questions
        self.asked.append(f"{how} {question.name} {RRType(question.type).name}")
        name = question.name.rstrip(".")
        answers = self._records(question, name)
        known = name in self.addresses or name in self.pointers
        rcode = self.rcodes.get(name, Rcode.NOERROR if known else Rcode.NXDOMAIN)
        return encode(
            replace(
                query,
                response=True,
                rcode=rcode,
                answers=() if how == "udp" and self.truncating else answers,
                truncated=how == "udp" and self.truncating,
            )
        )

    def _records(self, question: Question, name: str) -> tuple[Record, ...]:
        if question.type == RRType.PTR and name in self.pointers:
            return (Record(question.name, RRType.PTR, 30, Target(self.pointers[name])),)
        family = ":" if question.type == RRType.AAAA else "."
        found = [each for each in self.addresses.get(name, ()) if family in each]
        kind = RRType(question.type)
        return tuple(Record(question.name, kind, 30, Address(each)) for each in found)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, dns: Dns) -> None:
        self._dns = dns

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        answer = self._dns.answer(data, "udp")
        if not self._dns.silent:
            self._transport.sendto(b"\0\0 not for you", addr)
            self._transport.sendto(answer, addr)


@pytest.fixture
async def dns(fabric: Any) -> Dns:
    made = Dns(fabric)
    await made.start(fabric)
    return made
