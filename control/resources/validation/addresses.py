"""Addresses and ranges in words: what an address is, and which can be somebody's.

Pure: text in, faults in words out. Spec: S-97, S-146, S-167. Source:
k8s.io/apimachinery/pkg/util/validation/ip.go; Kubernetes' ValidateEndpointIP.
"""

import ipaddress
import re

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_PADDED = re.compile(r"\b0+(?=[0-9])")
_LOCAL_GROUPS = ipaddress.ip_network("224.0.0.0/24")


def ip_faults(value: str) -> list[str]:
    """An IP address, in the one way to write it that every reader takes for the same (S-167)."""
    address = _parsed(value)
    if address is None:
        padded = value.count(".") == 3 and _parsed(_PADDED.sub("", value)) is not None
        if padded:
            return ["must not have leading 0s"]
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return ["must not be an IPv4-mapped IPv6 address"]
    return []


def cidr_faults(value: str) -> list[str]:
    """A range of addresses."""
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]
    return [] if "/" in value else ["must be a valid CIDR value, (e.g. 10.9.8.0/24)"]


def endpoint_ip_faults(value: str) -> list[str]:
    """An address that somebody else can have: endpoints' and external addresses (S-97, S-146)."""
    faults = ip_faults(value)
    if faults:
        return faults
    address = ipaddress.ip_address(value)
    if address.is_unspecified:
        return [f"may not be unspecified ({value})"]
    if address.is_loopback:
        return ["may not be in the loopback range (127.0.0.0/8, ::1/128)"]
    if address.is_link_local:
        return ["may not be in the link-local range (169.254.0.0/16, fe80::/10)"]
    if _is_local_group(address):
        return ["may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"]
    return []


def _is_local_group(address: IPAddress) -> bool:
    """Whether it is a group of one link's; groups that routers know are let pass, as upstream."""
    if isinstance(address, ipaddress.IPv4Address):
        return address in _LOCAL_GROUPS
    first, second = address.packed[:2]
    return first == 0xFF and second & 0x0F == 0x02


def _parsed(value: str) -> IPAddress | None:
    try:
        return None if "%" in value else ipaddress.ip_address(value)
    except ValueError:
        return None
