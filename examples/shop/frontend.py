"""The frontend: asks the cart by its Service's name; `image: python://shop.frontend:app`."""

from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

CART_URL = web.AppKey("cart_url", str)
SESSION = web.AppKey("session", aiohttp.ClientSession)


async def home(_: web.Request) -> web.Response:
    """A page that needs nobody else."""
    return web.Response(text="welcome to the shop\n")


async def cart(request: web.Request) -> web.Response:
    """The cart as the cart Service tells it; 502 when it cannot be reached."""
    try:
        async with request.app[SESSION].get(request.app[CART_URL]) as answer:
            return web.json_response({"cart": await answer.json()})
    except (aiohttp.ClientError, TimeoutError) as error:
        return web.json_response({"error": str(error) or type(error).__name__}, status=502)


async def session(application: web.Application) -> AsyncIterator[None]:
    """One client session for the life of the application.

    Each request gets a connection of its own, so that each shows in the traces.
    """
    connector = aiohttp.TCPConnector(force_close=True)
    timeout = aiohttp.ClientTimeout(total=2)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as opened:
        application[SESSION] = opened
        yield


def app() -> web.Application:
    """A fresh application for each container."""
    application = web.Application()
    application[CART_URL] = "http://cart/"
    application.cleanup_ctx.append(session)
    application.router.add_get("/", home)
    application.router.add_get("/cart", cart)
    return application
