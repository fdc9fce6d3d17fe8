"""python://module:attribute: the user's own program inside the pod."""

import asyncio
import json
import textwrap
from pathlib import Path

import pytest

from node_agent.workloads import python
from node_agent.workloads.python import is_asgi

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@pytest.fixture
def program(pods, tmp_path):
    """Write a module and start it."""

    def program(text, target="shop:app", **given):
        (tmp_path / "shop.py").write_text(textwrap.dedent(text))
        return pods.start(python, target=target, **given)

    return program


AIOHTTP = """
    from aiohttp import web

    visits = []

    async def home(request):
        visits.append(request.remote)
        return web.json_response({"visits": len(visits), "from": request.remote})

    app = web.Application()
    app.router.add_get("/", home)
"""


async def test_an_aiohttp_application_is_served(pods, program):
    started = program(AIOHTTP)
    await started.said("listening on 0.0.0.0:8080")
    status, _, text = await pods.http("/")
    assert (status, json.loads(text)) == (200, {"visits": 1, "from": "10.244.1.9"})
    assert await started.end() == 0


async def test_two_pods_of_one_module_share_neither_application_nor_globals(pods, program):
    await program(AIOHTTP).said("listening")
    await program(AIOHTTP, ip="10.244.1.6").said("listening")
    assert json.loads((await pods.http("/"))[2])["visits"] == 1
    assert json.loads((await pods.http("/"))[2])["visits"] == 2
    assert json.loads((await pods.http("/", ip="10.244.1.6"))[2])["visits"] == 1


async def test_a_restart_begins_with_fresh_modules_and_changed_files(pods, program):
    first = program(AIOHTTP)
    await first.said("listening")
    await pods.http("/")
    assert await first.end() == 0
    await program(AIOHTTP.replace('"visits": len', '"count": len')).said("listening")
    assert json.loads((await pods.http("/"))[2])["count"] == 1


async def test_an_asgi_application_is_served(pods, program):
    await program(
        """
        async def app(scope, receive, send):
            if scope["type"] == "lifespan":
                return
            body = scope["path"].encode()
            await send({"type": "http.response.start", "status": 201, "headers": []})
            await send({"type": "http.response.body", "body": body})
        """
    ).said("listening")
    status, _, text = await pods.http("/cart")
    assert (status, text) == (201, "/cart")


async def test_an_object_with_an_asgi_call_is_one_too(pods, program):
    await program(
        """
        class App:
            async def __call__(self, scope, receive, send):
                await send({"type": "http.response.start", "status": 204})
                await send({"type": "http.response.body"})

        app = App()
        """
    ).said("listening")
    assert (await pods.http("/"))[0] == 204


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("async def app():\n    return 3", 3),
        ("async def app():\n    pass", 0),
        ("async def app(ctx):\n    return len(ctx.words)", 2),
        ("async def app(ctx=None, *, more=1):\n    return 0 if ctx is None else 9", 0),
        ("def app():\n    return 5", 5),
    ],
)
async def test_a_function_runs_with_the_context_or_nothing(pods, tmp_path, text, code):
    (tmp_path / "shop.py").write_text(text)
    assert await pods.start(python, "two", "words", target="shop:app").exit_code() == code


FACTORY = """
    from aiohttp import web

    def made(name):
        async def answer(request):
            return web.Response(text=name)

        app = web.Application()
        app.router.add_get("/", answer)
        return app

    def plain():
        return made("plain")

    class Factory:
        @staticmethod
        async def awaited(ctx):
            return made(ctx.pod_name)
"""


@pytest.mark.parametrize(
    ("target", "text"), [("shop:plain", "plain"), ("shop:Factory.awaited", "web-1")]
)
async def test_a_function_may_return_an_application(pods, program, target, text):
    await program(FACTORY, target=target).said("listening")
    assert (await pods.http("/"))[2] == text


async def test_the_port_is_chosen_as_for_every_workload(program):
    await program(AIOHTTP, env={"PORT": "9001"}).said("listening on 0.0.0.0:9001")


@pytest.mark.parametrize(
    ("text", "target", "last"),
    [
        ("import shop_missing", "shop:app", "ModuleNotFoundError: No module named 'shop_missing'"),
        ("x = 1 +", "shop:app", "SyntaxError: invalid syntax"),
        ("1 / 0", "shop:app", "ZeroDivisionError: division by zero"),
        ("", "shop:app", "AttributeError: module 'shop' has no attribute 'app'"),
        ("raise SystemExit('not today')", "shop:app", "not today"),
    ],
)
async def test_what_fails_while_importing_is_log_and_failure(program, text, target, last):
    started = program(text, target=target)
    assert await started.exit_code() == 1
    assert started.log.text().rstrip().splitlines()[-1] == last
    assert started.program.failure == started.log.text()
    assert "node_agent" not in started.log.text()


async def test_a_module_that_is_not_there_says_where_it_was_looked_for(pods, tmp_path):
    started = pods.start(python, target="carts:app")
    assert await started.exit_code() == 1
    assert "ModuleNotFoundError: No module named 'carts'" in started.log.text()
    where = f"looked for carts in {tmp_path}: --app-dir names another"
    assert where in started.log.text()


async def test_an_exception_of_the_program_is_its_failure(program):
    started = program("async def app():\n    raise ValueError('empty cart')")
    assert await started.exit_code() == 1
    assert 'shop.py", line 2, in app' in started.program.failure
    assert started.program.failure.endswith("ValueError: empty cart\n")


@pytest.mark.parametrize(
    ("text", "what"), [("app = 3", "int"), ("def app(a, b):\n    pass", "function")]
)
async def test_what_cannot_be_run_says_what_could(program, text, what):
    started = program(text)
    assert await started.exit_code() == 1
    assert started.log.text().startswith(f"python://shop:app is a {what}: expected an aiohttp")


async def test_the_example_shop(pods):
    """The frontend asks the cart by name: here the name is in the client's hosts."""
    pods.app_dir = str(EXAMPLES)
    pods.fabric.pod("frontend", "10.244.1.20", {"cart": "10.244.1.21"})
    pods._networks["10.244.1.20"] = pods.fabric.pods["10.244.1.20"]
    await pods.start(python, target="shop.cart:app", ip="10.244.1.21", env={"PORT": "80"}).said(
        "listening"
    )
    await pods.start(python, target="shop.frontend:app", ip="10.244.1.20").said("listening")
    status, _, text = await pods.http("/cart", ip="10.244.1.20")
    told = json.loads(text)
    assert status == 200, told
    assert told["cart"]["client"] == "10.244.1.20"
    assert told["cart"]["servedBy"] == "web-1"


async def asgi(scope, receive, send):
    """An ASGI application by its shape."""


@pytest.mark.parametrize(
    ("program", "claim"),
    [(asgi, True), (lambda a, b, c: None, False), (asyncio.Queue, False), (7, False)],
)
def test_asgi_is_known_by_its_shape(program, claim):
    assert is_asgi(program) is claim
