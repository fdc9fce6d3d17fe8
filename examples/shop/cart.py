"""The cart: a plain aiohttp application; `image: python://shop.cart:app`."""

import os

from aiohttp import web

ITEMS = [{"item": "rope", "count": 2}, {"item": "lantern", "count": 1}]


async def cart(request: web.Request) -> web.Response:
    """What lies in the cart, and who asked whom."""
    return web.json_response(
        {"items": ITEMS, "servedBy": os.environ.get("HOSTNAME", ""), "client": request.remote}
    )


async def health(_: web.Request) -> web.Response:
    """For the readiness probe."""
    return web.Response(text="ok")


def app() -> web.Application:
    """A fresh application for each container."""
    application = web.Application()
    application.router.add_get("/", cart)
    application.router.add_get("/healthz", health)
    return application
