"""The DNS's command line."""

from pathlib import Path

import pytest

from cluster.dns.config import DnsConfig
from cluster.dns.zone import PodNames
from cluster.errors import ConfigError
from cluster.wire.addresses import SocketAddress

REQUIRED = ["--api", "unix:/r/control.sock", "--run-dir", "/r", "--bind", "127.64.0.254:10053"]


def test_the_required_options_are_enough() -> None:
    config = DnsConfig.parse(REQUIRED)
    assert config.bind == SocketAddress("127.64.0.254", 10053)
    assert config.socket == Path("/r/dns.sock")
    assert config.zone.domain == "cluster.local" and config.zone.ttl == 30
    assert config.zone.pods is PodNames.INSECURE
    assert config.zone.addresses == ("127.64.0.254",)
    assert config.forward == () and config.process.title == "kubehop dns"


def test_the_others_change_the_zone() -> None:
    """D-3, D-51, D-113, D-134."""
    more = ["--forward", "192.0.2.53", "--forward", "192.0.2.54:5353", "--ttl", "0"]
    config = DnsConfig.parse(
        [*REQUIRED, *more, "--pods", "disabled", "--cluster-domain", "Corp.Internal."]
    )
    assert config.forward == (SocketAddress("192.0.2.53", 53), SocketAddress("192.0.2.54", 5353))
    assert config.zone.ttl == 0 and config.zone.pods is PodNames.DISABLED
    assert config.zone.domain == "corp.internal"


def test_a_wrong_address_is_the_users_to_mend() -> None:
    with pytest.raises(ConfigError, match="HOST:PORT"):
        DnsConfig.parse([*REQUIRED[:-1], "nowhere"])


@pytest.mark.parametrize("ttl", ["-1", "3601", "x"])
def test_the_ttl_has_its_range(ttl: str, capsys: pytest.CaptureFixture[str]) -> None:
    """D-3."""
    with pytest.raises(SystemExit) as caught:
        DnsConfig.parse([*REQUIRED, f"--ttl={ttl}"])
    assert caught.value.code == 2
    assert "from 0 to 3600" in capsys.readouterr().err
