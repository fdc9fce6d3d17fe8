"""telnet in a pod."""

import asyncio
from typing import Any

import pytest

WEB, CLIENT = "10.244.1.5", "10.244.1.9"


@pytest.fixture
async def client(podded: Any, fabric: Any) -> Any:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\n" + await reader.readline())
        writer.close()

    async def work() -> None:
        await asyncio.start_server(serve, "0.0.0.0", 25)

    await fabric.run(fabric.pod("web", WEB), work)
    return podded("client", CLIENT, hosts={"web": WEB})


async def test_a_port_that_is_open(client: Any) -> None:
    result = await client.run("telnet", "web", "smtp", stdin=b"QUIT\n")
    assert result.out == (
        f"Trying {WEB}...\nConnected to web.\nEscape character is '^]'.\n220 ready\nQUIT\n"
    )
    assert (result.code, result.err) == (1, "Connection closed by foreign host.\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["web", "26"], "telnet: Unable to connect to remote host: "),
        (["nowhere"], "telnet: could not resolve nowhere/23: "),
        (["web", "bogus"], "telnet: could not resolve web/bogus: "),
        ([], "telnet: Usage: telnet host-name [port]"),
    ],
)
async def test_what_comes_to_nothing(client: Any, words: list[str], said: str) -> None:
    result = await client.run("telnet", *words)
    assert result.code == 1
    assert result.err.startswith(said)
