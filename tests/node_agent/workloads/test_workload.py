"""What a program is given."""

import asyncio
import io

import pytest

from node_agent.workloads.workload import ContainerContext, ContainerPort, option


def context(*, args=(), command=(), env=None, ports=()):
    return ContainerContext(
        pod={"metadata": {"name": "web-1", "namespace": "shop"}},
        container={"name": "app", "image": "echo:1", "ports": list(ports)},
        args=args,
        command=command,
        env=env or {},
        stdout=io.StringIO(),
        stderr=io.StringIO(),
    )


def test_names_come_from_the_documents():
    ctx = context(command=("run",), args=("-v",))
    assert (ctx.name, ctx.pod_name, ctx.namespace, ctx.image) == ("app", "web-1", "shop", "echo:1")
    assert ctx.words == ("run", "-v")


def test_declared_ports_in_order():
    """P-9."""
    ctx = context(
        ports=[{"containerPort": 80, "name": "web"}, {"containerPort": 53, "protocol": "UDP"}]
    )
    assert ctx.ports == (ContainerPort(80, "TCP", "web"), ContainerPort(53, "UDP"))
    assert [str(port) for port in ctx.ports] == ["80/TCP", "53/UDP"]


@pytest.mark.parametrize(
    ("args", "env", "ports", "protocol", "port"),
    [
        ((), {}, (), "TCP", 8080),
        ((), {}, ({"containerPort": 90},), "TCP", 90),
        ((), {}, ({"containerPort": 90},), "UDP", 8080),
        ((), {"PORT": "91"}, ({"containerPort": 90},), "TCP", 91),
        ((), {"PORT": "tcp://10.96.0.1:80"}, ({"containerPort": 90},), "TCP", 90),
        (("--port", "92"), {"PORT": "91"}, (), "TCP", 92),
        (("-p=93",), {}, (), "TCP", 93),
    ],
)
def test_where_to_listen(args, env, ports, protocol, port):
    assert context(args=args, env=env, ports=ports).port(protocol) == port


def test_an_option_without_its_value_is_not_there():
    assert option(["--port"], "--port") == ""
    assert option(["--portal=1"], "--port") == ""


async def test_who_waits_for_sigterm_catches_it():
    ctx = context()
    assert not ctx.catches_termination
    waiting = asyncio.ensure_future(ctx.until_terminated())
    await asyncio.sleep(0)
    assert ctx.catches_termination
    ctx.terminate()
    await waiting
