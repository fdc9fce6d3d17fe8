"""The report as a terminal shows it."""

from dataclasses import replace
from typing import Any

import pytest

from cluster.cli.status_report import NodeRow, PortRow, ProcessRow, Report, ServiceRow
from cluster.cli.status_table import age, status_text

CONTROL = ProcessRow(name="control", state="ready", pid=4711, restarts=0, seconds=75.0)
NODE = NodeRow(
    name="node-1", status="Ready", internal_ip="172.30.0.1", address="127.64.0.1", pods=3
)
PORT = PortRow(port="80/TCP", real=("127.65.0.1:80",), node_port=30080, moved=False)
SERVICE = ServiceRow(name="shop/web", type="LoadBalancer", cluster_ip="10.96.0.20", ports=(PORT,))
REPORT = Report(
    name="default",
    kubeconfig="/home/ada/.local/state/kubehop/default/kubeconfig",
    run_dir="/tmp/kubehop-1000/default",
    api_url="https://127.64.0.254:6443",
    processes=(CONTROL, replace(CONTROL, name="node-1", pid=4712, restarts=2)),
    nodes=(NODE,),
    services=(SERVICE,),
    programmed={"node-1": ""},
)


def shown(colour: bool = False, **more: Any) -> str:
    return status_text(replace(REPORT, **more), colour=colour)


def test_all_of_it():
    assert (
        shown()
        == """\
cluster default: 1 node, programmed on 1/1 nodes
  API         https://127.64.0.254:6443
  kubeconfig  /home/ada/.local/state/kubehop/default/kubeconfig

PROCESS  STATE  PID   RESTARTS  AGE
control  ready  4711  0         1m15s
node-1   ready  4712  2         1m15s

NODE    STATUS  INTERNAL-IP  REAL-IP     PODS
node-1  Ready   172.30.0.1   127.64.0.1  3

SERVICE   TYPE          CLUSTER-IP  PORT    REACHED AT
shop/web  LoadBalancer  10.96.0.20  80/TCP  127.65.0.1:80, nodes:30080
"""
    )


def test_colour_changes_nothing_but_colour():
    import re

    assert re.sub(r"\x1b\[[0-9;]*m", "", shown(colour=True)) == shown()
    assert "\x1b[" in shown(colour=True)


@pytest.mark.parametrize("state", ["waiting", "stopped"])
def test_what_does_not_run_has_neither_pid_nor_age(state: str):
    row = shown(processes=(replace(CONTROL, state=state),)).split("\n\n")[1].splitlines()[1]
    assert row.split() == ["control", state, "-", "0", "-"]


def test_a_frozen_process_is_there_all_the_same():
    row = shown(processes=(replace(CONTROL, state="frozen"),)).split("\n\n")[1].splitlines()[1]
    assert row.split() == ["control", "frozen", "4711", "0", "1m15s"]


def test_a_silent_api_takes_its_part_away_and_says_so():
    text = shown(problem="Connection refused", nodes=(), services=(), programmed={})
    assert text.startswith("cluster default\n")
    assert text.endswith("\n\nthe API server does not answer: Connection refused\n")
    assert "PROCESS" in text
    assert "SERVICE" not in text


def reached(service: ServiceRow) -> str:
    return shown(services=(service,)).split("\n\n")[3]


def test_every_port_has_a_row_and_the_service_one_name():
    https = replace(PORT, port="443/TCP", real=("127.65.0.1:443",), node_port=0)
    rows = reached(replace(SERVICE, ports=(PORT, https))).splitlines()
    assert rows[2].split() == ["443/TCP", "127.65.0.1:443"]
    assert rows[2].index("443/TCP") == rows[1].index("80/TCP")


@pytest.mark.parametrize(
    ("service", "place"),
    [
        (replace(SERVICE, ports=(replace(PORT, real=(), node_port=0),)), "<pending>"),
        (replace(SERVICE, type="NodePort", ports=(replace(PORT, real=()),)), "nodes:30080"),
        (
            replace(SERVICE, type="ClusterIP", ports=(replace(PORT, real=(), node_port=0),)),
            "from inside",
        ),
        (replace(SERVICE, type="ExternalName", ports=()), "-"),
    ],
)
def test_where_a_service_is_reached_without_a_load_balancer(service: ServiceRow, place: str):
    assert reached(service).splitlines()[1].endswith(f"  {place}")


def test_a_service_without_an_address_is_headless():
    assert " None " in reached(replace(SERVICE, cluster_ip=""))


def test_a_port_that_was_moved_is_explained_with_what_helps():
    moved = replace(PORT, real=("127.65.0.1:8080",), moved=True)
    note = shown(services=(replace(SERVICE, ports=(moved,)),)).split("\n\n")[-1]
    assert note.startswith("80/TCP: ports below 1024 may not be bound here")
    assert "sysctl net.ipv4.ip_unprivileged_port_start=0" in note


def test_what_is_not_served_is_said_at_the_end():
    said = "shop/web 80/TCP is not served: 127.65.0.1:80: Address already in use"
    assert shown(unserved=(said,)).endswith(f"\n\n{said}\n")


def test_who_is_behind_is_named_with_the_reason():
    text = shown(programmed={"node-1": "services 4 of 5", "gateway": ""})
    assert "programmed on 0/1 nodes" in text
    assert text.endswith("\n\nnode-1 does not decide by the newest objects: services 4 of 5\n")


def test_places_that_do_not_fit_80_columns_are_below_each_other():
    table = reached(replace(SERVICE, name="kube-system/kube-dns"))
    assert max(map(len, table.splitlines())) <= 80
    assert table.splitlines()[1].endswith("80/TCP  127.65.0.1:80")
    assert table.splitlines()[2].split() == ["nodes:30080"]
    assert table.splitlines()[2].index("nodes") == table.splitlines()[0].index("REACHED AT")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (59.9, "59s"),
        (60, "1m0s"),
        (303, "5m3s"),
        (3600, "1h0m"),
        (7620, "2h7m"),
        (86400, "1d0h"),
        (273600, "3d4h"),
    ],
)
def test_ages_are_of_two_units_at_most(seconds: float, text: str):
    assert age(seconds) == text
