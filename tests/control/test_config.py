"""The control plane's command line: where it listens, and by which names others reach it."""

from pathlib import Path

import pytest

from cluster.aio.hosts import HostPort
from cluster.errors import ConfigError
from cluster.wire.addresses import SocketAddress
from control.config import ControlConfig

REQUIRED = ["--socket", "/r/control.sock", "--data", ":memory:", "--pki", "/r/pki"]


def parse(*more: str) -> ControlConfig:
    return ControlConfig.parse([*REQUIRED, *more])


def test_names_are_kept_as_names_for_they_go_into_the_certificate() -> None:
    config = parse(
        *("--bind", "0.0.0.0:6443", "--advertise", "control:6443", "--advertise", "10.0.0.5:6443"),
        *("--kubeconfig", "/r/kubeconfig", "--kubeconfig-server", "127.0.0.1:16443"),
    )
    assert config.bind == SocketAddress("0.0.0.0", 6443)
    assert config.advertise == (HostPort("control", 6443), HostPort("10.0.0.5", 6443))
    assert config.kubeconfig == Path("/r/kubeconfig")
    assert config.kubeconfig_server == HostPort("127.0.0.1", 16443)


def test_without_more_others_reach_it_where_it_listens() -> None:
    config = parse("--bind", "127.64.0.254:0")
    assert config.bind == SocketAddress("127.64.0.254", 0)
    assert config.advertise == ()
    assert config.kubeconfig_server is None


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--bind", "127.0.0.1"),
        ("--advertise", "control"),
        ("--kubeconfig-server", "127.0.0.1"),
        ("--service-cidr", "10.96.0.0/99"),
    ],
)
def test_what_makes_no_sense_is_the_users_to_mend(option: str, value: str) -> None:
    bind = [] if option == "--bind" else ["--bind", "127.0.0.1:0"]
    with pytest.raises(ConfigError, match=r"HOST:PORT|not appear to be"):
        parse(*bind, option, value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--pod-cidr", "10.96.128.0/17"],
            "--pod-cidr 10.96.128.0/17 and --service-cidr 10.96.0.0/16 overlap",
        ),
        (
            ["--service-cidr", "10.244.3.0/24"],
            "--pod-cidr 10.244.0.0/16 and --service-cidr 10.244.3.0/24 overlap",
        ),
        (
            ["--pod-cidr", "172.16.0.0/12"],
            "--pod-cidr 172.16.0.0/12 and the nodes' range 172.30.0.0/16 overlap",
        ),
        (
            ["--service-cidr", "172.30.1.0/24"],
            "--service-cidr 172.30.1.0/24 and the nodes' range 172.30.0.0/16 overlap",
        ),
    ],
)
def test_no_address_is_in_two_ranges(options: list[str], said: str) -> None:
    """P-24."""
    with pytest.raises(ConfigError) as refused:
        parse("--bind", "127.0.0.1:0", *options)
    assert str(refused.value) == f"{said}: choose ranges apart"


def test_ranges_that_touch_do_not_overlap() -> None:
    """P-24."""
    config = parse(
        *("--bind", "127.0.0.1:0", "--pod-cidr", "10.0.0.0/17", "--service-cidr", "10.0.128.0/17")
    )
    assert (config.pod_cidr, config.service_cidr) == ("10.0.0.0/17", "10.0.128.0/17")


@pytest.mark.parametrize("bits", ["15", "31"])
def test_a_nodes_share_lies_in_the_pods_range_and_holds_a_pod(bits: str) -> None:
    with pytest.raises(ConfigError, match=r"10\.244\.0\.0/16, so it is 16 to 30"):
        parse("--bind", "127.0.0.1:0", "--node-cidr-mask-size", bits)
    assert parse("--bind", "127.0.0.1:0", "--node-cidr-mask-size", "25").node_mask == 25
    assert parse("--bind", "127.0.0.1:0").node_mask == 24
