"""The row of an EndpointSlice.

Pure: documents in, text out. Source: Kubernetes API reference, discovery.k8s.io/v1.
"""

from datetime import datetime

from cluster.client.interface import Document
from control.resources.columns.ages import age
from control.resources.columns.printer import AGE, NAME, Column, Printer, Row
from control.resources.columns.reading import items, name_of
from control.resources.columns.text import UNSET, listed


def _slice(endpoint_slice: Document, now: datetime) -> Row:
    ports = (
        str(each.get("port") or each.get("name") or "*") for each in items(endpoint_slice, "ports")
    )
    addresses = (
        str(address)
        for each in items(endpoint_slice, "endpoints")
        for address in each.get("addresses") or ()
    )
    return [
        name_of(endpoint_slice),
        endpoint_slice.get("addressType", ""),
        listed(ports, empty=UNSET),
        listed(addresses, empty=UNSET),
        age(endpoint_slice, now),
    ]


ENDPOINT_SLICES = Printer(
    (
        NAME,
        Column("AddressType", "What the addresses are: IPv4, IPv6, names."),
        Column("Ports", "The ports that every endpoint serves."),
        Column("Endpoints", "The addresses of the endpoints."),
        AGE,
    ),
    _slice,
)
