"""The workload `echo`."""

import json

from node_agent.workloads import echo


async def test_it_tells_what_it_saw_and_where_it_runs(pods):
    """P-2: the client's address is the client pod's own."""
    started = pods.start(echo)
    await started.said("listening on 0.0.0.0:8080")
    status, _, text = await pods.http("/cart?a=1", method="POST", data=b"hello")
    told = json.loads(text)
    assert status == 200
    assert (told["method"], told["path"], told["query"]) == ("POST", "/cart", {"a": "1"})
    assert told["body"] == "hello"
    assert told["client"].startswith("10.244.1.9:")
    where = {"pod": "web-1", "namespace": "shop", "node": "node-1", "podIP": "10.244.1.5"}
    assert where.items() <= told.items()


async def test_the_status_may_be_chosen_and_nonsense_is_not(pods):
    await pods.start(echo).said("listening")
    assert (await pods.http("/?status=503"))[0] == 503
    assert (await pods.http("/?status=9999"))[0] == 200


async def test_a_long_body_is_cut(pods):
    await pods.start(echo).said("listening")
    _, _, text = await pods.http("/", method="PUT", data=b"x" * (echo.BODY_BYTES_MAX + 10))
    assert len(json.loads(text)["body"]) <= echo.BODY_BYTES_MAX


async def test_it_ends_in_order_at_sigterm(pods):
    started = pods.start(echo, ports=[{"containerPort": 9000}])
    await started.said("listening on 0.0.0.0:9000")
    assert await started.end() == 0
