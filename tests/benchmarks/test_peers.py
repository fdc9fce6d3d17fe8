"""What is asked of peers, and what they say, as text: no peer need be installed for these."""

import json
import socket
from pathlib import Path

import pytest

from tests.benchmarks.peers import chains, configurations
from tests.benchmarks.peers.ports import free_port, is_served
from tests.benchmarks.peers.wrk import parse, wrk

LISTEN, TARGET = ("127.0.0.1", 20_000), ("127.64.0.1", 80)
SAID = """Running 2s test @ http://127.0.0.1:20000/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.95ms    1.20ms  20.10ms   90.12%
    Req/Sec    10.71k     1.01k   12.00k    80.00%
  Latency Distribution
     50%  709.00us
     75%    1.10ms
     90%    2.00ms
     99%    4.16ms
  21312 requests in 2.00s, 2.10MB read
"""
END = "Requests/sec:  10650.50\nTransfer/sec:      1.05MB\n"


def test_what_wrk_says_becomes_numbers() -> None:
    ran = parse(SAID + END, cpu=0.5)
    assert (ran.requests, ran.per_second) == (21312, 10650.5)
    assert (ran.p50, ran.p99) == pytest.approx((709e-6, 4.16e-3))
    assert (ran.lost, ran.cpu) == (0, 0.5)


def test_errors_that_wrk_saw_are_counted() -> None:
    errors = "  Socket errors: connect 1, read 20, write 300, timeout 4000\n"
    ran = parse(SAID + errors + "  Non-2xx or 3xx responses: 7\n" + END, cpu=0.5)
    assert (ran.failed, ran.wrong, ran.lost) == (4321, 7, 4328)


def test_words_that_are_no_result_are_an_error() -> None:
    with pytest.raises(RuntimeError, match="unable to connect"):
        parse("unable to connect to 127.0.0.1:1 Connection refused", cpu=0.0)


def test_no_load_leaves_the_machine() -> None:
    with pytest.raises(ValueError, match="not of this machine"):
        wrk(("192.0.2.1", 80), 1, 1)


def test_relays_lead_from_where_they_listen_to_their_target() -> None:
    assert "bind 127.0.0.1:20000 backlog 4096" in configurations.haproxy(LISTEN, TARGET)
    assert "tune.bufsize" not in configurations.haproxy(LISTEN, TARGET)
    assert "tune.bufsize 262144" in configurations.haproxy(LISTEN, TARGET, 256 * 1024)
    nginx = configurations.nginx(LISTEN, TARGET, "/module.so", "/pid")
    assert "listen 127.0.0.1:20000 backlog=4096;" in nginx and "proxy_half_close on;" in nginx
    assert "proxy_pass 127.64.0.1:80;" in nginx
    assert "listen 127.0.0.1:20000 udp;" in configurations.nginx(LISTEN, TARGET, "", "", udp=True)
    for text, protocol in (
        (configurations.envoy(LISTEN, TARGET), "TCP"),
        (configurations.envoy_udp(LISTEN, TARGET), "UDP"),
    ):
        (listener,) = json.loads(text)["static_resources"]["listeners"]
        assert listener["address"]["socket_address"] == {
            "protocol": protocol,
            "address": "127.0.0.1",
            "port_value": 20_000,
        }


def test_a_port_is_served_from_when_somebody_listens_and_is_not_ephemeral() -> None:
    port = free_port()
    first, _ = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert port < int(first)
    assert not is_served(port, "tcp")
    with socket.create_server(("127.0.0.1", port)):
        assert is_served(port, "tcp") and not is_served(port, "udp")


@pytest.mark.parametrize("kind", chains.available(chains.TCP_KINDS))
def test_a_chain_that_is_installed_relays(kind: str, tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as target,
        chains.chain(kind, target.getsockname(), tmp_path, length=2) as relays,
        socket.create_connection(relays.address, timeout=10) as client,
    ):
        assert len(relays.commands) == 2 and len(relays.pids()) >= 2
        client.sendall(b"hello")
        served, _ = target.accept()
        with served:
            assert served.recv(5) == b"hello"
    assert not is_served(relays.address[1], "tcp")
