"""The workload `tcp`."""

import asyncio

from node_agent.workloads import tcp


async def test_what_is_sent_comes_back_and_a_half_close_ends_it(pods):
    started = pods.start(tcp, ports=[{"containerPort": 9000}])
    await started.said("listening on 0.0.0.0:9000/TCP")
    assert await pods.tcp(b"one\ntwo", port=9000) == b"one\ntwo"
    assert await started.end() == 0


async def test_a_client_that_resets_is_no_failure(pods):
    started = pods.start(tcp)
    await started.said("listening")

    async def reset():
        _, writer = await asyncio.open_connection("10.244.1.5", 8080)
        writer.write(b"x" * 100_000)
        writer.transport.abort()

    await pods.ask(reset)
    assert await pods.tcp(b"still here", port=8080) == b"still here"
    assert "Traceback" not in started.log.text()
