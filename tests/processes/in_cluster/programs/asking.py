"""A program in a pod that asks the API as its own ServiceAccount, with two libraries.

It would run in a real cluster as it is: there $KUBEHOP_ROOT is not set, and its files are at `/`.
"""

import os
import ssl
from pathlib import Path

import aiohttp
from aiohttp import web
from kubernetes_asyncio.client import ApiClient, ApiException, Configuration, CoreV1Api
from kubernetes_asyncio.config import load_incluster_config

FILES = Path(os.environ.get("KUBEHOP_ROOT", "/"), "var/run/secrets/kubernetes.io/serviceaccount")
NAMES = ("kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "10.96.0.1")


async def by_library(request: web.Request) -> web.Response:
    """The pods of a namespace, by kubernetes_asyncio and the environment."""
    configuration = Configuration()
    load_incluster_config(
        configuration, token_filename=str(FILES / "token"), cert_filename=str(FILES / "ca.crt")
    )
    namespace = request.query.get("namespace") or (FILES / "namespace").read_text()
    async with ApiClient(configuration) as client:
        try:
            found = await CoreV1Api(client).list_namespaced_pod(namespace)
        except ApiException as error:
            return web.Response(status=error.status, text=error.body)
        names = [each.metadata.name for each in found.items]
        return web.json_response({"host": configuration.host, "pods": names})


async def by_hand(request: web.Request) -> web.Response:
    """The pods of its namespace, by aiohttp: each name of the API server is one it vouches for."""
    headers = {"Authorization": f"Bearer {(FILES / 'token').read_text()}"}
    namespace = (FILES / "namespace").read_text()
    vouched = ssl.create_default_context(cafile=FILES / "ca.crt")
    told = {}
    async with aiohttp.ClientSession(headers=headers) as session:
        for name in NAMES:
            url = f"https://{name}:443/api/v1/namespaces/{namespace}/pods"
            async with session.get(url, ssl=vouched) as answer:
                document = await answer.json()
            items = document.get("items", ())
            told[name] = [answer.status, [each["metadata"]["name"] for each in items]]
    return web.json_response(told)


async def strangers_name(request: web.Request) -> web.Response:
    """What comes of taking the API server for another."""
    vouched = ssl.create_default_context(cafile=FILES / "ca.crt")
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(
                "https://10.96.0.1/", ssl=vouched, server_hostname="bank.example.com"
            ) as answer:
                return web.Response(text=f"trusted: {answer.status}")
        except aiohttp.ClientConnectorCertificateError as error:
            return web.Response(text=f"refused: {error.certificate_error}")


app = web.Application()
app.router.add_get("/library", by_library)
app.router.add_get("/hand", by_hand)
app.router.add_get("/stranger", strangers_name)
