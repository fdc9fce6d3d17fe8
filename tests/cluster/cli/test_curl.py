"""`kubehop curl`: answers on standard output, the rest on standard error, curl's statuses."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.cli import curl, flow_traces
from cluster.cli.curl_request import request_of
from cluster.errors import ConfigError, WireError
from cluster.trace.join import join
from cluster.trace.record import Outcome
from cluster.traffic import datagram, http
from cluster.traffic.place import Place, PlaceKind
from cluster.traffic.response import Response
from cluster.traffic.traces import NoTrace
from cluster.traffic.unreached import Unreached

URL = "http://frontend.shop/cart"
ID = "4c1f9a2b7d3e6f80"
RESPONSE = Response(
    status=200,
    reason="OK",
    headers=(("Content-Type", "text/plain"),),
    body=b"welcome",
    flow_ids=(ID,),
    seconds=0.1,
)


def answering(status: int, **more: Any) -> Response:
    return replace(RESPONSE, status=status, **more)


@pytest.fixture
def performed(options_of, terminal_of, monkeypatch, segment):
    """Perform a request whose answer, or failure, the test gives."""
    asked: list[dict[str, Any]] = []

    def perform(
        answer: Response | Exception,
        *words: str,
        url: str = URL,
        terminal: Any = None,
        traces_of: Any = None,
    ) -> SimpleNamespace:
        async def fetch(access, place, url, **more):
            asked.append({"place": place, "url": url, **more})
            if isinstance(answer, Exception):
                raise answer
            return answer

        async def found(access, flow_ids, seconds):
            return [join([segment(flow_id=each)]) for each in flow_ids]

        async def trace_if_any(access, flow_id):
            return join([segment(flow_id=flow_id, outcome=Outcome.DROPPED)])

        monkeypatch.setattr(http, "fetch", fetch)
        monkeypatch.setattr(flow_traces, "traces_of", traces_of or found)
        monkeypatch.setattr(flow_traces, "trace_if_any", trace_if_any)
        shown = terminal or terminal_of()
        options = options_of("curl", url, *words)
        request = request_of(options, curl._read_file)
        place = Place.parse(options.source, options.namespace)
        status = asyncio.run(curl.perform(None, place, request, options, shown))
        return SimpleNamespace(
            status=status, out=shown.out.text, err=shown.err.text, asked=asked[-1] if asked else {}
        )

    return perform


def test_the_answer_goes_to_standard_output_and_nothing_else_does(performed):
    done = performed(RESPONSE)
    assert (done.status, done.out, done.err) == (0, "welcome", "")


def test_the_request_is_made_from_its_place(performed):
    done = performed(
        RESPONSE, "--from", "pod/web-1", "-n", "shop", "-X", "PUT", "-d", "a", "-m", "3"
    )
    assert done.asked["place"] == Place(kind=PlaceKind.POD, name="web-1", namespace="shop")
    assert done.asked["url"] == URL
    assert (done.asked["method"], done.asked["body"]) == ("PUT", b"a")
    assert done.asked["timeout_seconds"] == 3.0


def test_a_terminal_gets_its_prompt_on_a_line_of_its_own(performed, terminal_of):
    assert performed(RESPONSE, terminal=terminal_of(out=True)).out == "welcome\n"
    assert performed(answering(200, body=b"x\n"), terminal=terminal_of(out=True)).out == "x\n"
    assert performed(answering(200, body=b""), terminal=terminal_of(out=True)).out == ""


def test_headers_are_shown_when_asked_for(performed):
    assert performed(RESPONSE, "-i").out.startswith("HTTP/1.1 200 OK\r\nContent-Type: text/plain")
    assert performed(RESPONSE, "-I").out.endswith("\r\n\r\n")


def test_an_answer_can_go_to_a_file(performed, tmp_path):
    done = performed(RESPONSE, "-o", str(tmp_path / "answer"), "-w", "%{http_code}\\n")
    assert (tmp_path / "answer").read_bytes() == b"welcome"
    assert done.out == "200\n"


def test_an_http_error_is_an_answer_unless_fail_says_otherwise(performed):
    found = answering(404, reason="Not Found")
    assert performed(found).status == 0
    failed = performed(found, "-f")
    assert (failed.status, failed.out) == (22, "")
    assert failed.err == "curl: (22) the server answered 404 Not Found\n"
    assert performed(found, "-f", "-s").err == ""
    assert performed(found, "-f", "-s", "-S").err == failed.err


def test_a_trace_is_shown_when_asked_for_and_beside_the_answer(performed):
    done = performed(RESPONSE, "--trace")
    assert done.out == "welcome"
    assert ID in done.err
    assert "delivered" in done.err
    assert max(map(len, done.err.splitlines())) <= 80
    assert "\x1b[" not in done.err


def test_a_trace_is_coloured_on_a_terminal(performed, terminal_of):
    assert "\x1b[" in performed(RESPONSE, "--trace", terminal=terminal_of(err=True)).err


def test_an_answer_from_elsewhere_has_no_trace_and_says_so(performed):
    done = performed(answering(200, flow_ids=()), "--trace")
    assert done.status == 0
    assert done.err.startswith("note: no process of the cluster has recorded this flow")


def test_a_trace_that_is_gone_is_no_failure_of_the_request(performed):
    async def gone(access, flow_ids, seconds):
        raise NoTrace("no process has recorded a flow")

    done = performed(RESPONSE, "--trace", traces_of=gone)
    assert (done.status, done.out) == (0, "welcome")
    assert done.err == "note: no process has recorded a flow\n"


@pytest.mark.parametrize(
    ("kind", "status"),
    [("refused", 7), ("unreachable", 7), ("timeout", 28), ("nxdomain", 6), ("reset", 56)],
)
def test_a_request_without_an_answer_has_curls_status_and_always_its_trace(performed, kind, status):
    done = performed(Unreached(kind, f"frontend.shop:80: {kind}", ID))
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith(f"curl: ({status}) frontend.shop:80: {kind}\n\n")
    assert ID in done.err


def test_silent_leaves_the_trace_and_no_trace_the_text(performed):
    error = Unreached("timeout", "silence", ID)
    silent = performed(error, "-s")
    assert "curl:" not in silent.err
    assert ID in silent.err
    assert performed(error, "--no-trace").err == "curl: (28) silence\n"
    assert performed(error, "-s", "--no-trace").err == ""


def test_a_failure_that_brings_its_own_trace_shows_that(performed, segment):
    explained = join([segment(flow_id="e" * 16, outcome=Outcome.REFUSED)])
    done = performed(Unreached("refused", "refused", trace=explained))
    assert "e" * 16 in done.err


def test_a_failure_that_nobody_saw_has_a_text_alone(performed):
    assert performed(Unreached("nxdomain", "nosuch: no such name")).err == (
        "curl: (6) nosuch: no such name\n"
    )


def test_an_answer_that_is_not_http_has_a_status_of_its_own(performed):
    done = performed(WireError("the answer is not HTTP"))
    assert (done.status, done.err) == (8, "curl: (8) the answer is not HTTP\n")


def test_a_datagram_is_sent_and_its_reply_put_out(performed, monkeypatch):
    sent: list[Any] = []

    async def send(access, place, host, port, payload, *, timeout_seconds):
        sent.append((host, port, payload, timeout_seconds))
        return SimpleNamespace(payload=b"12:00\n", flow_id=ID, seconds=0.01)

    monkeypatch.setattr(datagram, "send_datagram", send)
    done = performed(
        RESPONSE, "-d", "now", "-i", "-w", "%{http_code}", "--trace", url="udp://clock.shop:9999"
    )
    assert sent == [("clock.shop", 9999, b"now", 10.0)]
    assert (done.status, done.out) == (0, "12:00\n000")
    assert ID in done.err


@pytest.mark.parametrize("url", ["udp://clock.shop", "udp://:9999", "udp://clock:port", "udp://"])
def test_a_datagram_without_a_target_is_refused(performed, url):
    with pytest.raises(ConfigError, match=r"no URL|is not udp://HOST:PORT"):
        performed(RESPONSE, url=url)


def test_a_body_is_read_from_a_file_or_standard_input(tmp_path, monkeypatch):
    (tmp_path / "body").write_bytes(b"a\nb")
    assert curl._read_file(str(tmp_path / "body")) == b"a\nb"
    with pytest.raises(ConfigError, match=r"cannot read .*nowhere for the request's body: No such"):
        curl._read_file(str(tmp_path / "nowhere"))


def test_trace_and_no_trace_exclude_each_other(options_of, capsys):
    with pytest.raises(SystemExit):
        options_of("curl", URL, "--trace", "--no-trace")
