"""What `ip` prints.

Pure: values in, text out. Source: ip(8), ip-address(8), ip-route(8), of iproute2.
"""

import ipaddress
import json
from collections.abc import Sequence
from typing import Any

from node_agent.workloads.tools.interfaces import Interface, Route


def addresses(found: Sequence[Interface], *, family: int = 0) -> str:
    """`ip addr`; with a family the links' own lines are left out, and IPv6 there is none."""
    if family == 6:
        return ""
    text = ""
    for each in found:
        text += _first_line(each, "group default")
        text += _link_line(each) if not family else ""
        broadcast = f" brd {each.network.broadcast_address}" if each.kind == "ether" else ""
        text += f"    inet {each.ip}/{each.prefix}{broadcast} scope {each.scope} {each.name}\n"
        text += "       valid_lft forever preferred_lft forever\n"
    return text


def links(found: Sequence[Interface]) -> str:
    """`ip link`."""
    return "".join(
        _first_line(each, "mode DEFAULT group default") + _link_line(each) for each in found
    )


def _first_line(each: Interface, group: str) -> str:
    return (
        f"{each.index}: {each.name}{each.peer}: <{each.flags}> mtu {each.mtu} qdisc noqueue "
        f"state {each.state} {group} qlen 1000\n"
    )


def _link_line(each: Interface) -> str:
    netns = " link-netnsid 0" if each.peer else ""
    return f"    link/{each.kind} {each.mac} brd {each.mac_broadcast}{netns}\n"


def brief_addresses(found: Sequence[Interface], *, family: int = 0) -> str:
    """`ip -br addr`."""
    if family == 6:
        return ""
    rows = [(f"{each.name}{each.peer}", each.state, f"{each.ip}/{each.prefix}") for each in found]
    return "".join(f"{name:<16} {state:<14} {address} \n" for name, state, address in rows)


def brief_links(found: Sequence[Interface]) -> str:
    """`ip -br link`."""
    return "".join(
        f"{each.name + each.peer:<16} {each.state:<14} {each.mac} <{each.flags}> \n"
        for each in found
    )


def one_line_addresses(found: Sequence[Interface], *, family: int = 0) -> str:
    """`ip -o addr`."""
    if family == 6:
        return ""
    text = ""
    for each in found:
        broadcast = f" brd {each.network.broadcast_address}" if each.kind == "ether" else ""
        text += (
            f"{each.index}: {each.name}    inet {each.ip}/{each.prefix}{broadcast} "
            f"scope {each.scope} {each.name}\\       valid_lft forever preferred_lft forever\n"
        )
    return text


def json_addresses(found: Sequence[Interface], *, with_addresses: bool) -> str:
    """`ip -j addr`, `ip -j link`."""
    return json.dumps([_json(each, with_addresses) for each in found], separators=(",", ":")) + "\n"


def _json(each: Interface, with_addresses: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "ifindex": each.index,
        "ifname": each.name,
        "flags": each.flags.split(","),
        "mtu": each.mtu,
        "qdisc": "noqueue",
        "operstate": each.state,
        "link_type": each.kind,
        "address": each.mac,
        "broadcast": each.mac_broadcast,
    }
    if with_addresses:
        address: dict[str, Any] = {"family": "inet", "local": each.ip, "prefixlen": each.prefix}
        document["addr_info"] = [{**address, "scope": each.scope, "label": each.name}]
    return document


def route_lines(found: Sequence[Route]) -> str:
    """`ip route`."""
    return "".join(f"{_route(each)} \n" for each in found)


def _route(each: Route) -> str:
    if each.gateway:
        return f"{each.target} via {each.gateway} dev {each.device}"
    if each.source:
        return f"{each.target} dev {each.device} proto kernel scope link src {each.source}"
    return f"{each.target} dev {each.device} scope link"


def route_get(target: str, link: Interface, found: Sequence[Route]) -> str:
    """`ip route get`; ValueError when the target is no IPv4 address."""
    address = ipaddress.IPv4Address(target)
    if address.is_loopback or target == link.ip:
        source = target if address.is_loopback else link.ip
        return f"local {target} dev lo src {source} uid 0 \n    cache <local> \n"
    gateway = "" if address in link.network else found[0].gateway
    by = f" via {gateway}" if gateway else ""
    return f"{target}{by} dev {link.name} src {link.ip} uid 0 \n    cache \n"


RULES = "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n"
