"""Requests that are hardly any: paths, queries, headers, halves, and many at once."""

import itertools
import socket
import ssl

import pytest

from tests.processes.bad_input.raw import (
    JSON,
    MAPS,
    Control,
    answer_of,
    check,
    check_all,
    everything,
    exchange,
    head,
    opened,
    send,
)

ONE = f"{MAPS}/kube-root-ca.crt"
PODS = "/api/v1/namespaces/default/pods"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "BREW")
NAMES = (
    *(b"%ff", b"%ed%a0%80", b"%C3%28", b"%00", b"%", b"%zz", b"%2f", b"%2e%2e", b"..", b"."),
    *(b"a b", b"a\tb", b"\xff", b"%0d%0aX-Bad:%20y", b"a;b", b"a#b", b"a//b", b"%E2%80%AE"),
    *(b"x" * 5_000, b"%25" * 1_000, b"{}", b"*", b"'\"<script>"),
)
PATHS = (
    *(b"/%s", b"/api/%s", b"/apis/%s", b"/apis/%s/v1/things", b"/apis/apps/v1/%s"),
    *(b"/openapi/v3/%s", b"/api/v1/namespaces/%s", b"/api/v1/namespaces/%s/pods"),
    *(b"/api/v1/namespaces/default/pods/%s", b"/api/v1/namespaces/default/pods/%s/log"),
    *(b"/api/v1/namespaces/default/pods/x/%s", b"/api/v1/watch/%s", b"%s"),
)
PARAMETERS = (
    *("labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "timeoutSeconds"),
    *("resourceVersionMatch", "sendInitialEvents", "allowWatchBookmarks", "includeObject"),
    *("dryRun", "fieldManager", "fieldValidation", "force", "pretty", "gracePeriodSeconds"),
    *("propagationPolicy", "orphanDependents", "tailLines", "sinceSeconds", "container"),
)
VALUES = (
    *("", "%ff", "%ed%a0%80", "%00", "-1", "1_0", "%EF%BC%91", "9" * 30, "9" * 5_000, "1e3"),
    *("nan", "a,b", "a%3D", "a%20in%20(", "!a,,", "a%20notin%20()", "metadata.name", "%5C"),
    *("metadata.name%3Da,metadata.name%3Db", "spec.%ff%3D1", "%3D%3D%3D", "x%0d%0ay", "("),
    *("e30%3D", "WzEsMl0%3D", "WzFlOTksMl0%3D", "W251bGwsbnVsbF0%3D", "Exact", "NotOlderThan"),
)
QUERIED = (
    ("GET", MAPS),
    ("GET", f"{MAPS}?watch=true&resourceVersion=99999999999999999"),  # ends at once
    ("POST", MAPS),
    ("PATCH", ONE),
    ("DELETE", f"{MAPS}/none"),
    ("GET", f"{PODS}/none/log"),
)
HEADERS = (
    *(b"Accept", b"Content-Type", b"User-Agent", b"Authorization", b"Cookie", b"If-None-Match"),
    *(b"Impersonate-User", b"Impersonate-Uid", b"Impersonate-Extra-%ff", b"Impersonate-Group"),
    *(b"Content-Encoding", b"Transfer-Encoding", b"Content-Length", b"Connection", b"Upgrade"),
    *(b"Sec-WebSocket-Protocol", b"Sec-WebSocket-Key", b"X-Stream-Protocol-Version", b"Host"),
    *(b"X-HTTP-Method-Override", b"Audit-ID", b"X-Odd\xff", b"", b"Range"),
)
HEADER_VALUES = (
    *(b"", b"\xff", b"a\xff;b", b"\xed\xa0\x80", b"\x00", b"\x7f", b"=;q=,;as=Table;;", b"*/*;q=x"),
    *(b"application/json;as=Table;g=meta.k8s.io;v=v9", b"gzip, chunked", b"-1", b"9" * 100),
    *(b"Bearer \xff.e30.x", b"Basic ?", b"SPDY/3.1", b"websocket", b"x" * 20_000),
)
HALVES = (
    b"\x00" * 10 + b"\r\n\r\n",
    b"\r\n\r\n\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\n folded: x\r\n\r\n",
    b"GET http://elsewhere/api HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60) + b"\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
)


@pytest.mark.parametrize("path", PATHS)
def test_paths_of_every_kind(control: Control, path: bytes) -> None:
    methods = itertools.cycle(METHODS[:5])
    codes = check_all(
        ((method, name), send(control, method, path % name, b"{}"))
        for name, method in zip(NAMES, methods, strict=False)
    )
    assert codes <= {200, 400, 404, 405, 415, 422}


def test_methods_that_nobody_serves(control: Control) -> None:
    for method, path in itertools.product(METHODS[5:], ("/api", MAPS, ONE, PODS, "/nowhere")):
        with opened(control) as connection:
            request = head(method, path, b"Connection: close", length=0)
            connection.sendall(request)
            answered = everything(connection)
        code = int(answered.split(b" ", 2)[1])
        known = method not in ("get", "BREW")
        assert code in ((200, 404, 405) if known else (400,)), (method, path, code)


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_queries_of_every_kind(control: Control, parameter: str) -> None:
    apply, turns = "application/apply-patch+yaml", itertools.cycle((*QUERIED, QUERIED[1]))
    codes = check_all(
        (
            (value, method, path),
            send(
                control,
                method,
                f"{path}{'&' if '?' in path else '?'}{parameter}={value}",
                b'{"metadata":{"generateName":"x_"}}',  # which is no name
                apply if method == "PATCH" else JSON,
            ),
        )
        for value in VALUES
        for method, path in itertools.islice(turns, 2)
    )
    assert {404, 422} <= codes


@pytest.mark.parametrize("name", HEADERS)
def test_headers_of_every_kind(control: Control, name: bytes) -> None:
    body = b'{"metadata":{"generateName":"x_"}}'
    for value, path in itertools.product(HEADER_VALUES, (MAPS, f"{PODS}/none/exec?command=a")):
        data = head("POST", path, name + b": " + value, b"Connection: close", length=len(body))
        with opened(control) as connection:
            connection.sendall(data + body)
            connection.shutdown(socket.SHUT_WR)  # some of these promise more than they send
            answered = everything(connection)
        if answered:
            assert 300 <= int(answered.split(b" ", 2)[1]) < 500, (name, value, answered)
        assert b"Traceback" not in answered


def test_a_head_that_never_ends_is_ended(control: Control) -> None:
    with opened(control) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        try:
            for number in range(5_000):
                connection.sendall(b"X-Header-%d: %s\r\n" % (number, b"x" * 1_000))
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            pytest.fail("five million bytes of headers were read")


@pytest.mark.parametrize("half", HALVES)
def test_what_is_hardly_a_request(control: Control, half: bytes) -> None:
    with opened(control) as connection:
        connection.sendall(half)
        connection.shutdown(socket.SHUT_WR)
        answered = everything(connection)
    codes = [int(each[2:5]) for each in answered.split(b"HTTP/1.")[1:]]
    assert b"Traceback" not in answered
    assert all(200 <= code < 500 for code in codes), codes


def test_requests_that_come_all_at_once_are_answered_in_turn(control: Control) -> None:
    good = head("GET", ONE) + head("POST", MAPS, length=2) + b"[]" + head("GET", "/nowhere")
    last = head("GET", MAPS, b"Connection: close")
    with opened(control) as connection:
        connection.sendall(good * 100 + last)
        answered = everything(connection)
    codes = [each[:3] for each in answered.split(b"HTTP/1.1 ")[1:]]
    assert codes == [b"200", b"400", b"404"] * 100 + [b"200"]


def test_a_request_in_single_bytes_is_read(control: Control) -> None:
    body = b'{"metadata":{"name":"single-bytes"}}'
    typed = b"Content-Type: application/json"
    with opened(control) as connection:
        for byte in head("POST", f"{MAPS}?dryRun=All", typed, length=len(body)) + body:
            connection.sendall(bytes([byte]))
        assert answer_of(connection).code == 201


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", bytes(2_000), b""])
def test_what_is_no_tls_on_the_port_of_tls(control: Control, first: bytes) -> None:
    host, _, port = control.bind.rpartition(":")
    with socket.create_connection((host, int(port)), 30) as connection:
        connection.sendall(first)
        connection.shutdown(socket.SHUT_WR)
        everything(connection)
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, int(port)), 30) as connection:
        secured = trusting.wrap_socket(connection)
        secured.sendall(head("GET", MAPS, b"Authorization: Bearer \xff.\xff.\xff"))
        answer = answer_of(secured)
        secured.close()
    check(answer, "a token of nobody")
    assert answer.code in (400, 401)


def test_the_good_are_served_all_the_same(control: Control) -> None:
    assert exchange(control, head("GET", ONE)).code == 200
