"""wget in a pod: its command line, what it saves, what it says."""

import asyncio
from typing import Any

import pytest

from node_agent.workloads.tools.options import UsageError
from node_agent.workloads.tools.wget.options import file_name, parse_wget, progress

WEB, CLIENT = "10.244.1.5", "10.244.1.9"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi\n"


def test_the_command_line() -> None:
    wanted = parse_wget(["-qO-", "-T", "2", "--header", "A: b", "--post-data=x=1", "web/a"])
    assert (wanted.quiet, wanted.output, wanted.seconds) == (True, "-", 2.0)
    assert (wanted.headers, wanted.data, wanted.method) == (("A: b",), "x=1", "POST")
    assert parse_wget(["--timeout=3", "--spider", "x"]).spider


def test_what_makes_no_sense() -> None:
    with pytest.raises(UsageError, match=r"^unrecognized option '--bogus'\nUsage: wget "):
        parse_wget(["--bogus", "x"])
    with pytest.raises(UsageError, match=r"^missing URL"):
        parse_wget(["-q"])


def test_names_and_lines() -> None:
    assert (file_name("/"), file_name("/a/b.txt?x=/y")) == ("index.html", "b.txt")
    assert progress("-", 3, 3) == f"-{' ' * 19} 100% |{'*' * 32}|     3  0:00:00 ETA\n"


@pytest.fixture
async def server(fabric: Any) -> Any:
    answers: list[bytes] = []
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        answer = answers.pop(0)
        if answer:
            writer.write(answer)
            writer.close()

    async def work() -> None:
        await asyncio.start_server(serve, "0.0.0.0", 80)

    await fabric.run(fabric.pod("web", WEB), work)
    return answers, asked


@pytest.fixture
async def client(podded: Any) -> Any:
    return podded("client", CLIENT, hosts={"web": WEB})


async def test_to_standard_output(client: Any, server: Any) -> None:
    server[0].append(OK)
    result = await client.run("wget", "-qO-", "http://web/x")
    assert (result.code, result.out, result.err) == (0, "hi\n", "")
    assert server[1] == [
        b"GET /x HTTP/1.1\r\nHost: web\r\nUser-Agent: Wget\r\nConnection: close\r\n\r\n"
    ]


async def test_to_a_file(client: Any, server: Any) -> None:
    server[0][:] = [b"HTTP/1.1 302 Found\r\nLocation: /b.txt\r\n\r\n", OK, OK]
    result = await client.run("wget", "-P", "/tmp", "-S", "web/a.txt")
    assert (result.code, client.read("/tmp/b.txt")) == (0, "hi\n")
    assert result.err.splitlines() == [
        f"Connecting to web ({WEB}:80)",
        "  HTTP/1.1 302 Found",
        "  Location: /b.txt",
        f"Connecting to web ({WEB}:80)",
        "  HTTP/1.1 200 OK",
        "  Content-Length: 3",
        "saving to 'b.txt'",
        f"b.txt{' ' * 15} 100% |{'*' * 32}|     3  0:00:00 ETA",
        "'b.txt' saved",
    ]
    again = await client.run("wget", "-P", "/tmp", "web/b.txt")
    assert (again.code, again.err.splitlines()[-1]) == (
        1,
        "wget: can't open '/tmp/b.txt': File exists",
    )


async def test_spider_asks_for_the_head_alone(client: Any, server: Any) -> None:
    server[0].append(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
    result = await client.run("wget", "--spider", "web")
    assert (result.code, result.err.splitlines()[-1]) == (0, "remote file exists")
    assert server[1][0].startswith(b"HEAD / ")


@pytest.mark.parametrize(
    ("answer", "words", "said"),
    [
        (
            b"HTTP/1.1 404 Not Found\r\n\r\n",
            ["web"],
            "wget: server returned error: HTTP/1.1 404 Not Found\n",
        ),
        (b"", ["-T", "0.05", "web"], "wget: download timed out\n"),
        (b"", ["nowhere"], "wget: bad address 'nowhere'\n"),
        (b"", [f"{WEB}:81"], f"wget: can't connect to remote host ({WEB}): "),
        (b"", ["gopher://web"], "wget: not an http or ftp url: gopher://web\n"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            ["-O", "/dev/null", "web"],
            "wget: connection closed prematurely\n",
        ),
    ],
)
async def test_failures(
    client: Any, server: Any, answer: bytes, words: list[str], said: str
) -> None:
    server[0].append(answer)
    result = await client.run("wget", "-q", *words)
    assert result.code == 1
    assert result.err.startswith(said)
