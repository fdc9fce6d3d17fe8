"""What `format` asks of texts; formats that nobody knows ask nothing.

Pure: text in, yes or no out. Source: k8s.io/kube-openapi/pkg/validation/strfmt.
"""

import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date
from urllib.parse import urlsplit

from control.resources.times import canonical_time
from control.resources.validation.names import label_faults, subdomain_faults

_UUID = r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}"
_MAC = re.compile(r"(?i)[0-9a-f]{2}([:-][0-9a-f]{2}){5}|[0-9a-f]{4}(\.[0-9a-f]{4}){2}")
_EMAIL = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\]+")
_DURATION = re.compile(
    r"[+-]?(\d+(\.\d*)?|\.\d+)\s*(ns|us|µs|μs|ms|s|m|h|d|w)?(?:\s*(\d+(\.\d*)?)\s*(ns|us|µs|μs|ms|s|m|h|d|w))*"
)
_HOSTNAME = re.compile(
    r"(?i)(?=.{1,255}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\.?"
)
_COLOR = re.compile(r"(?i)#?([0-9a-f]{3}|[0-9a-f]{6})")


def fits(format_: str, text: str) -> bool:
    """Whether a text is of a format."""
    check = _CHECKS.get(format_)
    return check is None or check(text)


def _reads(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _uuid(version: str = "[0-9a-f]", variant: str = "[0-9a-f]") -> Callable[[str], bool]:
    return _matches(re.compile(_UUID % (version, variant)))


def _base64(text: str) -> None:
    binascii.a2b_base64("".join(text.splitlines()), strict_mode=True)


def _cidr(text: str) -> None:
    if "/" not in text:
        raise ValueError("an address and a number of bits")
    ipaddress.ip_network(text, strict=False)


def _date(text: str) -> None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError("as 2026-01-31")
    date.fromisoformat(text)


def _uri(text: str) -> None:
    parts = urlsplit(text)
    if not (parts.scheme or text.startswith("/")):
        raise ValueError("an absolute reference")


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "byte": _reads(_base64),
    "cidr": _reads(_cidr),
    "date": _reads(_date),
    "date-time": lambda text: canonical_time(text, "time") is not None,
    "datetime": lambda text: canonical_time(text, "time") is not None,
    "duration": _matches(_DURATION),
    "email": _matches(_EMAIL),
    "hexcolor": _matches(_COLOR),
    "hostname": _matches(_HOSTNAME),
    "ipv4": _reads(ipaddress.IPv4Address),
    "ipv6": _reads(ipaddress.IPv6Address),
    "k8s-long-name": lambda text: not subdomain_faults(text),
    "k8s-short-name": lambda text: not label_faults(text),
    "mac": _matches(_MAC),
    "uri": _reads(_uri),
    "uuid": _uuid(),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89ab]"),
    "uuid5": _uuid("5", "[89ab]"),
}
