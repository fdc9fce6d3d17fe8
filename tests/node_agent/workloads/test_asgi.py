"""The ASGI server: lifespan and HTTP."""

import asyncio
import json

import pytest

from node_agent.workloads.asgi import CHUNK_BYTES_MAX, Lifespan, serve_asgi


class Served:
    """Runs an ASGI application as a workload."""

    def __init__(self, app):
        self._app = app

    async def run(self, ctx):
        return await serve_asgi(ctx, self._app, 8080)


async def answer(send, body=b"", status=200, headers=(), more=False):
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def test_the_scope_says_what_was_asked(pods):
    async def app(scope, receive, send):
        assert scope["type"] == "http"
        told = {
            key: scope[key]
            for key in ("method", "path", "http_version", "scheme", "root_path", "client", "server")
        }
        told |= {key: scope[key].decode() for key in ("raw_path", "query_string")}
        told["agent"] = dict(scope["headers"])[b"x-asked-by"].decode()
        await answer(send, json.dumps(told).encode())

    await pods.start(Served(app)).said("listening")
    told = json.loads((await pods.http("/a%20b?q=%201", headers={"X-Asked-By": "me"}))[2])
    assert (told["method"], told["path"], told["raw_path"]) == ("GET", "/a b", "/a%20b")
    assert told["query_string"].startswith("q=")
    assert (told["http_version"], told["scheme"], told["root_path"]) == ("1.1", "http", "")
    assert told["client"][0] == "10.244.1.9"
    assert told["server"] == ["10.244.1.5", 8080]
    assert told["agent"] == "me"


async def test_a_body_arrives_in_chunks_and_goes_back_in_chunks(pods):
    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise NotImplementedError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            assert len(message["body"]) <= CHUNK_BYTES_MAX
            await send({"type": "http.response.body", "body": message["body"], "more_body": more})

    await pods.start(Served(app)).said("listening")
    data = "x" * (3 * CHUNK_BYTES_MAX + 1)
    assert (await pods.http("/", method="POST", data=data))[2] == data


async def test_status_and_headers_are_the_programs_but_not_those_of_one_hop(pods):
    async def app(scope, receive, send):
        headers = [(b"x-cart", b"3"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
        await answer(send, b"made", 201, [*headers, (b"Connection", b"close")])

    await pods.start(Served(app)).said("listening")
    status, headers, text = await pods.http("/")
    assert (status, text, headers["x-cart"]) == (201, "made", "3")
    assert headers.get("Connection") != "close"


async def test_after_the_body_a_receive_waits_for_the_end_of_the_response(pods):
    seen = []

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            return
        seen.append((await receive())["type"])
        later = asyncio.ensure_future(receive())
        await answer(send, b"ok")
        seen.append((await later)["type"])

    await pods.start(Served(app)).said("listening")
    await pods.http("/")
    assert seen == ["http.request", "http.disconnect"]


@pytest.mark.parametrize(
    "send_it",
    [
        lambda send: asyncio.sleep(0),
        lambda send: send({"type": "http.response.body", "body": b"too soon"}),
        lambda send: send({"type": "websocket.accept"}),
    ],
)
async def test_a_program_that_breaks_the_protocol_gets_500(pods, send_it):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            await send_it(send)

    await pods.start(Served(app)).said("listening")
    assert (await pods.http("/"))[0] == 500


async def test_web_sockets_are_refused_in_so_many_words(pods):
    async def app(scope, receive, send):
        raise AssertionError("not asked")

    await pods.start(Served(app)).said("listening")
    status, _, text = await pods.http("/", headers={"Upgrade": "websocket"})
    assert status == 501
    assert "WebSockets" in text


async def test_startup_runs_before_and_shutdown_after_serving(pods):
    seen = []

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            assert (await receive())["type"] == "lifespan.startup"
            scope["state"]["greeting"] = "hello"
            seen.append("startup")
            await send({"type": "lifespan.startup.complete"})
            assert (await receive())["type"] == "lifespan.shutdown"
            seen.append("shutdown")
            await send({"type": "lifespan.shutdown.complete"})
            return
        await answer(send, scope["state"]["greeting"].encode())

    started = pods.start(Served(app))
    await started.said("listening")
    assert seen == ["startup"]
    assert (await pods.http("/"))[2] == "hello"
    assert await started.end() == 0
    assert seen == ["startup", "shutdown"]


async def test_a_startup_that_fails_ends_the_container(pods):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    started = pods.start(Served(app))
    assert await started.exit_code() == 1
    assert "application startup failed: no database" in started.log.text()


async def test_an_application_that_raises_at_startup_is_served_all_the_same():
    """ASGI: it does not know lifespan."""

    async def app(scope, receive, send):
        raise AssertionError("only http")

    lifespan = Lifespan(app)
    assert await lifespan.startup() == ""
    await lifespan.shutdown()


async def test_an_application_that_ends_in_its_lifespan_is_served_all_the_same(pods):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            await answer(send, b"here")

    started = pods.start(Served(app))
    await started.said("listening")
    assert (await pods.http("/"))[2] == "here"
    assert await started.end() == 0


async def test_a_shutdown_that_fails_does_not_hang_the_container(pods):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        raise ValueError("in shutdown")

    started = pods.start(Served(app))
    await started.said("listening")
    assert await started.end() == 0
