"""Addresses as programs write them: what is numeric, and what a wildcard or ::1 stands for.

Pure: no I/O. Pods have IPv4 only, as in a single-stack cluster.
"""

import ipaddress
from typing import Any

from cluster.wire.addresses import SocketAddress
from node_agent.cni.port_table import LOOPBACK, WILDCARDS


def numeric(host: Any) -> bool:
    """Whether a host is an IP address, of either family, and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return isinstance(host, str)


def reached(ip: str, port: int) -> SocketAddress:
    """What a connection to an address reaches: a wildcard and ::1 are this host."""
    return SocketAddress(LOOPBACK if ip in WILDCARDS or ip == "::1" else ip, port)


def loopback(ip: str) -> bool:
    """Whether an address never leaves its pod.

    In 127.64.0.0/10 lie the real addresses of nodes and load balancers (docs/architecture.md,
    "Addresses"): to a pod these are somebody else's.
    """
    return ip.startswith("127.") and not 64 <= int(ip.split(".")[1]) < 128
