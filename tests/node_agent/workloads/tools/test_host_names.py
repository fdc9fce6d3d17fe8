"""hostname and getent in a pod."""

from typing import Any

import pytest

from node_agent.workloads.tools.host_names import canonical, own_name

IP = "10.244.1.5"


def test_the_full_name_stands_first_in_the_line_of_the_address() -> None:
    hosts = f"127.0.0.1 localhost\n{IP}\tweb-0.web.shop.svc.cluster.local\tweb-0\n"
    assert own_name(hosts, IP, "web-0") == "web-0.web.shop.svc.cluster.local"
    assert own_name(hosts, "10.0.0.1", "other") == "other"


def test_the_name_that_led_to_an_address() -> None:
    queries = [
        {"name": "web.default.svc.cluster.local", "answers": []},
        {"name": "web.svc.cluster.local", "answers": ["10.96.0.20"]},
    ]
    resolved = {"name": "web", "queries": queries}
    assert canonical(resolved, "10.96.0.20", "web") == "web.svc.cluster.local"
    assert canonical(None, "10.96.0.20", "web") == "web"


@pytest.mark.parametrize(
    ("words", "out"),
    [([], "web\n"), (["-i"], f"{IP}\n"), (["-I"], f"{IP} \n"), (["-f"], "web.shop.svc\n"),
     (["-d"], "shop.svc\n"), (["-s"], "web\n")],
)  # fmt: skip
async def test_hostname(podded: Any, words: list[str], out: str) -> None:
    web = podded("web", IP)
    web.put("/etc/hosts", f"{IP}\tweb.shop.svc\tweb\n")
    assert (await web.run("hostname", *words)).out == out


async def test_hostname_is_not_changed(podded: Any) -> None:
    result = await podded("web", IP).run("hostname", "other")
    assert (result.code, result.err) == (1, "hostname: you must be root to change the host name\n")


async def test_getent(podded: Any) -> None:
    web = podded("web", IP, hosts={"db": "10.244.1.7"})
    assert (await web.run("getent", "hosts", "db")).out == "10.244.1.7      db\n"
    assert (await web.run("getent", "ahosts", "db")).out.splitlines()[:2] == [
        "10.244.1.7      STREAM db", "10.244.1.7      DGRAM  ",
    ]  # fmt: skip
    assert (await web.run("getent", "hosts", "nowhere")).code == 2
    assert (await web.run("getent", "passwd", "root")).out.startswith("root:x:0:0:")
