"""/containerLogs as `kubectl logs` asks it."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from cluster.objects.resources import PODS


@pytest.fixture
async def get(kubelet, api, field):
    runner = web.AppRunner(kubelet.app(), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

        async def get(path, **query):
            async with session.get("/containerLogs/" + path, params=query) as answer:
                return answer.status, await answer.text()

        get.session = session
        yield get
    await runner.cleanup()


@pytest.fixture
async def worker(kubelet, api, field):
    kubelet.pods.pod_changed(None, api.put(PODS, field.pod()))
    found = kubelet.pods.find("shop", "web")
    await field.until(lambda: found.runs.live())
    for number in range(3):
        print(f"line {number}", file=found.runs.logs["app"].current.stdout)
    return found


async def test_the_log_of_a_container(get, worker):
    assert await get("shop/web/app") == (200, "line 0\nline 1\nline 2\n")


async def test_tail_limit_and_time_stamps(get, worker):
    assert await get("shop/web/app", tailLines="1") == (200, "line 2\n")
    assert await get("shop/web/app", limitBytes="4") == (200, "line")
    _, text = await get("shop/web/app", timestamps="true", tailLines="1")
    assert text == "2027-01-15T08:00:00.000000000Z line 2\n"


async def test_since(get, worker, clock):
    await clock.advance(60)
    print("later", file=worker.runs.logs["app"].current.stdout)
    assert await get("shop/web/app", sinceSeconds="30") == (200, "later\n")
    assert await get("shop/web/app", sinceTime="2027-01-15T08:00:30Z") == (200, "later\n")


async def test_a_follower_gets_lines_until_the_container_ends(get, worker):
    async with get.session.get("/containerLogs/shop/web/app", params={"follow": "true"}) as answer:
        async with asyncio.timeout(5):
            assert await answer.content.readline() == b"line 0\n"
            print("more", file=worker.runs.logs["app"].current.stdout)
            lines = [await answer.content.readline() for _ in range(3)]
            assert lines[-1] == b"more\n"
            worker.runs.live()[0].program.kill()
            assert await answer.content.read() == b""


async def test_the_run_before(get, worker, field):
    status, text = await get("shop/web/app", previous="true")
    assert (status, text) == (
        400,
        'previous terminated container "app" in pod "web" not found',
    )
    worker.runs.live()[0].program.kill()
    await field.until(lambda: worker.runs.records["app"].restarts == 1)
    assert await get("shop/web/app", previous="true") == (200, "line 0\nline 1\nline 2\n")


async def test_a_container_that_waits(get, kubelet, api, field):
    image = {"name": "app", "image": "python://nothing"}
    kubelet.pods.pod_changed(None, api.put(PODS, field.pod(containers=[image])))
    worker = kubelet.pods.find("shop", "web")
    await field.until(lambda: worker.runs.retry_at)
    assert await get("shop/web/app") == (
        400,
        'container "app" in pod "web" is waiting to start: InvalidImageName',
    )


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("shop/other/app", {}, 404),
        ("shop/web/other", {}, 400),
        ("shop/web/app", {"tailLines": "-1"}, 400),
        ("shop/web/app", {"sinceTime": "yesterday"}, 400),
    ],
)
async def test_requests_that_cannot_be_answered(get, worker, path, query, code):
    assert (await get(path, **query))[0] == code


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"limitBytes": "0"}, "limitBytes='0' is not a whole number of at least 1"),
        ({"sinceSeconds": "0"}, "sinceSeconds='0' is not a whole number of at least 1"),
        ({"tailLines": "all"}, "tailLines='all' is not a whole number of at least 0"),
        (
            {"sinceSeconds": "1", "sinceTime": "2027-01-15T08:00:30Z"},
            "at most one of sinceTime or sinceSeconds may be specified",
        ),
    ],
)
async def test_what_is_wrong_with_a_query_is_said(get, worker, query, text):
    assert await get("shop/web/app", **query) == (400, text)


async def test_no_line_may_be_wanted(get, worker):
    assert await get("shop/web/app", tailLines="0") == (200, "")


async def test_one_stream_may_be_wanted(get, worker):
    print("oops", file=worker.runs.logs["app"].current.stderr)
    assert await get("shop/web/app", stream="Stderr") == (200, "oops\n")


async def test_a_follower_that_has_left_is_forgotten_though_nothing_is_printed(
    get, worker, clock, field
):
    def followers():
        return [t for t in asyncio.all_tasks() if "LogRoutes._client_left" in repr(t.get_coro())]

    params = {"follow": "true"}
    async with get.session.get("/containerLogs/shop/web/app", params=params) as answer:
        assert await answer.content.readline() == b"line 0\n"
        assert len(followers()) == 1
        answer.close()
    for _ in range(3):
        await clock.advance(5)
    await field.until(lambda: not followers())
