"""Host names where an address is wanted."""

import socket
from typing import Any

import pytest

from cluster.aio.hosts import HostPort, ip_of
from cluster.errors import ConfigError
from cluster.wire.addresses import SocketAddress


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("control:6443", HostPort("control", 6443)),
        ("127.64.0.254:0", HostPort("127.64.0.254", 0)),
        ("[::1]:53", HostPort("::1", 53)),
    ],
)
def test_a_host_and_a_port_are_read_and_written_the_same(text: str, parsed: HostPort) -> None:
    assert HostPort.parse(text) == parsed
    assert str(parsed) == text


@pytest.mark.parametrize("text", ["control", ":6443", "::1:53", "control:", "a:b", "a:65536"])
def test_what_is_not_a_host_and_a_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST:PORT|the port must be"):
        HostPort.parse(text)


def test_an_address_stands_for_itself_without_a_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "getaddrinfo")
    assert ip_of("0.0.0.0") == "0.0.0.0"
    assert HostPort("127.0.0.1", 80).resolve() == SocketAddress("127.0.0.1", 80)


def test_a_name_is_looked_up_ipv4_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(host: str, *_: Any, **__: Any) -> list[Any]:
        assert host == "node-1"
        stream = socket.SOCK_STREAM
        return [
            (socket.AF_INET6, stream, 6, "", ("fd00::5", 0, 0, 0)),
            (socket.AF_INET, stream, 6, "", ("172.18.0.5", 0)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    assert ip_of("node-1") == "172.18.0.5"


def test_a_name_without_an_address_is_the_users_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    with pytest.raises(ConfigError, match=r"'node-9' has no address here: .*not known"):
        ip_of("node-9")
