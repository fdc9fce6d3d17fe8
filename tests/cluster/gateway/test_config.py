"""The gateway's command line."""

import pytest

from cluster.errors import ConfigError
from cluster.gateway.config import GatewayConfig
from cluster.wire.addresses import SocketAddress

REQUIRED = ["--api", "unix:/r/control.sock", "--run-dir", "/r", "--cluster-key", "/r/cluster.key"]


def test_published_ports_are_read_in_either_case() -> None:
    published = ["--published", "80/TCP=127.0.0.1:8080", "--published", "9999/udp=127.0.0.1:9998"]
    config = GatewayConfig.parse([*REQUIRED, "--bind", "0.0.0.0", *published])
    assert config.bind == "0.0.0.0"
    assert dict(config.published) == {
        "80/TCP": SocketAddress("127.0.0.1", 8080),
        "9999/UDP": SocketAddress("127.0.0.1", 9998),
    }


@pytest.mark.parametrize("text", ["80", "80=127.0.0.1:8080", "80/ICMP=127.0.0.1:8080", "x/TCP=1:1"])
def test_a_published_port_that_makes_no_sense_is_the_users_to_mend(text: str) -> None:
    with pytest.raises(ConfigError, match="is not PORT/TCP=IP:PORT"):
        GatewayConfig.parse([*REQUIRED, "--published", text])
