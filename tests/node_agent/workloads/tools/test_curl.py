"""curl in a pod: its command line, its requests byte for byte, what it says, how it ends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.workloads.tools.curl import failures, progress
from node_agent.workloads.tools.curl.glob import expanded
from node_agent.workloads.tools.curl.options import CurlUsage, parse_options
from node_agent.workloads.tools.curl.request import body_of, redirected, request_of
from node_agent.workloads.tools.curl.write_out import Result, unknown, written
from node_agent.workloads.tools.http.url import BadScheme, BadUrl, parse_url

WEB, CLIENT = "10.244.1.5", "10.244.1.9"


def test_options_in_one_word_and_their_values() -> None:
    options = parse_options(
        ["-sSLo", "/dev/null", "-XPOST", "-w%{http_code}", "web", "--max-time=3"][:5]
    )
    assert options.flags == {"silent", "show-error", "location"}
    assert options.outputs == ["/dev/null"]
    assert options.values["request"] == "POST"
    assert options.values["write-out"] == "%{http_code}"
    assert options.urls == ["web"]


def test_a_beginning_of_a_long_option_is_the_option() -> None:
    assert parse_options(["--verb", "x"]).flags == {"verbose"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bogus"], "curl: option --bogus: is unknown"),
        (["-s", "-%"], "curl: option -%: is unknown"),
        (["-m"], "curl: option -m: requires parameter"),
        (["-m", "abc", "x"], "curl: option -m: expected a proper numerical parameter"),
        (["--retry", "-1", "x"], "curl: option --retry: expected a proper numerical parameter"),
        (
            ["--retry", "9" * 400, "x"],
            "curl: option --retry: expected a proper numerical parameter",
        ),
        (["--da", "x"], "curl: option --da: is ambiguous"),
        (["-s"], "curl: no URL specified!"),
        (
            ["-x", "proxy:3128", "web"],
            "curl: option -x: the installed libcurl version doesn't support this",
        ),
    ],
)
def test_what_makes_no_sense_is_said_as_curl_says_it(words: list[str], said: str) -> None:
    with pytest.raises(CurlUsage) as caught:
        parse_options(words)
    assert str(caught.value).splitlines()[0] == said
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("web/[1-3]", ["web/1", "web/2", "web/3"]),
        ("web/[08-10]", ["web/08", "web/09", "web/10"]),
        ("{a,b}/[a-e:2]", ["a/a", "a/c", "a/e", "b/a", "b/c", "b/e"]),
        ("http://[::1]/x", ["http://[::1]/x"]),
        ("web/[3-1]", []),
    ],
)
def test_globbing(text: str, urls: list[str]) -> None:
    assert expanded(text) == urls


def test_globbing_has_a_bound_and_may_be_off() -> None:
    with pytest.raises(CurlUsage, match="too many URLs"):
        parse_options(["web/[1-99999999]"])
    with pytest.raises(CurlUsage, match="too many URLs"):
        parse_options(["web/[1-200]/[1-200]"])
    assert parse_options(["-g", "web/{a,b}"]).urls == ["web/{a,b}"]


@given(st.lists(st.text(alphabet="-=@%:{}[]+osdHwXmIL/1a é\n", max_size=8), max_size=6))
def test_no_command_line_is_too_odd(words: list[str]) -> None:
    try:
        options = parse_options(words)
        for url in options.urls:
            request_of(options, parse_url(url), body_of(options, lambda _: b"x"))
    except (CurlUsage, BadUrl, BadScheme):
        return
    written(options.values.get("write-out", ""), Result())


def request(*words: str) -> Any:
    options = parse_options(words)
    body = body_of(options, lambda path: f"<{path}>\n".encode())
    return request_of(options, parse_url(options.urls[0]), body)


@pytest.mark.parametrize(
    ("words", "method", "body"),
    [
        (["x"], "GET", None),
        (["-I", "x"], "HEAD", None),
        (["-d", "a=1", "-d", "b=2", "x"], "POST", b"a=1&b=2"),
        (["-d", "@file", "x"], "POST", b"<file>"),
        (["--data-binary", "@file", "x"], "POST", b"<file>\n"),
        (["--data-raw", "@file", "x"], "POST", b"@file"),
        (["--data-urlencode", "q=a b&c", "x"], "POST", b"q=a%20b%26c"),
        (["-T", "file", "x"], "PUT", b"<file>\n"),
        (["-X", "DELETE", "x"], "DELETE", None),
        (["--json", "{}", "x"], "POST", b"{}"),
    ],
)
def test_the_method_and_the_body(words: list[str], method: str, body: bytes | None) -> None:
    made = request(*words)
    assert (made.method, made.body) == (method, body)


def test_headers_are_curls_in_its_order_with_the_users_among_them() -> None:
    made = request(
        "-H", "X-A: 1", "-H", "Accept:", "-H", "Host: other", "-u", "a:b", "-d", "x", "web"
    )
    assert made.headers == (
        ("Host", "other"),
        ("Authorization", "Basic YTpi"),
        ("User-Agent", "curl/7.88.1"),
        ("X-A", "1"),
        ("Content-Length", "1"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    )


def test_get_with_data_puts_it_into_the_query() -> None:
    made = request("-G", "-d", "a=1", "http://web/p?x=y")
    assert (made.method, made.url.target, made.body) == ("GET", "/p?x=y&a=1", None)


@pytest.mark.parametrize(
    ("status", "method", "body"), [(302, "GET", None), (303, "GET", None), (307, "POST", b"x")]
)
def test_a_redirect_of_a_post(status: int, method: str, body: bytes | None) -> None:
    options = parse_options(["-L", "-d", "x", "-H", "Authorization: secret", "http://web/a"])
    first = request_of(options, parse_url("http://web/a"), b"x")
    then = redirected(first, status, "http://other/b", options)
    assert (then.method, then.body, then.url.host) == (method, body, "other")
    assert not any(name == "Authorization" for name, _ in then.headers), "another host's secret"
    assert ("Host", "other") in then.headers


def test_write_out() -> None:
    result = Result(status=200, remote=("10.0.0.1", 80), total=0.0123)
    template = r"%{http_code} %{remote_ip}:%{remote_port} %{time_total}%%\n%{stderr}e"
    assert written(template, result) == [
        (False, "200 10.0.0.1:80 0.012300%\n"),
        (True, "e"),
    ]
    assert unknown("%{http_code}%{nope}") == ["nope"]


def test_messages() -> None:
    refused = failures.unconnected("web", 80, 0.0004, silent=False)
    assert (refused.code, str(refused)) == (
        7,
        "Failed to connect to web port 80 after 0 ms: Couldn't connect to server",
    )
    late = failures.out_of_time("Operation", 1.0012, 5, 10)
    assert (
        str(late) == "Operation timed out after 1001 milliseconds with 5 out of 10 bytes received"
    )
    assert failures.untrusted("web", "Hostname mismatch, x").code == 60


def test_the_progress_meter_keeps_its_columns() -> None:
    assert progress.row(335, 335, 0, 0, 0.0075) == (
        "\r100   335  100   335    0     0  44666      0 --:--:-- --:--:-- --:--:-- 44666"
    )
    assert progress.amount(123456) == " 120k"


# In a pod


class Server:
    """Answers with what the test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.asked: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            self.asked.append(head + await reader.readexactly(int(length or 0)))
        except asyncio.IncompleteReadError:
            return
        answer = self.answers.pop(0)
        if answer == b"reset":
            writer.transport.abort()
            return
        if answer != b"silence":
            writer.write(answer)
            writer.close()


@pytest.fixture
async def server(fabric: Any) -> AsyncIterator[Server]:
    made = Server()
    pod = fabric.pod("web", WEB)

    async def work() -> None:
        await asyncio.start_server(made.serve, "0.0.0.0", 80)

    await fabric.run(pod, work)
    yield made


@pytest.fixture
async def client(podded: Any) -> Any:
    return podded("client", CLIENT, hosts={"web": WEB, "gone": "10.244.1.77"})


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n\r\nhi\n"


async def test_a_get(client: Any, server: Server) -> None:
    server.answers = [OK]
    result = await client.run("curl", "-s", "http://web/x?y=1")
    assert (result.code, result.out, result.err) == (0, "hi\n", "")
    assert server.asked == [
        b"GET /x?y=1 HTTP/1.1\r\nHost: web\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n"
    ]


async def test_verbose_with_heads(client: Any, server: Server) -> None:
    server.answers = [OK]
    result = await client.run("curl", "-svi", "web")
    assert result.out == OK.decode()
    assert result.err.replace("\r\n", "\n") == (
        f"*   Trying {WEB}:80...\n"
        f"* Connected to web ({WEB}) port 80 (#0)\n"
        "> GET / HTTP/1.1\n> Host: web\n> User-Agent: curl/7.88.1\n> Accept: */*\n> \n"
        "< HTTP/1.1 200 OK\n< Content-Length: 3\n< Content-Type: text/plain\n< \n"
        "{ [3 bytes data]\n"
        "* Connection #0 to host web left intact\n"
    )


async def test_chunks_arrive_whole(client: Any, server: Server) -> None:
    server.answers = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"
    ]
    result = await client.run("curl", "-s", "-w", r" %{size_download} %{remote_ip}\n", "web")
    assert result.out == f"abc 3 {WEB}\n"


async def test_a_body_that_is_cut_is_18(client: Any, server: Server) -> None:
    server.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"]
    result = await client.run("curl", "-sS", "web")
    assert (result.code, result.out) == (18, "abc")
    assert result.err == "curl: (18) transfer closed with 7 bytes remaining to read\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["http://gone:81"], 7, "Failed to connect to gone port 81 after "),
        (["http://nowhere/"], 6, "Could not resolve host: nowhere\n"),
        (["ftp://web/"], 1, 'Protocol "ftp" not supported or disabled in libcurl\n'),
        (["http:///x"], 3, "URL using bad/illegal format or missing URL\n"),
        (["-d", "@nofile", "web"], 26, "Failed to open nofile\n"),
    ],
)
async def test_failures_have_curls_codes(
    client: Any, server: Server, words: list[str], code: int, said: str
) -> None:
    result = await client.run("curl", "-sS", *words)
    assert result.code == code
    assert result.err.startswith(f"curl: ({code}) {said}")


async def test_silence_and_resets(client: Any, server: Server) -> None:
    server.answers = [b"silence", b"reset", b""]
    late = await client.run("curl", "-sS", "-m", "0.05", "web")
    assert late.code == 28
    assert "milliseconds with 0 bytes received" in late.err
    empty = await client.run("curl", "-sS", "web")
    assert empty.code in (52, 56)
    nothing = await client.run("curl", "-sS", "web")
    assert (nothing.code, nothing.err) == (52, "curl: (52) Empty reply from server\n")


async def test_fail_and_write_out(client: Any, server: Server) -> None:
    server.answers = [b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"]
    result = await client.run("curl", "-fsS", "-w", "%{http_code}", "web/nope")
    assert (result.code, result.out) == (22, "404")
    assert result.err == "curl: (22) The requested URL returned error: 404\n"


async def test_redirects_are_followed(client: Any, server: Server) -> None:
    server.answers = [b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 2\r\n\r\nno", OK]
    result = await client.run("curl", "-sL", "-w", "%{num_redirects} %{url_effective}", "web/a")
    assert result.out == "hi\n1 http://web/b"


async def test_retries_end_with_what_works(client: Any, server: Server) -> None:
    server.answers = [b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", OK]
    result = await client.run("curl", "-s", "--retry", "2", "--retry-delay", "0.01", "-S", "web")
    assert result.out == "hi\n"
    assert (
        result.err == "Warning: Problem : HTTP error. Will retry in 0.01 seconds. 2 retries left.\n"
    )


async def test_files_in_and_out(client: Any, server: Server) -> None:
    server.answers = [OK, OK]
    client.put("/tmp/body", b"\0bytes\n")
    result = await client.run("curl", "-s", "-o", "/tmp/out", "--data-binary", "@/tmp/body", "web")
    assert (result.code, result.out, client.read("/tmp/out")) == (0, "", "hi\n")
    assert server.asked[0].endswith(b"\r\n\r\n\0bytes\n")
    await client.run("curl", "-sT", "-", "web/put", stdin=b"from stdin")
    assert server.asked[1].startswith(b"PUT /put ")
    assert server.asked[1].endswith(b"from stdin")


async def test_tls_is_believed_only_with_its_authority(
    podded: Any, fabric: Any, tls: Any, tmp_path_factory: Any
) -> None:
    pod = fabric.pod("web", WEB)
    made = Server()

    async def work() -> None:
        await asyncio.start_server(made.serve, "0.0.0.0", 443, ssl=tls[0])

    await fabric.run(pod, work)
    client = podded("client", CLIENT, hosts={"web": WEB, "other": WEB})
    pairs = tmp_path_factory.getbasetemp().glob("tls*/pair.pem")
    pair = max(pairs, key=lambda path: path.stat().st_mtime)
    client.put("/ca.crt", pair.read_bytes())
    made.answers = [OK, OK]
    good = await client.run("curl", "-s", "--cacert", "/ca.crt", "https://web/")
    assert (good.code, good.out) == (0, "hi\n")
    doubted = await client.run("curl", "-sS", "https://web/")
    assert doubted.code == 60
    assert doubted.err.startswith("curl: (60) SSL certificate problem: ")
    other = await client.run("curl", "-sS", "--cacert", "/ca.crt", "https://other/")
    assert "no alternative certificate subject name matches target host name 'other'" in other.err
    assert (await client.run("curl", "-sk", "https://other/")).out == "hi\n"


async def test_a_plain_server_is_no_tls_server(podded: Any, fabric: Any) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(5)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def work() -> None:
        await asyncio.start_server(plain, "0.0.0.0", 80)

    await fabric.run(fabric.pod("web", WEB), work)
    client = podded("client", CLIENT, hosts={"web": WEB})
    result = await client.run("curl", "-sSk", "https://web:80/")
    assert result.code == 35
    assert "wrong version number" in result.err


async def test_what_it_meets_is_in_the_trace_as_the_pods_own(podded: Any, world: Any) -> None:
    """O-20: refused by the pod's kernel, and what the client saw is told."""
    pod, web = await world.pod("client"), await world.pod("web", 2)
    client = podded("client", pod.ip, pod=pod)
    result = await client.run("curl", "-sS", f"http://{web.ip}:81/")
    assert result.code == 7
    segment = world.node(1).segments()[-1]
    assert segment.origin.name == "default/client"
    assert segment.original.destination == (web.ip, 81)
    assert segment.client_saw == "connection refused"


async def test_a_policy_is_silence(podded: Any, world: Any) -> None:
    pod, web = await world.pod("client"), await world.pod("web", 2)
    world.isolate("closed")
    client = podded("client", pod.ip, pod=pod)
    result = await client.run("curl", "-sS", "--connect-timeout", "0.05", f"http://{web.ip}/")
    assert result.code == 28
    assert result.err.startswith("curl: (28) Connection timed out after ")
    segment = world.node(2).segments()[-1]
    assert (segment.origin.name, segment.outcome) == ("default/client", "dropped")
