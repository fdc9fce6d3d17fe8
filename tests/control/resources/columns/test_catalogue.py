"""Every kind has a printer whose rows fit its columns."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from cluster.objects.resources import PODS, Resource
from control.resources.columns.catalogue import PRINTERS, printer_of
from control.resources.columns.core import AGE_ONLY
from control.resources.columns.pods import PODS as PODS_PRINTER
from control.resources.kinds import kinds

NAMES = {
    ("", "Pod"): "Name Ready Status Restarts Age | IP Node Nominated-Node Readiness-Gates",
    ("", "Service"): "Name Type Cluster-IP External-IP Port(s) Age | Selector",
    ("", "Node"): "Name Status Roles Age Version | Internal-IP External-IP OS-Image "
    "Kernel-Version Container-Runtime",
    ("", "Event"): "Last-Seen Type Reason Object Message | Subobject Source First-Seen Count Name",
    ("", "LimitRange"): "Name Created-At",
    ("apps", "Deployment"): "Name Ready Up-to-date Available Age | Containers Images Selector",
    ("apps", "ReplicaSet"): "Name Desired Current Ready Age | Containers Images Selector",
    ("discovery.k8s.io", "EndpointSlice"): "Name AddressType Ports Endpoints Age",
    ("networking.k8s.io", "NetworkPolicy"): "Name Pod-Selector Age",
}


@pytest.mark.parametrize("key", sorted(PRINTERS))
def test_a_bare_object_has_a_cell_for_each_column(
    key: tuple[str, str], now: datetime, document: Callable[..., dict[str, Any]]
) -> None:
    printer = PRINTERS[key]
    assert len(printer.row(document(), now)) == len(printer.columns)
    assert next(c.name for c in printer.columns if c.format == "name") == "Name"
    assert all(column.description for column in printer.columns)


@pytest.mark.parametrize("key", sorted(NAMES))
def test_columns_are_upstreams(key: tuple[str, str]) -> None:
    printer = PRINTERS[key]
    narrow, wide = (
        " ".join(c.name.replace(" ", "-") for c in printer.columns if c.priority == priority)
        for priority in (0, 1)
    )
    assert (f"{narrow} | {wide}" if wide else narrow) == NAMES[key]


def test_every_served_kind_has_columns() -> None:
    served = {(each.resource.group, each.resource.kind) for each in kinds()}
    assert served - set(PRINTERS) == set()


def test_a_kind_is_found_whatever_its_version() -> None:
    assert printer_of(PODS) is PODS_PRINTER
    assert printer_of(Resource("example.com", "v1", "things", "Thing")) is AGE_ONLY
