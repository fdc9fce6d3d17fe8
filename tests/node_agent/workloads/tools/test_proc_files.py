"""/proc, made when it is read."""

import pytest

from node_agent.cni.pod_context import POD
from node_agent.workloads.tools.proc_files import sockets


class Connections:
    def names(self):
        return [(("10.244.1.5", 40000), ("10.96.0.10", 80))]


class Network:
    connections = Connections()

    def listening(self):
        return frozenset({("TCP", "0.0.0.0", 8080), ("UDP", "127.0.0.1", 53)})


@pytest.fixture
def network():
    token = POD.set(Network())  # type: ignore[arg-type]
    yield
    POD.reset(token)


def test_sockets_as_the_kernel_writes_them(network):
    head, *rows = sockets("TCP").splitlines()
    assert head.split()[:4] == ["sl", "local_address", "rem_address", "st"]
    assert [row.split()[1:4] for row in rows] == [
        ["00000000:1F90", "00000000:0000", "0A"],
        ["0501F40A:9C40", "0A00600A:0050", "01"],
    ]
    (row,) = sockets("UDP").splitlines()[1:]
    assert row.split()[1:4] == ["0100007F:0035", "00000000:0000", "07"]


async def test_a_container_reads_them(container):
    assert (await container.sh("wc -l < /proc/net/tcp")).out.strip() == "1"
    assert (await container.sh("cat /proc/1/comm")).out == "app\n"
    assert (await container.sh("cut -d' ' -f1 /proc/version")).out == "Linux\n"
    assert (await container.sh("echo x > /proc/net/tcp")).code == 1
