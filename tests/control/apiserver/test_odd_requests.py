"""Whatever a client sends: it is done or refused in words, never a fault of the server."""

import asyncio
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster.errors import ApiError
from control.apiserver.codec import Accepted
from control.apiserver.paths import parse_path
from control.apiserver.reads import Reader
from control.apiserver.registry import Registry
from control.apiserver.writes import Request, Writer
from control.resources.kinds import find_kind
from control.resources.service_addresses import ServiceAddresses
from control.store.journal import NoJournal
from control.store.store import Store

JSON, JSON_PATCH = "application/json", "application/json-patch+json"
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"

SHOP = "/api/v1/namespaces/shop"
CART = "/apis/apps/v1/namespaces/shop/deployments/cart"
POD_SPEC = {"containers": [{"name": "web", "image": "echo"}]}
DEPLOYMENT = {
    "metadata": {"name": "cart"},
    "spec": {
        "selector": {"matchLabels": {"app": "cart"}},
        "template": {"metadata": {"labels": {"app": "cart"}}, "spec": POD_SPEC},
    },
}
FIRST = (
    ("/api/v1/namespaces", {"metadata": {"name": "shop"}}),
    (f"{SHOP}/configmaps", {"metadata": {"name": "one"}}),
    (f"{SHOP}/pods", {"metadata": {"name": "web"}, "spec": POD_SPEC}),
    (f"{SHOP}/pods/web/binding", {"target": {"name": "node-1"}}),
    ("/apis/apps/v1/namespaces/shop/deployments", DEPLOYMENT),
)
WRITES = (
    ("POST", f"{SHOP}/configmaps"),
    ("PUT", f"{SHOP}/configmaps/one"),
    ("PATCH", f"{SHOP}/configmaps/one"),
    ("DELETE", f"{SHOP}/configmaps/one"),
    ("DELETE", f"{SHOP}/configmaps"),
    ("POST", f"{SHOP}/pods"),
    ("PATCH", f"{SHOP}/pods/web"),
    ("PUT", f"{SHOP}/pods/web/status"),
    ("POST", f"{SHOP}/pods/web/binding"),
    ("DELETE", f"{SHOP}/pods/web"),
    ("PUT", f"{CART}/scale"),
    ("PATCH", f"{CART}/scale"),
    ("PATCH", CART),
    ("PUT", f"{SHOP}/finalize"),
    ("PATCH", SHOP),
    ("DELETE", SHOP),
)

KEYS = st.sampled_from(
    (
        *("metadata", "spec", "status", "name", "replicas", "data", "labels", "finalizers"),
        *("preconditions", "uid", "dryRun", "gracePeriodSeconds", "propagationPolicy", "target"),
        *("kind", "apiVersion", "resourceVersion", "op", "path", "value", "$patch", "x\r\ny"),
    )
)
NUMBERS = st.sampled_from([-1, 0, 1, 2**31, 2**63, 2**70, 1e308, -1.5])
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "one", "All", "a\r\nb: c"])
BODIES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


class StillClock:
    scale = 1.0

    def now(self) -> float:
        return 1_767_268_800.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here sleeps")


class World:
    """One writer over a store of its own, with something to write at."""

    def __init__(self) -> None:
        addresses = ServiceAddresses("10.96.0.0/16", lambda count: 0)
        registry = Registry(Store(NoJournal()), addresses, StillClock(), random.Random(1))
        self._writer = Writer(registry, Reader(registry, StillClock()))

    async def start(self) -> "World":
        for path, body in FIRST:
            await self.send("POST", path, body)
        return self

    async def send(self, method: str, path: str, body: Any, content_type: str = JSON) -> int:
        """The code of the answer; an ApiError is one that the client sees."""
        where = parse_path(path)
        kind = find_kind(where.group, where.version, where.plural) if where else None
        assert where is not None and kind is not None
        request = Request(
            kind, where, {}, content_type, json.dumps(body).encode(), Accepted(), "test/1"
        )
        write = getattr(self._writer, method.lower())
        try:
            return int((await write(request)).code)
        except ApiError as error:
            json.dumps(error.status)
            return error.code


@pytest.mark.parametrize(("method", "path"), WRITES)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_body_makes_the_server_stumble(method: str, path: str, data: st.DataObject) -> None:
    types = [JSON_PATCH, MERGE, STRATEGIC] if method == "PATCH" else [JSON]
    body, content_type = data.draw(BODIES), data.draw(st.sampled_from(types))

    async def play() -> int:
        return await (await World().start()).send(method, path, body, content_type)

    assert asyncio.run(play()) < 500


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("DELETE", f"{SHOP}/configmaps/one", {"preconditions": "now"}, 400),
        ("DELETE", f"{SHOP}/configmaps/one", {"dryRun": 1}, 400),
        ("DELETE", f"{SHOP}/configmaps/one", {"dryRun": ["All", 2]}, 400),
        ("DELETE", f"{SHOP}/configmaps/one", {"propagationPolicy": ["Orphan"]}, 422),
        ("DELETE", f"{SHOP}/pods/web", {"gracePeriodSeconds": "soon"}, 400),
        ("DELETE", f"{SHOP}/pods/web", {"gracePeriodSeconds": 2**70}, 200),
        ("PUT", f"{CART}/scale", {"spec": 5}, 400),
        ("PUT", f"{CART}/scale", {"spec": {"replicas": "many"}}, 400),
        ("PUT", f"{CART}/scale", {"spec": {"replicas": -1}}, 422),
    ],
)
async def test_what_is_no_option_is_said_to_be_none(
    method: str, path: str, body: Any, code: int
) -> None:
    assert await (await World().start()).send(method, path, body) == code


async def test_a_pod_that_wants_longer_than_the_calendar_is_given_what_there_is() -> None:
    world = await World().start()
    spec = {**POD_SPEC, "terminationGracePeriodSeconds": 2**40}
    assert await world.send("POST", f"{SHOP}/pods", {"metadata": {"name": "old"}, "spec": spec})
    await world.send("POST", f"{SHOP}/pods/old/binding", {"target": {"name": "node-1"}})
    assert await world.send("DELETE", f"{SHOP}/pods/old", {}) == 200


async def test_a_scale_that_a_patch_makes_nonsense_is_refused() -> None:
    world = await World().start()
    for patch in ({"metadata": 5}, {"spec": True}, {"spec": {"replicas": ""}}):
        assert await world.send("PATCH", f"{CART}/scale", patch, MERGE) == 400
