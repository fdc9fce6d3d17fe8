"""The cart: a plain aiohttp application; `image: python://shop.cart:app`."""

import asyncio
import os

from aiohttp import web

ITEMS = [{"item": "rope", "count": 2}, {"item": "lantern", "count": 1}]
DRAINING = web.AppKey("draining", asyncio.Event)


async def cart(request: web.Request) -> web.Response:
    """What lies in the cart, and who asked whom."""
    return web.json_response(
        {"items": ITEMS, "servedBy": os.environ.get("HOSTNAME", ""), "client": request.remote}
    )


async def health(request: web.Request) -> web.Response:
    """For the readiness probe."""
    if request.app[DRAINING].is_set():
        return web.Response(status=503, text="draining\n")
    return web.Response(text="ok\n")


async def drain(request: web.Request) -> web.Response:
    """Whoever maintains the shop: from now on not ready, yet still at work."""
    request.app[DRAINING].set()
    return web.Response(text="draining\n")


def app() -> web.Application:
    """A fresh application for each container."""
    application = web.Application()
    application[DRAINING] = asyncio.Event()
    application.router.add_get("/", cart)
    application.router.add_get("/healthz", health)
    application.router.add_post("/drain", drain)
    return application
