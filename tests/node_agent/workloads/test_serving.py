"""How built-in workloads listen."""

import asyncio

from aiohttp import web

from node_agent.workloads import echo
from node_agent.workloads.serving import client_of, serve_app, serve_handler


async def hello(request):
    return web.Response(text="hello")


class TwoPorts:
    async def run(self, ctx):
        return await serve_handler(ctx, hello, [80, 81])


async def test_one_handler_on_several_ports(pods):
    started = pods.start(TwoPorts())
    await started.said("listening on 0.0.0.0:81")
    assert started.log.text() == "listening on 0.0.0.0:80\nlistening on 0.0.0.0:81\n"
    assert [(await pods.http("/", port=port))[2] for port in (80, 81)] == ["hello", "hello"]
    assert await started.end() == 0
    assert pods.network("10.244.1.5").listening() == frozenset()


async def test_a_port_that_is_taken_fails_the_container(pods):
    """P-6."""
    await pods.start(echo).said("listening")
    second = pods.start(echo)
    assert await second.exit_code() == 1
    assert "address already in use" in second.program.failure.lower()


class App:
    """An application that tells of its start and end."""

    def __init__(self):
        self.seen = []

    async def run(self, ctx):
        app = web.Application()
        app.on_startup.append(self._note("startup"))
        app.on_cleanup.append(self._note("cleanup"))
        app.router.add_get("/", hello)
        return await serve_app(ctx, app, [8080])

    def _note(self, what):
        async def note(app):
            self.seen.append(what)

        return note


async def test_an_application_is_started_and_cleaned_up(pods):
    app = App()
    started = pods.start(app)
    await started.said("listening")
    assert (await pods.http("/"))[0] == 200
    assert await started.end() == 0
    assert app.seen == ["startup", "cleanup"]


async def test_a_request_in_flight_is_answered_before_the_end(pods):
    """P-62: established connections live until the process exits."""
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request):
        arrived.set()
        await go_on.wait()
        return web.Response(text="done")

    class Slow:
        async def run(self, ctx):
            return await serve_handler(ctx, slow, [8080])

    started = pods.start(Slow())
    await started.said("listening")
    asking = asyncio.ensure_future(pods.http("/"))
    await asyncio.wait_for(arrived.wait(), 5)
    ending = asyncio.ensure_future(started.end())
    go_on.set()
    assert (await asking)[2] == "done"
    assert await ending == 0


def test_a_client_that_has_left_has_no_address():
    class Request:
        transport = None

    assert client_of(Request()) == ""
